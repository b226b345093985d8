//! The Recorder: where a shard's samples land, by plain memory writes.
//!
//! Owned by one shard. Once per tick the shard hands it to the collector as part of a [`Delta`] and takes a cleared
//! spare, so nothing is locked, sent or allocated between an answer and its record. Integer ids come from the shard's
//! [`Catalogue`]; a request is recorded under a block of consecutive ids.

use super::account::Account;
use super::catalogue::{Catalogue, MetricId, SeriesId, SeriesKey, TagSetId};
use super::cell::Cell;
use super::connections::Connections;
use super::error_log::ErrorLog;
use crate::logs::Line;
use std::time::Duration;

/// One measured value of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Which series.
    pub series: SeriesId,
    /// The value in the metric's unit.
    pub value: f64,
}

/// The metrics of a request, in the order in which [`RequestSeries`] lays them out.
pub const REQUEST_METRICS: [&str; 14] = [
    "http_reqs",
    "http_req_failed",
    "http_req_duration",
    "http_req_total_duration",
    "http_req_blocked",
    "http_req_dns",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
    "data_sent",
    "data_received",
    "http_reqs_unsent",
];
/// Those of them that have an untagged total with percentiles: the phases.
pub const PHASES: std::ops::Range<usize> = 3..11;

/// Everything that one request measured. Times in milliseconds, sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RequestSample {
    /// `http_req_failed`; `None` for a request that we interrupted ourselves, which is nobody's failure.
    pub failed: Option<bool>,
    /// `http_req_duration`: absent when the request was never written.
    pub duration: Option<f64>,
    /// Whether it ended before anything was written, so that no server can have counted it.
    pub unsent: bool,
    /// total, blocked, dns, connecting, tls, sending, waiting, receiving: the order of [`PHASES`]; `NaN` where a phase
    /// was not reached.
    pub phases: [f64; 8],
    /// Bytes written to the wire.
    pub sent: u64,
    /// Bytes read from the wire.
    pub received: u64,
}

/// The first id of a block laid out as [`REQUEST_METRICS`], and that of the untagged phases if they are to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSeries {
    first: SeriesId,
    totals: Option<SeriesId>,
}

impl RequestSeries {
    /// Finds or makes the series of a tag set; `counts_in_total` is false for setup and teardown.
    pub fn new(catalogue: &mut Catalogue, tags: TagSetId, counts_in_total: bool) -> Self {
        let ids: Vec<MetricId> = REQUEST_METRICS
            .iter()
            .map(|name| catalogue.metric(name).expect("request metrics are built in").0)
            .collect();
        let first = catalogue.block(&ids, tags);
        let totals = counts_in_total.then(|| catalogue.block(&ids[PHASES], TagSetId(0)));
        RequestSeries { first, totals }
    }
}

/// The cells of all series of a shard, since the last tick.
#[derive(Debug, Default)]
pub struct Recorder {
    cells: Vec<Cell>,
    /// Errors since the last tick.
    pub errors: ErrorLog,
}

impl Recorder {
    /// Makes room for series that were added to the catalogue.
    pub fn extend(&mut self, catalogue: &Catalogue) {
        catalogue.extend(&mut self.cells);
    }

    /// Adds one sample. The series must be known (see [`Recorder::extend`]).
    #[inline]
    pub fn record(&mut self, sample: Sample) {
        self.cells[sample.series.0 as usize].add(sample.value);
    }

    /// Adds everything one request measured.
    #[inline]
    pub fn request(&mut self, series: RequestSeries, sample: &RequestSample) {
        let first = series.first.0 as usize;
        let cells = &mut self.cells[first..first + REQUEST_METRICS.len()];
        cells[0].add(1.0);
        if let Some(failed) = sample.failed {
            cells[1].add(f64::from(u8::from(failed)));
        }
        if let Some(duration) = sample.duration {
            cells[2].add(duration);
        }
        cells[11].add(sample.sent as f64);
        cells[12].add(sample.received as f64);
        if sample.unsent {
            cells[13].add(1.0);
        }
        let reached = || sample.phases.iter().enumerate().filter(|(_, value)| !value.is_nan());
        for (at, value) in reached() {
            cells[PHASES.start + at].add(*value);
        }
        if let Some(totals) = series.totals {
            for (at, value) in reached() {
                self.cells[totals.0 as usize + at].add(*value);
            }
        }
    }

    /// The cells, by series id.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Forgets all samples and keeps the memory: the collector does so before returning the spare.
    pub fn clear(&mut self) {
        for cell in &mut self.cells {
            cell.clear();
        }
    }
}

/// A scenario on one shard, when its Delta was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScenarioDelta {
    /// Users alive now.
    pub users: u32,
    /// Most users that were alive at once, between ticks too.
    pub peak: u32,
    /// Iterations cut short since the start of the run.
    pub interrupted: u64,
    /// Open model: arrivals that were due so far, whatever became of them.
    pub arrivals: u64,
    /// Open model: arrivals that are due and have not started.
    pub waiting: u64,
    /// Open model: arrivals that were dropped since the start of the run.
    pub dropped: u64,
    /// Run time at which it starts or has started; `None` while it waits for another scenario.
    pub begins: Option<Duration>,
    /// Whether all its users have ended and no more will come.
    pub done: bool,
}

/// What a shard hands to the collector once per tick.
#[derive(Debug)]
pub struct Delta {
    /// Which shard.
    pub shard: usize,
    /// Run time at which the recorder was taken out.
    pub at: Duration,
    /// Series that were added since the last Delta, in the order of their ids.
    pub new_series: Vec<SeriesKey>,
    /// The samples.
    pub recorder: Recorder,
    /// Tag sets that the cap has regrouped so far.
    pub regrouped: u64,
    /// What became of each scenario on this shard, in the order of the Plan.
    pub scenarios: Vec<ScenarioDelta>,
    /// How late this shard's own loop ran since the last Delta, in milliseconds.
    pub loop_lag: super::trend::Trend,
    /// How late it noticed arrivals that were due, since the last Delta, in milliseconds: our own share of their lateness.
    pub lateness: super::trend::Trend,
    /// What scripts said, oldest first, bounded.
    pub lines: Vec<Line>,
    /// What users did since the last Delta by the revision of the code that they ran; empty before code was edited.
    pub accounts: Vec<Account>,
    /// Its connections, counted since the start of the run.
    pub connections: Connections,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{TagSet, specs};

    #[test]
    fn a_request_lands_under_its_tags_and_its_phases_in_the_total_too() {
        let mut catalogue = Catalogue::new(specs(&[], &[], 60), 10);
        let tags = catalogue.tag_set(TagSet::new([("name", "a")]));
        let series = RequestSeries::new(&mut catalogue, tags, true);
        let mut recorder = Recorder::default();
        recorder.extend(&catalogue);
        let phases = [9.0, 2.0, 0.5, 0.5, 1.0, 0.1, 5.0, 1.9];
        let sample =
            RequestSample { failed: Some(false), unsent: false, duration: Some(7.0), phases, sent: 80, received: 130 };
        recorder.request(series, &sample);
        let by_name = |name: &str, tags: TagSetId, catalogue: &mut Catalogue| {
            let metric = catalogue.metric(name).expect("built in").0;
            let id = catalogue.series(metric, tags);
            match &recorder.cells()[id.0 as usize] {
                Cell::Trend(trend) => trend.sum(),
                Cell::Counter { sum, .. } => *sum,
                Cell::Rate { total, .. } => *total as f64,
                Cell::Gauge(_) => f64::NAN,
            }
        };
        assert_eq!(by_name("http_reqs", tags, &mut catalogue), 1.0);
        assert_eq!(by_name("http_req_failed", tags, &mut catalogue), 1.0);
        assert_eq!(by_name("http_req_duration", tags, &mut catalogue), 7.0);
        assert_eq!(by_name("http_req_receiving", tags, &mut catalogue), 1.9);
        assert_eq!(by_name("data_received", tags, &mut catalogue), 130.0);
        assert_eq!(by_name("http_req_total_duration", TagSetId(0), &mut catalogue), 9.0);
        assert_eq!(by_name("http_req_waiting", TagSetId(0), &mut catalogue), 5.0);
    }

    #[test]
    fn a_sample_is_small_and_copied() {
        assert!(size_of::<Sample>() <= 24);
    }
}
