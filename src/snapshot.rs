//! The Snapshot: the only truth about a run that anyone may show.
//!
//! Published by the collector once per tick, immutable, shared by `Arc`. Thresholds, progress, report and every later
//! window read it and nothing else, so that two of them can never disagree. Deliberately not serializable: each window
//! keeps wire twins of what it shows.

mod component;
mod connectivity;
mod delivery;
mod ending;
mod failures;
mod machine;
mod outputs;
mod revision;
mod served;
mod verdict;

pub use component::{Component, Condition, Part, UNREACHED, components};
pub use connectivity::Connectivity;
pub use delivery::Delivery;
pub use ending::Ending;
pub use failures::{Burst, Failure, Portion, bursts};
pub use machine::{Disk, Interface, Machine, Memory, Observed, Own, Ports, Space};
pub use outputs::{LogOutput, Outputs};
pub use revision::{BrokenEdit, CodeRevision, Edition};
pub use served::Served;
pub use verdict::{AlertEvent, AlertPhase, AlertState, Breach, Verdict};

use crate::control::Author;
use crate::load::Answer;
use crate::logs::Journal;
use crate::metrics::{Cell, ErrorLog, History, MetricId, MetricSpec, TagSet, Trend};
use crate::plan::Plan;
use crate::roster::Roster;
use crate::trail::Trail;
use std::sync::{Arc, RwLock};
use std::time::Duration;

/// One series with all that it has seen since the start of the run.
#[derive(Debug, Clone)]
pub struct Series {
    /// Which metric, by index into [`Snapshot::metrics`].
    pub metric: MetricId,
    /// Under which tags.
    pub tags: TagSet,
    /// The accumulated value.
    pub cell: Cell,
}

/// Where a run is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Machines are being built, the demo service started.
    #[default]
    Starting,
    /// `setup` runs.
    Setup,
    /// Scenarios run.
    Running,
    /// No iteration starts and the run's clock stands still, until somebody resumes.
    Paused,
    /// No new iterations; those that run may end within the graceful stop.
    Stopping,
    /// `teardown` runs.
    Teardown,
    /// All users have ended; the last Snapshot.
    Completed,
}

/// One scenario, now.
#[derive(Debug, Clone, Default)]
pub struct ScenarioState {
    /// Its name.
    pub name: String,
    /// Users alive now.
    pub users: u32,
    /// Most users that were alive at once.
    pub users_max: u32,
    /// Users that the plan wants now; `None` once it is over. In the open model the most that it may take.
    pub target: Option<u32>,
    /// Open model: iterations per second that the plan wants now.
    pub target_rate: Option<f64>,
    /// Whether somebody has scaled it, so that the targets are theirs and not the plan's.
    pub scaled: bool,
    /// Open model: arrivals that were due so far.
    pub arrivals: u64,
    /// Open model: those of them that wait for a user now.
    pub waiting: u64,
    /// Run time at which it starts or has started; `None` while it waits for the end of another scenario.
    pub begins: Option<Duration>,
    /// The scenario that it waits for.
    pub after: Option<String>,
    /// Iterations that ran to their end.
    pub iterations: u64,
    /// Iterations that were due or promised and never started.
    pub dropped: u64,
    /// Iterations that were cut short by a stop.
    pub interrupted: u64,
    /// 0..=1; of time, or of iterations where those are what is fixed.
    pub progress: f64,
    /// Whether all its users have ended.
    pub done: bool,
    /// What its search for the capacity found, once it is over.
    pub found: Option<Answer>,
    /// Figures of the last seconds.
    pub recent: Recent,
}

/// Figures over the last few ticks, for people who watch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recent {
    /// Requests per second.
    pub requests: f64,
    /// Failed requests among them, 0..=1; `None` without requests.
    pub failed: Option<f64>,
    /// 95th percentile of `http_req_duration`, milliseconds.
    pub p95: Option<f64>,
    /// Iterations per second.
    pub iterations: f64,
}

/// How the generator itself is doing: whether the numbers may be trusted.
#[derive(Debug, Clone, Default)]
pub struct Generator {
    /// Shards that run.
    pub shards: usize,
    /// Shards whose Delta of this tick is missing, by index.
    pub late_shards: Vec<usize>,
    /// Own CPU over the last ticks, in percent of the cores that the shards may use.
    pub cpu_percent: Option<f64>,
    /// How late the shards' loops ran over the whole run, milliseconds.
    pub loop_lag: Option<Trend>,
    /// The same over the last five seconds, 99th percentile in milliseconds.
    pub recent_lag_p99: Option<f64>,
    /// How late the shards noticed that arrivals were due, over the whole run, milliseconds; `None` without an open model.
    pub lateness: Option<Trend>,
    /// The same over the last five seconds, 99th percentile in milliseconds.
    pub recent_lateness_p99: Option<f64>,
    /// Own resident memory, bytes.
    pub resident: Option<u64>,
    /// Number of series.
    pub series: usize,
    /// Samples whose tag set was regrouped as `__other__` by the cap.
    pub regrouped: u64,
    /// Samples lost (a shard that died); any makes the run invalid.
    pub lost: u64,
    /// Why the measurement cannot be trusted; empty when it can.
    pub invalid: Vec<String>,
    /// What to look at, without making the run invalid.
    pub warnings: Vec<String>,
}

/// Something that somebody changed while the run went on, or tried to.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervention {
    /// Run time.
    pub at: Duration,
    /// Who asked.
    pub by: Author,
    /// What was done, in words: `paused`, `browse: 50 users`.
    pub what: String,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
}

/// Everything about a run at one tick.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Grows by one with each tick.
    pub sequence: u64,
    /// Run time: since the scenarios started, standing still in pauses; zero during setup.
    pub elapsed: Duration,
    /// The first part of the run, which counts in no total.
    pub warmup: Duration,
    /// Where the run is.
    pub status: Status,
    /// What its end will be judged by, as far as it has happened.
    pub ending: Arc<Ending>,
    /// What each metric is.
    pub metrics: Arc<[MetricSpec]>,
    /// All series, in order of first sight.
    pub series: Vec<Arc<Series>>,
    /// Scenarios in the order of the script.
    pub scenarios: Vec<ScenarioState>,
    /// Over all scenarios.
    pub recent: Recent,
    /// Thresholds in the order of the script.
    pub thresholds: Vec<Verdict>,
    /// Alerts in the order of the script.
    pub alerts: Vec<AlertState>,
    /// The last edges of alerts, in order; bounded. Each has its number, so that a watcher knows which it has seen.
    pub alert_events: Vec<Arc<AlertEvent>>,
    /// The revision of the rules that judge; the script as it began is 1, and 0 before anything is known.
    pub revision: u64,
    /// What was edited, in order; the last ones.
    pub edits: Trail<Edition>,
    /// An edit that could not be read, until it is mended.
    pub broken_edit: Option<BrokenEdit>,
    /// How the revisions of the code do: the previous one and the current one. Empty until code was edited.
    pub code_revisions: Vec<CodeRevision>,
    /// Why somebody wanted to keep this moment as a summary of its own, in order; the last ones.
    pub captures: Trail<String>,
    /// The Plan as it is now, with all that edits have made of it; `None` before anything is known.
    pub plan: Option<Arc<Plan>>,
    /// What every series has seen, second by second.
    pub history: Arc<RwLock<History>>,
    /// The users that are there: now, and not only at the tick.
    pub roster: Arc<Roster>,
    /// What was changed while the run went on, or asked for and refused, in order; the last ones. What was refused, and what
    /// the load did itself, goes before what somebody has done.
    pub interventions: Trail<Intervention>,
    /// Errors so far.
    pub errors: Arc<ErrorLog>,
    /// Connections to the targets.
    pub connections: Connectivity,
    /// Own health.
    pub generator: Generator,
    /// The log: what scripts said and what happened to the run, bounded. Each entry has its number.
    pub logs: Arc<Journal>,
    /// The machine that punk runs on, at the last look; `None` before the second.
    pub machine: Option<Arc<Machine>>,
    /// The machines that the script observes, in its order.
    pub observed: Vec<Arc<Observed>>,
    /// How the parts of the engine and the target do, by [`components`].
    pub components: Vec<Component>,
    /// The last lines that scripts printed. A line stands in several Snapshots, because a watcher may miss some.
    pub prints: Vec<String>,
    /// How many lines were printed before these, so that a watcher knows which of them it has seen.
    pub prints_before: u64,
}

impl Snapshot {
    /// The run time that totals were measured in, to which all rates refer: without the warm-up, once it is over.
    pub fn measured(&self) -> Duration {
        match self.elapsed.saturating_sub(self.warmup) {
            Duration::ZERO => self.elapsed,
            measured => measured,
        }
    }

    /// What the metric of that name is.
    pub fn spec(&self, metric: &str) -> Option<&MetricSpec> {
        self.metrics.iter().find(|spec| spec.def.name == metric)
    }

    /// The series of a metric in order of first sight, untagged totals included.
    pub fn series_of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = &'a Series> {
        let id = self.metrics.iter().position(|spec| spec.def.name == metric);
        self.series.iter().map(Arc::as_ref).filter(move |series| Some(series.metric.0 as usize) == id)
    }

    /// Merges the series of a metric whose tags satisfy `accept`. Series of setup and teardown count only when `accept`
    /// was written for the `phase` tag (`with_phases`). Percentiles are there when all of the metric's tagged series
    /// keep them, or when nothing is filtered.
    pub fn merged(
        &self,
        metric: &str,
        filtered: bool,
        with_phases: bool,
        accept: impl Fn(&TagSet) -> bool,
    ) -> Option<Cell> {
        let spec = self.spec(metric)?;
        let mut merged: Option<Cell> = None;
        for series in self.series_of(metric).filter(|series| belongs(spec, series, filtered, with_phases, &accept)) {
            match &mut merged {
                Some(cell) => cell.merge(&series.cell),
                None => merged = Some(series.cell.clone()),
            }
        }
        merged.filter(|cell| !cell.is_empty())
    }

    /// The places in [`Snapshot::series`] of what [`Snapshot::merged`] would merge, from `first` on.
    pub fn places<'a>(
        &'a self,
        metric: &str,
        first: usize,
        (filtered, with_phases): (bool, bool),
        accept: impl Fn(&TagSet) -> bool + 'a,
    ) -> impl Iterator<Item = usize> + 'a {
        let id = self.metrics.iter().position(|spec| spec.def.name == metric);
        let series = id.map_or(&[][..], |_| self.series.get(first..).unwrap_or_default());
        series.iter().enumerate().filter_map(move |(at, series)| {
            let ours = Some(series.metric.0 as usize) == id;
            let spec = &self.metrics[id?];
            (ours && belongs(spec, series, filtered, with_phases, &accept)).then_some(first + at)
        })
    }

    /// The whole metric, without setup and teardown.
    pub fn total(&self, metric: &str) -> Option<Cell> {
        self.merged(metric, false, false, |_| true)
    }

    /// The sum of a counter over series that satisfy `accept`; 0 when there are none.
    pub fn count(&self, metric: &str, with_phases: bool, accept: impl Fn(&TagSet) -> bool) -> f64 {
        match self.merged(metric, true, with_phases, accept) {
            Some(Cell::Counter { sum, .. }) => sum,
            _ => 0.0,
        }
    }
}

/// Whether a series is part of what a selector means.
fn belongs(
    spec: &MetricSpec,
    series: &Series,
    filtered: bool,
    with_phases: bool,
    accept: &impl Fn(&TagSet) -> bool,
) -> bool {
    let use_total = spec.has_total && !filtered;
    let is_total = spec.has_total && series.tags.is_empty();
    let phase = series.tags.get("phase").is_some() && !with_phases;
    is_total == use_total && (!phase || use_total) && accept(&series.tags)
}
