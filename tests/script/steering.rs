//! Loads that are found while the test runs: `adaptive` and `find_capacity`.

use crate::builder::{Punk, punk, target, target_with};
use punk::target::Dials;
use std::time::Duration;

fn steered(script: &str) -> Punk {
    punk().script(script).patience(Duration::from_secs(120))
}

#[test]
fn a_closure_says_how_many_users_there_are() {
    let target = target();
    let script = r#"
        scenario("steered", #{ users: adaptive(|t, live| if t < 2.s { 3 } else { 50 }).during(5.s), max_users: 8, run: hit });
        fn hit() { http::get(`TARGET/echo/${vu::id()}`, #{ name: "hit" }); sleep(20.ms); }
    "#;
    let outcome = steered(script).target(&target).run();
    outcome.assert_passed();
    let ids: std::collections::BTreeSet<String> = target.log().into_iter().map(|entry| entry.path).collect();
    // Three, then as many as the bound allows, however many the closure asks for.
    assert_eq!((ids.len(), outcome.number("/scenarios/0/users_max")), (8, 8.0), "{}", outcome.told());
    let summary = outcome.summary();
    let changes: Vec<&str> =
        summary["interventions"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(changes, ["steered: 3 users", "steered: 8 users"]);
}

#[test]
fn a_closure_sees_what_was_measured() {
    let target = target_with(Dials { latency: "30ms".parse().unwrap(), ..Dials::default() });
    // It begins at 10/s and doubles as long as it sees what it asked for: all live figures are looked at.
    let script = r#"
        scenario("steered", #{
            rate: adaptive(|t, live| {
                if t < 500.ms { return 10.per_s; }
                let seen = live.iterations > 0.0 && live.requests > 0.0 && live.failed == 0.0 && live.dropped == 0;
                let times = live.p50 >= 30.ms && live.p95 >= live.p50 && live.p99 < 5.s && live.scheduled_p95 >= 30.ms;
                if seen && times && live.users >= 0 && live.waiting >= 0 { live.target * 2 } else { 1 }
            }).during(4.s),
            max_users: 50, run: hit,
        });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    let outcome = steered(script).target(&target).run();
    outcome.assert_passed();
    let summary = outcome.summary();
    let last = summary["interventions"].as_array().unwrap().last().unwrap()["what"].as_str().unwrap().to_owned();
    assert!(
        ["steered: 40 iterations/s", "steered: 80 iterations/s", "steered: 160 iterations/s"].contains(&last.as_str()),
        "{summary:#}"
    );
}

#[test]
fn a_closure_that_fails_leaves_the_load_as_it_is_and_is_told() {
    let target = target();
    let script = r#"
        scenario("steered", #{
            users: adaptive(|t, live| {
                if t < 1.s { return 2; }
                if t < 2.s { throw "no idea"; }
                if t < 3.s { loop { } }
                "many"
            }).during(5.s),
            max_users: 8, run: hit,
        });
        fn hit() { http::get(`TARGET/echo/${vu::id()}`, #{ name: "hit" }); sleep(20.ms); }
    "#;
    let outcome = steered(script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.number("/scenarios/0/users_max"), 2.0);
    for what in ["no idea", "this computed for 100ms", "which is no number"] {
        assert!(outcome.stdout().contains(what), "{what}: {}", outcome.told());
    }
}

#[test]
fn what_is_steered_may_be_a_part_of_a_load() {
    let target = target();
    let script = r#"
        scenario("steered", #{
            rate: constant(20).hold(1.s).then(adaptive(|t, live| 60).during(2.s)).then(ramp(10, 0, 1.s)),
            max_users: 20, run: hit,
        });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    let outcome = steered(script).target(&target).run();
    outcome.assert_passed();
    // 20, about 2 × 60, and 5: the plan goes on after the steered part.
    let asked = target.stats().requests;
    assert!((105..=180).contains(&asked), "{asked}");
}

#[test]
fn the_capacity_of_a_target_is_found() {
    // 50 ms for each answer and 10 users: 200 a second and no more, whatever the machine does.
    let target = target_with(Dials { latency: "50ms".parse().unwrap(), ..Dials::default() });
    let script = r#"
        scenario("search", #{
            rate: find_capacity(#{ start: 40, max: 2000, objective: "p(90) < 150ms and rate of http_req_failed < 1%",
                                   every: 1.s, hold: 3.s, precision: 0.2 }),
            max_users: 10, graceful_stop: 5.s, run: hit,
        });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    let outcome = steered(script).target(&target).patience(Duration::from_secs(180)).run();
    outcome.assert_passed();
    let capacity = outcome.number("/scenarios/0/capacity/capacity");
    let fails_at = outcome.number("/scenarios/0/capacity/fails_at");
    assert!((100.0..=230.0).contains(&capacity) && fails_at <= 360.0, "{capacity} {fails_at}\n{}", outcome.told());
    assert!(outcome.stdout().contains("capacity "), "{}", outcome.stdout());
}

#[test]
fn a_capacity_that_is_not_there_is_not_claimed() {
    let target = target();
    let script = r#"
        scenario("search", #{
            users: find_capacity(#{ start: 1, max: 4, objective: "OBJECTIVE", every: 500.ms, hold: 1.s }), run: hit,
        });
        fn hit() { http::get("TARGET/api/products"); sleep(20.ms); }
    "#;
    let outcome = steered(&script.replace("OBJECTIVE", "p(95) < 5s")).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.summary()["scenarios"][0]["capacity"]["answer"], "bound not found");
    let outcome = steered(&script.replace("OBJECTIVE", "p(95) < 1us")).target(&target).run();
    assert_eq!(outcome.summary()["scenarios"][0]["capacity"]["answer"], "not even the start");
    let outcome = steered(&script.replace("OBJECTIVE", "p(95) < fast and rate of http_req_faild < 1%")).run();
    outcome.assert_code(104);
    insta::assert_snapshot!(outcome.stderr(), @r#"
error: the objective `p(95) < fast`: unknown method `fast`
 --> test.rhai:3:20
  |
3 | ...   users: find_capacity(#{ start: 1, max: 4, objective: "p(95) < fast and rate of http_req_faild < 1%", every:...
  |              ^
  |
  = help: methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`

error: the objective `rate of http_req_faild < 1%`: unknown metric `http_req_faild`
 --> test.rhai:3:20
  |
3 | ...   users: find_capacity(#{ start: 1, max: 4, objective: "p(95) < fast and rate of http_req_faild < 1%", every:...
  |              ^ did you mean `http_req_failed`?

2 errors
"#);
}
