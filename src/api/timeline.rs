//! The handlers that look back: KPIs and single metrics, stretch by stretch, from the History.
//!
//! The KPIs come from the digest of the run, which has merged all operations already.
//!
//! Stretches begin at whole multiples of the interval in run time, so that a point stays as it is once it is there. The lock
//! of the History is held for some points at a time: whoever feeds it never waits for a whole answer.

use super::Session;
use super::problem::Problem;
use super::query::{Parameter, Query};
use super::router::{Chosen, json};
use super::row::Row;
use super::wire::{PointWire, SeriesWire, TaggedWire, TimelineWire, ValuePointWire, ValuesWire, seconds};
use crate::analysis::Measure;
use crate::diagnostic::did_you_mean;
use crate::expr::Selector;
use crate::metrics::{Cell, Window};
use crate::snapshot::Snapshot;
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::PoisonError;
use std::time::Duration;

/// The longest window in memory, in seconds.
const WINDOW: u64 = 3_600;
/// Points of one answer.
const POINTS: u64 = 720;
const SECOND: Duration = Duration::from_secs(1);
/// Series that are listed one by one.
const LISTED: usize = 100;
/// Slices that are read for one answer: more would take longer than an answer may. Those with distributions take longer.
const SLICES: u64 = 1_000_000;
const DISTRIBUTIONS: u64 = 100_000;
/// Points during which the History is held.
const AT_ONCE: usize = 30;

const INTERVAL: Parameter =
    Parameter::whole("interval", "seconds of one point, at most the window; 5 when nobody says it", 1, WINDOW, None);
const TIMELINE: &[Parameter] = &[BACK, INTERVAL];
const BACK: Parameter = Parameter::whole("window", "how far back, in seconds", 1, WINDOW, Some(300));
/// `tag:value`, put together by commas; a value is quoted where it holds a comma, a brace or a quote.
const TAGS: &str = concat!(
    r#"^([^\s:,{}"'`\u0000-\u001f\u007f-\u009f]+:("[^"{}]*"|'[^'{}]*'|`[^`{}]*`|[^\s,{}"'`\u0000-\u001f\u007f-\u009f]+)"#,
    r#"(,[^\s:,{}"'`\u0000-\u001f\u007f-\u009f]+:("[^"{}]*"|'[^'{}]*'|`[^`{}]*`|[^\s,{}"'`\u0000-\u001f\u007f-\u009f]+))*)?$"#
);
const SERIES: &[Parameter] = &[
    Parameter::text("name", "which metric, such as `name=http_req_duration`")
        .pattern("^[A-Za-z_][A-Za-z0-9_]*$")
        .example("http_req_duration")
        .required(),
    Parameter::text("tags", "which of its series: `tags=name:cart,scenario:browse`")
        .pattern(TAGS)
        .example("scenario:users"),
    BACK,
    INTERVAL,
];

/// The rows of this file.
pub(super) fn rows() -> Vec<Row> {
    vec![
        Row::get("/metrics/timeline", "The figures that people watch, stretch by stretch", timeline)
            .query(TIMELINE)
            .answers::<TimelineWire>("the last `window` seconds"),
        Row::get("/metrics/series", "One metric, own ones too: whole, by series, and stretch by stretch", series)
            .query(SERIES)
            .answers::<SeriesWire>("what it has seen")
            .refuses(StatusCode::NOT_FOUND, "there is no such metric"),
    ]
}

/// The last part of a run, cut into stretches.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Past {
    window: u64,
    interval: u64,
}

impl Past {
    fn read(query: &Query) -> Result<Self, Problem> {
        let window = query.whole("window").unwrap_or(WINDOW);
        let interval = query.whole("interval").unwrap_or(window.min(5));
        if interval > window {
            let why =
                format!("`interval={interval}`: a whole number from 1 to {window} is wanted, since that is the window");
            return Err(Problem::bad(why));
        }
        if window.div_ceil(interval) > POINTS {
            let least = window.div_ceil(POINTS);
            let why = format!("`interval={interval}`: that is more than {POINTS} points; at least {least} is wanted");
            return Err(Problem::bad(why));
        }
        Ok(Past { window, interval })
    }

    /// The stretches, when the run is closed up to a time.
    fn stretches(self, closed: Duration) -> impl Iterator<Item = (Duration, Duration)> {
        let last = closed.as_secs() / self.interval;
        let first = last.saturating_sub(self.window / self.interval);
        let edge = move |at: u64| Duration::from_secs(at * self.interval);
        (first..last).map(move |at| (edge(at), edge(at + 1)))
    }
}

/// What some series have seen in each stretch.
///
/// # Errors
/// That is too much to be read for one answer.
fn windows(
    snapshot: &Snapshot,
    places: &[usize],
    stretches: &[(Duration, Duration)],
) -> Result<Vec<Option<Window>>, Problem> {
    let history = || snapshot.history.read().unwrap_or_else(PoisonError::into_inner);
    let (Some((from, _)), Some((_, to))) = (stretches.first(), stretches.last()) else { return Ok(Vec::new()) };
    let each = history().slices(*from, *to).max(stretches.len() as u64);
    let all = each * places.len() as u64;
    let first = places.first().and_then(|place| snapshot.series.get(*place));
    let distributions =
        first.is_some_and(|series| matches!(&series.cell, Cell::Trend(trend) if trend.has_percentiles()));
    let most = if distributions { DISTRIBUTIONS } else { SLICES };
    if all > most {
        let (series, window) = (places.len(), to.saturating_sub(*from).as_secs());
        let why = format!(
            "{series} series over {window} s are {all} slices, and one answer reads at most {most}: a shorter `window`, or `tags` that select at most {} series, are wanted",
            most / each
        );
        return Err(Problem::bad(why));
    }
    let some = |stretches: &[(Duration, Duration)]| history().windows(places, stretches);
    Ok(stretches.chunks(AT_ONCE).flat_map(some).collect())
}

/// `GET /metrics/timeline?window&interval`
pub(super) async fn timeline(Chosen(session): Chosen, query: Query) -> Result<Response, Problem> {
    let past = Past::read(&query)?;
    Ok(json(StatusCode::OK, &points(&session, &session.snapshot(), past)))
}

fn points(session: &Session, snapshot: &Snapshot, past: Past) -> TimelineWire {
    let digest = session.digest(snapshot);
    let oldest = session.preferences.oldest(digest.end());
    let told = past.stretches(digest.end()).filter(|(from, _)| *from >= oldest);
    let stretches: Vec<(Duration, Duration)> = told.collect();
    let whole = stretches.first().zip(stretches.last()).map(|(first, last)| digest.step(first.0, last.1));
    let diary = session.diary();
    let point = |(from, to): (Duration, Duration)| PointWire::new(&digest, from, to, diary.wall(from));
    TimelineWire {
        window_seconds: past.window,
        interval_seconds: past.interval,
        resolution_seconds: seconds(whole.unwrap_or(SECOND)),
        data_points: stretches.into_iter().map(point).collect(),
    }
}

/// `GET /metrics/series?name&tags&window&interval`
pub(super) async fn series(Chosen(session): Chosen, query: Query) -> Result<Response, Problem> {
    let past = Past::read(&query)?;
    let name = query.text("name").unwrap_or_default();
    let text = match query.text("tags") {
        Some(tags) if !tags.is_empty() => format!("{name}{{{tags}}}"),
        _ => name.to_owned(),
    };
    let selector = Selector::parse(&text).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(|problem| problem.kind.to_string()).collect();
        Problem::bad(format!("`{text}` selects nothing: {}", problems.join("; ")))
    })?;
    let snapshot = session.snapshot();
    let Some(spec) = snapshot.spec(selector.metric()) else {
        let names = snapshot.metrics.iter().map(|spec| &*spec.def.name);
        let meant = did_you_mean(selector.metric(), names).map(|name| format!(": did you mean `{name}`?"));
        let metric = selector.metric();
        return Err(Problem::missing(format!("there is no metric `{metric}`{}", meant.unwrap_or_default())));
    };
    let mut wire = SeriesWire::new(&spec.def);
    fill(&mut wire, &session, &snapshot, &selector, past)?;
    Ok(json(StatusCode::OK, &wire))
}

fn fill(
    wire: &mut SeriesWire,
    session: &Session,
    snapshot: &Snapshot,
    selector: &Selector,
    past: Past,
) -> Result<(), Problem> {
    let metric = selector.metric();
    let accept = |tags: &crate::metrics::TagSet| selector.accepts(|tag| tags.get(tag));
    let (filtered, with_phases) = (selector.tags().next().is_some(), selector.tag("phase").is_some());
    let within = snapshot.measured();
    wire.values = snapshot.merged(metric, filtered, with_phases, accept).map(|cell| ValuesWire::new(&cell, within));
    let places: Vec<usize> = snapshot.places(metric, 0, (filtered, with_phases), accept).collect();
    wire.total_series = places.len();
    let listed = places.iter().take(LISTED).filter_map(|at| snapshot.series.get(*at));
    wire.series = listed.map(|series| TaggedWire::new(&series.tags, &series.cell, within)).collect();
    let mut resolution = SECOND;
    let digest = session.digest(snapshot);
    // What the digest has merged already need not be merged again.
    let whole = if filtered || with_phases { digest.made_of(metric, &places) } else { Measure::whole(metric) };
    let oldest = session.preferences.oldest(digest.end());
    let stretches: Vec<_> = past.stretches(digest.end()).filter(|(from, _)| *from >= oldest).collect();
    let windows = match whole {
        Some(measure) => digest.windows(measure, &stretches),
        None => windows(snapshot, &places, &stretches)?,
    };
    // The last second of a run is seldom whole, and whoever asks for the warm-up by its phase has it counted.
    let measured = |from, to| {
        let seconds = if with_phases { digest.seconds(from, to) } else { digest.counted(from, to) };
        Duration::from_secs_f64(seconds)
    };
    let diary = session.diary();
    let mut last: Option<(Duration, Duration, ValuesWire)> = None;
    for ((from, _), window) in stretches.iter().zip(&windows) {
        let Some(window) = window.as_ref().filter(|window| !window.cell.is_empty()) else { continue };
        resolution = resolution.max(window.step);
        // Points that are shorter than slices say the same.
        let values = match last.take() {
            Some((begin, end, values)) if (begin, end) == (window.from, window.to) => values,
            _ => ValuesWire::new(&window.cell, measured(window.from, window.to)),
        };
        last = Some((window.from, window.to, values.clone()));
        wire.data_points.push(ValuePointWire::new(*from, diary.wall(*from), values));
    }
    (wire.window_seconds, wire.interval_seconds) = (past.window, past.interval);
    wire.resolution_seconds = seconds(resolution);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(u64, u64), String> {
        let uri = format!("/a?{query}").parse().unwrap();
        let told = |problem: Problem| problem.told().1.to_owned();
        let query = Query::read(&uri, TIMELINE).map_err(told)?;
        Past::read(&query).map(|past| (past.window, past.interval)).map_err(told)
    }

    #[test]
    fn windows_and_intervals_are_bounded() {
        assert_eq!(
            [read(""), read("window=3"), read("window=3600&interval=5")],
            [Ok((300, 5)), Ok((3, 3)), Ok((3600, 5))]
        );
        assert_eq!(
            read("window=3600&interval=1"),
            Err("`interval=1`: that is more than 720 points; at least 5 is wanted".to_owned())
        );
        assert!(read("window=10&interval=11").is_err() && read("window=3601").is_err());
    }

    #[test]
    fn points_stay_where_they_are_and_only_whole_ones_are_there() {
        let past = Past { window: 20, interval: 5 };
        let begins = |closed: u64| {
            let stretches = past.stretches(Duration::from_secs(closed));
            stretches.map(|(from, _)| from.as_secs()).collect::<Vec<_>>()
        };
        assert_eq!(begins(4), Vec::<u64>::new());
        assert_eq!(begins(12), [0, 5]);
        assert_eq!(begins(44), [20, 25, 30, 35]);
        assert_eq!(begins(45), [25, 30, 35, 40]);
    }

    #[test]
    fn what_is_too_much_for_one_answer_is_refused_with_what_would_not_be() {
        use crate::metrics::{MetricId, Resolution, Scale, TagSet, Trend};
        use crate::snapshot::Series;
        let of = |resolution| {
            let mut trend = Trend::new(Scale::request(60), resolution);
            trend.record(7.0);
            let snapshot = Snapshot::default();
            let cell = Cell::Trend(trend);
            for second in 0..300 {
                snapshot.history.write().unwrap().feed(Duration::from_secs(second), 0, &cell);
            }
            snapshot.history.write().unwrap().close(Duration::from_secs(300));
            let series = Series { metric: MetricId(0), tags: TagSet::empty(), cell };
            Snapshot { series: vec![series.into()], ..snapshot }
        };
        let stretches: Vec<_> = Past { window: 300, interval: 5 }.stretches(Duration::from_secs(300)).collect();
        let asked = |resolution, series| {
            let told = |problem: Problem| problem.told().1.to_owned();
            windows(&of(resolution), &vec![0; series], &stretches).map(|windows| windows.len()).map_err(told)
        };
        assert_eq!(asked(Resolution::ThreeDigits, 300), Ok(60));
        let refused = asked(Resolution::ThreeDigits, 350).unwrap_err();
        assert!(
            refused.starts_with("350 series over 300 s are 105000 slices, and one answer reads at most 100000"),
            "{refused}"
        );
        assert!(refused.contains("at most 333 series"), "{refused}");
        assert_eq!(asked(Resolution::Moments, 3_000), Ok(60));
    }
}
