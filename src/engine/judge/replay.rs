//! Looking back: what a rule would have said, had it been there from the begin.
//!
//! Done once for each rule that an edit brings, over the slices that the History keeps: every second of the last minutes, then
//! every ten, and so on. Nothing is sent from here: what is past rings no bell and ends no run.

use super::bell::{Bell, Edge};
use super::memory::Memory;
use super::term::Term;
use crate::engine::window::{Eyes, Stretch};
use crate::expr::{Condition, Moment, ThresholdRule};
use crate::metrics::History;
use crate::snapshot::Snapshot;
use std::cell::RefCell;
use std::sync::PoisonError;
use std::time::Duration;

/// Moments that a rule with a line through its slices looks back at: each costs sixty windows.
const LINES: usize = 120;

/// Where slices end, in order.
fn moments(history: &History) -> Vec<Duration> {
    let mut moments = Vec::new();
    for span in history.spans() {
        let mut end = span.from + span.step;
        while end <= span.to {
            moments.push(end);
            end += span.step;
        }
    }
    moments
}

/// The moments of the past that a condition is judged at.
fn looked_at(snapshot: &Snapshot, condition: &Condition) -> Vec<Duration> {
    let history = snapshot.history.read().unwrap_or_else(PoisonError::into_inner);
    let mut all = moments(&history);
    if condition.has_line() {
        all.drain(..all.len().saturating_sub(LINES));
    }
    all
}

/// What a threshold would have said so far.
pub(super) fn threshold(rule: &ThresholdRule, snapshot: &Snapshot, term: Term) -> Memory {
    let eyes = RefCell::new(Eyes::default());
    let mut memory = Memory::default();
    let lasting = rule.condition.lasting.unwrap_or_default();
    for at in looked_at(snapshot, &rule.condition) {
        if rule.condition.window().is_some_and(|window| !term.holds(at, window) || at < rule.options.grace) {
            continue;
        }
        let then = Stretch::new(snapshot, Duration::MAX, at, Some(&eyes));
        let judgement = rule.judge(&then, Moment::Running);
        memory.see(at, judgement, lasting, |judgement| rule.condition.show(judgement));
    }
    memory
}

/// When an alert would have rung so far, told to the bell itself.
pub(super) fn alert(bell: &mut Bell, snapshot: &Snapshot, term: Term) {
    let eyes = RefCell::new(Eyes::default());
    let rule = bell.rule.clone();
    let mut past = Bell::new(rule.clone(), 0, Duration::ZERO);
    let resolve = rule.resolve_when.as_ref().map(|(_, condition)| condition);
    let window = rule.window();
    for at in looked_at(snapshot, &rule.condition) {
        if window.is_some_and(|window| !term.holds(at, window)) {
            continue;
        }
        let then = Stretch::new(snapshot, Duration::MAX, at, Some(&eyes));
        let when = rule.condition.judge(&then, Moment::Running);
        let resolved = resolve.map(|condition| condition.judge(&then, Moment::Running));
        if past.turn(at, when, resolved) == Some(Edge::Fires) {
            bell.would_have(at);
        }
    }
}

/// The longest slice that is kept: the precision of what is said about the oldest part of the run.
pub(super) fn precision(snapshot: &Snapshot) -> Duration {
    let history = snapshot.history.read().unwrap_or_else(PoisonError::into_inner);
    history.spans().first().map_or(Duration::ZERO, |span| span.step)
}
