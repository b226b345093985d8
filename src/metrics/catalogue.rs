//! The Catalogue: which series a shard has, by integer id.
//!
//! One per shard, never shared. Looking a known series up costs one hash of small integers; a new one is interned once
//! and told to the collector with the next Delta. Tag sets are capped (semantics: 2,000 a run): past the cap a sample
//! goes to the same tag set with the `name` `__other__`, and is counted as regrouped.

use super::cell::Cell;
use super::histogram::{Resolution, Scale};
use super::metric::{MetricDef, MetricKind};
use super::tags::TagSet;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Index of a metric in the run's list: [`BUILT_IN`](super::BUILT_IN) first, then the script's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId(pub u16);

/// Index of a tag set in one shard's Catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TagSetId(pub u32);

/// Index of a series in one shard's Catalogue, and of its Cell in that shard's Recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeriesId(pub u32);

/// The name that stands for every operation past the cap of tag sets.
pub const OTHER: &str = "__other__";

/// A metric as this run records it.
#[derive(Debug, Clone)]
pub struct MetricSpec {
    /// Name, kind, unit, meaning.
    pub def: MetricDef,
    /// How its values become ticks.
    pub scale: Scale,
    /// How finely each tagged series keeps them.
    pub tagged: Resolution,
    /// Whether an untagged series with percentiles is kept beside tagged ones that have none.
    pub has_total: bool,
}

impl MetricSpec {
    /// An empty Cell for a series of this metric.
    pub fn cell(&self, tags: &TagSet) -> Cell {
        let resolution = if tags.is_empty() { self.tagged.max(Resolution::ThreeDigits) } else { self.tagged };
        let resolution = if self.has_total { resolution } else { self.tagged };
        Cell::new(self.def.kind, self.scale, resolution)
    }
}

/// What a series is: told to the collector once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// Which metric.
    pub metric: MetricId,
    /// Under which tags.
    pub tags: TagSet,
}

/// All series of one shard.
#[derive(Debug)]
pub struct Catalogue {
    metrics: Arc<[MetricSpec]>,
    tag_sets: Vec<TagSet>,
    tag_index: FxHashMap<TagSet, TagSetId>,
    series: Vec<SeriesKey>,
    series_index: FxHashMap<(MetricId, TagSetId), SeriesId>,
    cap: usize,
    regrouped: u64,
    told: usize,
}

impl Catalogue {
    /// Empty but for the empty tag set; `cap` is the largest number of tag sets before regrouping.
    pub fn new(metrics: Arc<[MetricSpec]>, cap: usize) -> Self {
        let empty = TagSet::empty();
        Catalogue {
            metrics,
            tag_index: FxHashMap::from_iter([(empty.clone(), TagSetId(0))]),
            tag_sets: vec![empty],
            series: Vec::new(),
            series_index: FxHashMap::default(),
            cap,
            regrouped: 0,
            told: 0,
        }
    }

    /// The id of a tag set, interned now if it is new. Past the cap, that of its `__other__` group.
    pub fn tag_set(&mut self, tags: TagSet) -> TagSetId {
        if let Some(id) = self.tag_index.get(&tags) {
            return *id;
        }
        if self.tag_sets.len() <= self.cap {
            return self.intern(tags);
        }
        self.regrouped += 1;
        // What remains apart is few by nature: scenario and phase.
        let kept = tags.iter().filter(|(name, _)| matches!(*name, "scenario" | "phase"));
        let group = TagSet::new(kept.map(|(name, value)| (name.to_owned(), value.to_owned()))).with([("name", OTHER)]);
        match self.tag_index.get(&group) {
            Some(id) => *id,
            None => self.intern(group),
        }
    }

    fn intern(&mut self, tags: TagSet) -> TagSetId {
        let id = TagSetId(self.tag_sets.len() as u32);
        self.tag_sets.push(tags.clone());
        self.tag_index.insert(tags, id);
        id
    }

    /// The series of `metric` under a tag set, made now if it is new.
    #[inline]
    pub fn series(&mut self, metric: MetricId, tags: TagSetId) -> SeriesId {
        if let Some(id) = self.series_index.get(&(metric, tags)) {
            return *id;
        }
        let id = SeriesId(self.series.len() as u32);
        self.series.push(SeriesKey { metric, tags: self.tag_sets[tags.0 as usize].clone() });
        self.series_index.insert((metric, tags), id);
        id
    }

    /// A run of series, one per metric in order, with consecutive ids: found again by the first id alone.
    pub fn block(&mut self, metrics: &[MetricId], tags: TagSetId) -> SeriesId {
        if let Some(first) = metrics.first().and_then(|metric| self.series_index.get(&(*metric, tags))) {
            return *first;
        }
        let first = SeriesId(self.series.len() as u32);
        for metric in metrics {
            self.series(*metric, tags);
        }
        first
    }

    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<(MetricId, &MetricSpec)> {
        let at = self.metrics.iter().position(|spec| spec.def.name == name)?;
        Some((MetricId(at as u16), &self.metrics[at]))
    }

    /// What a metric is.
    pub fn spec(&self, id: MetricId) -> &MetricSpec {
        &self.metrics[id.0 as usize]
    }

    /// Appends empty Cells for the series that `cells` does not have yet.
    pub fn extend(&self, cells: &mut Vec<Cell>) {
        for key in &self.series[cells.len()..] {
            cells.push(self.metrics[key.metric.0 as usize].cell(&key.tags));
        }
    }

    /// The series that the collector has not been told of, which are told by this call.
    pub fn untold(&mut self) -> Vec<SeriesKey> {
        let news = self.series[self.told..].to_vec();
        self.told = self.series.len();
        news
    }

    /// How often a tag set was refused by the cap and regrouped as `__other__`.
    pub fn regrouped(&self) -> u64 {
        self.regrouped
    }

    /// How many tag sets there are.
    pub fn tag_sets(&self) -> usize {
        self.tag_sets.len()
    }
}

/// The run's list of metrics: the built-in ones, then `custom`. `named` are the metrics that a rule selects by tags,
/// which therefore keep percentiles for every series; `timeout_seconds` widens the range of request times.
pub fn specs(custom: &[MetricDef], named: &[&str], timeout_seconds: u64) -> Arc<[MetricSpec]> {
    let built_in = super::BUILT_IN.iter().map(|def| {
        let name = &*def.name;
        // Counted from its slot, a request may be as late as the run is long.
        let request = name.starts_with("http_req_") && name != "http_req_scheduled_duration";
        let scale = if request { Scale::request(timeout_seconds) } else { Scale::DAY };
        let phase = request && name != "http_req_duration";
        let tagged = if phase && !named.contains(&name) { Resolution::Moments } else { Resolution::ThreeDigits };
        let has_total = phase && def.kind == MetricKind::Trend;
        MetricSpec { def: def.clone(), scale, tagged, has_total }
    });
    let custom = custom.iter().map(|def| {
        let tagged = if named.contains(&&*def.name) { Resolution::ThreeDigits } else { Resolution::TwoDigits };
        MetricSpec { def: def.clone(), scale: Scale::CUSTOM, tagged, has_total: false }
    });
    built_in.chain(custom).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(cap: usize) -> Catalogue {
        Catalogue::new(specs(&[], &[], 60), cap)
    }

    #[test]
    fn past_the_cap_operations_are_regrouped_and_counted() {
        let mut c = catalogue(10);
        for n in 0..40 {
            c.tag_set(TagSet::new([("name".to_owned(), format!("op{n}")), ("scenario".to_owned(), "s".to_owned())]));
        }
        let other = c.tag_set(TagSet::new([("name", OTHER), ("scenario", "s")]));
        assert_eq!(c.tag_set(TagSet::new([("name", "op39"), ("scenario", "s")])), other);
        assert_eq!((c.tag_sets(), c.regrouped()), (12, 31));
    }

    #[test]
    fn a_block_is_consecutive_and_found_again() {
        let mut c = catalogue(10);
        let tags = c.tag_set(TagSet::new([("name", "a")]));
        let metrics = [MetricId(3), MetricId(7), MetricId(1)];
        let first = c.block(&metrics, tags);
        assert_eq!(c.block(&metrics, tags), first);
        for (at, metric) in metrics.iter().enumerate() {
            assert_eq!(c.series(*metric, tags), SeriesId(first.0 + at as u32));
        }
    }

    #[test]
    fn each_series_is_told_once() {
        let mut c = catalogue(10);
        c.series(MetricId(0), TagSetId(0));
        assert_eq!(c.untold().len(), 1);
        assert_eq!(c.untold().len(), 0);
    }
}
