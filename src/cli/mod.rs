//! The command line: argv in, exit code out. Parsing does no work; each command has a file of its own.

pub mod args;
mod check;
mod config;
pub mod doctor;
pub mod exit;
pub mod quick;
mod run;
mod shapes;
mod target;

use crate::events;
pub use args::Cli;
use args::Command;
use clap::{CommandFactory, Parser};
use exit::Exit;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the command that `argv` names.
pub fn main(argv: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(with_run(argv.into_iter().collect())) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` are answers and go to stdout; a mistake goes to stderr.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Passed.into() };
        }
    };
    events::listen();
    match cli.command {
        Command::Run(args) => run::run(&args).into(),
        Command::Quick(args) => quick::quick(*args).into(),
        Command::Check(args) => check::check(&args).into(),
        Command::Shapes(args) => shapes::shapes(&args).into(),
        Command::Target(args) => target::serve(args).into(),
        Command::Doctor(args) => doctor::doctor(&args).into(),
        Command::Version => {
            out(&format!("punk {}\n", env!("CARGO_PKG_VERSION")));
            Exit::Passed.into()
        }
    }
}

/// `punk SCRIPT …` is `punk run SCRIPT …`: put in where the first word is not a command.
fn with_run(mut argv: Vec<OsString>) -> Vec<OsString> {
    let first = argv.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let command = Cli::command();
    let is_command = command.get_subcommands().any(|known| known.get_name() == first) || first == "help";
    let asks = matches!(first, "" | "-h" | "--help" | "-V" | "--version");
    if !is_command && !asks {
        argv.insert(1, "run".into());
    }
    argv
}

/// Writes to stdout; a closed pipe (`punk … | head`) is not an error.
pub(crate) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Writes to stderr.
pub(crate) fn err(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> String {
        let argv = with_run(line.split_whitespace().map(OsString::from).collect());
        argv.iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_script_is_run_without_saying_so() {
        assert_eq!(parsed("punk a.rhai -u 5"), "punk run a.rhai -u 5");
        assert_eq!(parsed("punk -u 5 a.rhai"), "punk run -u 5 a.rhai");
        assert_eq!(parsed("punk check a.rhai"), "punk check a.rhai");
        assert_eq!(parsed("punk --help"), "punk --help");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
