//! What went wrong in a script while it ran: its place, its reason, and whether it was an error at all.
//!
//! Rhai reports errors nested in calls and modules; the innermost place is where the user must look.

use super::source::is_library;
pub use crate::plan::ScriptError;
use rhai::{Dynamic, EvalAltResult, Position};

/// Why a script was ended from outside; travels as the token of `ErrorTerminated`, which `try` cannot catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The user was told to stop.
    Cancelled,
    /// `abort(message)`.
    Aborted(String),
    /// It asked a queue that has no row left; its scenario is over.
    Exhausted,
    /// A limit was reached: what, and how to raise it.
    Limit(String),
}

impl Ended {
    /// The error that carries it.
    pub fn error(self, at: Position) -> Box<EvalAltResult> {
        EvalAltResult::ErrorTerminated(Dynamic::from(self), at).into()
    }
}

/// Splits Rhai's error into what ended the script from outside (`Ok`) or what is wrong in it (`Err`). `main` is the path
/// of the script that was called.
pub fn explain(error: &EvalAltResult, main: &str) -> Result<Ended, ScriptError> {
    let mut file = main.to_owned();
    let mut place = error.position();
    let mut inner = error;
    // Nobody can mend punk's own library: what goes wrong in it points to where the script called it.
    let mut in_library = false;
    loop {
        if !in_library && !inner.position().is_none() {
            place = inner.position();
        }
        match inner {
            EvalAltResult::ErrorInFunctionCall(_, source, cause, _) => {
                if !source.is_empty() {
                    in_library = is_library(source);
                    if !in_library {
                        file.clone_from(source);
                    }
                }
                inner = cause;
            }
            EvalAltResult::ErrorInModule(name, cause, _) => {
                if !name.is_empty() {
                    file.clone_from(name);
                }
                inner = cause;
            }
            _ => break,
        }
    }
    if let EvalAltResult::ErrorTerminated(token, _) = inner
        && let Some(ended) = token.clone().try_cast::<Ended>()
    {
        match ended {
            Ended::Limit(message) => return Err(ScriptError { message, place: place_of(&file, place) }),
            ended => return Ok(ended),
        }
    }
    Err(ScriptError { message: message(inner), place: place_of(&file, place) })
}

fn place_of(file: &str, at: Position) -> Option<(String, usize, usize)> {
    Some((file.to_owned(), at.line()?, at.position().unwrap_or(1)))
}

/// Rhai's reason without its position, in our words where Rhai's are hard to act on.
fn message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(value, _) if value.is_string() => value.to_string(),
        EvalAltResult::ErrorRuntime(value, _) => format!("thrown: {value}"),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => format!("no such function, or not for these types: `{signature}`"),
        EvalAltResult::ErrorVariableNotFound(name, _) => format!("unknown variable `{name}`"),
        EvalAltResult::ErrorUnboundThis(_) => {
            "`this` has no value here: it is the user's state inside user functions and in closures given to punk; pass what the closure needs as a parameter".to_owned()
        }
        EvalAltResult::ErrorTooManyOperations(_) => "too many operations in one call: raise `options(#{ limits: #{ operations: … } })`".to_owned(),
        EvalAltResult::ErrorStackOverflow(_) => "functions call each other too deeply: the limit is `options(#{ limits: #{ calls: 32 } })`".to_owned(),
        EvalAltResult::ErrorDataTooLarge(what, _) => {
            format!("{} too large: see `options(#{{ limits: … }})`", what.to_lowercase())
        }
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) => match (wanted.as_str(), found.as_str()) {
            ("", found) => format!("wrong type: {found}"),
            (wanted, "") => format!("wrong type: {wanted} is wanted"),
            (wanted, found) => format!("wrong type: {wanted} is wanted, this is {found}"),
        },
        other => {
            // Rhai appends " (line 1, position 2)"; the place stands elsewhere already.
            let text = other.to_string();
            let text = text.rsplit_once(" (line ").map_or(text.as_str(), |(text, _)| text);
            let mut letters = text.chars();
            letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}

/// The reason alone of an error that a native function raised.
pub fn short(error: &EvalAltResult) -> String {
    message(error)
}

/// The name of a value's type as scripts know it, with an article.
pub fn type_name(value: &Dynamic) -> String {
    match value.type_name() {
        "()" => "nothing".to_owned(),
        "i64" => "an integer".to_owned(),
        "f64" => "a float".to_owned(),
        "bool" => "a bool".to_owned(),
        "string" => "a string".to_owned(),
        "array" => "an array".to_owned(),
        "map" => "a map".to_owned(),
        "Fn" => "a function".to_owned(),
        other if other.contains("Answer") => "a response".to_owned(),
        other if other.ends_with("duration::Span") => "a duration".to_owned(),
        other => format!("a {}", other.rsplit("::").next().unwrap_or(other).trim_end_matches('>').to_lowercase()),
    }
}
