//! Loads that are steered by what is measured: `adaptive` asks a closure of the script, `find_capacity` searches.
//!
//! Turned by the thread that asks (`asking`). It sees Snapshots and sends Commands, as anybody may; it knows no shard.

use super::asking::ask;
use super::collector::ToCollector;
use super::window::Window;
use crate::control::{Author, Command};
use crate::expr::{Moment, Selector, View};
use crate::load::{Goal, Model, Next, Search, Steered, Steering, Window as Observation};
use crate::metrics::{Cell, Trend};
use crate::plan::{Plan, Scenario};
use crate::script::duration::{Rate, Span};
use crate::script::machine::Machine;
use crate::snapshot::Snapshot;
use crate::snapshot::{ScenarioState, Status};
use rhai::{Dynamic, Map};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How often a closure is asked.
const EVERY: Duration = Duration::from_secs(1);
/// A look may be so much early: Snapshots come twice a second, about.
const SOON: Duration = Duration::from_millis(100);
/// Whether any load of the Plan asks a closure of the script.
pub(super) fn asks(plan: &Plan) -> bool {
    plan.scenarios.iter().filter_map(steered).any(|steered| matches!(steered.how, Steering::Closure))
}

fn steered(scenario: &Scenario) -> Option<Steered> {
    scenario.work.load()?.shape.steered()
}

/// The steered scenarios of a Plan. What an edit leaves as it is goes on where it was among `known`.
pub(super) fn helms(plan: &Plan, known: Vec<Helm>) -> Vec<Helm> {
    let mut known = known;
    let loads = plan.scenarios.iter().enumerate();
    let loads = loads.filter_map(|(at, scenario)| Some((at, scenario, steered(scenario)?)));
    loads
        .map(|(at, scenario, steered)| {
            let helm = Helm::new((at, scenario, steered));
            match known.iter().position(|known| known.is_same(&helm)) {
                Some(found) => Helm { at, scenario: helm.scenario, ..known.swap_remove(found) },
                None => helm,
            }
        })
        .collect()
}

/// One steered scenario.
pub(super) struct Helm {
    /// Which of the Plan, and so of the Machine.
    at: usize,
    scenario: Scenario,
    model: Model,
    steered: Steered,
    search: Option<(Search, Arc<Goal>)>,
    /// Where the window that is looked at began.
    since: Option<Arc<Snapshot>>,
    /// The value that was asked for last.
    value: f64,
    /// When the next look is due, in the shape's own time.
    due: Duration,
    over: bool,
}

impl Helm {
    fn new((at, scenario, steered): (usize, &Scenario, Steered)) -> Self {
        let model = scenario.work.load().map_or(Model::Users, |load| load.model);
        let search = match &steered.how {
            Steering::Capacity(goal) => Some((Search::new(Goal::clone(goal), model == Model::Users), Arc::clone(goal))),
            Steering::Closure => None,
        };
        let value = search.as_ref().map_or(0.0, |(search, _)| search.value());
        Helm {
            at,
            scenario: scenario.clone(),
            model,
            due: steered.from,
            steered,
            search,
            since: None,
            value,
            over: false,
        }
    }

    /// Whether an edit left it as it is.
    fn is_same(&self, other: &Helm) -> bool {
        let shape = |helm: &Helm| helm.scenario.work.load().map(|load| load.shape.to_string());
        let objective = self.scenario.objective.iter().map(|rule| &rule.source);
        self.scenario.name == other.scenario.name
            && self.model == other.model
            && shape(self) == shape(other)
            && objective.eq(other.scenario.objective.iter().map(|rule| &rule.source))
    }

    /// Where it stands in the Snapshot, which keeps the order in which scenarios came.
    fn place(&self, snapshot: &Snapshot) -> Option<usize> {
        snapshot.scenarios.iter().position(|state| state.name == self.scenario.name)
    }

    /// Looks at a Snapshot; changes the load when it is time to. Without a Machine no closure is asked.
    pub(super) fn turn(
        &mut self,
        machine: Option<&Machine>,
        snapshot: &Arc<Snapshot>,
        send: &dyn Fn(Command),
        found: &mpsc::Sender<ToCollector>,
    ) {
        let Some(place) = self.place(snapshot) else { return };
        let state = &snapshot.scenarios[place];
        let begun = state.begins.filter(|begins| snapshot.elapsed >= *begins);
        let Some(begins) = begun.filter(|_| !self.over && snapshot.status == Status::Running) else { return };
        let local = snapshot.elapsed - begins;
        if local + SOON < self.due {
            return;
        }
        let (by, scenario) = (Author::Load, self.scenario.name.clone());
        if self.steered.until.is_some_and(|until| local >= until) {
            self.give_up(snapshot, found);
            self.over = true;
            let end = self.scenario.work.load().and_then(|load| load.shape.duration());
            if end.is_none_or(|end| local < end) {
                send(Command::Replan { by, scenario });
            }
            return;
        }
        let Some(since) = self.since.replace(Arc::clone(snapshot)) else {
            // Nothing to look at yet: a search begins where its plan does, a closure says where.
            self.due = local + self.every();
            if self.search.is_none() {
                self.ask(machine, (snapshot, snapshot), local, send);
            }
            return;
        };
        // From when it was due, so that a late Snapshot does not slow the steering down; what was missed is not made up for.
        self.due = (self.due + self.every()).max(local);
        match &mut self.search {
            None => self.ask(machine, (&since, snapshot), local, send),
            Some((search, _)) => match search.observe(observe(&self.scenario, (&since, snapshot), place, self.value)) {
                Next::Run(value) => {
                    if value != self.value {
                        self.value = value;
                        send(Command::Scale { by, scenario, to: value });
                    }
                }
                Next::Done(answer) => {
                    self.over = true;
                    send(Command::End { by, scenario, why: answer.to_string() });
                    let _ = found.send(ToCollector::Found { scenario: place, answer });
                }
            },
        }
    }

    /// The run ends before the search does: what it knows is its answer.
    pub(super) fn give_up(&self, snapshot: &Snapshot, found: &mpsc::Sender<ToCollector>) {
        if let (Some((search, _)), false, Some(place)) = (&self.search, self.over, self.place(snapshot)) {
            let _ = found.send(ToCollector::Found { scenario: place, answer: search.answer() });
        }
    }

    fn every(&self) -> Duration {
        self.search.as_ref().map_or(EVERY, |(_, goal)| goal.every)
    }

    /// Asks the closure for a value. One that fails, or says nothing, leaves the load as it is.
    fn ask(
        &mut self,
        machine: Option<&Machine>,
        (since, snapshot): (&Snapshot, &Snapshot),
        local: Duration,
        send: &dyn Fn(Command),
    ) {
        let Some(machine) = machine else { return };
        let Some(closure) = machine.scenarios.get(self.at).and_then(|functions| functions.as_ref()?.steer.as_ref())
        else {
            return;
        };
        let Some(state) = self.place(snapshot).map(|place| &snapshot.scenarios[place]) else { return };
        let live = live(&self.scenario, (since, snapshot), state, self.value);
        let time = Span::of(local.saturating_sub(self.steered.from));
        let by = Author::Load;
        let why = match ask(machine, closure, vec![Dynamic::from(time), Dynamic::from_map(live)]) {
            Ok(value) if value.is_unit() => return,
            Ok(value) => match number(&value) {
                Some(value) => {
                    let most = self.scenario.work.load().map_or(f64::MAX, |load| match load.model {
                        Model::Users => load.shape.peak(Duration::MAX),
                        Model::Rate => f64::MAX,
                    });
                    let value = if self.model == Model::Users { value.round().min(most) } else { value };
                    if value != self.value {
                        self.value = value;
                        send(Command::Scale { by, scenario: self.scenario.name.clone(), to: value });
                    }
                    return;
                }
                None => format!("its closure returned {value}, which is no number from 0 on"),
            },
            Err(why) => why,
        };
        send(Command::Note { by, what: format!("{}: adaptive", self.scenario.name), why });
    }
}

/// A number of users or a rate, from 0 on.
fn number(value: &Dynamic) -> Option<f64> {
    let rate = || value.clone().try_cast::<Rate>().map(|rate| rate.0);
    let number = value.as_float().ok().or_else(|| value.as_int().ok().map(|whole| whole as f64)).or_else(rate)?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// How a window of a search went.
fn observe(scenario: &Scenario, (from, to): (&Snapshot, &Snapshot), at: usize, wanted: f64) -> Observation {
    let window = Window::between(from, to);
    let judged = scenario.objective.iter().map(|rule| rule.judge(&window, Moment::Running).passed);
    let judged: Vec<Option<bool>> = judged.collect();
    let met = if judged.contains(&Some(false)) {
        Some(false)
    } else {
        judged.iter().all(|passed| *passed == Some(true)).then_some(true)
    };
    let (then, now) = (from.scenarios.get(at), to.scenarios.get(at));
    let started = |state: Option<&ScenarioState>| {
        state.map_or(0, |state| state.arrivals.saturating_sub(state.waiting + state.dropped)) as f64
    };
    let achieved = match scenario.work.load().map(|load| load.model) {
        Some(Model::Rate) => (started(now) - started(then)) / window.elapsed_seconds().max(1e-3),
        _ => f64::from(now.map_or(0, |state| state.users)),
    };
    Observation { met, wanted, achieved }
}

/// The live figures of a closure: of the last second, and of its own scenario.
fn live(scenario: &Scenario, (from, to): (&Snapshot, &Snapshot), state: &ScenarioState, target: f64) -> Map {
    let window = Window::between(from, to);
    let of = |metric: &str| window.cell(&Selector::of(metric).with("scenario", &scenario.name));
    let seconds = window.elapsed_seconds();
    let per_second = |metric: &str| match of(metric) {
        Some(Cell::Counter { sum, .. }) if seconds > 0.0 => sum / seconds,
        _ => 0.0,
    };
    let failed = match of("http_req_failed") {
        Some(Cell::Rate { passes, total }) if total > 0 => Dynamic::from(passes as f64 / total as f64),
        _ => Dynamic::UNIT,
    };
    let trend = |metric: &str| match of(metric) {
        Some(Cell::Trend(trend)) => Some(trend).filter(|trend| trend.count() > 0),
        _ => None,
    };
    let time = |trend: &Option<Trend>, percent: f64| {
        let value = trend.as_ref().and_then(|trend| trend.percentile(percent));
        value.map_or(Dynamic::UNIT, |ms| Dynamic::from(Span::of_ms(ms)))
    };
    let (plain, scheduled) = (trend("http_req_duration"), trend("http_req_scheduled_duration"));
    let mut live = Map::new();
    for (name, value) in [
        ("target", Dynamic::from(target)),
        ("users", Dynamic::from(i64::from(state.users))),
        ("iterations", Dynamic::from(per_second("iterations"))),
        ("requests", Dynamic::from(per_second("http_reqs"))),
        ("failed", failed),
        ("waiting", Dynamic::from(state.waiting as i64)),
        ("dropped", Dynamic::from(state.dropped as i64)),
        ("p50", time(&plain, 50.0)),
        ("p90", time(&plain, 90.0)),
        ("p95", time(&plain, 95.0)),
        ("p99", time(&plain, 99.0)),
        ("scheduled_p95", time(&scheduled, 95.0)),
        ("scheduled_p99", time(&scheduled, 99.0)),
    ] {
        live.insert(name.into(), value);
    }
    live
}
