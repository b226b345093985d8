//! How the last minute of a figure differs from the minute before it: the arrow on a card.
//!
//! Called by whoever shows KPIs. Of a run that is shorter than two minutes it compares its halves.

use super::digest::Digest;
use super::figure::Figure;
use super::slope::inflation;
use std::time::Duration;

/// How much of a run is compared with what was before it, at most.
const MINUTE: u64 = 60;
/// Pieces of a minute, about.
const PIECES: u64 = 12;
/// Fewest pieces of either half that have a value: of fewer nobody knows how much they vary.
const LEAST: usize = 6;
/// Standard errors that a change must have.
const ERRORS: f64 = 4.0;
/// Of a level for each stretch and a slope.
const PARAMETERS: f64 = 3.0;
/// Change below which nothing is said to move, as a share of the value before.
const MATTERS: f64 = 0.01;

/// Which way a figure went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More than noise.
    Up,
    /// Less than noise.
    Down,
    /// Within what it varies by.
    Stable,
    /// There is too little data to say.
    Unknown,
}

/// A stretch against the one before, of the same length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// By how much, in percent of the mean before; `None` without it, or when it was 0.
    pub percent: Option<f64>,
    /// A change in percent that is noise at most: four standard errors of the difference of the two means, with regard to how values
    /// follow each other, and 1 at least.
    pub noise: Option<f64>,
    /// How long either stretch is.
    pub over: Duration,
}

/// The last stretch against the one before it.
pub fn change(digest: &Digest, figure: Figure) -> Change {
    let unknown = Change { direction: Direction::Unknown, percent: None, noise: None, over: Duration::ZERO };
    let measured = digest.end().saturating_sub(digest.begin()).as_secs();
    let step = ((measured / 2).min(MINUTE) / PIECES).max(1);
    // Whole pieces that begin at multiples of their length, so that they are the same a moment later.
    let end = digest.end().as_secs() / step * step;
    let over = ((end.saturating_sub(digest.begin().as_secs()) / 2).min(MINUTE)) / step * step;
    let half = |from: u64, to: u64| {
        let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
        let pieces = digest.pieces(from, to, Duration::from_secs(step)).into_iter();
        let values: Vec<f64> = pieces.filter_map(|(from, to)| figure.value(digest, from, to)).collect();
        Some(values).filter(|values| values.len() >= LEAST)
    };
    let Some((then, now)) = half(end - 2 * over, end - over).zip(half(end - over, end)) else { return unknown };
    let over = Duration::from_secs(over);
    let (direction, percent, noise) = compared(&then, &now);
    Change { direction, percent, noise, over }
}

/// Two runs of values against each other: the direction, the change and what of it would be noise, in percent of the mean of the first.
fn compared(then: &[f64], now: &[f64]) -> (Direction, Option<f64>, Option<f64>) {
    let (n, m) = (then.len() as f64, now.len() as f64);
    let (before, after) = (then.iter().sum::<f64>() / n, now.iter().sum::<f64>() / m);
    let rest = left(then, now);
    let variance = rest.iter().map(|value| value * value).sum::<f64>() / (n + m - PARAMETERS);
    let error = (variance * (1.0 / n + 1.0 / m) * inflation(&rest, PARAMETERS)).sqrt();
    let noise = (ERRORS * error).max(MATTERS * before.abs());
    let difference = after - before;
    let direction = match difference {
        difference if difference > noise => Direction::Up,
        difference if difference < -noise => Direction::Down,
        _ => Direction::Stable,
    };
    let share = |value: f64| Some(100.0 * value / before.abs()).filter(|share| share.is_finite());
    (direction, share(difference), share(noise))
}

/// What is left of both when each has its own level and both have the same slope: a figure that grows steadily is no noise, and neither
/// is one that leaps.
fn left(then: &[f64], now: &[f64]) -> Vec<f64> {
    let centred = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let at = |at: usize| at as f64 - (n - 1.0) / 2.0;
        values.iter().enumerate().map(|(place, value)| (at(place), value - mean)).collect::<Vec<_>>()
    };
    let all = [centred(then), centred(now)].concat();
    let slope = all.iter().map(|(x, y)| x * y).sum::<f64>() / all.iter().map(|(x, _)| x * x).sum::<f64>();
    all.into_iter().map(|(x, y)| y - slope * x).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::story::normal;

    /// How many of 1,000 figures of two minutes are said to move, if each value keeps so much of the one before, varies by 10 % and the
    /// second minute is higher by so many percent.
    fn moved(keeps: f64, rise: f64) -> usize {
        let mut state = 3;
        let deviation = 10.0 * (1.0_f64 - keeps * keeps).sqrt();
        let moves = |_: &u32| {
            let mut value = 10.0 * normal(&mut state);
            let mut values = |level: f64| {
                let next = |_| {
                    value = keeps * value + deviation * normal(&mut state);
                    level + value
                };
                (0..12).map(next).collect::<Vec<_>>()
            };
            let (then, now) = (values(100.0), values(100.0 + rise));
            compared(&then, &now).0 != Direction::Stable
        };
        (0..1_000).filter(moves).count()
    }

    /// Beyond what independent values promise, correlation that 24 values do not show remains.
    #[test]
    fn noise_seldom_moves_and_a_leap_is_seen() {
        for (keeps, most, rise, least) in [(0.0, 5, 30.0, 950), (0.3, 10, 40.0, 900), (0.6, 30, 60.0, 850)] {
            let (noise, leaps) = (moved(keeps, 0.0), moved(keeps, rise));
            assert!(noise <= most && leaps >= least, "{noise} and {leaps} of 1000 with {keeps}");
        }
    }

    #[test]
    fn percent_is_of_the_mean_before() {
        let told = compared(&[100.0; 8], &[120.0; 8]);
        assert_eq!(told, (Direction::Up, Some(20.0), Some(1.0)));
        assert_eq!(compared(&[0.0; 8], &[5.0; 8]), (Direction::Up, None, None));
        assert_eq!(compared(&[0.0; 8], &[0.0; 8]), (Direction::Stable, None, None));
        let falls: Vec<f64> = (0..24).map(|at| 100.0 - f64::from(at)).collect();
        assert_eq!(compared(&falls[..12], &falls[12..]).0, Direction::Down);
    }
}
