//! What one figure over a range shows, in words: each sentence by one rule of [`RULES`](super::RULES).
//!
//! Called by whoever shows a range, with the words for the figure's numbers, since `analysis` knows no units.

use super::historical::Historical;
use super::report::{Course, forecast, trend};
use super::slope::{median, theil_sen};
use crate::units::human;
use std::time::Duration;

/// Distance from the median beyond which a point stands out, in robust deviations, and as a share of the median.
const APART: (f64, f64) = (5.0, 0.2);
/// A robust deviation is the MAD times this.
const OF_MAD: f64 = 1.4826;
/// Fewest points.
const MINIMUM: usize = 12;

/// One sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// The rule that it follows from.
    pub rule: &'static str,
    /// What it says.
    pub message: String,
    /// The stretch that it is about.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
}

/// What the points of a range show; `show` writes a value of the figure for people.
pub fn insights(seen: &Historical, show: impl Fn(f64) -> String) -> Vec<Insight> {
    let middle = |from: Duration, to: Duration| (from + to).as_secs_f64() / 2.0;
    let points: Vec<(f64, f64)> = seen.series.iter().map(|(from, to, value)| (middle(*from, *to), *value)).collect();
    let line = theil_sen(&points);
    let found = trend("", line, &points);
    let mut told = Vec::new();
    if let (Some(line), Course::Rising | Course::Falling) = (found.line, found.course) {
        let way = if found.course == Course::Rising { "rises" } else { "falls" };
        let share = found.percent.map(|percent| format!(", {percent:+.0}% over the range")).unwrap_or_default();
        let message = format!(
            "it {way} by {} per minute (95% of {} to {}){share}",
            show((line.slope * 60.0).abs()),
            show((line.low * 60.0).abs().min((line.high * 60.0).abs())),
            show((line.low * 60.0).abs().max((line.high * 60.0).abs())),
        );
        told.push(Insight { rule: "trend", message, from: seen.from, to: seen.to });
        let ahead = forecast("", line, &points, seen.most);
        told.extend(ahead.map(|ahead| Insight {
            rule: "forecast",
            message: format!(
                "if nothing changes it will be {} at {} of the run ({} to {})",
                show(ahead.value),
                human::duration(ahead.at),
                show(ahead.low),
                show(ahead.high)
            ),
            from: seen.to,
            to: ahead.at,
        }));
    }
    told.extend(peak(seen, show));
    told
}

/// The point that lies farthest from all others, if it stands out.
fn peak(seen: &Historical, show: impl Fn(f64) -> String) -> Option<Insight> {
    let values: Vec<f64> = seen.series.iter().map(|(_, _, value)| *value).collect();
    let usual = median(&values).filter(|_| values.len() >= MINIMUM)?;
    let mad = median(&values.iter().map(|value| (value - usual).abs()).collect::<Vec<_>>())?;
    let distance = |value: f64| (value - usual).abs();
    let (from, to, value) = seen.series.iter().max_by(|a, b| distance(a.2).total_cmp(&distance(b.2)))?;
    let apart = distance(*value) > APART.0 * OF_MAD * mad && distance(*value) > APART.1 * usual.abs();
    let message = format!(
        "it was {} between {} and {} of the run; usual is {}",
        show(*value),
        human::duration(*from),
        human::duration(*to),
        show(usual)
    );
    apart.then_some(Insight { rule: "peak", message, from: *from, to: *to })
}
