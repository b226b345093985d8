//! The open model on one shard: arrivals that are due meet users that are free.
//!
//! | an arrival | becomes | when |
//! |---|---|---|
//! | planned | due | its slot has come: the shard's [`Wake`] rings |
//! | due | started | a free user takes it, or the next one that gets free: the oldest first |
//! | due | dropped | its load ended before anybody was free; with `late: "drop"` at once |
//!
//! There is no queue: what waits is what the Pacer has not given out yet, so a million late arrivals cost no memory. A
//! [`Population`](super::drive) makes users where they are missing; this file knows none, only the seats they wait in.

use super::wake::Wake;
use crate::clock::RunClock;
use crate::load::{Pacer, Shape};
use crate::metrics::{Resolution, Scale, Trend};
use crate::plan::Late;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Looks at the arrivals are at least this far apart at [`FULL_RATE`], and less in proportion below it: several arrivals then start at one look.
/// Waking for each of them, and the server for each request, costs twice the CPU of the iteration itself.
const FARTHEST: Duration = Duration::from_millis(1);
/// Arrivals per second on this shard from which looks are farthest apart.
const FULL_RATE: f64 = 20_000.0;
/// How often the rate is looked at.
const RATED: Duration = Duration::from_millis(10);
/// Arrivals that are dropped in one go when a load ends.
const DROPPED_AT_ONCE: usize = 1_000;

/// One arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Its number over the whole run, from 0.
    pub(super) number: u64,
    /// The run time at which it is due.
    pub(super) at: Duration,
}

/// Where a free user waits for an arrival.
#[derive(Default)]
pub(super) struct Seat {
    slot: Cell<Option<Slot>>,
    taken: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Seat {
    /// Wakes who waits in it, so that it looks again whether it is still wanted.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// The arrivals of one scenario on one shard.
pub(super) struct Arrivals {
    /// What becomes of an arrival that finds nobody free.
    pub(super) late: Cell<Late>,
    wake: Rc<Wake>,
    state: RefCell<State>,
    /// Users that were begun and have not asked for an arrival yet.
    coming: Rc<Cell<usize>>,
}

struct State {
    pacer: Pacer,
    /// Run time at which the scenario began.
    origin: Duration,
    /// The oldest arrival that has not started.
    next: Option<Slot>,
    /// Who waits, the last who came at the end: its connection is the warmest.
    seats: Vec<Rc<Seat>>,
    /// No more users may come, so whoever gets free looks by itself and nobody need be woken.
    full: bool,
    started: u64,
    dropped: u64,
    /// How close two looks at the arrivals may be at the rate of late.
    closest: Duration,
    /// Run time, and arrivals started or dropped by then, from which the rate is counted.
    rated: (Duration, u64),
    /// Our share of the lateness of each arrival that started: all of it for those that found a user free.
    own: Trend,
    /// Lateness of those that had to wait for a user.
    waited: Trend,
}

/// What is to be done for arrivals that are due and find nobody.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing.
    Nobody,
    /// So many more users.
    Users(usize),
    /// One more user, which begins with this arrival.
    UserFor(Slot),
}

impl Arrivals {
    pub(super) fn new(pacer: Pacer, origin: Duration, late: Late, wake: Rc<Wake>) -> Self {
        let mut state = State {
            pacer,
            origin,
            next: None,
            seats: Vec::new(),
            full: false,
            started: 0,
            dropped: 0,
            closest: Duration::ZERO,
            rated: (origin, 0),
            own: trend(),
            waited: trend(),
        };
        state.look();
        Arrivals { late: Cell::new(late), wake, state: RefCell::new(state), coming: Rc::default() }
    }

    /// Hands what is due to those who wait; says whom it misses when `room` more users may come. To be called again until
    /// it misses nobody; then the shard's timer is armed for what is due next.
    pub(super) fn release(&self, clock: &RunClock, now: Instant, room: usize) -> Missing {
        let at = clock.at(now);
        let mut state = self.state.borrow_mut();
        state.full = room == 0;
        state.rate(at);
        while let Some(slot) = state.next.filter(|slot| slot.at <= at) {
            if let Some(seat) = state.seats.pop() {
                if seat.taken.replace(false) {
                    state.advance();
                    seat.slot.set(Some(slot));
                    seat.wake();
                }
                continue;
            }
            match self.late.get() {
                Late::Drop if room > 0 => {
                    state.advance();
                    return Missing::UserFor(slot);
                }
                Late::Drop => {
                    state.advance();
                    (state.started, state.dropped) = (state.started - 1, state.dropped + 1);
                }
                Late::Wait => {
                    let wanted = state.waiting(at).saturating_sub(self.coming.get() as u64);
                    // Those that come, or else the next user that gets free, take it: nothing to wake up for until then.
                    let wanted = room.min(usize::try_from(wanted).unwrap_or(usize::MAX));
                    return if wanted > 0 { Missing::Users(wanted) } else { Missing::Nobody };
                }
            }
        }
        if let Some(slot) = state.next {
            self.wake.arm(clock.instant(slot.at).max(now + state.closest));
        }
        Missing::Nobody
    }

    /// The oldest arrival that is due and waits.
    fn take(&self, at: Duration) -> Option<Slot> {
        let mut state = self.state.borrow_mut();
        let slot = state.next.filter(|slot| slot.at <= at)?;
        state.advance();
        Some(slot)
    }

    /// The next arrival for a user that is free; `wanted` says whether it shall still wait for one.
    pub(super) fn turn<'a>(
        &'a self,
        seat: &'a Rc<Seat>,
        clock: &RunClock,
        wanted: &'a dyn Fn() -> bool,
    ) -> Result<Slot, Waiting<'a>> {
        let now = Instant::now();
        if let Some(slot) = self.take(clock.at(now)) {
            // Nobody may be free for the next one: then the next user must be made for it when it is due, not at the next beat.
            let state = self.state.borrow();
            if let Some(next) = state.next
                && !state.full
                && !clock.is_paused()
            {
                self.wake.arm(clock.instant(next.at).max(now + state.closest));
            }
            return Ok(slot);
        }
        let mut state = self.state.borrow_mut();
        seat.taken.set(true);
        state.seats.push(Rc::clone(seat));
        if let Some(slot) = state.next
            && !clock.is_paused()
        {
            self.wake.arm(clock.instant(slot.at).max(now + state.closest));
        }
        Err(Waiting { arrivals: self, seat, wanted })
    }

    /// Remembers how late an iteration started, in milliseconds; `own` says that a user was free for it in time.
    pub(super) fn note(&self, lateness: f64, own: bool) {
        let state = &mut *self.state.borrow_mut();
        // Who had to wait for a user was not kept waiting by us.
        state.own.record(if own { lateness } else { 0.0 });
        if !own {
            state.waited.record(lateness);
        }
    }

    /// Counts one more user that will ask for arrivals, until the answer is dropped.
    pub(super) fn expect(&self) -> Coming {
        self.coming.set(self.coming.get() + 1);
        Coming(Rc::clone(&self.coming))
    }

    /// Whether users were begun that have not asked for an arrival yet.
    pub(super) fn is_expecting(&self) -> bool {
        self.coming.get() > 0
    }

    /// Drops what has not started by run time `at`, the end of the load, a batch at a time: what it had waited so far goes to
    /// `censored`. Whether more is to be dropped.
    pub(super) fn drop_late(&self, at: Duration, mut censored: impl FnMut(Duration)) -> bool {
        let mut state = self.state.borrow_mut();
        for _ in 0..DROPPED_AT_ONCE {
            let Some(slot) = state.next.filter(|slot| slot.at <= at) else {
                state.next = None;
                return false;
            };
            state.advance();
            (state.started, state.dropped) = (state.started - 1, state.dropped + 1);
            censored(at.saturating_sub(slot.at));
        }
        true
    }

    /// An arrival that was taken did not start after all.
    pub(super) fn give_up(&self) {
        let state = &mut *self.state.borrow_mut();
        (state.started, state.dropped) = (state.started - 1, state.dropped + 1);
    }

    /// No arrival starts any more, and none is counted as dropped: somebody has stopped the run.
    pub(super) fn stop(&self) {
        self.state.borrow_mut().next = None;
    }

    /// From run time `at` on, arrivals at this rate, whose own time begins then or at `origin` of the scenario's time.
    pub(super) fn retarget(&self, at: Duration, rate: Arc<dyn Shape>, origin: Option<Duration>) {
        let mut state = self.state.borrow_mut();
        let local = at.saturating_sub(state.origin);
        state.pacer.retarget(local, rate, origin.unwrap_or(local));
        state.look();
    }

    /// How many arrivals are due at run time `at` and have not started.
    pub(super) fn waiting(&self, at: Duration) -> u64 {
        self.state.borrow_mut().waiting(at)
    }

    /// How many arrivals were due by run time `at`, whatever became of them.
    pub(super) fn due(&self, at: Duration) -> u64 {
        let state = &mut *self.state.borrow_mut();
        state.started + state.dropped + state.waiting(at)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.state.borrow().dropped
    }

    /// Users that wait for an arrival.
    pub(super) fn free(&self) -> usize {
        self.state.borrow().seats.iter().filter(|seat| seat.taken.get()).count()
    }

    /// The lateness of arrivals since the last call: our own, and that of arrivals that waited for a user.
    pub(super) fn take_lateness(&self) -> (Trend, Trend) {
        let state = &mut *self.state.borrow_mut();
        (std::mem::replace(&mut state.own, trend()), std::mem::replace(&mut state.waited, trend()))
    }
}

impl State {
    /// Looks at the rate now and then, and settles how close looks at the arrivals may be.
    fn rate(&mut self, at: Duration) {
        let (since, before) = self.rated;
        let span = at.saturating_sub(since);
        if span >= RATED {
            let given = self.started + self.dropped;
            let rate = given.saturating_sub(before) as f64 / span.as_secs_f64();
            self.closest = FARTHEST.mul_f64((rate / FULL_RATE).min(1.0));
            self.rated = (at, given);
        }
    }

    /// The oldest arrival has found a user.
    fn advance(&mut self) {
        self.started += 1;
        self.pacer.next();
        self.look();
    }

    fn look(&mut self) {
        let (number, origin) = (self.pacer.slot(), self.origin);
        self.next = self.pacer.peek().map(|offset| Slot { number, at: origin + offset });
    }

    /// How many arrivals are due at `at` and have not started.
    fn waiting(&mut self, at: Duration) -> u64 {
        if self.next.is_none_or(|slot| slot.at > at) {
            return 0;
        }
        let due = self.pacer.due_by(at.saturating_sub(self.origin));
        due.saturating_sub(self.started + self.dropped).max(1)
    }
}

fn trend() -> Trend {
    Trend::new(Scale::DAY, Resolution::TwoDigits)
}

/// See [`Arrivals::expect`].
pub(super) struct Coming(Rc<Cell<usize>>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A user that waits in its seat: ready with an arrival, or with `None` when the user is no longer wanted.
pub(super) struct Waiting<'a> {
    arrivals: &'a Arrivals,
    seat: &'a Seat,
    wanted: &'a dyn Fn() -> bool,
}

impl Future for Waiting<'_> {
    type Output = Option<Slot>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Slot>> {
        if let Some(slot) = self.seat.slot.take() {
            return Poll::Ready(Some(slot));
        }
        if !(self.wanted)() {
            return Poll::Ready(None);
        }
        self.seat.waker.set(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.seat.taken.set(false);
        if self.seat.slot.take().is_some() {
            // Cancelled between the arrival and its start: nobody will begin it.
            self.arrivals.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{Argument, Stripe, build};

    /// Without the alarm the next user would be made at the shard's next beat, up to 10 ms later.
    #[tokio::test]
    async fn who_takes_an_arrival_that_found_nobody_sets_the_alarm_for_the_next_one() {
        let wake = Rc::new(Wake::new().unwrap());
        let rate = build("constant", &[Argument::Value(50.0)]).unwrap();
        let arrivals = Arrivals::new(Pacer::new(rate, Stripe::whole()), Duration::ZERO, Late::Wait, Rc::clone(&wake));
        let clock = RunClock::starting(Instant::now());
        assert_eq!(arrivals.release(&clock, Instant::now(), 10), Missing::Users(1), "the first slot is at once");
        let seat = Rc::default();
        let slot = arrivals.turn(&seat, &clock, &|| true).ok().unwrap();
        assert_eq!(slot, Slot { number: 0, at: Duration::ZERO });
        tokio::time::timeout(Duration::from_secs(20), wake.rings()).await.unwrap();
        assert_eq!(arrivals.release(&clock, Instant::now(), 10), Missing::Users(1));
    }

    #[tokio::test]
    async fn looks_are_the_farther_apart_the_more_arrivals_there_are() {
        for (per_second, closest) in [(100.0, 5), (5_000.0, 250), (20_000.0, 1_000), (90_000.0, 1_000)] {
            let rate = build("constant", &[Argument::Value(per_second)]).unwrap();
            let pacer = Pacer::new(rate, Stripe::whole());
            let arrivals = Arrivals::new(pacer, Duration::ZERO, Late::Drop, Rc::new(Wake::new().unwrap()));
            let start = Instant::now();
            // Without room all that is due is dropped: the rate is that of the shape.
            let clock = RunClock::starting(start);
            arrivals.release(&clock, start + Duration::from_secs(1), 0);
            arrivals.release(&clock, start + Duration::from_secs(1), 0);
            arrivals.release(&clock, start + Duration::from_secs(2), 0);
            let found = arrivals.state.borrow().closest.as_secs_f64() * 1e6;
            assert!((found / f64::from(closest) - 1.0).abs() < 0.02, "{per_second}/s: {found} µs");
        }
    }
}
