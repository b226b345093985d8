//! `punk check SCRIPT`: the plan, or every error at once. It causes no traffic.

use super::args::CheckArgs;
use super::exit::Exit;
use super::{err, out};
use crate::diagnostic::render_all;
use crate::engine::on_large_stack;
use crate::report;
use crate::script::compile::compile;
use std::io::IsTerminal;

/// Checks and prints.
pub fn check(args: &CheckArgs) -> Exit {
    let overrides = args.overrides.overrides();
    let compiled = on_large_stack(|| compile(&args.script, &overrides));
    if args.json {
        out(&format!("{:#}\n", report::diagnostics_json(&compiled.diagnostics, compiled.plan.as_ref())));
    } else {
        if !compiled.diagnostics.is_empty() {
            err(&format!("{}\n", render_all(&compiled.diagnostics, args.color.on(std::io::stderr().is_terminal()))));
        }
        if let Some(plan) = &compiled.plan {
            out(&report::plan_text(plan, report::Style::default()));
        }
    }
    if compiled.plan.is_some() { Exit::Passed } else { Exit::Invalid }
}
