//! Rules over windows of time: judged while the run goes on, ending it in time, and standing still when it does.

use crate::builder::{punk, target};

#[test]
fn a_window_that_breaks_ends_the_run_within_a_second() {
    let target = target();
    let script = r#"
        scenario("users", #{ users: 5, duration: 50.s, run: hit });
        threshold("http_req_failed", "rate < 10% over 2s", #{ abort: true });
        fn hit() {
            let path = if vu::iteration() < 60 { "/api/products" } else { "/status/500" };
            http::get("TARGET" + path);
            sleep(50.ms);
        }
    "#;
    let outcome = punk().script(script).target(&target).run();
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
    let breach = outcome.number("/thresholds/0/first_breach") / 1e3;
    assert!(breach >= 3.0, "the first three seconds were fine, and the window must be full: {breach}");
    let stopped = outcome.number("/duration_seconds");
    // Judged with the second that broke it; what is left is the drain of iterations of 50 ms. Generous, for slow machines.
    assert!((breach..breach + 3.0).contains(&stopped), "broken at {breach}, over at {stopped}");
    assert_eq!(outcome.metric("http_reqs", "count") as u64, target.stats().requests);
}

#[test]
fn a_pause_is_no_time_for_windows() {
    let target = target();
    let script = r#"
        scenario("users", #{ users: 4, duration: 5.s, run: hit });
        threshold("http_reqs", "rate > 20/s over 1s");
        threshold("http_reqs", "count > 20 over 1s for 2s", #{ severity: "warn" });
        fn hit() { http::get("TARGET/api/products"); sleep(20.ms); }
    "#;
    let mut running = punk().script(script).target(&target).listening().start();
    running.until("two seconds of requests", |_| target.stats().requests > 200);
    running.type_line("pause");
    running.until_stderr("paused (by the terminal)");
    std::thread::sleep(std::time::Duration::from_secs(4));
    running.type_line("resume");
    let outcome = running.wait();
    outcome.assert_passed();
    for at in 0..2 {
        let verdict = &outcome.summary()["thresholds"][at];
        assert_eq!(verdict["passed"], true, "{verdict}\n{}", outcome.told());
        assert_eq!(verdict["first_breach"], serde_json::Value::Null, "a second of the pause was judged: {verdict}");
    }
}

#[test]
fn the_warm_up_is_in_no_window() {
    let target = target();
    let script = r#"
        options(#{ warmup: 2.s });
        scenario("users", #{ users: 2, duration: 5.s, run: hit });
        threshold("http_req_failed", "rate < 1% over 1s");
        threshold("http_reqs{scenario:users}", "count > 0 over 2s");
        fn hit() {
            let path = if vu::iteration() < 10 { "/status/500" } else { "/api/products" };
            http::get("TARGET" + path);
            sleep(100.ms);
        }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    assert!(target.stats().requests > 40);
}

#[test]
fn every_method_has_its_window_of_a_live_run() {
    let target = target();
    let script = r#"
        metric::gauge("depth");
        metric::trend("size");
        scenario("users", #{ users: 2, duration: 4.s, run: hit });
        threshold("depth", "value == 7 over 2s");
        threshold("size", "min == 5 and max == 5 and avg == 5 and med == 5 and p(99) == 5 and count > 3 over 2s");
        threshold("checks", "rate == 100% over 2s");
        threshold("count of iterations over 2s / count of http_reqs over 2s > 90%");
        threshold("slope(avg of size over 3s) < 1/s");
        threshold("forecast(max of size over 3s, 10s) < 6");
        threshold("p(95) of size over 1s - p(95) of size over 3s < 1");
        fn hit() {
            http::get("TARGET/api/products");
            metric::add("depth", 7);
            metric::add("size", 5);
            check("fine", true);
            sleep(50.ms);
        }
    "#;
    let outcome = punk().script(script).target(&target).run();
    let summary = outcome.summary();
    for verdict in summary["thresholds"].as_array().expect("a list") {
        assert_eq!(verdict["passed"], true, "{verdict}\n{}", outcome.told());
    }
    outcome.assert_passed();
}

#[test]
fn a_breach_may_end_one_scenario_alone() {
    let target = target();
    let script = r#"
        scenario("fine", #{ users: 2, duration: 4.s, run: || { http::get("TARGET/api/products"); sleep(50.ms); } });
        scenario("bad", #{ users: 2, duration: 40.s, run: || { http::get("TARGET/status/500"); sleep(50.ms); } });
        threshold("http_req_failed", "rate < 10% over 1s", #{ abort: "scenario", scenario: "bad" });
        threshold("http_req_failed", "rate < 10%", #{ scenario: "fine" });
    "#;
    let outcome = punk().script(script).target(&target).run();
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
    let summary = outcome.summary();
    assert_eq!(
        (&summary["thresholds"][0]["passed"], &summary["thresholds"][1]["passed"]),
        (&false.into(), &true.into())
    );
    assert!(summary["interventions"].to_string().contains("bad: ended"), "{}", outcome.told());
    // The other one had its whole time, and the run ended with it.
    let seconds = outcome.number("/duration_seconds");
    assert!((4.0..15.0).contains(&seconds), "{seconds}");
    assert!(outcome.number("/scenarios/0/iterations") > 50.0, "{}", outcome.told());
}
