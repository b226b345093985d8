//! An alert as declared: what rings, when it stops ringing, and who is told.
//!
//! Made by `script/` for every `alert(…)`, or from the words of an edit; kept in the Plan. It keeps no state: whether it
//! rings is the engine's to know.

use std::fmt;
use std::time::Duration;

use super::Condition;
use crate::diagnostic::Span;

/// How bad it is when an alert rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum AlertSeverity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    #[default]
    Warning,
    /// Something is broken.
    Error,
    /// Wake somebody.
    Critical,
}

impl AlertSeverity {
    /// The word of scripts and of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for AlertSeverity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// Somebody who is told of an alert by a POST of JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Receiver {
    /// Where to.
    pub url: String,
    /// Sent with it, such as `Authorization`; never shown.
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Receiver").field("url", &self.url).field("headers", &self.headers.len()).finish()
    }
}

/// One alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Its name, by which it is the same across edits.
    pub name: String,
    /// What must be true for it to ring, as written.
    pub source: String,
    /// The same, checked. It rings while this **holds**: the opposite of a threshold.
    pub condition: Condition,
    /// For how long it must be true before it rings; at once when zero. A trailing `for` of the expression stands here.
    pub lasting: Duration,
    /// Hysteresis: what must be true for it to be resolved, as written and checked. Without it: that `condition` is not.
    pub resolve_when: Option<(String, Condition)>,
    /// For how long that must last.
    pub resolve_after: Duration,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// What has happened, for people.
    pub description: String,
    /// What to do about it.
    pub resolution: String,
    /// Who is told, beside the log.
    pub notify: Vec<Receiver>,
    /// Whether it has a `then`, which the script keeps.
    pub acts: bool,
    /// Where it stands in the script; `None` for one from elsewhere.
    pub span: Option<Span>,
}
