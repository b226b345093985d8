//! What the numbers of a run mean over time: its timeline, its trends, what holds it up.
//!
//! Called by whoever shows a run, with a [`Snapshot`](crate::snapshot::Snapshot) and a [`Digest`] of it; gives plain structs. It
//! knows no wire format, no clock and no thread.
//!
//! `digest` keeps the whole run in a few series, `timeline` reads it piece by piece, `slope` is the statistics.

mod digest;
mod slope;
mod timeline;

pub use digest::{Digest, Measure};
pub use slope::{Slope, Spread, median, quantile, theil_sen};
pub use timeline::{Point, Timeline, timeline};

#[cfg(test)]
mod story;
#[cfg(test)]
mod tests;
