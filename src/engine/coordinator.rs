//! The coordinator: starts the threads of a run, has them led through it ([`Lead`]), joins them all.

use super::asking;
use super::changes::Changes;
use super::collector::{Collector, ToCollector};
use super::company::{Company, cores, thread_name};
use super::graph;
use super::lead::Lead;
use super::lookouts::Lookouts;
use super::order::Order;
use super::reload::Reload;
use super::revisions::Revisions;
use super::run::Settings;
use super::shard;
use super::stack::LARGE;
use crate::control::Command;
use crate::metrics::specs;
use crate::plan::Plan;
use crate::roster::Roster;
use crate::script::commons::Commons;
use crate::script::error::ScriptError;
use crate::script::max_rate::MaxRate;
use crate::snapshot::{Ending, Snapshot};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How long shards may take to hand in their last Delta.
const LAST_DELTA: Duration = Duration::from_secs(10);

/// The threads that run users.
pub(super) struct Shards {
    pub(super) orders: Vec<mpsc::UnboundedSender<Order>>,
    threads: Vec<JoinHandle<()>>,
}

impl Shards {
    pub(super) fn tell(&self, order: &Order) {
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
    let company = settings.company;
    let thread = |name: &str| thread::Builder::new().name(thread_name(company, name));
    let roster = Arc::new(Roster::new(settings.shards));
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
            page: roster.page(index),
            orders: from_coordinator,
            events: events.clone(),
            deltas: to_collector.clone(),
            spares: from_collector,
            commands: commands.clone(),
        };
        let thread = thread(&format!("shard-{index}")).stack_size(LARGE).spawn(move || shard::run(start));
        match thread {
            Ok(thread) => shards.threads.push(thread),
            Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
        }
        shards.orders.push(order);
        spares.push(spare);
    }
    drop(events);
    let snapshots = publish.subscribe();
    let cores = cores(company, settings.shards);
    let rolls_back = settings.rollback_on_errors;
    let collector =
        Collector::new(Arc::clone(plan), specs, (spares, cores), publish, commands.clone(), rolls_back, roster);
    let collector = thread("collector").spawn(move || collector.run(&deltas));
    let collector = match collector {
        Ok(thread) => thread,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let asker = match ask(plan, company, snapshots, commands, &to_collector) {
        Ok(asker) => asker,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let reload = settings.watch.as_ref().map(|watch| Reload::start(watch, company, plan, commands)).transpose();
    let reload = match reload {
        Ok(reload) => reload,
        Err(error) => return Ending { broken: Some(format!("no thread: {error}")), ..Ending::default() },
    };
    let lookouts = match Lookouts::start((company, cores), &plan.options.observe, &to_collector) {
        Ok(lookouts) => lookouts,
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
        said: None,
    };
    runtime.block_on(lead.whole_run(&mut from_shards));
    let mut ending = lead.ending;
    if let Some(why) = reload.and_then(Reload::end) {
        ending.bug.get_or_insert_with(|| format!("the thread that watches the script panicked: {why}"));
    }
    if let Some(why) = lookouts.end() {
        ending.bug.get_or_insert_with(|| format!("a thread that looks at machines panicked: {why}"));
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
    let _ = to_collector.send(ToCollector::Ending(Arc::new(ending.clone())));
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
    company: Option<Company>,
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
    let thread = thread::Builder::new()
        .name(thread_name(company, "asking"))
        .stack_size(LARGE)
        .spawn(move || asking::run(start))?;
    Ok(Asker { over, edits, thread })
}
