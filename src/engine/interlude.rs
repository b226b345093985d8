//! What happens between two iterations of a user: what it forgets, what it waits after a failure, when it may go on.
//!
//! Owned by the user's life, one per user. It deliberately does not know why iterations begin: only that the user may be
//! told, at any moment of any wait, that there is no next one.
//!
//! | an iteration | is followed by |
//! |---|---|
//! | ended with a script error | the backoff for the number of such errors in a row |
//! | reached no server with any of its requests | what is left of the first backoff, counted from its start |
//! | any other | nothing |
//!
//! The second rule keeps a dead target from being tried as fast as this machine can; it does not grow, so that users are
//! back at once when the target is. Pacing holds on top: the next iteration starts no sooner than it says.

use super::code::Code;
use super::life::{self, Allowance};
use crate::plan::Pacing;
use crate::roster::Doing;
use crate::script::duration;
use crate::script::error::ScriptError;
use crate::script::host::Ids;
use crate::script::machine::Failure;
use crate::script::machine::Function;
use crate::script::user::User;
use crate::user::fiber;
use rhai::Dynamic;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// While the run's clock stands still, it is looked at this often.
const GLANCE: Duration = Duration::from_millis(20);

/// A wait from here on gives the unused part of the stack back first, as `sleep` does.
const LONG: Duration = Duration::from_millis(100);

/// Why a user does not go on: it was cancelled.
pub(super) struct Over;

/// The pauses of one user.
pub(super) struct Interlude<'a> {
    code: Rc<Code>,
    user: &'a User,
    allowance: &'a Allowance,
    ids: Ids,
    data: &'a Dynamic,
    /// Errors in a row.
    errors: u32,
    /// Run time at which the iteration began.
    began: Duration,
    /// The same by the clock on the wall, which a pause does not stop.
    began_at: Instant,
}

impl<'a> Interlude<'a> {
    /// Of a user before its first line.
    pub(super) fn new(code: Rc<Code>, user: &'a User, allowance: &'a Allowance, ids: Ids, data: &'a Dynamic) -> Self {
        Interlude { code, user, allowance, ids, data, errors: 0, began: Duration::ZERO, began_at: Instant::now() }
    }

    /// The user runs this from now on.
    pub(super) fn renew(&mut self, code: Rc<Code>) {
        self.code = code;
    }

    /// An iteration, or `start`, begins at `now`.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = self.user.host.clock.get().at(now);
        self.began_at = now;
        self.user.reached.set(false);
        self.user.unreached.set(false);
    }

    /// `start` went through: what failed before is forgotten.
    pub(super) fn recovered(&mut self) {
        self.errors = 0;
    }

    /// After an error in `start`, which is then tried again.
    ///
    /// # Errors
    /// The user was cancelled while it waited.
    #[inline(never)]
    pub(super) fn after_error(&mut self) -> Result<(), Over> {
        self.errors = self.errors.saturating_add(1);
        if !self.allowance.has_more() {
            return Ok(());
        }
        let wait = self.backoff(self.errors);
        self.back_off(wait)
    }

    /// After any iteration: what the user is to forget.
    pub(super) fn forget(&self) {
        let http = self.code.scenario().http.as_ref().unwrap_or(&self.code.plan.options.http);
        if http.cookies_per_iteration {
            self.user.client.jar().borrow_mut().clear();
        }
        if http.connections_per_iteration {
            self.user.client.disconnect();
        }
    }

    /// After an iteration of the closed model: forgets, backs off, keeps the pace.
    ///
    /// # Errors
    /// The user was cancelled while it waited.
    #[inline(never)]
    pub(super) fn after(&mut self, failed: bool) -> Result<(), Over> {
        self.forget();
        if !self.allowance.has_more() {
            return Ok(());
        }
        // Drawn before any wait, so that what is drawn does not depend on whether there was one.
        let pace = self.pace();
        if failed {
            self.after_error()?;
        } else {
            self.errors = 0;
            if self.user.unreached.get() && !self.user.reached.get() {
                let first = self.backoff(1);
                self.back_off(first.saturating_sub(self.began_at.elapsed()))?;
            }
        }
        if let Some(pace) = pace {
            self.keep(pace)?;
        }
        Ok(())
    }

    /// How far apart iterations start now.
    fn pace(&self) -> Option<Duration> {
        match self.code.scenario().life.pacing.as_ref()? {
            Pacing::Every(time) => Some(*time),
            Pacing::Script(_) => self.ask("pacing", self.code.functions().pacing.as_ref()?, self.data),
        }
    }

    fn backoff(&self, errors: u32) -> Duration {
        let own = self.code.functions().backoff.as_ref();
        let own = own.and_then(|own| self.ask("backoff", own, &Dynamic::from(i64::from(errors))));
        let unit = || (self.user.vu.random() >> 11) as f64 / (1_u64 << 53) as f64;
        own.unwrap_or_else(|| self.code.scenario().life.backoff.wait(errors, unit))
    }

    /// The duration that a function of the script returns; its failure is a script error and no duration.
    fn ask(&self, key: &str, function: &Function, argument: &Dynamic) -> Option<Duration> {
        let error = match life::call(&self.code.machine, self.user, function, argument) {
            Ok(value) => match duration::read(&value) {
                Ok(time) => return Some(time),
                Err(why) => self.code.machine.lost_in(function, format!("`{key}`: {why}")),
            },
            Err(Failure::Error(error)) => error,
            Err(Failure::Ended(_)) => return None,
        };
        self.tell(&error);
        None
    }

    fn tell(&self, error: &ScriptError) {
        life::failed(self.user, self.ids, error);
    }

    fn back_off(&self, wait: Duration) -> Result<(), Over> {
        if wait.is_zero() {
            return Ok(());
        }
        let began = Instant::now();
        let result = self.wait(wait);
        let host = &self.user.host;
        let ms = began.elapsed().as_secs_f64() * 1e3;
        host.sample(
            self.ids.backoff_duration,
            self.user.base.get(),
            Default::default(),
            Default::default(),
            Default::default(),
            ms,
        );
        result
    }

    /// Waits until `pace` of run time has gone by since the iteration began; an overrun is not made up for.
    fn keep(&self, pace: Duration) -> Result<(), Over> {
        let due = self.began.saturating_add(pace);
        let mut least = Duration::ZERO;
        while self.allowance.has_more() {
            let left = due.saturating_sub(self.user.host.now());
            if left.is_zero() {
                break;
            }
            self.wait(left.max(least))?;
            // Woken too early: run time stood still meanwhile.
            least = GLANCE;
        }
        Ok(())
    }

    /// Waits, but not beyond the moment at which the user is told that there is no next iteration.
    fn wait(&self, time: Duration) -> Result<(), Over> {
        if time >= LONG {
            fiber::trim();
        }
        self.user.waited.set(true);
        self.user.place.does(Doing::Idle);
        let wait = async {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = self.allowance.retirement() => {}
            }
        };
        fiber::wait(wait).map_err(|_| Over)
    }
}
