//! The house keeps its own order: floors, cycles, file length, names, and what may stand where in the source tree.
//!
//! Every rule is a function from a source file to its faults, and stands in `RULES` beside snippets that it must refuse and
//! snippets that it must let pass; so a rule that has gone blind fails here too.

mod floors;
mod source;
mod supply;

use std::path::Path;

use source::{Source, find_word, line_of};

/// Longest allowed file, its test items not counted. The usual file has 60–300 lines.
const MAX_LINES: usize = 500;

/// Files that may be longer, each with its reason: catalogues whose entries cannot be told apart into nouns.
const LONG_FILES: [(&str, &str); 0] = [];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = ["util", "utils", "common", "helper", "helpers", "manager", "managers", "base", "imp"];

/// The only module with `unsafe`: the coroutine, its stacks and the net below them.
const UNSAFE_MODULE: [&str; 2] = ["user", "fiber"];

/// A rule: its name, how it finds faults, what it must refuse, what it must let pass.
struct Rule {
    name: &'static str,
    faults: fn(&Source) -> Vec<String>,
    refuses: &'static [(&'static str, &'static str)],
    passes: &'static [(&'static str, &'static str)],
}

const RULES: [Rule; 9] = [
    Rule {
        name: "a file opens with `//!`: what it is for, who calls it, what it does not know",
        faults: |s| {
            if s.text.starts_with("//! ") { vec![] } else { vec![at(s, 0, "no `//!` at the top")] }
        },
        refuses: &[("src/a.rs", "use b;\n//! late\n"), ("src/a.rs", "//!\n"), ("src/a.rs", "")],
        passes: &[("src/a.rs", "//! What for.\n")],
    },
    Rule {
        name: "a file is short",
        faults: |s| {
            let lines = s.shipped_lines();
            let excused = LONG_FILES.iter().any(|(path, _)| *path == s.path);
            if lines > MAX_LINES && !excused {
                vec![format!("{}: {lines} lines, at most {MAX_LINES}", s.path)]
            } else {
                vec![]
            }
        },
        refuses: &[("src/a.rs", TOO_LONG)],
        passes: &[("src/a.rs", "//! short\n")],
    },
    Rule {
        name: "a name says what is inside",
        faults: |s| {
            let mut faults: Vec<String> =
                s.module().iter().filter(|m| EMPTY_NAMES.contains(m)).map(|m| at(s, 0, m)).collect();
            for name in EMPTY_NAMES {
                faults.extend(find_word(&s.code, &format!("mod {name}")).into_iter().map(|i| at(s, i, name)));
            }
            faults
        },
        refuses: &[
            ("src/load/util.rs", ""),
            ("src/helpers/mod.rs", ""),
            ("src/a.rs", "pub mod common;"),
            ("src/a.rs", "mod imp {"),
        ],
        passes: &[("src/load/shape.rs", "mod implementation; mod base64; // mod util\nfn common() {}")],
    },
    Rule {
        name: "`unsafe` stands in one module",
        faults: |s| {
            if s.module().starts_with(&UNSAFE_MODULE) { vec![] } else { words(s, &s.code, &["unsafe"]) }
        },
        refuses: &[
            ("src/cli.rs", "fn a() { unsafe { b() } }"),
            ("src/user/vu.rs", "unsafe impl Send for A {}"),
            ("src/user/fibers.rs", "unsafe {}"),
        ],
        passes: &[
            ("src/user/fiber.rs", "unsafe {}"),
            ("src/user/fiber/pool.rs", "unsafe {}"),
            ("src/a.rs", "#![deny(unsafe_code)] // unsafe\nlet a = \"unsafe\";"),
        ],
    },
    Rule {
        name: "`unwrap` only in tests",
        faults: |s| words(s, &s.shipped, &[".unwrap()"]),
        refuses: &[("src/a.rs", "a.unwrap();"), ("src/a.rs", "#[cfg(test)]\nmod tests { }\nfn b() { a\n.unwrap() }")],
        passes: &[
            ("src/a.rs", "a.unwrap_or(1); a.expect(\"b\");\n#[cfg(test)]\nmod tests { fn a() { b.unwrap() } }"),
            ("src/a/tests.rs", "a.unwrap();"),
        ],
    },
    Rule {
        name: "only the engine, the door's `run` and the target service start threads",
        faults: |s| {
            let may = ["src/engine/", "src/target/"].iter().any(|f| s.path.starts_with(f));
            if may {
                return vec![];
            }
            words(s, &s.shipped, &["thread::spawn", "thread::Builder", "thread::scope", "Builder::new_multi_thread"])
        },
        refuses: &[
            ("src/metrics/a.rs", "std::thread::spawn(f);"),
            ("src/cli.rs", "thread::Builder::new().spawn(f)"),
            ("src/report/a.rs", "thread::scope(|s| {})"),
        ],
        passes: &[
            ("src/engine/shard.rs", "thread::spawn(f)"),
            ("src/engine/shard.rs", "thread::Builder::new()"),
            ("src/user/vu.rs", "thread::current()"),
        ],
    },
    Rule {
        name: "only `script` builds Rhai engines",
        faults: |s| {
            if s.path.starts_with("src/script/") {
                vec![]
            } else {
                words(s, &s.shipped, &["Engine::new", "Engine::new_raw", "Engine::default"])
            }
        },
        refuses: &[("src/engine/shard.rs", "let e = rhai::Engine::new_raw();"), ("src/cli.rs", "Engine::new()")],
        passes: &[("src/script/machine.rs", "Engine::new_raw()"), ("src/engine/shard.rs", "Engine::newest()")],
    },
    Rule {
        name: "no prints to a terminal that may be gone, nothing unfinished, nothing excused for good",
        faults: |s| {
            let mut faults = words(s, &s.code, &["dbg!", "todo!", "unimplemented!"]);
            let prints = ["println!", "eprintln!", "print!", "eprint!"];
            faults.extend(words(s, &s.shipped, &prints));
            faults.extend(
                attributes(&s.code)
                    .filter(|(_, text)| !find_word(text, "ignore").is_empty())
                    .map(|(i, _)| at(s, i, "an ignored test")),
            );
            faults.extend(
                attributes(&s.code)
                    .filter(|(_, text)| text.contains("allow("))
                    .map(|(i, _)| at(s, i, "`allow`: write `expect`, it goes when its reason goes")),
            );
            faults
        },
        refuses: &[
            ("src/a.rs", "fn a() { println!(\"b\") }"),
            ("src/a.rs", "std::eprint!(\"b\")"),
            ("src/a.rs", "todo!()"),
            ("src/a.rs", "dbg!(1)"),
            ("src/a.rs", "#[cfg(test)]\nmod tests {\n#[test]\n#[ignore]\nfn a() {} }"),
            ("src/a.rs", "#[ignore = \"slow\"]"),
            ("src/a.rs", "#![allow(dead_code)]"),
            ("src/a.rs", "#[cfg_attr(test, allow(unused))]"),
        ],
        passes: &[(
            "src/a.rs",
            "// println!\nwriteln!(out, \"print!\"); #[expect(dead_code)] fn allow(a: u8) { ignore(a) }",
        )],
    },
    Rule {
        name: "the ground floor knows no runtime, no script language, no thread; only `clock` reads the time",
        faults: |s| {
            if floors::floor(&s.module()) != Some(floors::GROUND) {
                return vec![];
            }
            let mut faults = words(s, &s.shipped, &["tokio", "rhai", "hyper", "rustls", "std::thread"]);
            if s.module() != ["clock"] {
                let clocks = ["Instant::now", "SystemTime::now", "Utc::now", "Local::now"];
                faults.extend(words(s, &s.shipped, &clocks));
            }
            faults
        },
        refuses: &[
            ("src/load/pacer.rs", "use tokio::time;"),
            ("src/units.rs", "rhai::Dynamic"),
            ("src/metrics/recorder.rs", "Instant::now()"),
            ("src/clock.rs", "tokio::time::Instant::now()"),
        ],
        passes: &[
            ("src/user/vu.rs", "use tokio::time;"),
            ("src/clock.rs", "Instant::now()"),
            ("src/load/pacer.rs", "//! no tokio\nlet now = at;"),
        ],
    },
];

/// As many lines as are too many.
const TOO_LONG: &str = {
    const NEWLINES: [u8; MAX_LINES + 1] = [b'\n'; MAX_LINES + 1];
    match std::str::from_utf8(&NEWLINES) {
        Ok(text) => text,
        Err(_) => panic!("newlines are UTF-8"),
    }
};

fn at(source: &Source, offset: usize, what: &str) -> String {
    format!("{}:{}: {what}", source.path, line_of(&source.code, offset))
}

fn words(source: &Source, code: &str, forbidden: &[&str]) -> Vec<String> {
    let found = forbidden.iter().flat_map(|word| find_word(code, word).into_iter().map(move |i| (i, word)));
    found.map(|(i, word)| at(source, i, &format!("`{word}`"))).collect()
}

/// The attributes of a file: their offset and text up to the closing bracket.
fn attributes(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices('#').filter_map(|(i, _)| {
        let body = code[i + 1..].trim_start_matches('!');
        let end = body.starts_with('[').then(|| body.find(']'))??;
        Some((i, &body[..end]))
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_source_tree_keeps_every_rule() {
    let tree = Source::tree(root());
    assert!(tree.len() > 5, "the source tree was not found");
    let mut faults = Vec::new();
    for rule in &RULES {
        faults.extend(tree.iter().flat_map(rule.faults).map(|fault| format!("{fault}\n    rule: {}", rule.name)));
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_rule_refuses_what_it_is_for() {
    for rule in &RULES {
        for (path, text) in rule.refuses {
            assert!(
                !(rule.faults)(&Source::new(path, text)).is_empty(),
                "rule `{}` is blind to\n{path}: {text}",
                rule.name
            );
        }
        for (path, text) in rule.passes {
            assert_eq!((rule.faults)(&Source::new(path, text)), Vec::<String>::new(), "rule `{}`", rule.name);
        }
    }
}

#[test]
fn the_limit_of_length_counts_no_tests() {
    let text = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(MAX_LINES), "\n".repeat(300));
    let rule = RULES.iter().find(|rule| rule.name == "a file is short").expect("it is in the list");
    assert_eq!((rule.faults)(&Source::new("src/a.rs", &text)), Vec::<String>::new());
    let longer = format!("\n{text}");
    assert_eq!((rule.faults)(&Source::new("src/a.rs", &longer)), ["src/a.rs: 501 lines, at most 500"]);
}

#[test]
fn a_fault_is_told_with_file_and_line() {
    let source = Source::new("src/a.rs", "//! x\n\nfn a() { b.unwrap() }\n");
    let faults: Vec<String> = RULES.iter().flat_map(|rule| (rule.faults)(&source)).collect();
    assert_eq!(faults, ["src/a.rs:3: `.unwrap()`"]);
}

#[test]
fn the_excused_long_files_exist_and_are_long() {
    let tree = Source::tree(root());
    for (path, reason) in LONG_FILES {
        let source = tree.iter().find(|s| s.path == path);
        assert!(source.is_some_and(|s| s.shipped_lines() > MAX_LINES), "{path} is excused ({reason}) without need");
    }
}
