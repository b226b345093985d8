//! What is new between two Snapshots, as lines for people: edits, alerts, thresholds that come to be broken and that recover.
//!
//! Pure: Snapshots in, lines out. Called by [`Progress`](super::Progress) for every Snapshot that it sees; it may miss some,
//! and tells what happened in between as far as the Snapshot still knows.

use crate::control::Author;
use crate::snapshot::Status;
use crate::snapshot::{AlertEvent, BrokenEdit, Edition, Snapshot, Verdict};
use crate::units::human;
use rustc_hash::FxHashMap;
use std::time::Duration;

/// One threshold is told of at most once in this time: what flaps says little, and the report has it all.
const CALM: Duration = Duration::from_secs(5);
/// Changes of one edit that are told; the report has all.
const CHANGES: usize = 20;

/// What was told so far.
#[derive(Debug, Default)]
pub struct News {
    /// Number of the first alert event that was not told.
    events: u64,
    /// The last revision that was told.
    revision: u64,
    /// The broken edit that was told, and the revision that went on.
    broken: Option<(BrokenEdit, u64)>,
    rules: FxHashMap<Rule, Told>,
}

/// By which a threshold is the same in two Snapshots.
type Rule = (Option<String>, String, String);

#[derive(Debug)]
struct Told {
    broken: bool,
    /// Run time of the last line about it.
    at: Option<Duration>,
}

impl News {
    /// The lines for this Snapshot, in the order in which they shall stand; empty when nothing is new.
    pub fn of(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let mut lines = Vec::new();
        self.edits(snapshot, &mut lines);
        self.broken_edit(snapshot, &mut lines);
        self.thresholds(snapshot, &mut lines);
        self.alerts(snapshot, &mut lines);
        lines
    }

    fn edits(&mut self, snapshot: &Snapshot, lines: &mut Vec<String>) {
        let before = self.revision;
        for edition in snapshot.edits.iter().filter(|edition| edition.revision > before) {
            lines.extend(edit(edition));
            for verdict in snapshot.thresholds.iter().filter(|verdict| verdict.revision == edition.revision) {
                lines.push(format!("  {}", first_verdict(verdict)));
                // What it says now was just told.
                self.rules.insert(rule(verdict), Told { broken: broken(verdict), at: None });
            }
            for alert in snapshot.alerts.iter().filter(|alert| alert.revision == edition.revision) {
                if let Some(first) = alert.would_have.first() {
                    let often = times(alert.would_have.len() as u64);
                    lines.push(format!("  alert {}: would have rung {often}, first at {}", alert.name, at(*first)));
                }
            }
            self.revision = edition.revision;
        }
        if self.revision > before {
            let known: Vec<Rule> = snapshot.thresholds.iter().map(rule).collect();
            self.rules.retain(|rule, _| known.contains(rule));
        }
    }

    fn broken_edit(&mut self, snapshot: &Snapshot, lines: &mut Vec<String>) {
        let revision = self.revision;
        match (&self.broken, &snapshot.broken_edit) {
            (Some((before, _)), Some(now)) if before.text == now.text => {}
            (_, Some(now)) => {
                let goes_on = snapshot.revision.max(1);
                lines.push(format!(
                    "the edit by {} cannot be used; revision {goes_on} goes on until it is mended:",
                    now.by
                ));
                lines.extend(now.text.trim_end().lines().map(str::to_owned));
                self.broken = Some((now.clone(), revision));
            }
            (Some((_, before)), None) => {
                // What mended it was told as an edit, unless it is as it was.
                lines.extend((*before == revision).then(|| "the edit is mended; nothing has changed".to_owned()));
                self.broken = None;
            }
            (None, None) => {}
        }
    }

    fn thresholds(&mut self, snapshot: &Snapshot, lines: &mut Vec<String>) {
        let now = snapshot.elapsed;
        for verdict in &snapshot.thresholds {
            let told = self.rules.entry(rule(verdict)).or_insert(Told { broken: false, at: None });
            let is_broken = broken(verdict);
            let calm = told.at.is_some_and(|at| now.saturating_sub(at) < CALM);
            // At the end the report says what became of it.
            let over = snapshot.status == Status::Completed;
            if told.broken != is_broken && !calm && !over {
                lines.push(turn(verdict, is_broken));
                told.broken = is_broken;
                told.at = Some(now);
            }
        }
    }

    fn alerts(&mut self, snapshot: &Snapshot, lines: &mut Vec<String>) {
        let events = &snapshot.alert_events;
        if let Some(missed) = events.first().and_then(|first| first.number.checked_sub(self.events)).filter(|n| *n > 0)
            && self.events > 0
        {
            lines.push(format!("({missed} earlier messages of alerts came too fast to be shown)"));
        }
        for event in events.iter().filter(|event| event.number >= self.events) {
            let rang = events.iter().find(|other| other.firing && other.id == event.id);
            lines.extend(alert(event, rang.map(|rang| rang.at)));
        }
        self.events = events.iter().map(|event| event.number + 1).fold(self.events, u64::max);
    }
}

fn rule(verdict: &Verdict) -> Rule {
    (verdict.scenario.clone(), verdict.selector.clone(), verdict.expression.clone())
}

/// Whether it is broken at this moment.
fn broken(verdict: &Verdict) -> bool {
    verdict.holds.or(verdict.passed) == Some(false)
}

/// `http_req_duration: p(95) < 300ms`.
fn named(verdict: &Verdict) -> String {
    let scenario = verdict.scenario.as_ref().map_or(String::new(), |scenario| format!(" in {scenario}"));
    format!("{}{scenario}: {}", verdict.selector, verdict.expression)
}

/// The value of this moment.
fn value(verdict: &Verdict) -> Option<&str> {
    verdict.now_text.as_deref().or(verdict.observed_text.as_deref())
}

/// What a rule that was just brought says at once.
fn first_verdict(verdict: &Verdict) -> String {
    let now = match value(verdict) {
        Some(value) => format!("now {value}"),
        None if verdict.holds.or(verdict.passed).is_none() => {
            verdict.note.clone().unwrap_or_else(|| "no data yet".to_owned())
        }
        // A closure says yes or no.
        None => format!("now {}", !broken(verdict)),
    };
    let past = verdict.first_breach.filter(|from| *from < verdict.since);
    let before = match past {
        Some(from) => {
            let to = verdict.breaches.first().and_then(|first| first.to);
            let stretch =
                to.map_or_else(|| format!("since {}", at(from)), |to| format!("from {} to {}", at(from), at(to)));
            match verdict.breach_count {
                0 | 1 => format!(", would have failed {stretch}"),
                count => format!(", would have failed {}, first {stretch}", times(count)),
            }
        }
        None if verdict.holds.or(verdict.passed).is_none() => String::new(),
        None if broken(verdict) => ", broken".to_owned(),
        None => ", holds".to_owned(),
    };
    format!("{}: {now}{before}", named(verdict))
}

/// A threshold that came to be broken, or holds again.
fn turn(verdict: &Verdict, is_broken: bool) -> String {
    let what = if is_broken { "is broken" } else { "holds again" };
    let value = value(verdict).map_or(String::new(), |value| format!(": {value}"));
    let warning = if verdict.severity == "warn" { " (warning)" } else { "" };
    let then = match (is_broken, verdict.passed) {
        (true, _) if verdict.abort => "; with `abort`, it ends the run",
        (false, Some(false)) => "; that it was broken stands",
        _ => "",
    };
    let often = match verdict.breach_count {
        count if is_broken && count > 1 => format!(", for the {} time", nth(count)),
        _ => String::new(),
    };
    format!("threshold {}{warning} {what}{value}{often}{then}", named(verdict))
}

/// An edge of an alert; `rang`: when the ringing began that is over now.
fn alert(event: &AlertEvent, rang: Option<Duration>) -> Vec<String> {
    let value = event.value_text.as_ref();
    let mut lines = Vec::new();
    if event.firing {
        let value = value.map_or(String::new(), |value| format!(": {value}"));
        lines.push(format!(
            "alert {} ({}) rings at {}: {}{value}",
            event.name,
            event.severity,
            at(event.at),
            event.when
        ));
        let texts = [&event.description, &event.resolution].into_iter().filter(|text| !text.is_empty());
        lines.extend(texts.map(|text| format!("  {text}")));
    } else {
        let after = rang.map_or(String::new(), |rang| format!(", after {}", at(event.at.saturating_sub(rang))));
        let value = value.map_or(String::new(), |value| format!(": {value}"));
        let because = event.because.as_ref().map_or(String::new(), |because| format!(" ({because})"));
        lines.push(format!(
            "alert {} ({}) is over at {}{after}{value}{because}",
            event.name,
            event.severity,
            at(event.at)
        ));
    }
    lines
}

/// An edit: one change beside the revision, several beneath it.
fn edit(edition: &Edition) -> Vec<String> {
    let by = match &edition.by {
        Author::File => "file".to_owned(),
        other => other.to_string(),
    };
    let head = format!("revision {} ({by}) at {}", edition.revision, at(edition.at));
    let mut lines = Vec::new();
    match &edition.changes[..] {
        [] => lines.push(format!("{head}: nothing changed")),
        [one] => lines.push(format!("{head}: {one}")),
        many => {
            lines.push(format!("{head}: {} changes", many.len()));
            lines.extend(many.iter().take(CHANGES).map(|change| format!("  {change}")));
            let more = many.len().saturating_sub(CHANGES);
            lines.extend((more > 0).then(|| format!("  and {more} more")));
        }
    }
    lines.extend(edition.refused.iter().map(|refused| format!("  refused: {refused}")));
    lines.extend(edition.notes.iter().map(|note| format!("  {note}")));
    lines
}

/// A run time to a tenth of a second.
fn at(time: Duration) -> String {
    human::duration(Duration::from_millis(time.as_millis() as u64 / 100 * 100))
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

fn nth(count: u64) -> String {
    let ending = match (count % 10, count % 100) {
        (1, n) if n != 11 => "st",
        (2, n) if n != 12 => "nd",
        (3, n) if n != 13 => "rd",
        _ => "th",
    };
    format!("{count}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{AlertSeverity, Change};
    use crate::snapshot::{AlertState, Breach};
    use std::sync::Arc;
    use std::time::SystemTime;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn verdict(holds: bool, now: &str) -> Verdict {
        Verdict {
            selector: "http_req_duration".into(),
            expression: "p(95) < 300ms".into(),
            severity: "fail",
            passed: Some(holds),
            holds: Some(holds),
            observed_text: Some(now.into()),
            revision: 1,
            ..Verdict::default()
        }
    }

    fn snapshot(time: f64, thresholds: Vec<Verdict>) -> Snapshot {
        Snapshot { elapsed: seconds(time), status: Status::Running, revision: 1, thresholds, ..Snapshot::default() }
    }

    fn told(news: &mut News, snapshots: &[Snapshot]) -> String {
        let lines = snapshots.iter().flat_map(|snapshot| {
            let lines = news.of(snapshot);
            lines.into_iter().map(|line| format!("[{}] {line}", at(snapshot.elapsed))).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_threshold_that_turns_is_told_and_one_that_flaps_only_now_and_then() {
        let mut windowed = verdict(false, "412ms");
        windowed.breach_count = 3;
        let mut recovered = windowed.clone();
        (recovered.holds, recovered.now_text) = (Some(true), Some("250ms".into()));
        let mut snapshots = vec![
            snapshot(1.0, vec![verdict(true, "200ms")]),
            snapshot(1.5, vec![verdict(false, "412ms")]),
            snapshot(2.0, vec![verdict(true, "290ms")]),
        ];
        // Twice a second, for ten seconds.
        snapshots.extend((0..20).map(|n| snapshot(2.5 + f64::from(n) / 2.0, vec![verdict(n % 2 == 1, "310ms")])));
        snapshots.push(snapshot(25.0, vec![windowed]));
        snapshots.push(snapshot(35.0, vec![recovered]));
        insta::assert_snapshot!(told(&mut News::default(), &snapshots), @r#"
        [1.5s] threshold http_req_duration: p(95) < 300ms is broken: 412ms
        [7s] threshold http_req_duration: p(95) < 300ms holds again: 310ms
        [25s] threshold http_req_duration: p(95) < 300ms is broken: 412ms, for the 3rd time
        [35s] threshold http_req_duration: p(95) < 300ms holds again: 250ms; that it was broken stands
        "#);
    }

    #[test]
    fn one_that_ends_the_run_and_one_that_only_warns_say_so() {
        let mut abort = verdict(false, "412ms");
        abort.abort = true;
        let mut warning = verdict(false, "99%");
        (warning.selector, warning.scenario, warning.severity) = ("checks".into(), Some("browse".into()), "warn");
        let mut ended = snapshot(2.0, vec![abort.clone(), warning.clone()]);
        ended.status = Status::Stopping;
        let mut over = ended.clone();
        over.status = Status::Completed;
        let snapshots = [snapshot(1.5, vec![abort, warning]), ended, over];
        insta::assert_snapshot!(told(&mut News::default(), &snapshots), @r#"
        [1.5s] threshold http_req_duration: p(95) < 300ms is broken: 412ms; with `abort`, it ends the run
        [1.5s] threshold checks in browse: p(95) < 300ms (warning) is broken: 99%
        "#);
    }

    fn edition(revision: u64, changes: &[(&str, Option<&str>, Option<&str>)]) -> Edition {
        let change = |(what, from, to): &(&str, Option<&str>, Option<&str>)| Change {
            what: (*what).into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        Edition {
            revision,
            code: 1,
            at: seconds(40.2),
            time: SystemTime::UNIX_EPOCH,
            by: Author::File,
            changes: changes.iter().map(change).collect(),
            refused: Vec::new(),
            notes: Vec::new(),
        }
    }

    #[test]
    fn an_edit_is_told_with_what_its_rules_say_at_once() {
        let mut before = verdict(true, "271ms");
        let mut after = verdict(false, "271ms");
        (after.expression, after.revision, after.since) = ("p(95) < 250ms".into(), 2, seconds(40.2));
        (after.first_breach, after.breach_count) = (Some(seconds(12.0)), 1);
        let first = edition(2, &[("threshold http_req_duration", Some("p(95) < 300ms"), Some("p(95) < 250ms"))]);
        let mut second = edition(
            3,
            &[
                ("alert slow tail", None, Some("p(99) > 800ms")),
                ("threshold checks", Some("rate > 99%"), None),
                ("fn browse", None, None),
            ],
        );
        second.by = Author::Api;
        second.refused = vec!["base_url: it cannot change while a run goes on".into()];
        second.notes = vec!["undoes revision 2 by the API".into()];
        let mut snapshots = vec![snapshot(40.0, vec![before.clone()])];
        before.revision = 1;
        snapshots.push(Snapshot {
            edits: vec![first.clone()].into(),
            revision: 2,
            ..snapshot(40.5, vec![after.clone()])
        });
        let ringing = AlertState {
            name: "slow tail".into(),
            revision: 3,
            would_have: vec![seconds(12.0), seconds(31.0)],
            ..AlertState::default()
        };
        let two = Snapshot {
            edits: vec![first, second].into(),
            revision: 3,
            alerts: vec![ringing],
            ..snapshot(41.0, vec![after])
        };
        snapshots.extend([two.clone(), two]);
        insta::assert_snapshot!(told(&mut News::default(), &snapshots), @r#"
        [40.5s] revision 2 (file) at 40.2s: ~ threshold http_req_duration: p(95) < 300ms → p(95) < 250ms
        [40.5s]   http_req_duration: p(95) < 250ms: now 271ms, would have failed since 12s
        [41s] revision 3 (the API) at 40.2s: 3 changes
        [41s]   + alert slow tail: p(99) > 800ms
        [41s]   - threshold checks: rate > 99%
        [41s]   ~ fn browse
        [41s]   refused: base_url: it cannot change while a run goes on
        [41s]   undoes revision 2 by the API
        [41s]   alert slow tail: would have rung twice, first at 12s
        "#);
    }

    #[test]
    fn a_fresh_rule_says_when_it_would_have_failed() {
        let say = |count: u64, to: Option<f64>, holds: Option<bool>, now: Option<&str>| {
            let mut verdict = verdict(true, "");
            (verdict.holds, verdict.passed, verdict.observed_text) = (holds, holds, now.map(str::to_owned));
            (verdict.since, verdict.breach_count) = (seconds(40.0), count);
            verdict.first_breach = (count > 0).then(|| seconds(12.0));
            let breach = |_| Breach { from: seconds(12.0), to: to.map(seconds), observed_text: "412ms".into() };
            verdict.breaches = (0..count).map(breach).collect();
            first_verdict(&verdict)
        };
        let said = [
            say(0, None, None, None),
            say(0, None, Some(true), Some("271ms")),
            say(0, None, Some(false), None),
            say(1, None, Some(false), Some("271ms")),
            say(1, Some(14.5), Some(true), Some("271ms")),
            say(3, Some(14.5), Some(true), Some("271ms")),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        http_req_duration: p(95) < 300ms: no data yet
        http_req_duration: p(95) < 300ms: now 271ms, holds
        http_req_duration: p(95) < 300ms: now false, broken
        http_req_duration: p(95) < 300ms: now 271ms, would have failed since 12s
        http_req_duration: p(95) < 300ms: now 271ms, would have failed from 12s to 14.5s
        http_req_duration: p(95) < 300ms: now 271ms, would have failed 3 times, first from 12s to 14.5s
        "#);
    }

    #[test]
    fn a_broken_edit_stands_in_full_and_is_told_when_mended() {
        let broken = |text: &str| BrokenEdit { at: seconds(3.0), by: Author::File, text: text.into() };
        let with = |time: f64, broken: Option<BrokenEdit>| Snapshot { broken_edit: broken, ..snapshot(time, vec![]) };
        let text = "error: unknown variable: `frist`\n  --> a.rhai:3:5\n   |\n 3 |     frist\n   |     ^^^^^ did you mean `first`?\n";
        let mut edited = with(8.5, Some(broken("error: half")));
        edited.edits = vec![edition(2, &[("fn run", None, None)])].into();
        let mended = Snapshot { edits: edited.edits.clone(), ..with(9.0, None) };
        let snapshots = [
            with(3.0, Some(broken(text))),
            with(3.5, Some(broken(text))),
            with(5.0, None),
            with(6.0, Some(broken("error: half"))),
            edited,
            mended,
        ];
        insta::assert_snapshot!(told(&mut News::default(), &snapshots), @r#"
        [3s] the edit by the file cannot be used; revision 1 goes on until it is mended:
        [3s] error: unknown variable: `frist`
        [3s]   --> a.rhai:3:5
        [3s]    |
        [3s]  3 |     frist
        [3s]    |     ^^^^^ did you mean `first`?
        [5s] the edit is mended; nothing has changed
        [6s] the edit by the file cannot be used; revision 1 goes on until it is mended:
        [6s] error: half
        [8.5s] revision 2 (file) at 40.2s: ~ fn run
        "#);
    }

    fn event(number: u64, firing: bool, time: f64) -> Arc<AlertEvent> {
        Arc::new(AlertEvent {
            number,
            id: format!("slow tail#{}", number / 2 + 1),
            name: "slow tail".into(),
            firing,
            at: seconds(time),
            time: SystemTime::UNIX_EPOCH,
            severity: AlertSeverity::Warning,
            when: "p(99) of http_req_duration over 10s > 800ms".into(),
            value: Some(912.0),
            value_text: Some("912ms".into()),
            description: "the tail is slow".into(),
            resolution: "look at the pool".into(),
            because: (number == 3).then(|| "removed by revision 3".into()),
            acknowledged_by: None,
            notify: [].into(),
        })
    }

    #[test]
    fn alerts_ring_and_are_over_each_told_once() {
        let with =
            |time: f64, events: Vec<Arc<AlertEvent>>| Snapshot { alert_events: events, ..snapshot(time, vec![]) };
        let first = vec![event(0, true, 12.0)];
        let all = vec![event(0, true, 12.0), event(1, false, 20.25), event(2, true, 31.0), event(3, false, 33.0)];
        let late = vec![event(9, false, 60.0), event(10, true, 61.0)];
        let snapshots =
            [with(12.0, first.clone()), with(12.5, first), with(34.0, all.clone()), with(34.5, all), with(61.0, late)];
        insta::assert_snapshot!(told(&mut News::default(), &snapshots), @r#"
        [12s] alert slow tail (warning) rings at 12s: p(99) of http_req_duration over 10s > 800ms: 912ms
        [12s]   the tail is slow
        [12s]   look at the pool
        [34s] alert slow tail (warning) is over at 20.2s, after 8.2s: 912ms
        [34s] alert slow tail (warning) rings at 31s: p(99) of http_req_duration over 10s > 800ms: 912ms
        [34s]   the tail is slow
        [34s]   look at the pool
        [34s] alert slow tail (warning) is over at 33s, after 2s: 912ms (removed by revision 3)
        [1m1s] (5 earlier messages of alerts came too fast to be shown)
        [1m1s] alert slow tail (warning) is over at 1m0s: 912ms
        [1m1s] alert slow tail (warning) rings at 1m1s: p(99) of http_req_duration over 10s > 800ms: 912ms
        [1m1s]   the tail is slow
        [1m1s]   look at the pool
        "#);
    }
}
