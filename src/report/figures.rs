//! Small arithmetic that text and JSON share: both must give the same number or both none.

use crate::metrics::{Cell, TagSet, Trend};
use crate::snapshot::Snapshot;
use std::time::Duration;

/// Only a number that is one.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// How many per second of the run; `None` for a run that took no time.
pub(super) fn per_second(count: f64, elapsed: Duration) -> Option<f64> {
    finite(count / elapsed.as_secs_f64())
}

/// A part of a whole, 0..=1; `None` of nothing.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The trend in a cell.
pub(super) fn trend(cell: Option<Cell>) -> Option<Trend> {
    match cell {
        Some(Cell::Trend(trend)) => Some(trend),
        _ => None,
    }
}

/// A statistic of a trend by its name in `trend_stats`: `avg`, `min`, `med`, `max`, `count`, `p(99.9)`.
pub(super) fn statistic(trend: &Trend, name: &str) -> Option<f64> {
    let value = match name {
        "avg" => trend.avg(),
        "min" => trend.min(),
        "med" => trend.percentile(50.0),
        "max" => trend.max(),
        "count" => Some(trend.count() as f64),
        _ => trend.percentile(percentile(name)?),
    };
    value.and_then(finite)
}

/// The number in `p(N)`.
fn percentile(name: &str) -> Option<f64> {
    let number = name.strip_prefix("p(")?.strip_suffix(')')?.trim().parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// The largest value of a gauge over the series that satisfy `accept`.
pub(super) fn most(snapshot: &Snapshot, metric: &str, accept: impl Fn(&TagSet) -> bool) -> Option<f64> {
    match snapshot.merged(metric, true, false, accept) {
        Some(Cell::Gauge(Some(gauge))) => finite(gauge.max),
        _ => None,
    }
}

/// Percentile values that were beyond a histogram's range, over all series.
pub(super) fn clipped(snapshot: &Snapshot) -> u64 {
    let clipped = snapshot.series.iter().map(|series| match &series.cell {
        Cell::Trend(trend) => trend.clipped(),
        _ => 0,
    });
    clipped.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Resolution, Scale};

    #[test]
    fn statistics_are_found_by_name_and_nothing_else_is() {
        let mut trend = Trend::new(Scale::request(60), Resolution::ThreeDigits);
        (1..=1000).for_each(|ms| trend.record(f64::from(ms)));
        for (name, value) in
            [("avg", 500.5), ("min", 1.0), ("med", 500.0), ("max", 1000.0), ("count", 1000.0), ("p(90)", 900.0)]
        {
            let seen = statistic(&trend, name).expect(name);
            assert!((seen - value).abs() <= value * 0.001, "{name}: {seen}");
        }
        for name in ["p(101)", "p95", "median", ""] {
            assert_eq!(statistic(&trend, name), None, "{name}");
        }
    }

    #[test]
    fn nothing_over_nothing_is_no_number() {
        assert_eq!((per_second(0.0, Duration::ZERO), share(0, 0)), (None, None));
    }
}
