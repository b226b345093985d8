//! Changing a run while it goes on: pause, resume, scale, end, stop, typed at its standard input.

use crate::builder::{punk, target};

const CLOSED: &str = r#"
    scenario("users", #{ users: 4, duration: 3.s, run: hit });
    fn hit() { http::get("TARGET/api/products"); sleep(20.ms); }
"#;

#[test]
fn in_a_pause_nothing_starts_and_no_run_time_goes_by() {
    let target = target();
    let mut running = punk().script(CLOSED).target(&target).listening().start();
    running.until("requests", |_| target.stats().requests > 20);
    running.type_line("pause");
    running.until_stderr("paused (by the terminal)");
    // What ran has ended when nothing more comes for as long as an iteration takes, many times over.
    let mut seen = 0;
    running.until("silence", |_| {
        let now = target.stats().requests;
        std::thread::sleep(std::time::Duration::from_millis(400));
        let silent = now == target.stats().requests && now == seen;
        seen = now;
        silent
    });
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(target.stats().requests, seen, "an iteration started in the pause");
    running.type_line("resume");
    running.until("requests again", |_| target.stats().requests > seen);
    let outcome = running.wait();
    outcome.assert_passed();
    // The pause was longer than the plan: by wall time nothing would have been left to do.
    let summary = outcome.summary();
    let duration = outcome.number("/duration_seconds");
    assert!((2.9..=3.9).contains(&duration), "{duration}");
    assert!(target.stats().requests > seen + 20);
    let changes: Vec<&str> =
        summary["interventions"].as_array().unwrap().iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(changes, ["paused", "resumed"]);
    assert_eq!(outcome.metric("iterations", "count") as u64, target.stats().requests);
}

#[test]
fn arrivals_stand_still_in_a_pause_and_none_is_lost() {
    let target = target();
    let script = r#"
        scenario("open", #{ rate: constant(100).hold(2.s), max_users: 10, run: hit });
        fn hit() { http::get("TARGET/api/products"); }
    "#;
    let mut running = punk().script(script).target(&target).listening().start();
    running.until("requests", |_| target.stats().requests > 20);
    running.type_line("pause");
    running.until_stderr("paused (by the terminal)");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    running.type_line("resume");
    let outcome = running.wait();
    outcome.assert_passed();
    assert_eq!(target.stats().requests, 200);
    // Nobody waited through the pause: it is no time.
    assert!(outcome.metric("iteration_lateness", "max") < 1_000.0, "{}", outcome.told());
}

#[test]
fn a_run_can_begin_paused() {
    let target = target();
    let mut running = punk().script(CLOSED).target(&target).args("--paused").listening().start();
    running.until_stderr("type `resume`");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(target.stats().requests, 0);
    running.type_line("resume");
    let outcome = running.wait();
    outcome.assert_passed();
    assert!(target.stats().requests > 50);
    // What is no pipe and no terminal cannot be waited for.
    let outcome = punk().script(CLOSED).args("--paused --commands").run();
    outcome.assert_code(103).assert_stderr("no commands can be read from standard input");
    punk().script(CLOSED).args("--paused").run().assert_code(2).assert_stderr("nobody could resume this run");
}

#[test]
fn a_paused_run_can_be_stopped() {
    let target = target();
    let script = format!("{CLOSED}\nfn teardown() {{ http::post(\"TARGET/api/reset\"); }}");
    let mut running = punk().script(&script).target(&target).args("--paused").listening().start();
    running.until_stderr("type `resume`");
    running.type_line("stop");
    let outcome = running.wait();
    outcome.assert_code(103);
    let asked: Vec<String> = target.log().into_iter().map(|entry| entry.path).collect();
    assert_eq!(asked, ["/api/reset"]);
}

#[test]
fn users_are_scaled_up_and_down() {
    let target = target();
    let script = r#"
        metric::counter("stopped");
        scenario("users", #{ users: 2, duration: 1.m, run: hit, stop: leave });
        fn hit() { http::get(`TARGET/echo/${vu::id()}`, #{ name: "hit" }); sleep(20.ms); }
        fn leave() { metric::add("stopped", 1); http::get("TARGET/status/204"); }
    "#;
    let mut running = punk().script(script).target(&target).listening().start();
    running.until("requests", |_| target.stats().requests > 10);
    running.type_line("scale users 7");
    let users = |path: &str| {
        let log = target.log();
        let ids: std::collections::BTreeSet<String> = log.into_iter().map(|entry| entry.path).collect();
        ids.iter().filter(|asked| asked.starts_with(path)).count()
    };
    running.until("seven users", |_| users("/echo/") == 7);
    running.type_line("scale users 1");
    let left = || target.log().iter().filter(|entry| entry.path == "/status/204").count();
    running.until("six have left", |_| left() == 6);
    for line in ["scale nobody 5", "scale users -1", "scale users 1.5", "jump"] {
        running.type_line(line);
    }
    running.until_stderr("`jump` is no command");
    running.type_line("end users");
    let outcome = running.wait();
    // A scenario that was ended is over; the run was not stopped.
    outcome.assert_code(0);
    assert_eq!(outcome.metric("stopped", "count"), 7.0);
    let summary = outcome.summary();
    let changes = summary["interventions"].as_array().unwrap();
    let refused: Vec<bool> = changes.iter().map(|one| one.get("refused").is_some()).collect();
    assert_eq!(refused, [false, false, true, true, false], "{changes:?}");
    assert!(outcome.stdout().contains("CHANGES"), "{}", outcome.stdout());
}

#[test]
fn a_rate_is_scaled_and_arrivals_are_counted_through_it() {
    let target = target();
    let script = r#"
        scenario("open", #{ rate: constant(0.01).hold(1.m), max_users: 50, run: hit });
        fn hit() { http::get(`TARGET/echo/${vu::arrival()}`, #{ name: "hit" }); }
    "#;
    let mut running = punk().script(script).target(&target).args("--shards 2").listening().start();
    running.until("the first", |_| target.stats().requests == 1);
    // The second arrival was 100 s away.
    running.type_line("scale open 200/s");
    running.until("requests", |_| target.stats().requests > 100);
    running.type_line("scale open 0");
    running.type_line("stop");
    let outcome = running.wait();
    outcome.assert_code(103);
    let mut numbers: Vec<u64> =
        target.log().iter().filter_map(|entry| entry.path.strip_prefix("/echo/")?.parse().ok()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
}
