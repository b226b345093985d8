//! Rhai's syntax errors in our words: right place, right caret, and what to write instead.
//!
//! Called by the compiler, once per file that does not parse: Rhai's parser stops at the first error. It knows the
//! parser's error kinds and looks at the source around the place; it does not parse anything itself.

use rhai::{LexError, ParseError, ParseErrorType};

use super::place::{Place, is_word};
use super::words::{CALLABLE, KEYWORDS, SIGN_ADVICE, foreign};
use crate::diagnostic::{Diagnostic, Span, did_you_mean};

/// Turns a syntax error of the file `path`, whose text is `text`, into a diagnostic.
pub fn explain_parse_error(error: &ParseError, path: &str, text: &str) -> Diagnostic {
    let mut place = Place::of(error.position(), text);
    let mut explained = explain(error.err_type(), &place);
    if let ParseErrorType::MissingToken(token, _) = error.err_type()
        && matches!(token.as_str(), ";" | "," | "}" | ")" | "]")
        && explained.label.as_deref() == Some(BEFORE_THIS)
        && let Some(behind) = place.of_missing(text)
    {
        place = behind;
        explained.label = Some("here".to_owned());
    }
    let span = Span::in_source(path, text, place.line, place.column, place.length);
    explained.at(span)
}

/// The label of something that is missing in front of the caret.
const BEFORE_THIS: &str = "before this";

fn explain(kind: &ParseErrorType, place: &Place<'_>) -> Diagnostic {
    use ParseErrorType as Kind;
    match kind {
        Kind::Reserved(word) => reserved(word, place),
        Kind::MissingToken(token, description) => missing(token, description, place),
        Kind::UnexpectedEOF => {
            Diagnostic::error("the script ends in the middle of something").label("something is missing here")
        }
        Kind::BadInput(error) => bad_input(error, place),
        Kind::UnknownOperator(sign) => operator(sign),
        Kind::PropertyExpected if place.token().starts_with(|c: char| c.is_ascii_digit()) => {
            Diagnostic::error("a name cannot begin with a digit")
                .label("a key of digits is written in quotes: `#{ \"1\": … }`, `map[\"1\"]`")
        }
        Kind::PropertyExpected if place.follows_dot() => Diagnostic::error(format!(
            "a property cannot be named `{}`",
            place.token()
        ))
        .label(format!("write `[\"{}\"]` instead of `.{}`", place.token(), place.token())),
        Kind::PropertyExpected => Diagnostic::error(format!("`{}` cannot be a map key", place.token()))
            .label("a key is a name or a text in double quotes: `#{ \"content-type\": … }`"),
        Kind::VariableExpected => {
            let diagnostic = Diagnostic::error(format!("a name is expected, not `{}`", place.token()));
            if place.token() == "fn" {
                diagnostic.label("functions are public by themselves: leave `export` away")
            } else if KEYWORDS.contains(&place.token()) {
                diagnostic.label(format!("`{}` is a word of the language; choose another name", place.token()))
            } else {
                diagnostic
            }
        }
        Kind::MismatchedType(wanted, found) => {
            Diagnostic::error(format!("{} is needed here, not {}", article(wanted), article(found)))
        }
        Kind::ExprExpected(what) if what.contains("literal") => {
            Diagnostic::error("a `switch` case must be a literal or a range of integers")
                .label("compare with `if` instead")
        }
        Kind::ExprExpected(what) => Diagnostic::error(format!("{} is expected here", article(what))),
        Kind::DuplicatedProperty(name) => {
            Diagnostic::error(format!("the key `{name}` stands twice in this map")).label("remove one")
        }
        Kind::DuplicatedVariable(name) => Diagnostic::error(format!("the name `{name}` stands twice")),
        Kind::FnDuplicatedDefinition(name, parameters) => {
            Diagnostic::error(format!("the function `{name}` with {} is defined twice", parameters_text(*parameters)))
                .label("rename or remove one")
        }
        Kind::FnDuplicatedParam(name, parameter) if name.is_empty() => {
            Diagnostic::error(format!("the parameter `{parameter}` stands twice"))
        }
        Kind::FnDuplicatedParam(name, parameter) => {
            Diagnostic::error(format!("the parameter `{parameter}` of `{name}` stands twice"))
        }
        Kind::FnMissingName => {
            Diagnostic::error("a function needs a name here").label("a closure is written `|a, b| a + b`")
        }
        Kind::FnMissingParams(name) => Diagnostic::error(format!("the parameters of `{name}` are missing"))
            .label(format!("write `fn {name}() {{ … }}`")),
        Kind::FnMissingBody(name) if name.is_empty() => Diagnostic::error("the body of this closure is missing"),
        Kind::FnMissingBody(name) => {
            Diagnostic::error(format!("the body of `{name}` is missing")).label(format!("write `fn {name}(…) {{ … }}`"))
        }
        Kind::WrongFnDefinition => Diagnostic::error("a function cannot be defined inside a block or another function")
            .label("move it to the top level, or write a closure: `let f = |x| …;`"),
        Kind::WrongExport => Diagnostic::error("`export` can only stand at the top level"),
        Kind::WrongDocComment => {
            Diagnostic::error("a `///` comment must stand directly before a function").label("write `//`")
        }
        Kind::AssignmentToConstant(name) if name.is_empty() => literal_assigned(place),
        Kind::AssignmentToConstant(name) => Diagnostic::error(format!("`{name}` is a constant and cannot be assigned"))
            .label("declare it with `let` to change it"),
        Kind::AssignmentToInvalidLHS(_) => {
            Diagnostic::error("this cannot be assigned to").label("`=` assigns; to compare, write `==`")
        }
        Kind::WrongSwitchDefaultCase => Diagnostic::error("`_` must be the last case of a `switch`"),
        Kind::WrongSwitchIntegerCase => Diagnostic::error("in a `switch`, numbers must stand before ranges"),
        Kind::WrongSwitchCaseCondition => Diagnostic::error("this `switch` case cannot have a condition"),
        Kind::LoopBreak => {
            Diagnostic::error(format!("`{}` outside of a loop", place.token())).label("leave a function with `return`")
        }
        Kind::ExprTooDeep => {
            Diagnostic::error("this is nested too deeply").label("take parts of it out into variables or functions")
        }
        Kind::TooManyFunctions => Diagnostic::error("the script has too many functions"),
        Kind::LiteralTooLarge(what, limit) => {
            Diagnostic::error(format!("{} is above the limit of {limit}", lower_first(what)))
                .label("data belongs into a file: `feed(name, feed::json(\"…\"))`")
        }
        Kind::MalformedIndexExpr(what) if !what.is_empty() => Diagnostic::error(lower_first(what)),
        Kind::MalformedCapture(what) if !what.is_empty() => Diagnostic::error(lower_first(what)),
        Kind::ForbiddenVariable(name) => Diagnostic::error(format!("a variable cannot be named `{name}` here")),
        other => Diagnostic::error(lower_first(&other.to_string())),
    }
}

/// A word that Rhai keeps for itself stands where a name should.
fn reserved(word: &str, place: &Place<'_>) -> Diagnostic {
    if !word.chars().all(is_word) {
        return operator(word);
    }
    let diagnostic = Diagnostic::error(format!("`{word}` is a reserved word of Rhai"));
    if place.follows_dot() {
        return diagnostic.label(format!("write `[\"{word}\"]` instead of `.{word}`"));
    }
    if place.is_map_key() {
        return diagnostic.label(format!("write it in quotes: `#{{ \"{word}\": … }}`"));
    }
    if place.previous_word() == Some("fn") {
        return diagnostic.label("a function needs another name");
    }
    if matches!(place.previous_word(), Some("let" | "const" | "for")) {
        return diagnostic.label("choose another name");
    }
    if CALLABLE.contains(&word) {
        return diagnostic.label(format!("a call needs parentheses: `{word}(…)`"));
    }
    diagnostic.label(foreign(word).unwrap_or("choose another name"))
}

fn missing(token: &str, description: &str, place: &Place<'_>) -> Diagnostic {
    let description = description.replace('\'', "`");
    let diagnostic = Diagnostic::error(format!("`{token}` is missing {description}"));
    let found = place.token();
    let previous = place.previous_word().unwrap_or("");
    if let Some(advice) = foreign(previous).or_else(|| foreign(found)) {
        return diagnostic.label(advice);
    }
    if matches!(found, "=" | "===") && token != ":" {
        return diagnostic.label("`=` assigns; to compare, write `==`");
    }
    match token {
        ";" | "," if found == ":" => diagnostic.label(colon(place)),
        ";" | "{" if found == "::" => diagnostic.label("only a module's name stands before `::`"),
        ";" => match did_you_mean(previous, KEYWORDS) {
            Some(keyword) if !KEYWORDS.contains(&previous) => diagnostic.label(format!("did you mean `{keyword}`?")),
            _ => diagnostic.label(BEFORE_THIS),
        },
        ":" if matches!(found, "," | "}") => diagnostic.label("every key of a map needs a value: `#{ key: value }`"),
        ":" => diagnostic.label("a map is written `#{ key: value }`"),
        "in" => diagnostic.label("a loop is written `for item in list { … }`"),
        "}" | ")" | "]" if place.after.trim().is_empty() => diagnostic.label("the file ends here"),
        "}" if place.before.trim_end().ends_with("#{") => {
            diagnostic.label("a key is a name or a text in double quotes: `#{ \"1\": … }`")
        }
        "," if matches!(found, ";" | "}" | ")" | "]") && description.contains("array literal") => {
            diagnostic.label("or `]` to close the array")
        }
        "," if matches!(found, ";" | "}" | "]") && description.contains("arguments") => {
            diagnostic.label("or `)` to close the call")
        }
        "," | "}" | ")" | "]" => diagnostic.label(BEFORE_THIS),
        _ => diagnostic,
    }
}

/// A `:` where none belongs: a map without its `#`, or a type.
fn colon(place: &Place<'_>) -> &'static str {
    let word = place.previous_word().unwrap_or("");
    let before = place.before.trim_end();
    let before = before[..before.len() - word.len()].trim_end();
    if before.ends_with("let") || before.ends_with("const") || before.ends_with('(') {
        "Rhai has no type annotations"
    } else {
        "a map is written `#{ key: value }`"
    }
}

fn bad_input(error: &LexError, place: &Place<'_>) -> Diagnostic {
    match error {
        LexError::UnterminatedString => Diagnostic::error("this text has no end")
            .label("a text in `\"` ends on its line; one that goes on is written in backticks"),
        LexError::UnexpectedInput(found) => unexpected(found, place),
        LexError::MalformedEscapeSequence(found) => Diagnostic::error(format!("`{found}` is no escape sequence"))
            .label("a backslash is written `\\\\`; in backticks it stands for itself"),
        LexError::MalformedNumber(_) => Diagnostic::error(format!("`{}` is no number", place.token())),
        LexError::MalformedChar(found) => Diagnostic::error(format!("`'{found}'` is not one character"))
            .label("texts stand in double quotes or backticks"),
        LexError::MalformedIdentifier(found) => Diagnostic::error(format!("`{found}` is no proper name")),
        LexError::ImproperSymbol(sign, _) if sign == "this" => {
            Diagnostic::error("there is no `this` outside of functions").label("`this` is the state of one user")
        }
        LexError::ImproperSymbol(sign, _) if SIGN_ADVICE.iter().any(|(known, _)| known == sign) => operator(sign),
        LexError::ImproperSymbol(_, description) if description.contains("'=='") => {
            Diagnostic::error("this cannot be assigned to").label("`=` assigns; to compare, write `==`")
        }
        LexError::ImproperSymbol(sign, _) if sign == "=" => {
            Diagnostic::error("`=` is not expected here").label("`=` assigns; to compare, write `==`")
        }
        LexError::ImproperSymbol(sign, description) if description.is_empty() => {
            Diagnostic::error(format!("`{sign}` is not expected here"))
        }
        LexError::ImproperSymbol(_, description) => Diagnostic::error(lower_first(description)),
        other => Diagnostic::error(lower_first(&other.to_string())),
    }
}

fn unexpected(found: &str, place: &Place<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("`{found}` is not expected here"));
    match found {
        "=" => diagnostic.label("`=` assigns; to compare, write `==`"),
        "}" | ")" | "]" => {
            diagnostic.label("there is no open bracket of this kind, or something before it is unfinished")
        }
        ":" if place.before.trim_end().ends_with(|c: char| is_word(c) || c == '"') => {
            diagnostic.label("a map is written `#{ key: value }`")
        }
        _ if !found.is_ascii() => {
            diagnostic.label("names are made of the letters a to z, digits and `_`; other text stands in quotes")
        }
        _ if KEYWORDS.contains(&found) => diagnostic.label("a word of the language cannot be used as a value or name"),
        _ => diagnostic,
    }
}

fn operator(sign: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("Rhai has no `{sign}`"));
    match SIGN_ADVICE.iter().find(|(known, _)| *known == sign) {
        Some((_, advice)) => diagnostic.label(*advice),
        None => diagnostic,
    }
}

fn literal_assigned(place: &Place<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::error("a constant value cannot be assigned to");
    if place.after.trim().is_empty() { diagnostic } else { diagnostic.label("`=` assigns; to compare, write `==`") }
}

fn parameters_text(count: usize) -> String {
    match count {
        0 => "no parameters".to_owned(),
        1 => "1 parameter".to_owned(),
        count => format!("{count} parameters"),
    }
}

/// Rhai writes `a boolean expression` and `boolean expression` alike.
fn article(what: &str) -> String {
    if what.starts_with("a ") || what.starts_with("an ") || what.is_empty() {
        return what.to_owned();
    }
    let vowel = what.starts_with(['a', 'e', 'i', 'o']);
    format!("{} {what}", if vowel { "an" } else { "a" })
}

fn lower_first(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) if !rest.as_str().starts_with(char::is_uppercase) => first.to_lowercase().chain(rest).collect(),
        _ => text.to_owned(),
    }
}
