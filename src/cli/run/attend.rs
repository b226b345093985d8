//! The main thread while runs go on: a task for each of them, signals and typed lines for all.
//!
//! Called by the door once everything has begun. What becomes of one run is no other run's affair: each has its own end and
//! its own report, and the worst of their exit codes is that of the process.

use super::console::{self, Console};
use super::finish::{self, speaks_unicode};
use super::running::{Reach, Running};
use super::signals::{Asked, Signals};
use crate::cli::args::{RunFlags, Ui};
use crate::cli::exit::Exit;
use crate::cli::{err, out};
use crate::control::{Author, Command};
use crate::progress::{Mode, Progress, Screen, Shows};
use crate::report::{self, Facts};
use chrono::Utc;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use tokio::sync::watch;
use tokio::task::{JoinSet, LocalSet};

/// Looks after all runs until the last one is reported; the worst exit code. `listens`: whether standard input is read.
pub(super) fn attend(runs: Vec<Running>, args: &RunFlags, listens: bool) -> Exit {
    let shows: Vec<Shows> = runs.iter().map(shows).collect();
    let (screen, progress) = Screen::new(mode(args), &shows);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err(&format!("warning: no progress, no signals, no webhooks: {error}\n"));
            let ends = runs.into_iter().map(|run| run.end(&screen));
            return ends.min().unwrap_or(Exit::Passed);
        }
    };
    let worst = LocalSet::new().block_on(&runtime, hall(runs, progress, screen, args, listens));
    // The look-up of a name cannot be called back; nobody waits for it.
    runtime.shutdown_background();
    worst
}

fn shows(run: &Running) -> Shows {
    Shows {
        label: run.label.clone(),
        scenarios: run.plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
    }
}

fn mode(args: &RunFlags) -> Mode {
    let bars = Mode::Bars { color: args.color.on(std::io::stderr().is_terminal()), unicode: speaks_unicode() };
    match args.ui {
        _ if args.quiet => Mode::Quiet,
        Ui::None => Mode::Quiet,
        Ui::Plain => Mode::Lines,
        Ui::Line => bars,
        Ui::Auto if std::io::stderr().is_terminal() => bars,
        Ui::Auto => Mode::Lines,
    }
}

/// Where all tasks meet.
async fn hall(runs: Vec<Running>, progress: Vec<Progress>, screen: Screen, args: &RunFlags, listens: bool) -> Exit {
    let reaches: Vec<Reach> = runs.iter().map(Running::reach).collect();
    let mut signals = match Signals::new() {
        Ok(signals) => Some(signals),
        Err(error) => {
            err(&format!("warning: signals cannot be caught: {error}\n"));
            None
        }
    };
    let mut console = open_console(&reaches, args, listens);
    if args.paused {
        screen.say("paused before the first iteration: type `resume` and Enter");
    }
    let (stop, stops) = watch::channel(0);
    let mut tasks = JoinSet::new();
    let mut whose = BTreeMap::new();
    for ((run, progress), reach) in runs.into_iter().zip(progress).zip(&reaches) {
        let task = tasks.spawn_local(run.attend(progress, screen.clone(), stops.clone()));
        whose.insert(task.id(), reach);
    }
    let mut worst = Exit::Passed;
    while !tasks.is_empty() {
        tokio::select! {
            Some(ended) = tasks.join_next_with_id() => worst = worst.min(match ended {
                Ok((_, exit)) => exit,
                Err(error) => {
                    // Nobody looks after that run any more; the panic itself was told by the hook.
                    if let Some(reach) = whose.get(&error.id()) {
                        let _ = reach.commands.send(Command::Kill { by: Author::Signal });
                    }
                    screen.say(&format!("error: a bug in punk: {error}"));
                    Exit::Bug
                }
            }),
            line = console.line() => {
                if std::io::stdin().is_terminal() {
                    screen.typed();
                }
                if let Some(wrong) = console::obey(&line, &reaches) {
                    screen.say(&wrong);
                }
            }
            asked = Signals::next(&mut signals) => {
                let command = match asked {
                    Asked::Interim => {
                        screen.aside(|| reaches.iter().for_each(|reach| interim(reach, args)));
                        continue;
                    }
                    Asked::Stop if *stops.borrow() > 0 => Command::Kill { by: Author::Signal },
                    Asked::Stop => Command::Stop { by: Author::Signal, why: "interrupted by a signal".to_owned() },
                };
                if *stops.borrow() == 0 {
                    screen.say("stopping: no new iterations; interrupt again to end now");
                }
                stop.send_modify(|times| *times += 1);
                for reach in &reaches {
                    // One that is over has nobody who obeys.
                    let _ = reach.commands.send(command.clone());
                }
            }
        }
    }
    worst
}

fn open_console(reaches: &[Reach], args: &RunFlags, listens: bool) -> Console {
    match listens.then(Console::open) {
        Some(Ok(console)) => console,
        // A terminal that cannot be read is no loss unless somebody counted on it.
        Some(Err(error)) if args.commands || args.paused => {
            err(&format!("warning: no commands can be read from standard input: {error}\n"));
            for reach in reaches.iter().filter(|_| args.paused) {
                let why = "nobody could resume this run".to_owned();
                let _ = reach.commands.send(Command::Stop { by: Author::Terminal, why });
            }
            Console::silent()
        }
        _ => Console::silent(),
    }
}

/// The report of a run as it stands.
fn interim(reach: &Reach, args: &RunFlags) {
    if reach.is_over() {
        return;
    }
    let (plan, snapshot) = (reach.plan(), reach.snapshots.borrow().clone());
    let facts = Facts::passed(Utc::now(), snapshot.elapsed);
    if let Some(label) = &reach.label {
        out(&format!("=== {label}, so far ===\n"));
    }
    out(&report::text(&plan, &snapshot, &facts, finish::style(args.color)));
}
