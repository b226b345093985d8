//! One figure over a range of the run: its series, average and extremes.
//!
//! Called by whoever shows a run. An average is that of all that was measured, not of the points.

use super::digest::Digest;
use super::figure::Figure;
use super::slope::Spread;
use std::time::Duration;

/// Most points of a series, give or take what slices that are longer make of it.
pub const POINTS: u64 = 120;

/// A figure over a range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Historical {
    /// Over everything in it; of a gauge the mean of its points, weighted by their length. `None` without data, as all that follow.
    pub average: Option<f64>,
    /// The largest point.
    pub peak: Option<f64>,
    /// The smallest.
    pub low: Option<f64>,
    /// Standard deviation of the points, weighted by their length.
    pub standard_deviation: Option<f64>,
    /// Begin and end of each piece, and its value. What is missing has no data.
    pub series: Vec<(Duration, Duration, f64)>,
    /// The largest value that the figure can have.
    pub most: f64,
    /// Run time at which it begins.
    pub from: Duration,
    /// Run time at which it ends: the last second that is over.
    pub to: Duration,
    /// The length of a piece that was asked for.
    pub interval: Duration,
    /// The longest slice in it.
    pub step: Duration,
}

/// The last `range` of a run.
pub fn historical(digest: &Digest, figure: Figure, range: Duration) -> Historical {
    let to = digest.end();
    let interval = interval(range.min(to), POINTS);
    // As all totals it is without the warm-up, once that is over.
    let mut pieces = digest.last(range, interval);
    pieces.retain(|(_, to)| *to > digest.begin());
    let from = pieces.first().map_or(to, |(from, _)| *from);
    let series = pieces.iter().filter_map(|(from, to)| Some((*from, *to, figure.value(digest, *from, *to)?)));
    let series: Vec<_> = series.collect();
    let weighted: Vec<_> = series.iter().map(|(from, to, value)| (*value, digest.seconds(*from, *to))).collect();
    let spread = Spread::of(&weighted);
    let mean = spread.map(|spread| spread.mean);
    let values = || series.iter().map(|(_, _, value)| *value);
    Historical {
        average: if figure.is_gauge() { mean } else { figure.value(digest, from, to) },
        peak: values().max_by(f64::total_cmp),
        low: values().min_by(f64::total_cmp),
        standard_deviation: spread.map(|spread| spread.deviation),
        series,
        most: figure.most(),
        from,
        to,
        interval,
        step: digest.step(from, to),
    }
}

/// The shortest of some round intervals that makes at most so many pieces of a range: round, so that the edges of pieces stay where they are while
/// a run grows.
pub fn interval(range: Duration, most: u64) -> Duration {
    const ROUND: [u64; 13] = [1, 2, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 21_600];
    let seconds = range.as_secs();
    let enough = ROUND.into_iter().find(|interval| seconds.div_ceil(*interval) <= most);
    Duration::from_secs(enough.unwrap_or_else(|| seconds.div_ceil(most).next_multiple_of(21_600)))
}
