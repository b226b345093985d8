//! Throughput against users: where more users bring no more.
//!
//! Called by `bottlenecks` for closed models; in an open one users follow the latency, and throughput is what was asked for.

use super::slope::median;
use super::timeline::Point;

/// Fewest levels of users.
const LEVELS: usize = 6;

/// The users from which on throughput does not grow, and that throughput; `None` where it grows to the end or where there is too
/// little to tell.
pub(super) fn knee(points: &[Point]) -> Option<(f64, f64)> {
    let both =
        |point: &Point| Some((point.active_users.filter(|n| *n >= 1.0)?, point.throughput.filter(|x| *x > 0.0)?));
    let mut seen: Vec<(f64, f64)> = points.iter().filter_map(both).collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let (least, most) = (seen.first()?.0, seen.last()?.0);
    if most < 3.0 * least {
        return None;
    }
    // Twelve levels of equal ratio, each the medians of what lies in it.
    let level = |n: f64| ((n / least).ln() / (most / least).ln() * 12.0).floor().min(11.0) as u32;
    let levels = seen.chunk_by(|a, b| level(a.0) == level(b.0)).filter(|chunk| chunk.len() >= 2);
    let levels: Vec<(f64, f64)> = levels
        .filter_map(|chunk| {
            let (n, x): (Vec<f64>, Vec<f64>) = chunk.iter().copied().unzip();
            Some((median(&n)?.ln(), median(&x)?.ln()))
        })
        .collect();
    if levels.len() < LEVELS {
        return None;
    }
    let fit = |knee: f64| {
        let rest: Vec<f64> = levels.iter().map(|(n, x)| x - n.min(knee)).collect();
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        (rest.iter().map(|rest| (rest - mean).powi(2)).sum::<f64>(), mean)
    };
    let (first, last) = (levels[0].0, levels[levels.len() - 1].0);
    let places = (0..=200).map(|at| first + (last - first) * f64::from(at) / 200.0);
    let (squares, mean, knee) =
        places.map(|knee| (fit(knee).0, fit(knee).1, knee)).min_by(|a, b| a.0.total_cmp(&b.0))?;
    let above = levels.iter().filter(|(n, _)| *n > knee).count();
    let found = squares <= 0.25 * fit(last).0 && above >= 3 && last - knee >= 1.5_f64.ln();
    (found && fit(last).0 > 1e-9).then(|| (knee.exp(), (mean + knee).exp()))
}
