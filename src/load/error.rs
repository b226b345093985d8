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
            Self::NeverEnds { .. } => Some("end it first with `.during(d)`"),
            _ => None,
        }
    }
}
