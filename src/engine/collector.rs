//! The collector: merges the shards' Deltas into totals and publishes a Snapshot per tick.
//!
//! One thread that blocks on one channel. It never waits for a shard: one whose Delta is late is named in the Snapshot
//! and merged with the next.

use super::by_code::ByCode;
use super::chronicle::Chronicle;
use super::connections::Connected;
use super::health::Health;
use super::judge::{ClosureAnswer, Judge};
use super::ledger::Ledger;
use super::machine::Look;
use super::observer::Sighting;
use super::prints::Prints;
use super::recent::{Moment, Watched};
use super::rollback::Rollback;
use super::shard::TICK;
use super::sightings::Sightings;
use super::standing::{Now, Standing};
use crate::clock::RunClock;
use crate::control::{Author, Command};
use crate::events;
use crate::expr::Rules;
use crate::load::Answer;
use crate::logs::Line;
use crate::metrics::{Delta, ErrorLog, MetricSpec, Recorder, Resolution, Scale, TagSet, Trend};
use crate::plan::{Plan, Work};
use crate::roster::Roster;
use crate::snapshot::{BrokenEdit, Edition, Ending, Snapshot, components};
use crate::snapshot::{Generator, Intervention, Status};
use crate::trail::Trail;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, watch};

/// What the collector is told.
pub(super) enum ToCollector {
    /// A shard's samples of one tick.
    Delta(Box<Delta>),
    /// The run entered another state.
    Status(Status),
    /// What the end of the run will be judged by has changed.
    Ending(Arc<Ending>),
    /// The scenarios have started, and their clock reads like this from now on.
    Clock(RunClock),
    /// Somebody changed something, or tried to.
    Intervened(Intervention),
    /// Somebody has seen that an alert rings: which ringing, who, and what to tell of it.
    Acknowledged { alert: String, who: String, told: Intervention },
    /// A scenario has another target than its plan says.
    Scaled {
        /// Which, in the order of the Plan.
        scenario: usize,
        /// Users, or iterations per second; `None`: its plan's again.
        to: Option<f64>,
    },
    /// A search for the capacity is over.
    Found {
        /// Which scenario, in the order of the Plan.
        scenario: usize,
        /// What came of it.
        answer: Answer,
    },
    /// Somebody edited the run: what came of it, and the rules that judge from now on where they changed.
    Revised {
        /// What was changed.
        edition: Box<Edition>,
        /// The new rules.
        rules: Option<Arc<Rules>>,
        /// The Plan of the run as it is now.
        plan: Arc<Plan>,
    },
    /// An edit cannot be read, or could not and is mended.
    Broken(Option<BrokenEdit>),
    /// A threshold that is a closure was asked.
    Answered(ClosureAnswer),
    /// Lines that closures printed that run outside any user.
    Printed(Vec<Line>),
    /// This machine was looked at.
    Looked(Box<Look>),
    /// A machine that the script observes answered, or did not.
    Observed(Box<Sighting>),
    /// Somebody wants a summary of this moment.
    Captured(String),
    /// All shards have ended and handed in what they had: publish it, and say so, before the last questions are asked.
    Settle(Sender<()>),
    /// All shards have ended; publish the last Snapshot.
    Finish {
        /// How long to wait for what is still in the channel.
        within: Duration,
    },
}

/// How long after the first Delta of a tick the others are waited for.
const PATIENCE: Duration = Duration::from_millis(100);
/// Everything the collector knows.
pub(super) struct Collector {
    plan: Arc<Plan>,
    spares: Vec<Sender<Recorder>>,
    publish: watch::Sender<Arc<Snapshot>>,
    judge: Judge,
    health: Health,
    sightings: Sightings,
    ledger: Ledger,
    connections: Connected,
    errors: Arc<ErrorLog>,
    regrouped: Vec<u64>,
    reported: Vec<bool>,
    standing: Standing,
    lags: Trend,
    /// Own lateness of arrivals since the last Snapshot; `None` without an open model.
    lateness: Option<Trend>,
    prints: Prints,
    chronicle: Chronicle,
    events: events::Reader,
    status: Status,
    ending: Arc<Ending>,
    clock: Option<RunClock>,
    interventions: Trail<Intervention>,
    by_code: ByCode,
    /// Where an edit of code that makes errors is to be undone.
    rollback: Option<(Rollback, mpsc::UnboundedSender<Command>)>,
    ended: Option<Duration>,
    sequence: u64,
    /// Run time up to which all shards that reported in this tick have done so.
    reached: Option<Duration>,
    /// Something has changed that no Snapshot shows yet, and that shall not wait for the next tick.
    untold: bool,
    revision: u64,
    edits: Trail<Edition>,
    broken_edit: Option<BrokenEdit>,
    captures: Trail<String>,
    roster: Arc<Roster>,
    /// The last Snapshot's, for one that is published between two ticks.
    generator: Generator,
}

impl Collector {
    pub(super) fn new(
        plan: Arc<Plan>,
        specs: Arc<[MetricSpec]>,
        (spares, cores): (Vec<Sender<Recorder>>, usize),
        publish: watch::Sender<Arc<Snapshot>>,
        commands: mpsc::UnboundedSender<Command>,
        rolls_back: bool,
        roster: Arc<Roster>,
    ) -> Self {
        let shards = spares.len();
        Collector {
            standing: Standing::new(&plan, shards),
            rollback: rolls_back.then(|| (Rollback::default(), commands.clone())),
            roster,
            judge: Judge::new(&plan, commands),
            health: Health::new(shards, cores),
            sightings: Sightings::new(&plan.options.observe),
            ledger: Ledger::new(specs, shards, plan.options.limits.tag_sets),
            connections: Connected::new(shards, Instant::now()),
            errors: Arc::default(),
            regrouped: vec![0; shards],
            reported: vec![false; shards],
            lags: Trend::new(Scale::DAY, Resolution::TwoDigits),
            lateness: is_open(&plan).then(|| Trend::new(Scale::DAY, Resolution::TwoDigits)),
            prints: Prints::default(),
            chronicle: Chronicle::default(),
            events: events::Reader::default(),
            status: Status::Starting,
            ending: Arc::default(),
            clock: None,
            interventions: Trail::default(),
            by_code: ByCode::default(),
            ended: None,
            sequence: 0,
            reached: None,
            untold: false,
            revision: 1,
            edits: Trail::default(),
            broken_edit: None,
            captures: Trail::default(),
            generator: Generator::default(),
            plan,
            spares,
            publish,
        }
    }

    /// The body of the collector's thread.
    pub(super) fn run(mut self, inbox: &Receiver<ToCollector>) {
        let mut due: Option<Instant> = None;
        loop {
            let patience = due.map_or(TICK * 2, |due| due.saturating_duration_since(Instant::now()));
            let message = if self.untold {
                // It is told at once, but once: a flood of changes does not become a flood of Snapshots.
                match inbox.try_recv() {
                    Ok(message) => Ok(message),
                    Err(TryRecvError::Empty) => {
                        self.publish_now();
                        continue;
                    }
                    Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                }
            } else {
                inbox.recv_timeout(patience)
            };
            match message {
                Ok(ToCollector::Delta(delta)) => {
                    self.merge(*delta);
                    due.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if self.reported.iter().all(|reported| *reported) {
                        due = None;
                        self.publish();
                    }
                }
                Ok(ToCollector::Status(status)) => self.enter(status),
                Ok(ToCollector::Ending(ending)) => (self.ending, self.untold) = (ending, true),
                Ok(ToCollector::Clock(clock)) => self.clock = Some(clock),
                Ok(ToCollector::Scaled { scenario, to }) => self.standing.scaled(scenario, to),
                Ok(ToCollector::Found { scenario, answer }) => self.standing.found(scenario, answer),
                Ok(ToCollector::Intervened(intervention)) => self.note(intervention),
                Ok(ToCollector::Acknowledged { alert, who, told }) => {
                    let refused = self.judge.acknowledge(&alert, who).err();
                    self.note(Intervention { refused, ..told });
                    self.untold = true;
                }
                Ok(ToCollector::Revised { edition, rules, plan }) => self.revise(*edition, rules.as_deref(), plan),
                Ok(ToCollector::Broken(broken)) => {
                    self.broken_edit = broken;
                    self.untold = true;
                }
                Ok(ToCollector::Answered(answer)) => self.judge.answered(answer),
                Ok(ToCollector::Printed(lines)) => self.say(&lines),
                Ok(ToCollector::Looked(look)) => self.sightings.look(*look),
                Ok(ToCollector::Observed(seen)) => self.sightings.see(*seen, self.elapsed()),
                Ok(ToCollector::Captured(why)) => self.captures.push(why),
                Ok(ToCollector::Settle(settled)) => {
                    // The last second is seldom whole, and is all there is of it.
                    self.ledger.close(self.elapsed() + Duration::from_secs(1));
                    self.publish_now();
                    // Whoever asked may have run out of patience.
                    let _ = settled.send(());
                }
                Ok(ToCollector::Finish { within }) => {
                    let end = Instant::now() + within;
                    while let Ok(message) = inbox.try_recv() {
                        match message {
                            ToCollector::Delta(delta) => self.merge(*delta),
                            ToCollector::Found { scenario, answer } => self.standing.found(scenario, answer),
                            ToCollector::Answered(answer) => self.judge.answered(answer),
                            ToCollector::Printed(lines) => self.say(&lines),
                            _ => {}
                        }
                        if Instant::now() > end {
                            self.health.lost("the last samples did not arrive in time");
                            break;
                        }
                    }
                    // The last second is seldom whole, and is all there is of it.
                    self.ledger.close(self.elapsed() + Duration::from_secs(1));
                    self.enter(Status::Completed);
                    self.publish_now();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    due = None;
                    self.publish();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// The log has it at once, whatever is kept for the report: there, what somebody has done outlives what a machine does
    /// every second, and what was refused.
    fn note(&mut self, intervention: Intervention) {
        self.chronicle.intervened(&intervention, SystemTime::now());
        let spared = |one: &Intervention| one.refused.is_none() && one.by != Author::Load;
        self.interventions.push_sparing(intervention, spared);
    }

    fn enter(&mut self, status: Status) {
        let over = matches!(status, Status::Teardown | Status::Completed);
        if over && self.ended.is_none() {
            self.ended = Some(self.elapsed());
        }
        self.status = status;
        self.untold = true;
    }

    /// An edit: other rules, which say at once what they would have said, and another Plan.
    fn revise(&mut self, edition: Edition, rules: Option<&Rules>, plan: Arc<Plan>) {
        self.standing.extend(&plan);
        if is_open(&plan) {
            self.lateness.get_or_insert_with(|| Trend::new(Scale::DAY, Resolution::TwoDigits));
        }
        self.plan = plan;
        self.judge.replan(&self.plan);
        self.by_code.began(edition.code, edition.at, &self.snapshot(Generator::default()));
        if let Some(rules) = rules {
            self.revision = edition.revision;
            let snapshot = self.snapshot(self.generator.clone());
            self.judge.replace(rules, edition.revision, &snapshot);
        }
        if edition.by == Author::File {
            self.broken_edit = None;
        }
        self.chronicle.edited(&edition);
        self.edits.push(edition);
        self.untold = true;
    }

    /// Run time; it stands still once the scenarios are over.
    fn elapsed(&self) -> Duration {
        let now = || self.clock.map_or(Duration::ZERO, |clock| clock.at(Instant::now()));
        self.ended.unwrap_or_else(now)
    }

    fn merge(&mut self, mut delta: Delta) {
        let shard = delta.shard;
        let now = Instant::now();
        let watched = Watched::new(self.ledger.specs());
        let mut moments: Vec<Moment> = self.plan.scenarios.iter().map(|_| Moment::new(now)).collect();
        let scenarios = &self.plan.scenarios;
        self.reached = Some(self.reached.map_or(delta.at, |reached| reached.min(delta.at)));
        self.ledger.book(&mut delta, |series, cell| {
            let scenario = series.tags.get("scenario").filter(|_| series.tags.get("phase").is_none());
            let at = scenario.and_then(|name| scenarios.iter().position(|scenario| scenario.name == name));
            if let Some(at) = at {
                watched.see(series.metric, cell, &mut moments[at]);
            }
        });
        // The last Snapshot holds the log: it is copied where there is something new, and only there.
        if !delta.recorder.errors.is_empty() {
            Arc::make_mut(&mut self.errors).absorb(&mut delta.recorder.errors);
        }
        self.lags.merge(&delta.loop_lag);
        if let Some(lateness) = &mut self.lateness {
            lateness.merge(&delta.lateness);
        }
        self.regrouped[shard] = delta.regrouped;
        self.standing.heard(shard, delta.scenarios, moments);
        self.by_code.absorb(&delta.accounts);
        self.connections.heard(shard, delta.connections);
        self.say(&delta.lines);
        self.reported[shard] = true;
        delta.recorder.clear();
        // A shard that has ended needs no spare.
        let _ = self.spares[shard].send(delta.recorder);
    }

    fn say(&mut self, lines: &[Line]) {
        self.prints.add(lines, self.sequence + 1);
        self.chronicle.lines(lines, SystemTime::now(), self.elapsed());
    }

    /// At a tick.
    fn publish(&mut self) {
        let now = Instant::now();
        let late =
            self.reported.iter().enumerate().filter(|(_, reported)| !**reported).map(|(shard, _)| shard).collect();
        self.reported.fill(false);
        self.refresh_all(now);
        self.connections.tick(now);
        self.count();
        let lags = std::mem::replace(&mut self.lags, Trend::new(Scale::DAY, Resolution::TwoDigits));
        let empty = || Trend::new(Scale::DAY, Resolution::TwoDigits);
        let lateness = self.lateness.as_mut().map(|lateness| std::mem::replace(lateness, empty()));
        let running = matches!(self.status, Status::Running | Status::Paused | Status::Stopping);
        let mut generator = self.health.tick(now, &lags, lateness.as_ref(), &self.errors, running);
        generator.warnings.extend(self.sightings.warnings());
        let begun = self.clock.map(|_| self.elapsed());
        self.sightings.book(&generator, &mut self.ledger, begun);
        if let Some(reached) = self.reached.take() {
            self.ledger.close(reached);
        }
        self.generator = Generator { late_shards: late, ..generator };
        self.tell();
    }

    /// Between two ticks, where something is to be told at once.
    fn publish_now(&mut self) {
        self.refresh_all(Instant::now());
        self.tell();
    }

    fn refresh_all(&mut self, now: Instant) {
        let (elapsed, begun) = (self.elapsed(), self.clock.is_some());
        self.standing.refresh_all(&Now { plan: &self.plan, ledger: &self.ledger, elapsed, begun, now });
    }

    /// Judges and publishes.
    fn tell(&mut self) {
        self.untold = false;
        self.sequence += 1;
        self.prints.forget(self.sequence);
        let mut generator = self.generator.clone();
        generator.series = self.ledger.series().len();
        generator.regrouped = self.regrouped.iter().sum();
        let mut snapshot = self.snapshot(generator);
        snapshot.code_revisions = self.by_code.tell(&snapshot);
        snapshot.components = components(&snapshot);
        if let Some((rollback, commands)) = &mut self.rollback
            && let Some(command) = rollback.judge(&snapshot)
        {
            let _ = commands.send(command); // a run that is over needs no rollback
        }
        let said = self.judge.judge(&snapshot);
        (snapshot.thresholds, snapshot.alerts, snapshot.alert_events) = (said.thresholds, said.alerts, said.events);
        let now = SystemTime::now();
        self.chronicle.events(self.events.take(), now, snapshot.elapsed);
        self.chronicle.note(&snapshot, now);
        snapshot.logs = Arc::clone(self.chronicle.journal());
        // Nobody may be watching; the next one is for whoever comes.
        self.publish.send_replace(Arc::new(snapshot));
    }

    /// All that is known at this moment, before it is judged.
    fn snapshot(&self, generator: Generator) -> Snapshot {
        let (prints, prints_before) = self.prints.shown();
        Snapshot {
            sequence: self.sequence,
            elapsed: self.elapsed(),
            warmup: self.plan.options.warmup,
            status: self.status,
            ending: Arc::clone(&self.ending),
            metrics: Arc::clone(self.ledger.specs()),
            series: self.ledger.series().to_vec(),
            scenarios: self.standing.states().to_vec(),
            recent: self.standing.recent(),
            interventions: self.interventions.clone(),
            errors: Arc::clone(&self.errors),
            connections: self.connections.state(),
            generator,
            prints,
            prints_before,
            revision: self.revision,
            edits: self.edits.clone(),
            broken_edit: self.broken_edit.clone(),
            captures: self.captures.clone(),
            plan: Some(Arc::clone(&self.plan)),
            history: Arc::clone(self.ledger.history()),
            roster: Arc::clone(&self.roster),
            machine: self.sightings.machine(),
            observed: self.sightings.observed(),
            ..Snapshot::default()
        }
    }

    /// The metrics that no shard can know alone: users and connections over all shards, and what was never started.
    fn count(&mut self) {
        if self.clock.is_none() {
            return;
        }
        let now = self.elapsed();
        let states = self.standing.states();
        let users: u32 = states.iter().map(|state| state.users).sum();
        let most: u32 = self.plan.scenarios.iter().map(|scenario| scenario.work.users_max()).sum();
        self.ledger.set("vus", TagSet::empty(), f64::from(users), now);
        self.ledger.set("vus_max", TagSet::empty(), f64::from(most), now);
        self.connections.book(&mut self.ledger, now);
        for state in states.iter().filter(|state| state.dropped > 0) {
            let tags = TagSet::new([("scenario", state.name.clone())]);
            self.ledger.set("dropped_iterations", tags, state.dropped as f64, now);
        }
    }
}

/// Whether anything comes at a rate, so that it can be late.
fn is_open(plan: &Plan) -> bool {
    plan.scenarios.iter().any(|scenario| matches!(scenario.work, Work::Arrivals { .. }))
}
