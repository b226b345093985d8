//! One user's task, as its shard sees it: a fiber that is replaced when it is lost, told to retire, cancelled, given up.
//!
//! | a user | becomes | when |
//! |---|---|---|
//! | running | retired | the load asks for one less, or is over: it ends after its iteration |
//! | retired | cancelled | its graceful stop is over: the iteration is interrupted |
//! | cancelled | gone | its fiber has ended, at the latest 5 s later by force |

use super::life::{self, Allowance, Step, Tally};
use super::shard::{Ground, lost_text, new_user};
use crate::script::user::User;
use crate::user::{CancelHandle, CancelReason, Fiber, FiberError, VirtualUser};
use rhai::{Dynamic, Map};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// How long a cancelled user may take to run its `stop` and end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// One user's task.
pub(super) struct Resident {
    allowance: Rc<Allowance>,
    /// That of the fiber that runs now; a lost fiber is replaced.
    cancel: Rc<RefCell<CancelHandle>>,
    tally: Rc<Tally>,
    gone: Rc<Cell<bool>>,
    departed: Rc<Cell<usize>>,
    task: AbortHandle,
    /// Why it will be cancelled.
    reason: CancelReason,
    /// When it is cancelled, once it is retired.
    deadline: Option<Instant>,
    /// When it is dropped, once it is cancelled.
    end: Option<Instant>,
}

/// Who a new user is, and what it may do.
pub(super) struct Newcomer {
    pub(super) scenario: usize,
    pub(super) base: u16,
    /// Unique in the run.
    pub(super) id: u64,
    /// Unique in the scenario.
    pub(super) index: u64,
    pub(super) allowance: Allowance,
    /// Set when its scenario has run out of data.
    pub(super) spent: Arc<AtomicBool>,
}

impl Resident {
    /// Starts a user; `departed` grows by one when it has ended.
    ///
    /// # Errors
    /// No stack could be had for its fiber.
    pub(super) fn begin(
        ground: &Rc<Ground>,
        newcomer: Newcomer,
        departed: &Rc<Cell<usize>>,
    ) -> Result<Resident, String> {
        let Newcomer { scenario, base, id, index, allowance, spent } = newcomer;
        let place = ground.host.register.enter(id, scenario);
        let (allowance, tally, gone) =
            (Rc::new(allowance), Rc::new(Tally::new(ground.codes.of(scenario), place)), Rc::new(Cell::new(false)));
        let settler = Settler {
            ground: Rc::clone(ground),
            scenario,
            base,
            id,
            index,
            allowance: Rc::clone(&allowance),
            tally: Rc::clone(&tally),
            spent,
        };
        let mut fiber = settler.fiber()?;
        let cancel = Rc::new(RefCell::new(fiber.cancel_handle()));
        let (held, left, count) = (Rc::clone(&cancel), Rc::clone(&gone), Rc::clone(departed));
        // By reference: what a future is given, it has room for twice, and every user holds its future.
        let task = tokio::task::spawn_local(async move {
            settler.stay(&mut fiber, &held).await;
            leave(&left, &count);
        });
        Ok(Resident {
            allowance,
            cancel,
            tally,
            gone,
            departed: Rc::clone(departed),
            task: task.abort_handle(),
            reason: CancelReason::Interrupted,
            deadline: None,
            end: None,
        })
    }

    pub(super) fn is_retired(&self) -> bool {
        self.allowance.retired.get()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// Iterations of it that were cut short.
    pub(super) fn interrupted(&self) -> u64 {
        self.tally.interrupted.get().into()
    }

    /// No new iteration; what runs may end within `grace`.
    pub(super) fn retire(&mut self, now: Instant, grace: Duration) {
        if self.allowance.retire() {
            self.tally.place.leaves();
            self.deadline = Some(now + grace);
        }
    }

    /// Interrupts it now, even if it was asked to end before.
    pub(super) fn kill(&mut self, now: Instant) {
        self.allowance.retire();
        self.tally.place.leaves();
        self.reason = CancelReason::Stopped;
        self.deadline = Some(now);
        self.end = None;
        self.cancel.borrow().take();
    }

    /// Whether its time is over and it has not been cancelled.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline) && self.end.is_none()
    }

    /// Cancels it: the iteration is interrupted.
    pub(super) fn cancel(&mut self, now: Instant) {
        self.cancel.borrow().cancel(self.reason);
        self.end = Some(now + LAST_WORDS);
    }

    /// Gives it up if it was cancelled and does not listen.
    pub(super) fn give_up(&self, now: Instant) {
        if self.end.is_some_and(|end| now >= end) {
            self.task.abort();
            leave(&self.gone, &self.departed);
        }
    }
}

/// Notes, once, that a user has ended.
fn leave(gone: &Cell<bool>, departed: &Cell<usize>) {
    if !gone.replace(true) {
        departed.set(departed.get() + 1);
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
    spent: Arc<AtomicBool>,
}

impl Settler {
    /// A fresh user on a fresh fiber.
    fn fiber(&self) -> Result<Fiber<()>, String> {
        let ground = &self.ground;
        let this = Dynamic::from_map(Map::new()).into_shared();
        let user = self.user(Some(this));
        let (body_ground, inner) = (Rc::clone(ground), Rc::clone(&user));
        let (allowance, tally, scenario) = (Rc::clone(&self.allowance), Rc::clone(&self.tally), self.scenario);
        let body = move || life::live(&body_ground, &inner, scenario, &allowance, &tally);
        Fiber::new(&ground.stacks, user, body).map_err(|error| error.to_string())
    }

    fn user(&self, this: Option<Dynamic>) -> Rc<User> {
        let ground = &self.ground;
        let code = ground.codes.of(self.scenario);
        let vu = VirtualUser::new(self.id, code.scenario().name.as_str().into(), self.index, code.plan.options.seed);
        let spent = Some(Arc::clone(&self.spent));
        new_user(
            ground,
            vu,
            self.base,
            Some(self.scenario),
            this,
            (&code.machine, code.revision, spent),
            Rc::clone(&self.tally.place),
        )
    }

    async fn stay(&self, fiber: &mut Fiber<()>, cancel: &RefCell<CancelHandle>) {
        while let Err(error) = (&mut *fiber).await {
            // Boxed: few users are ever lost, and the others should not carry the room for it.
            match Box::pin(self.replace(&error)).await {
                Some(fresh) => *fiber = fresh,
                None => break,
            }
            *cancel.borrow_mut() = fiber.cancel_handle();
        }
    }

    /// Counts a fiber that is lost; another one where the user goes on.
    async fn replace(&self, error: &FiberError) -> Option<Fiber<()>> {
        if let FiberError::NotStarted(_) = error {
            return None;
        }
        let code = Rc::clone(&self.tally.code.borrow());
        let user = self.user(None);
        user.code.set(code.revision);
        let step = self.tally.step.get();
        let function = step.function(code.functions(), self.tally.chosen.get());
        life::lost(&user, self.ground.ids, step, &code.machine.lost_in(function, lost_text(error)));
        drop((code, user));
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Lost in its last words, a user has nothing left to do; a fresh one would only say them again.
        if self.allowance.retired.get() || step == Step::Stop {
            return None;
        }
        self.fiber().ok()
    }
}
