//! todo
use rhai::ParseError;
use crate::diagnostic::Diagnostic;
/// x
pub fn explain_parse_error(error: &ParseError, path: &str, text: &str) -> Diagnostic { let _ = (path, text); Diagnostic::error(error.to_string()) }
