//! The History of a run: what every series has seen, second by second, so that any window can be asked at any time.
//!
//! Fed by the collector with what each tick brought, asked by the judge, which comes with it: for windows of thresholds
//! and alerts, and for what a new rule would have said. It knows run time only, and no clock: in a pause nothing is fed,
//! nothing is closed, and there is no gap. A series is a place in [`Snapshot::series`](super::Snapshot::series).
//!
//! A second that is over becomes a **slice**. Slices are sparse (no cell for a series that saw nothing, no byte for a
//! bucket that counted nothing) and are thinned with age: ten of 1 s become one of 10 s, and so on. Merging adds counts up
//! and loses no sample; what is lost is the edges between. A window is answered at slice edges that include all that was
//! asked for, and [`Window`] says which they were.
//!
//! | age | slices | at most, in 24 h |
//! |---|---|---|
//! | up to 5 min | 1 s | 319 |
//! | up to 1 h | 10 s | 340 |
//! | up to 5 h | 1 min | 248 |
//! | beyond | 5 min | 229 |
//!
//! **Memory.** In 24 hours a series has at most 1,136 slices. A counter, a rate or a gauge takes 32 bytes each and a trend
//! 72, with half as many in reserve: 54 or 122 KB for each series, whatever the load. A trend with percentiles adds some
//! 1.2 bytes for each bucket that holds one value and 2 to 3 for each that holds more. Bounds alone cannot make that small:
//! the ten doublings from 1 ms to 1 s have 10,240 buckets of three digits. So there is a **budget** ([`BUDGET`]), and where it
//! does not suffice the history gives way from the oldest on, until it fits:
//!
//! 1. percentiles of slices longer than 1 s keep two digits: the ten doublings then have 1,280 buckets, and 200 series full
//!    of them over 24 hours would take 200 × (817 × 1,280 × 2.5 B + 319 × 300 B + 122 KB) = 560 MB;
//! 2. slices are merged before their age: of 10 s first, of 1 min, then of 1 s but for the last minute, then even those of
//!    5 min, to 30 min and 3 h.
//!
//! Nothing of it is silent: [`History::spans`] says from where on which slices and digits hold, and
//! [`History::gave_way_until`] how far it was done before its time. Bytes are counted as they come and go.

mod packed;
mod sliding;
mod track;

pub use sliding::Sliding;

use super::cell::{Cell, Gauge};
use super::counts::Counts;
use super::histogram::Scale;
use packed::Packed;
use std::ops::Range;
use std::time::Duration;
use track::{Piece, Share, Slices, Sum, TIERS, Track};

/// Lengths of slices, in seconds. The last two are for runs that are longer than a day or that exceed the budget.
const STEPS: [u32; TIERS] = [1, 10, 60, 300, 1_800, 10_800];
/// The age at which slices of each length are thinned. Each leaves room beyond its round figure, so that a window of
/// just that length is still answered exactly a few seconds late.
const AGES: [u32; TIERS - 1] = [310, 3_660, 18_300, 87_000, 7 * 86_400];
/// Seconds that stay seconds, whatever the budget.
const KEPT: u32 = 60;

/// Bytes that the slices of a run may take unless it is told otherwise. It counts what is asked of the allocator, which
/// takes more: `cargo bench --bench history` prints both.
pub const BUDGET: usize = 130_000_000;

/// The slices of all series.
#[derive(Debug)]
pub struct History {
    tracks: Vec<Option<Track>>,
    /// Where each tier ends, in seconds of the run, youngest first: tier `n` covers `edges[n + 1]..edges[n]`, and the
    /// first edge is the open second.
    edges: [u32; TIERS + 1],
    /// Percentiles before this second may have two digits only.
    coarse: u32,
    /// Slices before this second were merged before their age.
    early: u32,
    budget: usize,
    bytes: usize,
    counts: Counts,
}

impl Default for History {
    fn default() -> Self {
        History::new(BUDGET)
    }
}

/// What series have seen between two moments of a run.
#[derive(Debug, Clone)]
pub struct Window {
    /// All of it; empty when nothing was seen. Percentiles have the digits that all slices of it have.
    pub cell: Cell,
    /// Run time at which it begins: not later than was asked.
    pub from: Duration,
    /// Run time at which it ends: not earlier than was asked, but never within a second that is not over.
    pub to: Duration,
    /// The longest slice in it: the precision of its edges.
    pub step: Duration,
}

/// A stretch of a run and how finely it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Run time at which it begins.
    pub from: Duration,
    /// Run time at which it ends.
    pub to: Duration,
    /// The length of its slices.
    pub step: Duration,
    /// Whether percentiles have two digits here, where the series has three.
    pub coarse: bool,
}

impl History {
    /// Empty, to hold no more than `budget` bytes.
    pub fn new(budget: usize) -> Self {
        History {
            tracks: Vec::new(),
            edges: [0; TIERS + 1],
            coarse: 0,
            early: 0,
            budget,
            bytes: 0,
            counts: Counts::default(),
        }
    }

    /// Adds what a series has seen at a run time. What comes for a second that is closed already, from a shard that was
    /// late, counts in the open one: windows that were answered stay as they were.
    pub fn feed(&mut self, at: Duration, series: usize, cell: &Cell) {
        self.close(at);
        if series >= self.tracks.len() {
            self.tracks.resize_with(series + 1, || None);
        }
        let slot = &mut self.tracks[series];
        self.bytes -= slot.as_ref().map_or(0, Track::bytes);
        let track = slot.get_or_insert_with(|| Track::new(cell));
        track.feed(cell, &mut self.counts);
        self.bytes += track.bytes();
    }

    /// Makes slices of all seconds that are over by `now`. Asking again, or with an earlier time, changes nothing.
    pub fn close(&mut self, now: Duration) {
        let second = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let open = self.edges[0];
        if second <= open {
            return;
        }
        self.edges[0] = second;
        self.each(|track, _| track.close(open));
        // One group after the other, so that what was not closed for an hour is thinned as if it had been.
        for (tier, age) in AGES.into_iter().enumerate() {
            while let Some(end) = self.group(tier).filter(|end| end.saturating_add(age) <= second) {
                self.thin(tier, end);
            }
        }
        while self.bytes > self.budget && self.give_way() {}
    }

    /// What several series of one metric have seen in `from..to`, at the slice edges that include it. `None` when nothing
    /// of it is over yet, or when none of these series was ever fed.
    pub fn window(&self, series: &[usize], from: Duration, to: Duration) -> Option<Window> {
        self.windows(series, &[(from, to)]).pop().flatten()
    }

    /// The same of several stretches, whose begins ascend, in one walk over the slices.
    pub fn windows(&self, series: &[usize], stretches: &[(Duration, Duration)]) -> Vec<Option<Window>> {
        let tracks = || series.iter().filter_map(|at| self.tracks.get(*at)?.as_ref());
        macro_rules! walk {
            ($kind:pat => $slices:ident, $cell:expr) => {{
                let slices = tracks().filter_map(|track| if let $kind = track { Some($slices) } else { None });
                self.walk(&slices.collect::<Vec<_>>(), stretches, $cell)
            }};
        }
        match tracks().next() {
            None => stretches.iter().map(|_| None).collect(),
            Some(Track::Trend(_, scale)) => walk!(Track::Trend(slices, _) => slices, |parts: &[&Packed]| {
                Cell::Trend(Packed::trend(parts.iter().copied(), *scale))
            }),
            Some(Track::Counter(_)) => walk!(Track::Counter(slices) => slices, |parts: &[&Sum]| {
                let Sum { sum, samples } = Sum::merged(parts.iter().copied(), &mut Counts::default());
                Cell::Counter { sum, samples }
            }),
            Some(Track::Rate(_)) => walk!(Track::Rate(slices) => slices, |parts: &[&Share]| {
                let Share { passes, total } = Share::merged(parts.iter().copied(), &mut Counts::default());
                Cell::Rate { passes, total }
            }),
            Some(Track::Gauge(_)) => walk!(Track::Gauge(slices) => slices, |parts: &[&Gauge]| {
                let all = (!parts.is_empty()).then(|| Gauge::merged(parts.iter().copied(), &mut Counts::default()));
                Cell::Gauge(all)
            }),
        }
    }

    /// Gathers what slices hold, stretch by stretch.
    fn walk<P: Piece>(
        &self,
        slices: &[&Slices<P>],
        stretches: &[(Duration, Duration)],
        cell: impl Fn(&[&P]) -> Cell,
    ) -> Vec<Option<Window>> {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        let (mut cursors, mut parts) = (Vec::new(), Vec::new());
        let mut windows: Vec<Option<Window>> = Vec::with_capacity(stretches.len());
        for (from, to) in stretches {
            let Some((from, to, step)) = self.at_edges(*from, *to) else {
                windows.push(None);
                continue;
            };
            // Where slices are longer than stretches, several of these are one.
            let before = windows.last().and_then(Option::as_ref);
            if let Some(same) = before.filter(|last| (last.from, last.to) == (seconds(from), seconds(to))) {
                let same = same.clone();
                windows.push(Some(same));
                continue;
            }
            if cursors.is_empty() {
                cursors.extend(slices.iter().map(|slices| slices.cursor(self.tier(from), from)));
            }
            parts.clear();
            cursors.iter_mut().for_each(|cursor| parts.extend(cursor.within(from, to)));
            windows.push(Some(Window {
                cell: cell(&parts),
                from: seconds(from),
                to: seconds(to),
                step: seconds(step),
            }));
        }
        windows
    }

    /// How many slices each series has in `from..to`, at most: what reading it costs.
    pub fn slices(&self, from: Duration, to: Duration) -> u64 {
        let spans = self.spans().into_iter();
        let overlap = spans.map(|span| (span.to.min(to).saturating_sub(span.from.max(from)), span.step.as_secs()));
        overlap.map(|(overlap, step)| overlap.as_secs().div_ceil(step)).sum()
    }

    /// What [`History::window`] would tell of it without a distribution: the sum of a counter's or a trend's values and how many there
    /// are. `None` for other kinds, and where nothing was seen.
    pub fn sum(&self, series: &[usize], from: Duration, to: Duration) -> Option<(f64, u64)> {
        let (from, to, _) = self.at_edges(from, to)?;
        let tiers = self.tiers(from, to);
        let (mut sum, mut count) = (0.0, 0);
        for track in series.iter().filter_map(|at| self.tracks.get(*at)?.as_ref()) {
            match track {
                Track::Trend(slices, _) => slices.within(tiers.clone(), from, to).for_each(|part| {
                    sum += part.moments.sum;
                    count += part.moments.count;
                }),
                Track::Counter(slices) => slices.within(tiers.clone(), from, to).for_each(|part| {
                    sum += part.sum;
                    count += part.samples;
                }),
                Track::Rate(_) | Track::Gauge(_) => return None,
            }
        }
        (count > 0).then_some((sum, count))
    }

    /// Run time up to which seconds are over: no window sees anything later.
    pub fn closed(&self) -> Duration {
        Duration::from_secs(u64::from(self.edges[0]))
    }

    /// Where a window of `from..to` begins and ends, and its longest slice; `None` when nothing of it is over.
    pub fn bounds(&self, from: Duration, to: Duration) -> Option<(Duration, Duration, Duration)> {
        let (from, to, step) = self.at_edges(from, to)?;
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        Some((seconds(from), seconds(to), seconds(step)))
    }

    /// How finely which part of the run is kept, from its begin to the last second that is over.
    pub fn spans(&self) -> Vec<Span> {
        let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
        let mut spans = Vec::new();
        for tier in (0..TIERS).rev() {
            let (from, to) = (self.edges[tier + 1], self.edges[tier]);
            let middle = self.coarse.clamp(from, to);
            for (from, to, coarse) in [(from, middle, true), (middle, to, false)] {
                if from < to {
                    spans.push(Span { from: seconds(from), to: seconds(to), step: seconds(STEPS[tier]), coarse });
                }
            }
        }
        spans
    }

    /// Up to which run time slices are coarser than their age asks for, because of the budget; `None` while none is.
    pub fn gave_way_until(&self) -> Option<Duration> {
        let until = self.coarse.max(self.early);
        (until > 0).then(|| Duration::from_secs(u64::from(until)))
    }

    /// Bytes that all slices take, at most.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that they may take. They take more only when everything was given up that can be.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// The second up to which everything is closed.
    fn end(&self) -> u32 {
        self.edges[0]
    }

    /// The whole slices that include `from..to`, and the longest of them; `None` when nothing of it is over.
    fn at_edges(&self, from: Duration, to: Duration) -> Option<(u32, u32, u32)> {
        let first = u32::try_from(from.as_secs()).unwrap_or(u32::MAX);
        let end = to.as_secs().saturating_add(u64::from(to.subsec_nanos() > 0));
        let end = u32::try_from(end).unwrap_or(u32::MAX).min(self.end());
        if first >= end {
            return None;
        }
        let step = |second: u32| STEPS[self.tier(second)];
        let (oldest, youngest) = (step(first), step(end - 1));
        Some((first - first % oldest, end.next_multiple_of(youngest), oldest))
    }

    /// The distributions of series in slices of `from..to`, which are edges.
    fn packed(&self, series: &[usize], from: u32, to: u32) -> impl Iterator<Item = &Packed> + Clone {
        let trends = series.iter().filter_map(|at| match self.tracks.get(*at)?.as_ref()? {
            Track::Trend(slices, _) => Some(slices),
            _ => None,
        });
        let tiers = self.tiers(from, to);
        trends.flat_map(move |slices| slices.within(tiers.clone(), from, to))
    }

    /// The tier of the slice that holds a second.
    fn tier(&self, second: u32) -> usize {
        self.edges[1..].iter().position(|edge| second >= *edge).unwrap_or(TIERS - 1)
    }

    /// The tiers that have slices in `from..to`.
    fn tiers(&self, from: u32, to: u32) -> Range<usize> {
        if from >= to { 0..0 } else { self.tier(to - 1)..self.tier(from) + 1 }
    }

    /// How the values of a trend become ticks; `None` for another series.
    fn scale(&self, series: usize) -> Option<Scale> {
        match self.tracks.get(series)?.as_ref()? {
            Track::Trend(_, scale) => Some(*scale),
            _ => None,
        }
    }

    /// Where the oldest slices of a tier end that make a whole one of the next; `None` when there are too few.
    fn group(&self, tier: usize) -> Option<u32> {
        let end = self.edges[tier + 1] + STEPS[tier + 1];
        (end <= self.edges[tier]).then_some(end)
    }

    /// Makes one slice of the next tier of the oldest of this one.
    fn thin(&mut self, tier: usize, end: u32) {
        let from = self.edges[tier + 1];
        self.each(|track, counts| track.thin(tier, from, end, counts));
        self.edges[tier + 1] = end;
        if self.coarse > from {
            self.coarse = self.coarse.max(end);
        }
    }

    /// Gives up a little of the oldest that there is to give up; false when there is nothing.
    fn give_way(&mut self) -> bool {
        if self.coarse < self.edges[1] {
            let from = self.coarse;
            let tier = self.tier(from);
            self.each(|track, counts| track.coarsen(tier, from, counts));
            self.coarse = from + STEPS[tier];
            return true;
        }
        for tier in [1, 2, 0, 3, 4] {
            let kept = if tier == 0 { KEPT } else { 0 };
            if let Some(end) = self.group(tier).filter(|end| end + kept <= self.end()) {
                self.thin(tier, end);
                self.early = self.early.max(end);
                return true;
            }
        }
        false
    }

    /// Changes every track and counts its bytes anew.
    fn each(&mut self, mut change: impl FnMut(&mut Track, &mut Counts)) {
        for track in self.tracks.iter_mut().flatten() {
            self.bytes -= track.bytes();
            change(track, &mut self.counts);
            self.bytes += track.bytes();
        }
    }
}

#[cfg(test)]
mod tests;
