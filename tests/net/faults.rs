//! Targets that misbehave: each way has one outcome per request, of the right class, and the run goes on.

use super::accounts::Account;
use super::{assert_checks, assert_sane, errors_of, once};
use crate::builder::{punk, target, target_with};
use punk::target::{Dials, OnConnect};

/// One check per row of a table: fault, error kind, error code.
fn asked_for(rows: &[(&str, &str, u16)], options: &str) -> String {
    let one = |(fault, kind, code): &(&str, &str, u16)| {
        format!(
            "{{ let r = http::get(\"/echo?fault={fault}\", #{{ {options} }});\n\
             check(`{fault}: ${{r.status}} ${{r.error_kind}} ${{r.error_code}}: ${{r.error}}`, \
             r.status == 0 && r.error_kind == \"{kind}\" && r.error_code == {code} && r.error != ()); }}\n"
        )
    };
    // And after each of them the user still works.
    rows.iter().map(|row| one(row) + "check(\"the next one\", http::get(\"/html\").status == 200);\n").collect()
}

#[test]
fn answers_that_are_spoiled() {
    let rows = [
        ("reset", "reset_before_headers", 1220),
        ("reset_in_body", "reset_in_body", 1220),
        ("close", "reset_before_headers", 1000),
        ("close_in_body", "reset_in_body", 1000),
        ("garbage", "protocol", 1000),
        ("long_content_length", "reset_in_body", 1000),
        ("bad_chunk", "protocol", 1000),
        ("cut_chunked", "reset_in_body", 1000),
        ("nul_header", "protocol", 1000),
        ("huge_headers", "protocol", 1000),
        ("http_0_9", "protocol", 1000),
        ("reset_stream", "reset_before_headers", 1220),
    ];
    let target = target();
    let outcome = once(&target, "", &asked_for(&rows, "")).run();
    assert_checks(&outcome, 24);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn answers_that_never_come() {
    let target = target();
    let outcome = once(&target, "", &asked_for(&[("black_hole", "timeout", 1050)], "timeout: 150.ms")).run();
    assert_checks(&outcome, 2);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn answers_that_may_be_read_or_refused() {
    // The standard leaves a choice; what counts is that it is one outcome, at once, and that the next request is its own.
    let target = target();
    let body = r#"
        for fault in ["length_and_chunked", "lf_only", "interim_flood", "slow_head"] {
            let r = http::get(`/echo?fault=${fault}`);
            check(`${fault}: ${r.status} ${r.error_kind}`, r.status == 200 || (r.status == 0 && r.error_kind == "protocol"));
            check("the next one", http::get("/html").html("h1").text() == "Herman");
        }
    "#;
    let outcome = once(&target, "timeout: 10.s", body).run();
    assert_checks(&outcome, 8);
    assert_eq!(Account::of(&outcome, &target).total, 8);
}

#[test]
fn http2_answers_that_are_spoiled() {
    let rows = [("reset_stream", "http2_stream", 1633), ("black_hole", "timeout", 1050)];
    let target = target();
    let outcome = once(&target, r#"http: "2""#, &asked_for(&rows, "timeout: 150.ms")).run();
    assert_checks(&outcome, 4);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn http2_connections_that_end() {
    let target = target();
    let body = r#"
        for fault in ["reset", "close", "garbage", "reset_in_body", "close_in_body", "long_content_length", "bad_chunk", "http_0_9"] {
            let r = http::get(`/echo?fault=${fault}`, #{ timeout: 2.s });
            check(`${fault}: ${r.status} ${r.error_kind} ${r.error_code} ${r.error}`, r.status == 0 && r.error != () && r.error_code >= 1000);
            check("the next one", http::get("/html").status == 200);
        }
    "#;
    let outcome = once(&target, r#"http: "2""#, body).run();
    assert_checks(&outcome, 16);
    Account::of(&outcome, &target).assert_equal_by_status();
    assert_eq!(errors_of(&outcome, "timeout"), 0, "no fault but silence needs a timeout to be seen");
}

#[test]
fn connections_that_are_met_badly() {
    for (connect, kinds) in [
        // A reset may be there before the connection is in our hands.
        (OnConnect::Reset, &["reset_before_headers", "broken_pipe", "connect"][..]),
        (OnConnect::Close, &["reset_before_headers", "broken_pipe"]),
        // Bytes before any request: seen as nonsense, or as a connection that ended before it was used.
        (OnConnect::Garbage, &["protocol", "reset_before_headers", "broken_pipe"]),
        (OnConnect::Silent, &["timeout"]),
    ] {
        let target = target_with(Dials { connect, ..Dials::default() });
        let outcome = once(
            &target,
            "timeout: 100.ms",
            r#"let r = http::get("/"); check("none", r.status == 0 && r.error_code >= 1000);"#,
        )
        .args("-i5")
        .run();
        assert_checks(&outcome, 5);
        let found: u64 = kinds.iter().map(|kind| errors_of(&outcome, kind)).sum();
        assert_eq!(found, 5, "{connect:?}\n{}", outcome.told());
        assert_eq!(outcome.metric("http_req_failed", "rate"), 1.0);
    }
}

#[test]
fn a_target_that_is_not_there() {
    let script = r#"
        threshold("http_req_failed", "rate < 1%");
        threshold("http_req_duration", "p(95) < 1s");
        fn run() { let r = http::get("http://127.0.0.1:1/"); check("refused", r.status == 0 && r.error_kind == "refused" && r.error_code == 1212); }
    "#;
    let outcome = punk().script(script).args("-u3 -i30").run();
    outcome.assert_code(99);
    assert_checks(&outcome, 30);
    let summary = outcome.summary();
    assert_eq!(summary["requests"]["unsent"], 30);
    assert_eq!(summary["thresholds"][0]["passed"], false);
    assert!(summary["thresholds"][1]["passed"].is_null(), "nothing was sent, nothing has a duration: {summary:#}");
}

#[test]
fn time_limits_of_each_phase() {
    let target = target();
    let body = r#"
        let r = http::get("/delay/5000");
        check(`first byte: ${r.error_kind}`, r.status == 0 && r.error_kind == "first_byte_timeout" && r.error_code == 1050);
        let r = http::get("/drip?bytes=3&ms=5000");
        check(`idle: ${r.error_kind}`, r.status == 0 && r.error_kind == "idle_timeout" && r.error_code == 1050);
        let r = http::get("/drip?bytes=1000&ms=20");
        check(`total: ${r.error_kind}`, r.status == 0 && r.error_kind == "timeout" && r.error_code == 1050);
        let r = http::get("/delay/5000", #{ timeout: 50.ms });
        check(`its own: ${r.error_kind}`, r.error_kind == "timeout" && r.timings.total >= 50.ms && r.timings.total < 1.s);
        check("a slow body within the limits", http::get("/drip?bytes=4&ms=30").length == 4);
    "#;
    let outcome = once(&target, "timeout: #{ total: 600.ms, first_byte: 150.ms, idle: 200.ms }", body).run();
    assert_checks(&outcome, 5);
    Account::of(&outcome, &target).assert_differs_by_what_was_given_up();
}

#[test]
fn a_stall_is_waited_for() {
    let target = target_with(Dials { stall: Some("0ms+600ms".parse().expect("a stall")), ..Dials::default() });
    let outcome = once(&target, "", r#"http::get("/echo");"#).args("-u2 -i6").run();
    outcome.assert_passed();
    assert_sane(&outcome);
    Account::of(&outcome, &target).assert_equal_by_status();
}
