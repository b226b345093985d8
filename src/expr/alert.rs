//! An alert as declared: what rings, when it stops ringing, and who is told.
//!
//! Made by `script/` for every `alert(…)`, or from the words of an edit; kept in the Plan. It keeps no state: whether it
//! rings is the engine's to know.

use std::fmt;
use std::time::Duration;

use super::rule::{check, lasting, sound};
use super::{Catalog, Condition, Part, Problem, ProblemKind, Receiver};
use crate::diagnostic::Span;
use crate::units::duration;

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
    /// All, from the mildest.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

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

/// What `alert` says beside the name and `when`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlertOptions {
    /// For how long it must be true before it rings; at once without.
    pub lasting: Option<Duration>,
    /// What must be true for it to be resolved.
    pub resolve_when: Option<String>,
    /// For how long that must last; as long as `lasting` without.
    pub resolve_after: Option<Duration>,
    /// How bad it is when it rings.
    pub severity: AlertSeverity,
    /// What has happened, for people.
    pub description: String,
    /// What to do about it.
    pub resolution: String,
    /// Who is told, beside the log.
    pub notify: Vec<Receiver>,
    /// Whether the script does something when it rings.
    pub acts: bool,
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

impl AlertRule {
    /// What it asks: what makes it ring, and what resolves it where that is something of its own.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        std::iter::once(&self.condition).chain(self.resolve_when.iter().map(|(_, condition)| condition))
    }

    /// The longest window that it asks for.
    pub fn window(&self) -> Option<Duration> {
        self.conditions().filter_map(Condition::window).max()
    }

    /// Checks an alert. The language is that of thresholds without a selector: every method says `of` which metric. The problems
    /// are warnings beside a rule, and hold at least one error without one; those of `when` come first.
    pub fn parse(
        name: &str,
        when: &str,
        options: AlertOptions,
        span: Option<Span>,
        catalog: Catalog<'_>,
    ) -> (Option<Self>, Vec<Problem>) {
        let (condition, mut problems) = check(when, None, None, catalog);
        let rings = lasting(condition.as_ref(), options.lasting, "lasting", &mut problems).unwrap_or_default();
        let mut resolve_when = None;
        let mut calm = options.resolve_after;
        if let Some(text) = &options.resolve_when {
            let (condition, found) = check(text, None, None, catalog);
            problems.extend(found.into_iter().map(|problem| Problem { part: Part::Resolve, ..problem }));
            calm = lasting(condition.as_ref(), calm, "resolve_after", &mut problems).or(calm);
            resolve_when = condition.map(|condition| (text.trim().to_owned(), condition));
        }
        if name.trim().is_empty() {
            problems.push(Problem::in_option(ProblemKind::NoName, "name"));
        }
        let faults = options.notify.iter().filter_map(Receiver::fault);
        problems.extend(faults.map(|fault| Problem::in_option(fault, "notify")));
        // How long is said beside it, so that whoever judges asks one place.
        let bare = |condition: Condition| Condition { lasting: None, ..condition };
        let rule = condition.map(|condition| Self {
            name: name.to_owned(),
            source: when.trim().to_owned(),
            condition: bare(condition),
            lasting: rings,
            resolve_when: resolve_when.map(|(text, condition)| (text, bare(condition))),
            resolve_after: calm.unwrap_or(rings),
            severity: options.severity,
            description: options.description,
            resolution: options.resolution,
            notify: options.notify,
            acts: options.acts,
            span,
        });
        sound(rule, problems)
    }

    /// What is said of it, in the words of scripts; what is as usual is left out.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let time = |time: Duration| duration::print(time);
        let mut said = vec![("when", self.source.clone()), ("severity", self.severity.to_string())];
        let mut add = |key, there: bool, text: &dyn Fn() -> String| {
            if there {
                said.push((key, text()));
            }
        };
        add("lasting", !self.lasting.is_zero(), &|| time(self.lasting));
        add("resolve_when", self.resolve_when.is_some(), &|| {
            self.resolve_when.as_ref().map(|(text, _)| text.clone()).unwrap_or_default()
        });
        add("resolve_after", self.resolve_after != self.lasting, &|| time(self.resolve_after));
        add("description", !self.description.is_empty(), &|| self.description.clone());
        add("resolution", !self.resolution.is_empty(), &|| self.resolution.clone());
        add("then", self.acts, &|| "a closure".to_owned());
        add("notify", !self.notify.is_empty(), &|| {
            self.notify.iter().map(Receiver::shown).collect::<Vec<_>>().join(", ")
        });
        said
    }
}
