//! `GET /metrics/historical`: one figure over a range.

use super::{number, seconds, time};
use crate::analysis::{Figure, Insight, historical, insights};
use crate::api::Session;
use crate::snapshot::Snapshot;
use crate::units::human;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::time::Duration;

/// A figure over a range of the run.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct HistoricalWire {
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// The figure, as asked.
    metric: String,
    /// How far back it looks, as asked.
    range: String,
    /// What its values are in.
    unit: HistoricalUnit,
    /// Over everything in the range; of users, memory and CPU the mean of the points, weighted by their length.
    #[serde(skip_serializing_if = "Option::is_none")]
    average: Option<Number>,
    /// The largest point.
    #[serde(skip_serializing_if = "Option::is_none")]
    peak: Option<Number>,
    /// The smallest point.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Number>,
    /// Of the points, weighted by their length.
    #[serde(skip_serializing_if = "Option::is_none")]
    standard_deviation: Option<Number>,
    /// How long a point is; longer where the past is kept less finely.
    interval_seconds: Number,
    /// The longest slice that a point was made of.
    resolution_seconds: Number,
    /// Points, the oldest first; where nothing was measured there is none.
    time_series: Vec<HistoricalPointWire>,
    /// What the points show.
    insights: Vec<InsightWire>,
    /// Why the range is not there as a whole; absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// From when on more of it will be there; absent where all of it is that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    available_from: Option<&'static str>,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum HistoricalUnit {
    Milliseconds,
    PerSecond,
    Percent,
    Users,
    Bytes,
}

/// A point, which begins at `timestamp`.
#[derive(Debug, Serialize, JsonSchema)]
struct HistoricalPointWire {
    /// When it begins; absent before the scenarios have begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same in run time.
    elapsed_seconds: Number,
    /// How long it is.
    seconds: Number,
    /// The figure.
    value: Number,
    /// Whether it is not over, so that the value may still change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    open: bool,
}

/// A sentence about the points.
#[derive(Debug, Serialize, JsonSchema)]
struct InsightWire {
    /// The rule that it follows from, as `GET /analysis` and the page of the book have them: `trend`, `forecast`, `peak`.
    r#type: &'static str,
    /// What it says.
    message: String,
    /// Run time at which the stretch begins that it is about.
    from_seconds: Number,
    /// Run time at which that stretch ends.
    to_seconds: Number,
}

impl HistoricalWire {
    pub(in crate::api) fn new(
        session: &Session,
        snapshot: &Snapshot,
        (metric, figure): (&str, Figure),
        (range_word, range): (&str, Duration),
        now: DateTime<Utc>,
    ) -> Self {
        let within = session.preferences.within(range);
        let seen = historical(&session.digest(snapshot), figure, within);
        let diary = session.diary();
        let (unit, by, show) = shown(figure);
        let told = |value: Option<f64>| value.and_then(|value| number(value * by));
        let point = |(from, to, value): &(Duration, Duration, f64)| {
            Some(HistoricalPointWire {
                timestamp: diary.wall(*from).map(time),
                elapsed_seconds: seconds(*from),
                seconds: seconds(*to - *from),
                value: told(Some(*value))?,
                open: *to - *from < seen.interval,
            })
        };
        let insight = |insight: Insight| InsightWire {
            r#type: insight.rule,
            message: insight.message,
            from_seconds: seconds(insight.from),
            to_seconds: seconds(insight.to),
        };
        let is_short = seen.to < within;
        let young = || format!("this run is {} old, and earlier runs are kept nowhere yet", human::duration(seen.to));
        let kept_back = || format!("`retention` is {}: nothing older is told", human::duration(within));
        let reason = if is_short { Some(young()) } else { (within < range).then(kept_back) };
        HistoricalWire {
            timestamp: time(now),
            metric: metric.to_owned(),
            range: range_word.to_owned(),
            unit,
            average: told(seen.average),
            peak: told(seen.peak),
            low: told(seen.low),
            standard_deviation: told(seen.standard_deviation),
            interval_seconds: seconds(seen.interval),
            resolution_seconds: seconds(seen.step),
            time_series: seen.series.iter().filter_map(point).collect(),
            insights: insights(&seen, show).into_iter().map(insight).collect(),
            reason,
            available_from: is_short.then_some("the version that keeps runs"),
        }
    }
}

/// The unit of a figure, its factor, and how people write it.
fn shown(figure: Figure) -> (HistoricalUnit, f64, fn(f64) -> String) {
    match figure {
        Figure::Throughput => (HistoricalUnit::PerSecond, 1.0, human::rate),
        Figure::Mean | Figure::Percentile(_) => (HistoricalUnit::Milliseconds, 1.0, human::time),
        Figure::Errors | Figure::Cpu => (HistoricalUnit::Percent, 100.0, human::percent),
        Figure::Users => (HistoricalUnit::Users, 1.0, human::number),
        Figure::Memory => (HistoricalUnit::Bytes, 1.0, human::bytes),
    }
}
