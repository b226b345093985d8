//! What the monitor says a run comes to: the verdict of its summary and of its exit code, before its end and after it.
//!
//! A second run keeps the process there, so that a run can be asked when it is over.

use super::{change, get, until};
use crate::builder::{Outcome, Punk, Running, punk, target};
use serde_json::Value;

/// Goes on until it is stopped.
const COMPANY: &str = r#"
    scenario("company", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: rest });
    fn rest() { sleep(20.ms); }
"#;

/// This script beside the other one.
fn beside(script: &str) -> Punk {
    punk().file("a.rhai", script).file("b.rhai", COMPANY).script_at("a.rhai").arg("b.rhai").monitored()
}

/// Its summary, and what the monitor said of it: `status` when it was over, and its export as JSON and JUnit.
struct Over {
    outcome: Outcome,
    summary: Value,
    status: Value,
    export: Value,
    junit: String,
}

impl Over {
    /// Waits for the end of the first run, asks, and ends the other one.
    fn of(mut running: Running) -> Self {
        running.until_stdout("=== a: a.rhai");
        let address = running.monitor();
        let status = get(&address, "/api/status").ok();
        let export = get(&address, "/api/export").ok();
        let junit = get(&address, "/api/export?format=junit").body;
        let sessions = get(&address, "/api/sessions").ok();
        assert_eq!(sessions["sessions"][0]["verdict"], status["verdict"]);
        let other = sessions["sessions"][1]["session_id"].as_str().expect("there are two").to_owned();
        change(&address, "POST", &format!("/api/sessions/{other}/control/stop"), &[], "").ok();
        let outcome = running.wait();
        let summary = outcome.summary_of("a");
        Over { outcome, summary, status, export, junit }
    }

    /// Everybody says the same, and it is this.
    #[track_caller]
    fn assert(&self, status: &str, verdict: &str, code: u8) -> &Self {
        let Over { outcome, summary, status: told, export, junit } = self;
        assert_eq!((&summary["verdict"], &summary["exit_code"]), (&verdict.into(), &code.into()), "{}", outcome.told());
        assert_eq!((&told["status"], &told["verdict"]), (&status.into(), &verdict.into()), "{told:#}");
        for field in ["verdict", "exit_code", "exit_reason", "thresholds"] {
            assert_eq!(summary.get(field), export.get(field), "`{field}` of the export");
        }
        let is_bad = junit.contains("<failure ") || junit.contains("<error ");
        assert_eq!(is_bad, code != 0, "{junit}");
        self
    }
}

#[test]
fn a_run_whose_setup_throws_has_failed() {
    let script = "fn setup() { throw \"no shop\" } fn run() { sleep(10.ms); }";
    let over = Over::of(beside(script).start());
    over.assert("failed", "failed", 107);
    assert!(over.export["exit_reason"].to_string().contains("no shop"), "{:#}", over.export);
}

#[test]
fn a_run_that_was_marked_failed_has_failed_from_then_on() {
    let script = r#"
        scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: hit });
        fn hit() { mark_failed("cart empty"); sleep(20.ms); }
    "#;
    let mut running = punk().script(script).monitored().start();
    let status = until(&mut running, "/api/status", |status| status["verdict"] == "failed");
    assert_eq!(status["status"], "running", "{status:#}");
    let address = running.monitor();
    assert_eq!(get(&address, "/api/export").ok()["exit_code"], 110);
    super::stop(&address);
    running.wait().assert_code(103);

    let over = Over::of(beside("fn run() { mark_failed(\"cart empty\"); }").start());
    over.assert("failed", "failed", 110);
    assert!(over.junit.contains("cart empty"), "{}", over.junit);
}

#[test]
fn a_run_that_somebody_ended_was_cancelled_and_did_not_pass() {
    let over = Over::of(beside("fn run() { abort(\"enough\"); }").start());
    over.assert("cancelled", "failed", 108);

    let script = COMPANY.replace("company", "a");
    let mut running = beside(&script).start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    super::stop(&address);
    Over::of(running).assert("cancelled", "failed", 103);
}

#[test]
fn what_cannot_be_trusted_fails_where_it_is_to_fail() {
    let target = target();
    // More connections than there are descriptors, once the other run has what it needs; the check before the run knows of one
    // for each user.
    let script = r#"
        scenario("a", #{ users: 30, iterations: 60, run: many });
        fn setup() { sleep(500.ms); }
        fn many() {
            let url = "TARGET/delay/50";
            http::batch([url, url, url, url, url, url]);
        }
    "#;
    let starved = || beside(script).target(&target).under("ulimit -n 120").arg("--no-watch");
    let over = Over::of(starved().start());
    over.assert("completed", "invalid", 0);
    let over = Over::of(starved().on_invalid_fail().start());
    over.assert("completed", "invalid", 96);
}

#[test]
fn what_was_never_counted_is_judged_as_the_end_would() {
    let script = r#"
        let rare = metric::counter("rare");
        scenario("a", #{ users: 1, TERM, graceful_stop: 1.s, run: hit });
        threshold("rare", "count > 10");
        threshold("rare", "count < 10");
        fn hit() { if false { metric::add("rare", 1); } sleep(20.ms); }
    "#;
    let mut running = punk().script(&script.replace("TERM", "duration: 50.s")).monitored().start();
    let status = until(&mut running, "/api/status", |status| status["status"] == "running");
    assert_eq!(status["verdict"], "failed", "it would fail if it ended now: {status:#}");
    let address = running.monitor();
    let export = get(&address, "/api/export").ok();
    assert_eq!((&export["verdict"], &export["exit_code"]), (&"failed".into(), &99.into()), "{export:#}");
    let passed = |at: usize| &export["thresholds"][at]["passed"];
    assert_eq!((passed(0), passed(1)), (&false.into(), &true.into()), "{export:#}");
    let junit = get(&address, "/api/export?format=junit").body;
    assert_eq!((junit.matches("<failure ").count(), junit.matches("<skipped").count()), (1, 0), "{junit}");
    super::stop(&address);
    running.wait();

    let over = Over::of(beside(&script.replace("TERM", "iterations: 5")).start());
    over.assert("failed", "failed", 99);
}
