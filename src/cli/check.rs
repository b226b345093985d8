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
        let json = report::diagnostics_json(&compiled.diagnostics, compiled.plan.as_ref());
        out(&format!("{json:#}\n"));
    } else {
        if !compiled.diagnostics.is_empty() {
            err(&(render_all(&compiled.diagnostics, args.color.on(std::io::stderr().is_terminal())) + "\n"));
        }
        if let Some(plan) = &compiled.plan {
            let color = args.color.on(std::io::stdout().is_terminal());
            out(&report::plan_text(plan, report::Style { color, ..report::Style::default() }));
        }
    }
    if compiled.plan.is_some() { Exit::Passed } else { Exit::Invalid }
}
