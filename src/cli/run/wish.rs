//! What is wanted of the one monitor of all runs: the command line's word, else what all scripts say, as far as they agree.
//!
//! Each script's word is the sum of its layers (`cli::config` below its options). What concerns one run alone, such as its
//! interval, may differ and is not looked at here.

use crate::cli::args::MonitorArgs;
use crate::diagnostic::Diagnostic;
use crate::plan::monitor::{MonitorSettings, Said};
use std::fmt::Display;
use std::net::SocketAddr;

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) struct Wish {
    /// Whether there shall be one.
    pub(super) shown: bool,
    /// Whether a run without one shall not be.
    pub(super) required: bool,
    /// Where; `None` where nobody says it.
    pub(super) addr: Option<SocketAddr>,
    /// Whether a browser is opened.
    pub(super) open: bool,
}

impl Wish {
    /// Of the command line and the words of all scripts.
    ///
    /// # Errors
    /// Two scripts want what cannot be had together, and the command line does not decide.
    pub(super) fn new(args: &MonitorArgs, words: &[MonitorSettings]) -> Result<Self, Diagnostic> {
        let shown = match (args.monitor, args.no_monitor) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => agreed("monitor", words, |word| word.shown.as_ref())?.unwrap_or(true),
        };
        // Where there is none, nobody disagrees about it.
        let words = if shown { words } else { &[] };
        let addr = match args.monitor_addr {
            Some(addr) => Some(addr),
            None => agreed("addr", words, |word| word.addr.as_ref())?,
        };
        let open = args.monitor_open || agreed("open", words, |word| word.open.as_ref())?.unwrap_or(false);
        Ok(Wish { shown, required: args.monitor, addr, open })
    }
}

/// What all say who say anything.
fn agreed<T: Clone + PartialEq + Display>(
    key: &str,
    words: &[MonitorSettings],
    of: fn(&MonitorSettings) -> Option<&Said<T>>,
) -> Result<Option<T>, Diagnostic> {
    let mut said = words.iter().filter_map(of);
    let Some(first) = said.next() else { return Ok(None) };
    match said.find(|other| *other != first) {
        None => Ok(Some(first.value.clone())),
        Some(other) => {
            let (here, there) = (&other.value, &first.value);
            let place = format!("{}:{}:{}", first.place.path, first.place.line, first.place.column);
            let text =
                format!("these scripts have one monitor, and want two: `{key}` is {here} here, and {there} in {place}");
            let help =
                "let them say the same, or say it on the command line: `--monitor-addr`, `--monitor`, `--no-monitor`";
            Err(Diagnostic::error(text).at(other.place.clone()).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::diagnostic::Span;
    use clap::Parser;

    fn word(script: &str, addr: Option<&str>, shown: Option<bool>) -> MonitorSettings {
        let place = Span::in_source(script, "monitor", 1, 1, 7);
        MonitorSettings {
            addr: addr.map(|addr| Said { value: addr.parse().unwrap(), place: place.clone() }),
            shown: shown.map(|value| Said { value, place }),
            ..MonitorSettings::default()
        }
    }

    fn wish(flags: &str, words: &[MonitorSettings]) -> Result<Wish, Diagnostic> {
        let argv = ["punk", "run", "a.rhai"].into_iter().chain(flags.split_whitespace());
        let Command::Run(args) = Cli::parse_from(argv).command else { panic!("it is `run`") };
        Wish::new(&args.flags.monitor, words)
    }

    #[test]
    fn the_command_line_goes_before_what_scripts_agree_on() {
        let (one, silent) = (word("a", Some("127.0.0.1:1"), None), MonitorSettings::default());
        let (other, none) = (word("b", Some("127.0.0.1:2"), None), word("c", None, Some(false)));
        let addr = |wish: Result<Wish, Diagnostic>| wish.unwrap().addr.map(|addr| addr.port());
        assert_eq!(addr(wish("", &[silent.clone(), one.clone(), one.clone()])), Some(1));
        assert_eq!(addr(wish("--monitor-addr :3", &[one.clone(), other.clone()])), Some(3));
        assert!(!wish("", &[silent, none.clone()]).unwrap().shown);
        assert!(wish("--monitor", std::slice::from_ref(&none)).unwrap().shown);
        assert!(!wish("", &[one.clone(), other.clone(), none]).unwrap().shown);
        insta::assert_snapshot!(wish("", &[one, other]).unwrap_err().render(false), @r"
        error: these scripts have one monitor, and want two: `addr` is 127.0.0.1:2 here, and 127.0.0.1:1 in a:1:1
         --> b:1:1
          |
        1 | monitor
          | ^^^^^^^
          |
          = help: let them say the same, or say it on the command line: `--monitor-addr`, `--monitor`, `--no-monitor`
        ");
    }
}
