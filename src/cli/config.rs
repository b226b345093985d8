//! What settings files say: the user's `punk/config.toml` and the project's `punk.toml`.
//!
//! Read by `run` for each script, the lowest layers under the script's own `options`. A key that nobody knows is an error
//! with its place. Tokens do not belong there either: projects are shared.

use crate::diagnostic::{Diagnostic, Span, did_you_mean};
use crate::plan::monitor::{MonitorSettings, Said, address, interval, retention};
use crate::units;
use std::env::var_os;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a project's file is called.
const PROJECT: &str = "punk.toml";
/// Sections that belong to other capabilities: scenario libraries.
const OTHERS: [&str; 1] = ["libs"];
const KEYS: [&str; 5] = ["addr", "interval", "retention", "max_errors", "open"];

/// Both layers for a script, the project's on the user's.
///
/// # Errors
/// All that is wrong with the files.
pub(super) fn of_script(script: &Path) -> Result<MonitorSettings, Vec<Diagnostic>> {
    // A script that stands in no file is run where we are.
    let script = script.canonicalize().ok().or_else(|| Some(std::env::current_dir().ok()?.join("-")));
    let files = [script.and_then(|script| of_project(&script)), of_user()];
    let mut settings = MonitorSettings::default();
    let mut problems = Vec::new();
    for file in files.into_iter().flatten() {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                problems.push(Diagnostic::error(format!("`{}` cannot be read: {error}", file.display())));
                continue;
            }
        };
        let mut reading = Reading { path: file.display().to_string(), text: &text, problems: Vec::new() };
        settings = settings.over(reading.whole());
        problems.append(&mut reading.problems);
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// The nearest one from the script's folder up to the repository's root; outside of a repository only the folder's.
fn of_project(script: &Path) -> Option<PathBuf> {
    let folders: Vec<&Path> = script.ancestors().skip(1).collect();
    let root = folders.iter().position(|folder| folder.join(".git").exists()).unwrap_or(0);
    folders[..=root.min(folders.len().checked_sub(1)?)]
        .iter()
        .map(|folder| folder.join(PROJECT))
        .find(|file| file.is_file())
}

fn of_user() -> Option<PathBuf> {
    let set = |name: &str| var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The specification takes no relative path.
    let home = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    Some(home.or_else(|| Some(set("HOME")?.join(".config")))?.join("punk/config.toml"))
}

/// One file while it is read.
struct Reading<'a> {
    path: String,
    text: &'a str,
    problems: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn whole(&mut self) -> MonitorSettings {
        let table = match DeTable::parse(self.text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let place = error.span().unwrap_or_default();
                self.problem(place, Diagnostic::error(format!("this is no TOML: {}", error.message().trim())));
                return MonitorSettings::default();
            }
        };
        let mut settings = MonitorSettings::default();
        for (key, value) in &table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("monitor", DeValue::Boolean(shown)) => {
                    settings.shown = Some(Said { value: *shown, place: self.place(value.span()) });
                }
                ("monitor", DeValue::Table(keys)) => settings = self.monitor(keys),
                ("monitor", _) => self.wrong("monitor", "a section `[monitor]`, or `false`", value),
                (name, _) if OTHERS.contains(&name) => {}
                (name, _) => self.unknown(key.span(), name, "the file", &["monitor"]),
            }
        }
        settings
    }

    fn monitor(&mut self, keys: &DeTable<'_>) -> MonitorSettings {
        let mut settings = MonitorSettings::default();
        for (key, value) in keys {
            match key.get_ref().as_ref() {
                "addr" => {
                    settings.addr = self.text("addr", value, address).map(|value_of| self.said(value_of, value));
                }
                "open" => match value.get_ref().as_bool() {
                    Some(open) => settings.open = Some(self.said(open, value)),
                    None => self.wrong("open", "`true` or `false`", value),
                },
                "interval" => settings.interval = self.time("interval", value, interval),
                "retention" => settings.retention = self.time("retention", value, retention),
                "max_errors" => {
                    let number = value.get_ref().as_integer().and_then(|number| {
                        u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0)
                    });
                    match number {
                        Some(number) => settings.max_errors = Some(number),
                        None => self.wrong("max_errors", "a whole number from 1 on", value),
                    }
                }
                secret @ ("token" | "read_token" | "key" | "cert") => {
                    let problem = Diagnostic::error(format!("`{secret}` is not for a settings file: these are shared"));
                    let variable = format!("set PUNK_MONITOR_{} where punk runs", secret.to_uppercase());
                    self.problem(key.span(), problem.help(variable));
                }
                name => self.unknown(key.span(), name, "monitor", &KEYS),
            }
        }
        settings
    }

    fn text<T>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(key, "text", value);
            return None;
        };
        read(text).map_err(|why| self.problem(value.span(), Diagnostic::error(format!("`{key}`: {why}")))).ok()
    }

    fn time(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        right: fn(Duration) -> Result<Duration, String>,
    ) -> Option<Duration> {
        if !value.get_ref().is_str() {
            self.wrong(key, "a time with its unit, such as \"2s\"", value);
            return None;
        }
        self.text(key, value, |text| units::duration::parse(text).map_err(|error| error.to_string()).and_then(right))
    }

    fn said<T>(&self, value: T, at: &Spanned<DeValue<'_>>) -> Said<T> {
        Said { value, place: self.place(at.span()) }
    }

    fn wrong(&mut self, key: &str, wanted: &str, found: &Spanned<DeValue<'_>>) {
        let kind = found.get_ref().type_str();
        self.problem(found.span(), Diagnostic::error(format!("`{key}` is {wanted}, not this {kind}")));
    }

    fn unknown(&mut self, at: Range<usize>, name: &str, whose: &str, known: &[&str]) {
        let problem = Diagnostic::error(format!("unknown key `{name}` of {whose}"));
        self.problem(
            at,
            match did_you_mean(name, known.iter().copied()) {
                Some(_) => problem.suggest(name, known.iter().copied()),
                None => problem.help(format!("the keys are {}", known.join(", "))),
            },
        );
    }

    fn problem(&mut self, at: Range<usize>, problem: Diagnostic) {
        let place = self.place(at);
        self.problems.push(problem.at(place));
    }

    fn place(&self, at: Range<usize>) -> Span {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let inside = self.text.get(at).unwrap_or_default().lines().next().unwrap_or_default();
        Span::in_source(&self.path, self.text, line, column, inside.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (MonitorSettings, String) {
        let mut reading = Reading { path: "punk.toml".to_owned(), text, problems: Vec::new() };
        let settings = reading.whole();
        let told: Vec<String> = reading.problems.iter().map(|problem| problem.render(false)).collect();
        (settings, told.join("\n"))
    }

    #[test]
    fn every_key_is_read() {
        let text = "[libs]\nauth = 1\n[monitor]\naddr = \":8080\"\ninterval = \"1s\"\nretention = \"1h\"\nmax_errors = 1_000\nopen = true\n";
        let (settings, told) = read(text);
        assert_eq!(told, "");
        assert_eq!(settings.addr.map(|said| said.value.to_string()).as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(settings.open.map(|said| said.value), Some(true));
        assert_eq!(
            (settings.interval, settings.retention),
            (Some(Duration::from_secs(1)), Some(Duration::from_secs(3600)))
        );
        assert_eq!(settings.max_errors, Some(1000));
        assert_eq!(read("monitor = false").0.shown.map(|said| said.value), Some(false));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        insta::assert_snapshot!(read("[monitor]\nadr = 1\n").1, @r"
        error: unknown key `adr` of monitor
         --> punk.toml:2:1
          |
        2 | adr = 1
          | ^^^ did you mean `addr`?
        ");
        insta::assert_snapshot!(read("# é\n[monitor]\ninterval = 2\nmax_errors = 0").1, @r#"
        error: `interval` is a time with its unit, such as "2s", not this integer
         --> punk.toml:3:12
          |
        3 | interval = 2
          |            ^
        error: `max_errors` is a whole number from 1 on, not this integer
         --> punk.toml:4:14
          |
        4 | max_errors = 0
          |              ^
        "#);
        for (text, wanted) in [
            ("[monitr]", "did you mean `monitor`?"),
            ("[monitor", "this is no TOML"),
            ("[monitor]\ntoken = \"abc\"", "set PUNK_MONITOR_TOKEN where punk runs"),
            ("[monitor]\naddr = \"there\"", "`there` is no address to listen at"),
            ("[monitor]\ninterval = \"1ms\"", "is from 500 ms to 1 min"),
            ("[monitor]\nretention = \"1\"", "`retention`"),
            ("monitor = 7", "a section `[monitor]`"),
        ] {
            assert!(read(text).1.contains(wanted), "{text}: {}", read(text).1);
        }
    }

    #[test]
    fn the_nearest_file_up_to_the_repository_counts() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("repo/a/b/test.rhai");
        std::fs::create_dir_all(script.parent().unwrap()).unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::write(at("punk.toml"), "").unwrap();
        std::fs::write(at("repo/punk.toml"), "").unwrap();
        assert_eq!(of_project(&script), None, "no repository: only its own folder");
        std::fs::create_dir(at("repo/.git")).unwrap();
        assert_eq!(of_project(&script), Some(at("repo/punk.toml")));
        std::fs::write(at("repo/a/punk.toml"), "").unwrap();
        assert_eq!(of_project(&script), Some(at("repo/a/punk.toml")));
        std::fs::remove_file(at("repo/a/punk.toml")).unwrap();
        std::fs::remove_file(at("repo/punk.toml")).unwrap();
        assert_eq!(of_project(&script), None, "not beyond the root");
    }
}
