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
}

impl fmt::Display for Author {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Author::Signal => "a signal",
            Author::Api => "the API",
            Author::Script => "the script",
            Author::Threshold => "a threshold",
        })
    }
}

/// A request to change a running run.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The script says that the run failed; it goes on.
    MarkFailed {
        /// Why.
        why: String,
    },
}
