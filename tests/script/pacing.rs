//! `pacing`: never sooner than it says, no catching up, nobody who waits for an iteration that will not be.

use crate::builder::punk;

#[test]
fn iterations_start_no_sooner_than_the_pace() {
    let script = r#"
        scenario("even", #{ users: 2, iterations_per_user: 5, pacing: 40.ms, run: look });
        scenario("asked", #{ users: 2, iterations_per_user: 5, pacing: || 40.ms, run: look });
        scenario("text", #{ users: 1, iterations_per_user: 5, pacing: "40ms", run: look });
        fn look() {
            let now = vu::elapsed();
            check("apart", this.last == () || now - this.last >= 40.ms);
            this.last = now;
            sleep(5.ms);
        }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    let checks = (outcome.metric("checks", "passes"), outcome.metric("checks", "fails"));
    assert_eq!(checks, (25.0, 0.0), "{}", outcome.told());
}

#[test]
fn an_overrun_starts_at_once_and_is_not_made_up_for() {
    // The first iteration overruns ten paces; catching up would start the next ones without any wait.
    let script = r#"
        scenario("a", #{ users: 1, iterations: 5, pacing: 20.ms, run: look });
        fn look() {
            let now = vu::elapsed();
            if vu::iteration() >= 2 { check("apart", now - this.last >= 20.ms); }
            this.last = now;
            if vu::iteration() == 0 { sleep(200.ms); }
        }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    let checks = (outcome.metric("checks", "passes"), outcome.metric("checks", "fails"));
    assert_eq!(checks, (3.0, 0.0), "{}", outcome.told());
}

#[test]
fn nobody_waits_for_an_iteration_that_will_not_be() {
    let script = r#"
        scenario("over", #{ users: 3, duration: 300.ms, pacing: 1.h, run: look, stop: leave });
        scenario("done", #{ users: 2, iterations_per_user: 1, pacing: 1.h, run: look, stop: leave });
        fn look() { }
        fn leave() { print("left"); }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("iterations", "count"), 5.0, "{}", outcome.told());
    assert_eq!(outcome.stderr().matches("left").count(), 5, "{}", outcome.told());
    assert_eq!(outcome.number("/scenarios/0/interrupted"), 0.0, "between iterations there is nothing to interrupt");
}

#[test]
fn a_pace_that_cannot_be_asked_for_is_a_script_error() {
    let script = "scenario(\"a\", #{ users: 1, iterations: 3, pacing: || 5, run: f });\nfn f() { }";
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("script_errors", "count"), 2.0, "{}", outcome.told());
    let errors = outcome.summary()["errors"].to_string();
    assert!(
        errors.contains("`pacing`: a bare number is not a duration") && errors.contains("test.rhai:1:"),
        "{errors}"
    );
}

#[test]
fn what_is_no_pace_is_refused_before_the_run() {
    for (with, wanted) in [
        ("users: 1, duration: 1.s, pacing: 5", "`pacing`: a bare number is not a duration: write `5.s`"),
        ("users: 1, duration: 1.s, pacing: -1.s", "`pacing`: a duration cannot be negative here"),
        ("rate: 5, max_users: 5, duration: 1.s, pacing: 1.s", "`pacing` does not go with `rate`"),
        ("users: 1, duration: 1.s, pacing: |a, b| 1.s", "takes more than one parameter"),
    ] {
        let script = format!("scenario(\"a\", #{{ {with}, run: f }});\nfn f() {{ }}");
        punk().command("check").script(&script).run().assert_code(104).assert_stderr(wanted);
    }
}
