//! `GET /logs`: what scripts said and what happened to the run, entry by entry.

use super::words::{LEVELS, SOURCES};
use super::{seconds, time};
use crate::logs::{Entry, Level};
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use std::collections::BTreeMap;

/// A page of the log. Messages come from scripts and targets: they are text, never markup.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct LogsWire {
    /// Oldest first.
    pub(in crate::api) logs: Vec<LogWire>,
    /// What to ask for as `since` to get what comes after these.
    pub(in crate::api) next: u64,
    /// Entries from `since` on that are no longer kept: whoever pages has missed so many.
    lost: u64,
}

/// One entry.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct LogWire {
    /// Grows by one with each entry of the run.
    number: u64,
    /// When it was said.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// How grave it is: `trace`, `debug`, `info`, `warn` or `error`.
    #[schemars(extend("enum" = LEVELS))]
    level: &'static str,
    /// What was said; may have several lines.
    message: String,
    /// What it is about.
    context: ContextWire,
}

/// What an entry is about.
#[derive(Debug, Serialize, JsonSchema)]
struct ContextWire {
    /// `script`, `run` (its state), `change` (pause, scale, …), `edit`, `alert`, `threshold`, `generator` or `process` (the
    /// monitor, webhooks, libraries: such entries stand in the log of every run of the process).
    #[schemars(extend("enum" = SOURCES))]
    source: &'static str,
    /// Run time.
    elapsed_seconds: Number,
    /// The scenario that it concerns; `setup` and `teardown` for the extra user.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
    /// The virtual user that it concerns; 0 is the one that runs `setup` and `teardown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    worker_id: Option<u64>,
    /// Of an event of the process: who says so, `punk::monitor` or a library's module.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Of an event of the process: with what, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'static str, String>,
}

impl LogsWire {
    /// The last entries from a level on, at most so many; or the first ones from a number on.
    pub(in crate::api) fn new(snapshot: &Snapshot, level: Level, since: Option<u64>, most: usize) -> Self {
        let journal = &snapshot.logs;
        let Some(since) = since else {
            let logs = journal.last(level, most).into_iter().map(|entry| LogWire::new(entry)).collect();
            return LogsWire { logs, next: journal.numbered(), lost: 0 };
        };
        let kept = journal.since(since);
        let lost = journal.numbered().saturating_sub(since) - kept.len() as u64;
        let mut graver = kept.into_iter().filter(|entry| entry.level >= level);
        let page: Vec<_> = graver.by_ref().take(most).collect();
        // Behind a page that is full there may be more.
        let next = match (page.last(), graver.next()) {
            (Some(last), Some(_)) => last.number + 1,
            _ => journal.numbered(),
        };
        LogsWire { logs: page.into_iter().map(|entry| LogWire::new(entry)).collect(), next, lost }
    }
}

impl LogWire {
    pub(in crate::api) fn new(entry: &Entry) -> Self {
        LogWire {
            number: entry.number,
            timestamp: time(DateTime::<Utc>::from(entry.time)),
            level: entry.level.word(),
            message: entry.message.clone(),
            context: ContextWire {
                source: entry.source.word(),
                elapsed_seconds: seconds(entry.at),
                scenario: entry.scenario.as_ref().map(ToString::to_string),
                worker_id: entry.user,
                target: entry.target.as_ref().map(ToString::to_string),
                fields: entry.fields.iter().map(|(name, value)| (*name, value.to_string())).collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::{Journal, Source};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    fn snapshot(levels: &[Level]) -> Snapshot {
        let mut journal = Journal::default();
        for level in levels {
            journal.push(Entry {
                scenario: Some("browse".into()),
                user: Some(3),
                ..Entry::plain(Duration::ZERO, SystemTime::UNIX_EPOCH, *level, Source::Script, "said".to_owned())
            });
        }
        Snapshot { logs: Arc::new(journal), ..Snapshot::default() }
    }

    proptest! {
        #[test]
        fn pages_put_together_are_all_of_it(levels in prop::collection::vec(0usize..5, 0..60), least in 0usize..5, most in 1usize..7) {
            let levels: Vec<Level> = levels.into_iter().map(|at| Level::ALL[at]).collect();
            let snapshot = snapshot(&levels);
            let mut seen = Vec::new();
            let mut since = 0;
            for _ in 0..=levels.len() {
                let page = LogsWire::new(&snapshot, Level::ALL[least], Some(since), most);
                prop_assert!(page.logs.len() <= most && page.lost == 0);
                seen.extend(page.logs.iter().map(|log| log.number));
                since = page.next;
            }
            let all = (0u64..).zip(&levels).filter(|(_, level)| **level >= Level::ALL[least]).map(|(number, _)| number);
            prop_assert_eq!(seen, all.collect::<Vec<_>>());
            prop_assert_eq!(since, levels.len() as u64);
        }
    }

    #[test]
    fn whoever_comes_too_late_is_told_so() {
        let page = LogsWire::new(&snapshot(&[Level::Info; 2_500]), Level::Info, Some(100), 10);
        assert_eq!((page.lost, page.logs[0].number, page.next), (400, 500, 510));
        let ahead = LogsWire::new(&snapshot(&[Level::Info; 3]), Level::Info, Some(7), 10);
        assert_eq!((ahead.logs.len(), ahead.next, ahead.lost), (0, 3, 0));
    }
}
