//! Thresholds from the outside: what they select, what they say, how they end a run, that they agree with the target's own count.

use std::time::Duration;

use super::accounts::Account;
use super::{assert_sane, items};
use crate::builder::{Outcome, punk, target, target_with};
use punk::target::{Dials, RunningTarget};
use serde_json::Value;

/// Runs `body` with these declarations.
fn judged(target: &RunningTarget, declarations: &str, body: &str, flags: &str) -> Outcome {
    let script = format!("options(#{{ base_url: \"TARGET\" }});\n{declarations}\nfn run() {{\n{body}\n}}\n");
    let outcome = punk().script(&script).target(target).args(flags).run();
    assert_sane(&outcome);
    outcome
}

/// `passed` of each threshold, in the order of the script.
fn passed(outcome: &Outcome) -> Vec<Option<bool>> {
    items(&outcome.summary(), "thresholds").map(|threshold| threshold["passed"].as_bool()).collect()
}

#[test]
fn selectors_units_and_methods() {
    let target = target();
    let declarations = r#"
        threshold("http_reqs", "count == 60");
        threshold("http_reqs{name:GET /echo}", "count >= 20");
        threshold("http_reqs{method:POST}", "count == 20");
        threshold("http_reqs{status:404}", "count < 20");
        threshold("http_req_failed", "rate < 50%");
        threshold("http_req_failed{method:POST}", "rate < 1%");
        threshold("http_req_duration", "p(95) < 5s");
        threshold("http_req_duration", "p(95) < 5000");
        threshold("http_req_duration{method:GET}", "avg > 0.001ms");
        threshold("http_req_duration", "max < 0.001ms");
        threshold("data_received", "count > 1kB");
        threshold("checks{check:fine}", "rate == 100%");
        threshold("iterations", "rate > 0.1/s");
    "#;
    let body =
        r#"check("fine", http::get("/echo").status == 200); http::post("/echo", "x"); http::get("/status/404");"#;
    let outcome = judged(&target, declarations, body, "-u2 -i20");
    let no = Some(false);
    let yes = Some(true);
    assert_eq!(
        passed(&outcome),
        [yes, yes, yes, no, yes, yes, yes, yes, yes, no, yes, yes, yes],
        "{:#}",
        outcome.summary()["thresholds"]
    );
    outcome.assert_code(99);
    assert_eq!(outcome.summary()["verdict"], "failed");
}

#[test]
fn conditions_join_metrics_and_calculate() {
    let target = target();
    let declarations = r#"
        threshold("http_reqs", "count == 60 and rate of http_req_failed < 50%");
        threshold("http_reqs", "count == 60 and count of iterations > 20");
        threshold("http_reqs", "count < 5 or count of iterations == 20");
        threshold("http_reqs", "not (count < 5 or count of iterations == 19)");
        threshold("count of iterations / count of http_reqs < 34%");
        threshold("count of http_reqs{status:404} / count of http_reqs > 34%", #{ severity: "warn" });
        threshold("http_reqs{name:GET /*}", "count == 40");
        threshold("http_reqs{name:'GET /*'}", "count == 0");
        threshold("http_reqs{name:GET /*,status:4*}", "count == 20");
        threshold("http_req_duration", "max - min > 0 and (p(95) + 1ms) * 2 < 2 * 5s");
    "#;
    let body = r#"http::get("/echo"); http::post("/echo", "x"); http::get("/status/404");"#;
    let outcome = judged(&target, declarations, body, "-u2 -i20");
    let (no, yes) = (Some(false), Some(true));
    let thresholds = outcome.summary()["thresholds"].clone();
    assert_eq!(passed(&outcome), [yes, no, yes, yes, yes, no, yes, yes, yes, yes], "{thresholds:#}");
    // The value is the one that decided: of the part that broke, of the one that saved.
    assert_eq!(thresholds[1]["observed"], 20.0, "{thresholds:#}");
    assert_eq!(thresholds[2]["observed"], 20.0, "{thresholds:#}");
    assert_eq!(thresholds[5]["selector"], "http_reqs{status:404}", "{thresholds:#}");
    outcome.assert_code(99);
}

#[test]
fn the_verdict_is_what_the_targets_own_count_says() {
    // Whatever the dials did to the run, the two sides must agree on both sides of the limit.
    for seed_flags in ["-u2 -i60", "-u3 -i90"] {
        let target = target_with(Dials { error: 0.1, ..Dials::default() });
        let body = r#"http::get("/echo"); http::get("/html");"#;
        let declarations = r#"
            threshold("http_req_failed", "rate < 10%");
            threshold("http_req_failed{name:GET /html}", "rate < 10%");
            threshold("http_reqs{status:500}", "count > 8");
        "#;
        let outcome = judged(&target, declarations, body, seed_flags);
        Account::of(&outcome, &target).assert_equal_by_status();
        let log = target.log();
        let share = |path: &str| {
            let of: Vec<_> = log.iter().filter(|entry| path.is_empty() || entry.path == path).collect();
            of.iter().filter(|entry| entry.status == 500).count() as f64 / of.len() as f64
        };
        let errors = log.iter().filter(|entry| entry.status == 500).count();
        let wanted = [share("") < 0.1, share("/html") < 0.1, errors > 8];
        assert_eq!(passed(&outcome), wanted.map(Some), "{:#}", outcome.summary()["thresholds"]);
        outcome.assert_code(if wanted.contains(&false) { 99 } else { 0 });
        let observed = outcome.number("/thresholds/0/observed");
        assert!(
            (observed - share("")).abs() < 1e-6 || (observed - share("") * 100.0).abs() < 1e-4,
            "{observed}, {}",
            share("")
        );
    }
}

#[test]
fn a_breach_aborts_within_a_second() {
    let target = target();
    let declarations = r#"threshold("http_req_failed", "rate < 1%", #{ abort: true });"#;
    let outcome =
        judged(&target, declarations, r#"http::get("/status/500"); sleep(10.ms);"#, "-u2 -d30s --graceful-stop 1s");
    outcome.assert_code(99);
    let summary = outcome.summary();
    assert!(outcome.took() < Duration::from_secs(8), "{:?}", outcome.took());
    let breach = outcome.number("/thresholds/0/first_breach");
    let ran = summary["duration_seconds"].as_f64().expect("a duration") * 1e3;
    assert!(breach <= 1_000.0, "seen after {breach} ms");
    assert!(ran - breach <= 1_500.0, "ended {} ms after the breach", ran - breach);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn grace_delays_the_abort_alone() {
    let target = target();
    let declarations = r#"threshold("http_req_failed", "rate < 1%", #{ abort: true, grace: 1500.ms });"#;
    let outcome =
        judged(&target, declarations, r#"http::get("/status/500"); sleep(10.ms);"#, "-u1 -d30s --graceful-stop 1s");
    outcome.assert_code(99);
    let ran = outcome.number("/duration_seconds");
    assert!((1.5..4.0).contains(&ran), "ended after {ran} s");
    assert!(outcome.number("/thresholds/0/first_breach") <= 1_000.0);
}

#[test]
fn without_data_there_is_no_verdict_unless_it_is_required() {
    let target = target();
    let declarations = r#"
        threshold("http_req_duration{name:GET /ecko}", "p(95) < 1s");
        threshold("http_reqs{name:GET /ecko}", "count < 1");
        threshold("http_reqs{name:GET /ecko}", "count > 0", #{ severity: "warn" });
    "#;
    let outcome = judged(&target, declarations, r#"http::get("/echo");"#, "");
    outcome.assert_passed();
    assert_eq!(passed(&outcome), [None, Some(true), Some(false)], "a counter that counted nothing is 0");
    let note = outcome.summary()["thresholds"][0]["note"].to_string();
    assert!(note.contains("GET /echo"), "near selectors are named: {note}");
    let required = r#"threshold("http_req_duration{name:GET /ecko}", "p(95) < 1s", #{ required: true });"#;
    judged(&target, required, r#"http::get("/echo");"#, "").assert_code(99);
}

#[test]
fn a_warning_does_not_fail_the_run() {
    let target = target();
    let declarations = r#"
        threshold("http_req_failed", "rate < 1%", #{ severity: "warn" });
        threshold("http_reqs", "count > 1");
    "#;
    let outcome = judged(&target, declarations, r#"http::get("/status/500");"#, "-i5");
    outcome.assert_passed();
    assert_eq!(passed(&outcome), [Some(false), Some(true)]);
    assert_eq!(outcome.summary()["thresholds"][0]["severity"], "warn");
    assert!(outcome.stdout().contains("http_req_failed"), "it is told all the same");
}

#[test]
fn a_threshold_of_one_scenario() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("good", #{ iterations: 10, run: good });
        scenario("bad", #{ iterations: 5, run: bad });
        threshold("http_req_failed", "rate < 1%", #{ scenario: "good" });
        threshold("http_req_failed", "rate < 1%", #{ scenario: "bad", severity: "warn" });
        threshold("http_reqs{scenario:bad}", "count == 5");
        fn good() { http::get("/echo"); }
        fn bad() { http::get("/status/500"); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(passed(&outcome), [Some(true), Some(false), Some(true)]);
    assert_eq!(outcome.summary()["thresholds"][1]["scenario"], Value::from("bad"));
}
