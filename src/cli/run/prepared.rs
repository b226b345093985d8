//! A run before it begins: what was compiled, and everything that it needs of the machine.
//!
//! All runs of a process are prepared before the first one begins, so that whatever cannot be had ends none of them half-way.
//! It starts no user, and knows nothing of the other runs but their number.

use super::monitor;
use super::name::file_of;
use super::running::{Manner, Running};
use crate::api::{Judge, Preferences, Session};
use crate::cli::args::{LogFormat, OnInvalid, RunArgs, RunFlags};
use crate::diagnostic::Diagnostic;
use crate::engine::{Company, Run, Settings, StartError, Watch, on_large_stack};
use crate::logfile::{Format, LogFile};
use crate::plan::Plan;
use crate::script::compile::{Compiled, compile};
use crate::target::{RunningTarget, Target, TargetOptions};
use crate::webhook::{Patience, Webhooks};
use chrono::{DateTime, Utc};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;

/// What was compiled, and the files whose edits come into its run.
pub(in crate::cli) struct Script {
    /// With what is wrong.
    pub(in crate::cli) compiled: Compiled,
    /// `None` for a script that stands in no file, or is not to be watched.
    pub(in crate::cli) watch: Option<Watch>,
}

impl Script {
    /// Compiles a file as the command line has it.
    pub(super) fn of_file(path: &Path, args: &RunArgs) -> Self {
        let overrides = args.overrides.overrides();
        let compiled = on_large_stack(|| compile(path, &overrides));
        let watch = (!args.no_watch).then(|| Watch { path: path.to_owned(), overrides });
        Script { compiled, watch }
    }
}

/// A run that can begin.
pub(super) struct Prepared {
    /// What tells it from the others; `None` for one by itself.
    pub(super) label: Option<String>,
    pub(super) plan: Arc<Plan>,
    settings: Settings,
    /// A shop of its own: another run's `/api/reset` is not to empty it.
    demo: Option<RunningTarget>,
    log: Option<LogFile>,
    manner: Manner,
    preferences: Preferences,
}

impl Prepared {
    /// Has everything that a Plan needs.
    ///
    /// # Errors
    /// What cannot be had.
    pub(super) fn new(
        (plan, watch): (Plan, Option<Watch>),
        label: Option<String>,
        company: Option<Company>,
        shards: usize,
        args: &RunFlags,
    ) -> Result<Self, Diagnostic> {
        let no_demo = |error| Diagnostic::error(format!("the demo shop cannot start: {error}"));
        let demo = plan.demo.then(|| Target::start(TargetOptions::default()).map_err(no_demo)).transpose()?;
        let log = open_log(args, label.as_deref())?;
        let settings = Settings {
            demo_url: demo.as_ref().map(RunningTarget::url),
            paused: args.paused,
            rollback_on_errors: args.rollback_on_errors,
            watch,
            company,
            ..Settings::new(shards)
        };
        let manner = Manner {
            color: args.color,
            json: args.json,
            invalid_fails: args.on_invalid != Some(OnInvalid::Warn),
            summary: args.summary.as_deref().map(|path| file_of(path, label.as_deref())),
        };
        Ok(Prepared { label, plan: Arc::new(plan), settings, demo, log, manner, preferences: Preferences::default() })
    }

    /// With what the monitor tells of it.
    pub(super) fn preferring(self, preferences: Preferences) -> Self {
        Prepared { preferences, ..self }
    }

    /// Begins at once, whatever the command line says of those that are named there.
    pub(super) fn at_once(mut self) -> Self {
        self.settings.paused = false;
        self
    }

    /// Begins. These ids are `taken` by others already.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(self, taken: &[String]) -> Result<(Running, Session), StartError> {
        let Prepared { label, plan, settings, demo, log, manner, preferences } = self;
        let started_at = Utc::now();
        let began = Instant::now();
        let run = Run::start(Arc::clone(&plan), settings)?;
        let script = plan.sources.first().map(|source| source.path.clone()).unwrap_or_default();
        let (outputs, told) = watch::channel(Arc::default());
        let judge = Judge { judge: monitor::judge, invalid_fails: manner.invalid_fails };
        let session = Session::new(script, started_at, run.snapshots(), run.commands(), judge)
            .beside(taken)
            .named(label.clone())
            .with_outputs(told)
            .with_export(monitor::export)
            .preferring(preferences);
        let webhooks = Webhooks::new(name_of_run(started_at), Patience::default());
        let id = session.id().to_owned();
        let running = Running { id, label, plan, run, demo, log, webhooks, outputs, manner, started_at, began };
        Ok((running, session))
    }
}

/// The file of `--log-file`; each of several runs has its own.
fn open_log(args: &RunFlags, label: Option<&str>) -> Result<Option<LogFile>, Diagnostic> {
    let Some(path) = &args.log_file else { return Ok(None) };
    let path = file_of(path, label);
    let format = match args.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let problem = |error| Diagnostic::error(format!("the log cannot be written to `{}`: {error}", path.display()));
    LogFile::open(&path, format, args.log_level).map(Some).map_err(problem)
}

/// By which receivers of webhooks tell runs apart: when it began, and a number that no other has.
fn name_of_run(started_at: DateTime<Utc>) -> String {
    format!("{}-{:08x}", started_at.format("%Y%m%dT%H%M%SZ"), RandomState::new().hash_one(0u8) as u32)
}
