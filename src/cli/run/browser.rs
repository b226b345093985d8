//! `--monitor-open`: the browser, where there is a desktop to open one on.
//!
//! Told by the monitor's start. Nothing waits for it: a browser may start slowly, stay, or not be there at all.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, Stdio};

/// What was started.
pub(super) struct Browser(Child);

impl Browser {
    /// Opens an address.
    ///
    /// # Errors
    /// There is no desktop, or nothing on it that opens addresses.
    pub(super) fn open(url: &str) -> Result<Self, String> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let desktop = !cfg!(target_os = "linux") || set("DISPLAY").is_some() || set("WAYLAND_DISPLAY").is_some();
        let words = match set("BROWSER") {
            Some(browser) => of_variable(&browser.to_string_lossy(), url),
            None if !desktop => return Err("there is no desktop here".to_owned()),
            None if cfg!(target_os = "macos") => vec!["open".into(), url.into()],
            None => vec!["xdg-open".into(), url.into()],
        };
        spawn(&words)
            .map(Browser)
            .map_err(|error| format!("`{}` cannot be started: {error}", words[0].to_string_lossy()))
    }

    /// Why it was of no use, if that is known by now. One that is still open stays so.
    pub(super) fn failed(mut self) -> Option<String> {
        let status = self.0.try_wait().ok().flatten()?;
        (!status.success()).then(|| status.to_string())
    }
}

/// The first of the commands that stand in the variable, with the address in the place of `%s`, or behind it.
fn of_variable(commands: &str, url: &str) -> Vec<OsString> {
    let command = commands.split(':').find(|command| !command.trim().is_empty()).unwrap_or("xdg-open");
    let mut words: Vec<OsString> = command.split_whitespace().map(|word| word.replace("%s", url).into()).collect();
    if !command.contains("%s") {
        words.push(url.into());
    }
    words
}

fn spawn(words: &[OsString]) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    Command::new(&words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is meant for the run.
        .process_group(0)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_others_read_it() {
        let words = |variable: &str| {
            let words = of_variable(variable, "http://x/");
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("firefox"), "firefox http://x/");
        assert_eq!(words("firefox --new %s:lynx"), "firefox --new http://x/");
        assert_eq!(words(":lynx"), "lynx http://x/");
    }
}
