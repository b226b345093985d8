//! The main thread while runs go on: a task for each of them, signals and typed lines for all.
//!
//! Called by the door once everything has begun. What becomes of one run is no other run's affair: each has its own end and
//! its own report, and the worst of their exit codes is that of the process.

use super::console::{self, Console};
use super::finish::{self, speaks_unicode};
use super::newcomers::Newcomers;
use super::running::{Reach, Running};
use super::signals::{Asked, Signals};
use crate::api::{Refusal, Sent};
use crate::cli::args::{RunFlags, Ui};
use crate::cli::exit::Exit;
use crate::cli::{err, out};
use crate::control::{Author, Command};
use crate::diagnostic::render_all;
use crate::progress::{Mode, Progress, Screen, Shows};
use crate::report::{self, Facts};
use crate::script::compile::Compiled;
use chrono::Utc;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet, LocalSet};

/// Looks after all runs, and those that come, until the last one is reported; the worst exit code. `listens`: whether standard
/// input is read.
pub(super) fn attend(runs: Vec<Running>, newcomers: Newcomers<'_>, args: &RunFlags, listens: bool) -> Exit {
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
    let mut hall = Hall::new(screen);
    let worst = LocalSet::new().block_on(&runtime, async {
        runs.into_iter().zip(progress).for_each(|(run, progress)| hall.enter(run, progress));
        hall.wait(newcomers, args, listens).await
    });
    // The look-up of a name cannot be called back, nor a script that is compiled; nobody waits for them.
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
struct Hall {
    screen: Screen,
    reaches: Vec<Reach>,
    tasks: JoinSet<Exit>,
    whose: BTreeMap<Id, mpsc::UnboundedSender<Command>>,
    /// How often somebody wanted the end.
    stop: watch::Sender<u32>,
}

impl Hall {
    fn new(screen: Screen) -> Self {
        let (reaches, tasks, whose, stop) = (Vec::new(), JoinSet::new(), BTreeMap::new(), watch::Sender::new(0));
        Hall { screen, reaches, tasks, whose, stop }
    }

    /// One more run that has begun.
    fn enter(&mut self, run: Running, progress: Progress) {
        let reach = run.reach();
        let task = self.tasks.spawn_local(run.attend(progress, self.screen.clone(), self.stop.subscribe()));
        self.whose.insert(task.id(), reach.commands.clone());
        self.reaches.push(reach);
    }

    /// Until the last one is over.
    async fn wait(&mut self, mut newcomers: Newcomers<'_>, args: &RunFlags, listens: bool) -> Exit {
        let mut signals = match Signals::new() {
            Ok(signals) => Some(signals),
            Err(error) => {
                err(&format!("warning: signals cannot be caught: {error}\n"));
                None
            }
        };
        let mut console = open_console(&self.reaches, args, listens);
        if args.paused {
            self.screen.say("paused before the first iteration: type `resume` and Enter");
        }
        let mut worst = Exit::Passed;
        while !self.tasks.is_empty() {
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => worst = worst.min(self.ended(ended)),
                line = console.line() => {
                    if std::io::stdin().is_terminal() {
                        self.screen.typed();
                    }
                    if let Some(wrong) = console::obey(&line, &self.reaches) {
                        self.screen.say(&wrong);
                    }
                }
                asked = Signals::next(&mut signals) => self.asked(&asked, args),
                (sent, compiled) = newcomers.next() => self.admit(&mut newcomers, sent, compiled, args),
            }
        }
        worst
    }

    /// A task is over.
    fn ended(&mut self, ended: Result<(Id, Exit), JoinError>) -> Exit {
        match ended {
            Ok((id, exit)) => {
                self.whose.remove(&id);
                exit
            }
            Err(error) => {
                // Nobody looks after that run any more; the panic itself was told by the hook.
                if let Some(commands) = self.whose.remove(&error.id()) {
                    let _ = commands.send(Command::Kill { by: Author::Signal });
                }
                self.screen.say(&format!("error: a bug in punk: {error}"));
                Exit::Bug
            }
        }
    }

    /// What a signal asks of all.
    fn asked(&self, asked: &Asked, args: &RunFlags) {
        let command = match asked {
            Asked::Interim => {
                return self.screen.aside(|| self.reaches.iter().for_each(|reach| interim(reach, args)));
            }
            Asked::Stop if self.is_ending() => Command::Kill { by: Author::Signal },
            Asked::Stop => Command::Stop { by: Author::Signal, why: "interrupted by a signal".to_owned() },
        };
        if !self.is_ending() {
            self.screen.say("stopping: no new iterations; interrupt again to end now");
        }
        self.stop.send_modify(|times| *times += 1);
        for reach in &self.reaches {
            // One that is over has nobody who obeys.
            let _ = reach.commands.send(command.clone());
        }
    }

    /// Whether somebody wants the end of all.
    fn is_ending(&self) -> bool {
        *self.stop.borrow() > 0
    }

    /// Begins the run of a script that was sent, or tells whoever sent it why not.
    fn admit(&mut self, newcomers: &mut Newcomers<'_>, sent: Sent, compiled: Option<Compiled>, args: &RunFlags) {
        if self.is_ending() {
            return sent.answer(Err(Refusal::Conflict("the process was told to end".to_owned())));
        }
        match newcomers.begin(compiled, &self.reaches, self.tasks.len()) {
            Ok((run, session, warnings)) => {
                let color = args.color.on(std::io::stderr().is_terminal());
                if !warnings.is_empty() {
                    self.screen.aside(|| err(&format!("{}\n", render_all(&warnings, color))));
                }
                let label = run.label.as_deref().unwrap_or_default();
                self.screen.say(&format!("{label} begins: its script was sent to the monitor"));
                // Those that are over have told everything.
                self.reaches.retain(|reach| !reach.is_over());
                let progress = self.screen.progress(&shows(&run));
                self.enter(run, progress);
                sent.answer(Ok(session));
            }
            Err(refusal) => sent.answer(Err(refusal)),
        }
    }
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
