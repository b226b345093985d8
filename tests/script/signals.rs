//! Signals: the first INT or TERM drains, the second ends at once, USR1 asks for an interim report; whatever comes, a report is written.

use std::time::Duration;

use crate::builder::{punk, target};
use rustix::process::Signal;

const WORK: &str = r#"
    fn run() { http::get("TARGET/api/products"); sleep(300.ms); http::get("TARGET/api/cart"); }
    fn teardown() { http::post("TARGET/api/reset"); }
"#;

#[test]
fn the_first_signal_drains_and_tears_down() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let target = target();
        let mut running = punk().script(WORK).target(&target).args("-u3 -d1m").start();
        running.until("requests", |_| target.stats().requests >= 3);
        running.send(signal);
        let outcome = running.wait();
        outcome.assert_code(105);
        let log = target.log();
        let asked = |path: &str| log.iter().filter(|entry| entry.path == path).count();
        // Iterations that had begun were ended: each first request has its second.
        assert_eq!(asked("/api/products"), asked("/api/cart"), "{signal:?}");
        assert_eq!((asked("/api/reset"), log.last().map(|entry| entry.path.as_str())), (1, Some("/api/reset")));
        assert_eq!(outcome.metric("iterations", "count") as usize, asked("/api/cart"));
        assert_eq!(outcome.summary()["scenarios"][0]["interrupted"], 0);
        assert!(outcome.took() < Duration::from_secs(20), "{:?}", outcome.took());
    }
}

#[test]
fn the_second_signal_ends_now_with_a_partial_report() {
    let target = target();
    let script = "fn run() { http::get(\"TARGET/api/products\"); sleep(10.m); }\nfn teardown() { http::post(\"TARGET/api/reset\"); }";
    let mut running = punk().script(script).target(&target).args("-u3 -d1m").start();
    running.until("requests", |_| target.stats().requests == 3);
    running.send(Signal::INT);
    running.until_stderr("interrupt again to end now");
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(130);
    assert!(outcome.took() < Duration::from_secs(15), "{:?}", outcome.took());
    assert_eq!(outcome.metric("http_reqs", "count"), 3.0);
    assert_eq!(outcome.summary()["scenarios"][0]["interrupted"], 3);
    assert_eq!(target.stats().requests, 3, "teardown must not run");
}

#[test]
fn the_grace_time_ends_what_does_not_end_by_itself() {
    let target = target();
    let script =
        "fn run() { http::get(\"TARGET/api/products\"); try { sleep(10.m); } catch { http::get(\"TARGET/caught\"); } }";
    let mut running = punk().script(script).target(&target).args("-u2 -d1m --graceful-stop 200ms").start();
    running.until("requests", |_| target.stats().requests == 2);
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(105);
    assert_eq!(outcome.summary()["scenarios"][0]["interrupted"], 2);
    assert_eq!(target.stats().requests, 2, "`try` must not catch the end");
}

#[test]
fn a_signal_during_setup_ends_the_run_before_it_begins() {
    let target = target();
    let script = "fn setup() { http::get(\"TARGET/api/products\"); sleep(500.ms); }\nfn run() { http::get(\"TARGET/api/cart\"); }";
    let mut running = punk().script(script).target(&target).args("-u2 -d1m").start();
    running.until("setup", |_| target.stats().requests == 1);
    running.send(Signal::INT);
    running.wait().assert_code(105);
    assert_eq!(target.stats().requests, 1);
}

#[test]
fn usr1_asks_for_a_report_in_between() {
    let target = target();
    let mut running = punk().script(WORK).target(&target).args("-u1 -d1m").start();
    running.until("requests", |_| target.stats().requests >= 2);
    running.send(Signal::USR1);
    running.until_stdout("SCENARIOS");
    let before = target.stats().requests;
    running.until("the run to go on", |_| target.stats().requests > before + 1);
    running.send(Signal::TERM);
    running.wait().assert_code(105);
}
