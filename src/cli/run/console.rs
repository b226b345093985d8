//! Lines typed at the terminal while runs go on, as Commands: `pause`, `resume`, `scale browse 50`, `stop`. They are for all
//! runs, or, with `NAME:` before them, for one.
//!
//! Read where standard input is a terminal, and with `--commands` from anything that can be waited for, such as a pipe.
//! It answers what it did not understand; what came of a Command is told by the Snapshot.

use super::running::Reach;
use crate::control::{Author, Command};
use crate::units;
use std::io::{self, Stdin};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// What a user may type.
pub(super) const HELP: &str = "pause · resume · scale SCENARIO NUMBER · scale SCENARIO plan · end SCENARIO · stop";
/// Longest line that is read; more is nobody's typing.
const LONGEST: usize = 4_096;

/// Standard input, line by line.
pub(super) struct Console {
    input: Option<AsyncFd<Stdin>>,
    read: Vec<u8>,
}

impl Console {
    /// A console that nobody types at.
    pub(super) fn silent() -> Self {
        Console { input: None, read: Vec::new() }
    }

    /// Standard input; needs a runtime.
    ///
    /// # Errors
    /// It cannot be waited for: a file, or nothing at all.
    pub(super) fn open() -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "its successor is unsafe; the reason is impostors of AsRawFd, which Stdin is not"
        )]
        let input = AsyncFd::with_interest(io::stdin(), tokio::io::Interest::READABLE)?;
        Ok(Console { input: Some(input), read: Vec::new() })
    }

    /// The next line, without its end; waits for ever once there is none.
    pub(super) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return String::from_utf8_lossy(&line).trim().to_owned();
            }
            let Some(input) = &self.input else { return std::future::pending().await };
            let Ok(mut ready) = input.readable().await else {
                self.input = None;
                continue;
            };
            if !in_foreground() {
                // What is typed now is for somebody else, and the terminal would stop us for reading it.
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            let mut buffer = [0; 512];
            // Readable, so that reading does not block although the terminal is shared and must stay as it is.
            match rustix::io::read(input.get_ref(), &mut buffer) {
                Ok(0) | Err(_) => self.input = None,
                Ok(length) => {
                    self.read.extend_from_slice(&buffer[..length]);
                    ready.clear_ready();
                    if self.read.len() > LONGEST {
                        self.read.clear();
                    }
                }
            }
        }
    }
}

/// Whether what is typed at the terminal is for this process; true where standard input is no terminal.
fn in_foreground() -> bool {
    rustix::termios::tcgetpgrp(io::stdin()).map_or(true, |group| group == rustix::process::getpgrp())
}

/// Sends what a line says to whom it is for; what is wrong with it, for the person who typed it.
pub(super) fn obey(line: &str, reaches: &[Reach]) -> Option<String> {
    let labels: Vec<&str> = reaches.iter().filter_map(|reach| reach.label.as_deref()).collect();
    let (whom, order) = match addressed(line, &labels) {
        Ok(addressed) => addressed,
        Err(why) => return Some(why),
    };
    let command = match parse(order) {
        Ok(Some(command)) => command,
        Ok(None) => return None,
        Err(why) => return Some(why),
    };
    let is_meant = |reach: &&Reach| whom.is_none() || reach.label.as_deref() == whom;
    let meant: Vec<&Reach> = reaches.iter().filter(is_meant).filter(|reach| !reach.is_over()).collect();
    // A scenario is one of those runs that have it; where none has, each says so.
    let knows = |reach: &&Reach| {
        concerns(&command).is_none_or(|name| reach.plan().scenarios.iter().any(|one| one.name == name))
    };
    let some_know = meant.iter().any(knows);
    for reach in meant.iter().filter(|reach| !some_know || knows(reach)) {
        // One that ends just now has nobody who obeys.
        let _ = reach.commands.send(command.clone());
    }
    match whom {
        Some(name) if meant.is_empty() => Some(format!("`{name}` is over")),
        _ => None,
    }
}

/// The run that a line is for, `None` for all, and what stands behind its name.
fn addressed<'a>(line: &'a str, labels: &[&'a str]) -> Result<(Option<&'a str>, &'a str), String> {
    let Some((name, order)) = line.split_once(':').filter(|(name, _)| !labels.is_empty() && !name.trim().contains(' '))
    else {
        return Ok((None, line));
    };
    let name = name.trim();
    if labels.contains(&name) {
        return Ok((Some(name), order));
    }
    Err(format!("`{name}` is none of the runs: {}", labels.join(", ")))
}

/// The scenario that a Command is about.
fn concerns(command: &Command) -> Option<&str> {
    match command {
        Command::End { scenario, .. } | Command::Scale { scenario, .. } | Command::Replan { scenario, .. } => {
            Some(scenario)
        }
        _ => None,
    }
}

/// The Command of a line; `Ok(None)` for an empty one.
///
/// # Errors
/// What is wrong with it, for the person who typed it.
fn parse(line: &str) -> Result<Option<Command>, String> {
    let by = Author::Terminal;
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(Some(match words[..] {
        [] => return Ok(None),
        ["pause"] => Command::Pause { by },
        ["resume"] => Command::Resume { by },
        ["stop"] => Command::Stop { by, why: "stopped from the terminal".to_owned() },
        ["end", scenario] => Command::End { by, scenario: scenario.to_owned(), why: "from the terminal".to_owned() },
        ["scale", scenario, "plan"] => Command::Replan { by, scenario: scenario.to_owned() },
        ["scale", scenario, to] => {
            let to = units::rate::parse(to).map_err(|error| error.to_string())?;
            Command::Scale { by, scenario: scenario.to_owned(), to }
        }
        _ => return Err(format!("`{line}` is no command: {HELP}")),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_commands() {
        let by = Author::Terminal;
        assert_eq!(parse(" pause "), Ok(Some(Command::Pause { by: by.clone() })));
        let scale = |to| Command::Scale { by: by.clone(), scenario: "browse".to_owned(), to };
        assert_eq!(parse("scale browse 50"), Ok(Some(scale(50.0))));
        assert_eq!(parse("scale browse 120/min"), Ok(Some(scale(2.0))));
        let replan = Command::Replan { by: by.clone(), scenario: "browse".to_owned() };
        assert_eq!(parse("scale browse plan"), Ok(Some(replan)));
        assert_eq!(parse(""), Ok(None));
        assert!(parse("scale browse many").is_err());
        assert_eq!(parse("faster"), Err(format!("`faster` is no command: {HELP}")));
    }

    #[test]
    fn a_line_is_for_all_runs_or_for_the_one_that_it_names() {
        let labels = ["cart", "cart-2"];
        assert_eq!(addressed("pause", &labels), Ok((None, "pause")));
        assert_eq!(addressed("cart-2: pause", &labels), Ok((Some("cart-2"), " pause")));
        assert_eq!(addressed("scale a:b 50", &labels), Ok((None, "scale a:b 50")));
        assert_eq!(addressed("card: pause", &labels), Err("`card` is none of the runs: cart, cart-2".to_owned()));
        assert_eq!(addressed("card: pause", &[]), Ok((None, "card: pause")));
    }
}
