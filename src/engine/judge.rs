//! The judge: says at every tick what each threshold says and where each alert is, remembers, ends what must not go on, and
//! judges new rules over what was measured before them.
//!
//! Called by the collector for every Snapshot before it is published. What has a window is judged once a second, when a
//! second is over; everything else at each tick.

mod bell;
mod memory;
mod replay;
mod term;
mod verdicts;

use super::window::{Eyes, Window};
use crate::control::{Author, Command};
use crate::expr::{Abort, AlertRule, ClosureRule, Judgement, Moment, Rules, ThresholdRule};
use crate::plan::Plan;
use crate::snapshot::Status;
use crate::snapshot::{AlertEvent, AlertPhase, AlertState, Snapshot, Verdict};
use crate::units::duration;
use bell::{Bell, Edge};
use memory::Memory;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};
use term::Term;
use tokio::sync::mpsc;
use verdicts::{closure_verdict, verdict};

/// Edges of alerts that are kept.
const EVENTS: usize = 1_000;

/// Judges the rules of one run.
pub(super) struct Judge {
    plan: Arc<Plan>,
    revision: u64,
    thresholds: Vec<Watched<ThresholdRule>>,
    closures: Vec<Watched<ClosureRule>>,
    alerts: Vec<Bell>,
    events: VecDeque<Arc<AlertEvent>>,
    /// Events so far.
    numbered: u64,
    eyes: RefCell<Eyes>,
    /// When each scenario was seen to be done.
    ended: Vec<Option<Duration>>,
    /// The last second that windows were judged at.
    second: Duration,
    commands: mpsc::UnboundedSender<Command>,
    /// A breach has ended the run.
    over: bool,
}

/// A threshold and what is remembered of it.
struct Watched<R> {
    rule: R,
    memory: Memory,
    /// The revision that brought it, as it stands.
    revision: u64,
    /// Run time at which that was.
    since: Duration,
    /// Its breach ended something: it stays broken, whatever the drain shows.
    ended: bool,
    /// Of a closure: whether a breach stands, because it asked for a window.
    windowed: bool,
    note: Option<String>,
}

/// What the judge says of one Snapshot.
pub(super) struct Said {
    pub(super) thresholds: Vec<Verdict>,
    pub(super) alerts: Vec<AlertState>,
    pub(super) events: Vec<Arc<AlertEvent>>,
}

/// What a closure answered.
pub(super) struct ClosureAnswer {
    pub(super) name: String,
    pub(super) revision: u64,
    pub(super) at: Duration,
    pub(super) windowed: bool,
    /// `Ok(None)`: it had no data.
    pub(super) said: Result<Option<bool>, String>,
}

/// The moment that is judged.
struct Now<'a> {
    snapshot: &'a Snapshot,
    /// Run time, and the last second that is over.
    at: Duration,
    second: Duration,
    /// Whether that second is new.
    turned: bool,
    live: bool,
    over: bool,
}

impl Judge {
    pub(super) fn new(plan: &Arc<Plan>, commands: mpsc::UnboundedSender<Command>) -> Self {
        let mut judge = Judge {
            plan: Arc::clone(plan),
            revision: 1,
            thresholds: Vec::new(),
            closures: Vec::new(),
            alerts: Vec::new(),
            events: VecDeque::new(),
            numbered: 0,
            eyes: RefCell::default(),
            ended: Vec::new(),
            second: Duration::ZERO,
            commands,
            over: false,
        };
        let rules = &plan.rules;
        judge.thresholds = rules.thresholds.iter().map(|rule| Watched::new(rule.clone(), 1, Duration::ZERO)).collect();
        judge.closures = rules.closures.iter().map(|rule| Watched::new(rule.clone(), 1, Duration::ZERO)).collect();
        judge.alerts = rules.alerts.iter().map(|rule| Bell::new(rule.clone(), 1, Duration::ZERO)).collect();
        judge
    }

    /// What every rule says of a Snapshot. A breach that must end something does so, once.
    pub(super) fn judge(&mut self, snapshot: &Snapshot) -> Said {
        let now = self.now(snapshot);
        self.second = now.second;
        for at in 0..self.thresholds.len() {
            self.watch(at, &now);
        }
        for at in 0..self.closures.len() {
            self.end_by_closure(at, &now);
        }
        for at in 0..self.alerts.len() {
            self.ring(at, &now);
        }
        let thresholds = self.thresholds.iter().map(|watched| verdict(watched, &now, &self.eyes));
        let closures = self.closures.iter().map(closure_verdict);
        Said {
            thresholds: thresholds.chain(closures).collect(),
            alerts: self.alerts.iter().map(Bell::state).collect(),
            events: self.events.iter().cloned().collect(),
        }
    }

    fn now<'a>(&mut self, snapshot: &'a Snapshot) -> Now<'a> {
        self.ended.resize(snapshot.scenarios.len(), None);
        for (ended, state) in self.ended.iter_mut().zip(&snapshot.scenarios) {
            if state.done {
                ended.get_or_insert(snapshot.elapsed);
            }
        }
        let closed = snapshot.history.read().unwrap_or_else(PoisonError::into_inner).closed();
        let over = snapshot.status == Status::Completed;
        let second = if over { closed } else { closed.min(snapshot.elapsed) };
        Now {
            snapshot,
            at: snapshot.elapsed,
            second,
            turned: second > self.second,
            live: matches!(snapshot.status, Status::Running | Status::Paused),
            over,
        }
    }

    /// Judges one threshold, and ends what its breach must end.
    fn watch(&mut self, at: usize, now: &Now<'_>) {
        let watched = &mut self.thresholds[at];
        if watched.ended {
            return;
        }
        let rule = &watched.rule;
        let seen = Window::watched(now.snapshot, &self.eyes);
        let show = |judgement| rule.condition.show(judgement);
        let lasting = rule.condition.lasting.unwrap_or_default();
        let window = rule.condition.window();
        let when = match window {
            None if now.over && rule.condition.is_momentary() => {
                watched.memory.see(now.at, rule.judge(&seen, Moment::End), lasting, show);
                return;
            }
            None if now.live || rule.condition.is_momentary() => now.at,
            Some(window) if now.live && now.turned => {
                let term = Term::of(&self.plan, now.snapshot, &self.ended, rule.watched().tag("scenario"));
                if !term.holds(now.second, window) || now.second < rule.options.grace {
                    return;
                }
                now.second
            }
            _ => {
                if now.over && watched.memory.last.is_none() {
                    // It was never judged: by what there is, and saying so.
                    watched.memory.see(now.at, rule.judge(&seen, Moment::End), Duration::ZERO, show);
                    let why = |window| format!("the run was shorter than its window of {}", duration::print(window));
                    watched.note = window.map(why);
                }
                return;
            }
        };
        watched.memory.see(when, rule.judge(&seen, Moment::Running), lasting, show);
        let after = when.saturating_sub(watched.since);
        if now.snapshot.status == Status::Running
            && after >= rule.options.grace.max(window.unwrap_or_default())
            && watched.memory.is_broken_after(when, watched.since, lasting)
            && !self.over
        {
            let why = format!("threshold `{}: {}` was broken", rule.selector, rule.source);
            let Some(command) = end(&rule.options.abort, why) else { return };
            watched.ended = true;
            self.over |= matches!(command, Command::Stop { .. });
            // The coordinator is there as long as anything runs.
            let _ = self.commands.send(command);
        }
    }

    /// Ends what a closure's answer must end.
    fn end_by_closure(&mut self, at: usize, now: &Now<'_>) {
        let Watched { rule, memory, since, ended, .. } = &mut self.closures[at];
        let broken = memory.is_broken_after(now.at, *since, rule.options.lasting.unwrap_or_default());
        let after = now.at.saturating_sub(*since);
        if now.snapshot.status == Status::Running && after >= rule.options.grace && broken && !*ended && !self.over {
            let why = format!("threshold `{}` was broken", rule.name);
            let Some(command) = end(&rule.options.abort, why) else { return };
            *ended = true;
            self.over |= matches!(command, Command::Stop { .. });
            let _ = self.commands.send(command);
        }
    }

    /// Takes in what a closure answered.
    pub(super) fn answered(&mut self, answer: ClosureAnswer) {
        let Some(watched) = self.closures.iter_mut().find(|watched| watched.rule.name == answer.name) else { return };
        if answer.revision < watched.revision || watched.ended {
            return; // of a closure that was edited since
        }
        let passed = answer.said.as_ref().ok().copied().flatten();
        watched.windowed |= answer.windowed;
        watched.note = answer.said.err().map(|why| format!("it could not be asked: {why}"));
        let options = &watched.rule.options;
        if watched.windowed && answer.at < options.grace {
            return; // as a window of an expression
        }
        let lasting = options.lasting.unwrap_or_default();
        watched.memory.see(answer.at, Judgement { passed, observed: None, part: 0 }, lasting, |_| None);
    }

    /// Somebody has seen that an alert rings.
    pub(super) fn acknowledge(&mut self, id: &str, who: String) -> Result<(), String> {
        let bell = self.alerts.iter_mut().find(|bell| bell.fired > 0 && bell.id() == id);
        let bell = bell.ok_or_else(|| format!("`{id}` is the last ringing of no alert"))?;
        bell.acknowledged_by = Some(who.clone());
        let ring = self.events.iter_mut().find(|event| event.firing && event.id == id);
        if let Some(ring) = ring {
            Arc::make_mut(ring).acknowledged_by = Some(who);
        }
        Ok(())
    }

    /// Looks at one alert.
    fn ring(&mut self, at: usize, now: &Now<'_>) {
        let bell = &mut self.alerts[at];
        if now.snapshot.status != Status::Running {
            return;
        }
        let window = bell.rule.window();
        let when = match window {
            None => now.at,
            Some(window) => {
                let scenario = scenario_of(&bell.rule);
                let term = Term::of(&self.plan, now.snapshot, &self.ended, scenario);
                if let Some(scenario) =
                    scenario.filter(|_| bell.phase == AlertPhase::Firing && term.is_over(now.second))
                {
                    // Nobody can say any more whether it goes on.
                    let because = Some(format!("the load of `{scenario}` is over"));
                    bell.end(now.at);
                    let bell = bell.clone();
                    self.tell(&bell, Edge::Resolves, now.at, because);
                    return;
                }
                if !now.turned || !term.after(bell.brought).holds(now.second, window) {
                    return;
                }
                now.second
            }
        };
        let seen = Window::watched(now.snapshot, &self.eyes);
        let said = bell.rule.condition.judge(&seen, Moment::Running);
        let resolve = bell.rule.resolve_when.as_ref().map(|(_, condition)| condition.judge(&seen, Moment::Running));
        if let Some(edge) = bell.turn(when, said, resolve) {
            let bell = bell.clone();
            self.tell(&bell, edge, when, None);
        }
    }

    /// Writes an edge down.
    fn tell(&mut self, bell: &Bell, edge: Edge, at: Duration, because: Option<String>) {
        self.numbered += 1;
        let (value, value_text) = bell.value();
        self.events.push_back(Arc::new(AlertEvent {
            number: self.numbered,
            id: bell.id(),
            name: bell.rule.name.clone(),
            firing: edge == Edge::Fires,
            at,
            time: SystemTime::now(),
            severity: bell.rule.severity,
            when: bell.rule.source.clone(),
            value,
            value_text,
            description: bell.rule.description.clone(),
            resolution: bell.rule.resolution.clone(),
            because,
            acknowledged_by: None,
            notify: bell.rule.notify.as_slice().into(),
        }));
        if self.events.len() > EVENTS {
            self.events.pop_front();
        }
    }

    /// The Plan was edited: its loads, maybe its scenarios.
    pub(super) fn replan(&mut self, plan: &Arc<Plan>) {
        self.plan = Arc::clone(plan);
    }

    /// Other rules judge from now on. Those that are as they were go on; those that are new are judged over the past at once.
    pub(super) fn replace(&mut self, rules: &Rules, revision: u64, snapshot: &Snapshot) {
        let at = snapshot.elapsed;
        self.now(snapshot);
        self.revision = revision;
        self.eyes = RefCell::default();
        let mut old = std::mem::take(&mut self.thresholds);
        for rule in &rules.thresholds {
            let known = old.iter().position(|known| same(&known.rule, rule));
            let watched = match known.map(|known| old.swap_remove(known)) {
                Some(known) => Watched { rule: rule.clone(), ..known },
                None => {
                    let term = Term::of(&self.plan, snapshot, &self.ended, rule.watched().tag("scenario"));
                    let memory = replay::threshold(rule, snapshot, term);
                    let step = replay::precision(snapshot);
                    let coarse = step > Duration::from_secs(1);
                    let note = coarse.then(|| format!("looked back in steps of up to {}", duration::print(step)));
                    Watched { memory, note, ..Watched::new(rule.clone(), revision, at) }
                }
            };
            self.thresholds.push(watched);
        }
        let mut old = std::mem::take(&mut self.closures);
        for rule in &rules.closures {
            let as_it_was = |known: &Watched<ClosureRule>| {
                known.rule.name == rule.name && known.rule.source == rule.source && known.rule.options == rule.options
            };
            let known = old.iter().position(as_it_was).map(|known| old.swap_remove(known));
            let fresh = || Watched::new(rule.clone(), revision, at);
            self.closures.push(known.map_or_else(fresh, |known| Watched { rule: rule.clone(), ..known }));
        }
        self.replace_alerts(&rules.alerts, snapshot);
    }

    fn replace_alerts(&mut self, rules: &[AlertRule], snapshot: &Snapshot) {
        let (at, revision) = (snapshot.elapsed, self.revision);
        let mut old = std::mem::take(&mut self.alerts);
        for rule in rules {
            let known = old.iter().position(|known| known.rule.name == rule.name).map(|known| old.swap_remove(known));
            let as_it_was = |known: &Bell| {
                AlertRule { span: None, ..known.rule.clone() } == AlertRule { span: None, ..rule.clone() }
            };
            let bell = match known {
                Some(mut known) if as_it_was(&known) => {
                    known.rule = rule.clone(); // it may stand on another line
                    known
                }
                known => {
                    let mut bell = Bell::new(rule.clone(), revision, at);
                    let term = Term::of(&self.plan, snapshot, &self.ended, scenario_of(rule));
                    replay::alert(&mut bell, snapshot, term);
                    known.iter().for_each(|known| bell.inherit(known));
                    bell
                }
            };
            self.alerts.push(bell);
        }
        for gone in old.iter().filter(|gone| gone.phase == AlertPhase::Firing) {
            self.tell(gone, Edge::Resolves, at, Some(format!("removed by revision {revision}")));
        }
    }
}

impl<R> Watched<R> {
    fn new(rule: R, revision: u64, since: Duration) -> Self {
        Watched { rule, memory: Memory::default(), revision, since, ended: false, windowed: false, note: None }
    }
}

/// How a breach is answered, if it ends anything.
fn end(abort: &Abort, why: String) -> Option<Command> {
    match abort {
        Abort::No => None,
        Abort::Run => Some(Command::Stop { by: Author::Threshold, why }),
        Abort::Scenario(scenario) => Some(Command::End { by: Author::Threshold, scenario: scenario.clone(), why }),
    }
}

/// Whether a rule is the same across an edit, so that all that it remembers is still true.
fn same(one: &ThresholdRule, other: &ThresholdRule) -> bool {
    one.is_same(other) && one.condition == other.condition && one.options == other.options
}

/// The scenario that an alert is about, where it is about one.
fn scenario_of(rule: &AlertRule) -> Option<&str> {
    let mut scenarios = rule.condition.quantities().into_iter().map(|quantity| quantity.selector.tag("scenario"));
    let first = scenarios.next()?;
    first.filter(|_| scenarios.all(|other| other == first))
}

#[cfg(test)]
mod tests;
