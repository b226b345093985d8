//! What the numbers of a run mean over time: its timeline, its trends, what holds it up.
//!
//! Called by whoever shows a run, with a [`Snapshot`](crate::snapshot::Snapshot) and a [`Digest`] of it; gives plain structs. It
//! knows no wire format, no clock and no thread. Every statement that is more than a measured number follows one rule of
//! [`RULES`], names it, and is not made below the data that the rule asks for; `docs/analysis.md` is that table.
//!
//! `digest` keeps the whole run in a few series, `timeline`, `heatmap`, `historical` and `change` read it, `slope` is the statistics;
//! `rules` says what is concluded, `bottlenecks` and `capacity` conclude, `report` puts it together.

mod bottlenecks;
mod capacity;
mod change;
mod digest;
mod figure;
mod heatmap;
mod historical;
mod insight;
mod report;
mod rules;
mod slope;
mod timeline;

pub use bottlenecks::Finding;
pub use change::{Change, Direction, change};
pub use digest::{Digest, Measure};
pub use figure::Figure;
pub use heatmap::{Heat, HeatCell, Heatmap, LATENCY_EDGES, counted, heatmap};
pub use historical::{Historical, historical};
pub use insight::{Insight, insights};
pub use report::{Advice, Analysis, Course, Forecast, Score, Trend, analysis};
pub use rules::{RULES, Rule, rule};
pub use slope::{Slope, Spread, median, quantile, theil_sen};
pub use timeline::{Point, Timeline, timeline};

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
