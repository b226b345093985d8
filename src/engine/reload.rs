//! Hot reload up to the door: from a saved file to a `Command::Edit`, or to a `Command::BrokenEdit`.
//!
//! One thread of its own, started by the coordinator. It looks at the script and at all that it imports, whenever the
//! system says that something happened and a few times a second anyway; it compiles what has another text, and sends what
//! came of it. What an edit means for a run is not known here.

mod bell;
mod look;
#[cfg(test)]
mod tests;

use super::company::{Company, thread_name};
use super::shard::panic_text;
use super::stack::{LARGE, give_way};
use crate::control::{Author, Command, Edited};
use crate::diagnostic::render_all;
use crate::plan::{Plan, Source};
use crate::script::compile::{Compiled, compile};
use crate::script::overrides::Overrides;
use crate::script::source::is_library;
use bell::Bell;
use look::{Found, Looks};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

/// How often files are looked at when nothing says that they changed.
const EVERY: Duration = Duration::from_millis(300);
/// A save is over when nothing has changed for so long.
const QUIET: Duration = Duration::from_millis(60);
/// How long it may take at most; then what is there is taken.
const LONGEST: Duration = Duration::from_millis(400);
/// How long a file may be gone before that is an error: some editors delete and write anew.
const GONE: Duration = Duration::from_secs(1);
/// How long what does not compile may stand before that is told: it may be half of what is being written.
const HALF: Duration = Duration::from_millis(200);
/// The rest between two looks that the bell asked for.
const REST: Duration = Duration::from_millis(5);
/// How long the end of a run waits for a script that is being compiled.
const LEAVE: Duration = Duration::from_millis(500);

/// What is watched, and how it is compiled.
#[derive(Debug, Clone)]
pub struct Watch {
    /// The main script.
    pub path: PathBuf,
    /// What the command line says against it, as when the run began.
    pub overrides: Overrides,
}

/// The thread that watches.
pub(super) struct Reload {
    over: Arc<AtomicBool>,
    rings: SyncSender<()>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Reload {
    /// Starts it; `plan` is what runs.
    pub(super) fn start(
        watch: &Watch,
        company: Option<Company>,
        plan: &Plan,
        commands: &UnboundedSender<Command>,
    ) -> std::io::Result<Self> {
        let (rings, heard) = sync_channel(1);
        let (ending, ended) = sync_channel(1);
        let over = Arc::new(AtomicBool::new(false));
        let mut eye = Eye::new(watch.clone(), &plan.sources, commands.clone(), rings.clone(), heard, Arc::clone(&over));
        let body = move || {
            give_way();
            eye.watch();
            drop(ending);
        };
        let thread = thread::Builder::new().name(thread_name(company, "reload")).stack_size(LARGE).spawn(body)?;
        Ok(Reload { over, rings, ended, thread })
    }

    /// Ends it; why it panicked, if it did. One that compiles an endless script is left behind: it holds nothing of the run,
    /// and ends by itself.
    pub(super) fn end(self) -> Option<String> {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.rings.try_send(());
        match self.ended.recv_timeout(LEAVE) {
            Err(RecvTimeoutError::Timeout) => None,
            _ => self.thread.join().err().map(|panic| panic_text(&*panic)),
        }
    }
}

/// The text of a script: its files, with their fingerprints.
type Texts = Vec<(String, String)>;

fn texts(sources: &[Source]) -> Texts {
    sources.iter().map(|source| (source.path.clone(), source.sha256.clone())).collect()
}

/// What watches, as it stands.
struct Eye {
    watch: Watch,
    commands: UnboundedSender<Command>,
    rings: SyncSender<()>,
    heard: Receiver<()>,
    over: Arc<AtomicBool>,
    bell: Bell,
    looks: Looks,
    /// What was in the files when they were compiled last.
    seen: Vec<Found>,
    /// The script that was handed on last.
    applied: Texts,
    /// What is wrong with the files, and has been told.
    broken: Option<String>,
}

impl Eye {
    fn new(
        watch: Watch,
        sources: &[Source],
        commands: UnboundedSender<Command>,
        rings: SyncSender<()>,
        heard: Receiver<()>,
        over: Arc<AtomicBool>,
    ) -> Self {
        let mut eye = Eye {
            watch,
            commands,
            rings,
            heard,
            over,
            bell: Bell::default(),
            looks: Looks::default(),
            seen: Vec::new(),
            applied: texts(sources),
            broken: None,
        };
        eye.look_after(sources, &[]);
        eye
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Waits so long, or until something happened; a moment longer then, for the folder may be a busy one.
    fn rest(&self, time: Duration) {
        // The sender is our own, so there is always one.
        if self.heard.recv_timeout(time).is_ok() {
            thread::sleep(REST);
        }
    }

    /// From now on these files are the script, and those would be if they were there.
    fn look_after(&mut self, sources: &[Source], missing: &[PathBuf]) {
        let own = sources.iter().filter(|source| !is_library(&source.path));
        let read = own.map(|source| (source.file.clone(), Found::Text(source.sha256.clone())));
        let absent = missing.iter().map(|file| (file.clone(), Found::unread(file)));
        let (files, seen): (Vec<_>, Vec<_>) = read.chain(absent).unzip();
        self.seen = seen;
        if !self.looks.files().eq(files.iter().map(PathBuf::as_path)) {
            self.looks = Looks::at(files);
        }
    }

    /// Hangs the bell anew where folders are other ones.
    fn listen(&mut self) {
        if self.looks.folders_differ() {
            self.bell = Bell::hang(self.looks.folders(), &self.rings);
        }
    }

    fn watch(&mut self) {
        self.listen();
        let mut read_at: Option<Instant> = None;
        while !self.is_over() {
            let due = read_at.is_none_or(|at| at.elapsed() >= EVERY);
            if self.looks.differ() {
                self.settle();
            } else if !(due && (self.looks.are_young() || read_at.is_none())) {
                self.listen();
                self.rest(EVERY);
                continue;
            }
            self.take();
            self.listen();
            read_at = Some(Instant::now());
        }
    }

    /// Waits until a save is over.
    fn settle(&mut self) {
        let began = Instant::now();
        let mut last = began;
        while last.elapsed() < QUIET && began.elapsed() < LONGEST && !self.is_over() {
            self.rest(QUIET.saturating_sub(last.elapsed()));
            if self.looks.differ() {
                last = Instant::now();
            }
        }
    }

    /// Reads the files, and does what is to be done about them.
    fn take(&mut self) {
        let mut found = self.looks.read();
        let gone = |found: &[Found], seen: &[Found]| {
            found.iter().zip(seen).any(|(found, seen)| *found == Found::Missing && *seen != Found::Missing)
        };
        let began = Instant::now();
        while gone(&found, &self.seen) && began.elapsed() < GONE && !self.is_over() {
            self.rest(QUIET);
            if self.looks.differ() {
                self.settle();
            }
            found = self.looks.read();
        }
        if found == self.seen || self.is_over() {
            return;
        }
        let mut compiled = self.compiled();
        let began = Instant::now();
        while compiled.plan.is_none() && began.elapsed() < HALF && !self.is_over() {
            self.rest(HALF.saturating_sub(began.elapsed()));
            if self.looks.differ() {
                self.settle();
                compiled = self.compiled();
            }
        }
        if self.is_over() {
            return;
        }
        // What was compiled counts, not what was read before: a file may have changed between the two.
        self.look_after(&compiled.sources, &compiled.missing);
        self.hand_on(compiled);
    }

    fn compiled(&self) -> Compiled {
        let compiled = catch_unwind(AssertUnwindSafe(|| compile(&self.watch.path, &self.watch.overrides)));
        compiled.unwrap_or_else(|panic| {
            let text = format!("a bug in punk: compiling this script panicked: {}", panic_text(&*panic));
            Compiled {
                plan: None,
                diagnostics: vec![crate::diagnostic::Diagnostic::error(text)],
                sources: Vec::new(),
                missing: self.looks.files().map(PathBuf::from).collect(),
            }
        })
    }

    fn hand_on(&mut self, compiled: Compiled) {
        let command = match compiled.plan {
            Some(plan) => {
                let (now, mended) = (texts(&plan.sources), self.broken.take().is_some());
                if now == self.applied && !mended {
                    return;
                }
                if now == self.applied {
                    Command::BrokenEdit { by: Author::File, text: None }
                } else {
                    self.applied = now;
                    Command::Edit { by: Author::File, plan: Edited(Arc::new(plan)) }
                }
            }
            None => {
                let text = render_all(&compiled.diagnostics, false);
                if self.broken.as_ref() == Some(&text) {
                    return;
                }
                self.broken = Some(text.clone());
                Command::BrokenEdit { by: Author::File, text: Some(text) }
            }
        };
        // Nobody may be there any more; then the run is over.
        let _ = self.commands.send(command);
    }
}
