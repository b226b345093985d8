//! Connections of all shards, added up by the collector: what each shard said last, and what was new in the last seconds.

use super::ledger::Ledger;
use crate::metrics::{Connections, Proto, TagSet};
use crate::snapshot::Connectivity;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What counts as the last seconds.
const LAST: Duration = Duration::from_secs(5);

/// What shards said of their connections.
pub(super) struct Connected {
    shards: Vec<Connections>,
    /// What all of them came to, tick by tick: the first one is the youngest that is at least [`LAST`] old, or the oldest of all.
    moments: VecDeque<(Instant, Connections)>,
}

impl Connected {
    pub(super) fn new(shards: usize, now: Instant) -> Self {
        Connected {
            shards: vec![Connections::default(); shards],
            moments: VecDeque::from([(now, Connections::default())]),
        }
    }

    /// What a shard says of a tick.
    pub(super) fn heard(&mut self, shard: usize, said: Connections) {
        self.shards[shard] = said;
    }

    fn sum(&self) -> Connections {
        let mut sum = Connections::default();
        self.shards.iter().for_each(|shard| sum.add(shard));
        sum
    }

    /// At a tick.
    pub(super) fn tick(&mut self, now: Instant) {
        self.moments.push_back((now, self.sum()));
        while self.moments.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= LAST) {
            self.moments.pop_front();
        }
    }

    /// As a Snapshot tells it.
    pub(super) fn state(&self) -> Connectivity {
        let counts = self.sum();
        let none = Connectivity { counts, ..Connectivity::default() };
        let (Some((from, before)), Some((to, after))) = (self.moments.front(), self.moments.back()) else {
            return none;
        };
        let (was, is) = (before.all(), after.all());
        Connectivity {
            counts,
            over: to.saturating_duration_since(*from),
            opened: is.opened.saturating_sub(was.opened),
            lost: is.lost.saturating_sub(was.lost),
            failed: after.failed.saturating_sub(before.failed),
        }
    }

    /// Books the metrics of connections, of a run that has ever tried to open one; `now` is run time.
    pub(super) fn book(&self, ledger: &mut Ledger, now: Duration) {
        let state = self.state();
        if state.is_untried() {
            return;
        }
        let (counts, all) = (state.counts, state.counts.all());
        ledger.set("http_connections_active", TagSet::empty(), all.active as f64, now);
        ledger.set("http_connections_idle", TagSet::empty(), all.idle() as f64, now);
        if counts.failed > 0 {
            ledger.set("http_connections_failed", TagSet::empty(), counts.failed as f64, now);
        }
        for proto in Proto::ALL {
            let (tags, of) = (TagSet::new([("proto", proto.tag())]), counts.of(proto));
            if of.opened > 0 {
                ledger.set("http_connections_opened", tags.clone(), of.opened as f64, now);
            }
            if of.lost > 0 {
                ledger.set("http_connections_lost", tags, of.lost as f64, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(opened: u64, lost: u64, failed: u64) -> Connections {
        let mut said = Connections { failed, ..Connections::default() };
        let counts = said.of_mut(Proto::Http1);
        (counts.opened, counts.lost, counts.open, counts.active) = (opened, lost, opened - lost, opened.min(1));
        said
    }

    #[test]
    fn what_is_new_is_that_of_the_last_seconds_and_totals_are_of_the_run() {
        let began = Instant::now();
        let mut connected = Connected::new(2, began);
        assert!(connected.state().is_untried() && connected.state().rate().is_none());
        for second in 1..=20 {
            connected.heard(0, said(3 * second, second, 0));
            connected.heard(1, said(0, 0, second.min(2)));
            connected.tick(began + Duration::from_secs(second));
        }
        let state = connected.state();
        assert_eq!((state.opened, state.lost, state.failed, state.rate()), (15, 5, 0, Some(3.0)));
        let all = state.counts.all();
        assert_eq!((all.opened, all.lost, all.open, all.active, state.counts.failed), (60, 20, 40, 1, 2));
        assert!(connected.moments.len() <= 6);
    }
}
