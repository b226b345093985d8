//! What a rule says at one tick: thresholds and alerts as they stand in a Snapshot.
//!
//! Made by the engine's judge, shown by whoever looks at a run.

use crate::expr::{AlertSeverity, Receiver};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// One threshold as judged on this Snapshot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// The selector as written; the name of a threshold that is a closure.
    pub selector: String,
    /// The expression as written.
    pub expression: String,
    /// Whether it is a closure of the script, which says yes or no and has no value.
    pub closure: bool,
    /// The scenario that the rule is narrowed to.
    pub scenario: Option<String>,
    /// `fail` or `warn`.
    pub severity: &'static str,
    /// Whether a breach ends the run, or the scenario.
    pub abort: bool,
    /// The verdict so far; `None` while there is no data. What has a window, or a `for`, stays broken once it was.
    pub passed: Option<bool>,
    /// What it would say if the run ended now, where it says nothing yet: a Counter that counted nothing is 0 then. `None` where
    /// that would be no data either, and of a closure, which is asked at the end.
    pub ended_now: Option<bool>,
    /// Whether it holds at this moment; `None` while there is no data.
    pub holds: Option<bool>,
    /// The value that `passed` rests on, in the metric's unit.
    pub observed: Option<f64>,
    /// The same for people, with its unit.
    pub observed_text: Option<String>,
    /// The value of this moment for people, where it is another one.
    pub now_text: Option<String>,
    /// How far the value of this moment is from failing, as a share of the limit: 0.25 is a quarter of the limit away, below 0 it
    /// is broken. `None` without data, or with a limit of 0.
    pub distance: Option<f64>,
    /// Run time of the first breach.
    pub first_breach: Option<Duration>,
    /// Run time at which it last came to hold again after a breach.
    pub recovered: Option<Duration>,
    /// When it was broken, in order; the first ones where there were very many.
    pub breaches: Vec<Breach>,
    /// How often it came to be broken.
    pub breach_count: u64,
    /// The revision that brought it, as it stands.
    pub revision: u64,
    /// Run time at which it came: what it says of the time before, it would have said.
    pub since: Duration,
    /// Anything to tell beside the verdict, such as near selectors when there was no data.
    pub note: Option<String>,
}

impl Verdict {
    /// What it says, or would say if the run ended now; `None` where it would have had no data.
    pub fn at_end(&self) -> Option<bool> {
        self.passed.or(self.ended_now)
    }

    /// The value that `passed` rests on, for people; what a closure said. `None` without data.
    pub fn decided(&self) -> Option<String> {
        match (self.closure, self.passed) {
            (true, passed) => passed.map(|passed| passed.to_string()),
            _ => self.observed_text.clone(),
        }
    }
}

/// A stretch of the run in which a threshold was broken.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// Run time at which it began.
    pub from: Duration,
    /// Run time at which it was over; `None` while it lasts.
    pub to: Option<Duration>,
    /// The value that began it, for people.
    pub observed_text: String,
}

/// Where an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertPhase {
    /// Nothing has happened.
    #[default]
    Quiet,
    /// It is true, and has not lasted long enough.
    Pending,
    /// It rings.
    Firing,
    /// It rang, and is over.
    Resolved,
}

impl AlertPhase {
    /// The word of the API and the report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert as it stands on this Snapshot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlertState {
    /// Its name.
    pub name: String,
    /// What must be true, as written.
    pub when: String,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What has happened, for people.
    pub description: String,
    /// What to do about it.
    pub resolution: String,
    /// Where it is.
    pub phase: AlertPhase,
    /// Run time at which it came there.
    pub since: Duration,
    /// How often it rang.
    pub fired: u64,
    /// The value of this moment, in the metric's unit; `None` without data.
    pub value: Option<f64>,
    /// The same for people.
    pub value_text: Option<String>,
    /// Who has seen that it rings.
    pub acknowledged_by: Option<String>,
    /// Run times at which it would have rung before it was declared.
    pub would_have: Vec<Duration>,
    /// The revision that brought it, as it stands.
    pub revision: u64,
}

/// An alert rang, or was over: one edge.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEvent {
    /// Grows by one with each event of the run.
    pub number: u64,
    /// The same for the ringing and for its end, unique in the run: `slow tail#2`.
    pub id: String,
    /// The alert's name.
    pub name: String,
    /// Whether it rings; else it is over.
    pub firing: bool,
    /// Run time.
    pub at: Duration,
    /// Wall time.
    pub time: SystemTime,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What must be true, as written.
    pub when: String,
    /// The value that decided, in the metric's unit.
    pub value: Option<f64>,
    /// The same for people.
    pub value_text: Option<String>,
    /// What has happened, for people.
    pub description: String,
    /// What to do about it.
    pub resolution: String,
    /// Why it is over, where it is not that its condition is: `removed by revision 3`.
    pub because: Option<String>,
    /// Who has seen that it rings; of the edge that began it alone, and kept when it rings again.
    pub acknowledged_by: Option<String>,
    /// Who is told, of the alert as it was declared at that moment. Never shown: addresses and headers are secrets.
    pub notify: Arc<[Receiver]>,
}
