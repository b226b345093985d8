//! The syntax tree of a threshold expression, every node with its place.
//!
//! Made by the parser, read by the type check. It says what was written, not whether it makes sense.

use std::fmt;

use super::Place;

/// A node and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned<T> {
    pub node: T,
    pub place: Place,
}

/// What can stand in an expression. Windows, logic and arithmetic will be further variants.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// `p(95)`.
    Quantity(Method),
    /// `300ms`: the text as written, because what its unit means depends on what it is compared with.
    Limit(String),
    /// `p(95) < 300ms`.
    Compare { left: Box<Spanned<Expr>>, comparison: Comparison, right: Box<Spanned<Expr>> },
    /// Something that has been reported already; nothing more is said about it.
    Broken,
}

/// How a metric is read as one number; k6's aggregation methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// Counter: the sum. Trend: how many values.
    Count,
    /// Counter: the sum per second of the run. Rate: the share, 0 to 1.
    Rate,
    /// Gauge: the last value.
    Value,
    /// Trend: the arithmetic mean.
    Avg,
    /// Trend: the smallest value.
    Min,
    /// Trend: the largest value.
    Max,
    /// Trend: the median.
    Med,
    /// Trend: the N-th percentile, 0 to 100.
    P(f64),
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Value => "value",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Med => "med",
            Self::P(percentile) => return write!(out, "p({percentile})"),
        })
    }
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`, also written `===`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// Whether `observed` stands so to `limit`. Nothing holds for a value that is not a number, except `!=`.
    pub fn holds(self, observed: f64, limit: f64) -> bool {
        match self {
            Self::Less => observed < limit,
            Self::LessOrEqual => observed <= limit,
            Self::Greater => observed > limit,
            Self::GreaterOrEqual => observed >= limit,
            Self::Equal => observed == limit,
            Self::NotEqual => observed != limit,
        }
    }

    /// The operator with its sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same @ (Self::Equal | Self::NotEqual) => same,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        })
    }
}
