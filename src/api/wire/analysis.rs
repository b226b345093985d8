//! `GET /analysis`: what is concluded of a run. Each statement names its rule, whose formula stands beside it.

use super::{number, seconds, time};
use crate::analysis::{Analysis, Course, Finding, Forecast, Score, Trend, rule};
use crate::api::diary::Diary;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

/// All that is concluded of a run so far.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct AnalysisWire {
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Run time at which the stretch begins that it looked at.
    from_seconds: Number,
    /// Run time at which that stretch ends.
    to_seconds: Number,
    /// Where each figure goes.
    trends: Vec<FigureTrendWire>,
    /// What holds the run up; what the generator itself is guilty of comes first.
    bottlenecks: Vec<BottleneckWire>,
    /// How well each component does.
    scores: Vec<ScoreWire>,
    /// Where figures will be if nothing changes.
    predictions: Vec<PredictionWire>,
    /// What to do.
    recommendations: Vec<RecommendationWire>,
}

/// Where a figure goes.
#[derive(Debug, Serialize, JsonSchema)]
struct FigureTrendWire {
    /// `throughput` (per second), `latency_p95` (milliseconds), `error_rate` (percent), `active_users`, `memory` (bytes of punk
    /// itself) or `cpu` (percent of the cores that its shards may use).
    metric: &'static str,
    /// `unknown` with less data than the rule asks for.
    direction: CourseWire,
    /// Change along the line over the stretch, in percent of the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_percent: Option<Number>,
    /// Slope of the line by Theil and Sen, per minute of run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_minute: Option<Number>,
    /// Lower end of its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Number>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<Number>,
    /// How probable such an order is without a trend, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<Number>,
    /// Of how many points.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<usize>,
    /// The rule.
    rule: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CourseWire {
    Up,
    Down,
    Stable,
    Unknown,
}

/// What holds the run up.
#[derive(Debug, Serialize, JsonSchema)]
struct BottleneckWire {
    /// The rule that found it.
    rule: &'static str,
    /// What it is, with its numbers.
    message: String,
    /// The number that decided, as the formula has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    /// Run time at which the stretch begins that it is about.
    from_seconds: Number,
    /// Run time at which that stretch ends.
    to_seconds: Number,
    /// Whether the generator was at its end, so that this may be its fault.
    doubtful: bool,
    /// How it was found.
    formula: &'static str,
}

/// How well a component does.
#[derive(Debug, Serialize, JsonSchema)]
struct ScoreWire {
    /// `latency`, `errors` or `throughput`.
    component: &'static str,
    /// 0 to 100; absent with less data than the rule asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Number>,
    /// The rule.
    rule: &'static str,
    /// How it is made.
    formula: &'static str,
    /// What is missing where there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Where a figure will be if nothing changes.
#[derive(Debug, Serialize, JsonSchema)]
struct PredictionWire {
    /// As in `trends`.
    metric: &'static str,
    /// When by the wall, without pauses until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same in run time.
    at_seconds: Number,
    /// The value expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Number>,
    /// Lower end of its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<Number>,
    /// Upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<Number>,
    /// The rule.
    rule: &'static str,
}

/// What to do.
#[derive(Debug, Serialize, JsonSchema)]
struct RecommendationWire {
    /// The rule that it follows from.
    rule: &'static str,
    /// What to do.
    message: &'static str,
    /// What was found.
    because: String,
}

impl AnalysisWire {
    pub(in crate::api) fn new(diary: &Diary, concluded: &Analysis, now: DateTime<Utc>) -> Self {
        let advice = concluded.recommendations.iter();
        AnalysisWire {
            timestamp: time(now),
            from_seconds: seconds(concluded.from),
            to_seconds: seconds(concluded.to),
            trends: concluded.trends.iter().map(trend).collect(),
            bottlenecks: concluded.bottlenecks.iter().map(bottleneck).collect(),
            scores: concluded.scores.iter().map(score).collect(),
            predictions: concluded.forecasts.iter().map(|one| prediction(diary, one)).collect(),
            recommendations: advice
                .map(|one| RecommendationWire { rule: one.rule, message: one.text, because: one.because.clone() })
                .collect(),
        }
    }
}

/// Shares go out in percent.
fn by(figure: &str) -> f64 {
    if matches!(figure, "error_rate" | "cpu") { 100.0 } else { 1.0 }
}

fn formula(id: &str) -> &'static str {
    rule(id).map_or("", |rule| rule.formula)
}

fn trend(one: &Trend) -> FigureTrendWire {
    let per_minute = |slope: f64| number(slope * 60.0 * by(one.figure));
    FigureTrendWire {
        metric: one.figure,
        direction: match one.course {
            Course::Rising => CourseWire::Up,
            Course::Falling => CourseWire::Down,
            Course::Steady => CourseWire::Stable,
            Course::Unknown => CourseWire::Unknown,
        },
        change_percent: one.percent.and_then(number),
        per_minute: one.line.and_then(|line| per_minute(line.slope)),
        low: one.line.and_then(|line| per_minute(line.low)),
        high: one.line.and_then(|line| per_minute(line.high)),
        p: one.line.and_then(|line| number(line.p)),
        points: one.line.map(|line| line.points),
        rule: "trend",
    }
}

fn bottleneck(one: &Finding) -> BottleneckWire {
    BottleneckWire {
        rule: one.rule,
        message: one.message.clone(),
        value: number(one.value),
        from_seconds: seconds(one.from),
        to_seconds: seconds(one.to),
        doubtful: one.doubtful,
        formula: formula(one.rule),
    }
}

fn score(one: &Score) -> ScoreWire {
    let missing = || rule(one.rule).map(|rule| format!("it takes {}", rule.minimum));
    ScoreWire {
        component: one.component,
        score: one.score.and_then(number),
        rule: one.rule,
        formula: formula(one.rule),
        reason: if one.score.is_none() { missing() } else { None },
    }
}

fn prediction(diary: &Diary, one: &Forecast) -> PredictionWire {
    let told = |value: f64| number(value * by(one.figure));
    PredictionWire {
        metric: one.figure,
        timestamp: diary.wall(one.at).map(time),
        at_seconds: seconds(one.at),
        value: told(one.value),
        low: told(one.low),
        high: told(one.high),
        rule: "forecast",
    }
}
