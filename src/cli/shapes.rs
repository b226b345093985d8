//! `punk shapes SCRIPT`: the planned load of every scenario, drawn. It causes no traffic.

use super::args::CheckArgs;
use super::exit::Exit;
use super::run::finish::style;
use super::{err, out};
use crate::diagnostic::render_all;
use crate::engine::on_large_stack;
use crate::report;
use crate::script::compile::compile;
use std::io::IsTerminal;

/// Compiles and draws.
pub fn shapes(args: &CheckArgs) -> Exit {
    let overrides = args.overrides.overrides();
    let compiled = on_large_stack(|| compile(&args.script, &overrides));
    if !compiled.diagnostics.is_empty() {
        err(&(render_all(&compiled.diagnostics, args.color.on(std::io::stderr().is_terminal())) + "\n"));
    }
    let Some(plan) = &compiled.plan else { return Exit::Invalid };
    if args.json {
        out(&format!("{:#}\n", report::shapes_json(plan)));
    } else {
        out(&report::shapes_text(plan, style(args.color)));
    }
    Exit::Passed
}
