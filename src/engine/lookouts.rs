//! The threads that look at machines, as the coordinator holds them: one at this machine, one at those that are observed.

use super::collector::ToCollector;
use super::company::{Company, thread_name};
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
    /// Starts them; the cores are those that own CPU is a share of.
    pub(super) fn start(
        (company, cores): (Option<Company>, usize),
        observe: &[Observe],
        to_collector: &Sender<ToCollector>,
    ) -> std::io::Result<Self> {
        let machine = MachineWatch::start(thread_name(company, "machine"), cores, to_collector.clone())?;
        let observer = Observer::start(thread_name(company, "observer"), observe, to_collector)?;
        Ok(Lookouts { machine, observer })
    }

    /// Ends them; why one panicked, if it did.
    pub(super) fn end(self) -> Option<String> {
        let observer = self.observer.and_then(Observer::end);
        self.machine.end().or(observer)
    }
}
