//! A session: one run as the monitor knows it. It reads Snapshots and sends Commands, and has no other way to the run.

use super::counts::Counts;
use super::diary::Diary;
use super::export::{Export, Format, SoFar};
use super::judgement::{Judge, Judgement};
use super::preferences::Preferences;
use super::problem::Problem;
use crate::analysis::Digest;
use crate::control::{Command, Reply};
use crate::snapshot::{Outputs, Snapshot};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

/// How long an answer waits for what comes of a Command.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it then waits for the Snapshot that shows it.
const SHOWN: Duration = Duration::from_secs(1);

/// One run of this process.
#[derive(Debug)]
pub struct Session {
    pub(super) id: String,
    name: Option<String>,
    /// How much it tells.
    pub(super) preferences: Preferences,
    pub(super) script: String,
    pub(super) started_at: DateTime<Utc>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    commands: mpsc::UnboundedSender<Command>,
    diary: Mutex<Diary>,
    /// What the monitor counts of itself.
    pub(super) counts: Arc<Counts>,
    /// The whole run in a few series.
    digest: Mutex<Digest>,
    /// What is written and sent elsewhere, as whoever does it tells.
    outputs: watch::Receiver<Arc<Outputs>>,
    judge: Judge,
    /// Makes files of it; `None` where nobody lent it.
    export: Option<Export>,
    /// What `GET /metrics` said last, and of which Snapshot: whoever asks next gets the same.
    said: Mutex<Option<(u64, Bytes)>>,
}

impl Session {
    /// Of a run that began at `started_at`, of the script at this path, judged so.
    pub fn new(
        script: impl Into<String>,
        started_at: DateTime<Utc>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        commands: mpsc::UnboundedSender<Command>,
        judge: Judge,
    ) -> Self {
        let id = started_at.format("punk-%Y%m%d-%H%M%S").to_string();
        Session {
            id,
            name: None,
            preferences: Preferences::default(),
            script: script.into(),
            started_at,
            snapshots,
            commands,
            judge,
            diary: Mutex::default(),
            counts: Arc::default(),
            digest: Mutex::default(),
            outputs: watch::channel(Arc::default()).1,
            export: None,
            said: Mutex::default(),
        }
    }

    /// With what is told of its outputs; without, it has none.
    #[must_use]
    pub fn with_outputs(self, outputs: watch::Receiver<Arc<Outputs>>) -> Self {
        Session { outputs, ..self }
    }

    /// With what makes files of it.
    #[must_use]
    pub fn with_export(self, export: Export) -> Self {
        Session { export: Some(export), ..self }
    }

    /// What it would come to if it ended now.
    pub(super) fn judgement(&self, snapshot: &Snapshot) -> Judgement {
        self.judge.judge(snapshot)
    }

    /// The run so far as a file; `None` where there is none yet.
    pub(super) fn export(&self, format: Format, snapshot: &Snapshot) -> Option<String> {
        let outputs = self.outputs();
        let (started_at, invalid_fails) = (self.started_at, self.judge.invalid_fails);
        let so_far = SoFar { snapshot, started_at, outputs: &outputs, invalid_fails };
        self.export.and_then(|export| export(format, so_far))
    }

    /// What is written and sent elsewhere, as of the latest Snapshot.
    pub(super) fn outputs(&self) -> Arc<Outputs> {
        Arc::clone(&self.outputs.borrow())
    }

    /// With an id that is not among those that are `taken`: `…-2` for the second one that began in that second.
    #[must_use]
    pub fn beside(mut self, taken: &[String]) -> Self {
        let is_free = |id: &str| taken.iter().all(|other| other != id);
        let numbered = (2..).map(|number: u32| format!("{}-{number}", self.id));
        let id = std::iter::once(self.id.clone()).chain(numbered).find(|id| is_free(id));
        self.id = id.expect("there are more numbers than sessions");
        self
    }

    /// `punk-YYYYMMDD-HHMMSS`, by UTC; see [`Session::beside`] for the ends of some.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// With the name by which people tell it from the other runs of the process.
    #[must_use]
    pub fn named(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// With what its script prefers.
    #[must_use]
    pub fn preferring(mut self, preferences: Preferences) -> Self {
        self.preferences = preferences;
        self
    }

    /// What tells it from other runs; `None` where there is no other.
    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The latest.
    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshots.borrow())
    }

    /// Whether nothing more will come of it.
    pub(super) fn is_over(&self) -> bool {
        self.snapshots.has_changed().is_err()
    }

    pub(super) fn diary(&self) -> MutexGuard<'_, Diary> {
        self.diary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those to come.
    pub(super) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// The run so far in a few series, up to the last second that is over in this Snapshot. It is held while it is read: whoever
    /// has what it wants lets go.
    pub(super) fn digest(&self, snapshot: &Snapshot) -> MutexGuard<'_, Digest> {
        let mut digest = self.digest.lock().unwrap_or_else(PoisonError::into_inner);
        digest.follow(snapshot);
        digest
    }

    /// What is said of a Snapshot, made once.
    pub(super) fn said(&self, snapshot: &Snapshot, say: impl FnOnce() -> Bytes) -> Bytes {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match &*said {
            Some((sequence, bytes)) if *sequence == snapshot.sequence => bytes.clone(),
            _ => said.insert((snapshot.sequence, say())).1.clone(),
        }
    }

    /// Writes the diary and the digest until the run is over, so that whoever asks finds them written.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut snapshots = self.snapshots.clone();
        loop {
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            if snapshot.sequence > 0 {
                self.diary().follow(&snapshot, Utc::now());
                drop(self.digest(&snapshot));
            }
            if snapshots.changed().await.is_err() {
                return;
            }
        }
    }

    /// Sends a Command and waits for what comes of it, in words.
    ///
    /// # Errors
    /// It was refused, or nobody obeys any more.
    pub(super) async fn ask(&self, command: Command) -> Result<String, Problem> {
        let (told, heard) = oneshot::channel();
        let told = Mutex::new(Some(told));
        let reply = Reply::new(move |outcome| {
            let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(told) = told {
                // Whoever asked may have gone.
                let _ = told.send(outcome);
            }
        });
        let over = || Problem::conflict("the run is over, or about to be: nothing of it can be changed any more");
        self.commands.send(Command::Asked { command: Box::new(command), reply }).map_err(|_| over())?;
        match timeout(PATIENCE, heard).await {
            Ok(Ok(outcome)) => outcome.map_err(Problem::conflict),
            Ok(Err(_)) => Err(over()),
            Err(_) => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the run is busy and has not answered yet: it may still do what was asked",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("1"))),
        }
    }

    /// The first Snapshot that shows something, or the latest one when none does soon.
    pub(super) async fn shows(&self, what: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut snapshots = self.snapshots.clone();
        let shown = timeout(SHOWN, snapshots.wait_for(|snapshot| what(snapshot))).await;
        drop(shown);
        self.snapshot()
    }
}
