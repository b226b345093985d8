//! `punk run`: the only place that builds everything and takes it down again.
//!
//! Compile, check the machine, prepare what the scripts need, start a run for each, look after them, choose the exit code.
//! Whatever happens after a run has started, its report is written. Nothing starts while anything is wrong with any script.
//!
//! | file | is |
//! |---|---|
//! | `prepared` | a run before it begins |
//! | `running`, `captures`, `finish` | one that goes on, what is kept of its moments, its end |
//! | `attend`, `signals`, `console`, `newcomers` | the main thread meanwhile |
//! | `name` | how several runs are told apart |
//! | `wish`, `monitor`, `browser` | where they can be seen |

mod attend;
mod browser;
mod captures;
mod console;
pub(super) mod finish;
mod monitor;
mod name;
mod newcomers;
mod prepared;
mod running;
mod signals;
mod wish;

pub(super) use prepared::Script;
pub use signals::Signals;

use super::exit::Exit;
use super::{args, config, doctor, err};
use crate::api::{Intake, Preferences};
use crate::diagnostic::{Diagnostic, render_all};
use crate::engine::{Company, Watch};
use crate::plan::Plan;
use crate::user::fiber;
use args::{RunArgs, RunFlags};
use newcomers::Newcomers;
use prepared::Prepared;
use std::io::IsTerminal;
use std::path::Path;
use wish::Wish;

/// Runs scripts, all at once; see the module's head.
pub fn run(args: &RunArgs) -> Exit {
    let scripts = args.scripts.iter().map(|path| Script::of_file(path, args)).collect();
    run_scripts(scripts, &args.flags)
}

/// Runs what was compiled, wherever the scripts came from; from files, these are watched.
pub(super) fn run_scripts(scripts: Vec<Script>, args: &RunFlags) -> Exit {
    quiet_panics_of_users();
    let color = args.color.on(std::io::stderr().is_terminal());
    let listens = args.commands || std::io::stdin().is_terminal();
    if args.paused && !listens {
        let problem = Diagnostic::error("`--paused`: nobody could resume this run");
        let help = "standard input is no terminal: add `--commands` and write `resume` to it";
        err(&format!("{}\n", problem.help(help).render(color)));
        return Exit::Usage;
    }
    if let Err(problem) = uploads(&args.monitor) {
        err(&format!("{}\n", problem.render(color)));
        return Exit::Usage;
    }
    let Some(plans) = valid(scripts, color) else { return Exit::Invalid };
    // One process has one limit for all.
    let scenarios = plans.iter().flat_map(|(plan, _)| &plan.scenarios);
    let problems = doctor::preflight(scenarios.map(|scenario| u64::from(scenario.work.users_max())).sum());
    for (problem, fix) in &problems {
        err(&format!("{}\n", Diagnostic::error(problem.clone()).help(fix.clone()).render(color)));
    }
    if !problems.is_empty() {
        return Exit::Internal;
    }
    let wanted = match wanted(&plans, args) {
        Ok(wanted) => wanted,
        Err(problems) => {
            err(&format!("{}\n", render_all(&problems, color)));
            return Exit::Invalid;
        }
    };
    let bound = match monitor::bind(&args.monitor, &wanted.1, color) {
        Ok(bound) => bound,
        Err(exit) => return exit,
    };
    let (intake, sent) = (bound.is_some() && args.monitor.monitor_upload).then(Intake::new).unzip();
    let prepared = match prepare(plans, wanted.0, args, sent.is_some()) {
        Ok(prepared) => prepared,
        Err(problem) => {
            err(&format!("{}\n", problem.render(color)));
            return Exit::Internal;
        }
    };
    let (mut running, mut sessions, mut ids, mut worst) = (Vec::new(), Vec::new(), Vec::new(), Exit::Passed);
    for run in prepared {
        match run.start(&ids) {
            Ok((run, session)) => {
                ids.push(run.id.clone());
                running.push(run);
                sessions.push(session);
            }
            Err(error) => {
                err(&format!("error: {error}\n"));
                worst = Exit::Internal;
            }
        }
    }
    if running.is_empty() {
        return worst;
    }
    let monitor = bound.and_then(|bound| bound.start(sessions, intake, args.quiet));
    let newcomers = Newcomers::new(sent, &running, args);
    worst = worst.min(attend::attend(running, newcomers, args, listens));
    monitor::end(monitor);
    worst
}

/// The Plans, when nothing is wrong with any script; what is wrong with all of them is told in any case.
fn valid(scripts: Vec<Script>, color: bool) -> Option<Vec<(Plan, Option<Watch>)>> {
    let diagnostics: Vec<Diagnostic> =
        scripts.iter().flat_map(|script| script.compiled.diagnostics.iter().cloned()).collect();
    if !diagnostics.is_empty() {
        err(&format!("{}\n", render_all(&diagnostics, color)));
    }
    scripts.into_iter().map(|script| Some((script.compiled.plan?, script.watch))).collect()
}

/// What each run prefers to tell, and what all want of the one monitor: the options of scripts on what settings files say.
fn wanted(plans: &[(Plan, Option<Watch>)], args: &RunFlags) -> Result<(Vec<Preferences>, Wish), Vec<Diagnostic>> {
    let (mut words, mut problems) = (Vec::new(), Vec::new());
    for (plan, _) in plans {
        let file = plan.sources.first().map(|source| source.file.as_path()).unwrap_or(Path::new(""));
        match config::of_script(file) {
            Ok(settings) => words.push(plan.options.monitor.clone().over(settings)),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let wish = Wish::new(&args.monitor, &words).map_err(|problem| vec![problem])?;
    Ok((words.iter().map(Preferences::of).collect(), wish))
}

/// Everything that the runs need, before any of them begins.
fn prepare(
    plans: Vec<(Plan, Option<Watch>)>,
    preferences: Vec<Preferences>,
    args: &RunFlags,
    others_may_come: bool,
) -> Result<Vec<Prepared>, Diagnostic> {
    let (shards, cores) = shards(args);
    let several = plans.len() > 1 || others_may_come;
    let scripts = plans.iter().map(|(plan, _)| plan.sources.first().map_or("", |source| source.path.as_str()));
    let names = name::names(scripts);
    // Each has as many shards as it would have alone: the same seed makes the same run, whoever runs beside it.
    let shards_of_all = shards * if others_may_come { newcomers::MOST.max(plans.len()) } else { plans.len() };
    let all = plans.into_iter().zip(names).zip(preferences);
    let prepared = all.enumerate().map(|(at, ((plan, name), preferences))| {
        let company = several.then(|| Company::new(at + 1, shards_of_all, cores));
        Prepared::new(plan, several.then_some(name), company, shards, args).map(|run| run.preferring(preferences))
    });
    prepared.collect()
}

/// The shards of each run, and the cores of this machine.
fn shards(args: &RunFlags) -> (usize, usize) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (args.shards.map_or(cores, |shards| shards as usize), cores)
}

/// Whether scripts can be taken as it is wanted.
fn uploads(args: &args::MonitorArgs) -> Result<(), Diagnostic> {
    match args.monitor_upload {
        true if args.monitor_readonly => {
            let problem =
                Diagnostic::error("`--monitor-upload` takes scripts, and `--monitor-readonly` takes no change");
            Err(problem.help("choose one of them; PUNK_MONITOR_UPLOAD and PUNK_MONITOR_READONLY are the same"))
        }
        true if args.monitor_token.is_none() => {
            let problem = Diagnostic::error(
                "`--monitor-upload` takes scripts from whoever has the control token, and there is none",
            );
            Err(problem.help("set PUNK_MONITOR_TOKEN"))
        }
        _ => Ok(()),
    }
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
