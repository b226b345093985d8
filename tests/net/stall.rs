//! A server that freezes while users come on schedule: what punk says they waited, against what the server's own clock says they must have.
//!
//! No assertion rests on how fast this machine is. **From below** the truth is certain: who was not answered before the freeze is not answered
//! before its end, so each slot has a least waiting time, by the server's clock (which starts with the first arrival, later than the first
//! slot if anything). **From above** the log says when each answer left; a machine that is slow to read it gets the hiccups that the log itself shows.

use std::time::Duration;

use crate::builder::{Outcome, Punk, punk, target_with};
use punk::target::{Dials, RunningTarget};

/// Arrivals per second.
const RATE: u64 = 100;
/// Between two arrivals.
const SLOT_US: u64 = 1_000_000 / RATE;
/// How long they come.
const SECONDS: u64 = 2;
/// Planned arrivals.
const PLANNED: u64 = RATE * SECONDS;
/// How long the server freezes.
const FREEZE_US: u64 = 400_000;
/// Arrivals that are due in the freeze.
const FROZEN: u64 = FREEZE_US / SLOT_US;

/// A target that freezes from `at` after its first request.
fn freezing(at: &str) -> RunningTarget {
    let stall = format!("first+{at}+{}us", FREEZE_US).parse().expect("the text form of a stall");
    target_with(Dials { stall: Some(stall), ..Dials::default() })
}

/// The run: one GET per arrival.
fn steady(target: &RunningTarget, max_users: u32, more: &str) -> Punk {
    punk().target(target).script(&format!(
        "options(#{{\n\
           base_url: env(\"BASE_URL\", \"http://nobody\"),\n\
           summary: #{{ trend_stats: [\"count\", \"p(90)\", \"p(95)\", \"p(99)\", \"max\"] }},\n\
         }});\n\
         scenario(\"steady\", #{{ rate: {RATE}, duration: {SECONDS}.s, max_users: {max_users}, run: visit, {more} }});\n\
         fn visit() {{ http::get(\"/\"); }}\n"
    ))
}

/// Waiting times of the whole schedule in milliseconds, ascending.
struct Truth {
    /// What nobody can have waited less than, counted from the slot.
    least: Vec<f64>,
    /// What no request can have taken less than, counted from its sending: how long the server held it.
    held: Vec<f64>,
    /// What the server's log says they waited until their answer left.
    left: Vec<f64>,
    /// How late anything was that the freeze does not explain.
    hiccup: f64,
}

impl Truth {
    fn of(target: &RunningTarget) -> Self {
        let log = target.log();
        assert_eq!(log.len() as u64, PLANNED, "every planned arrival reached the server");
        let (from, to) = target.stats().stall_us.expect("there was a first request");
        let begin = log[0].at_us;
        let millis = |us: u64| us as f64 / 1e3;
        let (mut least, mut held, mut left, mut hiccup) = (Vec::new(), Vec::new(), Vec::new(), 0.0_f64);
        // The server's clock starts with the first arrival, which is later than the first slot: one that seems to lie in the freeze may have
        // been answered before. How many were, the log says; all others that were due before its end have waited for it, but one at the very
        // edge, which may have been let go before the freeze and written down after its begin.
        let before = log.iter().filter(|entry| entry.at_us + entry.held_us < from).count();
        for (k, entry) in log.iter().enumerate() {
            let slot = begin + k as u64 * SLOT_US;
            let frozen = k > before && slot < to;
            least.push(if frozen { millis(to - slot) } else { 0.0 });
            let waited = millis((entry.at_us + entry.held_us).saturating_sub(slot).max(entry.held_us));
            left.push(waited);
            held.push(millis(entry.held_us));
            let explained = least.last().copied().unwrap_or_default();
            // One user works off what has piled up for a while after the freeze: that is no hiccup, and stands in `left`.
            if slot < to {
                hiccup = hiccup.max(waited - explained);
            }
        }
        least.sort_by(f64::total_cmp);
        held.sort_by(f64::total_cmp);
        left.sort_by(f64::total_cmp);
        Self { least, held, left, hiccup }
    }

    /// Holds a trend of the summary against it.
    #[track_caller]
    fn assert_told_by(&self, outcome: &Outcome, metric: &str, floor: &[f64]) {
        let at = |list: &[f64], share: f64| list[((share * list.len() as f64).ceil() as usize).max(1) - 1];
        for (name, share) in [("p(90)", 0.9), ("p(95)", 0.95), ("p(99)", 0.99), ("max", 1.0)] {
            let told = outcome.metric(metric, name);
            let (least, left) = (at(floor, share), at(&self.left, share));
            // A millisecond for roundings to microseconds and to the histogram's third digit.
            assert!(
                told >= least - 1.0,
                "{metric} {name}: {told} ms, but nobody waited less than {least} ms\n{}",
                outcome.told()
            );
            // Far below a freeze that is counted twice, far above what the way back takes.
            let most = left * 1.02 + 2.0 * self.hiccup + 100.0;
            assert!(
                told <= most,
                "{metric} {name}: {told} ms, but the answer left after {left} ms\n{}",
                outcome.told()
            );
        }
    }
}

/// A whole run; nothing is dropped, and the scheduled figures are those of the server's clock.
#[track_caller]
fn assert_told(at: &str, max_users: u32) -> (RunningTarget, Outcome) {
    let target = freezing(at);
    let outcome = steady(&target, max_users, "").run();
    outcome.assert_passed();
    for metric in ["http_req_scheduled_duration", "iteration_scheduled_duration", "iteration_lateness"] {
        assert_eq!(
            outcome.metric(metric, "count"),
            PLANNED as f64,
            "{metric}: one for each arrival\n{}",
            outcome.told()
        );
    }
    let truth = Truth::of(&target);
    truth.assert_told_by(&outcome, "http_req_scheduled_duration", &truth.least);
    truth.assert_told_by(&outcome, "iteration_scheduled_duration", &truth.least);
    (target, outcome)
}

#[test]
fn in_the_middle_with_fewer_users_than_are_due() {
    let (_target, outcome) = assert_told("800ms", 10);
    // Ten of 200 requests were in the freeze. What waited for a user waited in no request: the plain figure does not know of it.
    let plain = outcome.metric("http_req_duration", "p(90)");
    let scheduled = outcome.metric("http_req_scheduled_duration", "p(90)");
    assert!(plain < scheduled, "plain {plain}, scheduled {scheduled}\n{}", outcome.told());
    // Who waits for a user starts late, and says so.
    assert!(outcome.metric("iteration_lateness", "p(90)") > plain, "{}", outcome.told());
}

#[test]
fn at_the_start_with_one_user() {
    assert_told("100ms", 1);
}

#[test]
fn at_the_end_with_a_few_users() {
    assert_told("1500ms", 5);
}

#[test]
fn with_users_enough_both_figures_say_the_same() {
    let (target, outcome) = assert_told("800ms", PLANNED as u32);
    // Nobody waits for a user, so the requests themselves are what waits.
    let truth = Truth::of(&target);
    truth.assert_told_by(&outcome, "http_req_duration", &truth.held);
    assert_eq!(outcome.metric("http_reqs", "count"), PLANNED as f64);
}

#[test]
fn dropped_arrivals_are_counted() {
    let target = freezing("800ms");
    let outcome = steady(&target, 5, "late: \"drop\"").run();
    let (dropped, sent) = (outcome.metric("dropped_iterations", "count"), target.stats().requests);
    assert_eq!(dropped + sent as f64, PLANNED as f64, "{}", outcome.told());
    // Five users are held until the end of the freeze; a slot may lie on either edge of it.
    assert!(dropped >= (FROZEN - 5 - 2) as f64, "{dropped}\n{}", outcome.told());
    assert_eq!(outcome.metric("http_req_scheduled_duration", "count"), sent as f64);
}

#[test]
fn what_waits_when_the_schedule_ends_is_counted_not_lost() {
    // The freeze outlasts the schedule: five users are in it, the others' turn never comes.
    let target = freezing("1800ms");
    let outcome = steady(&target, 5, "").run();
    let (dropped, sent) = (outcome.metric("dropped_iterations", "count"), target.stats().requests);
    assert_eq!(dropped + sent as f64, PLANNED as f64, "{}", outcome.told());
    assert!(dropped >= 1.0, "{}", outcome.told());
    assert_eq!(outcome.metric("http_req_scheduled_duration", "count"), sent as f64, "the five are waited for");
    assert!(outcome.took() > Duration::from_secs(SECONDS));
}
