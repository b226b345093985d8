//! The life of a user: start, iterations, stop; what its fiber runs, from the first line of script to the last.

use super::arrivals::{Arrivals, Coming, Seat, Slot};
use super::code::Code;
use super::gate::Gate;
use super::graph::Node;
use super::interlude::Interlude;
use super::shard::Ground;
use crate::roster::{Doing, Place};
use crate::script::error::{Ended, ScriptError};
use crate::script::host::Ids;
use crate::script::machine::{Failure, Machine};
use crate::script::machine::{Function, Functions};
use crate::script::user::User;
use crate::user::fiber;
use rhai::Dynamic;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What tells a user whether to begin another iteration. Shared between the user and its shard.
pub(super) struct Allowance {
    /// Set when the load no longer wants this user.
    pub(super) retired: Cell<bool>,
    /// Wakes the user when that is set while it waits between two iterations.
    pub(super) told: Notify,
    /// How many iterations this user may still begin; `None` without limit.
    pub(super) own: Cell<Option<u64>>,
    /// Of a number of iterations that all users of the scenario share: who counts them.
    pub(super) shared: Option<Arc<Node>>,
    /// Closed in a pause.
    pub(super) gate: Rc<Gate>,
    /// Open model: where iterations come from.
    pub(super) arrivals: Option<Rc<Arrivals>>,
    /// Open model: where it waits for them.
    pub(super) seat: Rc<Seat>,
    /// Open model: the arrival that it was made for.
    pub(super) first: Cell<Option<Slot>>,
    /// Open model: that it has not asked for an arrival yet.
    pub(super) coming: Cell<Option<Coming>>,
    /// The tags of its samples.
    pub(super) bases: Bases,
}

/// The tags of a scenario's samples: in its warm-up, and after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bases {
    pub(super) usual: u16,
    /// Those of iterations that start before this run time.
    pub(super) warm: Option<(u16, Duration)>,
}

impl Bases {
    /// Those of what starts at this run time.
    pub(super) fn at(self, at: Duration) -> u16 {
        self.warm.filter(|(_, until)| at < *until).map_or(self.usual, |(warm, _)| warm)
    }
}

/// The right to begin one iteration.
enum Turn {
    /// Closed model: at once.
    Now,
    /// Open model: an arrival, and whether this user was free for it in time.
    Arrival(Slot, bool),
}

impl Allowance {
    /// The load no longer wants this user: it begins no further iteration. Whether it could have before.
    pub(super) fn retire(&self) -> bool {
        let before = self.retired.replace(true);
        self.seat.wake();
        self.told.notify_one();
        !before
    }

    /// Ready when the user is retired.
    pub(super) async fn retirement(&self) {
        while !self.retired.get() {
            self.told.notified().await;
        }
    }

    /// Whether there may be another iteration, without taking the right to it.
    pub(super) fn has_more(&self) -> bool {
        !self.retired.get() && self.own.get() != Some(0) && self.shared.as_ref().is_none_or(|node| node.has_more())
    }

    /// Waits for the right to begin one iteration; `None` when there will be none.
    #[inline(never)]
    fn turn(&self, user: &User, fresh: bool) -> Option<Turn> {
        loop {
            if self.gate.is_closed() && !self.retired.get() {
                user.waited.set(true);
                user.place.does(Doing::Idle);
                fiber::wait(self.gate.pass()).ok()?;
                continue;
            }
            let Some(arrivals) = &self.arrivals else { return self.take().then_some(Turn::Now) };
            drop(self.coming.take());
            if self.retired.get() {
                return None;
            }
            // Making a user is our work, so an arrival that waits for nothing else is late by us; but one that had to
            // log in first was not to be had in time.
            if let Some(slot) = self.first.take() {
                return Some(Turn::Arrival(slot, fresh));
            }
            let clock = user.host.clock.get();
            let wanted = || !self.retired.get();
            match arrivals.turn(&self.seat, &clock, &wanted) {
                Ok(slot) => return Some(Turn::Arrival(slot, fresh)),
                Err(waiting) => {
                    user.waited.set(true);
                    user.place.does(Doing::Idle);
                    let slot = fiber::wait(waiting).ok()??;
                    return Some(Turn::Arrival(slot, true));
                }
            }
        }
    }

    /// Takes the right to begin one iteration of a closed or a fixed load.
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
        self.shared.as_ref().is_none_or(|node| node.take())
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
pub(super) struct Tally {
    /// What it runs.
    pub(super) code: RefCell<Rc<Code>>,
    pub(super) step: Cell<Step>,
    /// Which function of `run` the iteration runs.
    pub(super) chosen: Cell<usize>,
    pub(super) interrupted: Cell<u32>,
    /// Iterations that the user has begun.
    pub(super) begun: Cell<u64>,
    /// Where others see what it does.
    pub(super) place: Rc<Place>,
}

impl Tally {
    /// Of a user that has not begun.
    pub(super) fn new(code: Rc<Code>, place: Place) -> Self {
        Tally {
            place: Rc::new(place),
            code: RefCell::new(code),
            step: Cell::default(),
            chosen: Cell::default(),
            interrupted: Cell::default(),
            begun: Cell::default(),
        }
    }

    /// The code that holds now, once the user may have another one.
    #[inline(never)]
    fn renew(&self, ground: &Ground, user: &User, scenario: usize) -> Rc<Code> {
        let code = ground.codes.of(scenario);
        user.machine.replace(Rc::clone(&code.machine));
        user.code.set(code.revision);
        self.code.replace(Rc::clone(&code));
        code
    }
}

/// Runs a user on its fiber until it is told to end. `tally.begun` lets a user that replaces a lost one go on counting.
pub(super) fn live(ground: &Ground, user: &User, scenario: usize, allowance: &Allowance, tally: &Tally) {
    let (ids, data) = (ground.ids, ground.data.borrow().clone());
    let mut code = tally.renew(ground, user, scenario);
    let mut interlude = Interlude::new(Rc::clone(&code), user, allowance, ids, &data);
    let mut started = code.functions().start.is_none();
    let mut fresh = started;
    tally.step.set(Step::Start);
    while !started && !allowance.retired.get() {
        interlude.begin(Instant::now());
        tally.place.does(Doing::Running);
        match call(&code.machine, user, Step::Start.function(code.functions(), 0), &data) {
            Ok(_) => started = true,
            Err(Failure::Error(error)) => {
                failed(user, ids, &error);
                if interlude.after_error().is_err() {
                    break;
                }
            }
            Err(Failure::Ended(_)) => break,
        }
        if !started && code.is_replaced() {
            code = tally.renew(ground, user, scenario);
            interlude.renew(Rc::clone(&code));
            started = code.functions().start.is_none();
        }
    }
    interlude.recovered();
    tally.step.set(Step::Run);
    while started && let Some(turn) = allowance.turn(user, std::mem::take(&mut fresh)) {
        if code.is_replaced() {
            code = tally.renew(ground, user, scenario);
            interlude.renew(Rc::clone(&code));
        }
        user.vu.enter(tally.begun.get());
        if let Turn::Arrival(slot, _) = &turn {
            user.vu.enter_arrival(slot.number);
        }
        tally.begun.set(tally.begun.get() + 1);
        tally.place.begins(tally.begun.get());
        let began = Instant::now();
        interlude.begin(began);
        tally.chosen.set(code.scenario().life.pick(|| user.vu.random()));
        let at = user.host.clock.get().at(began);
        user.base.set(allowance.bases.at(at));
        let lateness = lateness(turn, at, allowance);
        user.lateness.set(lateness);
        let result = call(&code.machine, user, Step::Run.function(code.functions(), tally.chosen.get()), &data);
        user.group.set(Default::default());
        user.lateness.set(None);
        if matches!(result, Err(Failure::Ended(Ended::Exhausted))) {
            // It found no data to work with: as if it had not begun, and its scenario ends.
            tally.begun.set(tally.begun.get() - 1);
            tally.place.begins(tally.begun.get());
            allowance.arrivals.iter().for_each(|arrivals| arrivals.give_up());
            break;
        }
        let ended_early = matches!(result, Err(Failure::Ended(Ended::Cancelled | Ended::Aborted(_))));
        if ended_early {
            tally.interrupted.set(tally.interrupted.get() + 1);
            break;
        }
        completed(user, ids, &result, began.elapsed(), lateness);
        if lateness.is_some() {
            // Arrivals come as they come: nobody's failure keeps the next one away.
            interlude.forget();
        } else if interlude.after(result.is_err()).is_err() {
            break;
        }
        // An iteration that waited for nothing must not keep the shard from its timers and its neighbours.
        if !user.waited.replace(false) && fiber::yield_now().is_err() {
            break;
        }
    }
    if code.is_replaced() {
        code = tally.renew(ground, user, scenario);
    }
    tally.step.set(Step::Stop);
    tally.place.does(Doing::Running);
    if let Some(stop) = &code.functions().stop
        && started
        && fiber::take_cancel().is_none_or(|reason| reason == crate::user::CancelReason::Interrupted)
        && let Err(Failure::Error(error)) = call(&code.machine, user, stop, &data)
    {
        failed(user, ids, &error);
    }
}

/// Books an iteration that went to its end, with an error or without. Never inlined, so that it adds nothing to the frame of
/// [`live`], which lies on a user's stack for as long as it lives: 96 bytes in a release build for x86-64. That a user's memory
/// shows it was not measured.
#[inline(never)]
fn completed(user: &User, ids: Ids, result: &Result<Dynamic, Failure>, took: Duration, lateness: Option<f64>) {
    let none = Default::default;
    let sample = |metric, value| user.host.sample(metric, user.base.get(), none(), none(), none(), value);
    let took = took.as_secs_f64() * 1e3;
    sample(ids.iterations, 1.0);
    user.host.account(user.code.get(), user.base.get(), |account| account.iterations += 1);
    sample(ids.iteration_duration, took);
    if let Some(lateness) = lateness {
        sample(ids.iteration_lateness, lateness);
        sample(ids.iteration_scheduled_duration, lateness + took);
    }
    if let Err(Failure::Error(error)) = result {
        failed(user, ids, error);
    }
}

/// How late an iteration starts against its slot, in milliseconds, told to whoever judges whose fault it is.
fn lateness(turn: Turn, at: Duration, allowance: &Allowance) -> Option<f64> {
    let Turn::Arrival(slot, own) = turn else { return None };
    let lateness = at.saturating_sub(slot.at).as_secs_f64() * 1e3;
    allowance.arrivals.iter().for_each(|arrivals| arrivals.note(lateness, own));
    Some(lateness)
}

/// One call into the script with the user's `this`; values that it leaves are dropped on the thread's own stack.
pub(super) fn call(machine: &Machine, user: &User, function: &Function, data: &Dynamic) -> Result<Dynamic, Failure> {
    fiber::reset_busy();
    let mut this = user.this.clone();
    machine.call(function, this.as_mut(), data)
}

/// A script error of a user.
#[cold]
pub(super) fn failed(user: &User, ids: Ids, error: &ScriptError) {
    let base = user.base.get();
    user.host.sample(ids.script_errors, base, Default::default(), Default::default(), Default::default(), 1.0);
    user.host.account(user.code.get(), base, |account| account.script_errors += 1);
    user.host.script_error(&user.vu, error);
    let place = error.place_text();
    let number = user.host.register.error(&format!("{} ({place})", error.message), &format!("script error ({place})"));
    user.place.failed(number);
}

/// A user that its fiber lost (it panicked or overflowed): counted like a script error, its iteration like one that
/// ended with an error.
pub(super) fn lost(user: &User, ids: Ids, step: Step, error: &ScriptError) {
    if step == Step::Run {
        user.host.sample(
            ids.iterations,
            user.base.get(),
            Default::default(),
            Default::default(),
            Default::default(),
            1.0,
        );
        user.host.account(user.code.get(), user.base.get(), |account| account.iterations += 1);
    }
    failed(user, ids, error);
}
