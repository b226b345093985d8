//! Rhai's syntax errors in our words: right place, right caret, and what to write instead.
//!
//! Called by the compiler, once per file that does not parse: Rhai's parser stops at the first error. It knows the
//! parser's error kinds and looks at the source around the place; it does not parse anything itself.

use rhai::{LexError, ParseError, ParseErrorType, Position};

use super::source::line_column;
use crate::diagnostic::{Diagnostic, Span, did_you_mean};

/// Words that begin a statement or mean something in Rhai.
const KEYWORDS: [&str; 24] = [
    "let", "const", "fn", "if", "else", "switch", "while", "until", "loop", "do", "for", "in", "break", "continue",
    "return", "throw", "try", "catch", "import", "export", "as", "private", "true", "false",
];

/// What other languages call it, and what Rhai calls it.
const FOREIGN: [(&str, &str); 12] = [
    ("var", "let"),
    ("function", "fn"),
    ("func", "fn"),
    ("def", "fn"),
    ("null", "()"),
    ("nil", "()"),
    ("undefined", "()"),
    ("elif", "else if"),
    ("match", "switch"),
    ("case", "switch value { 1 => …, _ => … }"),
    ("async", "fn (requests wait by themselves)"),
    ("await", "the call alone (requests wait by themselves)"),
];

/// Turns a syntax error of the file `path`, whose text is `text`, into a diagnostic.
pub fn explain_parse_error(error: &ParseError, path: &str, text: &str) -> Diagnostic {
    let place = Place::of(error.position(), text);
    let mut explained = explain(error.err_type(), &place);
    if explained.label.is_none()
        && let Some(word) = place.previous_word()
        && let Some((_, ours)) = FOREIGN.iter().find(|(foreign, _)| *foreign == word)
    {
        explained = explained.help(format!("Rhai has no `{word}`: write `{ours}`"));
    }
    let span = Span::in_source(path, text, place.line, place.column, place.length);
    explained.at(span)
}

/// The source around an error.
struct Place<'t> {
    line: usize,
    column: usize,
    /// How long the word or sign at the place is.
    length: usize,
    /// All before it.
    before: &'t str,
    /// It and all behind it.
    after: &'t str,
}

impl<'t> Place<'t> {
    fn of(position: Position, text: &'t str) -> Self {
        if position.is_none() {
            return Self::end(text);
        }
        let (line, column) = line_column(position);
        let line_start: usize = text
            .split_inclusive('\n')
            .take(line - 1)
            .map(str::len)
            .sum();
        let offset = text[line_start..]
            .char_indices()
            .nth(column - 1)
            .map_or(text.len(), |(byte, _)| line_start + byte);
        let (before, after) = text.split_at(offset);
        if after.trim().is_empty() {
            return Self::end(text);
        }
        Self {
            line,
            column,
            length: token_length(after),
            before,
            after,
        }
    }

    /// Behind the last thing written: where something is missing, that is where it belongs.
    fn end(text: &'t str) -> Self {
        Self::behind(text, text.len())
    }

    /// Behind the last thing written before the byte `limit`.
    fn behind(text: &'t str, limit: usize) -> Self {
        let before = text[..limit].trim_end();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: 1,
            before,
            after: &text[before.len()..],
        }
    }

    /// The last word before the place.
    fn previous_word(&self) -> Option<&'t str> {
        let before = self.before.trim_end();
        let word = before
            .rsplit(|c: char| !is_word(c))
            .next()
            .unwrap_or("");
        (!word.is_empty()).then_some(word)
    }

    /// The word or sign at the place.
    fn token(&self) -> &'t str {
        let end = self
            .after
            .char_indices()
            .nth(self.length)
            .map_or(self.after.len(), |(byte, _)| byte);
        &self.after[..end]
    }

    fn follows_dot(&self) -> bool {
        let before = self.before.trim_end();
        before.ends_with('.') && !before.ends_with("..")
    }

    fn is_map_key(&self) -> bool {
        let before = self.before.trim_end();
        let behind = self.after[self.token().len()..].trim_start();
        (before.ends_with('{') || before.ends_with(',')) && behind.starts_with(':') && !behind.starts_with("::")
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How many characters the thing at the start of `text` has.
fn token_length(text: &str) -> usize {
    let word = text.chars().take_while(|c| is_word(*c)).count();
    word.max(1)
}

fn explain(kind: &ParseErrorType, place: &Place<'_>) -> Diagnostic {
    use ParseErrorType as Kind;
    match kind {
        Kind::Reserved(word) => reserved(word, place),
        Kind::MissingToken(token, description) => missing(token, description, place),
        Kind::UnexpectedEOF => Diagnostic::error("the script ends in the middle of something").label("something is missing here"),
        Kind::BadInput(error) => bad_input(error, place),
        Kind::UnknownOperator(sign) => operator(sign),
        Kind::PropertyExpected if place.follows_dot() => {
            Diagnostic::error(format!("a property cannot be named `{}`", place.token()))
                .label(format!("write `[\"{}\"]` instead of `.{}`", place.token(), place.token()))
        }
        Kind::PropertyExpected => {
            Diagnostic::error(format!("`{}` cannot be a map key", place.token()))
                .label("a key is a name or a text in double quotes: `#{ \"content-type\": … }`")
        }
        Kind::VariableExpected => {
            let diagnostic = Diagnostic::error(format!("a name is expected, not `{}`", place.token()));
            if KEYWORDS.contains(&place.token()) {
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
                .label("compare with `if` instead, or write `_ if condition`-free cases such as `200 | 201 => …`")
        }
        Kind::ExprExpected(what) => Diagnostic::error(format!("{} is expected here", article(what))),
        Kind::DuplicatedProperty(name) => {
            Diagnostic::error(format!("the key `{name}` stands twice in this map")).label("remove one")
        }
        Kind::DuplicatedVariable(name) => Diagnostic::error(format!("the name `{name}` stands twice")),
        Kind::FnDuplicatedDefinition(name, parameters) => Diagnostic::error(format!(
            "the function `{name}` with {} is defined twice",
            parameters_text(*parameters)
        ))
        .label("rename or remove one"),
        Kind::FnDuplicatedParam(name, parameter) if name.is_empty() => {
            Diagnostic::error(format!("the parameter `{parameter}` stands twice"))
        }
        Kind::FnDuplicatedParam(name, parameter) => {
            Diagnostic::error(format!("the parameter `{parameter}` of `{name}` stands twice"))
        }
        Kind::FnMissingName => Diagnostic::error("a function needs a name here").label("a closure is written `|a, b| a + b`"),
        Kind::FnMissingParams(name) => {
            Diagnostic::error(format!("the parameters of `{name}` are missing")).label(format!("write `fn {name}() {{ … }}`"))
        }
        Kind::FnMissingBody(name) if name.is_empty() => Diagnostic::error("the body of this closure is missing"),
        Kind::FnMissingBody(name) => Diagnostic::error(format!("the body of `{name}` is missing"))
            .label(format!("write `fn {name}(…) {{ … }}`")),
        Kind::WrongFnDefinition => Diagnostic::error("a function cannot be defined inside a block or another function")
            .label("move it to the top level, or write a closure: `let f = |x| …;`"),
        Kind::WrongExport => Diagnostic::error("`export` can only stand at the top level"),
        Kind::WrongDocComment => Diagnostic::error("a `///` comment must stand directly before a function")
            .label("write `//`"),
        Kind::AssignmentToConstant(name) if name.is_empty() => literal_assigned(place),
        Kind::AssignmentToConstant(name) => Diagnostic::error(format!("`{name}` is a constant and cannot be assigned"))
            .label("declare it with `let` to change it"),
        Kind::AssignmentToInvalidLHS(_) => Diagnostic::error("this cannot be assigned to")
            .label("`=` assigns; to compare, write `==`"),
        Kind::WrongSwitchDefaultCase => Diagnostic::error("`_` must be the last case of a `switch`"),
        Kind::WrongSwitchIntegerCase => Diagnostic::error("in a `switch`, numbers must stand before ranges"),
        Kind::WrongSwitchCaseCondition => Diagnostic::error("this `switch` case cannot have a condition"),
        Kind::LoopBreak => Diagnostic::error(format!("`{}` outside of a loop", place.token()))
            .label("leave a function with `return`"),
        Kind::ExprTooDeep => Diagnostic::error("this is nested too deeply")
            .label("take parts of it out into variables or functions"),
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
    match FOREIGN.iter().find(|(foreign, _)| *foreign == word) {
        Some((_, ours)) => diagnostic.label(format!("write `{ours}`")),
        None => diagnostic.label("choose another name"),
    }
}

fn missing(token: &str, description: &str, place: &Place<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("`{token}` is missing {description}"));
    let found = place.token();
    let previous = place.previous_word().unwrap_or("");
    if let Some((foreign, ours)) = FOREIGN.iter().find(|(foreign, _)| *foreign == previous) {
        return diagnostic.label(format!("Rhai has no `{foreign}`: write `{ours}`"));
    }
    match token {
        ";" if found == "=" => diagnostic.label("`=` assigns to one variable; to compare, write `==`"),
        ";" if found == ":" => diagnostic.label("a map is written `#{ key: value }`"),
        ";" => match did_you_mean(previous, KEYWORDS) {
            Some(keyword) if !KEYWORDS.contains(&previous) => diagnostic.label(format!("did you mean `{keyword}`?")),
            _ => diagnostic.label("before this"),
        },
        ":" if found == "," || found == "}" => diagnostic.label("every key of a map needs a value: `#{ key: value }`"),
        ":" if found == "=" => diagnostic.label("a map is written `#{ key: value }`"),
        "{" if found == "=" => diagnostic.label("`=` assigns; to compare, write `==`"),
        "}" | ")" | "]" if place.after.trim().is_empty() => diagnostic.label("the file ends here"),
        "," | "}" | ")" | "]" if found == "=" => diagnostic.label("`=` assigns; to compare, write `==`"),
        "," | "}" | ")" | "]" => diagnostic.label("before this"),
        _ => diagnostic,
    }
}

fn bad_input(error: &LexError, place: &Place<'_>) -> Diagnostic {
    match error {
        LexError::UnterminatedString => Diagnostic::error("this text has no end")
            .label("a text in `\"` ends on its line; one that goes on is written in backticks"),
        LexError::UnexpectedInput(found) => unexpected(found, place),
        LexError::MalformedEscapeSequence(found) => Diagnostic::error(format!("`{found}` is no escape sequence"))
            .label("a backslash is written `\\\\`; in backticks it stands for itself"),
        LexError::MalformedNumber(found) => Diagnostic::error(format!("`{found}` is no number")),
        LexError::MalformedChar(found) => Diagnostic::error(format!("`'{found}'` is not one character"))
            .label("texts stand in double quotes or backticks"),
        LexError::MalformedIdentifier(found) => Diagnostic::error(format!("`{found}` is no proper name")),
        LexError::ImproperSymbol(sign, _) if sign == "this" => {
            Diagnostic::error("there is no `this` outside of functions").label("`this` is the state of one user")
        }
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
        "}" | ")" | "]" => diagnostic.label("there is no open bracket of this kind, or something before it is unfinished"),
        ":" if place.before.trim_end().ends_with(|c: char| is_word(c) || c == '"') => {
            diagnostic.label("a map is written `#{ key: value }`")
        }
        _ if KEYWORDS.contains(&found) => diagnostic.label("a word of the language cannot be used as a value or name"),
        _ => diagnostic,
    }
}

fn operator(sign: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("Rhai has no `{sign}`"));
    match sign {
        "===" => diagnostic.label("write `==`"),
        "!==" => diagnostic.label("write `!=`"),
        "++" => diagnostic.label("write `+= 1`"),
        "--" => diagnostic.label("write `-= 1`"),
        "->" => diagnostic.label("functions declare no result type"),
        ":=" => diagnostic.label("write `let name = value`"),
        "..." => diagnostic.label("ranges are `..` and `..=`"),
        "?" => diagnostic.label("write `if a { b } else { c }`"),
        "#" => diagnostic.label("comments begin with `//`, maps with `#{`"),
        "$" => diagnostic.label("`${…}` works in texts in backticks only"),
        _ => diagnostic,
    }
}

fn literal_assigned(place: &Place<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::error("a constant value cannot be assigned to");
    if place.after.trim().is_empty() {
        diagnostic
    } else {
        diagnostic.label("`=` assigns; to compare, write `==`")
    }
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
        Some(first) if !rest.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}
