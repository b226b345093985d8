//! One `Diagnostic` for every script, option and threshold error: plain data, drawn in one place.
//!
//! Made by `script/` (syntax, names, declarations), `expr/` (threshold language) and `load/` (shapes);
//! drawn by [`Diagnostic::render`] and [`render_all`] for the terminal and serialised by `report/` for `--json`.
//! It deliberately does not know where it is printed, nor anything of Rhai.

mod suggest;

use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

pub use suggest::did_you_mean;

/// The widest picture drawn; a longer source line is cut around the caret.
const WIDTH: usize = 120;

/// How many characters of a source line around the caret reach the renderer: minified input may have megabytes in one line.
const WINDOW: usize = 2_000;

/// The longest message, label or help printed, in characters; they may quote what the script contains.
const LONGEST_TEXT: usize = 1_000;

/// How bad it is: an error refuses the script (exit 104), a warning is printed and the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The script cannot run.
    Error,
    /// The script runs, but probably not as meant.
    Warning,
}

/// Where in a source file something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file as the user named it.
    pub path: String,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, counted in characters (as Rhai counts).
    pub column: usize,
    /// How many characters the caret underlines; at least 1.
    pub length: usize,
    /// The text of that line, without its newline.
    pub source_line: String,
}

/// One thing that is wrong, with the place, the caret and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: a lowercase sentence fragment, code in backticks.
    pub message: String,
    /// Where; `None` when it has no place in a file (a flag, say).
    pub span: Option<Span>,
    /// Short text beside the caret, such as ``did you mean `http::get`?``.
    pub label: Option<String>,
    /// What would be right, when it needs a line of its own.
    pub help: Option<String>,
}

impl Span {
    /// A place in `source`, whose line `line` is looked up; a line that does not exist reads as empty.
    pub fn in_source(path: &str, source: &str, line: usize, column: usize, length: usize) -> Self {
        let source_line = source.lines().nth(line.saturating_sub(1)).unwrap_or("").to_owned();
        Self { path: path.to_owned(), line: line.max(1), column: column.max(1), length: length.max(1), source_line }
    }

    /// A part of this place, `offset` characters behind its start: how an error inside a quoted expression gets its caret.
    /// It stays on the same line, and its caret reaches no further than the line's end.
    #[must_use]
    pub fn narrowed(&self, offset: usize, length: usize) -> Self {
        let line_end = self.source_line.chars().count() + 1;
        let column = (self.column + offset).min(line_end.max(self.column));
        let room = line_end.saturating_sub(column).max(1);
        Self { column, length: length.clamp(1, room), ..self.clone() }
    }
}

impl Diagnostic {
    /// Something because of which the script cannot run.
    pub fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), span: None, label: None, help: None }
    }

    /// Something that is probably not as meant.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Puts a short text beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a line that says what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Labels the place with ``did you mean `…`?`` when one of `candidates` is near enough to `word`.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match did_you_mean(word, candidates) {
            Some(nearest) => self.label(format!("did you mean `{nearest}`?")),
            None => self,
        }
    }

    /// Draws it as rustc would, without a newline at the end; `color` adds ANSI escapes. Control characters, tabs and
    /// bidirectional overrides in the source are shown as visible signs, so that no input can move the cursor.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(printable(&self.message));
        let mut group = match &self.span {
            Some(span) => title.element(snippet(span, self.label.as_deref())),
            None => Group::with_title(title),
        };
        if self.span.is_none() {
            // Without a place there is no caret to stand beside.
            group = group.elements(self.label.as_deref().map(|label| Level::NOTE.message(printable(label))));
        }
        group = group.elements(self.help.as_deref().map(|help| Level::HELP.message(printable(help))));
        renderer.render(&[group])
    }

    /// What sorts a list: those without a place first, then by file, line and column, an error before a warning.
    fn order(&self) -> (Option<(&str, usize, usize)>, Severity, &str) {
        let place = self.span.as_ref().map(|span| (span.path.as_str(), span.line, span.column));
        (place, self.severity, &self.message)
    }
}

/// Draws several: sorted by file, line and column, equal ones once, and a last line such as `2 errors, 1 warning`.
/// Without a newline at the end; empty for an empty list.
pub fn render_all(diagnostics: &[Diagnostic], color: bool) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by(|left, right| left.order().cmp(&right.order()));
    // Equal ones need not be neighbours: two may differ in their help only.
    let mut unique: Vec<&Diagnostic> = Vec::with_capacity(sorted.len());
    for diagnostic in sorted {
        let same_order = unique.iter().rev().take_while(|seen| seen.order() == diagnostic.order());
        if !same_order.into_iter().any(|seen| *seen == diagnostic) {
            unique.push(diagnostic);
        }
    }
    let mut drawn = String::new();
    for diagnostic in &unique {
        drawn.push_str(&diagnostic.render(color));
        drawn.push_str("\n\n");
    }
    let errors = unique.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let counts = [(errors, "error"), (unique.len() - errors, "warning")];
    for (index, (count, word)) in counts.into_iter().filter(|(count, _)| *count > 0).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let plural = if count == 1 { "" } else { "s" };
        write!(drawn, "{comma}{count} {word}{plural}").expect("writing to a string cannot fail");
    }
    drawn
}

/// The line with its caret. The text right of the caret's window is cut before the renderer sees it; the text left of it
/// stays, because the renderer counts the column there.
fn snippet<'a>(span: &'a Span, label: Option<&str>) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let line = span.source_line.lines().next().unwrap_or("");
    let byte_at = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(byte, _)| byte);
    let start = byte_at(span.column.saturating_sub(1));
    let length = span.length.clamp(1, WINDOW);
    let end = byte_at(span.column.saturating_sub(1) + length);
    let cut = byte_at(span.column.saturating_sub(1) + length + WINDOW);
    Snippet::source(&line[..cut]).path(&span.path).line_start(span.line).annotation(
        AnnotationKind::Primary.span(start..end).label(label.map(|label| printable(label).replace('\n', " "))),
    )
}

/// Text that may quote the script, made safe for a terminal and bounded.
fn printable(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((cut, _)) => normalize_untrusted_str(&text[..cut]) + "…",
        None => normalize_untrusted_str(text),
    }
}

#[cfg(test)]
mod tests;
