//! The threshold language: from `p(95) < 300ms` over `http_req_duration{name:cart}` to a verdict.
//!
//! Called by `script/` when a threshold is declared (all problems at once, each with its place), by the engine's judge on
//! every tick and by the report for the observed side. It reads measurements only through [`View`], so it knows neither
//! recorders nor Snapshots; it knows no script language either.
//!
//! The grammar is k6's, with units on the limit and what lies around it; every k6 expression means the same here:
//!
//! ```text
//! threshold  := condition ['over' duration] ['for' duration]
//! condition  := condition ('and' | 'or') condition | 'not' condition | '(' condition ['over' duration] ')'
//!             | number comparison limit
//! number     := quantity | limit | number ('+' | '-' | '*' | '/') number | '-' number | '(' number ['over' duration] ')'
//!             | 'slope' '(' number ')' | 'forecast' '(' number ',' duration ')'
//! quantity   := method ['of' selector] ['over' duration]
//! method     := count | rate | value | avg | min | max | med | p(N)          0 ≤ N ≤ 100
//! comparison := > | >= | < | <= | == | === | !=                            === is ==
//! limit      := number [unit]                 300  300ms  1%  10MB  5/s  10MB/s  10k
//! selector   := metric [ '{' tag ':' value { ',' tag ':' value } '}' ]       * in a value stands for any text
//! ```
//!
//! One side of a comparison is observed, the other one is constant: so every comparison has one observed number and one limit.
//!
//! The way of a text: tokens → spanned syntax tree → type check against the metrics → [`Condition`], which is judged.

mod alert;
mod algebra;
mod catalog;
mod condition;
mod diff;
mod dimension;
mod feature;
mod lexer;
mod line;
mod measure;
mod number;
mod parser;
mod place;
mod problem;
mod receiver;
mod rule;
mod rules;
mod selector;
mod syntax;
mod types;
mod view;
mod wording;

pub use alert::{AlertOptions, AlertRule, AlertSeverity};
pub use catalog::Catalog;
pub use condition::{Compared, Condition, Judgement, Moment};
pub use dimension::Dimension;
pub use feature::Feature;
pub use measure::Measure;
pub use number::Quantity;
pub use place::{Part, Place};
pub use problem::{Problem, ProblemKind};
pub use receiver::Receiver;
pub use rule::{Abort, RuleOptions, RuleSeverity, ThresholdRule};
pub use rules::{Change, ClosureRule, Rules};
pub use selector::Selector;
pub use syntax::{Comparison, Join, Method, Sign};
pub use view::{CounterView, Distribution, GaugeView, RateView, Slice, View};
pub use wording::{AlertText, Misworded, RuleText, Wording};

#[cfg(test)]
mod tests;
