//! The lead: takes the shards from state to state, through setup, scenarios and teardown, and obeys Commands meanwhile.
//!
//! | state | goes on when | to |
//! |---|---|---|
//! | starting | every shard is ready | setup, or running |
//! | setup | `setup` returned, failed or ran out of time | running, or finishing |
//! | running | every shard is done; a pause keeps it here | teardown, or finishing |
//! | stopping | the same, after a Stop | teardown, or finishing |
//! | teardown | `teardown` returned, failed or ran out of time | finishing |
//! | finishing | every shard and the collector has ended | the Ending |
//!
//! It starts no thread and joins none: that is the coordinator's, whose thread it runs on.

use super::asking;
use super::changes::Changes;
use super::collector::ToCollector;
use super::coordinator::Shards;
use super::order::{Order, ShardEvent};
use super::revisions::{self, Made, Moment, Revisions};
use crate::clock::RunClock;
use crate::control::{Author, Command, Outcome};
use crate::plan::Plan;
use crate::script::error::ScriptError;
use crate::snapshot::{BrokenEdit, Ending, Intervention, Status};
use serde_json::Value;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Leads the shards from state to state.
pub(super) struct Lead<'a> {
    pub(super) plan: &'a Arc<Plan>,
    pub(super) shards: &'a Shards,
    pub(super) to_collector: &'a std_mpsc::Sender<ToCollector>,
    /// Who asks closures, of the Plan that holds.
    pub(super) asked: &'a mpsc::UnboundedSender<asking::Edit>,
    pub(super) orders: mpsc::UnboundedReceiver<Command>,
    pub(super) ending: Ending,
    pub(super) live: usize,
    pub(super) changes: Changes,
    pub(super) revisions: Revisions,
    /// Edits that the shards were told of.
    pub(super) edits: usize,
    /// Shards whose users have all ended since the last of them.
    pub(super) done: usize,
    /// Whether the scenarios are.
    pub(super) over: bool,
    /// Whether a shard could not build the Machine of the last edit of code.
    pub(super) unfit: bool,
    /// What came of the last Command, for those who ask.
    pub(super) said: Option<Outcome>,
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

    /// Tells what the end will be judged by.
    fn tell_ending(&self) {
        let _ = self.to_collector.send(ToCollector::Ending(Arc::new(self.ending.clone())));
    }

    /// The whole run, to the end of `teardown`.
    pub(super) async fn whole_run(&mut self, events: &mut mpsc::UnboundedReceiver<ShardEvent>) {
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
                self.tell_ending();
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
            Command::Asked { command, reply } => {
                self.said = None;
                self.obey(*command);
                reply.tell(self.said.take().unwrap_or_else(|| Ok("done".to_owned())));
            }
            Command::Acknowledge { by, alert, who } => {
                let what = format!("alert {alert} acknowledged by {who}");
                let told = Intervention { at: self.changes.at(now), by, what, refused: None };
                let _ = self.to_collector.send(ToCollector::Acknowledged { alert, who, told });
            }
            Command::Stop { by, why } => {
                if self.ending.stopped.is_none() {
                    self.told(now, by.clone(), format!("stop: {why}"), Ok(()));
                    self.ending.stopped = Some((by, why));
                    self.tell_ending();
                    self.status(Status::Stopping);
                    // Before the clock goes on, or an iteration might begin between the two.
                    self.shards.tell(&Order::Drain);
                    self.end_pause(now);
                } else if matches!(by, Author::Api | Author::Terminal) {
                    // Of users, each may want the end; of people, it is known who did.
                    self.told(now, by, format!("stop, which is under way: {why}"), Ok(()));
                }
            }
            Command::Kill { by } => {
                if !std::mem::replace(&mut self.ending.killed, true) {
                    self.told(now, by.clone(), "end at once".to_owned(), Ok(()));
                }
                self.ending.stopped.get_or_insert((by, "interrupted at once".to_owned()));
                self.tell_ending();
                self.status(Status::Stopping);
                self.shards.tell(&Order::Kill);
                self.end_pause(now);
            }
            Command::MarkFailed { why } => {
                // The first one counts, and every user may say so in every iteration.
                if self.ending.marked_failed.is_none() {
                    self.ending.marked_failed = Some(why);
                    self.tell_ending();
                }
            }
            Command::Pause { by } => {
                let paused = self.running().and_then(|()| self.changes.pause(now));
                let later = paused.as_ref().is_ok_and(Option::is_none);
                let what = if later { "will pause when the scenarios begin" } else { "paused" };
                if let Some(Some(clock)) = self.told(now, by, what.to_owned(), paused) {
                    self.turn(Some(clock));
                    self.status(Status::Paused);
                }
            }
            Command::Resume { by } => {
                let resumed = self.running().and_then(|()| self.changes.resume(now));
                let later = resumed.as_ref().is_ok_and(Option::is_none);
                let what = if later { "will not pause when the scenarios begin" } else { "resumed" };
                if let Some(Some(clock)) = self.told(now, by, what.to_owned(), resumed) {
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
    fn edit(
        &mut self,
        now: Instant,
        by: Author,
        make: impl FnOnce(&mut Revisions, Author, Moment) -> revisions::Outcome,
    ) {
        if let Err(why) = self.running() {
            self.told::<()>(now, by, "edit".to_owned(), Err(why));
            return;
        }
        let moment = Moment { at: self.changes.at(now), begun: self.changes.has_begun() };
        let outcome = make(&mut self.revisions, by.clone(), moment);
        match outcome {
            revisions::Outcome::Same => self.said = Some(Ok("nothing is another than it was".to_owned())),
            revisions::Outcome::Refused(why) => drop(self.told::<()>(now, by, "edit".to_owned(), Err(why.join("; ")))),
            revisions::Outcome::Made(made) => {
                let Made { edition, rules, plan, asked, swap } = *made;
                let revision = edition.revision;
                self.said = Some(Ok(format!("revision {revision}")));
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
    fn order(&mut self, now: Instant, by: Author, asked: String, order: Result<(Order, String), String>) {
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
    fn told<T>(&mut self, now: Instant, by: Author, what: String, result: Result<T, String>) -> Option<T> {
        let at = self.changes.at(now);
        let (done, refused) = match result {
            Ok(done) => (Some(done), None),
            Err(why) => (None, Some(why)),
        };
        self.said = Some(refused.clone().map_or(Ok(what.clone()), Err));
        let _ = self.to_collector.send(ToCollector::Intervened(Intervention { at, by, what, refused }));
        done
    }
}
