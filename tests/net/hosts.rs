//! Names and addresses: fixed hosts, names that do not exist, hosts that are not allowed, addresses to send from.

use super::accounts::Account;
use super::{assert_checks, each, errors_of, once};
use crate::builder::{punk, target};

#[test]
fn a_name_with_a_fixed_address() {
    let target = target();
    let port = target.addr().port();
    let body = format!(
        r#"
        let r = http::get("http://shop.test:{port}/echo");
        check(`${{r.status}} ${{r.error}}`, r.status == 200 && r.json("$.headers.host") == "shop.test:{port}");
        check("the address", r.remote == "127.0.0.1:{port}");
        "#
    );
    let outcome = once(&target, r#"dns: #{ hosts: #{ "shop.test": "127.0.0.1" } }"#, &body).run();
    assert_checks(&outcome, 2);
}

#[test]
fn names_that_do_not_exist() {
    // `.invalid` never resolves (RFC 6761), but a machine without a name server cannot know: any class of DNS error is right.
    let script = r#"
        fn run() {
            let r = http::get("http://nowhere.invalid/", #{ timeout: 3.s });
            check(`${r.error_kind} ${r.error_code} ${r.error}`, r.status == 0 && r.error_code >= 1050 && r.error_code <= 1101);
            check("unknown or unanswered", ["dns_not_found", "dns", "dns_timeout", "dns_servfail", "timeout"].contains(r.error_kind));
        }
    "#;
    let outcome = punk().script(script).run();
    assert_checks(&outcome, 2);
    assert_eq!(outcome.summary()["requests"]["unsent"], 1);
}

#[test]
fn names_that_cannot_be() {
    let script = r#"
        fn run() {
            for url in ["http://a..b/", "http://-/", "http://" + "x".repeated(70) + ".test/"] {
                let failed = false;
                try { failed = http::get(url, #{ timeout: 3.s }).status == 0; } catch { failed = true; }
                check(url, failed);
            }
        }
        fn repeated(times) { let all = ""; for i in 0..times { all += this; } all }
    "#;
    let outcome = punk().script(script).run();
    assert_checks(&outcome, 3);
}

#[test]
fn hosts_that_are_not_allowed_are_never_asked() {
    let target = target();
    let body = r#"
        let r = http::get("/echo");
        check(`${r.error_kind} ${r.error_code}`, r.status == 0 && r.error_kind == "blocked_host" && r.error_code == 1111);
    "#;
    let outcome = once(&target, r#"allow_hosts: ["*.shop.test"]"#, body).args("-i3").run();
    assert_checks(&outcome, 3);
    assert_eq!(errors_of(&outcome, "blocked_host"), 3);
    let account = Account::of(&outcome, &target);
    assert_eq!((account.unsent, account.stats.connections), (3, 0));
}

#[test]
fn a_redirect_does_not_lead_to_a_host_that_is_not_allowed() {
    let target = target();
    let body = format!(
        r#"
        let r = http::get("/redirect-to?url=http://localhost:{}/echo");
        check(`${{r.error_kind}} ${{r.status}}`, r.status == 0 && r.error_kind == "blocked_host");
        "#,
        target.addr().port()
    );
    let outcome = once(&target, r#"allow_hosts: ["127.0.0.1"]"#, &body).run();
    assert_checks(&outcome, 1);
    assert_eq!(Account::of(&outcome, &target).stats.requests, 1);
}

#[test]
fn addresses_to_send_from() {
    let target = target();
    let body = r#"
        let peer = http::get("/echo").json("$.peer");
        check(`from ${peer}`, peer.starts_with("127.0.0.2:") || peer.starts_with("127.0.0.3:"));
    "#;
    let outcome = each(&target, 4, 2, r#"source_ips: ["127.0.0.2", "127.0.0.3"]"#, body).run();
    assert_checks(&outcome, 8);
}
