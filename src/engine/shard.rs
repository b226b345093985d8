//! A shard: one thread, one current-thread runtime, one Machine; it runs its stripe of every scenario.
//!
//! Shards are identical and know nothing of each other but the nodes of their scenarios. A shard obeys
//! [`Order`]s, tells [`ShardEvent`]s, and once per tick hands its Recorder to the collector and takes a cleared spare.

use super::code::{Codes, Swap};
use super::collecting::Collecting;
use super::collector::ToCollector;
use super::drive::Population;
use super::gate::Gate;
use super::graph::Node;
use super::life;
use super::load_of_thread::LoadOfThread;
use super::order::{Order, ShardEvent};
use super::wake::Wake;
use crate::clock::RunClock;
use crate::control::Command;
use crate::load::Stripe;
use crate::metrics::{Catalogue, Delta, MetricSpec, Recorder, Resolution, Scale, ScenarioDelta, TagSet, Trend};
use crate::plan::Plan;
use crate::protocol::http::Client;
use crate::roster::{Page, Place, Register};
use crate::script::commons::Commons;
use crate::script::connect::Connections;
use crate::script::error::ScriptError;
use crate::script::host::{Host, Ids};
use crate::script::json::Json;
use crate::script::machine::{Failure, Machine};
use crate::script::max_rate::MaxRate;
use crate::script::user::User;
use crate::user::{CancelHandle, CancelReason, Fiber, FiberError, StackPool, VirtualUser};
use rhai::Dynamic;
use serde_json::Value;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often a Recorder is handed over.
pub(super) const TICK: Duration = Duration::from_millis(500);
/// How often a shard looks at its own lateness, and how late at most it adjusts its users.
const BEAT: Duration = Duration::from_millis(10);

/// The share of a tick that a thread must have worked, or wanted to, to count as saturated.
const SATURATED: f64 = 0.95;

/// Everything a shard is started with.
pub(super) struct Start {
    pub(super) index: usize,
    pub(super) of: usize,
    pub(super) plan: Arc<Plan>,
    pub(super) specs: Arc<[MetricSpec]>,
    pub(super) demo_url: Option<String>,
    pub(super) nodes: Vec<Arc<Node>>,
    pub(super) max_rate: Option<Arc<MaxRate>>,
    pub(super) commons: Arc<Commons>,
    pub(super) page: Arc<Page>,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) events: mpsc::UnboundedSender<ShardEvent>,
    pub(super) deltas: std_mpsc::Sender<ToCollector>,
    pub(super) spares: std_mpsc::Receiver<Recorder>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

/// What a shard's tasks share.
pub(super) struct Ground {
    pub(super) index: usize,
    pub(super) stripe: Stripe,
    pub(super) codes: Codes,
    pub(super) host: Rc<Host>,
    pub(super) stacks: StackPool,
    pub(super) connections: Connections,
    pub(super) ids: Ids,
    pub(super) data: RefCell<Dynamic>,
    pub(super) gate: Rc<Gate>,
    pub(super) wake: Rc<Wake>,
}

/// The body of a shard's thread.
pub(super) fn run(start: Start) {
    let events = start.events.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(31)
        .build_local(tokio::runtime::LocalOptions::default());
    match runtime {
        Ok(runtime) => runtime.block_on(Shard::live(start)),
        Err(error) => drop(events.send(ShardEvent::Broken(format!("no runtime for a shard: {error}")))),
    }
}

struct Shard {
    ground: Rc<Ground>,
    populations: Vec<Population>,
    lag: Rc<RefCell<Trend>>,
    busy: LoadOfThread,
    events: mpsc::UnboundedSender<ShardEvent>,
    deltas: std_mpsc::Sender<ToCollector>,
    spares: std_mpsc::Receiver<Recorder>,
    started: bool,
    /// Edits of the run that it has heard of.
    edits: usize,
    told_done: bool,
    hook: Option<CancelHandle>,
    collecting: Collecting,
}

impl Shard {
    async fn live(start: Start) {
        let Start { index, of, plan, specs, demo_url, nodes, max_rate, commons, page, .. } = start;
        let Start { mut orders, events, deltas, spares, commands, .. } = start;
        let machine = match Machine::new(&plan) {
            Ok(machine) => Rc::new(machine),
            Err(error) => return drop(events.send(ShardEvent::Refused(error))),
        };
        let catalogue = Catalogue::new(specs, plan.options.limits.tag_sets);
        let send = Box::new(move |command| drop(commands.send(command)));
        let host =
            Host::new(Register::new(page), Arc::clone(&plan), commons, catalogue, demo_url.clone(), send, max_rate);
        let ids = host.ids;
        let refuse = |message: String| ScriptError { message, place: None };
        let made = Connections::new(&plan, demo_url.as_deref(), &host.census).map_err(refuse);
        let stacks = StackPool::new().map_err(|error| refuse(error.to_string()));
        let wake = Wake::new().map_err(|error| refuse(format!("no timer for a shard: {error}")));
        let (connections, stacks, wake) = match (made, stacks, wake) {
            (Ok(connections), Ok(stacks), Ok(wake)) => (connections, stacks, wake),
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
                return drop(events.send(ShardEvent::Refused(error)));
            }
        };
        let stripe = Stripe::new(index as u32, of as u32).unwrap_or_else(Stripe::whole);
        let ground = Rc::new(Ground {
            index,
            stripe,
            codes: Codes::new(&plan, machine),
            host,
            stacks,
            connections,
            ids,
            data: RefCell::new(Dynamic::UNIT),
            gate: Rc::default(),
            wake: Rc::new(wake),
        });
        let populations =
            nodes.iter().enumerate().map(|(at, node)| Population::new(&ground, at, &plan, node)).collect();
        let lag = Rc::new(RefCell::new(Trend::new(Scale::DAY, Resolution::TwoDigits)));
        tokio::task::spawn_local(watch_lag(Rc::clone(&lag)));
        let mut shard = Shard {
            ground,
            populations,
            lag,
            busy: LoadOfThread::default(),
            events,
            deltas,
            spares,
            started: false,
            edits: 0,
            told_done: false,
            hook: None,
            collecting: Collecting::new(&plan),
        };
        let _ = shard.events.send(ShardEvent::Ready);
        shard.obey(&mut orders).await;
        shard.collecting.end();
        shard.hand_over();
    }

    /// Until told to finish: orders, arrivals, the beat, the tick.
    async fn obey(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
        let wake = Rc::clone(&self.ground.wake);
        let mut tick = Instant::now() + TICK;
        let beat = tokio::time::sleep(BEAT);
        tokio::pin!(beat);
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    None | Some(Order::Finish) => return,
                    Some(Order::Start { clock, data }) => {
                        let epoch = clock.instant(Duration::ZERO);
                        self.begin(clock, data);
                        tick = epoch + TICK;
                        beat.as_mut().reset(epoch.into());
                    }
                    Some(order) => self.take(order),
                },
                () = wake.rings() => while self.release() {
                    // The users that came are let run before the next ones come.
                    tokio::task::yield_now().await;
                },
                () = &mut beat => {
                    let now = Instant::now();
                    let due = beat.deadline().into_std();
                    if self.adjust(now) {
                        tokio::task::yield_now().await;
                        beat.as_mut().reset(now.into());
                    } else {
                        beat.as_mut().reset((due + BEAT).max(now).into());
                    }
                    if now >= tick {
                        self.hand_over();
                        while tick <= now {
                            tick += TICK;
                        }
                    }
                }
            }
        }
    }

    /// Lets arrivals that are due meet users; whether more is to do at once.
    fn release(&mut self) -> bool {
        let mut more = false;
        for population in &mut self.populations {
            match population.release(&self.ground, Instant::now()) {
                Ok(unfinished) => more |= unfinished,
                Err(why) => drop(self.events.send(ShardEvent::Broken(why))),
            }
        }
        more
    }

    fn begin(&mut self, clock: RunClock, data: Arc<Value>) {
        self.read(clock);
        *self.ground.data.borrow_mut() = Json::dynamic(data);
        self.started = true;
        self.collecting.begin(&self.ground);
    }

    /// From now on this is the run's clock; while it stands still the gate is closed.
    fn read(&self, clock: RunClock) {
        self.ground.host.clock.set(clock);
        if clock.is_paused() { self.ground.gate.close() } else { self.ground.gate.open() }
    }

    /// Brings all scenarios towards what their loads want; whether more is to do at once.
    fn adjust(&mut self, now: Instant) -> bool {
        if !self.started {
            return false;
        }
        let clock = self.ground.host.clock.get();
        if !clock.is_paused() && clock.instant(Duration::ZERO) > now {
            return false;
        }
        let (mut done, mut more) = (true, false);
        for population in &mut self.populations {
            match population.adjust(&self.ground, now) {
                Ok(unfinished) => more |= unfinished,
                Err(why) => drop(self.events.send(ShardEvent::Broken(why))),
            }
            done &= population.is_done();
        }
        if done && !self.told_done {
            self.told_done = true;
            self.hand_over();
            let _ = self.events.send(ShardEvent::Done(self.edits));
        }
        more
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Setup => self.hook("setup", Dynamic::UNIT),
            Order::Teardown { data } => {
                self.collecting.end();
                self.hook("teardown", Json::dynamic(data));
            }
            Order::Clock(clock) => self.read(clock),
            Order::Scale { scenario, at, shape } => self.population(scenario, |population| population.scale(at, shape)),
            Order::Swap(swap) => self.swap(&swap),
            Order::End { scenario } => self.population(scenario, |population| population.drain(Instant::now())),
            Order::Drain => {
                for population in &mut self.populations {
                    population.drain(Instant::now());
                }
                if let Some(hook) = &self.hook {
                    hook.cancel(CancelReason::Stopped);
                }
            }
            Order::Kill => {
                self.collecting.end();
                for population in &mut self.populations {
                    population.kill(Instant::now());
                }
                if let Some(hook) = &self.hook {
                    hook.cancel(CancelReason::Stopped);
                }
            }
            Order::Start { .. } | Order::Finish => {}
        }
        // A run that is stopped before its scenarios start is done at once.
        self.adjust(Instant::now());
    }

    /// Does something with the users of a scenario, unless an edit brought it and it could not be loaded.
    fn population(&mut self, scenario: usize, act: impl FnOnce(&mut Population)) {
        if let Some(population) = self.populations.get_mut(scenario) {
            act(population);
        }
    }

    /// From now on another Plan holds: users find its code before their next iteration.
    fn swap(&mut self, swap: &Swap) {
        let ground = &self.ground;
        let machine = swap.code.and_then(|revision| {
            // Asked for by code that changed, so from now on it is told apart whatever comes of it.
            ground.host.count_by_code();
            match Machine::edited(&swap.plan, Some(&ground.codes.machine())) {
                Ok(machine) => Some((Rc::new(machine), revision)),
                Err(error) => {
                    let _ = self.events.send(ShardEvent::Unfit(error));
                    None
                }
            }
        });
        let known = ground.codes.swap(&swap.plan, machine);
        for (at, population) in self.populations.iter_mut().enumerate() {
            let load = swap.loads.contains(&at);
            population.replan(&swap.plan, load.then_some(swap.at));
        }
        let now = Instant::now();
        for &scenario in &swap.removed {
            self.population(scenario, |population| population.drain(now));
        }
        let ground = &self.ground;
        let fits = ground.connections.extend(&swap.plan);
        let first = swap.plan.scenarios.len() - swap.added.len();
        for (at, node) in (first..).zip(&swap.added) {
            // One whose functions could not be loaded is over before it begins, for whoever waits for its end.
            if at < known && at == self.populations.len() && fits.is_ok() {
                self.populations.push(Population::new(ground, at, &swap.plan, node));
            } else {
                node.end(ground.host.now());
            }
        }
        self.collecting.replan(&self.ground, &swap.plan);
        self.edits += 1;
        self.told_done = false;
    }

    /// Runs `setup` or `teardown` with an extra user and tells how it ended.
    fn hook(&mut self, name: &'static str, data: Dynamic) {
        let ground = Rc::clone(&self.ground);
        let events = self.events.clone();
        let machine = ground.codes.machine();
        let Some(function) = machine.function(name) else {
            let _ = events.send(ShardEvent::Hook(Ok(Arc::new(Value::Null))));
            return;
        };
        let tags = ground.host.plan.options.tags.iter().map(|(name, value)| (name.clone(), value.clone()));
        let base = ground.host.base(TagSet::new(tags).with([("phase", name), ("scenario", name)]));
        let vu = VirtualUser::new(0, name.into(), 0, ground.host.plan.options.seed);
        let place = Rc::new(Place::apart());
        let user = new_user(&ground, vu, base, None, None, (&machine, 0, None), place);
        let depth = ground.host.plan.options.limits.depth;
        let inner = Rc::clone(&user);
        let (called, told) = (function.clone(), Rc::clone(&machine));
        let body = move || {
            let result = life::call(&machine, &inner, &function, &data);
            result.map(|value| {
                if name == "teardown" {
                    return Ok(Arc::new(Value::Null)); // what it returns goes nowhere
                }
                let json = crate::script::json::from_dynamic(&value, depth);
                json.map(Arc::new).map_err(|why| ScriptError {
                    message: format!(
                        "`{name}` returned something that is no data: {why} (of a response, return `r.json()`)"
                    ),
                    place: None,
                })
            })
        };
        let fiber = match Fiber::new(&ground.stacks, user, body) {
            Ok(fiber) => fiber,
            Err(error) => return drop(events.send(ShardEvent::Broken(error.to_string()))),
        };
        self.hook = Some(fiber.cancel_handle());
        tokio::task::spawn_local(async move {
            let event = match fiber.await {
                Ok(Ok(result)) => ShardEvent::Hook(result),
                Ok(Err(Failure::Error(error))) => ShardEvent::Hook(Err(error)),
                Ok(Err(Failure::Ended(_))) => ShardEvent::HookEnded,
                Err(error) => ShardEvent::Hook(Err(told.lost_in(&called, lost_text(&error)))),
            };
            let _ = events.send(event);
        });
    }

    /// Hands the filled Recorder to the collector.
    fn hand_over(&mut self) {
        let spare = self.spares.try_recv().unwrap_or_default();
        let host = &self.ground.host;
        let (recorder, new_series, regrouped) = host.swap(spare);
        let empty = || Trend::new(Scale::DAY, Resolution::TwoDigits);
        let at = host.now();
        // Of a thread that had no time left, nobody can say that users were busy: it kept them so.
        let saturated = self.busy.since_last().is_some_and(|share| share > SATURATED);
        let mut lateness = empty();
        for (own, waited) in self.populations.iter().filter_map(Population::take_lateness) {
            lateness.merge(&own);
            if saturated {
                lateness.merge(&waited);
            }
        }
        let delta = Delta {
            shard: self.ground.index,
            at,
            new_series,
            recorder,
            regrouped,
            scenarios: self.populations.iter().map(|population| population.state(at)).collect::<Vec<ScenarioDelta>>(),
            loop_lag: self.lag.replace(empty()),
            lateness,
            lines: host.take_lines(),
            accounts: host.take_accounts(),
            connections: host.census.count(),
        };
        // The collector lives longer than every shard; if it died, the coordinator finds out when it joins.
        let _ = self.deltas.send(ToCollector::Delta(Box::new(delta)));
    }
}

/// How late this shard comes to a task that is due: what a user's answer may have to wait for us.
async fn watch_lag(lag: Rc<RefCell<Trend>>) {
    loop {
        let due = Instant::now() + BEAT;
        tokio::time::sleep_until(due.into()).await;
        // tokio's own timers are up to a millisecond late by design; that is not lag.
        let late = due.elapsed().saturating_sub(Duration::from_millis(1));
        lag.borrow_mut().record(late.as_secs_f64() * 1e3);
    }
}

/// A user with its own client, before its first line.
pub(super) fn new_user(
    ground: &Ground,
    vu: VirtualUser,
    base: u16,
    scenario: Option<usize>,
    this: Option<Dynamic>,
    (machine, code, spent): (&Rc<Machine>, u64, Option<Arc<AtomicBool>>),
    place: Rc<Place>,
) -> Rc<User> {
    let plan = scenario.map_or_else(|| Arc::clone(&ground.host.plan), |at| Arc::clone(&ground.codes.of(at).plan));
    let throw_errors = scenario.map_or(plan.options.throw_errors, |at| plan.scenarios[at].throw_errors);
    Rc::new(User {
        host: Rc::clone(&ground.host),
        machine: RefCell::new(Rc::clone(machine)),
        code: Cell::new(code),
        spent,
        vu,
        place,
        this,
        base: Cell::new(base),
        lateness: Cell::default(),
        group: Cell::default(),
        client: Client::new(ground.connections.of(scenario)),
        tags: RefCell::default(),
        tags_name: Cell::default(),
        throw_errors,
        reached: Cell::new(false),
        unreached: Cell::new(false),
        waited: Cell::new(false),
    })
}

/// What the report says of a user that its fiber lost.
pub(super) fn lost_text(error: &FiberError) -> String {
    match error {
        FiberError::Panicked(why) => format!("a native function panicked (this is a bug in punk): {why}"),
        FiberError::Overflow { .. } => {
            "the user's stack overflowed inside a native function; the user was replaced by a fresh one".to_owned()
        }
        FiberError::NotStarted(reason) => reason.to_string(),
    }
}

/// The text of a panic.
pub(super) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
