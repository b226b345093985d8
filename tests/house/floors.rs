//! The floors of the house: which part of the crate may know which other part.
//!
//! It reads the paths that a file writes (`crate::…`, `super::…`); a name that reaches a file through a re-export is judged by the
//! part that it was written to come from.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, find_word, in_name, line_of};

/// The floor without runtime, script language or threads.
pub const GROUND: u8 = 0;
const WINDOWS: u8 = 5;
const DOOR: u8 = 6;

/// Each part of the crate (a folder or file directly below `src/`) and its floor.
const FLOORS: [(&str, u8); 32] = [
    ("analysis", GROUND),
    ("clock", GROUND),
    ("control", GROUND),
    ("diagnostic", GROUND),
    ("expr", GROUND),
    ("feed", GROUND),
    ("load", GROUND),
    ("logs", GROUND),
    ("metrics", GROUND),
    ("plan", GROUND),
    ("printable", GROUND),
    ("roster", GROUND),
    ("snapshot", GROUND),
    ("store", GROUND),
    ("trail", GROUND),
    ("units", GROUND),
    ("events", 1),
    ("timer", 1),
    ("user", 1),
    ("protocol", 2),
    ("script", 3),
    ("engine", 4),
    ("api", WINDOWS),
    ("dashboard", WINDOWS),
    ("logfile", WINDOWS),
    ("output", WINDOWS),
    ("prometheus", WINDOWS),
    ("progress", WINDOWS),
    ("report", WINDOWS),
    ("tui", WINDOWS),
    ("webhook", WINDOWS),
    ("cli", DOOR),
];

/// The service that punk is tested against stands beside the house: it knows the ground floor only.
const BESIDE: &str = "target";
/// What it may know above the ground floor.
const LENT: &str = "timer";
/// Who may know it, besides tests of any floor: the command that serves it, and those that start it for `demo::shop()`.
const KNOWS_BESIDE: [&str; 3] = ["script", "engine", "cli"];

/// The floor of a module path, `None` for the crate's root, for the part beside the house and for a part that has no floor.
pub fn floor(module: &[&str]) -> Option<u8> {
    let part = module.first()?;
    FLOORS.iter().find(|(name, _)| name == part).map(|(_, floor)| *floor)
}

/// A path from one part of the crate to another, as a file writes it.
struct Reference {
    from: String,
    to: String,
    place: String,
    in_tests: bool,
}

/// All that a tree does against the floors, and the cycles between parts.
pub fn faults(tree: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in tree.iter().filter(|s| !s.module().is_empty()) {
        let part = source.module()[0];
        if part != BESIDE && floor(&[part]).is_none() {
            faults.push(format!("{}: `{part}` has no floor: give it one in tests/house/floors.rs", source.path));
            continue;
        }
        for reference in references(source) {
            if let Some(why) = refused(&reference) {
                faults
                    .push(format!("{}: `{}` may not know `{}`: {why}", reference.place, reference.from, reference.to));
            }
            if reference.from != reference.to && !reference.in_tests {
                edges.entry(reference.from).or_default().insert(reference.to);
            }
        }
    }
    faults.extend(cycle(&edges).map(|parts| format!("a circle of parts that know each other: {}", parts.join(" -> "))));
    faults
}

fn refused(reference: &Reference) -> Option<&'static str> {
    let (from, to) = (reference.from.as_str(), reference.to.as_str());
    if from == to {
        return None;
    }
    if to == BESIDE {
        let may = reference.in_tests || KNOWS_BESIDE.contains(&from);
        return (!may).then_some("the target service stands beside the house");
    }
    let Some(upper) = floor(&[to]) else {
        return Some("it is no part of the crate; write the path to the part where the name lives");
    };
    if from == BESIDE {
        return (upper != GROUND && to != LENT).then_some("the target service knows the ground floor only");
    }
    let lower = floor(&[from]).expect("a part without a floor was refused before");
    match (lower, upper) {
        _ if upper > lower => Some("it is on a higher floor"),
        (WINDOWS, WINDOWS) => Some("windows do not know each other"),
        (WINDOWS, 4) => Some("windows see snapshots, never the engine"),
        _ => None,
    }
}

/// Every path of a file that starts at the crate's root, also when it climbs there by `super`.
fn references(source: &Source) -> Vec<Reference> {
    let module = source.module();
    let mut found = Vec::new();
    let mut add = |offset: usize, to: &str| {
        found.push(Reference {
            from: module[0].to_owned(),
            to: to.to_owned(),
            place: format!("{}:{}", source.path, line_of(&source.code, offset)),
            in_tests: source.shipped.get(offset..offset + 1) != source.code.get(offset..offset + 1),
        });
    };
    for offset in find_word(&source.code, "crate") {
        if let Some(rest) = path_rest(&source.code[offset + "crate".len()..]) {
            heads(rest).iter().for_each(|to| add(offset, to));
        }
    }
    for offset in find_word(&source.code, "super") {
        let mut rest = &source.code[offset..];
        let mut climbed = 0;
        while let Some(after) = rest.strip_prefix("super").and_then(path_rest) {
            (rest, climbed) = (after, climbed + 1);
        }
        let continued = source.code[..offset].trim_end().ends_with("super::") || source.code[..offset].ends_with("::");
        // An inline module (that of the tests) is one step deeper than its file, so climbing by the file's depth stays inside the part there.
        let depth = module.len() + usize::from(inside_inline_module(&source.code[..offset]));
        if climbed >= depth && !continued {
            heads(rest).iter().for_each(|to| add(offset, to));
        }
    }
    found
}

fn path_rest(code: &str) -> Option<&str> {
    code.trim_start().strip_prefix("::").map(str::trim_start)
}

/// The first names of what follows `crate::`: one, or one per branch of `{…}`.
fn heads(rest: &str) -> Vec<&str> {
    let name = |code: &str| code.bytes().take_while(|c| in_name(*c)).count();
    let Some(group) = rest.strip_prefix('{') else {
        return vec![&rest[..name(rest)]];
    };
    let (mut depth, mut start, mut branches) = (0, 0, Vec::new());
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                branches.push(group[start..i].trim());
                start = i + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
        if c == '}' && start == i + 1 {
            break;
        }
    }
    branches
        .into_iter()
        .map(|branch| &branch[..name(branch)])
        .filter(|head| !head.is_empty() && *head != "self")
        .collect()
}

fn inside_inline_module(before: &str) -> bool {
    let opened = find_word(before, "mod").into_iter().filter(|at| {
        let rest = before[at + 3..].trim_start();
        let name = rest.bytes().take_while(|c| in_name(*c)).count();
        rest[name..].trim_start().starts_with('{')
    });
    opened.into_iter().any(|at| before[at..].matches('{').count() > before[at..].matches('}').count())
}

/// One circle in the graph, if there is any, as the parts along it.
fn cycle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(
        at: &str,
        edges: &BTreeMap<String, BTreeSet<String>>,
        trail: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(start) = trail.iter().position(|part| part == at) {
            return Some(trail[start..].iter().cloned().chain([at.to_owned()]).collect());
        }
        if done.contains(at) {
            return None;
        }
        trail.push(at.to_owned());
        let found = edges.get(at).into_iter().flatten().find_map(|to| walk(to, edges, trail, done));
        trail.pop();
        done.insert(at.to_owned());
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|part| walk(part, edges, &mut Vec::new(), &mut done))
}

#[cfg(test)]
mod tests {
    use super::{Source, faults};

    fn judged(files: &[(&str, &str)]) -> String {
        let tree: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        faults(&tree).join("\n")
    }

    #[test]
    fn the_source_tree_keeps_the_floors() {
        let found = faults(&Source::tree(super::super::root()));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn a_lower_floor_may_not_know_a_higher_one() {
        for (path, text, told) in [
            (
                "src/load/pacer.rs",
                "use crate::user::Vu;",
                "src/load/pacer.rs:1: `load` may not know `user`: it is on a higher floor",
            ),
            ("src/user/vu.rs", "use crate::{\n units::X,\n engine::{a, b},\n};", "`user` may not know `engine`"),
            ("src/protocol/http/client.rs", "fn a() -> crate::script::E {}", "`protocol` may not know `script`"),
            ("src/protocol/http/client.rs", "use super::super::super::script::E;", "`protocol` may not know `script`"),
            ("src/protocol/mod.rs", "use super::{units, cli};", "`protocol` may not know `cli`"),
            ("src/report/mod.rs", "crate::engine::x();", "windows see snapshots"),
            ("src/report/mod.rs", "use crate::progress::Bar;", "windows do not know each other"),
            ("src/target/mod.rs", "use crate::protocol::net;", "knows the ground floor only"),
            ("src/protocol/mod.rs", "use crate::target::Shop;", "beside the house"),
            ("src/load/mod.rs", "use crate::Everything;", "no part of the crate"),
            ("src/stuff.rs", "", "`stuff` has no floor"),
            ("src/load/mod.rs", "#[cfg(test)]\nmod tests { use crate::engine; }", "`load` may not know `engine`"),
        ] {
            assert!(judged(&[(path, text)]).contains(told), "{path}: {text}\n{}", judged(&[(path, text)]));
        }
    }

    #[test]
    fn downwards_and_inside_is_free() {
        for (path, text) in [
            ("src/cli.rs", "use crate::{engine, report::X, target, load::{A, B}};"),
            ("src/load/pacer.rs", "use super::Shape; use crate::units::Duration; // crate::engine\n"),
            (
                "src/protocol/http/client.rs",
                "use super::super::net; pub(in crate::protocol) fn a() { let b = \"crate::engine\"; }",
            ),
            (
                "src/protocol/http/client.rs",
                "#[cfg(test)]\nmod tests {\n use super::*; use super::super::super::net; use crate::target::Shop;\n}",
            ),
            ("src/units.rs", "#[cfg(test)]\nmod tests { use super::Engine; }"),
            ("src/load/pacer.rs", "pub(crate) fn a() {}"),
            ("src/lib.rs", "pub use crate::cli::main;"),
        ] {
            assert_eq!(judged(&[(path, text)]), "", "{path}: {text}");
        }
    }

    #[test]
    fn parts_of_one_floor_may_not_go_in_circles() {
        let files = [
            ("src/load/mod.rs", "use crate::metrics::A;"),
            ("src/metrics/mod.rs", "use crate::expr::B;"),
            ("src/expr/mod.rs", "use crate::load::C;"),
        ];
        assert_eq!(judged(&files), "a circle of parts that know each other: expr -> load -> metrics -> expr");
        assert_eq!(judged(&files[..2]), "");
    }
}
