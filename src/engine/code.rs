//! What the users of a shard run: for each scenario the Plan and the Machine that hold now, replaced by an edit.
//!
//! Written by the shard when it is told of an edit, read by each user before its next iteration. A user that is in an
//! iteration keeps the [`Code`] that it began with, so an old Machine lives as long as anybody is in it.

use super::graph::Node;
use crate::plan::{Plan, Scenario};
use crate::script::machine::Functions;
use crate::script::machine::Machine;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What an edit changes on every shard, all of it at once.
#[derive(Debug)]
pub(super) struct Swap {
    /// All of the Plan: scenarios keep their index, new ones stand behind them.
    pub(super) plan: Arc<Plan>,
    /// The revision of the code, where it changed: then a new Machine is wanted.
    pub(super) code: Option<u64>,
    /// Run time from which the loads hold.
    pub(super) at: Duration,
    /// Scenarios whose load changed.
    pub(super) loads: Vec<usize>,
    /// The nodes of the scenarios that are new.
    pub(super) added: Vec<Arc<Node>>,
    /// Scenarios that are gone: they drain.
    pub(super) removed: Vec<usize>,
}

/// What one scenario runs.
pub(super) struct Code {
    pub(super) plan: Arc<Plan>,
    pub(super) machine: Rc<Machine>,
    pub(super) revision: u64,
    scenario: usize,
    replaced: Cell<bool>,
}

impl Code {
    /// Of a scenario that the Machine knows, and knows as the Plan does.
    fn new(plan: &Arc<Plan>, machine: &Rc<Machine>, scenario: usize, revision: u64) -> Option<Rc<Code>> {
        let functions = machine.scenarios.get(scenario)?.as_ref()?;
        let chosen_from = plan.scenarios[scenario].life.mix.len().max(1);
        let (plan, machine, replaced) = (Arc::clone(plan), Rc::clone(machine), Cell::new(false));
        (functions.run.len() == chosen_from).then(|| Rc::new(Code { plan, machine, revision, scenario, replaced }))
    }

    /// Whether an edit has put another one in its place.
    pub(super) fn is_replaced(&self) -> bool {
        self.replaced.get()
    }

    pub(super) fn functions(&self) -> &Functions {
        self.machine.scenarios[self.scenario].as_ref().expect("none is made of a scenario without functions")
    }

    pub(super) fn scenario(&self) -> &Scenario {
        &self.plan.scenarios[self.scenario]
    }
}

/// The code of all scenarios of a shard.
pub(super) struct Codes {
    machine: RefCell<Rc<Machine>>,
    revision: Cell<u64>,
    scenarios: RefCell<Vec<Rc<Code>>>,
}

impl Codes {
    /// Of the script as it begins.
    pub(super) fn new(plan: &Arc<Plan>, machine: Rc<Machine>) -> Self {
        let scenarios = (0..plan.scenarios.len()).filter_map(|at| Code::new(plan, &machine, at, 1)).collect();
        Codes { machine: RefCell::new(machine), revision: Cell::new(1), scenarios: RefCell::new(scenarios) }
    }

    /// That of a scenario.
    pub(super) fn of(&self, scenario: usize) -> Rc<Code> {
        Rc::clone(&self.scenarios.borrow()[scenario])
    }

    /// The newest Machine, for what belongs to no scenario.
    pub(super) fn machine(&self) -> Rc<Machine> {
        Rc::clone(&self.machine.borrow())
    }

    /// From now on this is the Plan, and where there is one the Machine. A scenario that the Machine does not know keeps what
    /// it has. How many scenarios there are now: new ones that the Machine does not know are left out, and all behind them.
    pub(super) fn swap(&self, plan: &Arc<Plan>, machine: Option<(Rc<Machine>, u64)>) -> usize {
        if let Some((machine, revision)) = machine {
            self.machine.replace(machine);
            self.revision.set(revision);
        }
        let (machine, revision) = (self.machine.borrow(), self.revision.get());
        let mut scenarios = self.scenarios.borrow_mut();
        for at in 0..plan.scenarios.len() {
            let code = Code::new(plan, &machine, at, revision);
            match (scenarios.get_mut(at), code) {
                (Some(old), Some(new)) => std::mem::replace(old, new).replaced.set(true),
                (None, Some(new)) => scenarios.push(new),
                (Some(_), None) => {}
                (None, None) => break,
            }
        }
        scenarios.len()
    }
}
