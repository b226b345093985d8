//! The arguments of a shape as plain data: what the script layer hands over, checked in one place.
//!
//! Called by the `build` functions of `shapes/`. It knows which kinds exist, not what any shape does with them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Shape, ShapeError};

/// One argument, already free of the script language.
#[derive(Debug, Clone)]
pub enum Argument {
    /// A number of users, or a rate per second.
    Value(f64),
    /// A span of time.
    Duration(Duration),
    /// Another shape; also what a method is called on.
    Shape(Arc<dyn Shape>),
    /// Times by name, in the order of their names.
    Times(Vec<(String, Duration)>),
    /// Times, each with the value that is reached after it.
    Stages(Vec<(Duration, f64)>),
    /// What a closure of time gave, at equal distances from its start to its end.
    Samples(Vec<f64>),
    /// A closure that is asked while the test runs; whoever hands it over keeps it.
    Closure,
    /// Text.
    Text(String),
    /// Arguments by name, in the order of their names.
    Named(Vec<(String, Argument)>),
}

/// What an argument is, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of users, or a rate.
    Value,
    /// A span of time.
    Duration,
    /// Another shape.
    Shape,
    /// Times by name.
    Times,
    /// Times with values.
    Stages,
    /// A closure of time, sampled.
    Samples,
    /// A closure that is asked while the test runs.
    Closure,
    /// Text.
    Text,
    /// Arguments by name.
    Named,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Value => "a number of users or a rate",
            Self::Duration => "a duration such as `30.s`",
            Self::Shape => "a load shape",
            Self::Times => "a map of durations such as `#{ hold: 30.s }`",
            Self::Stages => "a list of durations and values such as `[[30.s, 10], [1.m, 50]]`",
            Self::Samples => "a closure of time such as `|t| 10 + t.seconds`",
            Self::Closure => "a closure such as `|t, live| 10`",
            Self::Text => "text",
            Self::Named => "a map such as `#{ start: 10, max: 1000, objective: \"p(95) < 300ms\" }`",
        })
    }
}

impl Argument {
    /// What it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Value(_) => Kind::Value,
            Self::Duration(_) => Kind::Duration,
            Self::Shape(_) => Kind::Shape,
            Self::Times(_) => Kind::Times,
            Self::Stages(_) => Kind::Stages,
            Self::Samples(_) => Kind::Samples,
            Self::Closure => Kind::Closure,
            Self::Text(_) => Kind::Text,
            Self::Named(_) => Kind::Named,
        }
    }
}

/// One parameter of a shape: its name in the signature and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// The name that the signature and the errors use.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// Arguments that match their parameters in number and kind.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    signature: &'static str,
    parameters: &'static [Parameter],
    given: &'a [Argument],
}

impl<'a> Arguments<'a> {
    /// Checks number and kinds. `receiver` says that the first parameter is the shape a method is called on, which people
    /// do not count as an argument.
    pub fn checked(
        signature: &'static str,
        parameters: &'static [Parameter],
        receiver: bool,
        given: &'a [Argument],
    ) -> Result<Self, ShapeError> {
        if given.len() != parameters.len() {
            let uncounted = usize::from(receiver);
            let expected = parameters.len() - uncounted;
            return Err(ShapeError::WrongCount { signature, expected, given: given.len().saturating_sub(uncounted) });
        }
        for (parameter, argument) in parameters.iter().zip(given) {
            let (expected, given) = (parameter.kind, argument.kind());
            if expected != given {
                return Err(ShapeError::WrongKind { signature, parameter: parameter.name, expected, given });
            }
        }
        Ok(Self { signature, parameters, given })
    }

    /// The value at `index`: finite and not negative.
    pub fn value(&self, index: usize) -> Result<f64, ShapeError> {
        let (signature, parameter) = (self.signature, self.parameters[index].name);
        match self.given[index] {
            Argument::Value(value) if !value.is_finite() => Err(ShapeError::NotFinite { signature, parameter }),
            Argument::Value(value) if value < 0.0 => Err(ShapeError::Negative { signature, parameter, value }),
            // -0.0 is not below 0.0, and prints a sign.
            Argument::Value(value) => Ok(value.abs()),
            ref other => Err(self.wrong_kind(index, Kind::Value, other.kind())),
        }
    }

    /// The duration at `index`: longer than zero.
    pub fn time(&self, index: usize) -> Result<Duration, ShapeError> {
        match self.given[index] {
            Argument::Duration(time) if time.is_zero() => {
                Err(ShapeError::NoTime { signature: self.signature, parameter: self.parameters[index].name })
            }
            Argument::Duration(time) => Ok(time),
            ref other => Err(self.wrong_kind(index, Kind::Duration, other.kind())),
        }
    }

    /// The shape at `index`.
    pub fn shape(&self, index: usize) -> Result<Arc<dyn Shape>, ShapeError> {
        match &self.given[index] {
            Argument::Shape(shape) => Ok(shape.clone()),
            other => Err(self.wrong_kind(index, Kind::Shape, other.kind())),
        }
    }

    /// The number of times at `index`: whole, at least 1.
    pub fn count(&self, index: usize) -> Result<u32, ShapeError> {
        let value = self.value(index)?;
        let whole = value.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&value);
        // The cast is exact for what was just found to be whole and in range.
        whole.then_some(value as u32).ok_or(ShapeError::NotWhole {
            signature: self.signature,
            parameter: self.parameters[index].name,
            value,
        })
    }

    /// The times at `index`, whose names are among `known`; zero is allowed.
    pub fn times(&self, index: usize, known: &[&str]) -> Result<Times<'a>, ShapeError> {
        match &self.given[index] {
            Argument::Times(times) => match times.iter().find(|(name, _)| !known.contains(&name.as_str())) {
                Some((name, _)) => Err(ShapeError::UnknownTime { signature: self.signature, name: name.clone() }),
                None => Ok(Times(times)),
            },
            other => Err(self.wrong_kind(index, Kind::Times, other.kind())),
        }
    }

    /// The stages at `index`: at least one, the last one with time, values finite and not negative.
    pub fn stages(&self, index: usize) -> Result<Vec<(Duration, f64)>, ShapeError> {
        let signature = self.signature;
        let stages = match &self.given[index] {
            Argument::Stages(stages) => stages,
            other => return Err(self.wrong_kind(index, Kind::Stages, other.kind())),
        };
        for (position, (_, value)) in stages.iter().enumerate() {
            let why = match *value {
                value if !value.is_finite() => "not a finite number",
                value if value < 0.0 => "negative",
                _ => continue,
            };
            return Err(ShapeError::BadStage { signature, number: position + 1, value: *value, why });
        }
        match stages.last() {
            None => Err(ShapeError::NoStages { signature }),
            Some((time, _)) if time.is_zero() => Err(ShapeError::LastStage { signature }),
            // -0.0 prints a sign.
            Some(_) => Ok(stages.iter().map(|(time, value)| (*time, value.abs())).collect()),
        }
    }

    /// The samples at `index`, of a closure over `over`: at least two, finite and not negative.
    pub fn samples(&self, index: usize, over: Duration) -> Result<Vec<f64>, ShapeError> {
        let samples = match &self.given[index] {
            Argument::Samples(samples) => samples,
            other => return Err(self.wrong_kind(index, Kind::Samples, other.kind())),
        };
        if samples.len() < 2 {
            let (signature, at) = (self.signature, Duration::ZERO);
            return Err(ShapeError::BadSample { signature, at, value: f64::NAN, why: "not a finite number" });
        }
        let last = samples.len() - 1;
        for (number, value) in samples.iter().enumerate() {
            let why = match *value {
                value if !value.is_finite() => "not a finite number",
                value if value < 0.0 => "negative",
                _ => continue,
            };
            let at = over.mul_f64(number as f64 / last as f64);
            return Err(ShapeError::BadSample { signature: self.signature, at, value: *value, why });
        }
        // -0.0 prints a sign.
        Ok(samples.iter().map(|value| value.abs()).collect())
    }

    /// What is named at `index`, whose names are among `known`.
    pub fn named(&self, index: usize, known: &'static [&'static str]) -> Result<Named<'a>, ShapeError> {
        let named = match &self.given[index] {
            Argument::Named(named) => named,
            other => return Err(self.wrong_kind(index, Kind::Named, other.kind())),
        };
        match named.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(ShapeError::UnknownName { signature: self.signature, name: name.clone(), known }),
            None => Ok(Named { signature: self.signature, given: named }),
        }
    }

    fn wrong_kind(&self, index: usize, expected: Kind, given: Kind) -> ShapeError {
        ShapeError::WrongKind { signature: self.signature, parameter: self.parameters[index].name, expected, given }
    }
}

/// Times by name.
#[derive(Debug, Clone, Copy)]
pub struct Times<'a>(&'a [(String, Duration)]);

impl Times<'_> {
    /// The time of that name, if it was given.
    pub fn get(&self, name: &str) -> Option<Duration> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, time)| *time)
    }
}

/// Arguments by name.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    signature: &'static str,
    given: &'a [(String, Argument)],
}

impl Named<'_> {
    fn get(&self, name: &'static str, expected: Kind) -> Result<Option<&Argument>, ShapeError> {
        match self.given.iter().find(|(given, _)| given == name) {
            None => Ok(None),
            Some((_, argument)) if argument.kind() == expected => Ok(Some(argument)),
            Some((_, argument)) => {
                let (signature, given) = (self.signature, argument.kind());
                Err(ShapeError::WrongKind { signature, parameter: name, expected, given })
            }
        }
    }

    /// The number of that name, finite and more than `least`.
    pub fn above(&self, name: &'static str, least: f64) -> Result<Option<f64>, ShapeError> {
        match self.get(name, Kind::Value)? {
            Some(Argument::Value(value)) if value.is_finite() && *value > least => Ok(Some(*value)),
            Some(Argument::Value(value)) => {
                Err(ShapeError::TooSmall { signature: self.signature, parameter: name, value: *value, least })
            }
            _ => Ok(None),
        }
    }

    /// The duration of that name, longer than zero.
    pub fn time(&self, name: &'static str) -> Result<Option<Duration>, ShapeError> {
        match self.get(name, Kind::Duration)? {
            Some(Argument::Duration(time)) if time.is_zero() => {
                Err(ShapeError::NoTime { signature: self.signature, parameter: name })
            }
            Some(Argument::Duration(time)) => Ok(Some(*time)),
            _ => Ok(None),
        }
    }

    /// The text of that name, not empty.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ShapeError> {
        match self.get(name, Kind::Text)? {
            Some(Argument::Text(text)) if !text.trim().is_empty() => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// What is said when a name that is needed is missing.
    pub fn missing(&self, name: &'static str) -> ShapeError {
        ShapeError::Missing { signature: self.signature, parameter: name }
    }
}
