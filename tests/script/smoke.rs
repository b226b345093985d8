//! The builder itself: a script runs against an in-process target, a hanging process is ended.

use std::time::Duration;

use crate::builder::{punk, target};
use rustix::process::Signal;

#[test]
fn a_script_runs_against_the_target() {
    let target = target();
    let outcome =
        punk().script(r#"fn run() { http::get("TARGET/api/products"); }"#).target(&target).args("-u2 -i10").run();
    outcome.assert_passed();
    assert_eq!(target.stats().requests, 10, "{}", outcome.told());
}

#[test]
fn a_running_process_takes_signals() {
    let target = target();
    let mut running = punk()
        .script(r#"fn run() { http::get("TARGET/api/products"); sleep(10.ms); }"#)
        .target(&target)
        .args("-d1m")
        .start();
    running.until("a request", |_| target.stats().requests > 0);
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(105);
    assert!(outcome.has_summary());
}

#[test]
#[should_panic(expected = "did not end in time")]
fn a_process_that_hangs_is_ended() {
    punk().script("fn run() { sleep(10.s); }").args("-d1m").patience(Duration::from_millis(300)).run();
}
