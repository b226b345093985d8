//! Gauges that a closure says every so often, by an extra user beside the test.

use crate::builder::{punk, target};

/// A script that collects `queue` like this while one user works.
fn collecting(options: &str, rest: &str) -> String {
    format!(
        r#"
        options(#{{ base_url: "TARGET" }});
        metric::gauge("queue", #{{ {options} }});
        scenario("users", #{{ users: 1, duration: 1.s, graceful_stop: 1.s, run: visit }});
        fn visit() {{ http::get("/echo"); sleep(100.ms); }}
        {rest}
        "#
    )
}

#[test]
fn its_number_is_the_gauge_and_its_requests_are_in_no_total() {
    let target = target();
    let options = r#"every: 200.ms, collect: || http::get("/echo").status"#;
    let script = collecting(
        options,
        r#"threshold("queue", "value == 200 and min == 200"); threshold("http_reqs{phase:collect}", "count >= 2");"#,
    );
    let outcome = punk().script(&script).target(&target).run();
    outcome.assert_passed();
    let summary = outcome.summary();
    assert_eq!(summary["metrics"]["queue"]["values"]["value"], 200, "{summary:#}");
    let counted = outcome.metric("http_reqs", "count") as u64;
    let collected = target.stats().requests - counted;
    assert!((2..=11).contains(&collected), "{collected} of {}", target.stats().requests);
    assert_eq!(outcome.metric("vus", "max"), 1.0, "whoever collects is no user: {summary:#}");
    assert_eq!(target.stats().connections, 2, "it keeps its connection");
}

#[test]
fn it_may_take_what_setup_returned_and_say_nothing() {
    let target = target();
    let script = collecting(
        "every: 100.ms, collect: |data| if data.level > 4 { data.level } else { () }",
        r#"metric::gauge("nothing", #{ collect: || () });
           fn setup() { #{ level: 7 } }"#,
    );
    let outcome = punk().script(&script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("queue", "value"), 7.0);
    assert!(
        outcome.summary()["metrics"]["nothing"]["values"].get("value").is_none(),
        "{:#}",
        outcome.summary()["metrics"]
    );
    assert_eq!(target.stats().requests, outcome.metric("http_reqs", "count") as u64);
}

#[test]
fn what_goes_wrong_is_counted_with_its_line_and_told_once() {
    let target = target();
    for (closure, message) in [
        (r#"|| { throw "no queue today" }"#, "no queue today"),
        (r#"|| "many""#, "the closure that collects `queue` returned a string: a number is wanted"),
        ("|| 0.0 / 0.0", "the closure that collects `queue` returned no finite number: a number is wanted"),
    ] {
        let script = collecting(&format!("every: 100.ms, collect: {closure}"), "");
        let outcome = punk().script(&script).target(&target).args("--log-file all.log").run();
        outcome.assert_passed();
        let summary = outcome.summary();
        let error = &summary["errors"][0];
        assert_eq!((&error["type"], &error["sample"]), (&"script".into(), &message.into()), "{summary:#}");
        // Ten times on a machine that has time for it; twice is what `told once` needs.
        assert!(error["count"].as_u64() >= Some(2), "{summary:#}");
        assert!(error.to_string().contains("test.rhai:3:"), "{error:#}");
        assert_eq!(outcome.metric("script_errors", "count"), 0.0, "no iteration failed");
        let log = std::fs::read_to_string(outcome.folder().join("all.log")).unwrap();
        assert_eq!(log.matches("`queue` could not be collected").count(), 1, "{log}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    for (options, problem, help) in [
        (
            r#"collect: "soon""#,
            "`collect` is a closure, not a string",
            "metric::gauge(\"queue\", #{ every: 5.s, collect:",
        ),
        ("every: 5.s", "`every` says how often a gauge is collected, and this one has no `collect`", ""),
        ("every: 10.ms, collect: || 1", "`every` is 100 ms at least", ""),
        ("collect: |a, b| a", "`collect` takes nothing, or what `setup` returned", ""),
        ("collekt: || 1", "unknown option `collekt` of `metric`", "collect"),
    ] {
        let outcome = punk().script(&collecting(options, "")).run();
        outcome.assert_code(104).assert_stderr(problem).assert_stderr(help);
    }
    let script = collecting("", r#"metric::trend("tail", #{ collect: || 1 });"#);
    punk().script(&script).run().assert_code(104).assert_stderr("only a gauge is collected, not a trend");
    let script = collecting("collect: || 1", r#"metric::gauge("queue", #{ collect: || 2 });"#);
    punk().script(&script).run().assert_code(104).assert_stderr("`queue` is collected already");
}
