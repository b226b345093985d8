//! All errors of one kind: how many, when, where, who, and what they said.

use super::kept::{Kept, Tally};
use super::pattern::{cut, pattern};
use super::timeline::Timeline;
use std::time::Duration;

/// Operations that are counted apart for each kind.
const OPERATIONS: usize = 100;
/// Scenarios that are counted apart for each kind.
const SCENARIOS: usize = 50;
/// Patterns of messages that are kept apart for each kind.
pub(super) const PATTERNS: usize = 30;
/// Users that are remembered for each kind: the last ones.
const USERS: usize = 8;
/// How much of a message is kept, in bytes.
const SAMPLE: usize = 600;

/// All errors of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorEntry {
    /// How many.
    pub count: u64,
    /// The first message.
    pub sample: String,
    /// When the first came, since the start of the run.
    pub first: Duration,
    /// When the last came.
    pub last: Duration,
    /// The operations (for script errors and checks the scenarios) that had it.
    pub operations: Kept<Box<str>, u64, OPERATIONS>,
    /// The scenarios whose users had it.
    pub scenarios: Kept<Box<str>, u64, SCENARIOS>,
    /// What the messages have in common; empty for checks, whose name says all.
    pub patterns: Kept<Box<str>, PatternEntry, PATTERNS>,
    /// When they came.
    pub timeline: Timeline,
    /// The users that had it last, each with the run time of its last one; latest first.
    users: Vec<(Duration, u64)>,
}

/// All messages of one pattern.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatternEntry {
    /// How many.
    pub count: u64,
    /// The first of them, whole.
    pub sample: String,
    /// When the first came.
    pub first: Duration,
    /// When the last came.
    pub last: Duration,
}

/// One error, as it happens.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// The operation's name, or the scenario's for script errors and checks.
    pub operation: &'a str,
    /// The scenario.
    pub scenario: &'a str,
    /// The user's number.
    pub user: u64,
    /// Run time.
    pub at: Duration,
    /// What its pattern is made of: the reason, without the address and all else that is told in other fields.
    pub reason: &'a str,
}

impl ErrorEntry {
    /// Counts one; `message` is asked for only where it may become a sample.
    pub(super) fn add(&mut self, one: &Occurrence<'_>, message: &mut dyn FnMut() -> String) {
        let is_first = self.count == 0 || one.at <= self.first;
        if is_first {
            earliest((&mut self.first, &mut self.sample), (one.at, bounded(message())), self.count == 0);
        }
        self.count += 1;
        self.last = self.last.max(one.at);
        self.operations.count(one.operation);
        self.scenarios.count(one.scenario);
        self.timeline.add(one.at);
        self.user(one.at, one.user);
        if one.reason.is_empty() {
            return;
        }
        let pattern = pattern(one.reason);
        match self.patterns.get_mut(&*pattern) {
            Some(known) if one.at > known.first => {
                known.count += 1;
                known.last = known.last.max(one.at);
            }
            _ => {
                let sample = bounded(message());
                let new = PatternEntry { count: 1, sample, first: one.at, last: one.at };
                self.patterns.add(pattern.into(), new);
            }
        }
    }

    /// The users that had it last, latest first.
    pub fn users(&self) -> impl Iterator<Item = u64> {
        self.users.iter().map(|(_, user)| *user)
    }

    fn user(&mut self, at: Duration, user: u64) {
        match self.users.iter_mut().find(|(_, known)| *known == user) {
            Some((last, _)) => *last = at.max(*last),
            None => self.users.push((at, user)),
        }
        self.users.sort_unstable_by(|one, other| other.cmp(one));
        self.users.truncate(USERS);
    }
}

impl Tally for ErrorEntry {
    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        earliest((&mut self.first, &mut self.sample), (other.first, other.sample), self.count == 0);
        self.count += other.count;
        self.last = self.last.max(other.last);
        self.operations.absorb(other.operations);
        self.scenarios.absorb(other.scenarios);
        self.patterns.absorb(other.patterns);
        self.timeline.absorb(other.timeline);
        other.users.into_iter().for_each(|(at, user)| self.user(at, user));
    }
}

impl Tally for PatternEntry {
    fn count(&self) -> u64 {
        self.count
    }

    fn absorb(&mut self, other: Self) {
        earliest((&mut self.first, &mut self.sample), (other.first, other.sample), self.count == 0);
        self.count += other.count;
        self.last = self.last.max(other.last);
    }
}

/// The sample is that of the first; of two at the same time the smaller, so that no order of adding up matters.
fn earliest(ours: (&mut Duration, &mut String), theirs: (Duration, String), is_new: bool) {
    if is_new || (theirs.0, &theirs.1) < (*ours.0, &*ours.1) {
        (*ours.0, *ours.1) = theirs;
    }
}

/// A message within bounds, cut at a character.
pub(super) fn bounded(mut message: String) -> String {
    let short = cut(&message, SAMPLE).len();
    if short < message.len() {
        message.truncate(short);
        message.push('…');
    }
    message
}
