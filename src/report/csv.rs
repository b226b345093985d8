//! All metrics as CSV (RFC 4180), for spreadsheets: a row for each metric as a whole, and one for each of its series.
//!
//! Values are in the metric's unit: milliseconds, bytes, a share from 0 to 1, a plain number. What was not measured is empty.

use super::figures::finite;
use crate::metrics::{Cell, MetricSpec, TagSet};
use crate::snapshot::Snapshot;
use std::time::Duration;

/// The columns.
const HEAD: [&str; 16] = [
    "metric", "kind", "unit", "tags", "count", "sum", "rate", "value", "min", "avg", "med", "max", "p90", "p95", "p99",
    "p99.9",
];

/// All metrics of a run so far.
pub fn csv(snapshot: &Snapshot) -> String {
    let mut out = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let mut row = |cells: &[String]| out.write_record(cells).expect("a vector takes whatever is written");
    row(&HEAD.map(str::to_owned));
    for spec in snapshot.metrics.iter() {
        if let Some(whole) = snapshot.total(&spec.def.name) {
            row(&cells(spec, &TagSet::empty(), &whole, snapshot.measured()));
        }
        for series in snapshot.series_of(&spec.def.name).filter(|series| !series.tags.is_empty()) {
            if !series.cell.is_empty() {
                row(&cells(spec, &series.tags, &series.cell, snapshot.measured()));
            }
        }
    }
    let bytes = out.into_inner().expect("a vector takes whatever is written");
    String::from_utf8(bytes).expect("texts were written")
}

fn cells(spec: &MetricSpec, tags: &TagSet, cell: &Cell, within: Duration) -> [String; 16] {
    let tags: Vec<String> = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let def = &spec.def;
    let number = |value: Option<f64>| value.and_then(finite).map_or(String::new(), |value| value.to_string());
    let rate = |sum: f64| Some(sum / within.as_secs_f64());
    // count, sum, rate, value, min, avg, med, max, p90, p95, p99, p99.9
    let values: [Option<f64>; 12] = match cell {
        Cell::Counter { sum, samples } => {
            let mut values = [None; 12];
            (values[0], values[1], values[2]) = (Some(*samples as f64), Some(*sum), rate(*sum));
            values
        }
        Cell::Rate { passes, total } => {
            let mut values = [None; 12];
            (values[0], values[1]) = (Some(*total as f64), Some(*passes as f64));
            values[2] = Some(*passes as f64 / *total as f64);
            values
        }
        Cell::Gauge(gauge) => {
            let mut values = [None; 12];
            values[3] = gauge.map(|gauge| gauge.last);
            (values[4], values[7]) = (gauge.map(|gauge| gauge.min), gauge.map(|gauge| gauge.max));
            values
        }
        Cell::Trend(trend) => {
            let at = |percent| trend.percentile(percent);
            let (min, avg, max) = (trend.min(), trend.avg(), trend.max());
            let count = Some(trend.count() as f64);
            [count, None, None, None, min, avg, at(50.0), max, at(90.0), at(95.0), at(99.0), at(99.9)]
        }
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l] = values.map(number);
    let name = |text: &str| text.to_owned();
    [name(&def.name), name(def.kind.word()), name(def.unit.word()), tags.join(","), a, b, c, d, e, f, g, h, i, j, k, l]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_row_has_every_column_and_adds_up() {
        let run = sample::typical();
        let text = csv(&run.snapshot);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEAD);
        let rows: Vec<::csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        let requests =
            |whole: bool| rows.iter().filter(move |row| &row[0] == "http_reqs" && row[3].is_empty() == whole);
        let sum = |rows: &mut dyn Iterator<Item = &::csv::StringRecord>| {
            rows.map(|row| row[5].parse::<f64>().unwrap()).sum::<f64>()
        };
        assert_eq!(requests(true).count(), 1);
        assert!(sum(&mut requests(true)) > 0.0);
        let phases = |row: &&::csv::StringRecord| !row[3].contains("phase:");
        assert_eq!(sum(&mut requests(true)), sum(&mut requests(false).filter(phases)));
        assert!(text.ends_with("\r\n") && !text.contains("NaN"), "{text}");
    }

    #[test]
    fn a_run_that_has_not_begun_has_columns_only() {
        assert_eq!(csv(&Snapshot::default()).lines().count(), 1);
    }
}
