//! A Track: what one series had to say, slice by slice, recent slices apart from older and coarser ones.
//!
//! The [`History`](super::History) holds one for each series and tells it when a second is over and what to thin; a track
//! knows no ages and no budget. Slices in which a series saw nothing are not there at all.

use super::packed::Packed;

use crate::metrics::cell::{Cell, Gauge};
use crate::metrics::counts::Counts;
use crate::metrics::histogram::Scale;
use std::collections::VecDeque;
use std::ops::Range;

/// How many lengths of slices there are.
pub(super) const TIERS: usize = 6;

/// What a slice keeps of one kind of series.
pub(super) trait Piece: Clone {
    /// All of them, of which there is at least one, in order of time.
    fn merged<'a>(parts: impl Iterator<Item = &'a Self> + Clone, counts: &mut Counts) -> Self
    where
        Self: 'a;
    /// Bytes outside of itself.
    fn heap(&self) -> usize {
        0
    }
}

/// A sum, and how many samples made it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    pub sum: f64,
    pub samples: u64,
}

/// How many of how many were true.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    pub passes: u64,
    pub total: u64,
}

impl Piece for Sum {
    fn merged<'a>(parts: impl Iterator<Item = &'a Self> + Clone, _: &mut Counts) -> Self {
        parts.fold(Sum { sum: 0.0, samples: 0 }, |all, part| Sum {
            sum: all.sum + part.sum,
            samples: all.samples + part.samples,
        })
    }
}

impl Piece for Share {
    fn merged<'a>(parts: impl Iterator<Item = &'a Self> + Clone, _: &mut Counts) -> Self {
        parts.fold(Share { passes: 0, total: 0 }, |all, part| Share {
            passes: all.passes + part.passes,
            total: all.total + part.total,
        })
    }
}

impl Piece for Gauge {
    fn merged<'a>(parts: impl Iterator<Item = &'a Self> + Clone, _: &mut Counts) -> Self {
        let none = Gauge { last: f64::NAN, min: f64::INFINITY, max: f64::NEG_INFINITY };
        parts.fold(none, |all, part| Gauge { last: part.last, min: all.min.min(part.min), max: all.max.max(part.max) })
    }
}

impl Piece for Packed {
    fn merged<'a>(parts: impl Iterator<Item = &'a Self> + Clone, counts: &mut Counts) -> Self {
        Packed::merged(parts, counts)
    }
    fn heap(&self) -> usize {
        allocated(Packed::heap(self))
    }
}

/// What an allocation of that many bytes may take from the allocator, rounding to its size classes included.
fn allocated(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + bytes / 8 + 16 }
}

/// The slices of one series, all of one kind.
#[derive(Debug)]
pub(super) struct Slices<P> {
    open: Option<P>,
    /// By length of slice, shortest first; within one by time, each with the second at which it begins.
    tiers: [VecDeque<(u32, P)>; TIERS],
    heap: usize,
}

impl<P: Piece> Slices<P> {
    fn new() -> Self {
        Slices { open: None, tiers: std::array::from_fn(|_| VecDeque::new()), heap: 0 }
    }

    fn feed(&mut self, piece: P, counts: &mut Counts) {
        let piece = match self.open.take() {
            Some(open) => {
                self.heap -= open.heap();
                P::merged([&open, &piece].into_iter(), counts)
            }
            None => piece,
        };
        self.heap += piece.heap();
        self.open = Some(piece);
    }

    fn close(&mut self, second: u32) {
        if let Some(piece) = self.open.take() {
            self.heap -= piece.heap();
            self.put(0, second, piece);
        }
    }

    fn put(&mut self, tier: usize, from: u32, piece: P) {
        self.heap += piece.heap();
        let slices = &mut self.tiers[tier];
        if slices.len() == slices.capacity() {
            slices.reserve_exact(slices.len() / 4 + 4);
        }
        slices.push_back((from, piece));
    }

    fn thin(&mut self, tier: usize, from: u32, to: u32, counts: &mut Counts) {
        let slices = &mut self.tiers[tier];
        let old = slices.partition_point(|(at, _)| *at < to);
        if old == 0 {
            return;
        }
        let merged = P::merged(slices.range(..old).map(|(_, piece)| piece), counts);
        self.heap -= slices.drain(..old).map(|(_, piece)| piece.heap()).sum::<usize>();
        if slices.capacity() > room(slices.len()) {
            slices.shrink_to(slices.len() + slices.len() / 4);
        }
        self.put(tier + 1, from, merged);
    }

    /// The pieces of all slices of these tiers that begin in `from..to`, in order of time.
    pub fn within(&self, tiers: Range<usize>, from: u32, to: u32) -> impl Iterator<Item = &P> + Clone {
        self.tiers[tiers].iter().rev().flat_map(move |tier| {
            let begin = begin(tier, from);
            let end = begin + tier.range(begin..).take_while(|(at, _)| *at < to).count();
            tier.range(begin..end).map(|(_, piece)| piece)
        })
    }

    /// The place of the first slice that begins at `from` or later, which is in this tier or a younger one.
    pub fn cursor(&self, tier: usize, from: u32) -> Cursor<'_, P> {
        Cursor { tiers: &self.tiers, tier, at: begin(&self.tiers[tier], from) }
    }

    fn bytes(&self) -> usize {
        let slots: usize = self.tiers.iter().map(|tier| room(tier.len())).sum();
        slots * size_of::<(u32, P)>() + self.heap
    }

    #[cfg(test)]
    fn recount(&self) -> (usize, usize) {
        let pieces = self.tiers.iter().flatten().map(|(_, piece)| piece).chain(&self.open);
        let heap: usize = pieces.map(Piece::heap).sum();
        let held: usize = self.tiers.iter().map(VecDeque::capacity).sum();
        (self.bytes() - self.heap + heap, held * size_of::<(u32, P)>() + heap)
    }
}

/// The place of the first slice that begins at `from` or later. What is asked for is most often among the last.
fn begin<P>(slices: &VecDeque<(u32, P)>, from: u32) -> usize {
    let (mut low, mut high, mut step) = (0, slices.len(), 1);
    while high > 0 {
        let at = high.saturating_sub(step);
        if slices[at].0 < from {
            low = at + 1;
            break;
        }
        (high, step) = (at, step * 2);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if slices[middle].0 < from { low = middle + 1 } else { high = middle }
    }
    low
}

/// A place among the slices of one series, which moves on in time.
#[derive(Debug)]
pub(super) struct Cursor<'a, P> {
    tiers: &'a [VecDeque<(u32, P)>; TIERS],
    tier: usize,
    at: usize,
}

impl<P> Clone for Cursor<'_, P> {
    fn clone(&self) -> Self {
        Cursor { tiers: self.tiers, tier: self.tier, at: self.at }
    }
}

impl<'a, P> Cursor<'a, P> {
    /// The pieces of all slices that begin in `from..to`, in order of time; `from` not before that of the last time.
    pub fn within(&mut self, from: u32, to: u32) -> impl Iterator<Item = &'a P> + Clone + use<'a, P> {
        while self.peek().is_some_and(|(at, _)| *at < from) {
            self.at += 1;
        }
        let mut ahead = self.clone();
        std::iter::from_fn(move || {
            let (at, piece) = ahead.peek()?;
            ahead.at += 1;
            (*at < to).then_some(piece)
        })
    }

    fn peek(&mut self) -> Option<&'a (u32, P)> {
        loop {
            if let Some(slice) = self.tiers[self.tier].get(self.at) {
                return Some(slice);
            }
            self.tier = self.tier.checked_sub(1)?;
            self.at = 0;
        }
    }
}

/// The most slots that are held for so many slices.
fn room(slices: usize) -> usize {
    if slices == 0 { 0 } else { slices + slices / 2 + 8 }
}

/// The slices of one series.
#[derive(Debug)]
pub(super) enum Track {
    Counter(Slices<Sum>),
    Rate(Slices<Share>),
    Gauge(Slices<Gauge>),
    Trend(Slices<Packed>, Scale),
}

/// The same for every kind.
macro_rules! each {
    ($track:expr, $slices:ident => $what:expr) => {
        match $track {
            Track::Counter($slices) => $what,
            Track::Rate($slices) => $what,
            Track::Gauge($slices) => $what,
            Track::Trend($slices, _) => $what,
        }
    };
}

impl Track {
    /// Without slices, for a series whose cells are like this one.
    pub fn new(like: &Cell) -> Self {
        match like {
            Cell::Counter { .. } => Track::Counter(Slices::new()),
            Cell::Rate { .. } => Track::Rate(Slices::new()),
            Cell::Gauge(_) => Track::Gauge(Slices::new()),
            Cell::Trend(trend) => Track::Trend(Slices::new(), trend.scale()),
        }
    }

    /// Adds to the open second; an empty cell, or one of another kind, adds nothing.
    pub fn feed(&mut self, cell: &Cell, counts: &mut Counts) {
        if cell.is_empty() {
            return;
        }
        match (self, cell) {
            (Track::Counter(slices), Cell::Counter { sum, samples }) => {
                slices.feed(Sum { sum: *sum, samples: *samples }, counts);
            }
            (Track::Rate(slices), Cell::Rate { passes, total }) => {
                slices.feed(Share { passes: *passes, total: *total }, counts);
            }
            (Track::Gauge(slices), Cell::Gauge(Some(gauge))) => slices.feed(*gauge, counts),
            (Track::Trend(slices, _), Cell::Trend(trend)) => slices.feed(Packed::of(trend), counts),
            _ => {}
        }
    }

    /// Makes the open second a slice.
    pub fn close(&mut self, second: u32) {
        each!(self, slices => slices.close(second));
    }

    /// Merges the slices of a tier that begin before `to` into one of the next tier, which begins at `from`.
    pub fn thin(&mut self, tier: usize, from: u32, to: u32, counts: &mut Counts) {
        each!(self, slices => slices.thin(tier, from, to, counts));
    }

    /// Leaves the slice of a tier that begins at `from` no more than two digits.
    pub fn coarsen(&mut self, tier: usize, from: u32, counts: &mut Counts) {
        let Track::Trend(slices, _) = self else { return };
        if slices.heap == 0 {
            return;
        }
        let Ok(at) = slices.tiers[tier].binary_search_by_key(&from, |(at, _)| *at) else { return };
        let piece = &mut slices.tiers[tier][at].1;
        if piece.digits > 2 {
            let coarse = piece.coarsened(2, counts);
            slices.heap = slices.heap + Piece::heap(&coarse) - Piece::heap(piece);
            *piece = coarse;
        }
    }

    /// An upper bound of the memory that its slices take, itself included.
    pub fn bytes(&self) -> usize {
        size_of::<Option<Track>>() + each!(self, slices => slices.bytes())
    }

    /// The same by walking over all slices, and what is really held.
    #[cfg(test)]
    pub fn recount(&self) -> (usize, usize) {
        let (accounted, held) = each!(self, slices => slices.recount());
        (size_of::<Option<Track>>() + accounted, size_of::<Option<Track>>() + held)
    }
}
