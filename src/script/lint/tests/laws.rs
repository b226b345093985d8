//! What holds for every script, however broken: no panic, places inside the file, sorted, nothing twice.

use proptest::prelude::*;

use super::*;

/// Valid and faulty scripts to be mutated.
const CORPUS: [&str; 8] = [
    "fn f() { cfg }\nlet cfg = 1; const A = 2; fn g(x) { global::A + x }\nimport \"std/think\" as t; t::fixed(1);",
    "let s = `a ${b} c ${ d.e(f, |x| x + g) }`;\nfor (i, j) in 0..10 { if i == j { continue } else { break } }",
    "scenario(\"a\", #{ run: browse, users: ramp(1, 2, 3.s).hold(5.s), \"x y\": [1, 2.5, 'c'] });\nfn browse(data) { this.x = 1; }",
    "switch x { 1 | 2 => 3, 4..=5 if y > 1 => { let z = 1; z }, \"a\" => (), _ => throw 1 }\ntry { f() } catch (e) { e }",
    "let f = |a, b| { let c = a; || { || b + c + q } }; f.call(1, 2); let m = #{ go_: |x| this.y }; m.go_(1); m?.a?[\"b\"] ?? c",
    "check(r, #{ \"ok\": |r| r.status == \"200\" });\nfn map.foo() { this.len() } export const Z = 1; export x as y;",
    "while a < b && c || !d { a += 1; b -= -2 ** 3; a[b].c[d] = e; do { x } until y; loop { break 5 } }",
    "// ünï\nfn ü() {}\nlet é = \"äöü ${x}\"; /* a /* b */ c */ let x = `ä\n${ö}\n`; #{ default: 1 }",
];

/// Pieces that are put into the corpus.
const PIECES: [&str; 30] = [
    "{", "}", "(", ")", "[", "]", ";", ",", ":", "::", ".", "?.", "|", "||", "&&", "=", "==", "`", "\"", "'", "${",
    "#{", "fn ", "let ", " this ", "if ", "=> ", "x", "\n", "é",
];

/// The lint and the explanation of any text, checked for what must hold.
fn examine(engine: &Engine, known: &Known, text: &str) -> Result<(), TestCaseError> {
    let found = match engine.compile(text) {
        Ok(ast) => {
            let script = ScriptFile { path: "script.rhai".to_owned(), text: text.to_owned(), ast };
            let found = lint(known, &script, &|_, _| None);
            prop_assert_eq!(&found, &lint(known, &script, &|_, _| None), "the same script, the same findings");
            found
        }
        Err(error) => vec![explain_parse_error(&error, "script.rhai", text)],
    };
    let mut places = Vec::new();
    for diagnostic in &found {
        let span = diagnostic.span.as_ref().expect("every finding has a place");
        let lines = text.lines().count().max(1);
        prop_assert!(span.line >= 1 && span.line <= lines, "{diagnostic:?}");
        prop_assert!(span.column >= 1 && span.length >= 1, "{diagnostic:?}");
        let width = span.source_line.chars().count();
        prop_assert!(span.column <= width + 1, "{diagnostic:?}");
        prop_assert!(!diagnostic.message.is_empty());
        places.push((span.line, span.column, diagnostic.message.clone()));
    }
    let mut unique = places.clone();
    unique.sort();
    unique.dedup();
    prop_assert_eq!(places, unique, "sorted, nothing twice");
    Ok(())
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, usize),
    Remove(usize, usize),
    Swap(usize, usize),
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let length = chars.len().max(1);
        match edit {
            Edit::Insert(at, piece) => {
                let at = at % (chars.len() + 1);
                let piece = PIECES[piece % PIECES.len()].chars();
                chars.splice(at..at, piece);
            }
            Edit::Remove(at, count) => {
                let from = (at % length).min(chars.len());
                let to = (from + count % 6).min(chars.len());
                chars.drain(from..to);
            }
            Edit::Swap(one, other) if !chars.is_empty() => {
                chars.swap(one % length, other % length);
            }
            Edit::Swap(..) => {}
        }
    }
    chars.into_iter().collect()
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<usize>(), any::<usize>()).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<usize>(), any::<usize>()).prop_map(|(at, count)| Edit::Remove(at, count)),
        (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_edit_of_any_script_is_examined_without_panic(
        batch in proptest::collection::vec((0..CORPUS.len(), proptest::collection::vec(edit(), 0..5)), 40),
    ) {
        let engine = engine();
        let known = Known::from_engine(&engine);
        for (index, edits) in batch {
            examine(&engine, &known, &edited(CORPUS[index], &edits))?;
        }
    }

    #[test]
    fn any_text_is_examined_without_panic(texts in proptest::collection::vec("\\PC{0,60}", 20)) {
        let engine = engine();
        let known = Known::from_engine(&engine);
        for text in texts {
            examine(&engine, &known, &text)?;
        }
    }
}

#[test]
fn the_deepest_and_the_longest_scripts_come_to_an_end() {
    let work = || {
        let mut engine = engine();
        engine.set_max_expr_depths(0, 0);
        let known = Known::from_engine(&engine);
        let nested = |open: &str, inner: &str, close: &str, depth: usize| {
            format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
        };
        for text in [
            nested("if a { ", "b", " }", 300),
            nested("(1 + ", "b", ")", 300),
            nested("[", "b", "]", 300),
            nested("|| { ", "b", " }", 30),
            format!("let x = a{};", ".b(c)".repeat(2_000)),
            format!("let x = a{};", "[0].b".repeat(2_000)),
            format!("let x = a{};", " + b".repeat(500)),
            (0..600).map(|n| format!("fn f{n}() {{ f{}() }}\n", n + 1)).collect(),
        ] {
            examine(&engine, &known, &text).expect("nothing breaks");
        }
    };
    // As big as a compiling thread's stack: the parser recurses as deep.
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(work);
    thread.expect("a thread").join().expect("nothing breaks");
}
