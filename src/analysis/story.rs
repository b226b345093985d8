//! A run told second by second, for tests: what each second saw, and the Snapshot that a collector would have made of it.

use super::digest::Digest;
use crate::metrics::{MetricId, TagSet, specs};
use crate::snapshot::{Series, Snapshot, Status};
use std::sync::Arc;
use std::time::Duration;

/// A run of one scenario, `s`, and its digest, which followed it.
pub(super) struct Story {
    pub snapshot: Snapshot,
    pub digest: Digest,
}

/// What a second saw.
#[derive(Debug, Clone)]
pub(super) struct Second {
    pub users: f64,
    /// How many requests, the milliseconds of each, and how many of them failed.
    pub requests: u32,
    pub ms: f64,
    pub failed: u32,
    /// Milliseconds of an iteration, of which there is one for each request; no iterations below 0.
    pub iteration: f64,
    /// Other metrics: one value each.
    pub others: Vec<(&'static str, f64)>,
}

impl Default for Second {
    fn default() -> Self {
        Second { users: 10.0, requests: 100, ms: 100.0, failed: 0, iteration: 100.0, others: Vec::new() }
    }
}

impl Story {
    pub fn new() -> Self {
        let snapshot = Snapshot { status: Status::Running, metrics: specs(&[], &[], 60), ..Snapshot::default() };
        Story { snapshot, digest: Digest::default() }
    }

    /// A whole run.
    pub fn of(seconds: u64, second: impl Fn(u64) -> Second) -> Self {
        let mut story = Story::new();
        (0..seconds).for_each(|at| story.second(&second(at)));
        story
    }

    /// Values of one metric under tags, in the second that is open.
    pub fn saw(&mut self, metric: &str, tags: &[(&'static str, &'static str)], values: &[f64]) {
        let Some(id) = self.snapshot.metrics.iter().position(|spec| spec.def.name == metric) else { return };
        let tags = TagSet::new(tags.iter().copied());
        let mut cell = self.snapshot.metrics[id].cell(&tags);
        values.iter().for_each(|value| cell.add(*value));
        let metric = MetricId(id as u16);
        let known = self.snapshot.series.iter().position(|series| series.metric == metric && series.tags == tags);
        let place = known.unwrap_or_else(|| {
            let cell = self.snapshot.metrics[id].cell(&tags);
            self.snapshot.series.push(Arc::new(Series { metric, tags, cell }));
            self.snapshot.series.len() - 1
        });
        Arc::make_mut(&mut self.snapshot.series[place]).cell.merge(&cell);
        self.snapshot.history.write().expect("nobody panicked with it").feed(self.snapshot.elapsed, place, &cell);
    }

    /// The open second is over.
    pub fn over(&mut self) {
        self.snapshot.elapsed += Duration::from_secs(1);
        self.snapshot.history.write().expect("nobody panicked with it").close(self.snapshot.elapsed);
        self.digest.follow(&self.snapshot);
    }

    /// One second goes by.
    pub fn second(&mut self, second: &Second) {
        const TAGS: &[(&str, &str)] = &[("scenario", "s"), ("name", "a"), ("proto", "http/1.1")];
        let Second { users, requests, ms, failed, iteration, others } = second;
        self.saw("vus", &[], &[*users]);
        let count = *requests as usize;
        if count > 0 {
            let failures: Vec<f64> = (0..*requests).map(|at| f64::from(u8::from(at < *failed))).collect();
            self.saw("http_reqs", TAGS, &vec![1.0; count]);
            self.saw("http_req_duration", TAGS, &vec![*ms; count]);
            self.saw("http_req_failed", TAGS, &failures);
            if *iteration >= 0.0 {
                self.saw("iterations", &[("scenario", "s")], &vec![1.0; count]);
                self.saw("iteration_duration", &[("scenario", "s")], &vec![*iteration; count]);
            }
        }
        for (metric, value) in others {
            // Metrics that have a total beside their tagged series are told by it.
            self.saw(metric, &[], &[*value]);
        }
        self.over();
    }
}

/// Seconds as a duration.
pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A value around 0, between -1 and 1, that is another one for each number: splitmix64.
pub(super) fn noise(number: u64) -> f64 {
    let mut x = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A draw of the normal distribution, nearly: splitmix64, twelve uniform draws less six.
pub(super) fn normal(state: &mut u64) -> f64 {
    let mut draw = || {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = *state;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..12).map(|_| draw()).sum::<f64>() - 6.0
}
