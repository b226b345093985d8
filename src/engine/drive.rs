//! How load becomes users on one shard: closed, open and fixed work, and the coming and going of the users that each takes.

use super::arrivals::{Arrivals, Coming, Missing, Slot};
use super::graph::Node;
use super::life::{Allowance, Bases};
use super::resident::{Newcomer, Resident};
use super::shard::Ground;
use crate::load::{Pacer, Shape, Stripe};
use crate::metrics::{ScenarioDelta, TagSet, Trend};
use crate::plan::{Plan, Work};
use crate::user::named_seed;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Most users that come or are cancelled in one go: thousands at once would keep the shard from its sockets. The tasks
/// that are ready between two goes are those of about this many users, and nobody may wait for them much longer than a
/// millisecond: each of them connects and cancelling costs up to 80 µs.
const BATCH: usize = 16;
/// How far ahead a closed load is looked at; the shard's beat.
const SOON: Duration = Duration::from_millis(10);
/// How closely one that changes is followed: users of a steep ramp start within a millisecond of their moment.
const STEP: Duration = Duration::from_millis(1);
/// How far apart the ids of users are whose scenarios came later: more than a run can have.
const LATER: u64 = 1_000_000_000_000;

/// This shard's users of one scenario.
pub(super) struct Population {
    scenario: usize,
    /// What all shards know of it.
    node: Arc<Node>,
    /// What its load, its bounds and its graceful stop are read from.
    plan: Arc<Plan>,
    /// The Plan of an edit, and the run time from which its load holds.
    next: Option<(Duration, Arc<Plan>)>,
    /// The part of the scenario that is this shard's; `None` where there are more shards than users.
    stripe: Option<Stripe>,
    bases: Bases,
    residents: Vec<Resident>,
    /// How many of them are retired, and how many have ended since they were last looked through: with thousands of users
    /// that sleep, a beat that changes nothing must not look at each of them.
    retired: usize,
    departed: Rc<Cell<usize>>,
    /// Users begun so far: the index of the next one within this shard.
    begun: u64,
    /// Most users at once.
    peak: u32,
    interrupted: u64,
    /// Run time and instant at which it began.
    began: Option<(Duration, Instant)>,
    /// Closed model: what the load says now; open model: its arrivals.
    course: Course,
    /// A target that was set before it began, and from when on.
    early: Option<(Duration, Option<Arc<dyn Shape>>)>,
    /// Open model: whether somebody asked for another rate than the plan's.
    scaled: bool,
    /// Run time from which the plan's load is that of an edit.
    edited: Duration,
    /// Closed model: whether the load is another one soon.
    changing: bool,
    /// No more users, whatever the load says.
    closed: bool,
    /// Whether the scenario graph was told of its end.
    told: bool,
}

/// What a population follows.
enum Course {
    /// The plan's own shape, from the scenario's begin.
    Plan,
    /// A number of users that somebody asked for.
    Users(f64),
    /// Arrivals.
    Arrivals(Rc<Arrivals>),
}

impl Population {
    pub(super) fn new(ground: &Rc<Ground>, scenario: usize, plan: &Arc<Plan>, node: &Arc<Node>) -> Self {
        let declared = &plan.scenarios[scenario];
        let tags = plan.options.tags.iter().chain(&declared.tags).map(|(name, value)| (name.clone(), value.clone()));
        let tags = TagSet::new(tags).with([("scenario", declared.name.clone())]);
        let base = |tags: TagSet| ground.host.base(tags);
        let warm = || base(tags.with([("phase", "warmup")]));
        let bases = match plan.options.warmup {
            _ if declared.warmup => Bases { usual: warm(), warm: None },
            Duration::ZERO => Bases { usual: base(tags), warm: None },
            until => Bases { warm: Some((warm(), until)), usual: base(tags) },
        };
        // A scenario uses at most as many shards as it has users, and arrivals are dealt to those only.
        let shards = ground.stripe.of().min(declared.work.users_max().max(1));
        // Rotated, so that ten scenarios of one user each do not all land on the first shard.
        let index = ground.stripe.rotated(scenario as u32).index();
        Population {
            scenario,
            node: Arc::clone(node),
            plan: Arc::clone(plan),
            next: None,
            scaled: false,
            edited: Duration::ZERO,
            stripe: Stripe::new(index, shards),
            bases,
            residents: Vec::new(),
            retired: 0,
            departed: Rc::default(),
            begun: 0,
            peak: 0,
            interrupted: 0,
            began: None,
            course: Course::Plan,
            early: None,
            changing: false,
            closed: false,
            told: false,
        }
    }

    /// What the collector is told at run time `at`.
    pub(super) fn state(&self, at: Duration) -> ScenarioDelta {
        let interrupted = self.residents.iter().map(Resident::interrupted).sum::<u64>();
        let arrivals = self.arrivals();
        let free = arrivals.map_or(0, |arrivals| arrivals.free() as u32);
        ScenarioDelta {
            users: self.alive().saturating_sub(free),
            peak: self.peak,
            interrupted: self.interrupted + interrupted,
            arrivals: arrivals.map_or(0, |arrivals| arrivals.due(at)),
            waiting: arrivals.map_or(0, |arrivals| arrivals.waiting(at)),
            dropped: arrivals.map_or(0, |arrivals| arrivals.dropped()),
            begins: self.node.begins(),
            done: self.is_done(),
        }
    }

    /// The lateness of arrivals since the last call; see [`Arrivals::take_lateness`].
    pub(super) fn take_lateness(&self) -> Option<(Trend, Trend)> {
        self.arrivals().map(|arrivals| arrivals.take_lateness())
    }

    fn arrivals(&self) -> Option<&Rc<Arrivals>> {
        match &self.course {
            Course::Arrivals(arrivals) => Some(arrivals),
            _ => None,
        }
    }

    fn alive(&self) -> u32 {
        (self.residents.len() - self.departed.get()) as u32
    }

    /// Whether all users have ended and no more will come.
    pub(super) fn is_done(&self) -> bool {
        self.closed && self.residents.is_empty()
    }

    /// Brings the users towards what the load wants at `now`, by a batch at most; whether more is to do.
    ///
    /// # Errors
    /// No stack could be had for a fiber.
    pub(super) fn adjust(&mut self, ground: &Rc<Ground>, now: Instant) -> Result<bool, String> {
        let clock = ground.host.clock.get();
        let at = clock.at(now);
        if self.node.spent.load(Ordering::Relaxed) && !self.closed {
            self.drain(now);
        }
        self.turn(at);
        let mut more = self.sweep(now);
        if !self.closed && self.begin(ground, at, now) && !clock.is_paused() {
            more |= self.follow(ground, at, now)?;
        }
        // A tick may find fewer: a short scenario can be over before the first one.
        self.peak = self.peak.max(self.alive());
        more |= self.sweep(now);
        if self.is_done() && !self.told {
            self.told = true;
            self.node.end(at);
        }
        Ok(more)
    }

    /// Whether it has begun; begins it when its time has come.
    fn begin(&mut self, ground: &Rc<Ground>, at: Duration, now: Instant) -> bool {
        if self.began.is_some() {
            return true;
        }
        let Some(begins) = self.node.begins().filter(|begins| at >= *begins) else { return false };
        self.began = Some((begins, now));
        let plan = &self.plan;
        match (&plan.scenarios[self.scenario].work, self.stripe) {
            (_, None) => self.closed = true,
            (Work::Arrivals { load, late, .. }, Some(stripe)) => {
                let seed = named_seed(plan.options.seed, &plan.scenarios[self.scenario].name);
                let pacer = Pacer::new(Arc::clone(&load.shape), stripe).with_seed(seed);
                let arrivals = Arrivals::new(pacer, begins, *late, Rc::clone(&ground.wake));
                self.course = Course::Arrivals(Rc::new(arrivals));
            }
            _ => {}
        }
        if let Some((from, shape)) = self.early.take() {
            self.scale(from.max(begins), shape);
        }
        true
    }

    /// One step after the load; whether more is to do at once.
    fn follow(&mut self, ground: &Rc<Ground>, at: Duration, now: Instant) -> Result<bool, String> {
        let (Some(stripe), Some((begins, began))) = (self.stripe, self.began) else { return Ok(false) };
        let plan = Arc::clone(&self.plan);
        let declared = &plan.scenarios[self.scenario];
        let (grace, local) = (declared.graceful_stop, at.saturating_sub(begins));
        match &declared.work {
            Work::Load(load) => match load.shape.target(local) {
                Some(planned) => {
                    let users = if let Course::Users(users) = self.course { users } else { planned };
                    let soon = load.shape.target(local + SOON).unwrap_or(planned);
                    self.changing = matches!(self.course, Course::Plan) && soon.round() != users.round();
                    if self.changing {
                        ground.wake.arm(now + STEP);
                    }
                    return self.resize(ground, stripe.share(users.round() as u64) as usize, now, grace);
                }
                None => self.close(now, grace),
            },
            Work::Arrivals { load, .. } => {
                let more = self.release(ground, now)?;
                // Those who were made for what is due, and have nothing to do first, ask for it before the rest is dropped.
                let coming =
                    declared.start.is_none() && self.arrivals().is_some_and(|arrivals| arrivals.is_expecting());
                let more = more || (coming && load.shape.duration().is_some_and(|end| local >= end));
                let Some(end) = load.shape.duration().filter(|end| local >= *end) else { return Ok(more) };
                let Some(arrivals) = self.arrivals().filter(|_| !more) else { return Ok(more) };
                let (host, base) = (&ground.host, self.bases.at(at));
                let none = || Default::default();
                let dropping = arrivals.drop_late((begins + end).max(self.edited), |waited| {
                    let ms = waited.as_secs_f64() * 1e3;
                    host.sample(ground.ids.iteration_lateness_censored, base, none(), none(), none(), ms);
                });
                if dropping {
                    return Ok(true);
                }
                self.close(now, grace);
            }
            Work::Iterations { users, max_duration, .. } | Work::IterationsPerUser { users, max_duration, .. } => {
                let wanted = stripe.share(u64::from(*users));
                self.retire_beyond(wanted as usize, now, grace);
                for _ in 0..wanted.saturating_sub(self.begun).min(BATCH as u64) {
                    self.add(ground, None)?;
                }
                if now.duration_since(began) >= *max_duration {
                    self.close(now, grace);
                } else if self.begun < wanted {
                    return Ok(true);
                } else if self.residents.is_empty() {
                    self.closed = true;
                }
            }
        }
        Ok(false)
    }

    /// Between two beats. Open model: hands arrivals that are due to free users and makes users where they are missing; closed
    /// model: follows a load that changes. Whether more is to do.
    ///
    /// # Errors
    /// No stack could be had for a fiber.
    pub(super) fn release(&mut self, ground: &Rc<Ground>, now: Instant) -> Result<bool, String> {
        let clock = ground.host.clock.get();
        if self.closed || clock.is_paused() {
            return Ok(false);
        }
        self.turn(clock.at(now));
        if self.changing {
            self.peak = self.peak.max(self.alive());
            return self.follow(ground, clock.at(now), now);
        }
        let (Some(arrivals), Some(stripe)) = (self.arrivals().cloned(), self.stripe) else { return Ok(false) };
        let most = stripe.share(u64::from(self.plan.scenarios[self.scenario].work.users_max())) as usize;
        let mut left = BATCH;
        loop {
            let room = most.saturating_sub(self.residents.len() - self.departed.get());
            match arrivals.release(&clock, now, room) {
                Missing::Nobody => return Ok(false),
                Missing::Users(users) => {
                    for _ in 0..users.min(left) {
                        self.add(ground, None)?;
                    }
                    self.peak = self.peak.max(self.alive());
                    // Those who come ask for what is due; if that is not enough, more are made at the next step.
                    return Ok(users > left);
                }
                Missing::UserFor(slot) => {
                    self.add(ground, Some(slot))?;
                    left -= 1;
                    if left == 0 {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Forgets users that have ended, cancels those whose time is over, drops those that do not listen; whether more
    /// are to be cancelled.
    fn sweep(&mut self, now: Instant) -> bool {
        let mut cancelled = 0;
        let looked_at = if self.retired > 0 { &mut self.residents[..] } else { &mut [] };
        for resident in looked_at {
            if resident.is_overdue(now) {
                if cancelled == BATCH {
                    break;
                }
                cancelled += 1;
                resident.cancel(now);
            } else {
                resident.give_up(now);
            }
        }
        if self.departed.take() > 0 {
            for resident in self.residents.extract_if(.., |resident| resident.is_gone()) {
                self.interrupted += resident.interrupted();
                self.retired -= usize::from(resident.is_retired());
            }
        }
        cancelled == BATCH
    }

    fn resize(&mut self, ground: &Rc<Ground>, wanted: usize, now: Instant, grace: Duration) -> Result<bool, String> {
        let staying = self.residents.len() - self.retired;
        self.retire_beyond(wanted, now, grace);
        let missing = wanted.saturating_sub(staying);
        for _ in 0..missing.min(BATCH) {
            self.add(ground, None)?;
        }
        Ok(missing > BATCH)
    }

    /// Retires those that are more than `wanted`.
    fn retire_beyond(&mut self, wanted: usize, now: Instant, grace: Duration) {
        let leaving = (self.residents.len() - self.retired).saturating_sub(wanted);
        if leaving > 0 {
            // The newest go first, so that the oldest users see the whole run.
            let newest = self.residents.iter_mut().rev().filter(|resident| !resident.is_retired());
            newest.take(leaving).for_each(|resident| resident.retire(now, grace));
            self.retired += leaving;
        }
    }

    /// One more user; in the open model it may begin with an arrival of its own.
    fn add(&mut self, ground: &Rc<Ground>, slot: Option<Slot>) -> Result<(), String> {
        let Some(stripe) = self.stripe else { return Ok(()) };
        let plan = &self.plan;
        let index = stripe.number(self.begun);
        self.begun += 1;
        let (own, shared) = match plan.scenarios[self.scenario].work {
            Work::Load(_) | Work::Arrivals { .. } => (None, None),
            Work::Iterations { .. } => (None, Some(Arc::clone(&self.node))),
            Work::IterationsPerUser { iterations, .. } => (Some(iterations), None),
        };
        let coming: Option<Coming> = self.arrivals().filter(|_| slot.is_none()).map(|arrivals| arrivals.expect());
        let newcomer = Newcomer {
            scenario: self.scenario,
            base: self.bases.at(ground.host.now()),
            id: self.id(ground.host.plan.scenarios.len() as u64, index),
            index,
            allowance: Allowance {
                retired: Cell::new(false),
                told: Notify::new(),
                own: Cell::new(own),
                shared,
                gate: Rc::clone(&ground.gate),
                arrivals: self.arrivals().cloned(),
                seat: Rc::default(),
                first: Cell::new(slot),
                coming: Cell::new(coming),
                bases: self.bases,
            },
            spent: Arc::clone(&self.node.spent),
        };
        self.residents.push(Resident::begin(ground, newcomer, &self.departed)?);
        Ok(())
    }

    /// The id of a user: interleaved over the scenarios that the run began with, so that ids are unique however many users
    /// come and go; those of each later scenario have a range of their own.
    fn id(&self, scenarios: u64, index: u64) -> u64 {
        let scenario = self.scenario as u64;
        match scenario.checked_sub(scenarios) {
            None => index * scenarios + scenario + 1,
            Some(later) => (later + 1) * LATER + index + 1,
        }
    }

    fn close(&mut self, now: Instant, grace: Duration) {
        self.closed = true;
        for resident in &mut self.residents {
            resident.retire(now, grace);
        }
        self.retired = self.residents.len();
    }

    /// No new iterations; what runs may end within the scenario's graceful stop.
    pub(super) fn drain(&mut self, now: Instant) {
        let grace = self.plan.scenarios[self.scenario].graceful_stop;
        if let Some(arrivals) = self.arrivals() {
            arrivals.stop();
        }
        self.close(now, grace);
    }

    /// Interrupts everything now.
    pub(super) fn kill(&mut self, now: Instant) {
        self.closed = true;
        for resident in &mut self.residents {
            resident.kill(now);
        }
        self.retired = self.residents.len();
    }

    /// Another target from run time `at` on; without one, the plan's again.
    pub(super) fn scale(&mut self, at: Duration, shape: Option<Arc<dyn Shape>>) {
        if self.began.is_none() {
            self.early = Some((at, shape));
            return;
        }
        self.scaled = shape.is_some();
        match (&self.course, shape) {
            (Course::Arrivals(arrivals), Some(shape)) => arrivals.retarget(at, shape, None),
            (Course::Arrivals(arrivals), None) => {
                let newest = self.next.as_ref().map_or(&self.plan, |(_, plan)| plan);
                if let Some(load) = newest.scenarios[self.scenario].work.load() {
                    arrivals.retarget(at, Arc::clone(&load.shape), Some(Duration::ZERO));
                }
            }
            (_, Some(shape)) => self.course = Course::Users(shape.before(Duration::ZERO)),
            (_, None) => self.course = Course::Plan,
        }
    }

    /// Another Plan; when its load is another one, from run time `load` on.
    pub(super) fn replan(&mut self, plan: &Arc<Plan>, load: Option<Duration>) {
        let Some(from) = load.filter(|_| self.began.is_some()) else {
            match &mut self.next {
                Some((_, next)) => *next = Arc::clone(plan),
                None => self.plan = Arc::clone(plan),
            }
            return;
        };
        let work = &plan.scenarios[self.scenario].work;
        if let (Course::Arrivals(arrivals), Work::Arrivals { load, late, .. }) = (&self.course, work) {
            arrivals.late.set(*late);
            if !self.scaled {
                arrivals.retarget(from, Arc::clone(&load.shape), Some(Duration::ZERO));
            }
        }
        self.next = Some((from, Arc::clone(plan)));
    }

    /// At run time `at` the load of an edit may hold.
    fn turn(&mut self, at: Duration) {
        let Some((from, plan)) = self.next.take_if(|(from, _)| at >= *from) else { return };
        self.edited = from;
        let each = |plan: &Plan| match plan.scenarios[self.scenario].work {
            Work::IterationsPerUser { iterations, .. } => Some(iterations),
            _ => None,
        };
        if let (Some(old), Some(new)) = (each(&self.plan), each(&plan)) {
            let more = i64::try_from(i128::from(new) - i128::from(old)).unwrap_or(i64::MAX);
            self.residents.iter().for_each(|resident| resident.grant(more));
        }
        self.plan = plan;
    }
}
