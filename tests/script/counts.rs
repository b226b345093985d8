//! Numbers that must be exact: iterations, users, checks, groups, metrics, tags; and what the target saw is what was reported.

use std::collections::BTreeMap;

use crate::builder::{Outcome, punk, target};
use serde_json::Value;

fn check<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let checks = summary["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name} in {checks:?}"))
}

#[test]
fn iterations_are_shared_exactly() {
    for (users, iterations, shards) in [(1, 1, 1), (3, 10, 2), (7, 100, 2), (20, 7, 2), (5, 5, 1)] {
        let target = target();
        let outcome = punk()
            .script("fn run() { http::get(\"TARGET/api/products/1\"); }")
            .target(&target)
            .args(&format!("-u{users} -i{iterations} --shards {shards}"))
            .run();
        outcome.assert_passed();
        let stats = target.stats();
        assert_eq!((stats.requests, stats.answered()), (iterations, iterations), "{}", outcome.told());
        assert_eq!(outcome.metric("iterations", "count") as u64, iterations);
        assert_eq!(outcome.metric("http_reqs", "count") as u64, iterations);
        assert_eq!(outcome.number("/scenarios/0/iterations") as u64, iterations);
        assert_eq!(outcome.number("/scenarios/0/users_max") as u64, users);
        assert_eq!(outcome.number("/scenarios/0/interrupted") as u64, 0);
    }
}

#[test]
fn iterations_per_user_are_each_users() {
    let target = target();
    let script = r#"
        scenario("each", #{ users: 5, iterations_per_user: 7, run: work });
        fn work() { http::get(`TARGET/status/200?user=${vu::id()}`, #{ name: "w" }); http::get(`TARGET/echo/${vu::id()}`); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    let mut each = BTreeMap::<String, u32>::new();
    for entry in target.log().into_iter().filter(|entry| entry.path.starts_with("/echo/")) {
        *each.entry(entry.path).or_default() += 1;
    }
    assert_eq!((each.len(), each.values().all(|count| *count == 7)), (5, true), "{each:?}");
    assert_eq!(outcome.metric("iterations", "count"), 35.0);
}

#[test]
fn start_and_stop_run_once_for_each_user_and_this_is_kept() {
    let script = r#"
        metric::counter("starts"); metric::counter("stops"); metric::counter("sum");
        scenario("s", #{ users: 4, iterations_per_user: 3, start: begin, run: work, stop: end });
        fn begin() { this.n = 10; metric::add("starts", 1); }
        fn work() { this.n += 1; }
        fn end() { metric::add("stops", 1); metric::add("sum", this.n); }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    let counted = ["starts", "stops", "sum"].map(|name| outcome.metric(name, "count"));
    assert_eq!(counted, [4.0, 4.0, 52.0]);
}

#[test]
fn several_scenarios_run_beside_each_other_and_are_told_apart() {
    let script = r#"
        scenario("one", #{ iterations: 6, users: 2, run: one });
        scenario("two", #{ iterations: 9, users: 3, run: two, tags: #{ } });
        threshold("checks{scenario:one}", "rate == 100%");
        threshold("checks{scenario:two}", "rate == 0%");
        fn one() { check("c", vu::scenario() == "one"); }
        fn two() { check("c", vu::scenario() == "one"); }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    assert_eq!((outcome.number("/scenarios/0/iterations"), outcome.number("/scenarios/1/iterations")), (6.0, 9.0));
    let only = punk().script(script.replace("threshold", "// threshold").as_str()).args("-s two").run();
    only.assert_passed();
    assert_eq!(only.summary()["scenarios"].as_array().map(Vec::len), Some(1));
    assert_eq!(only.metric("iterations", "count"), 9.0);
}

#[test]
fn checks_groups_and_metrics_are_counted_exactly() {
    let script = r#"
        options(#{ tags: #{ team: "" } });
        metric::counter("orders"); metric::gauge("depth"); metric::rate("lucky"); metric::trend("size");
        threshold("orders{team:red}", "count == 20");
        fn run() {
            let n = vu::iteration();
            check("even", n % 2 == 0);
            check(n, #{ "small": |n| n < 3, "true": true });
            group("outer", || {
                check("inside", true);
                group("inner", || { metric::add("orders", 2, #{ team: "red" }); metric::add("orders", 1, #{ team: "blue" }); });
            });
            metric::add("depth", n);
            metric::add("lucky", n == 0);
            metric::add("size", 10 * (n + 1));
        }
    "#;
    let outcome = punk().script(script).args("-i10").run();
    outcome.assert_passed();
    let summary = outcome.summary();
    for (name, passes, fails, group) in
        [("even", 5, 5, ""), ("small", 3, 7, ""), ("true", 10, 0, ""), ("inside", 10, 0, "::outer")]
    {
        let check = check(&summary, name);
        assert_eq!(
            (&check["passes"], &check["fails"], &check["group"]),
            (&passes.into(), &fails.into(), &group.into()),
            "{name}"
        );
    }
    assert_eq!(outcome.metric("checks", "passes") + outcome.metric("checks", "fails"), 40.0);
    assert_eq!(outcome.metric("orders", "count"), 30.0);
    assert_eq!(["value", "min", "max"].map(|value| outcome.metric("depth", value)), [9.0, 0.0, 9.0]);
    assert_eq!((outcome.metric("lucky", "passes"), outcome.metric("lucky", "fails")), (1.0, 9.0));
    assert_eq!(["count", "min", "max", "avg"].map(|value| outcome.metric("size", value)), [10.0, 10.0, 100.0, 55.0]);
    assert_eq!(outcome.metric("group_duration", "count"), 20.0);
}

#[test]
fn what_metrics_refuse_is_a_script_error() {
    for (body, why) in [
        ("metric::add(\"nothing\", 1);", "unknown metric `nothing`"),
        ("metric::add(\"http_reqs\", 1);", "measures itself"),
        ("metric::add(\"orders\", -1);", "from 0 on"),
        ("metric::add(\"orders\", \"many\");", "not a string"),
        ("metric::add(\"orders\", 1, #{ team: \"x\" });", "unknown tag `team`"),
        ("vu::tag(\"status\", \"200\");", "punk sets itself"),
    ] {
        let outcome = punk().script(&format!("metric::counter(\"orders\");\nfn run() {{ {body} }}")).run();
        outcome.assert_passed();
        let errors = outcome.summary()["errors"].to_string();
        assert!(errors.contains(why) && errors.contains("test.rhai:2:"), "{body}: {errors}");
        assert_eq!(outcome.metric("orders", "count"), 0.0);
    }
}

#[test]
fn a_ramp_reaches_its_users_and_lets_them_go() {
    let target = target();
    let script = r#"
        scenario("ramp", #{ users: ramp(1, 8, 500.ms).hold(300.ms).ramp_to(0, 300.ms), run: work });
        fn work() { http::get("TARGET/api/products/1"); sleep(20.ms); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.number("/scenarios/0/users_max"), 8.0);
    assert_eq!(outcome.metric("http_reqs", "count") as u64, target.stats().requests);
    assert!(target.stats().connections >= 8);
    let took = outcome.number("/duration_seconds");
    assert!((1.0..10.0).contains(&took), "{took}");
}

#[test]
fn a_duration_ends_a_run_and_counts_conserve() {
    let target = target();
    let script = "fn run() { http::get(\"TARGET/api/products\"); http::get(\"TARGET/status/404\"); }";
    let outcome = punk().script(script).target(&target).args("-u5 -d500ms").run();
    outcome.assert_passed();
    let stats = target.stats();
    assert!(stats.conserves() && stats.requests > 0);
    assert_eq!(outcome.metric("http_reqs", "count") as u64, stats.requests);
    assert_eq!(outcome.metric("http_req_failed", "passes") as u64, stats.responses[&404]);
}

/// What each user asked for, in its order: the first segment of the path is the user's number.
fn by_user(outcome: &Outcome, target: &punk::target::RunningTarget) -> BTreeMap<String, Vec<String>> {
    outcome.assert_passed();
    let mut asked = BTreeMap::<String, Vec<String>>::new();
    let mut log = target.log();
    log.sort_by_key(|entry| entry.at_us);
    for entry in log {
        let mut parts = entry.path.split('/').skip(2);
        let user = parts.next().expect("a user").to_owned();
        asked.entry(user).or_default().push(parts.collect::<Vec<_>>().join("/"));
    }
    asked
}

#[test]
fn the_same_seed_asks_the_same_in_the_same_order_whatever_the_shards() {
    // `vu::id` is dealt in the order of starting; the scenario's index of the user is what the seed follows.
    let script = r#"
        scenario("s", #{ users: 4, iterations_per_user: 6, start: begin, run: work });
        fn begin() { this.me = rand::text(8); }
        fn work() {
            http::get(`TARGET/echo/${this.me}/${rand::int(1, 1000000)}`);
            http::get(`TARGET/echo/${this.me}/${rand::pick(["a", "b", "c"])}${rand::float()}`);
        }
    "#;
    let run = |arguments: &str| {
        let target = target();
        let outcome = punk().script(script).target(&target).args(arguments).run();
        by_user(&outcome, &target)
    };
    let first = run("--seed 7 --shards 1");
    assert_eq!((first.len(), first.values().map(Vec::len).sum::<usize>()), (4, 48));
    assert_eq!(first, run("--seed 7 --shards 1"));
    assert_eq!(first, run("--seed 7 --shards 2"));
    assert_ne!(first, run("--seed 8 --shards 1"));
}

#[test]
fn randomness_of_the_top_level_is_the_same_on_every_shard() {
    let script = "const X = rand::int(0, 1000000000);\nmetric::trend(\"x\");\nfn run() { metric::add(\"x\", global::X); sleep(5.ms); }";
    let outcome = punk().script(script).args("-u6 -i30 --shards 2").run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("x", "min"), outcome.metric("x", "max"));
}
