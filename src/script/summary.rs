//! `fn summary(report)`: the script's own reports, written when all is over.
//!
//! The function gets the JSON summary and returns a map from path to text; `stdout` and `stderr` are taken as such, as in
//! k6. Paths are relative and stay below the current folder.

use super::error::ScriptError;
use super::json::Json;
use super::machine::{Failure, Machine};
use crate::diagnostic::Diagnostic;
use crate::plan::Plan;
use rhai::{Dynamic, Map};
use std::path::{Component, Path};
use std::sync::Arc;

/// What the function wants written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To standard output.
    Stdout(String),
    /// To standard error.
    Stderr(String),
    /// To this file.
    File(String, String),
}

/// Calls the function with the summary. Call it on a large stack, off every fiber: it can neither send nor wait.
///
/// # Errors
/// The script's error, as a diagnostic.
pub fn outputs(plan: &Plan, summary: &str) -> Result<Vec<Output>, Diagnostic> {
    let failed = |error: ScriptError| error.diagnostic(&plan.sources);
    let machine = Machine::edited(plan, None).map_err(failed)?;
    let Some(function) = machine.function("summary") else { return Ok(Vec::new()) };
    let document =
        serde_json::from_str(summary).map_err(|error| Diagnostic::error(format!("the summary is no JSON: {error}")))?;
    let value = machine.call(&function, None, &Json::dynamic(Arc::new(document))).map_err(|failure| match failure {
        Failure::Error(error) => error.diagnostic(&plan.sources),
        Failure::Ended(_) => Diagnostic::error("`summary` was ended before it returned"),
    })?;
    let Some(map) = value.clone().try_cast::<Map>() else {
        if value.is_unit() {
            return Ok(Vec::new());
        }
        let found = super::error::type_name(&value);
        return Err(Diagnostic::error(format!("`summary` returns a map from path to text, not {found}")));
    };
    map.into_iter().map(|(path, text)| output(&path, &text)).collect()
}

fn output(path: &str, text: &Dynamic) -> Result<Output, Diagnostic> {
    let text = text.to_string();
    match path {
        "stdout" => Ok(Output::Stdout(text)),
        "stderr" => Ok(Output::Stderr(text)),
        _ => {
            let inside =
                Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if path.is_empty() || !inside {
                return Err(Diagnostic::error(format!("`summary` may not write `{path}`"))
                    .help("paths are relative and stay below the current folder"));
            }
            Ok(Output::File(path.to_owned(), text))
        }
    }
}
