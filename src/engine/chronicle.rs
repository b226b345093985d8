//! The chronicle: makes entries of the log of what is new since the last Snapshot, of what scripts said, and of what happened to
//! the process.
//!
//! Called by the collector for every Snapshot before it is published, of which it sees all, and for every change and edit when
//! it happens, since a Snapshot keeps the last of them only: so it misses nothing. It looks at no requests and shows nothing:
//! windows read the journal through the Snapshot.

use crate::events::Event;
use crate::expr::AlertSeverity;
use crate::logs::{Entry, Journal, Level, Line, Source};
use crate::snapshot::{AlertEvent, BrokenEdit, Edition, Intervention, Snapshot, Status, Verdict};
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Events of the process that one tick enters.
const EVENTS: usize = 100;

/// What was entered so far.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    journal: Arc<Journal>,
    status: Option<Status>,
    broken_edit: Option<BrokenEdit>,
    /// Number of the first alert event that was not entered.
    events: u64,
    /// Thresholds that are broken.
    broken: FxHashMap<Rule, bool>,
    warnings: usize,
    invalid: usize,
}

/// By which a threshold is the same in two Snapshots.
type Rule = (Option<String>, String, String);

impl Chronicle {
    /// The journal as it is now.
    pub(super) fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// Enters what scripts said; `now` is the wall time and `elapsed` the run time of this moment.
    pub(super) fn lines(&mut self, lines: &[Line], now: SystemTime, elapsed: Duration) {
        if lines.is_empty() {
            return; // the last Snapshot holds the journal: it is copied only where there is something new
        }
        let journal = Arc::make_mut(&mut self.journal);
        for line in lines {
            let ago = elapsed.saturating_sub(line.at);
            let time = now.checked_sub(ago).unwrap_or(now);
            let level = line.level.unwrap_or_default();
            journal.push(Entry {
                scenario: line.scenario.clone(),
                user: line.user,
                ..Entry::plain(line.at, time, level, Source::Script, line.message.clone())
            });
        }
    }

    /// Enters what happened to the process, and how much of it was lost on the way.
    pub(super) fn events(&mut self, (events, lost): (Vec<Arc<Event>>, u64), now: SystemTime, elapsed: Duration) {
        if events.is_empty() && lost == 0 {
            return;
        }
        let journal = Arc::make_mut(&mut self.journal);
        let lost = lost + events.len().saturating_sub(EVENTS) as u64;
        for event in events.into_iter().take(EVENTS) {
            let ago = now.duration_since(event.time).unwrap_or_default();
            let at = elapsed.saturating_sub(ago);
            journal.push(Entry {
                target: Some(event.target.clone()),
                fields: event.fields.clone(),
                ..Entry::plain(at, event.time, event.level, Source::Process, event.message.clone())
            });
        }
        if lost > 0 {
            let message = format!("{lost} events of the process came too fast to be kept");
            journal.push(Entry::plain(elapsed, now, Level::Warn, Source::Process, message));
        }
    }

    /// Enters what somebody changed, or could not; `now` is the wall time of this moment.
    pub(super) fn intervened(&mut self, one: &Intervention, now: SystemTime) {
        Arc::make_mut(&mut self.journal).push(change(one, now));
    }

    /// Enters an edit.
    pub(super) fn edited(&mut self, edition: &Edition) {
        Arc::make_mut(&mut self.journal).push(edit(edition));
    }

    /// Enters what is new in a Snapshot that was judged.
    pub(super) fn note(&mut self, snapshot: &Snapshot, now: SystemTime) {
        let mut news = Vec::new();
        let at = snapshot.elapsed;
        let entry = |level, source, message| Entry::plain(at, now, level, source, message);
        let turned = self.status.replace(snapshot.status) != Some(snapshot.status);
        let over = snapshot.status == Status::Completed;
        let state = entry(Level::Info, Source::Run, state(snapshot.status).to_owned());
        news.extend(Some(&state).filter(|_| turned && !over).cloned());
        if self.broken_edit != snapshot.broken_edit {
            news.push(match &snapshot.broken_edit {
                Some(broken) => {
                    let message = format!("the edit by {} cannot be used:\n{}", broken.by, broken.text.trim_end());
                    entry(Level::Warn, Source::Edit, message)
                }
                None => entry(Level::Info, Source::Edit, "the edit is mended".to_owned()),
            });
            self.broken_edit.clone_from(&snapshot.broken_edit);
        }
        for verdict in &snapshot.thresholds {
            let is_broken = verdict.holds.or(verdict.passed) == Some(false);
            let rule = (verdict.scenario.clone(), verdict.selector.clone(), verdict.expression.clone());
            if self.broken.insert(rule, is_broken).unwrap_or(false) != is_broken {
                news.push(turn(verdict, is_broken, at, now));
            }
        }
        let events = snapshot.alert_events.iter().filter(|event| event.number >= self.events);
        news.extend(events.map(|event| alert(event)));
        self.events = snapshot.alert_events.last().map_or(self.events, |last| self.events.max(last.number + 1));
        let generator = &snapshot.generator;
        for (texts, known, level) in [
            (&generator.invalid, &mut self.invalid, Level::Error),
            (&generator.warnings, &mut self.warnings, Level::Warn),
        ] {
            news.extend(texts.iter().skip(*known).map(|text| entry(level, Source::Generator, text.clone())));
            *known = texts.len();
        }
        // The end is the last word.
        news.extend(Some(state).filter(|_| turned && over));
        if !news.is_empty() {
            let journal = Arc::make_mut(&mut self.journal);
            news.into_iter().for_each(|entry| journal.push(entry));
        }
    }
}

fn state(status: Status) -> &'static str {
    match status {
        Status::Starting => "the run starts",
        Status::Setup => "`setup` runs",
        Status::Running => "scenarios run",
        Status::Paused => "the run is paused",
        Status::Stopping => "the run stops: no new iterations",
        Status::Teardown => "`teardown` runs",
        Status::Completed => "the run is over",
    }
}

fn change(one: &Intervention, now: SystemTime) -> Entry {
    match &one.refused {
        None => Entry::plain(one.at, now, Level::Info, Source::Change, format!("{} (by {})", one.what, one.by)),
        Some(why) => {
            let message = format!("refused {}, asked for by {}: {why}", one.what, one.by);
            Entry::plain(one.at, now, Level::Warn, Source::Change, message)
        }
    }
}

fn edit(edition: &Edition) -> Entry {
    let mut lines = vec![format!("revision {} (by {})", edition.revision, edition.by)];
    lines.extend(edition.changes.iter().map(ToString::to_string));
    lines.extend(edition.refused.iter().map(|refused| format!("refused: {refused}")));
    lines.extend(edition.notes.iter().cloned());
    let level = if edition.refused.is_empty() { Level::Info } else { Level::Warn };
    Entry::plain(edition.at, edition.time, level, Source::Edit, lines.join("\n"))
}

fn turn(verdict: &Verdict, is_broken: bool, at: Duration, now: SystemTime) -> Entry {
    let level = match (is_broken, verdict.severity) {
        (false, _) => Level::Info,
        (true, "warn") => Level::Warn,
        (true, _) => Level::Error,
    };
    let what = if is_broken { "is broken" } else { "holds again" };
    let value = verdict.now_text.as_ref().or(verdict.observed_text.as_ref());
    let value = value.map_or(String::new(), |value| format!(": {value}"));
    let message = format!("threshold {}: {} {what}{value}", verdict.selector, verdict.expression);
    let scenario = verdict.scenario.as_deref().map(Into::into);
    Entry { scenario, ..Entry::plain(at, now, level, Source::Threshold, message) }
}

fn alert(event: &AlertEvent) -> Entry {
    let level = match (event.firing, event.severity) {
        (false, _) | (true, AlertSeverity::Info) => Level::Info,
        (true, AlertSeverity::Warning) => Level::Warn,
        (true, AlertSeverity::Error | AlertSeverity::Critical) => Level::Error,
    };
    let what = if event.firing { "rings" } else { "is over" };
    let value = event.value_text.as_ref().map_or(String::new(), |value| format!(": {value}"));
    let because = event.because.as_ref().map_or(String::new(), |because| format!(" ({because})"));
    let message = format!("alert {} ({}) {what}: {}{value}{because}", event.name, event.severity, event.when);
    Entry::plain(event.at, event.time, level, Source::Alert, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Author;
    use crate::snapshot::Generator;

    fn verdict(holds: bool) -> Verdict {
        Verdict {
            selector: "checks".into(),
            expression: "rate > 99%".into(),
            severity: "fail",
            holds: Some(holds),
            now_text: Some("98%".into()),
            ..Verdict::default()
        }
    }

    fn said(chronicle: &Chronicle) -> String {
        let line = |entry: &Arc<Entry>| {
            let who = entry.scenario.as_ref().map_or(String::new(), |scenario| format!(" {scenario}"));
            format!("{} {:?} {} {}{who}: {}", entry.number, entry.at, entry.level, entry.source.word(), entry.message)
        };
        chronicle.journal().since(0).into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_new_is_entered_once_in_the_order_in_which_it_was_seen() {
        let mut chronicle = Chronicle::default();
        let mut snapshot = Snapshot { status: Status::Running, thresholds: vec![verdict(true)], ..Snapshot::default() };
        let now = SystemTime::UNIX_EPOCH;
        chronicle.note(&snapshot, now);
        let line = Line {
            at: Duration::from_secs(1),
            level: Some(Level::Warn),
            message: "odd".into(),
            scenario: Some("browse".into()),
            user: Some(3),
        };
        chronicle.lines(&[line], now + Duration::from_secs(60), Duration::from_secs(2));
        snapshot.elapsed = Duration::from_secs(2);
        snapshot.thresholds = vec![verdict(false)];
        for one in [
            Intervention { at: Duration::from_secs(2), by: Author::Terminal, what: "paused".into(), refused: None },
            Intervention {
                at: Duration::from_secs(2),
                by: Author::Api,
                what: "browse: 50 users".into(),
                refused: Some("it is over".into()),
            },
        ] {
            chronicle.intervened(&one, now);
        }
        snapshot.generator = Generator { warnings: vec!["CPU".into()], ..Generator::default() };
        snapshot.broken_edit =
            Some(BrokenEdit { at: Duration::from_secs(2), by: Author::File, text: "error: no\n".into() });
        chronicle.note(&snapshot, now);
        chronicle.note(&snapshot, now);
        snapshot.thresholds = vec![verdict(true)];
        snapshot.broken_edit = None;
        snapshot.status = Status::Completed;
        chronicle.note(&snapshot, now);
        insta::assert_snapshot!(said(&chronicle), @"
        0 0ns info run: scenarios run
        1 1s warn script browse: odd
        2 2s info change: paused (by the terminal)
        3 2s warn change: refused browse: 50 users, asked for by the API: it is over
        4 2s warn edit: the edit by the file cannot be used:
        error: no
        5 2s error threshold: threshold checks: rate > 99% is broken: 98%
        6 2s warn generator: CPU
        7 2s info edit: the edit is mended
        8 2s info threshold: threshold checks: rate > 99% holds again: 98%
        9 2s info run: the run is over
        ");
        let line = &chronicle.journal().since(1)[0];
        assert_eq!(
            (line.time, line.user),
            (now + Duration::from_secs(59), Some(3)),
            "when it was said, not when it came"
        );
    }

    #[test]
    fn events_of_the_process_have_their_own_time_and_are_bounded() {
        let mut chronicle = Chronicle::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(60);
        let event = |message: &str| {
            Arc::new(Event {
                time: now - Duration::from_secs(1),
                level: Level::Warn,
                target: "punk::monitor".into(),
                message: message.into(),
                fields: vec![("port", "9091".into())],
            })
        };
        chronicle.events((vec![event("moved")], 0), now, Duration::from_secs(3));
        chronicle.events((vec![event("more"); EVENTS + 5], 2), now, Duration::from_secs(3));
        let journal = Arc::clone(chronicle.journal());
        let (first, last) = (&journal.since(0)[0], journal.since(0)[EVENTS + 1]);
        assert_eq!((first.at, first.time), (Duration::from_secs(2), now - Duration::from_secs(1)));
        assert_eq!((first.target.as_deref(), &*first.fields[0].1), (Some("punk::monitor"), "9091"));
        assert_eq!(last.message, "7 events of the process came too fast to be kept");
        assert_eq!(journal.numbered(), EVENTS as u64 + 2);
    }

    #[test]
    fn nothing_new_copies_nothing() {
        let mut chronicle = Chronicle::default();
        let snapshot = Snapshot::default();
        chronicle.note(&snapshot, SystemTime::UNIX_EPOCH);
        let before = Arc::clone(chronicle.journal());
        chronicle.note(&snapshot, SystemTime::UNIX_EPOCH);
        chronicle.lines(&[], SystemTime::UNIX_EPOCH, Duration::ZERO);
        chronicle.events((Vec::new(), 0), SystemTime::UNIX_EPOCH, Duration::ZERO);
        assert!(Arc::ptr_eq(&before, chronicle.journal()));
    }
}
