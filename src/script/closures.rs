//! Closures that punk calls with one argument, as they are declared: of thresholds and of alerts.
//!
//! Called by the readers of both. It looks at how they are written and calls none.

use super::desk::Functions;
use super::places::Place;
use crate::diagnostic::Diagnostic;
use crate::plan::Source;
use rhai::FnPtr;

/// What is wrong with a closure that gets one argument, if anything. `whose` names what it was given to, `argument` what it gets.
pub(super) fn fault(closure: &FnPtr, functions: &Functions, whose: &str, argument: &str) -> Option<Diagnostic> {
    if functions.takes(closure, 1) {
        return None;
    }
    let name = closure.fn_name();
    let name = if name.starts_with("anon$") { "this closure".to_owned() } else { format!("`{name}`") };
    Some(Diagnostic::error(format!("{whose} takes one parameter, and {name} does not")).help(argument.to_owned()))
}

/// How a closure is written, from its first sign to the comma or bracket behind it; a function's name is its own text.
pub(super) fn text(closure: &FnPtr, place: Option<Place>, source: &Source) -> String {
    let name = closure.fn_name();
    let Some(place) = place.filter(|_| name.starts_with("anon$")) else {
        return if name.starts_with("anon$") { "(closure)".to_owned() } else { name.to_owned() };
    };
    let lines = source.text.lines().skip(place.line - 1);
    let mut letters = lines.enumerate().flat_map(|(at, line)| {
        line.chars().skip(if at == 0 { place.column - 1 } else { 0 }).chain(std::iter::once('\n'))
    });
    let mut text = String::new();
    let mut depth = 0usize;
    // Between the bars of its parameters a comma ends nothing.
    let mut bars = 0;
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        match letter {
            '|' if depth == 0 && bars < 2 => bars += 1,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' | ';' if depth == 0 && bars != 1 => break,
            '"' | '`' | '\'' => {
                text.push(letter);
                take_quoted(&mut letters, letter, &mut text);
                last = letter;
                continue;
            }
            '/' if last == '/' => {
                text.pop();
                letters.by_ref().find(|letter| *letter == '\n');
                text.push('\n');
                last = '\n';
                continue;
            }
            '*' if last == '/' => {
                text.pop();
                take_comment(&mut letters);
                last = ' ';
                continue;
            }
            _ => {}
        }
        text.push(letter);
        last = letter;
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rest of a text, up to its closing sign.
fn take_quoted(letters: &mut impl Iterator<Item = char>, quote: char, text: &mut String) {
    while let Some(letter) = letters.next() {
        text.push(letter);
        if letter == '\\' && quote != '`' {
            text.extend(letters.next());
        } else if letter == quote {
            return;
        }
    }
}

/// The rest of a comment, in which others may stand.
fn take_comment(letters: &mut impl Iterator<Item = char>) {
    let (mut depth, mut last) = (1, ' ');
    for letter in letters {
        match (last, letter) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                last = letter;
                continue;
            }
        }
        last = ' ';
        if depth == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of the closure that is the second argument of the first call in the last line.
    fn written(script: &str) -> String {
        let mut engine = crate::script::machine::engine(&crate::plan::Limits::default());
        engine.set_optimization_level(rhai::OptimizationLevel::None);
        let ast = engine.compile(script).unwrap_or_else(|error| panic!("{script}: {error}"));
        let line = if script.starts_with("let") { 2 } else { 1 };
        let (_, parts) = super::super::places::Places::of(&ast).call(rhai::Position::new(line, 1));
        let source = Source { path: "a".into(), file: "a".into(), text: script.into(), sha256: String::new() };
        let closure: FnPtr = engine.eval("|m| m").expect("a closure");
        text(&closure, parts[1].place, &source)
    }

    #[test]
    fn a_closure_is_as_it_is_written() {
        for (script, closure) in [
            ("threshold(\"a\", |m| m.p(95, \"x,)\", 30.s) < 300, #{ })", "|m| m.p(95, \"x,)\", 30.s) < 300"),
            ("threshold(\"a\", |m| { let a = [1, 2]; a[0] > 3 })", "|m| { let a = [1, 2]; a[0] > 3 }"),
            ("threshold(\"a\", |m, n| m || n)", "|m, n| m || n"),
            ("threshold(\"a\", || true || false, 5)", "|| true || false"),
            (
                "threshold(\"a\", |m| `a${m},)` == '\\'' // , )\n  && /* ) /* ( */ , */ true)",
                "|m| `a${m},)` == '\\'' && true",
            ),
        ] {
            assert_eq!(written(script), closure, "{script}");
        }
    }

    #[test]
    fn one_that_captures_begins_at_its_bars_too() {
        let script = "let limit = 5;\nthreshold(\"a\", |m| m > limit, 7);";
        assert_eq!(written(script), "|m| m > limit");
    }
}
