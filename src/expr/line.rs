//! The straight line through points in time, for `slope` and `forecast`: least squares.
//!
//! Called by the numbers of a condition. It knows no measurements.

/// A line over seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// The value at second 0.
    pub now: f64,
    /// How much it rises per second.
    pub rise: f64,
}

impl Line {
    /// Its value at that second.
    pub fn at(self, second: f64) -> f64 {
        self.now + self.rise * second
    }
}

/// The line that is nearest to the points; `None` when they are fewer than two moments.
pub(super) fn through(points: &[(f64, f64)]) -> Option<Line> {
    let count = points.len() as f64;
    let mean_at = points.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean = points.iter().map(|(_, value)| value).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
    let together: f64 = points.iter().map(|(at, value)| (at - mean_at) * (value - mean)).sum();
    let rise = together / spread;
    rise.is_finite().then_some(Line { now: mean - rise * mean_at, rise })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let points: Vec<_> = (-60..=0).map(|at| (f64::from(at), 400.0 + 5.0 * f64::from(at))).collect();
        let line = through(&points).expect("there are points");
        assert!((line.rise - 5.0).abs() < 1e-9 && (line.at(120.0) - 1_000.0).abs() < 1e-6, "{line:?}");
    }

    #[test]
    fn of_less_than_two_moments_there_is_none() {
        assert_eq!(through(&[]), None);
        assert_eq!(through(&[(-1.0, 5.0)]), None);
        assert_eq!(through(&[(-1.0, 5.0), (-1.0, 6.0)]), None);
    }
}
