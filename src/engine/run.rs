//! A run as the door holds it: how it is started, watched, changed and waited for.

use super::company::{Company, thread_name};
use super::coordinator::coordinate;
use super::reload::Watch;
use super::shard;
use crate::control::Command;
use crate::plan::Plan;
use crate::snapshot::{Ending, Snapshot};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::{mpsc, watch};

/// What a run is started with, beside its Plan.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that run users.
    pub shards: usize,
    /// Where `demo://shop` is, when the Plan needs it.
    pub demo_url: Option<String>,
    /// Whether the scenarios begin paused.
    pub paused: bool,
    /// Whether an edit of the code that makes errors is undone.
    pub rollback_on_errors: bool,
    /// The script's files, whose edits come into the run; `None` looks at none.
    pub watch: Option<Watch>,
    /// The other runs of this process; `None` for one by itself.
    pub company: Option<Company>,
}

impl Settings {
    /// So many shards, and nothing else.
    pub fn new(shards: usize) -> Self {
        Settings { shards, demo_url: None, paused: false, rollback_on_errors: false, watch: None, company: None }
    }
}

/// Why a run could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// A run that is going on.
pub struct Run {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::UnboundedSender<Command>,
    coordinator: JoinHandle<Ending>,
}

impl Run {
    /// Starts all threads and returns at once.
    ///
    /// # Errors
    /// See [`StartError`]; everything later is told by the [`Ending`].
    pub fn start(plan: Arc<Plan>, settings: Settings) -> Result<Run, StartError> {
        let (commands, orders) = mpsc::unbounded_channel();
        let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        let own = commands.clone();
        let coordinator = thread::Builder::new()
            .name(thread_name(settings.company, "coordinator"))
            .spawn(move || coordinate(&plan, &settings, &own, orders, publish))?;
        Ok(Run { snapshots, commands, coordinator })
    }

    /// The latest Snapshot, and a way to wait for the next.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The one door for changes.
    pub fn commands(&self) -> mpsc::UnboundedSender<Command> {
        self.commands.clone()
    }

    /// Waits for the end of the run: the last Snapshot and how it ended.
    pub fn join(self) -> (Arc<Snapshot>, Ending) {
        let ending = self.coordinator.join().unwrap_or_else(|panic| Ending {
            bug: Some(format!("the coordinator panicked: {}", shard::panic_text(&*panic))),
            ..Ending::default()
        });
        let snapshot = Arc::clone(&self.snapshots.borrow());
        (snapshot, ending)
    }
}
