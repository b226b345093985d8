//! Why a shape cannot be built: data for a diagnostic, made in `load/`, drawn elsewhere.

use std::time::Duration;

use super::Kind;
use crate::units::duration;

/// A shape that cannot be. Messages are fragments that fit behind the shape's name and a colon.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ShapeError {
    /// No shape or method of that name.
    #[error("unknown load shape `{name}`")]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// Too few or too many arguments.
    #[error("`{signature}` takes {expected} argument{s}, {given} given", s = if *expected == 1 { "" } else { "s" })]
    WrongCount {
        /// How it is called right.
        signature: &'static str,
        /// How many it takes, the shape that a method is called on not counted.
        expected: usize,
        /// How many were given.
        given: usize,
    },
    /// An argument of the wrong type.
    #[error("`{parameter}` of `{signature}` is {expected}, not {given}")]
    WrongKind {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name in that signature.
        parameter: &'static str,
        /// What it should be.
        expected: Kind,
        /// What was given.
        given: Kind,
    },
    /// Below zero.
    #[error("`{parameter}` of `{signature}` is negative: {value}")]
    Negative {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name in that signature.
        parameter: &'static str,
        /// The value as given.
        value: f64,
    },
    /// Not a number, or infinite.
    #[error("`{parameter}` of `{signature}` is not a finite number")]
    NotFinite {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name in that signature.
        parameter: &'static str,
    },
    /// Zero time for something that needs time.
    #[error("`{parameter}` of `{signature}` is zero")]
    NoTime {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name in that signature.
        parameter: &'static str,
    },
    /// Something should follow a shape that does not end.
    #[error("`{shape}` never ends, so nothing can follow it")]
    NeverEnds {
        /// The endless shape, printed.
        shape: String,
    },
    /// Not a number of times.
    #[error("`{parameter}` of `{signature}` is a whole number from 1 on, not {value}")]
    NotWhole {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name in that signature.
        parameter: &'static str,
        /// The value as given.
        value: f64,
    },
    /// A wave that would go below zero.
    #[error("`wave` would go below 0: its amplitude {amplitude} is larger than its mean {mean}")]
    BelowZero {
        /// The middle.
        mean: f64,
        /// How far it goes from there.
        amplitude: f64,
    },
    /// A time that the shape does not have.
    #[error("`{signature}` has no time `{name}`")]
    UnknownTime {
        /// How it is called right.
        signature: &'static str,
        /// The name as given.
        name: String,
    },
    /// A list of stages without one.
    #[error("`{signature}` has no stages")]
    NoStages {
        /// How it is called right.
        signature: &'static str,
    },
    /// A value of one of the stages that cannot be.
    #[error("stage {number} of `{signature}` goes to {value}, which is {why}")]
    BadStage {
        /// How it is called right.
        signature: &'static str,
        /// Which one, counted from 1.
        number: usize,
        /// The value as given.
        value: f64,
        /// What is wrong about it.
        why: &'static str,
    },
    /// A jump at the end, which would never be seen.
    #[error("the last stage of `{signature}` has no time, so its value is never reached")]
    LastStage {
        /// How it is called right.
        signature: &'static str,
    },
    /// A value that a closure of time gave and that cannot be.
    #[error("the closure of `{signature}` gives {value} at {at}, which is {why}", at = duration::print(*.at))]
    BadSample {
        /// How it is called right.
        signature: &'static str,
        /// The moment that it was asked for.
        at: Duration,
        /// What it gave.
        value: f64,
        /// What is wrong about it.
        why: &'static str,
    },
    /// A name that the map does not have.
    #[error("`{signature}` has no `{name}`")]
    UnknownName {
        /// How it is called right.
        signature: &'static str,
        /// The name as given.
        name: String,
        /// The names there are.
        known: &'static [&'static str],
    },
    /// A name that the map needs.
    #[error("`{signature}` needs `{parameter}`")]
    Missing {
        /// How it is called right.
        signature: &'static str,
        /// The missing name.
        parameter: &'static str,
    },
    /// A value that must be larger.
    #[error("`{parameter}` of `{signature}` is {value}, and must be more than {least}")]
    TooSmall {
        /// How it is called right.
        signature: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// The value as given.
        value: f64,
        /// What it must be above.
        least: f64,
    },
    /// Something that needs to know the value of a shape that is steered while the test runs.
    #[error("`{shape}` is steered while the test runs, so {why}")]
    Steered {
        /// The steered shape, printed.
        shape: String,
        /// What is not possible with it.
        why: &'static str,
    },
    /// So many times that a `Duration` cannot say how long that is.
    #[error("the shape lasts too long: {times} times {each}", each = duration::print(*.each))]
    TooOften {
        /// How many times.
        times: u64,
        /// How long each takes.
        each: Duration,
    },
    /// Together longer than a `Duration` can say.
    #[error("the shape lasts too long: {first} and then {second}", first = duration::print(*.first), second = duration::print(*.second))]
    TooLong {
        /// The first part.
        first: Duration,
        /// The part that follows.
        second: Duration,
    },
}

impl ShapeError {
    /// What would be right, as a line of help.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoTime { signature, .. } if signature.starts_with("ramp(") => {
                Some("for a jump write `constant(from).hold(d).jump_to(to)`")
            }
            Self::NoTime { signature, .. } if signature.contains("ramp_to") => Some("for a jump write `.jump_to(v)`"),
            Self::NoTime { signature, .. } if signature.starts_with("spike(") => {
                Some("only `hold` is needed: `spike(10, 500, #{ after: 10.s, hold: 5.s })`")
            }
            Self::UnknownTime { .. } => Some("the times of a spike are `after`, `rise`, `hold` and `fall`"),
            Self::NoStages { .. } => Some("each stage is a time and a value: `stages([[30.s, 10], [1.m, 50]])`"),
            Self::LastStage { .. } => Some("give it the time to stay there: `[0.s, 50], [1.m, 50]`"),
            Self::UnknownName { known, .. } if known.contains(&"objective") => {
                Some("it takes `start`, `max`, `objective`, and maybe `step`, `every`, `precision`, `hold`")
            }
            Self::Missing { .. } => Some("`find_capacity(#{ start: 10, max: 1000, objective: \"p(95) < 300ms\" })`"),
            Self::Steered { .. } => {
                Some("it can be cut with `.during(d)`, and stand behind or before other shapes with `.then(shape)`")
            }
            Self::NeverEnds { .. } => Some("end it first with `.during(d)`"),
            _ => None,
        }
    }
}
