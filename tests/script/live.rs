//! The live session of the book, edit by edit: what stands in docs/live.md is done, and what it says punk says is waited for.

use crate::builder::{Running, punk};
use regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

/// A fenced block of the page: its opening line after the backticks, and its lines.
struct Block<'a> {
    info: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in page.lines() {
        if let Some(info) = line.strip_prefix("```") {
            if !open {
                blocks.push(Block { info, lines: Vec::new() });
            }
            open = !open;
        } else if open && let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    blocks
}

/// Without the numbers that are others each time: those with a unit.
fn masked(line: &str) -> String {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(at|since|now|after|broken:|again:|to|^ +|: |  )(\s*)\d+(\.\d+)?(ns|µs|ms|s)\b")
            .expect("it is right")
    });
    // Nor is a column as wide where its number is shorter.
    let line = NUMBER.replace_all(line, "$1#").into_owned();
    // The file has a path here that it has not in the book.
    static FILE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"--> \S*/").expect("it is right"));
    FILE.replace(&line, "--> ").into_owned()
}

/// Waits for lines, in any order, behind what was found before: a threshold and an alert may turn in the same second or not.
fn await_lines(running: &mut Running, found: &mut usize, lines: &[&str]) {
    let begin = *found;
    for line in lines {
        let wanted = masked(line);
        running.until(line, |running| {
            let said = running.stderr_so_far();
            let at = said.lines().skip(begin).position(|line| masked(line) == wanted);
            *found = at.map_or(*found, |at| (begin + at + 1).max(*found));
            at.is_some()
        });
    }
}

#[test]
fn the_session_of_the_book_goes_as_it_is_told() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/live.md")).expect("the page is there");
    let script = std::fs::read_to_string(root.join("scripts/live-thresholds.rhai")).expect("the script is there");
    let session = punk().file("live-thresholds.rhai", &script).script_at("live-thresholds.rhai").arg("--ui=plain");
    let path = session.folder().join("live-thresholds.rhai");
    let mut running = session.start();
    running.until_stderr("progress ");
    let (mut text, mut found, mut edits) = (script, 0, 0);
    let blocks = blocks(&page);
    for block in &blocks {
        match block.info {
            "diff" => {
                let [old, new] = &block.lines[..] else { panic!("one line for another: {:?}", block.lines) };
                let (old, new) = (old.strip_prefix('-').expect("old"), new.strip_prefix('+').expect("new"));
                assert_eq!(text.matches(old).count(), 1, "{old}");
                text = text.replace(old, new);
                std::fs::write(&path, &text).expect("the script can be saved");
                edits += 1;
            }
            "text" => await_lines(&mut running, &mut found, &block.lines),
            _ => {}
        }
    }
    assert_eq!(edits, 6, "the page was read");
    let outcome = running.wait();
    assert_eq!(outcome.code(), 99, "{}", outcome.told());
    let report: Vec<String> = outcome.stdout().lines().map(masked).collect();
    let told = blocks.iter().find(|block| block.info == "text report").expect("the page has it");
    for line in &told.lines {
        assert!(report.contains(&masked(line)), "{line}\n{}", outcome.told());
    }
    let summary = outcome.summary();
    assert_eq!(summary["edits"].as_array().map(Vec::len), Some(5));
    assert_eq!((&summary["revision"], &summary["thresholds"][1]["revision"]), (&3.into(), &3.into()));
}
