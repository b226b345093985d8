//! Failures: what each kind of error has to do with operations, scenarios and time.
//!
//! Pure: a Snapshot in, figures out, for any window that wants to show them. Shares are 0..=1.

use super::Snapshot;
use crate::metrics::{Category, Cell, ErrorEntry, ErrorKey, Timeline};
use rustc_hash::FxHashMap;
use std::time::Duration;

/// Buckets that a run must have before one of them can stick out.
const ENOUGH: u64 = 8;
/// Errors in one bucket below which nothing is called a burst.
const FEW: u64 = 10;
/// How many times as many as usual a burst has.
const UNUSUAL: u64 = 4;

/// One kind of error, with what it has to do with.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// Which kind.
    pub key: &'a ErrorKey,
    /// What is known of it.
    pub entry: &'a ErrorEntry,
    /// Its share of all errors.
    pub share: f64,
    /// Its operations, most errors first. Of script errors: the scenarios.
    pub operations: Vec<Portion<'a>>,
    /// The scenarios whose users had it, most errors first.
    pub scenarios: Vec<Portion<'a>>,
    /// When it came in bursts, in order.
    pub bursts: Vec<Burst>,
}

/// How much of one kind of error belongs to one operation, or to one scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Portion<'a> {
    /// The operation or scenario.
    pub name: &'a str,
    /// Errors of this kind there.
    pub count: u64,
    /// The share of this kind that is there.
    pub share: f64,
    /// The share of the requests there that ended so; `None` where the requests are not known apart, and for script errors.
    pub rate: Option<f64>,
    /// `share` against the share of all requests that are there: 1 is what chance would give, 5 is five times as many.
    pub lift: Option<f64>,
}

/// A stretch of the run in which an error was unusually frequent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// Run time at which it began, to within a bucket of the timeline.
    pub from: Duration,
    /// Run time at which it was over; `None` while it goes on.
    pub to: Option<Duration>,
    /// Errors in it.
    pub count: u64,
    /// The most of them per second.
    pub peak: f64,
}

impl Snapshot {
    /// Every kind of error, most frequent first. Failed checks are none.
    pub fn failures(&self) -> Vec<Failure<'_>> {
        let all = self.errors.total().max(1) as f64;
        let (by_name, by_scenario) = (requests(self, "name"), requests(self, "scenario"));
        let rows = self.errors.sorted().into_iter().map(|(key, entry)| {
            // How many calls into a script there were is not known, so its errors have no rate.
            let asked = key.category != Category::Script;
            Failure {
                key,
                entry,
                share: entry.count as f64 / all,
                operations: parts(entry, &entry.operations.names(), asked.then_some(&by_name)),
                scenarios: parts(entry, &entry.scenarios.names(), asked.then_some(&by_scenario)),
                bursts: bursts(entry, self.elapsed),
            }
        });
        rows.collect()
    }
}

/// How many requests there were under each value of a tag.
fn requests<'a>(snapshot: &'a Snapshot, tag: &str) -> FxHashMap<&'a str, f64> {
    let mut requests = FxHashMap::default();
    for series in snapshot.series_of("http_reqs") {
        if let (Some(value), Cell::Counter { sum, .. }) = (series.tags.get(tag), &series.cell) {
            *requests.entry(value).or_default() += sum;
        }
    }
    requests
}

fn parts<'a>(
    entry: &ErrorEntry,
    counts: &[(&'a str, u64)],
    requests: Option<&FxHashMap<&str, f64>>,
) -> Vec<Portion<'a>> {
    let whole: f64 = requests.map_or(0.0, |requests| requests.values().sum());
    let part = |&(name, count): &(&'a str, u64)| {
        let share = count as f64 / entry.count.max(1) as f64;
        let there = requests.and_then(|requests| requests.get(name)).filter(|there| **there > 0.0);
        Portion {
            name,
            count,
            share,
            rate: there.map(|there| count as f64 / there),
            lift: there.map(|there| share * whole / there),
        }
    };
    counts.iter().map(part).collect()
}

/// When an error was unusually frequent: stretches of the run in which each bucket of its timeline holds at least [`FEW`]
/// and [`UNUSUAL`] times the median of all buckets of the run, those without any included. One usual bucket between two
/// unusual ones is bridged. An error that is there all the time has none, whatever its rate; one that began late has one
/// that goes on, until it has lasted half of the run.
pub fn bursts(entry: &ErrorEntry, now: Duration) -> Vec<Burst> {
    let timeline = &entry.timeline;
    let width = timeline.width();
    let now = now.max(entry.last);
    let buckets = now.as_secs() / width.as_secs() + 1;
    if buckets < ENOUGH {
        return Vec::new();
    }
    let usual = median(timeline, buckets);
    let mut bursts: Vec<Burst> = Vec::new();
    for (from, count) in timeline.buckets().filter(|(_, count)| *count >= FEW.max(UNUSUAL * usual)) {
        let end = from + width;
        let peak = count as f64 / width.as_secs_f64();
        match bursts.last_mut() {
            Some(last) if last.to.is_some_and(|to| to + width >= from) => {
                last.to = Some(end);
                last.count += count;
                last.peak = last.peak.max(peak);
            }
            _ => bursts.push(Burst { from: from.max(entry.first), to: Some(end), count, peak }),
        }
    }
    if let Some(last) = bursts.last_mut() {
        // The bucket of now is not full: it may be too early for it to stick out.
        let goes_on = last.to.is_some_and(|to| to + width > now);
        last.to = last.to.map(|to| to.min(entry.last)).filter(|_| !goes_on);
    }
    bursts
}

/// The median of so many buckets, most of which may be empty.
fn median(timeline: &Timeline, buckets: u64) -> u64 {
    let mut counts: Vec<u64> = timeline.buckets().map(|(_, count)| count).collect();
    counts.sort_unstable();
    let empty = buckets.saturating_sub(counts.len() as u64);
    let middle = (buckets / 2).checked_sub(empty).and_then(|at| usize::try_from(at).ok());
    middle.and_then(|at| counts.get(at).copied()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Catalogue, ErrorLog, Occurrence, Recorder, RequestSample, RequestSeries, TagSet, specs};
    use crate::snapshot::Series;
    use std::sync::Arc;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// So many errors in each second.
    fn entry_of(counts: &[u64]) -> ErrorLog {
        let mut log = ErrorLog::default();
        for (second, count) in counts.iter().enumerate() {
            (0..*count).for_each(|_| add(&mut log, "GET /a", second as u64));
        }
        log
    }

    fn add(log: &mut ErrorLog, operation: &str, second: u64) {
        let key = ErrorKey { category: Category::Http5xx, code: 1500, kind: "http", place: Box::default() };
        let one = Occurrence { operation, scenario: "browse", user: 1, at: seconds(second), reason: "status 500" };
        log.add(key, &one, || "GET http://x/a: status 500".to_owned());
    }

    fn found(counts: &[u64], now: u64) -> Vec<(u64, Option<u64>, u64, f64)> {
        let log = entry_of(counts);
        let bursts = bursts(log.sorted()[0].1, seconds(now));
        bursts.into_iter().map(|one| (one.from.as_secs(), one.to.map(|to| to.as_secs()), one.count, one.peak)).collect()
    }

    #[test]
    fn a_burst_has_a_begin_an_end_and_a_peak() {
        let mut counts = vec![1; 40];
        counts[10..15].copy_from_slice(&[50, 80, 1, 60, 20]);
        assert_eq!(found(&counts, 40), [(10, Some(15), 210, 80.0)], "one usual second is bridged");
        assert_eq!(
            found(&[[0; 20].as_slice(), &[30, 30]].concat(), 40),
            [(20, Some(21), 60, 30.0)],
            "its last is in second 21"
        );
    }

    #[test]
    fn what_began_late_goes_on_and_what_is_always_there_is_no_burst() {
        assert_eq!(found(&[[0; 20].as_slice(), &[30; 10]].concat(), 29), [(20, None, 300, 30.0)]);
        assert!(found(&[30; 40], 40).is_empty());
        assert!(found(&[[0; 10].as_slice(), &[30; 30]].concat(), 40).is_empty(), "it is the rule by now");
        assert!(found(&[9; 3], 40).is_empty(), "too few");
        assert!(found(&[0, 500], 5).is_empty(), "too short a run");
    }

    #[test]
    fn a_long_run_is_judged_by_wider_buckets() {
        let mut counts = vec![0; 3_600];
        counts[1_000..1_060].fill(5);
        let [(from, to, count, _)] = found(&counts, 3_600)[..] else { panic!("one burst") };
        assert_eq!((from, count), (1_000, 300));
        assert!(to.is_some_and(|to| (1_059..1_088).contains(&to)), "{to:?}");
    }

    #[test]
    fn an_operation_that_has_more_than_its_share_stands_out() {
        let mut catalogue = Catalogue::new(specs(&[], &[], 60), 10);
        let mut recorder = Recorder::default();
        for (name, requests) in [("GET /a", 10), ("GET /b", 90)] {
            let tags = catalogue.tag_set(TagSet::new([("name", name), ("scenario", "browse")]));
            let series = RequestSeries::new(&mut catalogue, tags, true);
            recorder.extend(&catalogue);
            (0..requests).for_each(|_| recorder.request(series, &RequestSample::default()));
        }
        let keys = catalogue.untold();
        let cells = recorder.cells().iter().cloned();
        let series = keys
            .iter()
            .zip(cells)
            .map(|(key, cell)| Arc::new(Series { metric: key.metric, tags: key.tags.clone(), cell }));
        let mut log = ErrorLog::default();
        (0..5).for_each(|_| add(&mut log, "GET /a", 1));
        (0..5).for_each(|_| add(&mut log, "GET /b", 1));
        let snapshot = Snapshot {
            metrics: specs(&[], &[], 60),
            series: series.collect(),
            errors: Arc::new(log),
            elapsed: seconds(10),
            ..Snapshot::default()
        };
        let [failure] = &snapshot.failures()[..] else { panic!("one kind") };
        let part = |at: usize| failure.operations[at];
        let near = |value: Option<f64>, expected: f64| value.is_some_and(|value| (value - expected).abs() < 1e-9);
        assert_eq!((part(0).name, part(0).count, part(0).share, failure.share), ("GET /a", 5, 0.5, 1.0));
        assert!(near(part(0).rate, 0.5) && near(part(0).lift, 5.0), "{:?}", part(0));
        assert!(near(part(1).rate, 5.0 / 90.0) && near(part(1).lift, 0.5 / 0.9), "{:?}", part(1));
        assert!(near(failure.scenarios[0].lift, 1.0), "{:?}", failure.scenarios);
    }
}
