//! The one door: every way to change a running run is a [`Command`], whoever asks.

use std::fmt;

/// Who asked, for the log and the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A signal: Ctrl-C, `kill`.
    Signal,
    /// The monitor's API.
    Api,
    /// The script itself: `abort(…)`.
    Script,
    /// A threshold with `abort: true`.
    Threshold,
    /// A line typed at the terminal.
    Terminal,
    /// A load that steers itself: `adaptive`, `find_capacity`.
    Load,
}

impl fmt::Display for Author {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Author::Signal => "a signal",
            Author::Api => "the API",
            Author::Script => "the script",
            Author::Threshold => "a threshold",
            Author::Terminal => "the terminal",
            Author::Load => "the load itself",
        })
    }
}

/// A request to change a running run.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// No new iterations; running ones may end within their graceful stop; then teardown and report.
    Stop {
        /// Who.
        by: Author,
        /// Why, for the report: the breached threshold, the script's message.
        why: String,
    },
    /// Interrupt everything now, without teardown, and still report.
    Kill {
        /// Who.
        by: Author,
    },
    /// No iteration starts any more and the run's clock stands still; iterations that run may end.
    Pause {
        /// Who.
        by: Author,
    },
    /// The end of a pause.
    Resume {
        /// Who.
        by: Author,
    },
    /// Another target for a scenario's load: from now on, and as long as its plan lasts.
    Scale {
        /// Who.
        by: Author,
        /// The scenario's name.
        scenario: String,
        /// Users, or iterations per second, whichever its plan has.
        to: f64,
    },
    /// The end of [`Command::Scale`]: the load is again what the plan says of this moment.
    Replan {
        /// Who.
        by: Author,
        /// The scenario's name.
        scenario: String,
    },
    /// Nothing changes, but the report shall say that somebody could not do what was wanted.
    Note {
        /// Who.
        by: Author,
        /// What was wanted.
        what: String,
        /// Why it could not be done.
        why: String,
    },
    /// One scenario starts no new iterations; what runs of it may end within its graceful stop.
    End {
        /// Who.
        by: Author,
        /// The scenario's name.
        scenario: String,
        /// Why, for the report.
        why: String,
    },
    /// The script says that the run failed; it goes on.
    MarkFailed {
        /// Why.
        why: String,
    },
}
