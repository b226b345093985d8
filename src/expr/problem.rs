//! Everything that can be wrong with a threshold, as data: what, where, and what would be right.
//!
//! Made by the lexer, the parser, the selector and the type check; turned into a [`Diagnostic`] here, with the place in the
//! script that the script layer knows.

use super::syntax::{Method, Sign};
use super::types::methods_of;
use super::{Dimension, Feature, Part, Place};
use crate::diagnostic::{Diagnostic, Severity, Span, did_you_mean};
use crate::metrics::MetricKind;

/// What is wrong. Messages are lowercase fragments.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProblemKind {
    /// Nothing to judge.
    #[error("the expression is empty")]
    EmptyExpression,
    /// A character that no expression has.
    #[error("unexpected character `{character}` in an expression")]
    UnexpectedCharacter {
        /// The character.
        character: char,
    },
    /// Signs that look like an operator and are none.
    #[error("unknown operator `{written}`")]
    UnknownOperator {
        /// As written.
        written: String,
    },
    /// The grammar needs something else here.
    #[error("expected {expected}, found {}", found.as_deref().unwrap_or("the end"))]
    Expected {
        /// What it needs.
        expected: &'static str,
        /// What stands there, quoted; `None` at the end.
        found: Option<String>,
    },
    /// The threshold is complete, yet more follows.
    #[error("unexpected {found} behind the expression")]
    Trailing {
        /// The first of what follows, quoted.
        found: String,
    },
    /// Something behind `over` or `for`, which end a threshold.
    #[error("unexpected {found} behind `over` or `for`")]
    BehindClause {
        /// The first of what follows, quoted.
        found: String,
    },
    /// `over 30s over 1m`
    #[error("`{word}` is given twice")]
    ClauseTwice {
        /// Which.
        word: &'static str,
    },
    /// `over soon`, `for`
    #[error("{}", written.as_ref().map_or(format!("`{word}` needs a duration"), |text| format!("`{text}` is no duration for `{word}`")))]
    BadDuration {
        /// Of what.
        word: &'static str,
        /// As written, if anything was.
        written: Option<String>,
        /// What would be right, if units knows.
        help: Option<String>,
    },
    /// `slope(p(95))`
    #[error("`{word}` needs one window")]
    NoWindow {
        /// `slope` or `forecast`.
        word: &'static str,
    },
    /// A slope of a slope.
    #[error("`{word}` cannot be taken of this")]
    NoLine {
        /// `slope` or `forecast`.
        word: &'static str,
    },
    /// `p(95) of http_req_duration + count of http_reqs`
    #[error("{} and {} cannot be joined by `{sign}`", left.words(), right.words())]
    NoArithmetic {
        /// What stands on the left.
        left: Dimension,
        /// The operator.
        sign: Sign,
        /// What stands on the right.
        right: Dimension,
    },
    /// `(p(95) < 300ms) + 5`
    #[error("a number should stand here")]
    NotANumber,
    /// More operators than anybody writes.
    #[error("the expression is too long")]
    TooLong,
    /// A quantity without `of` in a threshold without a selector.
    #[error("`{method}` of which metric?")]
    NoMetric {
        /// The method.
        method: Method,
    },
    /// Nesting without end.
    #[error("the expression is nested too deep")]
    TooDeep,
    /// Part of the language, but of a later version.
    #[error("{} is not available yet in this version", feature.words().0)]
    NotYet {
        /// What.
        feature: Feature,
    },
    /// Part of the language, but not where nothing is kept of the past: in the objective of a search.
    #[error("{} does not go into an objective", feature.words().0)]
    NoHistory {
        /// What.
        feature: Feature,
    },
    /// A word where a method should stand.
    #[error("unknown method `{written}`")]
    UnknownMethod {
        /// As written.
        written: String,
        /// The method that was probably meant.
        nearest: Option<String>,
    },
    /// `avg(5)`
    #[error("`{method}` takes no argument")]
    NoArguments {
        /// The method.
        method: Method,
    },
    /// `p` without its percentile.
    #[error("`p` needs a percentile")]
    NoPercentile,
    /// Not from 0 to 100.
    #[error("`{written}` is not a percentile")]
    PercentileRange {
        /// As written.
        written: String,
    },
    /// A quantity or a limit that is compared with nothing.
    #[error("an expression is a comparison")]
    NoComparison {
        /// The method, when there is one.
        method: Option<Method>,
    },
    /// `300 > p(95)`
    #[error("the limit stands on the left")]
    Reversed {
        /// The same, the right way round.
        right: String,
    },
    /// `avg < med`, `1 < 2`, `1 < avg < 2`
    #[error("a comparison is one of a method with a limit")]
    NotALimit {
        /// What stands in the wrong place.
        found: &'static str,
    },
    /// The metric has no such method.
    #[error("`{method}` does not exist for `{metric}`, a {kind}")]
    WrongMethod {
        /// The method.
        method: Method,
        /// The metric's name.
        metric: String,
        /// What it is.
        kind: MetricKind,
    },
    /// Not a number, or a unit that nothing has.
    #[error("`{written}` is not a limit")]
    BadLimit {
        /// As written.
        written: String,
        /// What would be right, if units knows.
        help: Option<String>,
    },
    /// A unit of something else.
    #[error("`{written}` is {is}, but {what} is {}", needs.words())]
    WrongUnit {
        /// The limit as written.
        written: String,
        /// What its unit makes it.
        is: &'static str,
        /// What it is compared with, quoted.
        what: String,
        /// What that is.
        needs: Dimension,
    },
    /// Warning: a share never gets there.
    #[error("a rate is never above 1, so `{written}` decides nothing")]
    BeyondShare {
        /// The limit as written.
        written: String,
    },
    /// No metric of that name.
    #[error("unknown metric `{name}`")]
    UnknownMetric {
        /// As written.
        name: String,
        /// The metric that was probably meant.
        nearest: Option<String>,
    },
    /// A tag that series do not carry.
    #[error("unknown tag `{name}`")]
    UnknownTag {
        /// As written.
        name: String,
        /// The tag that was probably meant.
        nearest: Option<String>,
        /// Every tag that a selector may use.
        known: Vec<String>,
    },
    /// The selector is not `metric{tag:value,…}`.
    #[error("{reason}")]
    BadSelector {
        /// What exactly is wrong.
        reason: &'static str,
    },
    /// One tag, two values: nothing can have both.
    #[error("`{tag}` is given twice")]
    TagTwice {
        /// The tag.
        tag: String,
    },
    /// `severity: "warn"` and `abort: true` contradict each other.
    #[error("a threshold of severity `warn` cannot abort the run")]
    WarnAborts,
    /// `p(95) < 300ms for 20s` with `lasting: 20.s`
    #[error("the expression says `for`, the options say `{option}`")]
    LastingTwice {
        /// The key of the option.
        option: &'static str,
    },
    /// `abort: "scenario"`, and nothing says which.
    #[error("`abort: \"scenario\"` of which scenario?")]
    AbortsWhich,
    /// No scenario of that name.
    #[error("there is no scenario `{name}`")]
    UnknownScenario {
        /// As written.
        name: String,
        /// The scenario that was probably meant.
        nearest: Option<String>,
    },
    /// An alert that cannot be told from others.
    #[error("an alert has a name that is not empty")]
    NoName,
    /// Two alerts of one name.
    #[error("an alert `{name}` exists already")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// Nobody can be told there.
    #[error("{reason}")]
    BadReceiver {
        /// What exactly is wrong.
        reason: String,
    },
    /// `scenario: "a"` and `{scenario:b}` contradict each other.
    #[error("the option says scenario `{option}`, the selector says `{selector}`")]
    TwoScenarios {
        /// Of the option.
        option: String,
        /// Of the selector.
        selector: String,
    },
}

impl ProblemKind {
    /// For a word where a method should stand; it is asked for `p95` and `median` as for mere slips.
    pub(super) fn unknown_method(written: &str) -> Self {
        let lower = written.to_lowercase();
        let digits = lower.trim_start_matches(|c: char| c.is_alphabetic() || c == '_');
        let stem = lower[..lower.len() - digits.len()].trim_end_matches('_');
        let nearest = match stem {
            "p" | "pct" | "perc" | "percentile" | "pc" | "q" | "quantile" => {
                let percentile = digits.replace('_', ".").parse::<f64>().ok().filter(|p| (0.0..=100.0).contains(p));
                Some(percentile.map_or("p(95)".to_owned(), |percentile| format!("p({percentile})")))
            }
            "median" => Some("med".to_owned()),
            "mean" | "average" => Some("avg".to_owned()),
            "sum" | "total" | "num" | "number" => Some("count".to_owned()),
            "maximum" => Some("max".to_owned()),
            "minimum" => Some("min".to_owned()),
            _ => did_you_mean(&lower, ["count", "rate", "value", "avg", "min", "max", "med"]).map(str::to_owned),
        };
        Self::UnknownMethod { written: written.to_owned(), nearest }
    }

    /// The short text beside the caret.
    fn label(&self) -> Option<String> {
        match self {
            Self::UnknownMethod { nearest: Some(nearest), .. }
            | Self::UnknownMetric { nearest: Some(nearest), .. }
            | Self::UnknownTag { nearest: Some(nearest), .. }
            | Self::UnknownScenario { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::UnknownOperator { written } => {
                let meant = match written.as_str() {
                    "=" | "====" => "==",
                    "=<" => "<=",
                    "=>" => ">=",
                    "<>" | "!==" => "!=",
                    "<<" => "<",
                    ">>" => ">",
                    _ => return None,
                };
                Some(format!("did you mean `{meant}`?"))
            }
            Self::WrongMethod { kind, .. } => Some(format!("a {kind} has {}", methods_of(*kind))),
            Self::WrongUnit { needs, .. } => needs.example().map(|example| format!("write {example}")),
            Self::PercentileRange { .. } => Some("from 0 to 100".to_owned()),
            Self::NoPercentile => Some("write `p(95)`".to_owned()),
            Self::NoComparison { method: Some(method) } => Some(format!("compare it: `{method} < …`")),
            Self::Reversed { right } => Some(format!("write `{right}`")),
            Self::NotALimit { found } => Some((*found).to_owned()),
            Self::NoWindow { word } => {
                Some(format!("write `{word}(p(95) over 1m{})`", if *word == "forecast" { ", 2m" } else { "" }))
            }
            Self::NoMetric { method } => Some(format!("write `{method} of http_req_duration`, say")),
            _ => None,
        }
    }

    /// What would be right, when it needs a line of its own.
    fn help(&self) -> Option<String> {
        match self {
            Self::LastingTwice { option } => Some(format!("they mean the same: leave out `for` or `{option}`")),
            Self::AbortsWhich => Some("say `scenario: \"browse\"`, or `{scenario:browse}` in the selector".to_owned()),
            Self::BadReceiver { .. } => Some("write `\"https://example.com/hook\"`".to_owned()),
            Self::NotYet { feature } | Self::NoHistory { feature } => Some(feature.words().1.to_owned()),
            Self::UnknownMethod { .. } => {
                Some("methods are `count`, `rate`, `value`, `avg`, `min`, `max`, `med` and `p(N)`".to_owned())
            }
            Self::UnknownOperator { .. } => Some("operators are `<`, `<=`, `>`, `>=`, `==` and `!=`".to_owned()),
            Self::EmptyExpression | Self::NoComparison { method: None } => {
                Some("write a method, an operator and a limit, such as `p(95) < 300ms`".to_owned())
            }
            Self::UnknownMetric { nearest: None, .. } => {
                Some("declare it with `metric::counter`, `gauge`, `rate` or `trend`".to_owned())
            }
            Self::UnknownTag { known, .. } => Some(format!("tags are {}", known.join(", "))),
            Self::BadSelector { .. } => Some("write `metric` or `metric{tag:value,tag2:value2}`".to_owned()),
            Self::BadLimit { help, .. } => help.clone(),
            Self::BadDuration { word, help, .. } => help.clone().or_else(|| Some(format!("write `{word} 30s`"))),
            Self::BehindClause { .. } => {
                Some("they stand at the end, for all of it; a part has its own window: `(… over 30s) and …`".to_owned())
            }
            Self::BeyondShare { written } => {
                let percent = written.trim_start_matches('+').trim_end_matches('%');
                Some(format!(
                    "write a share such as `0.01` or `{}%`",
                    if written.ends_with('%') { "1" } else { percent }
                ))
            }
            _ => None,
        }
    }
}

impl ProblemKind {
    /// In words, without a place.
    pub fn told(&self) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: self.to_string(),
            span: None,
            label: self.label(),
            help: self.help(),
        }
    }
}

/// Something wrong with a rule, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// In which text.
    pub part: Part,
    /// Where in that text.
    pub place: Place,
}

impl Problem {
    /// A problem of the expression.
    pub(super) fn new(kind: ProblemKind, place: Place) -> Self {
        Self { kind, part: Part::Expression, place }
    }

    /// A problem of the selector.
    pub(super) fn in_selector(kind: ProblemKind, place: Place) -> Self {
        Self { kind, part: Part::Selector, place }
    }

    /// A problem of an option.
    pub(super) fn in_option(kind: ProblemKind, key: &'static str) -> Self {
        Self { kind, part: Part::Option(key), place: Place::between(0, 0) }
    }

    /// An error refuses the script, a warning is printed.
    pub fn severity(&self) -> Severity {
        match self.kind {
            ProblemKind::BeyondShare { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// With its place in the script: `selector` and `expression` are where the first character of each text stands; for a
    /// text that has no such place (a flag, the API, a computed string) the message alone must do.
    pub fn diagnostic(&self, selector: Option<&Span>, expression: Option<&Span>) -> Diagnostic {
        match self.part {
            Part::Selector => self.told(selector),
            Part::Expression => self.told(expression),
            Part::Resolve | Part::Option(_) => self.told(None),
        }
    }

    /// The same with the place where the text of its part begins, whichever that is.
    pub fn told(&self, text: Option<&Span>) -> Diagnostic {
        let span = text.map(|start| start.narrowed(self.place.offset, self.place.length));
        Diagnostic { severity: self.severity(), span, ..self.kind.told() }
    }
}
