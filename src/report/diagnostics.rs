//! Diagnostics as JSON, for `punk check --json`.

use super::plan_wire::PlanWire;
use crate::diagnostic::{Diagnostic, Severity};
use crate::plan::Plan;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Answer<'a> {
    ok: bool,
    diagnostics: Vec<Wire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanWire>,
}

/// A diagnostic with its place flat beside it; what it has not is absent.
#[derive(Serialize)]
struct Wire<'a> {
    severity: &'static str,
    message: &'a str,
    #[serde(flatten)]
    place: Option<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    line: usize,
    column: usize,
    length: usize,
}

/// `{ok, diagnostics: [{severity, message, path, line, column, length, label, help}], plan?}`: `ok` without errors, the
/// plan when there is one. In the order given.
pub fn diagnostics_json(diagnostics: &[Diagnostic], plan: Option<&Plan>) -> Value {
    let wires = diagnostics.iter().map(|diagnostic| Wire {
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: &diagnostic.message,
        place: diagnostic.span.as_ref().map(|span| Place {
            path: &span.path,
            line: span.line,
            column: span.column,
            length: span.length,
        }),
        label: diagnostic.label.as_deref(),
        help: diagnostic.help.as_deref(),
    });
    let answer = Answer {
        ok: diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error),
        diagnostics: wires.collect(),
        plan: plan.map(PlanWire::new),
    };
    serde_json::to_value(answer).expect("texts and numbers are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn errors_and_warnings_with_their_places() {
        let span = Span::in_source("a.rhai", "let x = http::gett(1);", 1, 9, 10);
        let all = [
            Diagnostic::error("unknown function `http::gett`").at(span).suggest("http::gett", ["http::get"]),
            Diagnostic::warning("this threshold is declared twice").help("remove one"),
        ];
        insta::assert_snapshot!(serde_json::to_string_pretty(&diagnostics_json(&all, None)).expect("JSON"), @r#"
        {
          "ok": false,
          "diagnostics": [
            {
              "severity": "error",
              "message": "unknown function `http::gett`",
              "path": "a.rhai",
              "line": 1,
              "column": 9,
              "length": 10,
              "label": "did you mean `http::get`?"
            },
            {
              "severity": "warning",
              "message": "this threshold is declared twice",
              "help": "remove one"
            }
          ]
        }
        "#);
        assert_eq!(diagnostics_json(&all[1..], None)["ok"], true);
    }
}
