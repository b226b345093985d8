//! A run that goes on, as the door looks after it: what is told of each Snapshot, and its end.
//!
//! One task of the main thread for each run of the process. It knows nothing of the other runs; signals and what is typed
//! reach it as Commands, through the engine.

use super::captures::Captures;
use super::finish::{self, Times};
use crate::cli::args::Color;
use crate::cli::err;
use crate::cli::exit::Exit;
use crate::control::Command;
use crate::engine::Run;
use crate::logfile::LogFile;
use crate::plan::Plan;
use crate::progress::{Progress, Screen};
use crate::report;
use crate::snapshot::{Outputs, Snapshot};
use crate::target::RunningTarget;
use crate::webhook::Webhooks;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// How long the report waits for webhooks that were not delivered when the run ended.
const LAST_CHANCE: Duration = Duration::from_secs(3);

/// How a run is reported.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) color: Color,
    /// The summary as JSON on stdout, instead of the report.
    pub(super) json: bool,
    /// Whether a measurement that cannot be trusted decides the exit code.
    pub(super) invalid_fails: bool,
    /// Where the summary goes.
    pub(super) summary: Option<PathBuf>,
}

/// A run with all that was made for it.
pub(super) struct Running {
    /// The session's id.
    pub(super) id: String,
    /// What tells it from the others; `None` for one by itself.
    pub(super) label: Option<String>,
    pub(super) plan: Arc<Plan>,
    pub(super) run: Run,
    pub(super) demo: Option<RunningTarget>,
    pub(super) log: Option<LogFile>,
    pub(super) webhooks: Webhooks,
    /// What is told of the log and the webhooks, to the monitor.
    pub(super) outputs: watch::Sender<Arc<Outputs>>,
    pub(super) manner: Manner,
    pub(super) started_at: DateTime<Utc>,
    pub(super) began: Instant,
}

/// How a run is reached from elsewhere on the main thread.
#[derive(Clone)]
pub(super) struct Reach {
    pub(super) label: Option<String>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    plan: Arc<Plan>,
}

impl Reach {
    /// The Plan as edits have made it.
    pub(super) fn plan(&self) -> Arc<Plan> {
        self.snapshots.borrow().plan.clone().unwrap_or_else(|| Arc::clone(&self.plan))
    }

    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        self.snapshots.has_changed().is_err()
    }
}

impl Running {
    pub(super) fn reach(&self) -> Reach {
        Reach {
            label: self.label.clone(),
            commands: self.run.commands(),
            snapshots: self.run.snapshots(),
            plan: Arc::clone(&self.plan),
        }
    }

    /// Looks after it until it is over and reported. `stops` counts how often somebody wanted the end.
    pub(super) async fn attend(
        mut self,
        mut progress: Progress,
        screen: Screen,
        mut stops: watch::Receiver<u32>,
    ) -> Exit {
        let mut snapshots = self.run.snapshots();
        let mut told = Told::new(Captures::new(self.manner.summary.as_deref(), self.manner.invalid_fails));
        while snapshots.changed().await.is_ok() {
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            self.tell(&snapshot, &mut told, &mut progress);
        }
        progress.finish();
        if self.webhooks.is_busy() {
            stops.borrow_and_update();
            let last_chance = self.webhooks.drain(LAST_CHANCE);
            tokio::select! {
                () = last_chance => {}
                // Somebody wants the end at once.
                _ = stops.changed() => {}
            }
        }
        self.tell_outputs();
        self.end(&screen)
    }

    /// Everything that is told of a Snapshot.
    fn tell(&mut self, snapshot: &Snapshot, told: &mut Told, progress: &mut Progress) {
        for intervention in snapshot.interventions.since(told.interventions) {
            progress.say(&report::intervention(intervention));
        }
        told.interventions = snapshot.interventions.numbered();
        for line in told.captures.take(&self.plan, snapshot) {
            progress.say(&line);
        }
        let generator = &snapshot.generator;
        for why in generator.invalid.iter().chain(&generator.warnings) {
            if !told.warnings.contains(why) {
                progress.say(&format!("warning: {why}"));
                told.warnings.push(why.clone());
            }
        }
        if let Some(problem) = self.log.as_mut().and_then(|log| log.update(snapshot)) {
            progress.say(&problem);
        }
        progress.update(snapshot);
        self.webhooks.update(snapshot);
        self.tell_outputs();
    }

    fn tell_outputs(&self) {
        let log = self.log.as_ref().map(LogFile::output);
        let now = Outputs { deliveries: self.webhooks.deliveries(), log };
        self.outputs.send_if_modified(|told| {
            let new = **told != now;
            if new {
                *told = Arc::new(now);
            }
            new
        });
    }

    /// Waits until all its threads have ended, and reports.
    pub(super) fn end(self, screen: &Screen) -> Exit {
        let Running { id, label, plan, run, demo, mut log, webhooks, manner, started_at, began, .. } = self;
        let (snapshot, ending) = run.join();
        let unlogged = log.as_mut().and_then(|log| log.update(&snapshot));
        drop(demo);
        let plan = snapshot.plan.clone().unwrap_or(plan); // as edits have made it
        let times = Times { started_at, wall: began.elapsed() };
        screen.aside(|| {
            unlogged.iter().for_each(|problem| err(&format!("{problem}\n")));
            let heading = label.map(|label| finish::heading(&label, &plan, &id));
            finish::finish(&manner, heading.as_deref(), &plan, (&snapshot, &ending), times, webhooks.finish())
        })
    }
}

/// What was told of a run already.
struct Told {
    captures: Captures,
    interventions: u64,
    warnings: Vec<String>,
}

impl Told {
    fn new(captures: Captures) -> Self {
        Told { captures, interventions: 0, warnings: Vec::new() }
    }
}
