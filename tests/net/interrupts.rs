//! Counts conserve, and a report is written, however a run is ended.

use std::time::{Duration, Instant};

use super::accounts::Account;
use super::once;
use crate::builder::{Outcome, target_with};
use punk::target::{Dials, RunningTarget};
use rustix::process::Signal;

/// Ten users with requests of 60 ms, ended by these signals, the first after some answers, the others as soon as the one before has
/// been taken; and how long it lived after the last.
#[track_caller]
fn ended_by(signals: &[Signal], flags: &str, options: &str, body: &str) -> (Outcome, RunningTarget, Duration) {
    let target = target_with(Dials { latency: "60ms".parse().expect("a latency"), ..Dials::default() });
    let mut running = once(&target, options, body).args("-u10 -d1m").args(flags).start();
    running
        .until("answers, and requests in flight", |_| target.stats().answered() >= 10 && target.stats().in_flight >= 5);
    let mut asked = Instant::now();
    for (at, signal) in signals.iter().enumerate() {
        running.send(*signal);
        asked = Instant::now();
        if at == 0 {
            running.until_stderr("stopping");
        }
    }
    let outcome = running.wait();
    let took = asked.elapsed();
    assert!(outcome.has_summary(), "{}", outcome.told());
    (outcome, target, took)
}

const GET: &str = r#"http::get("/api/products");"#;
/// The second one is still waiting whenever the run ends.
const LONG: &str = r#"http::get("/api/products"); http::get("/delay/20000");"#;
const BATCH: &str = r#"http::get("/api/products"); http::batch(["/delay/20000", "/echo", "/delay/20000"]);"#;

#[test]
fn an_interrupt_drains() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (outcome, target, took) = ended_by(&[signal], "", "", GET);
        outcome.assert_code(105);
        let account = Account::of(&outcome, &target);
        account.assert_equal_by_status();
        assert_eq!((account.interrupted, account.failed), (0, 0), "what ran was waited for");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn what_outlives_the_grace_is_interrupted_and_counted() {
    for (options, body) in [("", LONG), ("", BATCH), (r#"http: "2""#, LONG), (r#"http: "2""#, BATCH)] {
        let (outcome, target, took) = ended_by(&[Signal::INT], "--graceful-stop 20ms", options, body);
        outcome.assert_code(105);
        let account = Account::of(&outcome, &target);
        account.assert_differs_by_what_was_given_up();
        assert!(account.interrupted > 0, "{options} {body}: {account:#?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_still_reports() {
    for signals in [[Signal::INT, Signal::INT], [Signal::TERM, Signal::INT]] {
        let (outcome, target, took) = ended_by(&signals, "", "", LONG);
        outcome.assert_code(130);
        let account = Account::of(&outcome, &target);
        account.assert_differs_by_what_was_given_up();
        assert!(account.interrupted > 0, "{account:#?}");
        assert!(took < Duration::from_secs(5), "it waited for its users: {took:?}");
    }
}

#[test]
fn interrupted_requests_are_nobodys_failure() {
    let (outcome, target, _) = ended_by(&[Signal::INT], "--graceful-stop 20ms", "", LONG);
    let account = Account::of(&outcome, &target);
    assert!(account.interrupted > 0, "{account:#?}");
    assert_eq!(outcome.metric("http_req_failed", "passes"), 0.0, "{}", outcome.told());
    assert_eq!(outcome.metric("http_req_duration", "count") as u64, account.total - account.interrupted);
    assert_eq!(outcome.metric("iterations", "count"), 0.0, "none ran to its end");
}
