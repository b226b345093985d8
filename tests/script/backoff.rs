//! The wait after failures: when there is one, how long it may be, that nobody sits it out when the load is over.

use crate::builder::{Outcome, punk, target};

/// A wait that no test can sit out: whoever ends has not waited.
const FOR_EVER: &str = "options(#{ backoff: 1.h });\n";

fn run(script: &str) -> Outcome {
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    outcome
}

#[test]
fn a_user_that_failed_waits_and_leaves_at_once_when_the_load_is_over() {
    let outcome = run(&format!(
        r#"{FOR_EVER}
        scenario("a", #{{ users: 3, duration: 300.ms, run: breaks, stop: leave }});
        fn breaks() {{ fail("on purpose"); }}
        fn leave() {{ print("left"); }}
        "#
    ));
    assert_eq!(outcome.metric("iterations", "count"), 3.0, "each tried once: {}", outcome.told());
    assert_eq!(outcome.metric("script_errors", "count"), 3.0);
    assert_eq!(outcome.metric("backoff_duration", "count"), 3.0, "the waiting is shown");
    assert_eq!(outcome.stderr().matches("left").count(), 3, "{}", outcome.told());
    assert_eq!(outcome.number("/scenarios/0/interrupted"), 0.0, "nobody was in an iteration");
}

#[test]
fn after_the_last_iteration_there_is_nothing_to_wait_for() {
    let outcome = run(&format!(
        r#"{FOR_EVER}
        scenario("shared", #{{ users: 2, iterations: 2, run: breaks }});
        scenario("own", #{{ users: 2, iterations_per_user: 1, run: breaks }});
        fn breaks() {{ sleep(50.ms); fail("on purpose"); }}
        "#
    ));
    assert_eq!(outcome.metric("iterations", "count"), 4.0);
}

#[test]
fn a_closure_is_asked_with_the_number_of_errors_in_a_row() {
    let outcome = run(r#"
        scenario("a", #{ users: 1, iterations: 6, run: now_and_then, backoff: |errors| {
            print(`asked with ${errors}, user ${vu::id()}`);
            this.asked = (this.asked ?? 0) + 1;
            1.ms * errors
        } });
        fn now_and_then() {
            if vu::iteration() != 2 { fail("on purpose"); }
            check("it knows its user", this.asked == 2);
        }
        "#);
    let stderr = outcome.stderr();
    let asked: Vec<&str> = stderr.lines().filter_map(|line| line.split("asked with ").nth(1)).collect();
    // Nobody asks after the last iteration.
    assert_eq!(asked, ["1, user 1", "2, user 1", "1, user 1", "2, user 1"], "{stderr}");
    assert_eq!(outcome.metric("checks", "passes"), 1.0, "{}", outcome.told());
}

#[test]
fn a_closure_that_fails_is_a_script_error_and_the_user_goes_on_as_usual() {
    for (closure, wanted) in [
        ("|errors| 5", "`backoff`: a bare number is not a duration: write `5.s`"),
        ("|errors| fail(\"tired\")", "tired"),
        ("|errors| { }", "`backoff`: a duration is wanted"),
    ] {
        let script = format!(
            "scenario(\"a\", #{{ users: 1, iterations: 3, run: f, backoff: {closure} }});\nfn f() {{ fail(\"on purpose\"); }}"
        );
        let outcome = run(&script);
        assert_eq!(outcome.metric("script_errors", "count"), 5.0, "{closure}: {}", outcome.told());
        assert!(outcome.summary()["errors"].to_string().contains(wanted), "{closure}: {}", outcome.told());
        assert!(outcome.summary()["errors"].to_string().contains("test.rhai:1:"), "{closure}: {}", outcome.told());
    }
}

#[test]
fn start_is_tried_again_and_its_errors_do_not_count_for_the_iterations() {
    let outcome = run(r#"
        options(#{ backoff: |errors| { print(`asked with ${errors}`); 1.ms } });
        scenario("a", #{ users: 1, iterations: 2, start: enter, run: f, stop: leave });
        fn enter() { this.tries = (this.tries ?? 0) + 1; if this.tries < 3 { fail("not yet"); } }
        fn f() { check("third time lucky", this.tries == 3); if vu::iteration() == 0 { fail("once"); } }
        fn leave() { print(`leaves after ${this.tries}`); }
        "#);
    let stderr = outcome.stderr();
    let asked: Vec<&str> = stderr.lines().filter_map(|line| line.split("asked with ").nth(1)).collect();
    assert_eq!(asked, ["1", "2", "1"], "{stderr}");
    assert_eq!((outcome.metric("checks", "passes"), outcome.metric("iterations", "count")), (2.0, 2.0));
    outcome.assert_stderr("leaves after 3");
}

#[test]
fn a_user_whose_start_never_succeeds_has_no_stop() {
    let outcome = run(&format!(
        r#"{FOR_EVER}
        scenario("a", #{{ users: 2, duration: 200.ms, start: || fail("never"), run: || print("ran"), stop: || print("left") }});
        "#
    ));
    assert_eq!(outcome.metric("script_errors", "count"), 2.0, "{}", outcome.told());
    assert!(!outcome.stderr().contains("ran") && !outcome.stderr().contains("left"), "{}", outcome.told());
}

#[test]
fn a_target_that_refuses_is_not_hammered() {
    // Nobody can listen on port 1 of loopback without being root; and nothing does.
    let script = |with: &str| {
        format!(
            r#"{FOR_EVER}
            scenario("a", #{{ users: 3, duration: 300.ms, run: knock }});
            fn knock() {{ let r = http::get("http://127.0.0.1:1/"); check("refused", r.error_kind == "refused"); {with} }}
            "#
        )
    };
    let outcome = run(&script(""));
    assert_eq!(outcome.metric("http_reqs", "count"), 3.0, "each knocked once: {}", outcome.told());
    assert_eq!(outcome.metric("backoff_duration", "count"), 3.0, "and waited");
    assert_eq!(outcome.metric("script_errors", "count"), 0.0, "which is no script error");
    let batch = run(&script("http::batch([\"http://127.0.0.1:1/a\", \"http://127.0.0.1:1/b\"]);"));
    assert_eq!(batch.metric("http_reqs", "count"), 9.0, "{}", batch.told());
}

#[test]
fn a_target_that_answers_anything_is_not_dead() {
    let target = target();
    let script = format!(
        r#"{FOR_EVER}
        scenario("a", #{{ users: 1, iterations: 5, run: both }});
        scenario("b", #{{ users: 1, iterations: 5, run: bad }});
        scenario("c", #{{ users: 1, iterations: 5, run: nothing }});
        scenario("d", #{{ users: 1, iterations: 5, backoff: backoff::none(), run: refused }});
        fn both() {{ http::get("http://127.0.0.1:1/"); http::get("TARGET/status/200"); }}
        fn bad() {{ http::get("TARGET/status/500"); }}
        fn nothing() {{ }}
        fn refused() {{ http::get("http://127.0.0.1:1/"); }}
        "#
    );
    let outcome = punk().script(&script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("iterations", "count"), 20.0, "{}", outcome.told());
    assert_eq!(outcome.metric("backoff_duration", "count"), 0.0, "{}", outcome.told());
}

#[test]
fn a_scenario_overrides_the_run_and_the_plan_shows_it() {
    let script = r#"
        options(#{ backoff: linear(1.s, 5.s).jitter() });
        scenario("usual", #{ users: 1, iterations: 1, run: f });
        scenario("own", #{ users: 1, iterations: 1, run: f, backoff: "250ms" });
        scenario("asked", #{ users: 1, iterations: 1, run: f, backoff: |n| 1.s * n });
        scenario("named", #{ users: 1, iterations: 1, run: f, backoff: patience });
        fn f() { }
        fn patience(errors) { 1.s }
    "#;
    let plan = punk().command("check").script(script).arg("--json").run();
    let plan = plan.json();
    let shown: Vec<_> =
        plan["plan"]["scenarios"].as_array().expect("a list").iter().map(|one| &one["backoff"]).collect();
    assert_eq!(shown, ["linear(1s, 5s).jitter()", "constant(250ms)", "(closure)", "patience"]);
    assert_eq!(plan["plan"]["options"]["backoff"], "linear(1s, 5s).jitter()");
}

#[test]
fn what_is_no_strategy_is_refused_before_the_run() {
    for (written, wanted) in [
        ("5", "`backoff`: a bare number is not a duration: write `5.s`"),
        ("true", "`backoff` is a strategy, a duration or a closure, not a bool"),
        ("constant(5)", "`backoff` is a strategy, a duration or a closure, not a shape"),
        ("\"soon\"", "`backoff`: "),
        ("exponential(10.s, 1.s)", "`exponential`: the longest wait, 1s, is below the first, 10s"),
        ("linear(5, 10.s)", "`linear`: a bare number is not a duration"),
        ("two", "`backoff`: `two` takes more than one parameter"),
        ("exponential(1.s)", "exponential"),
        ("backoff::exponentail(1.s, 2.s)", "backoff::exponential"),
    ] {
        let script = format!(
            "scenario(\"a\", #{{ users: 1, iterations: 1, run: f, backoff: {written} }});\nfn f() {{ }}\nfn two(a, b) {{ 1.s }}"
        );
        let outcome = punk().command("check").script(&script).run();
        outcome.assert_code(104).assert_stderr(wanted).assert_stderr("test.rhai:1:");
    }
}

#[test]
fn arrivals_come_whatever_failed_before_them() {
    let outcome = run(&format!(
        r#"{FOR_EVER}
        scenario("refused", #{{ rate: 100, max_users: 5, duration: 300.ms, run: || http::get("http://127.0.0.1:1/") }});
        scenario("broken",  #{{ rate: 100, max_users: 5, duration: 300.ms, run: || fail("on purpose") }});
        "#
    ));
    assert_eq!(outcome.metric("iterations", "count"), 60.0, "{}", outcome.told());
    assert_eq!(outcome.metric("backoff_duration", "count"), 0.0, "{}", outcome.told());
}
