//! Redirects: which are followed, with which method and body, how far, and that each hop is a request.

use std::collections::BTreeMap;

use super::accounts::Account;
use super::{assert_checks, errors_of, once};
use crate::builder::target;

#[test]
fn methods_change_as_browsers_change_them() {
    let target = target();
    let body = r#"
        for code in [301, 302, 303] {
            let r = http::post(`/redirect-to?url=/echo&code=${code}`, "body");
            check(`${code}: POST becomes GET`, r.json("$.method") == "GET" && r.json("$.body") == "" && r.json("$.headers['content-type']") == ());
            check(`${code}: HEAD stays`, http::head(`/redirect-to?url=/echo&code=${code}`).method == "HEAD");
        }
        for code in [307, 308] {
            let r = http::put(`/redirect-to?url=/echo&code=${code}`, #{ a: 1 });
            check(`${code}: all stays`, r.json("$.method") == "PUT" && r.json("$.body") == "{\"a\":1}" && r.url.ends_with("/echo"));
        }
        check("300 and 304 lead nowhere", http::get("/redirect-to?url=/echo&code=300").status == 300 && http::get("/status/304").status == 304);
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 9);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn how_far() {
    let target = target();
    let body = r#"
        check("ten by default", http::get("/redirect/10").status == 200);
        check("none for a request", http::get("/redirect/1", #{ redirects: 0 }).status == 302);
        let r = http::get("/redirect/3", #{ redirects: 2 });
        check(`too far: ${r.status} ${r.error_kind}`, r.error_kind == "redirect_loop" && r.error_code == 1000);
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 3);
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert_eq!(account.total, 11 + 1 + 3);
}

#[test]
fn a_loop_ends() {
    let target = target();
    let body = r#"let r = http::get("/redirect-loop"); check(`${r.error_kind} ${r.error}`, r.error_kind == "redirect_loop" && r.error.contains("10 redirects"));"#;
    let outcome = once(&target, "", body).args("-i4").run();
    assert_checks(&outcome, 4);
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert_eq!(account.status, BTreeMap::from([(302, 44)]));
    assert_eq!(errors_of(&outcome, "redirect_loop"), 4);
    assert_eq!(outcome.metric("http_req_failed", "passes"), 4.0, "the last hop failed, the others led on");
}

#[test]
fn cookies_and_credentials_on_the_way() {
    let target = target();
    let other = super::tls_target(punk::target::TlsMode::Off, punk::target::Versions::Both);
    let body = r#"
        check("a cookie set by a hop is sent to the next", http::get("/cookies/set?a=1").json("$.cookies.a") == "1");
        let r = http::get("/redirect-to?url=/echo", #{ auth: #{ bearer: "t" } });
        check("the same server gets them", r.json("$.headers.authorization") == "Bearer t");
        let r = http::get("/redirect-to?url=OTHER/echo", #{ auth: #{ bearer: "t" } });
        check("another one does not", r.status == 200 && r.json("$.headers.authorization") == () && r.url == "OTHER/echo");
        let r = http::get("/redirect-to?url=ftp://x/");
        check(`nowhere: ${r.error}`, r.error_code == 1000 && r.error.contains("redirect"));
    "#;
    let outcome = once(&target, "", &body.replace("OTHER", &other.url())).run();
    assert_checks(&outcome, 4);
}
