//! The screen: where the progress of all runs of this process is shown, on stderr.
//!
//! Made by the door before any run starts; each run, those that come later too, has a [`Progress`] of its own on it. It knows how things look, and
//! nothing of Snapshots.

use super::bars::{Bars, name};
use super::plain::Plain;
use super::{Mode, Progress, Shown};
use crate::printable::{clean, columns};
use indicatif::{MultiProgress, ProgressDrawTarget};
use std::io::{self, Write};

/// What a run is shown as.
#[derive(Debug, Clone)]
pub struct Shows {
    /// What tells it from the other runs; `None` where there is no other.
    pub label: Option<String>,
    /// Its scenarios, in the order of the Plan.
    pub scenarios: Vec<String>,
}

/// How bars look, and with which others they stand.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) all: MultiProgress,
    /// Where lines go while no bar is drawn.
    pub(super) plain: Plain,
    pub(super) color: bool,
    pub(super) unicode: bool,
    /// Of what stands before the bars, in columns.
    pub(super) width: usize,
}

/// What all runs are shown on.
#[derive(Debug, Clone)]
pub struct Screen {
    /// `None` where there are no bars.
    look: Option<Look>,
    plain: Plain,
    quiet: bool,
}

impl Screen {
    /// A screen, and the progress of each run on it.
    pub fn new(mode: Mode, runs: &[Shows]) -> (Screen, Vec<Progress>) {
        Screen::with(mode, runs, ProgressDrawTarget::stderr(), Plain::stderr())
    }

    /// The same with what it draws on, and with where lines go.
    pub(super) fn with(
        mode: Mode,
        runs: &[Shows],
        target: ProgressDrawTarget,
        plain: Plain,
    ) -> (Screen, Vec<Progress>) {
        let names =
            runs.iter().flat_map(|run| run.scenarios.iter().map(|one| columns(&name(run.label.as_deref(), one))));
        let look = match mode {
            Mode::Bars { color, unicode } => Some(Look {
                all: MultiProgress::with_draw_target(target),
                plain: plain.clone(),
                color,
                unicode,
                width: names.max().unwrap_or(0),
            }),
            Mode::Lines | Mode::Quiet => None,
        };
        let screen = Screen { look, plain, quiet: mode == Mode::Quiet };
        let progress = runs.iter().map(|run| screen.progress(run)).collect();
        (screen, progress)
    }

    /// The progress of one more run, below the others.
    pub fn progress(&self, run: &Shows) -> Progress {
        let shown = match &self.look {
            Some(look) => {
                let scenarios = run.scenarios.iter().map(String::as_str);
                Shown::Bars(Box::new(Bars::new(look.clone(), run.label.clone(), scenarios)))
            }
            None if self.quiet => Shown::Quiet,
            None => Shown::Lines(self.plain.clone()),
        };
        Progress::new(run.label.clone(), shown)
    }

    /// Shows a line that is of no run.
    pub fn say(&self, text: &str) {
        let text = clean(text);
        match &self.look {
            _ if self.quiet => {}
            Some(look) if !look.all.is_hidden() => {
                let _ = look.all.println(text);
            }
            _ => self.plain.say(&text),
        }
    }

    /// Somebody has typed a line below the bars: its echo moved the cursor, and the next drawing starts where it stands. Two lines
    /// up is where indicatif believes it to be, seen on a terminal with one bar and with several.
    pub fn typed(&self) {
        if self.look.as_ref().is_some_and(|look| !look.all.is_hidden()) {
            let _ = write!(io::stderr(), "\x1b[2A");
        }
    }

    /// Does what writes to the terminal by itself, with the bars out of its way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.look {
            Some(look) if !look.all.is_hidden() => look.all.suspend(write),
            _ => write(),
        }
    }
}
