//! The open model: so many arrivals as the area under the rate, each with its slot, its number and an end that is counted.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::builder::{Outcome, punk, target, target_with};
use punk::target::Dials;

/// What became of the arrivals of the first scenario: due, ended, cut short, dropped.
fn account(outcome: &Outcome) -> [u64; 3] {
    ["iterations", "interrupted", "dropped"].map(|field| outcome.number(&format!("/scenarios/0/{field}")) as u64)
}

#[test]
fn arrivals_are_the_area_under_the_rate_on_any_number_of_shards() {
    // 0.5 s × (0 + 100) / 2 + 1 s × 100 + 0.5 s × (100 + 0) / 2 = 150
    let script = r#"
        scenario("open", #{ rate: ramp(0, 100, 500.ms).hold(1.s).ramp_to(0, 500.ms), max_users: 20, run: hit });
        fn hit() { http::get(`TARGET/echo/${vu::arrival()}`, #{ name: "hit" }); }
    "#;
    for shards in [1, 2, 3] {
        let target = target();
        let outcome = punk().script(script).target(&target).args(&format!("--shards {shards}")).run();
        outcome.assert_passed();
        let [iterations, interrupted, dropped] = account(&outcome);
        assert!((149..=151).contains(&iterations), "{iterations}\n{}", outcome.told());
        assert_eq!((interrupted, dropped, target.stats().requests), (0, 0, iterations));
        // Each arrival has a number of its own, from 0 without a gap, whatever shard it was on.
        let numbers: BTreeSet<u64> =
            target.log().iter().filter_map(|entry| entry.path.strip_prefix("/echo/")?.parse().ok()).collect();
        assert_eq!(numbers, (0..iterations).collect::<BTreeSet<_>>());
        for metric in ["iteration_lateness", "iteration_scheduled_duration", "http_req_scheduled_duration"] {
            assert_eq!(outcome.metric(metric, "count") as u64, iterations, "{metric}");
        }
    }
}

#[test]
fn users_come_as_they_are_needed_and_no_more_than_allowed() {
    let slow = || target_with(Dials { latency: "100ms".parse().unwrap(), ..Dials::default() });
    let script = |users: u32| {
        format!(
            r#"scenario("open", #{{ rate: constant(100).hold(1.s), max_users: {users}, run: hit }});
               fn hit() {{ http::get("TARGET/api/products"); }}"#
        )
    };
    // 100/s × 0.1 s: ten are busy at once, a few more while connections are made.
    let outcome = punk().script(&script(1_000)).target(&slow()).args("--shards 1").run();
    outcome.assert_passed();
    let users = outcome.number("/scenarios/0/users_max");
    assert!((10.0..=60.0).contains(&users), "{users}");
    assert_eq!(account(&outcome), [100, 0, 0]);
    // Two users start at most twenty a second; arrivals wait for them, and those that still wait at the end are dropped.
    let outcome = punk().script(&script(2)).target(&slow()).args("--shards 2").run();
    outcome.assert_passed();
    let [iterations, interrupted, dropped] = account(&outcome);
    assert_eq!((outcome.number("/scenarios/0/users_max"), interrupted), (2.0, 0));
    assert!((15..=22).contains(&iterations), "{iterations}");
    assert_eq!((iterations + dropped, outcome.metric("dropped_iterations", "count") as u64), (100, dropped));
    assert_eq!(outcome.metric("iteration_lateness_censored", "count") as u64, dropped);
    // The last that started had waited for most of the second: its lateness says so, its own duration does not.
    assert!(outcome.metric("iteration_lateness", "max") > 500.0, "{}", outcome.told());
    assert!(outcome.metric("http_req_scheduled_duration", "max") > 600.0);
    assert!(outcome.metric("http_req_duration", "med") < 300.0);
}

#[test]
fn what_is_late_is_dropped_at_once_where_the_script_says_so() {
    let slow = target_with(Dials { latency: "300ms".parse().unwrap(), ..Dials::default() });
    let script = r#"
        scenario("open", #{ rate: constant(100).hold(1.s), max_users: 5, late: "drop", run: hit });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    let outcome = punk().script(script).target(&slow).run();
    outcome.assert_passed();
    let [iterations, interrupted, dropped] = account(&outcome);
    assert_eq!((iterations + dropped, interrupted), (100, 0));
    // Five users, at most four iterations each in a second; nobody waited, so nobody was late by the target.
    assert!((5..=20).contains(&iterations), "{iterations}");
    assert!(outcome.metric("iteration_lateness", "max") < 250.0, "{}", outcome.told());
}

#[test]
fn flags_make_an_open_model() {
    let target = target();
    let script = "fn run() { http::get(\"TARGET/api/products\"); }";
    let outcome = punk().script(script).target(&target).args("-r 50/s -u 10 -d 1s").run();
    outcome.assert_passed();
    assert_eq!((target.stats().requests, account(&outcome)), (50, [50, 0, 0]));
    // -r against a script's own load.
    let closed = format!("scenario(\"one\", #{{ users: 3, duration: 1.m, run: run }});\n{script}");
    let outcome = punk().script(&closed).target(&target).args("-r 1200/min -d 1s").run();
    outcome.assert_passed();
    assert_eq!((account(&outcome), outcome.summary()["scenarios"][0]["model"].as_str()), ([20, 0, 0], Some("rate")));
    punk().script(script).args("-r 50/s -d 1s").run().assert_code(104).assert_stderr("add `--users 50`");
    punk().script(script).args("-r 50/s -u 5").run().assert_code(104).assert_stderr("does not say when the run ends");
    punk().script(script).args("-r fast -u 5 -d 1s").run().assert_code(2);
}

#[test]
fn poisson_arrivals_follow_the_seed_and_not_the_shards() {
    let script = r#"
        scenario("open", #{ rate: constant(100).hold(1.s).randomized(), max_users: 50, run: hit });
        fn hit() { http::get(`TARGET/echo/${vu::arrival()}/${rand::int(0, 1000000)}`, #{ name: "hit" }); }
    "#;
    let asked = |arguments: &str| {
        let target = target();
        punk().script(script).target(&target).args(arguments).run().assert_passed();
        let mut asked: Vec<String> = target.log().into_iter().map(|entry| entry.path).collect();
        asked.sort();
        asked
    };
    let one = asked("--seed 7 --shards 1");
    assert!((60..=140).contains(&one.len()), "{}", one.len());
    assert_eq!(one, asked("--seed 7 --shards 3"));
    assert_ne!(one, asked("--seed 8 --shards 1"));
}

#[test]
fn max_rate_caps_whatever_users_want() {
    let target = target();
    let script = r#"
        options(#{ max_rate: 50.per_s });
        scenario("busy", #{ users: 10, duration: 1.s, graceful_stop: 0.s, run: hit });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    punk().script(script).target(&target).args("--shards 2").run().assert_passed();
    // The first at once, then one in 20 ms; users that wait when the run ends have not asked.
    let asked = target.stats().requests;
    assert!((35..=52).contains(&asked), "{asked}");
}

#[test]
fn a_generator_that_cannot_keep_up_says_so_and_a_slow_target_is_not_its_fault() {
    let script = r#"
        scenario("open", #{ rate: constant(RATE).hold(6.s), max_users: USERS, run: work });
        fn work() { WORK }
    "#;
    let script = |rate: &str, users: &str, work: &str| {
        script.replace("RATE", rate).replace("USERS", users).replace("WORK", work)
    };
    // Far more iterations than a processor can run, and nobody else to wait for.
    let busy = script("2000", "20", "let sum = 0; for n in 0..20000 { sum += n; }");
    let outcome = punk().script(&busy).args("--shards 1").on_invalid_fail().patience(Duration::from_secs(90)).run();
    // Said while it happened, and in the report.
    outcome.assert_code(96).assert_stderr("warning: the generator could not keep up");
    assert!(outcome.stdout().contains("could not keep up"), "{}", outcome.told());
    // A target that answers in 2 s keeps both users busy: arrivals wait for it, not for us.
    let slow = target_with(Dials { latency: "2s".parse().unwrap(), ..Dials::default() });
    let waiting = script("20", "2", "http::get(\"TARGET/api/products\");");
    let outcome = punk().script(&waiting).target(&slow).run();
    outcome.assert_passed();
    let [_, _, dropped] = account(&outcome);
    assert!(dropped > 50, "{dropped}");
    let valid = &outcome.summary()["generator"]["reasons"];
    let ours = valid.as_array().into_iter().flatten().any(|why| why.to_string().contains("started arrivals"));
    assert!(!ours, "{valid}");
}

#[test]
fn loads_that_cannot_be() {
    let script = r#"scenario("no-bound", #{ rate: 50, duration: 1.s, run: work });
scenario("both", #{ rate: 50, users: 5, max_users: 5, duration: 1.s, run: work });
scenario("endless", #{ rate: constant(50), max_users: 5, run: work });
scenario("negative", #{ rate: -3, max_users: 5, duration: 1.s, run: work });
scenario("nan", #{ rate: constant(0.0 / 0.0).hold(1.s), max_users: 5, run: work });
scenario("instant", #{ rate: ramp(1, 5, 0.s), max_users: 5, run: work });
scenario("fixed", #{ rate: 5, iterations: 5, max_users: 5, duration: 1.s, run: work });
scenario("late", #{ rate: 5, max_users: 5, duration: 1.s, late: "dropp", run: work });
scenario("closed", #{ users: 5, max_users: 5, duration: 1.s, run: work });
scenario("users", #{ users: 5.per_s, duration: 1.s, run: work });
scenario("never", #{ rate: 0, max_users: 5, duration: 1.s, run: work });
scenario("chance", #{ users: constant(5).hold(1.s).randomized(), run: work });
fn work() { }
"#;
    let outcome = punk().script(script).command("check").run();
    outcome.assert_code(104);
    insta::assert_snapshot!(outcome.stderr(), @r#"
error: a `rate` does not say how many users it may take
 --> test.rhai:1:31
  |
1 | scenario("no-bound", #{ rate: 50, duration: 1.s, run: work });
  |                               ^^
  |
  = help: add `max_users: 50`: the most users at once; arrivals beyond that wait

error: a scenario has `users` or `rate`, not both
 --> test.rhai:2:27
  |
2 | scenario("both", #{ rate: 50, users: 5, max_users: 5, duration: 1.s, run: work });
  |                           ^^
  |
  = help: with `rate`, the most users at once are `max_users: 50`

error: `constant(50)` never ends
 --> test.rhai:3:30
  |
3 | scenario("endless", #{ rate: constant(50), max_users: 5, run: work });
  |                              ^
  |
  = help: give it `duration: 30.s`, or end the shape with `.hold(30.s)`

error: `rate`: -3 is no rate: a number from 0 on
 --> test.rhai:4:31
  |
4 | scenario("negative", #{ rate: -3, max_users: 5, duration: 1.s, run: work });
  |                               ^^
  |
  = help: `rate: 50.per_s` or `rate: ramp(1, 50, 10.s).hold(30.s)`

error: `v` of `constant(v)` is not a finite number
 --> test.rhai:5:26
  |
5 | scenario("nan", #{ rate: constant(0.0 / 0.0).hold(1.s), max_users: 5, run: work });
  |                          ^

error: `over` of `ramp(from, to, over)` is zero: for a jump write `constant(from).hold(d).jump_to(to)`
 --> test.rhai:6:30
  |
6 | scenario("instant", #{ rate: ramp(1, 5, 0.s), max_users: 5, run: work });
  |                              ^

error: a scenario has `rate` or a fixed number of iterations, not both
 --> test.rhai:7:28
  |
7 | scenario("fixed", #{ rate: 5, iterations: 5, max_users: 5, duration: 1.s, run: work });
  |                            ^

error: `late` is one of "wait", "drop", not "dropp"
 --> test.rhai:8:65
  |
8 | scenario("late", #{ rate: 5, max_users: 5, duration: 1.s, late: "dropp", run: work });
  |                                                                 ^^^^^^^ did you mean `drop`?

error: `max_users` belongs to `rate`
 --> test.rhai:9:44
  |
9 | scenario("closed", #{ users: 5, max_users: 5, duration: 1.s, run: work });
  |                                            ^
  |
  = help: with `users`, the load itself says how many there are

error: `users` is a number of users, not a rate: a rate is `rate: 50.per_s`
  --> test.rhai:10:29
   |
10 | scenario("users", #{ users: 5.per_s, duration: 1.s, run: work });
   |                             ^
   |
   = help: `users: 10` or `users: ramp(1, 20, 5.s).hold(20.s)`

error: this rate never starts an iteration
  --> test.rhai:11:28
   |
11 | scenario("never", #{ rate: 0, max_users: 5, duration: 1.s, run: work });
   |                            ^

error: `.randomized()` is for `rate:`: users start nothing at random
  --> test.rhai:12:30
   |
12 | scenario("chance", #{ users: constant(5).hold(1.s).randomized(), run: work });
   |                              ^
   |
   = help: with `rate`, arrivals come as by chance; users think at random: `sleep(think::uniform(1.s, 3.s))`

12 errors
"#);
}
