//! Closed load: how many users a shard has of a scenario, and their coming and going. The open model has its place
//! beside this file.
//!
//! | a user | becomes | when |
//! |---|---|---|
//! | wanted | running | the load asks for one more: it gets a fiber |
//! | running | retired | the load asks for one less, or is over: it ends after its iteration |
//! | retired | cancelled | its graceful stop is over: the iteration is interrupted |
//! | cancelled | gone | its fiber has ended, at the latest 5 s later by force |

use super::life::{self, Allowance, Step, Tally};
use super::shard::{Ground, lost_text, new_user};
use crate::load::{Stripe, Target};
use crate::metrics::{ScenarioDelta, TagSet};
use crate::plan::Work;
use crate::user::{CancelHandle, CancelReason, Fiber, FiberError, VirtualUser};
use rhai::{Dynamic, Map};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// Most users that come or are cancelled in one go: thousands at once would keep the shard from its sockets. The tasks
/// that are ready between two goes are those of about this many users, and nobody may wait for them much longer than a
/// millisecond: each of them connects and cancelling costs up to 80 µs.
const BATCH: usize = 16;
/// How long a cancelled user may take to run its `stop` and end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// One user's task, as its shard sees it.
struct Resident {
    allowance: Rc<Allowance>,
    /// That of the fiber that runs now; a lost fiber is replaced.
    cancel: Rc<RefCell<CancelHandle>>,
    tally: Rc<Tally>,
    gone: Rc<Cell<bool>>,
    task: AbortHandle,
    /// Why it will be cancelled.
    reason: CancelReason,
    /// Run time at which it is cancelled, once it is retired.
    deadline: Option<Duration>,
    /// Run time at which it is dropped, once it is cancelled.
    end: Option<Duration>,
}

/// This shard's users of one scenario.
pub(super) struct Population {
    scenario: usize,
    stripe: Stripe,
    base: u16,
    residents: Vec<Resident>,
    /// Users begun so far: the index of the next one within this shard.
    begun: u64,
    /// Most users at once.
    peak: u32,
    interrupted: u64,
    /// No more users, whatever the load says.
    closed: bool,
    /// For fixed work: whether its users were started.
    filled: bool,
}

impl Population {
    pub(super) fn new(ground: &Rc<Ground>, scenario: usize) -> Self {
        let plan = &ground.host.plan;
        let declared = &plan.scenarios[scenario];
        let tags = plan.options.tags.iter().chain(&declared.tags).map(|(name, value)| (name.clone(), value.clone()));
        let tags = TagSet::new(tags).with([("scenario", declared.name.clone())]);
        Population {
            scenario,
            // Rotated, so that ten scenarios of one user each do not all land on the first shard.
            stripe: ground.stripe.rotated(scenario as u32),
            base: ground.host.base(tags),
            residents: Vec::new(),
            begun: 0,
            peak: 0,
            interrupted: 0,
            closed: false,
            filled: false,
        }
    }

    /// What the collector is told.
    pub(super) fn state(&self) -> ScenarioDelta {
        let interrupted = self.residents.iter().map(|resident| resident.tally.interrupted.get()).sum::<u64>();
        ScenarioDelta {
            users: self.alive(),
            peak: self.peak,
            interrupted: self.interrupted + interrupted,
            done: self.is_done(),
        }
    }

    fn alive(&self) -> u32 {
        self.residents.iter().filter(|resident| !resident.gone.get()).count() as u32
    }

    /// Whether all users have ended and no more will come.
    pub(super) fn is_done(&self) -> bool {
        self.closed && self.residents.is_empty()
    }

    /// Brings the users towards what the load wants at run time `at`, by a batch at most; whether more is to do.
    ///
    /// # Errors
    /// No stack could be had for a fiber.
    pub(super) fn adjust(&mut self, ground: &Rc<Ground>, at: Duration) -> Result<bool, String> {
        let mut more = self.sweep(at);
        if !self.closed {
            let plan = Arc::clone(&ground.host.plan);
            let declared = &plan.scenarios[self.scenario];
            let grace = declared.graceful_stop;
            match &declared.work {
                Work::Load(load) => match load.target(at) {
                    Some(Target::Users(users)) => {
                        more |= self.resize(ground, self.stripe.share(u64::from(users)) as usize, at, grace)?;
                    }
                    Some(Target::Rate(_)) | None => self.close(at, grace),
                },
                Work::Arrivals { .. } => return Err("the open model is not wired yet".to_owned()),
                Work::Iterations { users, max_duration, .. } | Work::IterationsPerUser { users, max_duration, .. } => {
                    if !self.filled {
                        let wanted = self.stripe.share(u64::from(*users));
                        for _ in 0..wanted.saturating_sub(self.begun).min(BATCH as u64) {
                            self.add(ground)?;
                        }
                        self.filled = self.begun >= wanted;
                        more |= !self.filled;
                    }
                    if at >= *max_duration {
                        self.close(at, grace);
                    } else if self.filled && self.residents.is_empty() {
                        self.closed = true;
                    }
                }
            }
        }
        // A tick may find fewer: a short scenario can be over before the first one.
        self.peak = self.peak.max(self.alive());
        more |= self.sweep(at);
        Ok(more)
    }

    /// Forgets users that have ended, cancels those whose time is over, drops those that do not listen; whether more
    /// are to be cancelled.
    fn sweep(&mut self, at: Duration) -> bool {
        let mut cancelled = 0;
        for resident in &mut self.residents {
            if resident.deadline.is_some_and(|deadline| at >= deadline) && resident.end.is_none() {
                if cancelled == BATCH {
                    break;
                }
                cancelled += 1;
                resident.cancel.borrow().cancel(resident.reason);
                resident.end = Some(at + LAST_WORDS);
            } else if resident.end.is_some_and(|end| at >= end) {
                resident.task.abort();
                resident.gone.set(true);
            }
        }
        let mut interrupted = 0;
        self.residents.retain(|resident| {
            if resident.gone.get() {
                interrupted += resident.tally.interrupted.get();
            }
            !resident.gone.get()
        });
        self.interrupted += interrupted;
        cancelled == BATCH
    }

    fn resize(&mut self, ground: &Rc<Ground>, wanted: usize, at: Duration, grace: Duration) -> Result<bool, String> {
        let staying = self.residents.iter().filter(|resident| !resident.allowance.retired.get()).count();
        // The newest go first, so that the oldest users see the whole run.
        let newest = self.residents.iter_mut().rev().filter(|resident| !resident.allowance.retired.get());
        newest.take(staying.saturating_sub(wanted)).for_each(|resident| retire(resident, at, grace));
        let missing = wanted.saturating_sub(staying);
        for _ in 0..missing.min(BATCH) {
            self.add(ground)?;
        }
        Ok(missing > BATCH)
    }

    fn add(&mut self, ground: &Rc<Ground>) -> Result<(), String> {
        let plan = &ground.host.plan;
        let declared = &plan.scenarios[self.scenario];
        let index = self.stripe.number(self.begun);
        self.begun += 1;
        let (own, shared) = match declared.work {
            Work::Load(_) | Work::Arrivals { .. } => (None, None),
            Work::Iterations { iterations, .. } => (None, Some((Arc::clone(&ground.taken), self.scenario, iterations))),
            Work::IterationsPerUser { iterations, .. } => (Some(iterations), None),
        };
        let allowance =
            Rc::new(Allowance { retired: Cell::new(false), told: Notify::new(), own: Cell::new(own), shared });
        let tally = Rc::new(Tally::default());
        let gone = Rc::new(Cell::new(false));
        let settler = Settler {
            ground: Rc::clone(ground),
            scenario: self.scenario,
            base: self.base,
            // Interleaved over the scenarios, so that ids are unique however many users come and go.
            id: index * plan.scenarios.len() as u64 + self.scenario as u64 + 1,
            index,
            allowance: Rc::clone(&allowance),
            tally: Rc::clone(&tally),
        };
        let fiber = settler.fiber()?;
        let cancel = Rc::new(RefCell::new(fiber.cancel_handle()));
        let task = tokio::task::spawn_local(settler.stay(fiber, Rc::clone(&cancel), Rc::clone(&gone)));
        let task = task.abort_handle();
        self.residents.push(Resident {
            allowance,
            cancel,
            tally,
            gone,
            task,
            reason: CancelReason::Interrupted,
            deadline: None,
            end: None,
        });
        Ok(())
    }

    fn close(&mut self, at: Duration, grace: Duration) {
        self.closed = true;
        for resident in &mut self.residents {
            retire(resident, at, grace);
        }
    }

    /// No new iterations; what runs may end within the scenario's graceful stop.
    pub(super) fn drain(&mut self, ground: &Ground, at: Duration) {
        let grace = ground.host.plan.scenarios[self.scenario].graceful_stop;
        self.close(at, grace);
    }

    /// Interrupts everything now.
    pub(super) fn kill(&mut self, at: Duration) {
        self.closed = true;
        for resident in &mut self.residents {
            resident.allowance.retire();
            resident.reason = CancelReason::Stopped;
            resident.deadline = Some(at);
            // Those that were asked to end already are asked again, for good.
            resident.end = None;
            resident.cancel.borrow().take();
        }
    }
}

fn retire(resident: &mut Resident, at: Duration, grace: Duration) {
    if resident.allowance.retire() {
        resident.deadline = Some(at + grace);
    }
}

/// What a user's task needs to run it, and to run it anew when its fiber is lost.
struct Settler {
    ground: Rc<Ground>,
    scenario: usize,
    base: u16,
    id: u64,
    index: u64,
    allowance: Rc<Allowance>,
    tally: Rc<Tally>,
}

impl Settler {
    /// A fresh user on a fresh fiber.
    fn fiber(&self) -> Result<Fiber<()>, String> {
        let ground = &self.ground;
        let plan = &ground.host.plan;
        let name = plan.scenarios[self.scenario].name.as_str().into();
        let vu = VirtualUser::new(self.id, name, self.index, plan.options.seed);
        let this = Dynamic::from_map(Map::new()).into_shared();
        let user = new_user(ground, vu, self.base, Some(self.scenario), Some(this));
        let (body_ground, inner) = (Rc::clone(ground), Rc::clone(&user));
        let (allowance, tally, scenario) = (Rc::clone(&self.allowance), Rc::clone(&self.tally), self.scenario);
        let body = move || {
            let data = body_ground.data.borrow().clone();
            life::live(&body_ground.machine, &inner, scenario, &allowance, &tally, body_ground.ids, &data);
        };
        Fiber::new(&ground.stacks, user, body).map_err(|error| error.to_string())
    }

    async fn stay(self, mut fiber: Fiber<()>, cancel: Rc<RefCell<CancelHandle>>, gone: Rc<Cell<bool>>) {
        loop {
            match (&mut fiber).await {
                Ok(()) | Err(FiberError::NotStarted(_)) => break,
                Err(error) => {
                    let name = self.ground.host.plan.scenarios[self.scenario].name.as_str().into();
                    let vu = VirtualUser::new(self.id, name, self.index, self.ground.host.plan.options.seed);
                    let user = new_user(&self.ground, vu, self.base, Some(self.scenario), None);
                    let (machine, step) = (&self.ground.machine, self.tally.step.get());
                    let function = step.function(&machine.scenarios[self.scenario], self.tally.chosen.get());
                    life::lost(&user, self.ground.ids, step, &machine.lost_in(function, lost_text(&error)));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    // Lost in its last words, a user has nothing left to do; a fresh one would only say them again.
                    if self.allowance.retired.get() || step == Step::Stop {
                        break;
                    }
                    match self.fiber() {
                        Ok(fresh) => fiber = fresh,
                        Err(_) => break,
                    }
                    *cancel.borrow_mut() = fiber.cancel_handle();
                }
            }
        }
        gone.set(true);
    }
}
