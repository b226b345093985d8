//! Lines typed at the terminal while a run goes on, as Commands: `pause`, `resume`, `scale browse 50`, `stop`.
//!
//! Read where standard input is a terminal, and with `--commands` from anything that can be waited for, such as a pipe.
//! It answers what it did not understand; what came of a Command is told by the Snapshot.

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

/// The Command of a line; `Ok(None)` for an empty one.
///
/// # Errors
/// What is wrong with it, for the person who typed it.
pub(super) fn parse(line: &str) -> Result<Option<Command>, String> {
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
}
