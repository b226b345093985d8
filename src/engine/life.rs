//! The life of a user: start, iterations, stop; what its fiber runs, from the first line of script to the last.

use super::interlude::Interlude;
use crate::script::error::{Ended, ScriptError};
use crate::script::host::Ids;
use crate::script::machine::{Failure, Function, Functions, Machine};
use crate::script::user::User;
use crate::user::fiber;
use rhai::Dynamic;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::Notify;

/// What tells a user whether to begin another iteration. Shared between the user and its shard.
pub(super) struct Allowance {
    /// Set when the load no longer wants this user.
    pub(super) retired: Cell<bool>,
    /// Wakes the user when that is set while it waits between two iterations.
    pub(super) told: Notify,
    /// How many iterations this user may still begin; `None` without limit.
    pub(super) own: Cell<Option<u64>>,
    /// A number of iterations shared by the whole run: how many are taken, of how many.
    pub(super) shared: Option<(Arc<[AtomicU64]>, usize, u64)>,
}

impl Allowance {
    /// No further iteration; whether there could have been one before.
    pub(super) fn retire(&self) -> bool {
        self.told.notify_one();
        !self.retired.replace(true)
    }

    /// Ready when the user is retired.
    pub(super) async fn retirement(&self) {
        while !self.retired.get() {
            self.told.notified().await;
        }
    }

    /// Whether there may be another iteration, without taking the right to it.
    pub(super) fn has_more(&self) -> bool {
        let left = |(counters, at, all): &(Arc<[AtomicU64]>, usize, u64)| counters[*at].load(Ordering::Relaxed) < *all;
        !self.retired.get() && self.own.get() != Some(0) && self.shared.as_ref().is_none_or(left)
    }

    /// Takes the right to begin one iteration; the number it has in a shared pool.
    fn take(&self) -> bool {
        if self.retired.get() {
            return false;
        }
        if let Some(left) = self.own.get() {
            if left == 0 {
                return false;
            }
            self.own.set(Some(left - 1));
        }
        match &self.shared {
            Some((counters, at, all)) => counters[*at].fetch_add(1, Ordering::Relaxed) < *all,
            None => true,
        }
    }
}

/// Which of its functions a user is in: all that is known when its fiber is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Step {
    #[default]
    Start,
    Run,
    Stop,
}

impl Step {
    /// The function that runs in this step; `chosen` among those of `run`.
    pub(super) fn function(self, functions: &Functions, chosen: usize) -> &Function {
        let optional = match self {
            Step::Start => functions.start.as_ref(),
            Step::Run => None,
            Step::Stop => functions.stop.as_ref(),
        };
        optional.unwrap_or(&functions.run[chosen])
    }
}

/// What became of a user's iterations, beyond what its samples say. Shared with the shard.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) step: Cell<Step>,
    /// Which function of `run` the iteration runs.
    pub(super) chosen: Cell<usize>,
    pub(super) interrupted: Cell<u64>,
    /// Iterations that the user has begun.
    pub(super) begun: Cell<u64>,
}

/// Runs a user on its fiber until it is told to end. `tally.begun` lets a user that replaces a lost one go on counting.
pub(super) fn live(
    machine: &Machine,
    user: &User,
    scenario: usize,
    allowance: &Allowance,
    tally: &Tally,
    ids: Ids,
    data: &Dynamic,
) {
    let functions = &machine.scenarios[scenario];
    let life = &user.host.plan.scenarios[scenario].life;
    let mut interlude = Interlude::new(machine, user, (scenario, functions), allowance, ids, data);
    let mut started = functions.start.is_none();
    tally.step.set(Step::Start);
    while !started && !allowance.retired.get() {
        interlude.begin();
        match call(machine, user, Step::Start.function(functions, 0), data) {
            Ok(_) => started = true,
            Err(Failure::Error(error)) => {
                failed(user, ids, &error);
                if interlude.after_error().is_err() {
                    break;
                }
            }
            Err(Failure::Ended(_)) => break,
        }
    }
    interlude.recovered();
    tally.step.set(Step::Run);
    while started && allowance.take() {
        user.vu.enter(tally.begun.get());
        tally.begun.set(tally.begun.get() + 1);
        interlude.begin();
        tally.chosen.set(life.pick(|| user.vu.random()));
        let began = Instant::now();
        let result = call(machine, user, Step::Run.function(functions, tally.chosen.get()), data);
        user.group.set(Default::default());
        let ended_early = matches!(result, Err(Failure::Ended(Ended::Cancelled | Ended::Aborted(_))));
        if ended_early {
            tally.interrupted.set(tally.interrupted.get() + 1);
            break;
        }
        let sample = |metric, value| {
            user.host.sample(metric, user.base, Default::default(), Default::default(), Default::default(), value)
        };
        sample(ids.iterations, 1.0);
        sample(ids.iteration_duration, began.elapsed().as_secs_f64() * 1e3);
        if let Err(Failure::Error(error)) = &result {
            failed(user, ids, error);
        }
        if interlude.after(result.is_err()).is_err() {
            break;
        }
        // An iteration that waited for nothing must not keep the shard from its timers and its neighbours.
        if !user.waited.replace(false) && fiber::yield_now().is_err() {
            break;
        }
    }
    tally.step.set(Step::Stop);
    if let Some(stop) = &functions.stop
        && started
        && fiber::take_cancel().is_none_or(|reason| reason == crate::user::CancelReason::Interrupted)
        && let Err(Failure::Error(error)) = call(machine, user, stop, data)
    {
        failed(user, ids, &error);
    }
}

/// One call into the script with the user's `this`; values that it leaves are dropped on the thread's own stack.
pub(super) fn call(machine: &Machine, user: &User, function: &Function, data: &Dynamic) -> Result<Dynamic, Failure> {
    fiber::reset_busy();
    let mut this = user.this.clone();
    machine.call(function, this.as_mut(), data)
}

pub(super) fn failed(user: &User, ids: Ids, error: &ScriptError) {
    user.host.sample(ids.script_errors, user.base, Default::default(), Default::default(), Default::default(), 1.0);
    user.host.script_error(&user.vu.scenario, error);
}

/// A user that its fiber lost (it panicked or overflowed): counted like a script error, its iteration like one that
/// ended with an error.
pub(super) fn lost(user: &User, ids: Ids, step: Step, error: &ScriptError) {
    if step == Step::Run {
        user.host.sample(ids.iterations, user.base, Default::default(), Default::default(), Default::default(), 1.0);
    }
    failed(user, ids, error);
}
