//! The threads that look at machines, as the coordinator holds them: one at this machine, one at those that are observed.

use super::collector::ToCollector;
use super::machine::MachineWatch;
use super::observer::Observer;
use crate::plan::Observe;
use std::sync::mpsc::Sender;

/// Both threads.
pub(super) struct Lookouts {
    machine: MachineWatch,
    /// None where nothing is to be observed.
    observer: Option<Observer>,
}

impl Lookouts {
    /// Starts them; `cores` are those that the shards may use.
    pub(super) fn start(
        cores: usize,
        observe: &[Observe],
        to_collector: &Sender<ToCollector>,
    ) -> std::io::Result<Self> {
        let machine = MachineWatch::start(cores, to_collector.clone())?;
        Ok(Lookouts { machine, observer: Observer::start(observe, to_collector)? })
    }

    /// Ends them; why one panicked, if it did.
    pub(super) fn end(self) -> Option<String> {
        let observer = self.observer.and_then(Observer::end);
        self.machine.end().or(observer)
    }
}
