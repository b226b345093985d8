//! The one door: every way to change a running run is a [`Command`], whoever asks.

use crate::expr::Rules;
use crate::plan::Plan;
use std::fmt;
use std::sync::Arc;

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
    /// Whoever saved the script, or a file that it imports.
    File,
    /// The `then` of an alert, by its name.
    Alert(String),
    /// `--rollback-on-errors`, because an edit of code made errors.
    Rollback,
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
            Author::File => "the file",
            Author::Rollback => "the rollback",
            Author::Alert(name) => return write!(out, "the alert `{name}`"),
        })
    }
}

/// A Plan that shall take the place of the one that runs. Two are the same only when they are one.
#[derive(Clone)]
pub struct Edited(pub Arc<Plan>);

impl fmt::Debug for Edited {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Edited")
    }
}

impl PartialEq for Edited {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Somebody who wants to know what came of a [`Command`]. Two are the same only when they are one.
#[derive(Clone)]
pub struct Reply(Arc<dyn Fn(Outcome) + Send + Sync>);

/// What came of a Command, in words: what was done, or why it was not.
pub type Outcome = Result<String, String>;

impl Reply {
    /// `tell` is called once, by whoever obeys, and must not wait for anything.
    pub fn new(tell: impl Fn(Outcome) + Send + Sync + 'static) -> Self {
        Reply(Arc::new(tell))
    }

    /// Says what came of it.
    pub fn tell(&self, outcome: Outcome) {
        (self.0)(outcome);
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reply")
    }
}

impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
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
    /// The script was edited and compiles: what of it can change in a run does.
    Edit {
        /// Who.
        by: Author,
        /// All of it.
        plan: Edited,
    },
    /// The rules were edited, and nothing else.
    Rules {
        /// Who.
        by: Author,
        /// The revision that they were made from; another one that is current refuses them. `None` takes whatever is current.
        base: Option<u64>,
        /// All of them.
        rules: Arc<Rules>,
    },
    /// The code is again what it was before its last edit; nothing else changes.
    Rollback {
        /// The revision of the code that is to go; another one that is current stays.
        code: u64,
        /// Why.
        why: String,
    },
    /// An edit cannot be read: nothing changes, and everybody shall see why until it is mended.
    BrokenEdit {
        /// Who.
        by: Author,
        /// The diagnostics, without colour; `None` when it is mended without any change.
        text: Option<String>,
    },
    /// A summary of this moment shall be kept beside that of the end.
    Capture {
        /// Who.
        by: Author,
        /// Why.
        why: String,
    },
    /// Somebody has seen that an alert rings.
    Acknowledge {
        /// Through whom.
        by: Author,
        /// Which ringing: `slow tail#2`.
        alert: String,
        /// Who, as they call themselves.
        who: String,
    },
    /// Another Command, of which somebody wants to know what came.
    Asked {
        /// Which.
        command: Box<Command>,
        /// Who is told.
        reply: Reply,
    },
    /// The script says that the run failed; it goes on.
    MarkFailed {
        /// Why.
        why: String,
    },
}
