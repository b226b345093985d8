//! The threshold language: from `p(95) < 300ms` over `http_req_duration{name:cart}` to a verdict.
//!
//! Called by `script/` when a threshold is declared (all problems at once, each with its place), by the engine's judge on
//! every tick and by the report for the observed side. It reads measurements only through [`View`], so it knows neither
//! recorders nor Snapshots; it knows no script language either.
//!
//! The grammar is k6's, with units on the limit; every k6 expression means the same here:
//!
//! ```text
//! threshold  := quantity comparison limit
//! quantity   := count | rate | value | avg | min | max | med | p(N)          0 ≤ N ≤ 100
//! comparison := > | >= | < | <= | == | === | !=                            === is ==
//! limit      := number [unit]                 300  300ms  1%  10MB  5/s  10MB/s  10k
//! selector   := metric [ '{' tag ':' value { ',' tag ':' value } '}' ]
//! ```
//!
//! The way of a text: tokens → spanned syntax tree → type check against the metric → [`Condition`], which is
//! judged. Windows, `and`/`or`/`not`, arithmetic and `of` have their places in the operator table of the parser; until they
//! are there each is refused by name.

mod catalog;
mod condition;
mod dimension;
mod feature;
mod lexer;
mod parser;
mod place;
mod problem;
mod rule;
mod selector;
mod syntax;
mod types;
mod view;

pub use catalog::Catalog;
pub use condition::{Condition, Judgement, Moment};
pub use dimension::Dimension;
pub use feature::Feature;
pub use place::{Part, Place};
pub use problem::{Problem, ProblemKind};
pub use rule::{RuleOptions, RuleSeverity, ThresholdRule};
pub use selector::Selector;
pub use syntax::{Comparison, Method};
pub use view::{CounterView, Distribution, GaugeView, RateView, View};

#[cfg(test)]
mod tests;
