//! The coordinator: starts the threads, leads them through setup, scenarios and teardown, obeys Commands, joins all.
//!
//! | state | goes on when | to |
//! |---|---|---|
//! | starting | every shard is ready | setup, or running |
//! | setup | `setup` returned, failed or ran out of time | running, or finishing |
//! | running | every shard is done; a pause keeps it here | teardown, or finishing |
//! | stopping | the same, after a Stop | teardown, or finishing |
//! | teardown | `teardown` returned, failed or ran out of time | finishing |
//! | finishing | every shard and the collector has ended | the Ending |

use super::asking;
use super::changes::Changes;
use super::collector::{Collector, ToCollector};
use super::graph;
use super::order::{Order, ShardEvent};
use super::reload::Reload;
use super::revisions::{Made, Moment, Outcome, Revisions};
use super::run::{Ending, Settings};
use super::shard;
use super::stack::LARGE;
use crate::clock::RunClock;
use crate::control::{Author, Command};
use crate::metrics::specs;
use crate::plan::Plan;
use crate::script::commons::Commons;
use crate::script::error::ScriptError;
use crate::script::max_rate::MaxRate;
use crate::snapshot::{BrokenEdit, Snapshot};
use crate::snapshot::{Intervention, Status};
use serde_json::Value;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot, watch};

/// How long shards may take to hand in their last Delta.
const LAST_DELTA: Duration = Duration::from_secs(10);

struct Shards {
    orders: Vec<mpsc::UnboundedSender<Order>>,
    threads: Vec<JoinHandle<()>>,
}

impl Shards {
    fn tell(&self, order: &Order) {
        for shard in &self.orders {
            // A shard that has ended takes no orders.
            let _ = shard.send(order.clone());
        }
    }
}

pub(super) fn coordinate(
    plan: &Arc<Plan>,
    settings: &Settings,
    commands: &mpsc::UnboundedSender<Command>,
    orders: mpsc::UnboundedReceiver<Command>,
    publish: watch::Sender<Arc<Snapshot>>,
) -> Ending {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ending { broken: Some(format!("no runtime: {error}")), ..Ending::default() },
    };
    let named: Vec<&str> = plan.rules.metrics();
    let timeout = plan.options.http.timeout.total.as_secs();
    let specs = specs(&plan.metrics, &named, timeout);
    let (to_collector, deltas) = std_mpsc::channel();
    let (events, mut from_shards) = mpsc::unbounded_channel();
    let nodes = graph::nodes(plan, settings.shards);
    let max_rate = plan.options.max_rate.map(|rate| Arc::new(MaxRate::new(rate)));
    let commons = Arc::new(Commons::new(plan, settings.shards));
    let mut shards = Shards { orders: Vec::new(), threads: Vec::new() };
    let mut spares = Vec::new();
    for index in 0..settings.shards {
        let (order, from_coordinator) = mpsc::unbounded_channel();
        let (spare, from_collector) = std_mpsc::channel();
        let start = shard::Start {
            index,
            of: settings.shards,
            plan: Arc::clone(plan),
            specs: Arc::clone(&specs),
            demo_url: settings.demo_url.clone(),
            nodes: nodes.clone(),
            max_rate: max_rate.clone(),
            commons: Arc::clone(&commons),
            orders: from_coordinator,
            events: events.clone(),
            deltas: to_collector.clone(),
            spares: from_collector,
            commands: commands.clone(),
        };
        let thread =
            thread::Builder::new().name(format!("shard-{index}")).stack_size(LARGE).spawn(move || shard::run(start));
        match thread {
            Ok(thread) => shards.threads.push(thread),
            Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
        }
        shards.orders.push(order);
        spares.push(spare);
    }
    drop(events);
    let snapshots = publish.subscribe();
    let collector =
        Collector::new(Arc::clone(plan), specs, spares, publish, commands.clone(), settings.rollback_on_errors);
    let collector = thread::Builder::new().name("collector".to_owned()).spawn(move || collector.run(&deltas));
    let collector = match collector {
        Ok(thread) => thread,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let asker = match ask(plan, snapshots, commands, &to_collector) {
        Ok(asker) => asker,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let reload = settings.watch.as_ref().map(|watch| Reload::start(watch, plan, commands)).transpose();
    let reload = match reload {
        Ok(reload) => reload,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let mut lead = Lead {
        plan,
        shards: &shards,
        to_collector: &to_collector,
        asked: &asker.edits,
        orders,
        ending: Ending::default(),
        live: settings.shards,
        changes: Changes::new(settings.paused),
        revisions: Revisions::new(plan, nodes, settings.shards),
        edits: 0,
        done: 0,
        over: false,
        unfit: false,
    };
    runtime.block_on(lead.whole_run(&mut from_shards));
    let mut ending = lead.ending;
    if let Some(why) = reload.and_then(Reload::end) {
        ending.bug.get_or_insert_with(|| format!("the thread that watches the script panicked: {why}"));
    }
    shards.tell(&Order::Finish);
    drop(shards.orders);
    for thread in shards.threads {
        if let Err(panic) = thread.join() {
            ending.bug.get_or_insert_with(|| format!("a shard panicked: {}", shard::panic_text(&*panic)));
        }
    }
    let (settled, everything) = std_mpsc::channel();
    let _ = to_collector.send(ToCollector::Settle(settled));
    // Without it the last questions are about what there is.
    let _ = everything.recv_timeout(LAST_DELTA);
    drop(asker.over);
    match asker.thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            ending.refused.get_or_insert(error);
        }
        Err(panic) => {
            let why = shard::panic_text(&*panic);
            ending.bug.get_or_insert_with(|| format!("the thread that asks panicked: {why}"));
        }
    }
    let _ = to_collector.send(ToCollector::Finish { within: LAST_DELTA });
    if let Err(panic) = collector.join() {
        ending.bug.get_or_insert_with(|| format!("the collector panicked: {}", shard::panic_text(&*panic)));
    }
    ending
}

/// The thread that asks the script.
struct Asker {
    /// Ends it when it is dropped.
    over: oneshot::Sender<()>,
    /// Takes what an edit made of the Plan, with its revision, after the collector was told.
    edits: mpsc::UnboundedSender<asking::Edit>,
    thread: JoinHandle<Result<(), ScriptError>>,
}

/// Starts the thread that asks the script; a Plan without questions may get some by an edit.
fn ask(
    plan: &Arc<Plan>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: &mpsc::UnboundedSender<Command>,
    to_collector: &std_mpsc::Sender<ToCollector>,
) -> std::io::Result<Asker> {
    let (over, told) = oneshot::channel();
    let (edits, edited) = mpsc::unbounded_channel();
    let start = asking::Start {
        plan: Arc::clone(plan),
        snapshots,
        over: told,
        edits: edited,
        commands: commands.clone(),
        to_collector: to_collector.clone(),
    };
    let thread =
        thread::Builder::new().name("asking".to_owned()).stack_size(LARGE).spawn(move || asking::run(start))?;
    Ok(Asker { over, edits, thread })
}

/// Leads the shards from state to state.
struct Lead<'a> {
    plan: &'a Arc<Plan>,
    shards: &'a Shards,
    to_collector: &'a std_mpsc::Sender<ToCollector>,
    /// Who asks closures, of the Plan that holds.
    asked: &'a mpsc::UnboundedSender<asking::Edit>,
    orders: mpsc::UnboundedReceiver<Command>,
    ending: Ending,
    live: usize,
    changes: Changes,
    revisions: Revisions,
    /// Edits that the shards were told of.
    edits: usize,
    /// Shards whose users have all ended since the last of them.
    done: usize,
    /// Whether the scenarios are.
    over: bool,
    /// Whether a shard could not build the Machine of the last edit of code.
    unfit: bool,
}

/// What ended a stage.
enum Stage {
    Event(ShardEvent),
    Died,
    Timeout,
    Killed,
}

impl Lead<'_> {
    fn status(&self, status: Status) {
        let _ = self.to_collector.send(ToCollector::Status(status));
    }

    async fn whole_run(&mut self, events: &mut mpsc::UnboundedReceiver<ShardEvent>) {
        for _ in 0..self.live {
            match self.next(events, None).await {
                Stage::Event(ShardEvent::Ready) => {}
                Stage::Event(ShardEvent::Refused(error)) => {
                    self.ending.refused = Some(error);
                    return;
                }
                _ => return,
            }
        }
        let mut data = Arc::new(Value::Null);
        if self.plan.setup {
            self.status(Status::Setup);
            match self.hook(events, Order::Setup, self.plan.options.setup_timeout).await {
                Ok(value) => data = value,
                Err(timeout) => {
                    self.ending.setup_timeout = timeout;
                    return;
                }
            }
            self.ending.data = Some(Arc::clone(&data));
        }
        if self.ending.stopped.is_none() {
            let epoch = Instant::now() + Duration::from_millis(2);
            let clock = self.changes.start(epoch);
            self.shards.tell(&Order::Start { clock, data: Arc::clone(&data) });
            let _ = self.to_collector.send(ToCollector::Clock(clock));
            self.status(if self.changes.is_paused() { Status::Paused } else { Status::Running });
            while self.done < self.live {
                match self.next(events, None).await {
                    // One that has not heard of the last edit tells it again when it has.
                    Stage::Event(ShardEvent::Done(edits)) => self.done += usize::from(edits == self.edits),
                    Stage::Died | Stage::Killed => return,
                    _ => {}
                }
            }
        }
        self.over = true;
        if self.revisions.plan().teardown && !self.ending.killed {
            self.status(Status::Teardown);
            let order = |_| Order::Teardown { data: Arc::clone(&data) };
            if let Err(timeout) = self.hook(events, order(()), self.plan.options.teardown_timeout).await {
                self.ending.teardown_timeout = timeout;
            }
        }
    }

    /// Runs `setup` or `teardown` on the first shard; `Err(true)` when it took too long, `Err(false)` when it failed.
    async fn hook(
        &mut self,
        events: &mut mpsc::UnboundedReceiver<ShardEvent>,
        order: Order,
        within: Duration,
    ) -> Result<Arc<Value>, bool> {
        let name = if matches!(order, Order::Setup) { "setup" } else { "teardown" };
        if let Some(first) = self.shards.orders.first() {
            let _ = first.send(order);
        }
        match self.next(events, Some(within)).await {
            Stage::Event(ShardEvent::Hook(Ok(value))) => Ok(value),
            Stage::Event(ShardEvent::Hook(Err(error))) => {
                self.ending.failed_hook = Some((name, error));
                Err(false)
            }
            Stage::Event(ShardEvent::HookEnded) => Err(false),
            Stage::Timeout => {
                self.shards.tell(&Order::Kill);
                Err(true)
            }
            _ => Err(false),
        }
    }

    /// The next event of a shard; Commands are obeyed meanwhile.
    async fn next(&mut self, events: &mut mpsc::UnboundedReceiver<ShardEvent>, within: Option<Duration>) -> Stage {
        let far = Duration::from_secs(86_400 * 365);
        let deadline = tokio::time::Instant::now() + within.unwrap_or(far);
        loop {
            tokio::select! {
                biased;
                Some(command) = self.orders.recv() => self.obey(command),
                event = events.recv() => return match event {
                    Some(ShardEvent::Broken(why)) => {
                        self.ending.broken.get_or_insert(why);
                        self.shards.tell(&Order::Kill);
                        Stage::Died
                    }
                    Some(ShardEvent::Unfit(error)) => {
                        self.unfit(&error);
                        continue;
                    }
                    Some(event) => Stage::Event(event),
                    None => {
                        self.ending.broken.get_or_insert_with(|| "all shards are gone".to_owned());
                        Stage::Died
                    }
                },
                () = tokio::time::sleep_until(deadline) => return if self.ending.killed { Stage::Killed } else { Stage::Timeout },
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Stop { by, why } => {
                if self.ending.stopped.is_none() {
                    self.ending.stopped = Some((by, why));
                    self.status(Status::Stopping);
                    // Before the clock goes on, or an iteration might begin between the two.
                    self.shards.tell(&Order::Drain);
                    self.end_pause(now);
                }
            }
            Command::Kill { by } => {
                self.ending.killed = true;
                self.ending.stopped.get_or_insert((by, "interrupted at once".to_owned()));
                self.status(Status::Stopping);
                self.shards.tell(&Order::Kill);
                self.end_pause(now);
            }
            Command::MarkFailed { why } => {
                self.ending.marked_failed.get_or_insert(why);
            }
            Command::Pause { by } => {
                let paused = self.running().and_then(|()| self.changes.pause(now));
                if let Some(Some(clock)) = self.told(now, by, "paused".to_owned(), paused) {
                    self.turn(Some(clock));
                    self.status(Status::Paused);
                }
            }
            Command::Resume { by } => {
                let resumed = self.running().and_then(|()| self.changes.resume(now));
                if let Some(Some(clock)) = self.told(now, by, "resumed".to_owned(), resumed) {
                    self.turn(Some(clock));
                    self.status(Status::Running);
                }
            }
            Command::Scale { by, scenario, to } => {
                let order = self.running().and_then(|()| self.changes.scale(self.revisions.plan(), &scenario, to, now));
                self.order(now, by, format!("{scenario}: scale to {to}"), order);
            }
            Command::Replan { by, scenario } => {
                let order = self.running().and_then(|()| self.changes.replan(self.revisions.plan(), &scenario, now));
                self.order(now, by, format!("{scenario}: as planned"), order);
            }
            Command::Note { by, what, why } => {
                self.told::<()>(now, by, what, Err(why));
            }
            Command::Edit { by, plan } => {
                self.edit(now, by, |revisions, by, moment| revisions.edit(by, &plan.0, moment));
                // Whatever it says, it could be read.
                let _ = self.to_collector.send(ToCollector::Broken(None));
            }
            Command::Rules { by, base, rules } => {
                self.edit(now, by, |revisions, by, moment| revisions.rules(by, base, &rules, moment));
            }
            Command::Rollback { code, why } => {
                self.edit(now, Author::Rollback, |revisions, _, moment| revisions.roll_back(code, why, moment));
            }
            Command::BrokenEdit { by, text } => {
                let broken = text.map(|text| BrokenEdit { at: self.changes.at(now), by, text });
                let _ = self.to_collector.send(ToCollector::Broken(broken));
            }
            Command::Capture { by, why } => {
                let _ = self.to_collector.send(ToCollector::Captured(why));
                self.told(now, by, "summary of this moment kept".to_owned(), Ok(()));
            }
            Command::End { by, scenario, why } => {
                let order = self.running().and_then(|()| self.changes.end(self.revisions.plan(), &scenario, &why));
                self.order(now, by, format!("{scenario}: end"), order);
            }
        }
    }

    /// Whether anything can still be changed.
    fn running(&self) -> Result<(), String> {
        if self.over || self.ending.stopped.is_some() { Err("the run is ending".to_owned()) } else { Ok(()) }
    }

    /// Makes a revision, or tells why there is none.
    fn edit(&mut self, now: Instant, by: Author, make: impl FnOnce(&mut Revisions, Author, Moment) -> Outcome) {
        if let Err(why) = self.running() {
            self.told::<()>(now, by, "edit".to_owned(), Err(why));
            return;
        }
        let moment = Moment { at: self.changes.at(now), begun: self.changes.has_begun() };
        let outcome = make(&mut self.revisions, by.clone(), moment);
        match outcome {
            Outcome::Same => {}
            Outcome::Refused(why) => drop(self.told::<()>(now, by, "edit".to_owned(), Err(why.join("; ")))),
            Outcome::Made(made) => {
                let Made { edition, rules, plan, asked, swap } = *made;
                let revision = edition.revision;
                // Before the shards hear of it, so that nobody tells of a scenario that the collector does not know.
                let _ = self.to_collector.send(ToCollector::Revised { edition: Box::new(edition), rules, plan });
                let _ = self.asked.send((asked, revision)); // gone only after us
                if let Some(swap) = swap {
                    (self.edits, self.done) = (self.edits + 1, 0);
                    self.unfit = false;
                    self.shards.tell(&Order::Swap(swap));
                }
            }
        }
    }

    /// A shard goes on with the old code; so do all of them, since they evaluate the same script.
    fn unfit(&mut self, error: &ScriptError) {
        if !std::mem::replace(&mut self.unfit, true) {
            self.revisions.unfit();
            let why = format!("its code cannot be loaded, the old one goes on: {}", error.message);
            self.told::<()>(Instant::now(), Author::File, "edit".to_owned(), Err(why));
        }
    }

    /// A run that is to end does not stand still.
    fn end_pause(&mut self, now: Instant) {
        if let Ok(clock) = self.changes.resume(now) {
            self.turn(clock);
        }
    }

    /// Everybody reads the clock anew.
    fn turn(&self, clock: Option<RunClock>) {
        if let Some(clock) = clock {
            self.shards.tell(&Order::Clock(clock));
            let _ = self.to_collector.send(ToCollector::Clock(clock));
        }
    }

    /// Gives an order that somebody asked for, and tells of it.
    fn order(&self, now: Instant, by: Author, asked: String, order: Result<(Order, String), String>) {
        match order {
            Ok((order, what)) => {
                self.shards.tell(&order);
                if let Order::Scale { scenario, shape, .. } = &order {
                    let to = shape.as_ref().map(|shape| shape.before(Duration::ZERO));
                    let _ = self.to_collector.send(ToCollector::Scaled { scenario: *scenario, to });
                }
                self.told(now, by, what, Ok(()));
            }
            Err(why) => {
                self.told::<()>(now, by, asked, Err(why));
            }
        }
    }

    /// Tells the collector what was changed, or asked for and refused.
    fn told<T>(&self, now: Instant, by: Author, what: String, result: Result<T, String>) -> Option<T> {
        let at = self.changes.at(now);
        let (done, refused) = match result {
            Ok(done) => (Some(done), None),
            Err(why) => (None, Some(why)),
        };
        let _ = self.to_collector.send(ToCollector::Intervened(Intervention { at, by, what, refused }));
        done
    }
}
