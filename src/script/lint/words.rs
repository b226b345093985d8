//! The words and signs of Rhai, and those of other languages with what Rhai wants instead.
//!
//! Tables for `syntax.rs`.

/// Words that begin a statement or mean something in Rhai.
pub(super) const KEYWORDS: [&str; 24] = [
    "let", "const", "fn", "if", "else", "switch", "while", "until", "loop", "do", "for", "in", "break", "continue",
    "return", "throw", "try", "catch", "import", "export", "as", "private", "true", "false",
];

/// What other languages call it, and what Rhai wants.
const FOREIGN: [(&str, &str); 15] = [
    ("var", "write `let`"),
    ("function", "write `fn`"),
    ("func", "write `fn`"),
    ("def", "write `fn`"),
    ("null", "write `()`"),
    ("nil", "write `()`"),
    ("undefined", "write `()`"),
    ("elif", "write `else if`"),
    ("match", "write `switch`"),
    ("case", "a `switch` is written `switch value { 1 => …, _ => … }`"),
    ("async", "requests wait by themselves: leave it away"),
    ("await", "requests wait by themselves: leave it away"),
    ("and", "write `&&`"),
    ("or", "write `||`"),
    ("not", "write `!`"),
];

/// Signs of other languages, and what Rhai wants.
pub(super) const SIGN_ADVICE: [(&str, &str); 11] = [
    ("===", "write `==`"),
    ("!==", "write `!=`"),
    ("++", "write `+= 1`"),
    ("--", "write `-= 1`"),
    ("->", "functions declare no result type"),
    (":=", "write `let name = value`"),
    ("...", "ranges are `..` and `..=`"),
    ("?", "write `if a { b } else { c }`"),
    ("#", "comments begin with `//`, maps with `#{`"),
    ("$", "`${…}` works in texts in backticks only"),
    ("@", "leave it away"),
];

/// Functions that are words of the language.
pub(super) const CALLABLE: [&str; 4] = ["print", "debug", "eval", "type_of"];

/// What Rhai wants instead of a word of another language.
pub(super) fn foreign(word: &str) -> Option<&'static str> {
    FOREIGN.iter().find(|(theirs, _)| *theirs == word).map(|(_, advice)| *advice)
}
