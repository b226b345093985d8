//! What somebody changes while a run goes on — pause, resume, another target for a load — checked before anybody obeys.
//!
//! Used by the coordinator, which tells the shards and the collector. It knows the Plan and the run's clock, no threads.

use super::order::Order;
use crate::clock::RunClock;
use crate::load::{self, Argument, Model};
use crate::plan::Plan;
use std::time::{Duration, Instant};

/// How far ahead of its order a new target holds, so that all shards have heard of it when it does.
pub(super) const AHEAD: Duration = Duration::from_millis(20);

/// The run's clock, and whether somebody has stopped it.
#[derive(Debug)]
pub(super) struct Changes {
    clock: Option<RunClock>,
    paused: bool,
}

impl Changes {
    /// Before the scenarios start.
    pub(super) fn new(paused: bool) -> Self {
        Changes { clock: None, paused }
    }

    /// The scenarios start at `epoch`: their clock, which may stand still from the first moment.
    pub(super) fn start(&mut self, epoch: Instant) -> RunClock {
        let mut clock = RunClock::starting(epoch);
        if self.paused {
            clock.pause(epoch);
        }
        *self.clock.insert(clock)
    }

    /// Whether the run stands still.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Run time.
    pub(super) fn at(&self, now: Instant) -> Duration {
        self.clock.map_or(Duration::ZERO, |clock| clock.at(now))
    }

    /// Whether the scenarios have started.
    pub(super) fn has_begun(&self) -> bool {
        self.clock.is_some()
    }

    /// Stops the clock, or says why not; `None` where it does not run yet and will not start.
    pub(super) fn pause(&mut self, now: Instant) -> Result<Option<RunClock>, String> {
        if std::mem::replace(&mut self.paused, true) {
            let begun =
                if self.clock.is_some() { "the run is paused already" } else { "the run is to begin paused already" };
            return Err(begun.to_owned());
        }
        Ok(self.clock.as_mut().map(|clock| {
            clock.pause(now);
            *clock
        }))
    }

    /// Lets the clock go on, or says why not.
    pub(super) fn resume(&mut self, now: Instant) -> Result<Option<RunClock>, String> {
        if !std::mem::replace(&mut self.paused, false) {
            return Err("the run is not paused".to_owned());
        }
        Ok(self.clock.as_mut().map(|clock| {
            clock.resume(now);
            *clock
        }))
    }

    /// The order for another target, and in words what it does.
    pub(super) fn scale(&self, plan: &Plan, name: &str, to: f64, now: Instant) -> Result<(Order, String), String> {
        let scenario = find(plan, name)?;
        let work = &plan.scenarios[scenario].work;
        let Some(load) = work.load() else {
            return Err(format!("`{name}` has a fixed number of iterations: there is nothing to scale"));
        };
        work.takes(to)?;
        let shape = load::build("constant", &[Argument::Value(to)]).map_err(|error| error.to_string())?;
        let what = match load.model {
            Model::Users => format!("{name}: {to} users"),
            Model::Rate => format!("{name}: {to} iterations/s"),
        };
        Ok((Order::Scale { scenario, at: self.at(now) + AHEAD, shape: Some(shape) }, what))
    }

    /// The order that lets a load be what its plan says, and in words what it does.
    pub(super) fn replan(&self, plan: &Plan, name: &str, now: Instant) -> Result<(Order, String), String> {
        let scenario = find(plan, name)?;
        Ok((Order::Scale { scenario, at: self.at(now) + AHEAD, shape: None }, format!("{name}: as planned")))
    }

    /// The order that ends one scenario, and in words what it does.
    pub(super) fn end(&self, plan: &Plan, name: &str, why: &str) -> Result<(Order, String), String> {
        let scenario = find(plan, name)?;
        Ok((Order::End { scenario }, format!("{name}: ended ({why})")))
    }
}

fn find(plan: &Plan, name: &str) -> Result<usize, String> {
    plan.scenarios.iter().position(|scenario| scenario.name == name).ok_or_else(|| {
        let names: Vec<&str> = plan.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        format!("there is no scenario `{name}`: there is {}", names.join(", "))
    })
}
