//! Which scenario starts when, and what counts as warm-up.

use crate::builder::{Outcome, punk, target};

/// When requests to a path came, in order, as positions in the target's log.
fn order(target: &punk::target::RunningTarget) -> Vec<String> {
    target.log().into_iter().map(|entry| entry.path).collect()
}

fn check(script: &str) -> Outcome {
    punk().script(script).command("check").run()
}

#[test]
fn a_scenario_waits_for_the_end_of_another_on_all_shards() {
    let target = target();
    let script = r#"
        scenario("last", #{ iterations: 4, users: 2, after: "second", starts: 200.ms, run: || hit("last") });
        scenario("first", #{ iterations_per_user: 3, users: 5, run: || hit("first") });
        scenario("second", #{ rate: constant(50).hold(200.ms), max_users: 5, after: "first", run: || hit("second") });
        fn hit(name) { sleep(20.ms); http::get(`TARGET/echo/${name}`); }
    "#;
    for shards in [1, 2, 3] {
        target.reset();
        let outcome = punk().script(script).target(&target).args(&format!("--shards {shards}")).run();
        outcome.assert_passed();
        let log = order(&target);
        let count = |name: &str| log.iter().filter(|path| path.ends_with(name)).count() as u64;
        // On a machine without time to spare an arrival may still wait when its 200 ms are over.
        let dropped = outcome.number("/scenarios/2/dropped") as u64;
        assert!(dropped < 10, "{}", outcome.told());
        assert_eq!(["first", "second", "last"].map(count), [15, 10 - dropped, 4], "{log:?}");
        let mut sorted = log.clone();
        sorted.sort_by_key(|path| ["/echo/first", "/echo/second", "/echo/last"].iter().position(|name| name == path));
        assert_eq!(log, sorted);
    }
}

#[test]
fn a_scenario_starts_when_it_says() {
    let script = r#"
        metric::trend("when", #{ unit: "time" });
        scenario("later", #{ iterations: 1, starts: 700.ms, run: work });
        fn work() { metric::add("when", vu::elapsed()); }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    assert!(outcome.metric("when", "min") >= 700.0);
    assert!(outcome.number("/duration_seconds") >= 0.7);
}

#[test]
fn a_choice_of_scenarios_does_not_wait_for_those_left_out() {
    let script = r#"
        scenario("first", #{ users: 1, duration: 1.m, run: work });
        scenario("second", #{ iterations: 3, after: "first", run: work });
        fn work() { sleep(1.ms); }
    "#;
    let outcome = punk().script(script).args("-s second").run();
    outcome.assert_passed();
    assert_eq!(outcome.number("/scenarios/0/iterations"), 3.0);
}

#[test]
fn nobody_waits_for_itself_or_for_what_is_not_there() {
    let outcome = check(
        r#"scenario("a", #{ iterations: 1, after: "b", run: work });
scenario("b", #{ iterations: 1, after: "c", run: work });
scenario("c", #{ iterations: 1, after: "a", run: work });
scenario("self", #{ iterations: 1, after: "self", run: work });
scenario("lost", #{ iterations: 1, after: "selff", run: work });
fn work() { }
"#,
    );
    outcome.assert_code(104);
    insta::assert_snapshot!(outcome.stderr(), @r#"
error: scenario `a` waits for itself: a after b after c after a
 --> test.rhai:1:40
  |
1 | scenario("a", #{ iterations: 1, after: "b", run: work });
  |                                        ^^^
  |
  = help: one of them has to start by itself

error: scenario `b` waits for itself: b after c after a after b
 --> test.rhai:2:40
  |
2 | scenario("b", #{ iterations: 1, after: "c", run: work });
  |                                        ^^^
  |
  = help: one of them has to start by itself

error: scenario `c` waits for itself: c after a after b after c
 --> test.rhai:3:40
  |
3 | scenario("c", #{ iterations: 1, after: "a", run: work });
  |                                        ^^^
  |
  = help: one of them has to start by itself

error: scenario `self` waits for itself: self after self
 --> test.rhai:4:43
  |
4 | scenario("self", #{ iterations: 1, after: "self", run: work });
  |                                           ^^^^^^
  |
  = help: one of them has to start by itself

error: `after`: there is no scenario `selff`
 --> test.rhai:5:43
  |
5 | scenario("lost", #{ iterations: 1, after: "selff", run: work });
  |                                           ^^^^^^^ did you mean `self`?

5 errors
"#);
}

#[test]
fn warm_up_counts_in_no_total_and_no_verdict() {
    let target = target();
    // What fails does so in the first second only; `min >= 1` of a counter would hold by warm-up alone.
    let script = r#"
        options(#{ warmup: 1.s });
        scenario("all", #{ users: 2, duration: 2.s, run: work });
        threshold("http_req_failed", "rate == 0%");
        threshold("checks", "rate == 100%");
        fn work() {
            let cold = vu::elapsed() < 900.ms;
            let r = http::get(if cold { "TARGET/status/500" } else { "TARGET/status/200" }, #{ name: "work" });
            check("warm", !cold);
            sleep(50.ms);
        }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    let counted = outcome.metric("http_reqs", "count") as u64;
    let all = target.stats().requests;
    assert!(counted > 10 && all >= counted + 10, "{counted} of {all}");
    let warm = outcome.number("/requests/apart/warmup/requests") as u64;
    assert_eq!(counted + warm, all, "{}", outcome.told());
    // Rates are per measured second, of which there was one.
    let rate = outcome.metric("http_reqs", "rate");
    let measured = outcome.number("/duration_seconds") - 1.0;
    assert!((rate - counted as f64 / measured).abs() < 0.01, "{rate}");
}

#[test]
fn a_scenario_can_be_warm_up_as_a_whole() {
    let target = target();
    let script = r#"
        scenario("warm-up", #{ iterations: 5, warmup: true, run: work });
        scenario("real", #{ iterations: 7, after: "warm-up", run: work });
        fn work() { http::get("TARGET/api/products"); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    assert_eq!((target.stats().requests, outcome.metric("http_reqs", "count")), (12, 7.0));
    assert_eq!(outcome.metric("iterations", "count"), 7.0);
}
