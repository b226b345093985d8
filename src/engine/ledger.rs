//! The ledger: every series of the run with its total, and the history of all of them.
//!
//! Kept by the collector, which tells it what shards hand over. A series has one place here, whatever each shard calls it,
//! and the History knows it by that place.

use crate::metrics::{Cell, Delta, History, MetricId, MetricSpec, OTHER, SeriesKey, TagSet, history::BUDGET};
use crate::snapshot::Series;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::shard::TICK;

/// All series of a run.
pub(super) struct Ledger {
    specs: Arc<[MetricSpec]>,
    /// Most tag sets before operations are regrouped.
    cap: usize,
    /// For each shard, what its series ids are here.
    ids: Vec<Vec<usize>>,
    index: FxHashMap<SeriesKey, usize>,
    tag_sets: FxHashSet<TagSet>,
    series: Vec<Arc<Series>>,
    history: Arc<RwLock<History>>,
}

impl Ledger {
    pub(super) fn new(specs: Arc<[MetricSpec]>, shards: usize, cap: usize) -> Self {
        Ledger {
            specs,
            cap,
            ids: vec![Vec::new(); shards],
            index: FxHashMap::default(),
            tag_sets: FxHashSet::default(),
            series: Vec::new(),
            history: Arc::new(RwLock::new(History::new(BUDGET))),
        }
    }

    /// What each metric is.
    pub(super) fn specs(&self) -> &Arc<[MetricSpec]> {
        &self.specs
    }

    /// All series in order of first sight.
    pub(super) fn series(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// What all series have seen, second by second. Only the collector writes to it.
    pub(super) fn history(&self) -> &Arc<RwLock<History>> {
        &self.history
    }

    /// Books what a shard has measured in a tick; `see` is shown every series that saw anything, with what it saw.
    pub(super) fn book(&mut self, delta: &mut Delta, mut see: impl FnMut(&Series, &Cell)) {
        let shard = delta.shard;
        for key in std::mem::take(&mut delta.new_series) {
            let at = self.place(key);
            self.ids[shard].push(at);
        }
        let mut history = self.history.write().unwrap_or_else(PoisonError::into_inner);
        let second = middle(delta.at);
        for (local, cell) in delta.recorder.cells().iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let at = self.ids[shard][local];
            let series = Arc::make_mut(&mut self.series[at]);
            series.cell.merge(cell);
            history.feed(second, at, cell);
            see(series, cell);
        }
    }

    /// Makes slices of all seconds that are over.
    pub(super) fn close(&self, now: Duration) {
        self.history.write().unwrap_or_else(PoisonError::into_inner).close(now);
    }

    /// Sets a series of the collector's own: a gauge to its next value, a counter to its sum so far.
    pub(super) fn set(&mut self, metric: &str, tags: TagSet, value: f64, now: Duration) {
        let Some(id) = self.specs.iter().position(|spec| spec.def.name == metric) else { return };
        let at = self.place(SeriesKey { metric: MetricId(id as u16), tags: tags.clone() });
        let mut seen = self.specs[id].cell(&tags);
        match &mut Arc::make_mut(&mut self.series[at]).cell {
            Cell::Counter { sum, samples } => {
                if value == *sum {
                    return;
                }
                seen.add(value - *sum);
                (*sum, *samples) = (value, 1);
            }
            cell => {
                seen.add(value);
                cell.merge(&seen);
            }
        }
        self.history.write().unwrap_or_else(PoisonError::into_inner).feed(middle(now), at, &seen);
    }

    /// The sum of a counter over a scenario.
    pub(super) fn counted(&self, metric: &str, scenario: &str) -> u64 {
        let id = self.specs.iter().position(|spec| spec.def.name == metric);
        let ours = self.series.iter().filter(|series| Some(series.metric.0 as usize) == id);
        let sum: f64 = ours
            .filter(|series| series.tags.get("scenario") == Some(scenario))
            .map(|series| match &series.cell {
                Cell::Counter { sum, .. } => *sum,
                _ => 0.0,
            })
            .sum();
        sum as u64
    }

    /// The place of a series; past the run's cap of tag sets, that of its `__other__` group.
    fn place(&mut self, key: SeriesKey) -> usize {
        if let Some(at) = self.index.get(&key) {
            return *at;
        }
        let mut key = key;
        if !self.tag_sets.contains(&key.tags) {
            if self.tag_sets.len() > self.cap {
                let kept = key.tags.iter().filter(|(name, _)| matches!(*name, "scenario" | "phase"));
                let kept: Vec<_> = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                key.tags = TagSet::new(kept).with([("name", OTHER)]);
                if let Some(at) = self.index.get(&key) {
                    return *at;
                }
            }
            self.tag_sets.insert(key.tags.clone());
        }
        let cell = self.specs[key.metric.0 as usize].cell(&key.tags);
        self.series.push(Arc::new(Series { metric: key.metric, tags: key.tags.clone(), cell }));
        self.index.insert(key, self.series.len() - 1);
        self.series.len() - 1
    }
}

/// The run time that stands for a tick that ends at `at`: its middle, so that a tick that ends with its second, or a little
/// later, counts in it.
fn middle(at: Duration) -> Duration {
    at.saturating_sub(TICK / 2)
}
