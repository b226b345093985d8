//! The source around a syntax error: the words and signs at and before it.
//!
//! Used by `syntax.rs`. It knows characters, not grammar.

use rhai::Position;

use super::source::line_column;

/// Signs of more than one character, the longest first.
const SIGNS: [&str; 15] =
    ["===", "!==", "...", "..=", "::", "++", "--", "->", "=>", ":=", "==", "!=", "<=", ">=", "#{"];

/// The source around an error.
pub(super) struct Place<'t> {
    pub line: usize,
    pub column: usize,
    /// How long the word or sign at the place is.
    pub length: usize,
    /// All before it.
    pub before: &'t str,
    /// It and all behind it.
    pub after: &'t str,
}

impl<'t> Place<'t> {
    /// The place of a syntax error in its source.
    pub(super) fn of(position: Position, text: &'t str) -> Self {
        if position.is_none() {
            return Self::end(text);
        }
        let (line, column) = line_column(position);
        let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let offset =
            text[line_start..].char_indices().nth(column - 1).map_or(text.len(), |(byte, _)| line_start + byte);
        let (before, after) = text.split_at(offset);
        if after.trim().is_empty() {
            return Self::end(text);
        }
        Self { line, column, length: token_length(after), before, after }
    }

    /// Behind the last thing written: where something is missing, that is where it belongs.
    fn end(text: &'t str) -> Self {
        Self::behind(text, text.len())
    }

    /// Where something that is missing belongs: behind the last thing written, when this begins a new line.
    pub(super) fn of_missing(&self, text: &'t str) -> Option<Self> {
        let written = self.before.trim_end();
        self.before[written.len()..].contains('\n').then(|| Self::behind(text, written.len()))
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
    pub(super) fn previous_word(&self) -> Option<&'t str> {
        let before = self.before.trim_end();
        let word = before.rsplit(|c: char| !is_word(c)).next().unwrap_or("");
        (!word.is_empty()).then_some(word)
    }

    /// The word or sign at the place.
    pub(super) fn token(&self) -> &'t str {
        let end = self.after.char_indices().nth(self.length).map_or(self.after.len(), |(byte, _)| byte);
        &self.after[..end]
    }

    /// A property is expected here.
    pub(super) fn follows_dot(&self) -> bool {
        let before = self.before.trim_end();
        before.ends_with('.') && !before.ends_with("..")
    }

    /// The word at the place is the key of a map.
    pub(super) fn is_map_key(&self) -> bool {
        let before = self.before.trim_end();
        let behind = self.after[self.token().len()..].trim_start();
        (before.ends_with('{') || before.ends_with(',')) && behind.starts_with(':') && !behind.starts_with("::")
    }
}

/// What names are made of.
pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How many characters the thing at the start of `text` has.
fn token_length(text: &str) -> usize {
    let word = text.chars().take_while(|c| is_word(*c)).count();
    let sign = SIGNS.iter().find(|sign| text.starts_with(**sign));
    word.max(sign.map_or(1, |sign| sign.len()))
}
