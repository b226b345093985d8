//! The end of a run: why it ended so, every report written, the exit code.

use super::running::Manner;
use crate::cli::args::Color;
use crate::cli::exit::{self, Exit};
use crate::cli::{err, out};
use crate::diagnostic::Diagnostic;
use crate::engine::on_large_stack;
use crate::plan::Plan;
use crate::printable::clean;
use crate::report::{self, Facts, HookError, Outcome, Reason, Stopped, Style, Summary};
use crate::script::summary::{self, Output};
use crate::snapshot::{Delivery, Ending, Snapshot};
use chrono::{DateTime, Utc};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// When a run was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Wall time at which it began.
    pub(super) started_at: DateTime<Utc>,
    /// How long it took.
    pub(super) wall: Duration,
}

/// What stands above the report of one run of several.
pub(super) fn heading(label: &str, plan: &Plan, id: &str) -> String {
    let script = plan.sources.first().map_or("", |source| source.path.as_str());
    format!("=== {label}: {} ({id}) ===\n", clean(script))
}

/// Tells why, writes every report, the text under its heading if it has one; returns the exit code.
pub(super) fn finish(
    manner: &Manner,
    heading: Option<&str>,
    plan: &Plan,
    (snapshot, ending): (&Snapshot, &Ending),
    times: Times,
    deliveries: Vec<Delivery>,
) -> Exit {
    let color = manner.color.on(std::io::stderr().is_terminal());
    let errors = ending.refused.iter().chain(ending.failed_hook.as_ref().map(|(_, error)| error));
    for error in errors {
        err(&format!("{}\n", error.diagnostic(&plan.sources).render(color)));
    }
    let mut reasons = exit::reasons(snapshot, ending, manner.invalid_fails);
    let mut facts = Facts { deliveries, ..facts(&reasons, snapshot, ending, times) };
    let summary = Summary::new(plan, snapshot, &facts);
    if let Some(path) = &manner.summary {
        match report::write_summary(path, &summary) {
            Ok(()) => facts.written.push(path.display().to_string()),
            Err(error) => {
                let text = format!("the summary cannot be written to `{}`: {error}", path.display());
                problem(&mut reasons, Diagnostic::error(text), color);
            }
        }
    }
    let json = summary.to_json();
    if plan.summary && ending.refused.is_none() {
        for wrong in own_reports(plan, &json, &mut facts) {
            problem(&mut reasons, wrong, color);
        }
    }
    if reasons.first().map(|(exit, _)| exit.code()) != Some(facts.exit_code).filter(|code| *code != 0) {
        let Facts { written, deliveries, .. } = facts;
        facts = Facts { written, deliveries, ..self::facts(&reasons, snapshot, ending, times) };
    }
    if manner.json {
        out(&Summary::new(plan, snapshot, &facts).to_json());
    } else {
        heading.iter().for_each(|heading| out(heading));
        out(&report::text(plan, snapshot, &facts, style(manner.color)));
    }
    reasons.first().map_or(Exit::Passed, |(exit, _)| *exit)
}

/// Tells a problem that came up while reporting; it decides the exit code if nothing graver does.
fn problem(reasons: &mut Vec<(Exit, String)>, problem: Diagnostic, color: bool) {
    err(&format!("{}\n", problem.render(color)));
    reasons.push((Exit::Internal, problem.message));
    reasons.sort_by_key(|(exit, _)| *exit);
}

/// The reason that decides, and the verdict.
pub(super) fn decision(reasons: &[(Exit, String)], snapshot: &Snapshot) -> (Option<Exit>, Outcome) {
    let deciding = reasons.first().map(|(exit, _)| *exit);
    let outcome = match deciding {
        None if snapshot.generator.invalid.is_empty() => Outcome::Passed,
        None | Some(Exit::NotMeasured) => Outcome::Invalid,
        Some(_) => Outcome::Failed,
    };
    (deciding, outcome)
}

/// What the report needs to know of the end.
pub(super) fn facts(reasons: &[(Exit, String)], snapshot: &Snapshot, ending: &Ending, times: Times) -> Facts {
    let (deciding, outcome) = decision(reasons, snapshot);
    let hook_errors = ending.failed_hook.iter().map(|(hook, error)| HookError {
        hook: (*hook).to_owned(),
        message: error.message.clone(),
        place: error.place_text(),
    });
    Facts {
        outcome,
        exit_code: deciding.map_or(0, Exit::code),
        reasons: reasons.iter().map(|(exit, message)| Reason { code: exit.code(), message: message.clone() }).collect(),
        stopped: ending.stopped.as_ref().map(|(by, why)| Stopped {
            by: by.clone(),
            why: why.clone(),
            killed: ending.killed,
        }),
        marked_failed: ending.marked_failed.clone(),
        hook_errors: hook_errors.collect(),
        ..Facts::passed(times.started_at, times.wall)
    }
}

/// Writes what the script's `summary` returns; what could not be done.
fn own_reports(plan: &Plan, json: &str, facts: &mut Facts) -> Vec<Diagnostic> {
    let outputs = match on_large_stack(|| summary::outputs(plan, json)) {
        Ok(outputs) => outputs,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for output in outputs {
        match output {
            Output::Stdout(text) => out(&text),
            Output::Stderr(text) => err(&text),
            Output::File(path, text) => match report::write_text(Path::new(&path), &text) {
                Ok(()) => facts.written.push(path),
                Err(error) => problems.push(Diagnostic::error(format!("`{path}` cannot be written: {error}"))),
            },
        }
    }
    problems
}

/// How the report looks on this stdout.
pub(in crate::cli) fn style(color: Color) -> Style {
    let stdout = std::io::stdout();
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || {
        rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
    };
    Style {
        color: color.on(stdout.is_terminal()),
        width: set.or_else(seen).unwrap_or(120).min(160),
        unicode: speaks_unicode(),
    }
}

/// Whether the locale can show more than ASCII; POSIX's order of precedence. Where nothing is set, it can.
pub(super) fn speaks_unicode() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_none_or(|locale| locale.to_uppercase().replace('-', "").contains("UTF8"))
}
