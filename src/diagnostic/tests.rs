//! Golden pictures of diagnostics, and what no input may do to them.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

const SOURCE: &str = "fn browse() {\n    let r = http::gett(\"/cart\");\n\tbroken\n}\n";

fn unknown_function() -> Diagnostic {
    Diagnostic::error("unknown function `http::gett`")
        .at(Span::in_source("scripts/checkout.rhai", SOURCE, 2, 13, 10))
        .suggest("http::gett", ["http::post", "http::get"])
}

#[test]
fn an_error_is_drawn_with_its_caret() {
    assert_snapshot!(unknown_function().render(false), @r#"
    error: unknown function `http::gett`
     --> scripts/checkout.rhai:2:13
      |
    2 |     let r = http::gett("/cart");
      |             ^^^^^^^^^^ did you mean `http::get`?
    "#);
}

#[test]
fn help_stands_on_its_own_line() {
    let diagnostic = Diagnostic::warning("`status` is a number, so this comparison is always false")
        .at(Span::in_source("a.rhai", "if r.status == \"200\" {", 1, 4, 17))
        .help("write `status == 200`");
    assert_snapshot!(diagnostic.render(false), @r#"
    warning: `status` is a number, so this comparison is always false
     --> a.rhai:1:4
      |
    1 | if r.status == "200" {
      |    ^^^^^^^^^^^^^^^^^
      |
      = help: write `status == 200`
    "#);
}

#[test]
fn without_a_place_there_is_no_caret() {
    let diagnostic = Diagnostic::error("`--users` is 0").label("here").help("give at least one user");
    assert_snapshot!(diagnostic.render(false), @r"
    error: `--users` is 0
     |
     = note: here
     = help: give at least one user
    ");
}

#[test]
fn tabs_and_control_characters_keep_the_caret_in_place() {
    let diagnostic = Diagnostic::error("bad \u{1b}[31mname\u{7}")
        .at(Span::in_source("a\u{1b}.rhai", "\tlet \u{1b}é = gett(1);", 1, 10, 4))
        .label("red\n\u{1b}[0m");
    assert_snapshot!(diagnostic.render(false), @r"
    error: bad ␛[31mname␇
     --> a.rhai:1:10
      |
    1 |     let ␛é = gett(1);
      |             ^^^^ red ␛[0m
    ");
}

#[test]
fn a_very_long_line_is_cut_around_the_caret() {
    let line = format!("{}HERE{}", "é".repeat(50_000), "y".repeat(2_000_000));
    let drawn =
        Diagnostic::error("minified").at(Span::in_source("a.js", &line, 1, 50_001, 4)).label("this").render(false);
    assert!(drawn.contains("a.js:1:50001") && drawn.contains("éHEREy") && drawn.contains("^^^^ this"), "{drawn}");
    assert!(drawn.lines().all(|line| line.chars().count() <= WIDTH + 10), "{drawn}");
}

#[test]
fn a_place_behind_the_end_points_at_the_end() {
    let diagnostic = Diagnostic::error("expected `}`").at(Span::in_source("a.rhai", "fn run() {", 1, 40, 3));
    assert_snapshot!(diagnostic.render(false), @r"
    error: expected `}`
     --> a.rhai:1:11
      |
    1 | fn run() {
      |           ^
    ");
    let nowhere = Diagnostic::error("unexpected end").at(Span::in_source("a.rhai", "", 7, 1, 1));
    assert_snapshot!(nowhere.render(false), @r"
    error: unexpected end
     --> a.rhai:7:1
      |
    7 |
      | ^
    ");
}

#[test]
fn color_adds_escapes_and_nothing_else() {
    let colored = unknown_function().render(true);
    assert!(colored.starts_with('\u{1b}'));
    let mut bare = String::new();
    let mut parts = colored.split('\u{1b}');
    bare.push_str(parts.next().expect("a split has a first part"));
    for part in parts {
        bare.push_str(part.split_once('m').expect("an escape ends in m").1);
    }
    assert_eq!(bare, unknown_function().render(false));
}

#[test]
fn several_are_sorted_counted_and_said_once() {
    let at = |path: &str, line| Span::in_source(path, SOURCE, line, 1, 2);
    let second = Diagnostic::error("second").at(at("a.rhai", 2));
    let list = [
        Diagnostic::error("fourth").at(at("b.rhai", 1)),
        Diagnostic::warning("third").at(at("a.rhai", 3)),
        second.clone(),
        Diagnostic::error("first"),
        second.clone().help("another help"),
        second,
    ];
    assert_snapshot!(render_all(&list, false), @r#"
    error: first

    error: second
     --> a.rhai:2:1
      |
    2 |     let r = http::gett("/cart");
      | ^^

    error: second
     --> a.rhai:2:1
      |
    2 |     let r = http::gett("/cart");
      | ^^
      |
      = help: another help

    warning: third
     --> a.rhai:3:1
      |
    3 |     broken
      | ^^^^^

    error: fourth
     --> b.rhai:1:1
      |
    1 | fn browse() {
      | ^^

    4 errors, 1 warning
    "#);
    assert_eq!(render_all(&[], false), "");
    assert!(render_all(&list[1..2], false).ends_with("\n\n1 warning"));
}

#[test]
fn an_expression_inside_a_string_gets_its_own_caret() {
    let line = "threshold(\"http_reqs\", \"coutn > 5\");";
    let text = Span::in_source("a.rhai", line, 1, 25, 9);
    assert_eq!(text.narrowed(0, 5), Span { length: 5, ..text.clone() });
    assert_eq!(text.narrowed(8, 1).column, 33);
    assert_eq!(text.narrowed(99, 7), Span { column: 37, length: 1, ..text });
}

proptest! {
    #[test]
    fn nothing_makes_drawing_panic_or_leak_escapes(
        line in any::<String>(), column in 0usize..300, length in 0usize..300, message in any::<String>(),
    ) {
        let span = Span { path: message.clone(), line: 3, column, length, source_line: line };
        let diagnostic = Diagnostic::error(message.clone()).at(span).label(message.clone()).help(message);
        let drawn = diagnostic.render(false);
        prop_assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{drawn:?}");
        prop_assert!(drawn.starts_with("error"));
    }
}
