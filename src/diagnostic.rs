//! One `Diagnostic` for every script, option and threshold error: plain data, drawn in one place.
//!
//! Made by `script/` (syntax, names, declarations), `expr/` (threshold language) and `load/` (shapes);
//! drawn by [`Diagnostic::render`] for the terminal and serialised by `report/` for `--json`.
//! It deliberately does not know where it is printed, nor anything of Rhai.

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
