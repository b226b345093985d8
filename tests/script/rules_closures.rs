//! What rules ask of the script itself: thresholds that are closures, the `then` of alerts, and rules about the machine.

use crate::builder::{Outcome, Punk, punk, target};
use serde_json::Value;

/// A run of four seconds, in which `browse` sends requests all the time and `aside` does nothing much.
fn started(rules: &str) -> Punk {
    let scenarios = r#"
        scenario("browse", #{ users: constant(2).during(4.s), graceful_stop: 2.s, run: visit });
        scenario("aside", #{ users: constant(1).during(4.s), graceful_stop: 2.s, run: || sleep(20.ms) });
        fn visit() { http::get("TARGET/api/products", #{ name: "list" }); sleep(10.ms); }
    "#;
    punk().script(&format!("{rules}\n{scenarios}"))
}

/// What the summary says of the threshold of that name.
fn threshold(outcome: &Outcome, name: &str) -> Value {
    let summary = outcome.summary();
    let all = summary["thresholds"].as_array().expect("there are thresholds").iter();
    let mut found = all.filter(|one| one.to_string().contains(name));
    found.next().unwrap_or_else(|| panic!("no `{name}`\n{}", outcome.told())).clone()
}

/// What was changed, by whom, and why it was not where it was refused.
fn interventions(outcome: &Outcome) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let summary = outcome.summary();
    let all = summary["interventions"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| (text(&one["by"]), text(&one["what"]), text(&one["refused"]))).collect()
}

#[test]
fn closures_hold_fail_and_have_no_data() {
    let target = target();
    let outcome = started(
        r#"
        threshold("holds", |m| m.p(95, "http_req_duration{name:list}") < 5_000 && m.rate("http_reqs", 2.s) > 1);
        threshold("fails", |m| m.count("iterations{scenario:browse}") < 1);
        threshold("nothing", |m| m.p(95, "group_duration") < 300);
        threshold("warns", |m| m.users() < 0, #{ severity: "warn" });
    "#,
    )
    .target(&target)
    .run();
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
    for (name, passed) in
        [("holds", Value::from(true)), ("fails", false.into()), ("warns", false.into()), ("nothing", Value::Null)]
    {
        let verdict = threshold(&outcome, name);
        assert_eq!(verdict["passed"], passed, "{verdict:#}\n{}", outcome.told());
    }
}

#[test]
fn a_closure_that_cannot_answer_is_told_once_and_ends_nothing() {
    let target = target();
    let outcome = started(
        r#"
        threshold("throws", |m| throw "no idea");
        threshold("loops", |m| loop {});
        threshold("typo", |m| m.p(95, "http_req_durations") < 300);
        threshold("fine", |m| m.count("iterations") > 0);
    "#,
    )
    .target(&target)
    .run();
    let told = interventions(&outcome);
    for (name, why) in
        [("throws", "no idea"), ("loops", "is a loop endless?"), ("typo", "did you mean `http_req_duration`?")]
    {
        let of: Vec<_> = told.iter().filter(|(_, what, _)| what.contains(name)).collect();
        let [(_, _, refused)] = &of[..] else { panic!("{told:?}\n{}", outcome.told()) };
        assert!(refused.contains(why) && refused.contains("test.rhai:"), "{refused}");
        assert_eq!(threshold(&outcome, name)["passed"], Value::Null, "{}", outcome.told());
    }
    assert_eq!(threshold(&outcome, "fine")["passed"], true, "{}", outcome.told());
    assert!(outcome.metric("iterations", "count") > 50.0, "{}", outcome.told());
}

#[test]
fn a_breach_of_a_closure_may_end_the_run() {
    let target = target();
    let outcome = started(r#"threshold("enough", |m| m.count("iterations") < 20, #{ abort: true });"#);
    let outcome = outcome.target(&target).run();
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
    assert!(outcome.stdout().contains("stopped by a threshold: threshold `enough` was broken"), "{}", outcome.told());
}

#[test]
fn an_alert_that_rings_scales_ends_and_marks_and_the_report_says_so() {
    let target = target();
    let outcome = started(
        r#"
        alert("busy", #{ when: "count of iterations > 20", description: "enough is enough", then: |alert| {
            alert.scale("browse", 5);
            alert.scale("nobody", 5);
            alert.end("aside");
            alert.mark_failed(`${alert.name} at ${alert.value > 20}`);
        } });
        alert("bad", #{ when: "count of iterations > 20", then: |alert| throw "no idea" });
    "#,
    )
    .target(&target)
    .run();
    assert_eq!(outcome.code(), 110, "{}", outcome.told());
    let told = interventions(&outcome);
    let of = |what: &str| told.iter().filter(|(_, said, _)| said.contains(what)).cloned().collect::<Vec<_>>();
    let by = "the alert `busy`".to_owned();
    assert_eq!(of("browse: 5 users"), [(by.clone(), "browse: 5 users".to_owned(), String::new())], "{told:?}");
    assert!(matches!(&of("nobody")[..], [(who, _, why)] if *who == by && !why.is_empty()), "{told:?}");
    assert!(matches!(&of("aside")[..], [(who, _, why)] if *who == by && why.is_empty()), "{told:?}");
    assert!(matches!(&of("`then`")[..], [(who, _, why)] if who.contains("bad") && why.contains("no idea")), "{told:?}");
    assert_eq!(outcome.number("/scenarios/0/users_max"), 5.0, "{}", outcome.told());
    assert!(outcome.summary().to_string().contains("busy at true (the alert `busy`)"), "{}", outcome.told());
}

#[test]
fn an_alert_stops_the_run_and_is_named_in_the_report() {
    let target = target();
    let rules = r#"alert("busy", #{ when: "count of iterations > 20", then: |alert| alert.stop("it is enough") });"#;
    let outcome = started(rules).target(&target).run();
    assert!(outcome.stdout().contains("stopped by the alert `busy`: it is enough"), "{}", outcome.told());
}

#[test]
fn an_alert_pauses_the_run() {
    let target = target();
    let rules = r#"
        alert("busy", #{ when: "count of iterations > 20", then: |alert| { alert.pause(); alert.resume(); } });
    "#;
    let outcome = started(rules).target(&target).run();
    outcome.assert_passed();
    let by = "the alert `busy`".to_owned();
    let wanted = ["paused", "resumed"].map(|what| (by.clone(), what.to_owned(), String::new()));
    assert_eq!(interventions(&outcome), wanted, "{}", outcome.told());
}

#[test]
fn a_summary_of_the_moment_is_kept_beside_that_of_the_end() {
    let target = target();
    let rules =
        r#"alert("busy", #{ when: "count of iterations > 20", then: |alert| alert.snapshot("look at this") });"#;
    let outcome = started(rules).target(&target).run();
    outcome.assert_passed();
    let kept = std::fs::read_to_string(outcome.folder().join(".summary.1.json")).expect("it was kept");
    let then: Value = serde_json::from_str(&kept).expect("it is whole");
    let iterations = then["metrics"]["iterations"]["values"]["count"].as_f64().expect("a count");
    assert!(iterations > 20.0 && iterations < outcome.metric("iterations", "count"), "{}", outcome.told());
    assert!(outcome.stderr().contains("look at this"), "{}", outcome.told());
}

#[test]
fn rules_read_the_machine_and_punk_itself() {
    let target = target();
    let outcome = started(
        r#"
        threshold("system_cpu", "value <= 100% and min >= 0");
        threshold("punk_memory", "max < 100GB and min > 100KB");
        threshold("value of punk_fds > 3 and value of system_memory_available > 1MB");
        threshold("system_cpu", "max over 2s <= 100%");
        threshold("system_cpu_core{core:0}", "value <= 100%");
        threshold("value of system_memory_buffers + value of system_memory_cached > 1MB");
        threshold("value of system_swap_free >= 0 and value of system_huge_pages_used >= 0 and value of system_huge_pages_free >= 0");
        threshold("closure", |m| m.value("punk_cpu") >= 0 && m.max("system_cpu") <= 1 && m.max("punk_memory", 2.s) > 100_000);
    "#,
    )
    .target(&target)
    .run();
    outcome.assert_passed();
    let summary = outcome.summary();
    for verdict in summary["thresholds"].as_array().expect("a list") {
        assert_eq!(verdict["passed"], true, "{verdict:#}\n{}", outcome.told());
    }
    assert_eq!(summary["thresholds"].as_array().map(Vec::len), Some(8), "{}", outcome.told());
    assert_eq!(summary["metrics"]["system_cpu"]["unit"], "share");
    assert!(!outcome.stdout().contains("CUSTOM METRICS"), "{}", outcome.told());
}

#[test]
fn what_closures_print_is_shown() {
    let target = target();
    let rules = r#"
        alert("busy", #{ when: "count of iterations > 20", then: |alert| log::warn(`${alert.name} rings`) });
    "#;
    let outcome = started(rules).target(&target).arg("--ui=plain").run();
    outcome.assert_passed();
    assert_eq!(outcome.stderr().matches("warning: busy rings").count(), 1, "{}", outcome.told());
}

#[test]
fn an_alert_that_gives_orders_without_end_is_stopped_and_harms_nobody() {
    let target = target();
    let rules = r#"
        alert("storm", #{ when: "count of iterations > 5", then: |alert| { loop { alert.pause(); alert.resume(); } } });
    "#;
    let outcome = started(rules).target(&target).run();
    outcome.assert_passed();
    let all = interventions(&outcome);
    assert_eq!(all.len(), 101, "{}", outcome.told());
    let (_, _, why) = &all[100];
    assert!(why.contains("the alert `storm` has given 100 orders: is a loop endless?"), "{why}");
    // It went on to its end, and every sample is there.
    assert_eq!(outcome.metric("http_reqs", "count") as u64, target.stats().requests);
}
