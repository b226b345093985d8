//! Progress on stderr while a run goes on: bars on a terminal, one plain line per ten seconds elsewhere, nothing when quiet.
//!
//! The door owns the loop and hands in every Snapshot; what scripts print and what is new (`news`: alerts, edits, thresholds)
//! appears above the bars. What is said is made by pure functions ([`line()`], [`bar_text`]); only [`Progress`] and the
//! [`Screen`], on which all runs of the process are shown, touch the terminal. It decides nothing and keeps nothing but what
//! it has said.

mod bars;
mod news;
mod plain;
mod screen;

pub use screen::{Screen, Shows};

use crate::expr::Selector;
use crate::printable::clean;
use crate::snapshot::{AlertPhase, Snapshot};
use crate::snapshot::{ScenarioState, Status};
use crate::units::human;
use bars::Bars;
use news::News;
use plain::Plain;
use std::time::Duration;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One bar per scenario, redrawn with every Snapshot: for a terminal.
    Bars {
        /// Whether to paint.
        color: bool,
        /// Whether the terminal shows more than ASCII.
        unicode: bool,
    },
    /// One line per scenario every ten seconds of the run, and at its end.
    Lines,
    /// Nothing at all.
    Quiet,
}

/// Between two plain lines.
const EVERY: Duration = Duration::from_secs(10);

/// What shows progress during one run.
pub struct Progress {
    /// What stands before all that it says, where several runs are shown.
    label: Option<String>,
    shown: Shown,
    /// Run time from which the next plain line is due.
    due: Duration,
    ended: bool,
    /// Lines of scripts that were shown.
    printed: u64,
    news: News,
}

enum Shown {
    Bars(Box<Bars>),
    Lines(Plain),
    Quiet,
}

impl Progress {
    fn new(label: Option<String>, shown: Shown) -> Self {
        Progress { label, shown, due: EVERY, ended: false, printed: 0, news: News::default() }
    }

    /// Shows a Snapshot: what scripts printed since the last one, then how far the run is.
    pub fn update(&mut self, snapshot: &Snapshot) {
        for (number, print) in (snapshot.prints_before..).zip(&snapshot.prints) {
            if number >= self.printed {
                self.say(print);
                self.printed = number + 1;
            }
        }
        for news in self.news.of(snapshot) {
            let ascii = matches!(&self.shown, Shown::Bars(bars) if !bars.unicode());
            self.say(&if ascii { news.replace('→', "->").replace('µ', "u") } else { news });
        }
        let over = matches!(snapshot.status, Status::Completed);
        match &mut self.shown {
            Shown::Bars(bars) => bars.show(snapshot),
            Shown::Lines(out) => {
                // A run that has begun says at its end where it ended, once.
                let last = over && !self.ended && !snapshot.elapsed.is_zero();
                self.ended |= over;
                if last || (!over && snapshot.elapsed >= self.due) {
                    while self.due <= snapshot.elapsed {
                        self.due += EVERY;
                    }
                    for scenario in &snapshot.scenarios {
                        out.say(&line(self.label.as_deref(), snapshot, scenario));
                    }
                }
            }
            Shown::Quiet => {}
        }
    }

    /// Shows a line above the bars: a message of punk, or what a script printed.
    pub fn say(&mut self, text: &str) {
        let text = match &self.label {
            Some(label) => clean(&format!("[{label}] {text}")),
            None => clean(text),
        };
        match &mut self.shown {
            Shown::Bars(bars) => bars.say(&text),
            Shown::Lines(out) => out.say(&text),
            Shown::Quiet => {}
        }
    }

    /// Takes the bars away, so that the report has the terminal for itself.
    pub fn finish(self) {
        if let Shown::Bars(bars) = self.shown {
            bars.finish();
        }
    }
}

/// What stands beside a scenario's bar: ` 42%  20/20 users  310.2/s  p95 12ms  errors 0.1%  ✓2 ✗1  12.5s`; in the open model
/// ` 42%  198.4 of 200/s  12/50 users busy  3 waiting  p95 …`. The terminal cuts it at its right edge: what matters least
/// comes last.
pub fn bar_text(snapshot: &Snapshot, scenario: &ScenarioState, unicode: bool) -> String {
    let recent = &scenario.recent;
    let mut parts = vec![format!("{:>3.0}%", (scenario.progress.clamp(0.0, 1.0) * 100.0).floor())];
    let begins = begins(snapshot, scenario);
    parts.extend(match (snapshot.status, &begins) {
        (Status::Starting, _) => Some("starting".to_owned()),
        (Status::Setup, _) => Some("setup".to_owned()),
        (Status::Paused, _) if !scenario.done => Some("PAUSED".to_owned()),
        (Status::Stopping, None) if !scenario.done => Some("stopping".to_owned()),
        (Status::Teardown, _) => Some("teardown".to_owned()),
        _ => scenario.done.then(|| "done".to_owned()),
    });
    let elapsed = human::time(seconds(snapshot.elapsed) * 1e3);
    if let Some(begins) = begins {
        parts.extend([begins, elapsed]);
        return parts.join("  ");
    }
    match (scenario.target_rate, scenario.target) {
        (Some(rate), most) => {
            parts.push(format!("{} of {}", human::number(recent.iterations), human::rate(rate)));
            let most = most.map_or(String::new(), |most| format!("/{most}"));
            parts.push(format!("{}{most} users busy", scenario.users));
        }
        (None, Some(target)) => parts.push(format!("{}/{target} users", scenario.users)),
        (None, None) => parts.push(format!("{} users", scenario.users)),
    }
    for (count, what) in [(scenario.waiting, "waiting"), (scenario.dropped, "dropped")] {
        parts.extend((count > 0).then(|| format!("{count} {what}")));
    }
    if scenario.target_rate.is_none() || recent.requests.round() != recent.iterations.round() {
        let requests = human::rate(recent.requests);
        parts.push(if scenario.target_rate.is_none() { requests } else { format!("{requests} requests") });
    }
    parts.extend(recent.p95.map(|p95| format!("p95 {}", human::time(p95))));
    parts.extend(recent.failed.map(|failed| format!("errors {}", human::percent(failed))));
    parts.extend(match ringing(snapshot) {
        0 => None,
        1 => Some("1 alert rings".to_owned()),
        many => Some(format!("{many} alerts ring")),
    });
    parts.extend(snapshot.broken_edit.as_ref().map(|_| "the edit is broken".to_owned()));
    let (held, broken) = thresholds(snapshot, &scenario.name);
    let (yes, no) = if unicode { ("✓", "✗") } else { ("ok ", "broken ") };
    let signs = [(yes, held), (no, broken)].into_iter().filter(|(_, count)| *count > 0);
    let signs: Vec<_> = signs.map(|(sign, count)| format!("{sign}{count}")).collect();
    parts.extend((!signs.is_empty()).then(|| signs.join(" ")));
    parts.push(elapsed);
    let text = parts.join("  ");
    if unicode { text } else { text.replace('µ', "u") }
}

/// When a scenario will start that has not: `starts in 8s`, `after warm-up`; `not started` when it never will.
fn begins(snapshot: &Snapshot, scenario: &ScenarioState) -> Option<String> {
    // Until the clock runs, everything is still to start: that is what the state says.
    if scenario.done || matches!(snapshot.status, Status::Starting | Status::Setup | Status::Completed) {
        return None;
    }
    let over = matches!(snapshot.status, Status::Stopping | Status::Teardown);
    match (scenario.begins, &scenario.after) {
        (Some(begins), _) if begins > snapshot.elapsed && over => Some("not started".to_owned()),
        (None, Some(_)) if over => Some("not started".to_owned()),
        (Some(begins), _) if begins > snapshot.elapsed => {
            let wait = (begins - snapshot.elapsed).as_secs_f64().ceil() as u64;
            Some(format!("starts in {}", human::duration(Duration::from_secs(wait))))
        }
        (None, Some(after)) => Some(format!("after {}", clean(after))),
        _ => None,
    }
}

/// One plain line about a scenario: `key=value` pairs, `-` where there is no value; `rps`, `p95`, `errors` and the first part
/// of `rate` are of the last few seconds. `state`, `rate`, `waiting`, `dropped`, `alerts` and `edit` appear
/// where they say something, `session` where several runs are shown.
pub fn line(session: Option<&str>, snapshot: &Snapshot, scenario: &ScenarioState) -> String {
    let recent = &scenario.recent;
    let none = || "-".to_owned();
    let word = |text: &str| clean(text).replace(' ', "_");
    let users = match scenario.target {
        Some(target) => format!("{}/{target}", scenario.users),
        None => scenario.users.to_string(),
    };
    let state = match begins(snapshot, scenario) {
        _ if snapshot.status == Status::Paused => " state=paused".to_owned(),
        Some(begins) => format!(" state={}", word(&begins)),
        None => String::new(),
    };
    let rate = scenario
        .target_rate
        .map_or(String::new(), |rate| format!(" rate={}/{}", human::number(recent.iterations), human::number(rate)));
    let is_open = scenario.arrivals > 0 || scenario.target_rate.is_some();
    let left =
        if is_open { format!(" waiting={} dropped={}", scenario.waiting, scenario.dropped) } else { String::new() };
    let (held, broken) = thresholds(snapshot, &scenario.name);
    let alerts = match ringing(snapshot) {
        0 => String::new(),
        many => format!(" alerts={many}"),
    };
    let edit = if snapshot.broken_edit.is_some() { " edit=broken" } else { "" };
    let session = session.map_or(String::new(), |session| format!(" session={}", word(session)));
    format!(
        "progress{session} time={:.1}s scenario={}{state} progress={:.0}%{rate} users={users}{left} rps={} p95={} errors={} iterations={} thresholds={held}/{}{alerts}{edit}",
        seconds(snapshot.elapsed),
        word(&scenario.name),
        (scenario.progress.clamp(0.0, 1.0) * 100.0).floor(),
        human::number(recent.requests),
        recent.p95.map_or_else(none, |p95| human::time(p95).replace('µ', "u")),
        recent.failed.map_or_else(none, human::percent),
        scenario.iterations,
        held + broken,
    )
}

fn seconds(elapsed: Duration) -> f64 {
    (elapsed.as_secs_f64() * 10.0).floor() / 10.0
}

/// How many alerts ring now.
fn ringing(snapshot: &Snapshot) -> usize {
    snapshot.alerts.iter().filter(|alert| alert.phase == AlertPhase::Firing).count()
}

/// How many of the thresholds that concern a scenario hold and how many are broken now.
fn thresholds(snapshot: &Snapshot, scenario: &str) -> (usize, usize) {
    let concerns = |of: Option<&str>| of.is_none_or(|of| of == scenario);
    let judged = snapshot.thresholds.iter().filter(|verdict| {
        let selected = Selector::parse(&verdict.selector).ok();
        concerns(verdict.scenario.as_deref())
            && selected.as_ref().is_none_or(|selector| selector.allows("scenario", scenario))
    });
    let judged: Vec<bool> = judged.filter_map(|verdict| verdict.passed).collect();
    let held = judged.iter().filter(|held| **held).count();
    (held, judged.len() - held)
}

#[cfg(test)]
mod tests;
