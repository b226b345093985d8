//! The whole analysis of a run: trends, what holds it up, scores, forecasts, advice.
//!
//! Called with a digest by whoever shows it; it looks at the last hour at most, in at most 120 pieces.

use super::bottlenecks::{Finding, bottlenecks};
use super::digest::Digest;
use super::figure::Figure;
use super::historical::interval;
use super::rules::rule;
use super::slope::{MINIMUM, Slope, median, quantile, theil_sen};
use super::timeline::{Point, point};
use crate::snapshot::Snapshot;
use std::time::Duration;

/// How far back it looks.
const STRETCH: Duration = Duration::from_secs(3_600);
/// Most pieces.
const PIECES: u64 = 120;
/// Change over the stretch, as a share of the median, below which a trend does not matter.
const MATTERS: f64 = 0.05;

/// All that is concluded of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Run time at which what it looked at begins.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
    /// One for each figure.
    pub trends: Vec<Trend>,
    /// The generator's first.
    pub bottlenecks: Vec<Finding>,
    /// One for each component.
    pub scores: Vec<Score>,
    /// One for each figure that has enough data.
    pub forecasts: Vec<Forecast>,
    /// What to do, each by its rule.
    pub recommendations: Vec<Advice>,
}

/// Where a figure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// It grows.
    Rising,
    /// It shrinks.
    Falling,
    /// Neither is shown, or it does not matter.
    Steady,
    /// There is too little data to say.
    Unknown,
}

/// How a figure changes over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// `throughput`, `latency_p95`, `error_rate`, `active_users`, `memory` or `cpu`.
    pub figure: &'static str,
    /// Where it goes.
    pub course: Course,
    /// The line, per second of run time; `None` with too little data.
    pub line: Option<Slope>,
    /// Change along the line from the first point to the last, in percent of the median of all; `None` without a line, or when that is 0.
    pub percent: Option<f64>,
}

/// How well a component does.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// `latency`, `errors` or `throughput`.
    pub component: &'static str,
    /// 0 to 100, `None` with less data than its rule asks for.
    pub score: Option<f64>,
    /// The rule that holds its formula.
    pub rule: &'static str,
}

/// Where a figure will be if nothing changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// As in [`Trend::figure`].
    pub figure: &'static str,
    /// Run time that it is about.
    pub at: Duration,
    /// The value expected.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// The rule that it follows from.
    pub rule: &'static str,
    /// What to do.
    pub text: &'static str,
    /// What was found.
    pub because: String,
}

/// The figures that have a trend, under the names that the API has for them.
const FIGURES: [(&str, Figure); 6] = [
    ("throughput", Figure::Throughput),
    ("latency_p95", Figure::Percentile(95)),
    ("error_rate", Figure::Errors),
    ("active_users", Figure::Users),
    ("memory", Figure::Memory),
    ("cpu", Figure::Cpu),
];

/// A figure of a piece that was read already.
fn of(figure: Figure, digest: &Digest, point: &Point) -> Option<f64> {
    match figure {
        Figure::Throughput => point.throughput,
        Figure::Percentile(95) => point.p95,
        Figure::Errors => point.error_rate,
        Figure::Users => point.active_users,
        other => other.value(digest, point.from, point.to),
    }
}

/// Concludes what can be concluded of a run so far.
pub fn analysis(snapshot: &Snapshot, digest: &Digest) -> Analysis {
    let to = digest.end();
    let from = to.saturating_sub(STRETCH).max(digest.begin());
    let interval = interval(to.saturating_sub(from), PIECES);
    let pieces = digest.pieces(from, to, interval).into_iter();
    let points: Vec<Point> = pieces.filter_map(|(from, to)| point(digest, from, to, Duration::ZERO)).collect();
    let lines = FIGURES.map(|(name, figure)| {
        let value = |point: &Point| Some((point.middle(), of(figure, digest, point)?));
        let series: Vec<(f64, f64)> = points.iter().filter_map(value).collect();
        (name, theil_sen(&series), series, figure.most())
    });
    let bottlenecks = bottlenecks(snapshot, digest, &points);
    let scores = scores(digest, from, to, &lines[0].1, &lines[0].2);
    let found = bottlenecks.iter().map(|found| (found.rule, found.message.clone()));
    let low = scores.iter().filter_map(|one| Some((one.rule, one.component, one.score.filter(|score| *score < 80.0)?)));
    let low = low.map(|(rule, component, score)| (rule, format!("{component} scores {score:.0} of 100")));
    let recommendations = found.chain(low).filter_map(|(id, because)| {
        let rule = rule(id)?;
        Some(Advice { rule: rule.id, text: rule.advice, because })
    });
    Analysis {
        from,
        to,
        recommendations: recommendations.collect(),
        trends: lines.iter().map(|(name, line, series, _)| trend(name, *line, series)).collect(),
        forecasts: lines
            .iter()
            .filter_map(|(name, line, series, most)| forecast(name, (*line)?, series, *most))
            .collect(),
        bottlenecks,
        scores,
    }
}

/// Where a series goes, by the rule `trend`.
pub(super) fn trend(figure: &'static str, line: Option<Slope>, series: &[(f64, f64)]) -> Trend {
    let Some(line) = line else { return Trend { figure, course: Course::Unknown, line, percent: None } };
    let (first, last) = (series.first().map_or(0.0, |one| one.0), series.last().map_or(0.0, |one| one.0));
    let usual = median(&series.iter().map(|(_, y)| *y).collect::<Vec<_>>()).unwrap_or_default().abs();
    let change = line.slope * (last - first);
    let course = match (line.is_significant() && change.abs() > MATTERS * usual, line.slope > 0.0) {
        (false, _) => Course::Steady,
        (true, true) => Course::Rising,
        (true, false) => Course::Falling,
    };
    let percent = Some(100.0 * change / usual).filter(|percent| percent.is_finite());
    Trend { figure, course, line: Some(line), percent }
}

/// Where a series will be, by the rule `forecast`, of a figure that is never below 0 nor above `most`; `None` with too little
/// data.
pub(super) fn forecast(figure: &'static str, line: Slope, series: &[(f64, f64)], most: f64) -> Option<Forecast> {
    let (first, last) = (series.first()?.0, series.last()?.0);
    let at = last + (last - first) / 2.0;
    let rest: Vec<f64> = series.iter().map(|(x, y)| y - line.at(*x)).collect();
    let ahead = at - line.middle;
    (series.len() >= 20).then_some(())?;
    let possible = |value: f64| value.clamp(0.0, most);
    Some(Forecast {
        figure,
        at: Duration::from_secs_f64(at.max(0.0)),
        value: possible(line.at(at)),
        low: possible(line.level + line.low * ahead + quantile(&rest, 0.05)?),
        high: possible(line.level + line.high * ahead + quantile(&rest, 0.95)?),
    })
}

fn scores(digest: &Digest, from: Duration, to: Duration, line: &Option<Slope>, series: &[(f64, f64)]) -> Vec<Score> {
    let scale = |share: f64| (100.0 * (1.0 - share)).clamp(0.0, 100.0);
    let latency = digest.latency(from, to).filter(|latency| latency.count() >= 1_000).and_then(|latency| {
        let (p50, p99) = (latency.percentile(50.0).filter(|p50| *p50 > 0.0)?, latency.percentile(99.0)?);
        Some(scale(((p99 / p50).log2() - 1.0) / 5.0))
    });
    let errors = digest.failed(from, to).filter(|(_, all)| *all >= 100);
    let errors = errors.map(|(failed, all)| scale(failed as f64 / all as f64 / 0.05));
    let throughput = line.filter(|_| series.len() >= MINIMUM).and_then(|line| {
        let usual = median(&series.iter().map(|(_, y)| *y).collect::<Vec<_>>()).filter(|usual| *usual > 0.0)?;
        let apart: Vec<f64> = series.iter().map(|(x, y)| (y - line.at(*x)).abs()).collect();
        Some(scale(1.4826 * median(&apart)? / usual / 0.5))
    });
    vec![
        Score { component: "latency", score: latency, rule: "score-latency" },
        Score { component: "errors", score: errors, rule: "score-errors" },
        Score { component: "throughput", score: throughput, rule: "score-throughput" },
    ]
}
