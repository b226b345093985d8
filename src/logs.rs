//! The log of a run: what happened, entry by entry, with level, time and context, in a bounded buffer.
//!
//! What scripts say with `log::` and `print`, and what happens to the run: states, changes, edits, alerts, thresholds that
//! turn, warnings about the generator; and what happened to the whole process. Made by the collector, read through the Snapshot by whoever shows or keeps it.
//! Nothing is written here for a request, whatever comes of it: errors have a log of their own.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How grave an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// For whoever looks very closely.
    Trace,
    /// For whoever looks for a mistake.
    Debug,
    /// Worth knowing.
    #[default]
    Info,
    /// Worth a look.
    Warn,
    /// Something is broken.
    Error,
}

impl Level {
    /// All, from the mildest.
    pub const ALL: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// The word in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }

    /// How a line of this level begins where a script's lines stand among others.
    fn prefix(self) -> &'static str {
        match self {
            Level::Trace => "trace: ",
            Level::Debug => "debug: ",
            Level::Info => "info: ",
            Level::Warn => "warning: ",
            Level::Error => "error: ",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Level::ALL.into_iter().find(|level| level.word() == text);
        found.ok_or_else(|| "the levels are trace, debug, info, warn and error".to_owned())
    }
}

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A script said so.
    Script,
    /// The run came into another state.
    Run,
    /// Somebody changed the run, or tried to.
    Change,
    /// Somebody edited the script.
    Edit,
    /// An alert rang, or was over.
    Alert,
    /// A threshold came to be broken, or to hold again.
    Threshold,
    /// The generator itself is the limit.
    Generator,
    /// Something happened to the process: to its monitor, its webhooks, a library.
    Process,
}

impl Source {
    /// The word in JSON and for people.
    pub fn word(self) -> &'static str {
        match self {
            Source::Script => "script",
            Source::Run => "run",
            Source::Change => "change",
            Source::Edit => "edit",
            Source::Alert => "alert",
            Source::Threshold => "threshold",
            Source::Generator => "generator",
            Source::Process => "process",
        }
    }
}

/// What a script said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Run time.
    pub at: Duration,
    /// `None` for `print`.
    pub level: Option<Level>,
    /// What it said.
    pub message: String,
    /// The scenario of the user that said it; `setup` and `teardown` for the extra user.
    pub scenario: Option<Box<str>>,
    /// The user's number; 0 for the extra user, `None` where no user runs.
    pub user: Option<u64>,
}

impl Line {
    /// What a closure said that runs outside any user, at a time that others know.
    pub fn of_nobody(level: Option<Level>, message: String) -> Self {
        Line { at: Duration::ZERO, level, message, scenario: None, user: None }
    }

    /// As it stands on a terminal.
    pub fn shown(&self) -> String {
        format!("{}{}", self.level.map_or("", Level::prefix), self.message)
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Grows by one with each entry of the run.
    pub number: u64,
    /// Run time.
    pub at: Duration,
    /// Wall time.
    pub time: SystemTime,
    /// How grave it is.
    pub level: Level,
    /// What it is about.
    pub source: Source,
    /// What happened; may have several lines.
    pub message: String,
    /// The scenario that it concerns.
    pub scenario: Option<Box<str>>,
    /// The number of the user that it concerns.
    pub user: Option<u64>,
    /// Of what happened to the process: who says so, `punk::monitor` or a library's module.
    pub target: Option<Box<str>>,
    /// Of what happened to the process: with what, name and value.
    pub fields: Vec<(&'static str, Box<str>)>,
}

impl Entry {
    /// What happened, without number and without anybody whom it concerns.
    pub fn plain(at: Duration, time: SystemTime, level: Level, source: Source, message: String) -> Self {
        Entry {
            number: 0,
            at,
            time,
            level,
            source,
            message,
            scenario: None,
            user: None,
            target: None,
            fields: Vec::new(),
        }
    }
}

/// Entries about the run itself that are kept.
const OWN: usize = 1_000;
/// Lines of scripts that are kept. Apart from the others, so that a script that says much pushes no alert out.
const LINES: usize = 2_000;
/// Events of the process that are kept: a library that says much pushes out nothing but its like.
const EVENTS: usize = 500;
/// How much of a message is kept, in bytes.
const MESSAGE: usize = 4_000;

/// The last entries of a run. A copy costs three lists of pointers.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    own: VecDeque<Arc<Entry>>,
    lines: VecDeque<Arc<Entry>>,
    events: VecDeque<Arc<Entry>>,
    numbered: u64,
}

impl Journal {
    /// Adds an entry under the next number; its own is not looked at.
    pub fn push(&mut self, mut entry: Entry) {
        entry.number = self.numbered;
        self.numbered += 1;
        if entry.message.len() > MESSAGE {
            let end = (0..=MESSAGE).rev().find(|at| entry.message.is_char_boundary(*at)).unwrap_or(0);
            entry.message.truncate(end);
            entry.message.push('…');
        }
        let (list, most) = match entry.source {
            Source::Script => (&mut self.lines, LINES),
            Source::Process => (&mut self.events, EVENTS),
            _ => (&mut self.own, OWN),
        };
        list.push_back(Arc::new(entry));
        if list.len() > most {
            list.pop_front();
        }
    }

    /// How many entries there were, those that are no longer kept included: the number of the next one.
    pub fn numbered(&self) -> u64 {
        self.numbered
    }

    /// Entries from this number on that are still kept, in order.
    pub fn since(&self, number: u64) -> Vec<&Arc<Entry>> {
        let from = |list: &VecDeque<Arc<Entry>>| list.partition_point(|entry| entry.number < number);
        let lists = [&self.own, &self.lines, &self.events];
        let mut all: Vec<_> = lists.into_iter().flat_map(|list| list.range(from(list)..)).collect();
        all.sort_unstable_by_key(|entry| entry.number);
        all
    }

    /// The last entries of at least this level, at most so many, latest last.
    pub fn last(&self, level: Level, most: usize) -> Vec<&Arc<Entry>> {
        let mut all = self.since(0);
        all.retain(|entry| entry.level >= level);
        all.split_off(all.len().saturating_sub(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(source: Source, level: Level, message: &str) -> Entry {
        Entry::plain(Duration::ZERO, SystemTime::UNIX_EPOCH, level, source, message.to_owned())
    }

    #[test]
    fn a_script_that_says_much_pushes_nothing_else_out_and_all_is_bounded() {
        let mut journal = Journal::default();
        journal.push(entry(Source::Alert, Level::Error, "rings"));
        (0..10_000).for_each(|n| journal.push(entry(Source::Script, Level::Info, &n.to_string())));
        let kept = journal.since(0);
        assert_eq!((kept.len(), journal.numbered()), (1 + LINES, 10_001));
        assert_eq!((kept[0].message.as_str(), kept[1].message.as_str(), kept[1].number), ("rings", "8000", 8_001));
        assert!(kept.is_sorted_by_key(|entry| entry.number));
        (0..OWN).for_each(|_| journal.push(entry(Source::Run, Level::Info, "x")));
        assert_eq!(journal.since(0).len(), OWN + LINES);
        (0..3 * EVENTS).for_each(|_| journal.push(entry(Source::Process, Level::Warn, "x")));
        assert_eq!(journal.since(0).len(), OWN + LINES + EVENTS);
    }

    #[test]
    fn a_reader_pages_by_number_or_asks_for_the_last_of_a_level() {
        let mut journal = Journal::default();
        for (level, message) in [(Level::Info, "a"), (Level::Warn, "b"), (Level::Trace, "c"), (Level::Error, "d")] {
            journal.push(entry(Source::Script, level, message));
        }
        let said = |entries: Vec<&Arc<Entry>>| entries.iter().map(|entry| entry.message.as_str()).collect::<String>();
        assert_eq!(said(journal.since(2)), "cd");
        assert_eq!(said(journal.last(Level::Info, 2)), "bd");
        assert_eq!(said(journal.last(Level::Trace, 100)), "abcd");
        assert_eq!(said(journal.since(4)), "");
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let mut journal = Journal::default();
        journal.push(entry(Source::Script, Level::Info, &"ü".repeat(5_000)));
        let message = &journal.since(0)[0].message;
        assert!(message.len() <= MESSAGE + 3 && message.ends_with("ü…"));
    }

    #[test]
    fn levels_are_read_as_they_are_written() {
        for level in Level::ALL {
            assert_eq!(level.word().parse(), Ok(level));
        }
        assert_eq!("loud".parse::<Level>(), Err("the levels are trace, debug, info, warn and error".to_owned()));
        assert_eq!(Line::of_nobody(Some(Level::Warn), "x".into()).shown(), "warning: x");
        assert_eq!(Line::of_nobody(None, "x".into()).shown(), "x");
    }
}
