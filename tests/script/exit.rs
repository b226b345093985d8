//! Every exit code, each provoked by a real run.

use crate::builder::{Outcome, punk, target};

fn run(script: &str, arguments: &str) -> Outcome {
    punk().script(script).args(arguments).run()
}

/// The run ended with this code, its summary says so, too, and why.
#[track_caller]
fn ended(outcome: &Outcome, code: i32, why: &str) {
    outcome.assert_code(code);
    let summary = outcome.summary();
    assert_eq!(summary["exit_code"], code, "{summary:#}");
    assert!(summary["exit_reason"].to_string().contains(why), "{why:?} is not among {}", summary["exit_reason"]);
}

#[test]
fn passed_is_0() {
    let outcome = run("threshold(\"iterations\", \"count == 1\"); fn run() { }", "");
    outcome.assert_passed();
    let summary = outcome.summary();
    assert_eq!((&summary["verdict"], &summary["exit_code"]), (&"passed".into(), &0.into()));
}

#[test]
fn a_malformed_command_line_is_2() {
    for arguments in ["--no-such-flag", "-u many", "-d 5parsecs", "-e novalue", "--shards 0", "-i -1"] {
        let outcome = run("fn run() { }", arguments);
        outcome.assert_code(2);
        assert!(!outcome.has_summary() && !outcome.stderr().is_empty(), "{arguments}: {}", outcome.told());
    }
    punk().run().assert_code(2);
}

#[test]
fn a_failed_threshold_is_99() {
    let outcome =
        run("threshold(\"checks\", \"rate > 99%\"); fn run() { check(\"a\", vu::iteration() % 2 == 0); }", "-i4");
    ended(&outcome, 99, "rate > 99%");
    assert_eq!(outcome.summary()["thresholds"][0]["passed"], false);
}

#[test]
fn a_threshold_that_only_warns_is_0() {
    run("threshold(\"checks\", \"rate > 99%\", #{ severity: \"warn\" }); fn run() { check(\"a\", false); }", "")
        .assert_passed();
}

#[test]
fn a_threshold_that_aborts_ends_the_run_and_is_99() {
    let script =
        "threshold(\"checks\", \"rate > 99%\", #{ abort: true }); fn run() { check(\"a\", false); sleep(10.ms); }";
    let outcome = run(script, "-d1m");
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
}

#[test]
fn setup_in_no_time_is_100() {
    let script = "options(#{ setup_timeout: 100.ms }); fn setup() { sleep(1.m); } fn run() { } fn teardown() { print(\"torn down\"); }";
    ended(&run(script, ""), 100, "`setup`");
}

#[test]
fn teardown_in_no_time_is_101() {
    let script = "options(#{ teardown_timeout: 100.ms }); fn run() { } fn teardown() { sleep(1.m); }";
    ended(&run(script, ""), 101, "`teardown`");
}

#[test]
fn an_invalid_script_option_or_choice_is_104() {
    run("fn run() { nothing(); }", "").assert_code(104);
    run("options(#{ timeout: 5 }); fn run() { }", "").assert_code(104);
    run("fn run() { }", "-u0 -i1").assert_code(104);
    run("fn run() { }", "-u2").assert_code(104).assert_stderr("add `--duration 30s`");
    let script = "scenario(\"browse\", #{ iterations: 1, run: work }); fn work() { }";
    run(script, "-s brows").assert_code(104).assert_stderr("`--scenario brows`");
    let two = format!("{script} scenario(\"buy\", #{{ iterations: 1, run: work }});");
    run(&two, "-u5 -d1s").assert_code(104).assert_stderr("several");
}

#[test]
fn an_exception_in_setup_or_teardown_is_107() {
    let outcome = run("fn setup() {\n    throw \"no database\";\n}\nfn run() { }", "");
    ended(&outcome, 107, "no database");
    outcome.assert_stderr("test.rhai:2:5");
    assert_eq!(outcome.metric("iterations", "count"), 0.0);
    let outcome = run("fn run() { }\nfn teardown() { throw \"left dirty\"; }", "-i3");
    ended(&outcome, 107, "left dirty");
    assert_eq!(outcome.metric("iterations", "count"), 3.0);
}

#[test]
fn setup_that_returns_no_data_is_107() {
    ended(&run("fn setup() { |x| x }\nfn run() { }", ""), 107, "cannot be JSON");
}

#[test]
fn abort_is_108_and_still_tears_down() {
    let target = target();
    let script = r#"
        fn run() { if vu::id() == 1 { abort("the shop is closed"); } sleep(10.ms); }
        fn teardown() { http::post("TARGET/api/reset"); }
    "#;
    let outcome = punk().script(script).target(&target).args("-u3 -d1m").run();
    ended(&outcome, 108, "the shop is closed");
    assert_eq!(target.stats().requests, 1);
}

#[test]
fn mark_failed_goes_on_and_is_110() {
    let outcome = run("fn run() { if vu::iteration() == 0 { mark_failed(\"cart empty\"); } }", "-i5");
    ended(&outcome, 110, "cart empty");
    assert_eq!(outcome.metric("iterations", "count"), 5.0);
}

#[test]
fn of_several_reasons_the_strongest_wins_and_all_are_told() {
    let script = r#"
        threshold("checks", "rate > 99%");
        fn run() { check("a", false); mark_failed("first"); abort("second"); }
    "#;
    let outcome = run(script, "");
    ended(&outcome, 108, "second");
    let reasons = outcome.summary()["exit_reason"].to_string();
    assert!(reasons.contains("first") && reasons.contains("rate > 99%"), "{reasons}");
}

#[test]
fn a_summary_that_cannot_be_written_is_1() {
    let outcome = punk().script("fn run() { }").args("--summary no/such/folder/s.json").run();
    outcome.assert_code(1).assert_stderr("no/such/folder/s.json");
}

#[test]
fn a_closed_stdout_changes_nothing() {
    let outcome = punk().script("fn run() { print(\"x\"); }").args("-i100 --json").closed_stdout().run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("iterations", "count"), 100.0);
}
