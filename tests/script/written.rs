//! What is written for readers holds: every script of `scripts/` runs, every Rhai block of the book compiles, every `punk …` line of it
//! is a command line that punk takes.
//!
//! In the book, a block opened by ```` ```rhai run ```` is run as well; ```` ```rhai fragment ```` is what stands inside `fn run()`, and is run
//! against the demo shop; ```` ```rhai part ```` is a piece of a script that cannot stand alone: only its syntax is looked at.

use std::path::{Path, PathBuf};

use crate::builder::punk;
use clap::Parser;
use punk::cli::Cli;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_example_script_runs() {
    let scripts: Vec<PathBuf> = std::fs::read_dir(root().join("scripts"))
        .expect("scripts/ exists")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|is| is == "rhai"))
        .collect();
    assert!(!scripts.is_empty());
    std::thread::scope(|scope| {
        for script in &scripts {
            scope.spawn(move || {
                // Short on purpose: what an example shows, it shows at once; its thresholds may want more than a second of it.
                let outcome = punk().script_at(script).args("-d2s --graceful-stop 5s").run();
                assert!(matches!(outcome.code(), 0 | 99), "{}\n{}", script.display(), outcome.told());
                let iterations = outcome.metric("iterations", "count");
                assert!(iterations > 0.0, "{} did nothing\n{}", script.display(), outcome.told());
                // An example about errors has a threshold about them.
                let about_errors = outcome.summary()["thresholds"].to_string().contains("script_errors");
                let errors = outcome.metric("script_errors", "count");
                assert!(errors == 0.0 || about_errors, "{}\n{}", script.display(), outcome.told());
            });
        }
    });
}

/// A fenced block: its opening line after the backticks, its text, where it stands.
struct Block {
    info: String,
    text: String,
    place: String,
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).expect("it was found a moment ago");
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => {
                let place = format!("{}:{}", page.strip_prefix(root()).unwrap_or(page).display(), number + 1);
                open = Some(Block { info: info.trim().to_owned(), text: String::new(), place });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The README and the book; records of decisions (`docs/design`) tell what was, not what is.
fn book() -> Vec<Block> {
    let mut pages = files(&root().join("docs"), "md");
    pages.retain(|page| !page.starts_with(root().join("docs/design")));
    pages.extend([root().join("README.md")].into_iter().filter(|page| page.exists()));
    pages.iter().flat_map(|page| blocks(page)).collect()
}

/// Why a block does not hold, if it does not.
fn fault_of(block: &Block) -> Option<String> {
    let mut words = block.info.split_whitespace();
    if words.next() != Some("rhai") {
        return None;
    }
    let is = |wanted: &str| words.clone().any(|word| word == wanted);
    let (fragment, part) = (is("fragment"), is("part"));
    let runs = fragment || is("run");
    let whole = block.text.contains("fn run(") || block.text.contains("scenario(");
    let script = if fragment {
        format!("options(#{{ base_url: demo::shop() }}); fn run() {{\n{}\n}}\n", block.text)
    } else if whole || part {
        block.text.clone()
    } else {
        format!("{}\nfn run() {{ }}\n", block.text)
    };
    let checked = punk().command("check").file("test.rhai", &script).script_at("test.rhai").run();
    let syntax_only =
        part && !checked.stderr().contains("is missing") && !checked.stderr().contains("is not expected here");
    if checked.code() != 0 && !syntax_only {
        return Some(format!("{}\n{}", block.place, checked.stderr()));
    }
    if runs {
        let outcome = punk().script(&script).args("-d2s --graceful-stop 5s").run();
        if !matches!(outcome.code(), 0 | 99) || outcome.metric("script_errors", "count") > 0.0 {
            return Some(format!("{}\n{}", block.place, outcome.told()));
        }
    }
    None
}

#[test]
fn every_rhai_block_of_the_book_compiles() {
    let faults: Vec<String> = book().iter().filter_map(fault_of).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The arguments of each `punk …` line of a console block; `None` for lines that are something else.
fn command(line: &str) -> Option<Vec<&str>> {
    let line = line.trim().trim_start_matches("$ ");
    let line = line.split(" #").next().unwrap_or(line).trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| !word.contains('=') || word.starts_with('-'))?;
    let words = match &words[at..] {
        ["cargo", "run", rest @ ..] => rest.iter().position(|word| *word == "--").map(|at| &rest[at + 1..])?,
        ["punk" | "./punk" | "target/release/punk", rest @ ..] => rest,
        _ => return None,
    };
    // What follows a pipe or a redirection is the shell's.
    let end = words.iter().position(|word| matches!(*word, "|" | ">" | "2>" | "&&" | ";" | "&")).unwrap_or(words.len());
    Some(words[..end].to_vec())
}

#[test]
fn every_command_of_the_book_is_one() {
    let mut faults = Vec::new();
    for block in book().iter().filter(|block| matches!(block.info.as_str(), "console" | "sh" | "bash" | "shell")) {
        for arguments in block.text.replace("\\\n", " ").lines().filter_map(command) {
            let is_command =
                arguments.first().is_some_and(|first| ["run", "check", "target", "doctor", "version"].contains(first));
            let implied = if is_command || arguments.first().is_some_and(|first| first.starts_with('-')) {
                vec![]
            } else {
                vec!["run"]
            };
            let line: Vec<&str> = ["punk"].into_iter().chain(implied).chain(arguments.iter().copied()).collect();
            if let Err(error) = Cli::try_parse_from(&line)
                && error.use_stderr()
            {
                faults.push(format!("{}: {}\n{error}", block.place, line.join(" ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn blocks_that_do_not_hold_are_found() {
    let block =
        |info: &str, text: &str| Block { info: info.to_owned(), text: text.to_owned(), place: "here:1".to_owned() };
    assert!(fault_of(&block("rhai", "fn run() { http::gett(); }")).is_some_and(|fault| fault.contains("http::get")));
    assert!(fault_of(&block("rhai run", "fn run() { throw \"x\"; }")).is_some());
    assert!(fault_of(&block("rhai fragment", "let r = http::get(\"/\"); r.nothing();")).is_some());
    assert!(fault_of(&block("rhai part", "let x = ;")).is_some());
    assert!(fault_of(&block("rhai part", "check(page, #{ \"a\": true });")).is_none());
    assert!(fault_of(&block("rhai", "threshold(\"checks\", \"rate > 1%\");")).is_none());
    assert!(fault_of(&block("json", "{")).is_none());
    assert_eq!(command("$ punk check a.rhai   # looks only"), Some(vec!["check", "a.rhai"]));
    assert_eq!(command("BASE_URL=x cargo run --release -- a.rhai | head"), Some(vec!["a.rhai"]));
    assert_eq!(command("curl http://x"), None);
}
