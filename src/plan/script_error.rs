//! An error of a script that ran: what is wrong, and where in the Plan's sources.
//!
//! Made by whoever runs scripts, carried by whoever tells how a run ended. It knows no script language.

use super::Source;
use crate::diagnostic::{Diagnostic, Span};

/// A script error: one line for people, and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong: a lowercase fragment.
    pub message: String,
    /// File, line and 1-based column, where known.
    pub place: Option<(String, usize, usize)>,
}

impl ScriptError {
    /// `scripts/a.rhai:12:5`, or nothing.
    pub fn place_text(&self) -> String {
        self.place.as_ref().map(|(file, line, column)| format!("{file}:{line}:{column}")).unwrap_or_default()
    }

    /// With the caret under its place.
    pub fn diagnostic(&self, sources: &[Source]) -> Diagnostic {
        let diagnostic = Diagnostic::error(self.message.clone());
        let source = |path: &str| sources.iter().find(|source| source.path == path);
        match self.place.as_ref().and_then(|(path, line, column)| Some((source(path)?, *line, *column))) {
            Some((source, line, column)) => diagnostic.at(Span::in_source(&source.path, &source.text, line, column, 1)),
            None => diagnostic,
        }
    }
}
