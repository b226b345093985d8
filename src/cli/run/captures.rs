//! Summaries of a moment, kept while the run goes on because somebody wanted them: `alert.snapshot()`.
//!
//! Written beside the summary of the end, under numbers; nothing that stands there already is touched.

use super::finish;
use crate::cli::exit;
use crate::plan::Plan;
use crate::report::{self, Summary};
use crate::snapshot::Snapshot;
use chrono::{DateTime, Utc};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Files with a number that are there already before no free one is looked for any more.
const MOST: usize = 10_000;

/// What was kept so far.
pub(super) struct Captures {
    /// Where the summary of the end goes.
    summary: Option<PathBuf>,
    /// Whether a measurement that cannot be trusted fails the run.
    invalid_fails: bool,
    started_at: DateTime<Utc>,
    began: Instant,
    seen: u64,
    /// The number to try next.
    number: usize,
}

impl Captures {
    /// For a run that started now; `summary` is what `--summary` says.
    pub(super) fn new(summary: Option<&Path>, invalid_fails: bool) -> Self {
        let summary = summary.map(Path::to_owned);
        Captures { summary, invalid_fails, started_at: Utc::now(), began: Instant::now(), seen: 0, number: 1 }
    }

    /// Writes what is new in a Snapshot; what to tell of it.
    pub(super) fn take(&mut self, plan: &Plan, snapshot: &Snapshot) -> Vec<String> {
        let new: Vec<String> = snapshot.captures.since(self.seen).cloned().collect();
        self.seen = snapshot.captures.numbered();
        new.into_iter()
            .map(|why| match self.write(plan, snapshot) {
                Ok(path) => format!("summary of this moment written to `{}`: {why}", path.display()),
                Err(error) => format!("warning: a summary of this moment cannot be written: {error} ({why})"),
            })
            .collect()
    }

    fn write(&mut self, plan: &Plan, snapshot: &Snapshot) -> io::Result<PathBuf> {
        let ending = &snapshot.ending;
        let reasons = exit::reasons(snapshot, ending, self.invalid_fails);
        let times = finish::Times { started_at: self.started_at, wall: self.began.elapsed() };
        let facts = finish::facts(&reasons, snapshot, ending, times);
        let path = self.free()?;
        let written = report::write_summary(&path, &Summary::new(plan, snapshot, &facts));
        if written.is_err() {
            // Nobody shall take the empty file for a summary.
            let _ = fs::remove_file(&path);
        }
        written.map(|()| path)
    }

    /// The next name that nobody has, taken.
    fn free(&mut self) -> io::Result<PathBuf> {
        for number in self.number..self.number + MOST {
            let path = numbered(self.summary.as_deref(), number);
            match File::create_new(&path) {
                Ok(_) => {
                    self.number = number + 1;
                    return Ok(path);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many of them are there already"))
    }
}

/// `out/summary.json` becomes `out/summary.1.json`.
fn numbered(summary: Option<&Path>, number: usize) -> PathBuf {
    let Some(summary) = summary else { return PathBuf::from(format!("punk-snapshot-{number}.json")) };
    let name = summary.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".json").unwrap_or(&name);
    summary.with_file_name(format!("{stem}.{number}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::compile::compile_text;
    use crate::script::overrides::Overrides;

    #[test]
    fn each_goes_to_a_file_of_its_own_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary.json");
        fs::write(folder.path().join("summary.2.json"), "mine").unwrap();
        let plan = compile_text("test.rhai", "fn run() {}".to_owned(), &Overrides::default()).plan.unwrap();
        let mut captures = Captures::new(Some(&summary), true);
        let mut snapshot = Snapshot { captures: vec!["first".to_owned()].into(), ..Snapshot::default() };
        assert_eq!(captures.take(&plan, &snapshot).len(), 1);
        assert_eq!(captures.take(&plan, &snapshot), Vec::<String>::new());
        snapshot.captures.push("second".to_owned());
        let told = captures.take(&plan, &snapshot);
        assert!(told[0].ends_with("summary.3.json`: second"), "{told:?}");
        for number in [1, 3] {
            let text = fs::read_to_string(folder.path().join(format!("summary.{number}.json"))).unwrap();
            assert!(text.contains("\"schema_version\": 1"), "{text}");
        }
        assert_eq!(fs::read_to_string(folder.path().join("summary.2.json")).unwrap(), "mine");
        assert!(!summary.exists());
    }

    #[test]
    fn what_cannot_be_written_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let plan = compile_text("test.rhai", "fn run() {}".to_owned(), &Overrides::default()).plan.unwrap();
        let mut captures = Captures::new(Some(&folder.path().join("no/such/folder.json")), true);
        let snapshot = Snapshot { captures: vec!["why".to_owned()].into(), ..Snapshot::default() };
        let told = captures.take(&plan, &snapshot);
        assert!(told[0].starts_with("warning: a summary of this moment cannot be written: `"), "{told:?}");
    }

    #[test]
    fn the_number_stands_before_the_ending() {
        let names = [Some("a/b.json"), Some("out"), None].map(|name| numbered(name.map(Path::new), 7));
        assert_eq!(names, ["a/b.7.json", "out.7.json", "punk-snapshot-7.json"].map(PathBuf::from));
    }
}
