//! What the collector was told of machines: kept until the next tick books it under run time, and shown with each Snapshot.

use super::ledger::Ledger;
use super::machine::Look;
use super::observer::Sighting;
use crate::metrics::TagSet;
use crate::plan::Observe;
use crate::snapshot::{Generator, Machine, Observed};
use std::sync::Arc;
use std::time::Duration;

/// Most cores that have a series each.
const CORES: usize = 256;

/// All machines that are looked at.
#[derive(Default)]
pub(super) struct Sightings {
    /// The one that punk runs on.
    machine: Option<Arc<Machine>>,
    observed: Vec<Arc<Observed>>,
    /// Samples since the last tick.
    pending: Vec<(&'static str, TagSet, f64)>,
    /// Whether there was a look since then.
    looked: bool,
    /// Machines that could not be observed, told once each.
    warnings: Vec<(usize, String)>,
}

impl Sightings {
    pub(super) fn new(observe: &[Observe]) -> Self {
        let unseen = |one: &Observe| Arc::new(Observed { host: one.host.clone(), ..Observed::default() });
        Sightings { observed: observe.iter().map(unseen).collect(), ..Sightings::default() }
    }

    /// This machine was looked at.
    pub(super) fn look(&mut self, look: Look) {
        self.pending.extend(look.samples.into_iter().map(|(name, value)| (name, TagSet::empty(), value)));
        let core = |(at, busy): (usize, &f64)| ("system_cpu_core", TagSet::new([("core", at.to_string())]), *busy);
        self.pending.extend(look.machine.cores.iter().take(CORES).enumerate().map(core));
        self.machine = Some(Arc::new(look.machine));
        self.looked = true;
    }

    /// An observed machine answered, or did not; `now` is run time.
    pub(super) fn see(&mut self, sighting: Sighting, now: Duration) {
        let Sighting { at, mut observed, samples } = sighting;
        let Some(slot) = self.observed.get_mut(at) else { return };
        observed.at = if observed.failing { slot.at } else { Some(now) };
        if let Some(why) = observed.last_error.as_ref().filter(|_| observed.failing)
            && !self.warnings.iter().any(|(known, _)| *known == at)
        {
            self.warnings.push((at, format!("`{}` cannot be observed: {why}", observed.host)));
        }
        let tags = TagSet::new([("host", observed.host.clone())]);
        self.pending.extend(samples.into_iter().map(|(name, value)| (name, tags.clone(), value)));
        *slot = Arc::new(observed);
    }

    /// At a tick: what is pending goes to the ledger. Before the scenarios start there is no run time to keep it under.
    pub(super) fn book(&mut self, generator: &Generator, ledger: &mut Ledger, now: Option<Duration>) {
        let pending = std::mem::take(&mut self.pending);
        let looked = std::mem::take(&mut self.looked);
        let Some(now) = now else { return };
        for (metric, tags, value) in pending {
            ledger.set(metric, tags, value, now);
        }
        // The collector knows these itself; they are kept as often as the others.
        let own =
            [("punk_loop_lag_p99", generator.recent_lag_p99), ("punk_lateness_p99", generator.recent_lateness_p99)];
        for (metric, value) in own.into_iter().filter(|_| looked) {
            value.into_iter().for_each(|value| ledger.set(metric, TagSet::empty(), value, now));
        }
    }

    /// This machine, at the last look.
    pub(super) fn machine(&self) -> Option<Arc<Machine>> {
        self.machine.clone()
    }

    /// The observed machines, in the order of the script.
    pub(super) fn observed(&self) -> Vec<Arc<Observed>> {
        self.observed.clone()
    }

    /// What is to be told of those that could not be observed.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.warnings.iter().map(|(_, warning)| warning.clone())
    }
}
