//! `punk run`: the only place that builds everything and takes it down again.
//!
//! Compile, check the machine, start what the script needs, run, watch signals, show progress, report, choose the exit
//! code. Whatever happens after the run has started, a report is written.

use crate::cli::exit::{self, Exit};
use crate::cli::{args, doctor, err, out};
use crate::control::{Author, Command};
use crate::diagnostic::{Diagnostic, render_all};
use crate::engine::{Ending, Run, Settings, on_large_stack};
use crate::metrics::Snapshot;
use crate::plan::Plan;
use crate::progress::{Mode, Progress};
use crate::report::{self, Facts, HookError, Outcome, Reason, Stopped, Style, Summary};
use crate::script::compile::compile;
use crate::script::summary::{self, Output};
use crate::target::{RunningTarget, Target, TargetOptions};
use crate::user::fiber;
use args::{OnInvalid, RunArgs, Ui};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a script; see the module's head.
pub fn run(args: &RunArgs) -> Exit {
    quiet_panics_of_users();
    let color = args.color.on(std::io::stderr().is_terminal());
    let [script] = &args.scripts[..] else {
        err("error: one script at a time in this version; start a second process for a second one\n");
        return Exit::Usage;
    };
    let overrides = args.overrides.overrides();
    let compiled = on_large_stack(|| compile(script, &overrides));
    if !compiled.diagnostics.is_empty() {
        err(&(render_all(&compiled.diagnostics, color) + "\n"));
    }
    let Some(plan) = compiled.plan else { return Exit::Invalid };
    let plan = Arc::new(plan);
    let users: u64 = plan.scenarios.iter().map(|scenario| u64::from(scenario.work.users_max())).sum();
    let problems = doctor::preflight(users);
    for (problem, fix) in &problems {
        err(&Diagnostic::error(problem.clone()).help(fix.clone()).render(color));
    }
    if !problems.is_empty() {
        return Exit::Internal;
    }
    let demo = match start_demo(&plan) {
        Ok(demo) => demo,
        Err(error) => {
            err(&format!("error: the demo shop cannot start: {error}\n"));
            return Exit::Internal;
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        shards: args.shards.map_or(cores, |shards| shards as usize),
        demo_url: demo.as_ref().map(RunningTarget::url),
    };
    let started_at = chrono::Utc::now();
    let began = Instant::now();
    let run = match Run::start(Arc::clone(&plan), settings) {
        Ok(run) => run,
        Err(error) => {
            err(&format!("error: {error}\n"));
            return Exit::Internal;
        }
    };
    watch(&run, &plan, args, color);
    let (snapshot, ending) = run.join();
    drop(demo);
    let took = began.elapsed();
    finish(args, &plan, &snapshot, &ending, Facts::passed(started_at, took))
}

/// Tells why, writes every report, returns the exit code. `facts` are those of a run that passed.
fn finish(args: &RunArgs, plan: &Plan, snapshot: &Snapshot, ending: &Ending, facts: Facts) -> Exit {
    let color = args.color.on(std::io::stderr().is_terminal());
    if let Some(error) = &ending.refused {
        err(&error.diagnostic(&plan.sources).render(color));
    }
    if let Some((_, error)) = &ending.failed_hook {
        err(&error.diagnostic(&plan.sources).render(color));
    }
    let mut reasons = exit::reasons(snapshot, ending, args.on_invalid == OnInvalid::Fail);
    let facts = facts_of(ending, &reasons, facts);
    let summary = Summary::new(plan, snapshot, &facts);
    let json = summary.to_json();
    if let Some(path) = &args.summary
        && let Err(error) = report::write_summary(path, &summary)
    {
        err(&format!("error: the summary cannot be written to `{}`: {error}\n", path.display()));
        reasons.push((Exit::Internal, error.to_string()));
        reasons.sort_by_key(|(exit, _)| *exit);
    }
    if plan.summary && ending.refused.is_none() {
        for problem in own_reports(plan, &json) {
            err(&problem.render(color));
            reasons.push((Exit::Internal, problem.message.clone()));
            reasons.sort_by_key(|(exit, _)| *exit);
        }
    }
    if args.json {
        out(&json);
    } else {
        out(&report::text(plan, snapshot, &facts, style(args)));
    }
    reasons.first().map_or(Exit::Passed, |(exit, _)| *exit)
}

/// What only the door knows about the end of a run.
fn facts_of(ending: &Ending, reasons: &[(Exit, String)], passed: Facts) -> Facts {
    let exit = reasons.first().map_or(Exit::Passed, |(exit, _)| *exit);
    let outcome = match exit {
        Exit::Passed => Outcome::Passed,
        Exit::NotMeasured => Outcome::Invalid,
        _ => Outcome::Failed,
    };
    let hook_error = ending.failed_hook.iter().map(|(hook, error)| HookError {
        hook: (*hook).to_owned(),
        message: error.message.clone(),
        place: error.place_text(),
    });
    Facts {
        outcome,
        exit_code: exit.code(),
        reasons: reasons.iter().map(|(exit, text)| Reason { code: exit.code(), message: text.clone() }).collect(),
        stopped: ending.stopped.clone().map(|(by, why)| Stopped { by, why, killed: ending.killed }),
        marked_failed: ending.marked_failed.clone(),
        hook_errors: hook_error.collect(),
        ..passed
    }
}

/// How the text report looks on this stdout.
fn style(args: &RunArgs) -> Style {
    Style { color: args.color.on(std::io::stdout().is_terminal()), ..Style::default() }
}

/// Writes what the script's `summary` returns; what could not be done.
fn own_reports(plan: &Plan, json: &str) -> Vec<Diagnostic> {
    let outputs = match on_large_stack(|| summary::outputs(plan, json)) {
        Ok(outputs) => outputs,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for output in outputs {
        match output {
            Output::Stdout(text) => out(&text),
            Output::Stderr(text) => err(&text),
            Output::File(path, text) => {
                if let Err(error) = std::fs::write(Path::new(&path), &text) {
                    problems.push(Diagnostic::error(format!("`{path}` cannot be written: {error}")));
                }
            }
        }
    }
    problems
}

/// The main thread while the run goes on: progress and signals.
fn watch(run: &Run, plan: &Plan, args: &RunArgs, color: bool) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return err(&format!("warning: no progress and no signals: {error}\n")),
    };
    let plain = !std::io::stderr().is_terminal();
    let mode = match args.ui {
        _ if args.quiet => Mode::Quiet,
        Ui::None => Mode::Quiet,
        Ui::Plain => Mode::Lines,
        Ui::Auto if plain => Mode::Lines,
        Ui::Line | Ui::Auto => Mode::Bars { color, unicode: true },
    };
    let mut progress = Progress::new(plan, mode);
    let began = (chrono::Utc::now(), Instant::now());
    let commands = run.commands();
    let mut snapshots = run.snapshots();
    runtime.block_on(async {
        let mut signals = match Signals::new() {
            Ok(signals) => Some(signals),
            Err(error) => {
                err(&format!("warning: signals cannot be caught: {error}\n"));
                None
            }
        };
        let mut interrupted = false;
        loop {
            tokio::select! {
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    progress.update(&snapshot);
                }
                asked = Signals::next(&mut signals) => {
                    let command = match asked {
                        Asked::Interim => {
                            let snapshot = Arc::clone(&snapshots.borrow());
                            let so_far = Facts::passed(began.0, began.1.elapsed());
                            out(&report::text(plan, &snapshot, &so_far, Style::default()));
                            continue;
                        }
                        Asked::Stop if interrupted => Command::Kill { by: Author::Signal },
                        Asked::Stop => Command::Stop { by: Author::Signal, why: "interrupted by a signal".to_owned() },
                    };
                    if !interrupted {
                        progress.say("stopping: no new iterations; interrupt again to end now");
                    }
                    interrupted = true;
                    // The coordinator ends only after this loop has seen the last Snapshot.
                    let _ = commands.send(command);
                }
            }
        }
    });
    progress.finish();
}

/// What a signal asks for.
enum Asked {
    Stop,
    Interim,
}

/// The signals that mean something to us.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    interim: Signal,
}

impl Signals {
    /// Takes the signals over; needs a runtime.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interim: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for INT, TERM or HUP.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    async fn next(signals: &mut Option<Signals>) -> Asked {
        let Some(signals) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = signals.interrupt.recv() => Asked::Stop,
            _ = signals.terminate.recv() => Asked::Stop,
            _ = signals.hangup.recv() => Asked::Stop,
            _ = signals.interim.recv() => Asked::Interim,
        }
    }
}

fn start_demo(plan: &Plan) -> Result<Option<RunningTarget>, crate::target::TargetError> {
    if plan.demo { Target::start(TargetOptions::default()).map(Some) } else { Ok(None) }
}

/// A panic on a fiber becomes a script error with its user and is told in the report; the default hook would print it
/// over the progress bars.
fn quiet_panics_of_users() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !fiber::on_fiber() {
            default(panic);
        }
    }));
}
