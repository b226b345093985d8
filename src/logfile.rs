//! `--log-file`: the log of a run in a file, as text or as JSON lines.
//!
//! Called by the door with every Snapshot; writes what is new and at least as grave as was asked for. A file that cannot
//! be written is told once and left alone: no run ends because of its log.

use crate::logs::{Entry, Journal, Level};
use crate::snapshot::{LogOutput, Snapshot};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A line for people.
    Text,
    /// A JSON object on a line of its own.
    Json,
}

/// The log of a run, in a file.
pub struct LogFile {
    path: PathBuf,
    /// `None` once it could not be written.
    out: Option<Box<dyn Write + Send>>,
    format: Format,
    level: Level,
    /// Number of the next entry.
    next: u64,
    /// Entries that were written.
    written: u64,
    /// Why it could not be written.
    error: Option<String>,
}

/// An entry as a JSON line.
#[derive(Serialize)]
struct EntryWire<'a> {
    timestamp: String,
    level: &'static str,
    elapsed_seconds: f64,
    source: &'static str,
    message: &'a str,
    context: ContextWire<'a>,
}

#[derive(Serialize)]
struct ContextWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

impl LogFile {
    /// Opens the file, or makes it; what stands in it stays, and new entries are added behind it.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn open(path: &Path, format: Format, level: Level) -> io::Result<Self> {
        let file: File = OpenOptions::new().create(true).append(true).open(path)?;
        let out: Box<dyn Write + Send> = Box::new(BufWriter::new(file));
        Ok(LogFile { path: path.to_owned(), out: Some(out), format, level, next: 0, written: 0, error: None })
    }

    /// How far it is.
    pub fn output(&self) -> LogOutput {
        LogOutput {
            path: self.path.display().to_string(),
            written: self.written,
            seen: self.next,
            error: self.error.clone(),
        }
    }

    /// Writes what is new. What to tell people: that it cannot be written, once.
    pub fn update(&mut self, snapshot: &Snapshot) -> Option<String> {
        let out = self.out.as_mut()?;
        let written = write_new(out, &snapshot.logs, self.next, self.format, self.level);
        self.next = snapshot.logs.numbered();
        let error = match written {
            Ok(written) => {
                self.written += written;
                return None;
            }
            Err(error) => error,
        };
        self.out = None;
        self.error = Some(error.to_string());
        Some(format!("warning: the log cannot be written to `{}`: {error}", self.path.display()))
    }
}

fn write_new(out: &mut dyn Write, journal: &Journal, next: u64, format: Format, level: Level) -> io::Result<u64> {
    let new = journal.since(next);
    let lost = journal.numbered().saturating_sub(next) - new.len() as u64;
    let mut written = 0;
    for entry in new.iter().filter(|entry| entry.level >= level) {
        write_entry(out, entry, format)?;
        written += 1;
    }
    if let Some(last) = new.last().filter(|_| lost > 0) {
        let message = format!("{lost} entries came too fast to be kept");
        write_entry(out, &Entry::plain(last.at, last.time, Level::Warn, last.source, message), format)?;
    }
    if !new.is_empty() {
        out.flush()?;
    }
    Ok(written)
}

fn write_entry(out: &mut dyn Write, entry: &Entry, format: Format) -> io::Result<()> {
    match format {
        Format::Text => writeln!(out, "{}", text(entry)),
        Format::Json => {
            let wire = EntryWire {
                timestamp: timestamp(entry.time),
                level: entry.level.word(),
                elapsed_seconds: entry.at.as_millis() as f64 / 1e3,
                source: entry.source.word(),
                message: &entry.message,
                context: ContextWire {
                    scenario: entry.scenario.as_deref(),
                    user: entry.user,
                    target: entry.target.as_deref(),
                    fields: entry.fields.iter().map(|(name, value)| ((*name).to_owned(), (**value).into())).collect(),
                },
            };
            serde_json::to_writer(&mut *out, &wire)?;
            out.write_all(b"\n")
        }
    }
}

/// `2026-01-18T15:30:45.250Z WARN  12.5s script browse#3: odd`. One line, whatever is in it: breaks and all else that
/// could steer a terminal are escaped.
fn text(entry: &Entry) -> String {
    let who = match (&entry.scenario, entry.user) {
        (Some(scenario), Some(user)) => format!(" {scenario}#{user}"),
        (Some(scenario), None) => format!(" {scenario}"),
        _ => entry.target.as_ref().map_or(String::new(), |target| format!(" {target}")),
    };
    let level = entry.level.word().to_uppercase();
    let seconds = entry.at.as_millis() as f64 / 1e3;
    let with: String = entry.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let said = format!("{}{who}: {}{with}", entry.source.word(), entry.message);
    let mut line = format!("{} {level:<5} {seconds}s ", timestamp(entry.time));
    for letter in said.chars() {
        match letter {
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                line.extend(letter.escape_unicode());
            }
            letter if letter.is_control() => line.extend(letter.escape_default()),
            letter => line.push(letter),
        }
    }
    line
}

fn timestamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Source;
    use std::sync::Arc;
    use std::time::Duration;

    fn snapshot(entries: &[(Level, &str)]) -> Snapshot {
        let mut journal = Journal::default();
        for (level, message) in entries {
            journal.push(Entry {
                scenario: Some("browse".into()),
                user: Some(3),
                ..Entry::plain(
                    Duration::from_millis(12_500),
                    SystemTime::UNIX_EPOCH + Duration::from_millis(1_768_750_245_250),
                    *level,
                    Source::Script,
                    (*message).to_owned(),
                )
            });
        }
        Snapshot { logs: Arc::new(journal), ..Snapshot::default() }
    }

    fn written(format: Format, level: Level, snapshots: &[Snapshot]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        let mut file = LogFile::open(&path, format, level).unwrap();
        snapshots.iter().for_each(|snapshot| assert_eq!(file.update(snapshot), None));
        std::fs::read_to_string(&path).unwrap()
    }

    const SAID: [(Level, &str); 3] =
        [(Level::Trace, "fine"), (Level::Warn, "odd\n\u{1b}[2J"), (Level::Error, "says \"no\" ü")];

    #[test]
    fn text_is_one_line_for_each_entry_and_steers_no_terminal() {
        insta::assert_snapshot!(written(Format::Text, Level::Info, &[snapshot(&SAID)]), @r#"
        2026-01-18T15:30:45.250Z WARN  12.5s script browse#3: odd\n\u{1b}[2J
        2026-01-18T15:30:45.250Z ERROR 12.5s script browse#3: says "no" ü
        "#);
    }

    #[test]
    fn json_is_one_object_for_each_line() {
        insta::assert_snapshot!(written(Format::Json, Level::Trace, &[snapshot(&SAID)]), @r#"
        {"timestamp":"2026-01-18T15:30:45.250Z","level":"trace","elapsed_seconds":12.5,"source":"script","message":"fine","context":{"scenario":"browse","user":3}}
        {"timestamp":"2026-01-18T15:30:45.250Z","level":"warn","elapsed_seconds":12.5,"source":"script","message":"odd\n\u001b[2J","context":{"scenario":"browse","user":3}}
        {"timestamp":"2026-01-18T15:30:45.250Z","level":"error","elapsed_seconds":12.5,"source":"script","message":"says \"no\" ü","context":{"scenario":"browse","user":3}}
        "#);
    }

    #[test]
    fn each_entry_is_written_once_and_what_was_missed_is_told() {
        let all: Vec<(Level, &str)> = vec![(Level::Info, "x"); 5_000];
        let text = written(Format::Text, Level::Info, &[snapshot(&all[..1]), snapshot(&all[..1]), snapshot(&all)]);
        assert_eq!(text.lines().count(), 1 + 2_000 + 1);
        assert!(text.ends_with("script: 2999 entries came too fast to be kept\n"), "{}", &text[text.len() - 200..]);
    }

    #[test]
    fn what_stands_in_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.log");
        std::fs::write(&path, "before\n").unwrap();
        LogFile::open(&path, Format::Text, Level::Info).unwrap().update(&snapshot(&SAID));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("before\n2026-"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told_once() {
        let mut file = LogFile::open(Path::new("/dev/full"), Format::Text, Level::Info).unwrap();
        let told = file.update(&snapshot(&SAID)).unwrap();
        assert!(told.starts_with("warning: the log cannot be written to `/dev/full`: "), "{told}");
        assert_eq!(file.update(&snapshot(&SAID)), None);
    }
}
