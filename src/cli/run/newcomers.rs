//! Runs that come while others go on: scripts that were sent to the monitor, compiled one after the other and begun like those
//! of the command line.
//!
//! Asked by the main thread's loop, which starts what it gives; compiling is done elsewhere, so that signals and progress
//! never wait for it. A script that is not run leaves nothing behind. It knows no HTTP.

use super::prepared::Prepared;
use super::running::{Reach, Running};
use super::{name, shards};
use crate::api::{Preferences, Refusal, Sent, Session};
use crate::cli::args::RunFlags;
use crate::cli::{config, doctor};
use crate::diagnostic::{Diagnostic, render_all};
use crate::engine::{Company, give_way, on_large_stack};
use crate::plan::Plan;
use crate::script::compile::{Compiled, compile_sent};
use std::collections::BTreeSet;
use std::path::Path;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Runs that go on at once, where some of them were sent.
pub(super) const MOST: usize = 16;

/// Scripts that were sent, on their way.
pub(super) struct Newcomers<'a> {
    /// `None` where none are taken.
    sent: Option<mpsc::Receiver<Sent>>,
    /// The one that is compiled now.
    current: Option<Sent>,
    compiling: JoinSet<Compiled>,
    args: &'a RunFlags,
    /// Of all runs that there were.
    ids: Vec<String>,
    names: BTreeSet<String>,
    /// Runs that there were.
    number: usize,
}

impl<'a> Newcomers<'a> {
    /// Beside these; nobody comes where there is nobody who could send.
    pub(super) fn new(sent: Option<mpsc::Receiver<Sent>>, running: &[Running], args: &'a RunFlags) -> Self {
        Newcomers {
            sent,
            current: None,
            compiling: JoinSet::new(),
            args,
            ids: running.iter().map(|run| run.id.clone()).collect(),
            names: running.iter().filter_map(|run| run.label.clone()).collect(),
            number: running.len(),
        }
    }

    /// The next script with what the compiler says of it, `None` if it died; waits for ever where none will come. Whoever
    /// stops waiting loses nothing.
    pub(super) async fn next(&mut self) -> (Sent, Option<Compiled>) {
        if self.current.is_none() {
            let sent = match &mut self.sent {
                Some(sent) => sent.recv().await,
                None => None,
            };
            let Some(sent) = sent else { return std::future::pending().await };
            let (name, script) = (sent.name.clone(), sent.script.clone());
            let compile = move || {
                give_way();
                compile_sent(&name, script)
            };
            self.compiling.spawn_blocking(move || on_large_stack(compile));
            self.current = Some(sent);
        }
        let compiled = self.compiling.join_next().await.and_then(Result::ok);
        (self.current.take().expect("it was put there before it was waited for"), compiled)
    }

    /// Begins a run of it beside those that go on, or says why not; `going` counts them. With it come warnings.
    pub(super) fn begin(
        &mut self,
        compiled: Option<Compiled>,
        reaches: &[Reach],
        going: usize,
    ) -> Result<(Running, Session, Vec<Diagnostic>), Refusal> {
        let compiled = compiled.ok_or_else(|| Refusal::Failed("a bug in punk: its compiler died".to_owned()))?;
        let Compiled { plan, diagnostics, .. } = compiled;
        let Some(plan) = plan else { return Err(Refusal::Script(diagnostics)) };
        if going >= MOST {
            let why = format!("{going} runs go on, and there are at most {MOST}: wait until one is over, or stop one");
            return Err(Refusal::Conflict(why));
        }
        fits(&plan, reaches)?;
        let file = plan.sources.first().map(|source| source.file.as_path()).unwrap_or(Path::new(""));
        let settings = config::of_script(file).map_err(|problems| Refusal::Failed(render_all(&problems, false)))?;
        let preferences = Preferences::of(&plan.options.monitor.clone().over(settings));
        let label = name::name(plan.sources.first().map_or("", |source| source.path.as_str()), &mut self.names);
        let (shards, cores) = shards(self.args);
        let company = Company::new(self.number + 1, shards * MOST, cores);
        let failed = |problem: Diagnostic| Refusal::Failed(problem.message);
        let prepared = Prepared::new((plan, None), Some(label), Some(company), shards, self.args).map_err(failed)?;
        let begun = prepared.preferring(preferences).at_once().start(&self.ids);
        let (run, session) = begun.map_err(|error| Refusal::Failed(error.to_string()))?;
        self.ids.push(run.id.clone());
        self.number += 1;
        Ok((run, session, diagnostics))
    }
}

/// Whether this machine has what all users together need.
fn fits(plan: &Plan, reaches: &[Reach]) -> Result<(), Refusal> {
    let users = |plan: &Plan| -> u64 { plan.scenarios.iter().map(|one| u64::from(one.work.users_max())).sum() };
    let others: u64 = reaches.iter().filter(|reach| !reach.is_over()).map(|reach| users(&reach.plan())).sum();
    match doctor::preflight(others + users(plan)).first() {
        None => Ok(()),
        Some((problem, fix)) => Err(Refusal::Unfit(format!("{problem}; the runs that go on are counted: {fix}"))),
    }
}
