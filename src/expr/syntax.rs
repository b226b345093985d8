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

/// What can stand in an expression. Parentheses leave no trace but the shape of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// `p(95) of http_req_duration{name:cart} over 30s`.
    Quantity { method: Method, of: Option<Spanned<String>>, over: Option<Clause> },
    /// `300ms`: the text as written, because what its unit means depends on what it is compared with.
    Limit(String),
    /// `p(95) < 300ms`.
    Compare { left: Box<Spanned<Expr>>, comparison: Comparison, right: Box<Spanned<Expr>> },
    /// `… and …`, `… or …`.
    Join { left: Box<Spanned<Expr>>, join: Join, right: Box<Spanned<Expr>> },
    /// `not …`.
    Not(Box<Spanned<Expr>>),
    /// `… / …`.
    Arithmetic { left: Box<Spanned<Expr>>, sign: Sign, right: Box<Spanned<Expr>> },
    /// `-…`.
    Negate(Box<Spanned<Expr>>),
    /// `slope(…)`, and with a time ahead `forecast(…, 2m)`; the place is that of the word.
    Line { word: Place, of: Box<Spanned<Expr>>, ahead: Option<Clause> },
    /// `… over 30s` behind a whole expression or before a closing parenthesis.
    Over { of: Box<Spanned<Expr>>, over: Clause },
    /// A method that has been reported already, of a metric that may be wrong as well.
    BrokenOf(Spanned<String>),
    /// Something that has been reported already; nothing more is said about it.
    Broken,
}

/// A word and the duration behind it: `over 30s`, `for 20s`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    /// Where the word stands.
    pub word: Place,
    /// The duration as written; `None` when something else, or nothing, stands there.
    pub duration: Option<Spanned<String>>,
}

/// How two conditions are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// `and`
    And,
    /// `or`
    Or,
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Per,
}

impl Sign {
    /// The sign of that character; `/` for what is none of the others.
    pub(super) fn of(sign: char) -> Self {
        match sign {
            '+' => Self::Plus,
            '-' => Self::Minus,
            '*' => Self::Times,
            _ => Self::Per,
        }
    }

    /// What comes of it.
    pub(super) fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Plus => left + right,
            Self::Minus => left - right,
            Self::Times => left * right,
            Self::Per => left / right,
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Per => "/",
        })
    }
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

impl Method {
    /// The method of that name, of those that take no argument.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "count" => Self::Count,
            "rate" => Self::Rate,
            "value" => Self::Value,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "max" => Self::Max,
            "med" => Self::Med,
            _ => return None,
        })
    }
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
