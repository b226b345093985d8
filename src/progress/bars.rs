//! One bar per scenario of a run, on the screen that all runs share.
//!
//! Filled by [`Progress`](super::Progress) with every Snapshot; what a bar says is `bar_text`'s. It knows nothing of news.

use super::bar_text;
use super::screen::Look;
use crate::printable::{clean, columns, cut};
use crate::snapshot::Snapshot;
use indicatif::{ProgressBar, ProgressStyle};

/// Steps of a bar.
const STEPS: u64 = 1_000;
/// The widest name of a scenario beside a bar.
const NAME: usize = 16;
/// The widest name of a run before it.
const LABEL: usize = 12;

/// The bars of one run.
pub(super) struct Bars {
    look: Look,
    bars: Vec<ProgressBar>,
    style: ProgressStyle,
    label: Option<String>,
}

/// What stands before a bar: the scenario, and which run it is of where there are several.
pub(super) fn name(label: Option<&str>, scenario: &str) -> String {
    let scenario = cut(&clean(scenario), NAME);
    label.map_or_else(|| scenario.clone(), |label| format!("{} {scenario}", cut(&clean(label), LABEL)))
}

impl Bars {
    pub(super) fn new<'a>(look: Look, label: Option<String>, scenarios: impl IntoIterator<Item = &'a str>) -> Self {
        let bar = if look.color { "{bar:10.green/dim}" } else { "{bar:10}" };
        let style = ProgressStyle::with_template(&format!("{{prefix}} {bar} {{wide_msg}}"))
            .expect("the template is right")
            .progress_chars(if look.unicode { "█▉▊▋▌▍▎▏ " } else { "#>-" });
        let mut bars = Bars { look, bars: Vec::new(), style, label };
        scenarios.into_iter().for_each(|name| bars.add(name));
        bars
    }

    /// Whether the terminal shows more than ASCII.
    pub(super) fn unicode(&self) -> bool {
        self.look.unicode
    }

    fn add(&mut self, scenario: &str) {
        let bar = ProgressBar::new(STEPS).with_style(self.style.clone());
        // Behind the run's own, so that an edit's scenario does not stand with another run.
        let bar = match self.bars.last() {
            Some(last) => self.look.all.insert_after(last, bar),
            None => self.look.all.add(bar),
        };
        let name = name(self.label.as_deref(), scenario);
        bar.set_prefix(format!("{}{name}", " ".repeat(self.look.width.saturating_sub(columns(&name)))));
        self.bars.push(bar);
    }

    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        // An edit may bring scenarios, always behind the others.
        for fresh in snapshot.scenarios.iter().skip(self.bars.len()) {
            self.add(&fresh.name);
        }
        for (bar, scenario) in self.bars.iter().zip(&snapshot.scenarios) {
            bar.set_position((scenario.progress.clamp(0.0, 1.0) * STEPS as f64) as u64);
            bar.set_message(bar_text(snapshot, scenario, self.look.unicode));
        }
    }

    /// Shows a line above all bars.
    pub(super) fn say(&self, text: &str) {
        if self.look.all.is_hidden() {
            // Where no bar is drawn, indicatif would swallow the line.
            self.look.plain.say(text);
        } else {
            let _ = self.look.all.println(text);
        }
    }

    pub(super) fn finish(self) {
        for bar in &self.bars {
            bar.finish_and_clear();
            self.look.all.remove(bar);
        }
        let _ = self.look.all.clear();
    }
}
