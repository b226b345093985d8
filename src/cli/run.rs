//! `punk run`: the only place that builds everything and takes it down again.
//!
//! Compile, check the machine, start what the script needs, run, watch signals, show progress, report, choose the exit
//! code. Whatever happens after the run has started, a report is written.

mod captures;
mod console;
pub(super) mod finish;
mod monitor;
mod signals;

pub use signals::Signals;

use super::exit::Exit;
use super::{args, doctor, err, out};
use crate::api::Session;
use crate::control::{Author, Command};
use crate::diagnostic::{Diagnostic, render_all};
use crate::engine::{Run, Settings, Watch, on_large_stack};
use crate::logfile::{Format, LogFile};
use crate::plan::Plan;
use crate::progress::{Mode, Progress};
use crate::report::{self, Facts};
use crate::script::compile::{Compiled, compile};
use crate::snapshot::Delivery;
use crate::target::{RunningTarget, Target, TargetOptions};
use crate::user::fiber;
use crate::webhook::{Patience, Webhooks};
use args::{LogFormat, RunArgs, RunFlags, Ui};
use captures::Captures;
use chrono::{DateTime, Utc};
use console::Console;
use signals::Asked;
use std::hash::{BuildHasher, RandomState};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the report waits for webhooks that were not delivered when the run ended.
const LAST_CHANCE: Duration = Duration::from_secs(3);

/// Runs a script; see the module's head.
pub fn run(args: &RunArgs) -> Exit {
    let [script] = &args.scripts[..] else {
        err("error: one script at a time in this version; start a second process for a second one\n");
        return Exit::Usage;
    };
    let overrides = args.overrides.overrides();
    let compiled = on_large_stack(|| compile(script, &overrides));
    let watch = (!args.no_watch).then(|| Watch { path: script.clone(), overrides });
    run_compiled(compiled, &args.flags, watch)
}

/// Runs what was compiled, wherever its script came from; from files, these are watched.
pub(super) fn run_compiled(compiled: Compiled, args: &RunFlags, watch: Option<Watch>) -> Exit {
    quiet_panics_of_users();
    let color = args.color.on(std::io::stderr().is_terminal());
    let listens = args.commands || std::io::stdin().is_terminal();
    if args.paused && !listens {
        let problem = Diagnostic::error("`--paused`: nobody could resume this run");
        let help = "standard input is no terminal: add `--commands` and write `resume` to it";
        err(&format!("{}\n", problem.help(help).render(color)));
        return Exit::Usage;
    }
    if !compiled.diagnostics.is_empty() {
        err(&format!("{}\n", render_all(&compiled.diagnostics, color)));
    }
    let Some(plan) = compiled.plan else { return Exit::Invalid };
    let plan = Arc::new(plan);
    let users: u64 = plan.scenarios.iter().map(|scenario| u64::from(scenario.work.users_max())).sum();
    let problems = doctor::preflight(users);
    for (problem, fix) in &problems {
        err(&format!("{}\n", Diagnostic::error(problem.clone()).help(fix.clone()).render(color)));
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
    let bound = match monitor::bind(&args.monitor, color) {
        Ok(bound) => bound,
        Err(exit) => return exit,
    };
    let mut log = match open_log(args) {
        Ok(log) => log,
        Err(problem) => {
            err(&format!("{}\n", problem.render(color)));
            return Exit::Internal;
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let settings = Settings {
        shards: args.shards.map_or(cores, |shards| shards as usize),
        demo_url: demo.as_ref().map(RunningTarget::url),
        paused: args.paused,
        rollback_on_errors: args.rollback_on_errors,
        watch,
    };
    let started_at = Utc::now();
    let webhooks = Webhooks::new(name_of_run(started_at), Patience::default());
    let began = Instant::now();
    let run = match Run::start(Arc::clone(&plan), settings) {
        Ok(run) => run,
        Err(error) => {
            err(&format!("error: {error}\n"));
            return Exit::Internal;
        }
    };
    let script = plan.sources.first().map(|source| source.path.clone()).unwrap_or_default();
    let session = Session::new(script, started_at, run.snapshots(), run.commands());
    let monitor = bound.and_then(|bound| bound.start(session, args.quiet));
    let deliveries = attend(&run, &plan, args, color, listens, webhooks, log.as_mut());
    let (snapshot, ending) = run.join();
    if let Some(told) = log.as_mut().and_then(|log| log.update(&snapshot)) {
        err(&format!("{told}\n"));
    }
    drop(demo);
    let plan = snapshot.plan.clone().unwrap_or(plan); // as edits have made it
    let times = finish::Times { started_at, wall: began.elapsed() };
    let exit = finish::finish(args, &plan, &snapshot, &ending, times, deliveries);
    monitor::end(monitor);
    exit
}

/// The main thread while the run goes on: progress, signals, who is told of alerts. What came of telling them.
fn attend(
    run: &Run,
    plan: &Plan,
    args: &RunFlags,
    color: bool,
    listens: bool,
    mut webhooks: Webhooks,
    mut log: Option<&mut LogFile>,
) -> Vec<Delivery> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err(&format!("warning: no progress, no signals, no webhooks: {error}\n"));
            return Vec::new();
        }
    };
    let bars = Mode::Bars { color, unicode: finish::speaks_unicode() };
    let mode = match args.ui {
        _ if args.quiet => Mode::Quiet,
        Ui::None => Mode::Quiet,
        Ui::Plain => Mode::Lines,
        Ui::Line => bars,
        Ui::Auto if std::io::stderr().is_terminal() => bars,
        Ui::Auto => Mode::Lines,
    };
    let mut progress = Progress::new(plan.scenarios.iter().map(|scenario| scenario.name.as_str()), mode);
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
        let mut console = match listens.then(Console::open) {
            Some(Ok(console)) => console,
            // A terminal that cannot be read is no loss unless somebody counted on it.
            Some(Err(error)) if args.commands || args.paused => {
                err(&format!("warning: no commands can be read from standard input: {error}\n"));
                if args.paused {
                    let why = "nobody could resume this run".to_owned();
                    let _ = commands.send(Command::Stop { by: Author::Terminal, why });
                }
                Console::silent()
            }
            _ => Console::silent(),
        };
        if args.paused {
            progress.say("paused before the first iteration: type `resume` and Enter");
        }
        let mut told = 0;
        let mut captures = Captures::new(args.summary.as_deref());
        let mut warned: Vec<String> = Vec::new();
        let mut interrupted = false;
        loop {
            tokio::select! {
                changed = snapshots.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let snapshot = Arc::clone(&snapshots.borrow_and_update());
                    for intervention in snapshot.interventions.iter().skip(told) {
                        progress.say(&report::intervention(intervention));
                    }
                    told = snapshot.interventions.len();
                    for line in captures.take(plan, &snapshot) {
                        progress.say(&line);
                    }
                    let generator = &snapshot.generator;
                    for why in generator.invalid.iter().chain(&generator.warnings) {
                        if !warned.contains(why) {
                            progress.say(&format!("warning: {why}"));
                            warned.push(why.clone());
                        }
                    }
                    if let Some(told) = log.as_mut().and_then(|log| log.update(&snapshot)) {
                        progress.say(&told);
                    }
                    progress.update(&snapshot);
                    webhooks.update(&snapshot);
                }
                line = console.line() => {
                    if std::io::stdin().is_terminal() {
                        progress.typed();
                    }
                    match console::parse(&line) {
                        Ok(Some(command)) => drop(commands.send(command)),
                        Ok(None) => {}
                        Err(why) => progress.say(&why),
                    }
                }
                asked = Signals::next(&mut signals) => {
                    let command = match asked {
                        Asked::Interim => {
                            let snapshot = Arc::clone(&snapshots.borrow());
                            let facts = Facts::passed(Utc::now(), snapshot.elapsed);
                            out(&report::text(snapshot.plan.as_deref().unwrap_or(plan), &snapshot, &facts, finish::style(args.color)));
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
        progress.finish();
        if webhooks.is_busy() {
            let last_chance = webhooks.drain(LAST_CHANCE);
            tokio::select! {
                () = last_chance => {}
                () = interruption(&mut signals) => {}
            }
        }
    });
    // The look-up of a name cannot be called back; nobody waits for it.
    runtime.shutdown_background();
    webhooks.finish()
}

/// Waits until somebody wants the end at once.
async fn interruption(signals: &mut Option<Signals>) {
    while !matches!(Signals::next(signals).await, Asked::Stop) {}
}

/// By which receivers of webhooks tell runs apart: when it began, and a number that no other has.
fn name_of_run(started_at: DateTime<Utc>) -> String {
    format!("{}-{:08x}", started_at.format("%Y%m%dT%H%M%SZ"), RandomState::new().hash_one(0u8) as u32)
}

/// The file of `--log-file`.
fn open_log(args: &RunFlags) -> Result<Option<LogFile>, Diagnostic> {
    let Some(path) = &args.log_file else { return Ok(None) };
    let format = match args.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let problem = |error| Diagnostic::error(format!("the log cannot be written to `{}`: {error}", path.display()));
    LogFile::open(path, format, args.log_level).map(Some).map_err(problem)
}

fn start_demo(plan: &Plan) -> Result<Option<RunningTarget>, crate::target::TargetError> {
    if plan.demo { Target::start(TargetOptions::default()).map(Some) } else { Ok(None) }
}

/// A panic on a fiber becomes a script error with its user and is told in the report; one of the monitor stands in the log, and in
/// a warning if it is its end. The default hook would print both over the progress bars.
fn quiet_panics_of_users() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if fiber::on_fiber() {
            return;
        }
        if std::thread::current().name() != Some(monitor::THREAD) {
            return default(panic);
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or_default();
        tracing::error!(target: "punk::monitor", place, "a bug in the monitor: {text}");
    }));
}
