//! Where each scenario stands: users, targets, iterations, progress, figures of the last seconds.
//!
//! Kept by the collector from what shards say of themselves with every Delta; read into every Snapshot.

use super::ledger::Ledger;
use super::recent::{Moment, RECENT, recent, total};
use crate::load::{Answer, Target};
use crate::metrics::ScenarioDelta;
use crate::plan::{Plan, Work};
use crate::snapshot::{Recent, ScenarioState};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// All scenarios of a run, in the order of the Plan.
pub(super) struct Standing {
    states: Vec<ScenarioState>,
    /// What each shard said last.
    shards: Vec<Vec<ScenarioDelta>>,
    moments: Vec<VecDeque<Moment>>,
    /// Targets that somebody set.
    scaled: Vec<Option<f64>>,
    /// How many scenarios the run began with; an edit adds more.
    begun_with: usize,
}

/// The moment of the run that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a Ledger,
    pub(super) elapsed: Duration,
    /// Whether the scenarios have started.
    pub(super) begun: bool,
    pub(super) now: Instant,
}

impl Standing {
    pub(super) fn new(plan: &Plan, shards: usize) -> Self {
        let mut standing = Standing {
            states: Vec::new(),
            shards: vec![Vec::new(); shards],
            moments: Vec::new(),
            scaled: Vec::new(),
            begun_with: plan.scenarios.len(),
        };
        standing.extend(plan);
        standing
    }

    /// Scenarios that a Plan has beyond those that are known.
    pub(super) fn extend(&mut self, plan: &Plan) {
        for scenario in plan.scenarios.iter().skip(self.states.len()) {
            let (name, after) = (scenario.name.clone(), scenario.after.clone());
            self.states.push(ScenarioState { name, after, ..ScenarioState::default() });
            self.moments.push(VecDeque::new());
            self.scaled.push(None);
            self.shards.iter_mut().for_each(|shard| shard.push(ScenarioDelta::default()));
        }
    }

    /// Somebody set another target, or took it back.
    pub(super) fn scaled(&mut self, scenario: usize, to: Option<f64>) {
        self.scaled[scenario] = to;
    }

    /// A search for the capacity is over.
    pub(super) fn found(&mut self, scenario: usize, answer: Answer) {
        self.states[scenario].found = Some(answer);
    }

    /// What a shard says of a tick. It may know fewer scenarios than we do, if an edit has just added some.
    pub(super) fn heard(&mut self, shard: usize, said: Vec<ScenarioDelta>, moments: Vec<Moment>) {
        self.shards[shard].splice(..said.len(), said);
        for (recent, moment) in self.moments.iter_mut().zip(moments) {
            recent.push_back(moment);
        }
    }

    /// As a Snapshot tells it.
    pub(super) fn states(&self) -> &[ScenarioState] {
        &self.states
    }

    /// Figures of the last seconds, over all scenarios.
    pub(super) fn recent(&self) -> Recent {
        total(&self.moments, Instant::now())
    }

    /// Brings every scenario to this moment.
    pub(super) fn refresh_all(&mut self, run: &Now<'_>) {
        for at in 0..self.states.len() {
            self.refresh(at, run);
        }
    }

    fn refresh(&mut self, at: usize, run: &Now<'_>) {
        let Now { plan, ledger, elapsed, begun: started, now } = *run;
        let declared = &plan.scenarios[at];
        let of_shards = || self.shards.iter().map(|shard| shard[at]);
        let iterations = ledger.counted("iterations", &declared.name);
        let users = of_shards().map(|shard| shard.users).sum();
        // The shards' peaks need not have been at one moment, but never did the load ask for more than this.
        let peaks = of_shards().map(|shard| shard.peak).sum::<u32>().min(declared.work.users_max());
        let done = started && of_shards().all(|shard| shard.done);
        let promised = declared.work.iterations();
        let first = at < self.begun_with;
        let planned = (first && started && declared.after.is_none()).then_some(declared.starts);
        let begins = of_shards().find_map(|shard| shard.begins).or(planned);
        let begun = begins.is_some_and(|begins| elapsed >= begins);
        let local = elapsed.saturating_sub(begins.unwrap_or_default());
        let share = |part: f64, whole: f64| if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 };
        let progress = match (promised, declared.work.duration()) {
            _ if done => 1.0,
            _ if !begun => 0.0,
            (Some(all), _) => share(iterations as f64, all as f64),
            (None, Some(duration)) => share(local.as_secs_f64(), duration.as_secs_f64()),
            (None, None) => 0.0,
        };
        let interrupted = of_shards().map(|shard| shard.interrupted).sum();
        let planned = declared.work.load().filter(|_| begun && !done).and_then(|load| load.target(local));
        let planned = planned.map(|target| match (target, self.scaled[at]) {
            (Target::Users(_), Some(to)) => Target::Users(to as u32),
            (Target::Rate(_), Some(to)) => Target::Rate(to),
            (target, None) => target,
        });
        let (target, target_rate) = match (&declared.work, planned) {
            (_, Some(Target::Users(users))) => (Some(users), None),
            (work, Some(Target::Rate(rate))) => (Some(work.users_max()), Some(rate)),
            (Work::Load(_) | Work::Arrivals { .. }, None) => (None, None),
            (work, None) => ((begun && !done).then(|| work.users_max()), None),
        };
        // What was promised and has not begun when all is over was dropped.
        let left = promised.filter(|_| done).map_or(0, |all| all.saturating_sub(iterations + interrupted));
        let dropped = left + of_shards().map(|shard| shard.dropped).sum::<u64>();
        let waiting = of_shards().map(|shard| shard.waiting).sum();
        let arrivals = of_shards().map(|shard| shard.arrivals).sum();
        while self.moments[at].len() > RECENT * self.shards.len().max(1) {
            self.moments[at].pop_front();
        }
        let recent = recent(self.moments[at].iter(), now);
        let state = &mut self.states[at];
        state.users_max = state.users_max.max(users).max(peaks);
        (state.users, state.target, state.iterations, state.interrupted) = (users, target, iterations, interrupted);
        (state.dropped, state.progress, state.done, state.recent) = (dropped, progress, done, recent);
        state.scaled = self.scaled[at].is_some();
        (state.target_rate, state.arrivals, state.waiting, state.begins) = (target_rate, arrivals, waiting, begins);
    }
}
