//! Lines of flags and the scripts that they stand for.

use super::*;
use crate::cli::Cli;
use crate::cli::args::Command;
use crate::plan::{HttpVersion, Late, Plan, Work};
use clap::Parser;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::time::Duration;

fn args(line: &[&str]) -> QuickArgs {
    let line = ["punk", "quick"].iter().chain(line);
    match Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{error}")).command {
        Command::Quick(args) => *args,
        other => panic!("{other:?}"),
    }
}

fn made(line: &[&str]) -> Result<String, String> {
    let args = args(line);
    let request = Request::of(&args)?;
    let thresholds = args.threshold.iter().map(|text| threshold(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(script::script(&args, &request, &thresholds))
}

fn script_of(line: &[&str]) -> String {
    made(line).unwrap_or_else(|why| panic!("{line:?}: {why}"))
}

/// The Plan; there is nothing to remark about a script that we write ourselves.
fn plan(line: &[&str]) -> Plan {
    let text = script_of(line);
    let compiled = compile_text("quick.rhai", text.clone(), &Overrides::default());
    assert_eq!(render_all(&compiled.diagnostics, false), "", "{text}");
    compiled.plan.unwrap_or_else(|| panic!("no plan: {text}"))
}

#[test]
fn the_shortest_line() {
    assert_snapshot!(script_of(&["http://127.0.0.1:8080/"]), @r##"
    // Made by `punk quick`; run it with `punk FILE`.

    options(#{ cookies: false });

    scenario("quick", #{ users: 50, duration: 10.s, run: quick });

    fn quick() {
        http::get("http://127.0.0.1:8080/");
    }
    "##);
}

#[test]
fn a_line_with_everything() {
    let line = [
        "localhost:8080/api/cart?a=1&b=%20",
        "-u20",
        "-r200/s",
        "-d1m30s",
        "--late=drop",
        "--graceful-stop=5s",
        "-HX-One: a, \"b\"",
        "-Hx-one:c",
        "-HAuthorization: Bearer abc",
        "--json-body={\"sku\": 7, \"note\": \"a\\nb\"}",
        "--timeout=2500ms",
        "--no-redirects",
        "--no-keepalive",
        "--no-compression",
        "-k",
        "--proxy=http://user:pass@127.0.0.1:3128",
        "--threshold=http_req_failed: rate < 1%",
        "--threshold=http_req_duration{status:200}: p(95) < 300ms",
    ];
    assert_snapshot!(script_of(&line), @r#"
    // Made by `punk quick`; run it with `punk FILE`.

    options(#{
        headers: #{ "X-One": `a, "b", c`, "Connection": "close" },
        cookies: false,
        timeout: "2.5s",
        redirects: 0,
        compression: false,
        http: "1.1",
        tls: #{ insecure: true },
        proxy: "http://user:pass@127.0.0.1:3128",
        graceful_stop: 5.s,
    });

    scenario("quick", #{
        rate: 200.per_s,
        max_users: 20,
        duration: "1m30s",
        late: "drop",
        run: quick,
    });

    threshold("http_req_failed", "rate < 1%");
    threshold("http_req_duration{status:200}", "p(95) < 300ms");

    fn quick() {
        http::post("http://localhost:8080/api/cart?a=1&b=%20", `{"sku": 7, "note": "a\nb"}`, #{
            headers: #{ "Authorization": "Bearer abc", "Content-Type": "application/json" },
        });
    }
    "#);
    let Work::Arrivals { max_users, late, .. } = plan(&line).scenarios[0].work else { panic!("an open model") };
    assert_eq!((max_users, late), (20, Late::Drop));
}

#[test]
fn every_method_is_asked_for_by_the_function_that_has_it() {
    let call = |line: &[&str]| {
        let text = script_of(line);
        text.lines().find(|line| line.contains("http::")).map(|line| line.trim().to_owned())
    };
    let lines: &[&[&str]] = &[
        &["a.test/x"],
        &["a.test", "-Xhead"],
        &["a.test", "-XPOST"],
        &["a.test", "-XPOST", "-au:p"],
        &["a.test", "-btext"],
        &["a.test", "-XGET", "-btext"],
        &["a.test", "-XDELETE", "-b", "text", "-Ttext/plain"],
        &["a.test", "-mPURGE"],
        &["a.test", "-mPURGE", "-Hcookie: a=1", "-HCookie: b=2"],
        &["demo://shop/api/products"],
        &["demo://shop"],
    ];
    let calls: Vec<String> = lines.iter().filter_map(|line| call(line)).collect();
    assert_snapshot!(calls.join("\n"), @r#"
    http::get("http://a.test/x");
    http::head("http://a.test");
    http::post("http://a.test");
    http::post("http://a.test", (), #{ auth: #{ user: "u", password: "p" } });
    http::post("http://a.test", "text");
    http::request("GET", "http://a.test", "text");
    http::request("DELETE", "http://a.test", "text", #{ headers: #{ "Content-Type": "text/plain" } });
    http::request("PURGE", "http://a.test");
    http::request("PURGE", "http://a.test", (), #{ headers: #{ "Cookie": "a=1; b=2" } });
    http::get("/api/products");
    http::get("/");
    "#);
    lines.iter().for_each(|line| drop(plan(line)));
    assert!(plan(&["demo://shop/api/products"]).demo);
}

#[test]
fn loads() {
    let work = |line: &[&str]| plan(&[&["a.test"], line].concat()).scenarios[0].work.to_string();
    let lines: &[&[&str]] = &[
        &[],
        &["-c10", "-z1m"],
        &["-n10k"],
        &["-n100", "-d5s"],
        &["-r0.5/s"],
        &["-r200/s", "-n1000"],
        &["-r200/s", "-n1000", "-d1s"],
        &["-r3/s", "-n100"],
        &["-r6k/min", "-u1"],
    ];
    let works: Vec<String> = lines.iter().map(|line| work(line)).collect();
    assert_snapshot!(works.join("\n"), @r#"
    users: constant(50).during(10s)
    users: constant(10).during(1m)
    10000 iterations shared by 50 users, at most 1d
    100 iterations shared by 50 users, at most 5s
    rate: constant(0.5).during(10s), by at most 50 users, late ones wait
    rate: constant(200).during(5s), by at most 50 users, late ones wait
    rate: constant(200).during(1s), by at most 50 users, late ones wait
    rate: constant(3).during(33.333333333s), by at most 50 users, late ones wait
    rate: constant(100).during(10s), by at most 1 users, late ones wait
    "#);
}

#[test]
fn settings_arrive_in_the_plan() {
    let http = plan(&["https://a.test", "--http=2", "--redirects=3", "-t1s", "-k"]).options.http;
    assert_eq!((http.version, http.redirects, http.tls.insecure), (HttpVersion::Http2, 3, true));
    assert_eq!((http.timeout.total, http.cookies), (Duration::from_secs(1), false));
    assert_eq!(plan(&["https://a.test", "--no-keepalive"]).options.http.version, HttpVersion::Http1);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path.display().to_string()
    };
    let (ca, key) =
        (file("a \"ca\".pem", "-----BEGIN CERTIFICATE-----"), file("key.pem", "-----BEGIN PRIVATE KEY-----"));
    let tls = plan(&["https://a.test", "--cacert", &ca, "--cert", &ca, "--key", &key]).options.http.tls;
    assert_eq!(tls.ca.as_deref(), Some("-----BEGIN CERTIFICATE-----"));
    assert!(tls.cert.is_some() && tls.key.is_some());
    let body = file("body", "a\r\n`${1}`");
    for name in [body.clone(), format!("@{body}")] {
        let request = Request::of(&args(&["a.test", "-B", &name])).expect("a file");
        assert_eq!(request.body.as_deref(), Some("a\r\n`${1}`"));
    }
}

#[test]
fn the_report_names_the_address_and_no_password() {
    let title = |url: &str| Request::of(&args(&[url])).map(|request| request.title());
    for (url, shown) in [
        ("a.test:8080/x?y=1", "quick http://a.test:8080/x?y=1"),
        ("http://me:secret@a.test/x", "quick http://a.test/x"),
        ("demo://shop/api", "quick demo://shop/api"),
    ] {
        assert_eq!(title(url).as_deref(), Ok(shown));
    }
    assert_eq!(title(&format!("a.test/{}", "x".repeat(500))).map(|title| title.chars().count()), Ok(66));
}

#[test]
fn wrong_values_are_told_as_flags() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = folder.path().join("bytes");
    std::fs::write(&bytes, b"\xff\xfe").expect("the folder is ours");
    let bytes = bytes.display().to_string();
    let lines: &[&[&str]] = &[
        &[""],
        &["/path"],
        &["ftp://a.test/"],
        &["http://"],
        &["http://a.test:99999/"],
        &["a.test", "-Xa b"],
        &["a.test", "-Hno colon"],
        &["a.test", "-HX: a\r\nY: b"],
        &["a.test", "-HContent-Length: 5"],
        &["a.test", "-Ta\u{0}", "-bx"],
        &["a.test", "-Ta/b", "-HContent-Type: c/d", "-bx"],
        &["a.test", "--json-body={a: 1}"],
        &["a.test", "-B/no/such/file"],
        &["a.test", "-auser"],
        &["a.test", "-au:p", "-HAuthorization: x"],
        &["a.test", "--proxy=ftp://x"],
        &["a.test", "--no-keepalive", "--http=2"],
        &["a.test", "--threshold=http_reqs"],
        &["a.test", "--threshold=: rate < 1%"],
        &["a.test", "--threshold=http_reqs{name:x}"],
    ];
    let told: Vec<String> = lines.iter().map(|line| made(line).expect_err(&format!("{line:?}"))).collect();
    assert_snapshot!(told.join("\n"), @r#"
    `` has no host: write `http://host:port/path`
    `/path` has no host: write `http://host:port/path`
    `ftp://` is not spoken here: write `http://` or `https://`
    `http://` is no URL: empty host
    `http://a.test:99999/` is no URL: invalid port number
    --method: `A B` is no method of a request
    --header `no colon`: `Name: value` is wanted
    --header: `a\r\nY: b` cannot stand in a header: a character is not printable
    --header `Content-Length: 5`: punk says itself how long the body is
    --content-type: `a\0` cannot stand in a header: a character is not printable
    --content-type: a `--header` gives the type already
    --json-body is no JSON: key must be a string at line 1 column 2
    --body-file `/no/such/file`: No such file or directory (os error 2)
    --auth: USER:PASSWORD is wanted; `user:` has an empty password
    --auth: a `--header` gives an `Authorization` already
    --proxy `ftp://x`: unknown kind of proxy `ftp`: write http:// or socks5://
    --no-keepalive goes with HTTP/1.1: HTTP/2 lives on connections that are kept
    --threshold `http_reqs`: write it as `http_req_duration: p(95) < 300ms`
    --threshold `: rate < 1%`: write it as `http_req_duration: p(95) < 300ms`
    --threshold `http_reqs{name:x}`: write it as `http_req_duration: p(95) < 300ms`
    "#);
    for flag in ["-B", "--cacert"] {
        let line = ["a.test", flag, &bytes];
        let other = if flag == "-B" { "not UTF-8 text" } else { "valid UTF-8" };
        assert!(Request::of(&args(&line)).is_err_and(|why| why.contains(other)), "{flag}");
    }
}

#[test]
fn malformed_lines_are_refused_by_the_parser() {
    for line in [
        "a.test -u0",
        "a.test -d0s",
        "a.test -d10",
        "a.test -r0/s",
        "a.test -n0",
        "a.test -n1.5",
        "a.test -bx --json-body={}",
        "a.test -bx -Bfile",
        "a.test --cert=c.pem",
        "a.test --no-redirects --redirects=3",
        "a.test --late=drop",
        "a.test --http=3",
        "a.test b.test",
        "",
    ] {
        let line = ["punk", "quick"].into_iter().chain(line.split_whitespace());
        assert!(Cli::try_parse_from(line.clone()).is_err(), "{:?}", line.collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Nothing that somebody wants to send can become another script.
    #[test]
    fn any_url_header_and_body_gives_a_script_that_holds_it(
        path in "[^\\s\u{0}-\u{1f}]{0,30}",
        value in "[ -~]{0,30}",
        body in any::<String>(),
        user in "[^:]{0,10}",
        password in any::<String>(),
    ) {
        let url = format!("http://a.test/{path}");
        let header = format!("-HX-Value: {value}");
        let (body, auth) = (format!("--body={body}"), format!("--auth={user}:{password}"));
        let line = [url.as_str(), &header, &body, &auth, "-n1"];
        let request = Request::of(&args(&line)).map_err(TestCaseError::fail)?;
        prop_assert_eq!(request.body.as_deref(), body.strip_prefix("--body="));
        prop_assert_eq!(request.auth.clone(), Some((user, password)));
        let plan = plan(&line);
        prop_assert_eq!(&plan.options.http.headers, &[("X-Value".to_owned(), value.trim().to_owned())]);
        prop_assert_eq!(plan.scenarios[0].work.iterations(), Some(1));
    }

    /// The number of slots below the end is the number that was asked for.
    #[test]
    fn a_number_of_requests_at_a_rate_is_exactly_that(count in 1u64..20_000, rate in prop_oneof![0.01f64..10_000.0, (1u32..10_000).prop_map(f64::from)]) {
        prop_assume!(count as f64 / rate < 1e8);
        let plan = plan(&["a.test", &format!("-n{count}"), &format!("-r{rate}/s")]);
        let Work::Arrivals { load, .. } = &plan.scenarios[0].work else { panic!("an open model") };
        let pacer = crate::load::Pacer::new(load.shape.clone(), crate::load::Stripe::new(0, 1).expect("a stripe"));
        prop_assert_eq!(pacer.count() as u64, count);
    }
}
