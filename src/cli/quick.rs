//! `punk quick URL`: a run without a script. The flags become a script, and that runs like any other: one path, one
//! engine, one verdict.

pub mod args;
mod request;
mod script;

pub use args::QuickArgs;

use super::args::OnInvalid;
use super::exit::Exit;
use super::run::{Script, run_scripts};
use super::{err, out};
use crate::diagnostic::{Diagnostic, render_all};
use crate::engine::on_large_stack;
use crate::script::compile::compile_text;
use crate::script::overrides::Overrides;
use request::Request;
use std::io::IsTerminal;

/// Makes the script and runs it, or prints it.
pub fn quick(mut args: QuickArgs) -> Exit {
    let color = args.flags.color.on(std::io::stderr().is_terminal());
    let made = Request::of(&args).and_then(|request| {
        let thresholds = args.threshold.iter().map(|text| threshold(text)).collect::<Result<Vec<_>, _>>()?;
        Ok((request.title(), script::script(&args, &request, &thresholds)))
    });
    let (title, text) = match made {
        Ok(made) => made,
        Err(why) => {
            err(&format!("{}\n", Diagnostic::error(why).render(color)));
            return Exit::Usage;
        }
    };
    let compiled = on_large_stack(|| compile_text(&title, text.clone(), &Overrides::default()));
    if args.print_script {
        if !compiled.diagnostics.is_empty() {
            err(&format!("{}\n", render_all(&compiled.diagnostics, color)));
        }
        out(&text);
        return if compiled.plan.is_some() { Exit::Passed } else { Exit::Invalid };
    }
    // Who only wants to see some numbers sees them; the report says what they are worth.
    args.flags.on_invalid.get_or_insert(OnInvalid::Warn);
    run_scripts(vec![Script { compiled, watch: None }], &args.flags)
}

/// `SELECTOR: EXPRESSION`; tags of the selector have colons of their own.
fn threshold(text: &str) -> Result<(String, String), String> {
    let mut depth = 0;
    let colon = text.char_indices().find(|(_, letter)| {
        depth += match letter {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        *letter == ':' && depth <= 0
    });
    match colon.map(|(at, _)| (text[..at].trim(), text[at + 1..].trim())) {
        Some((selector, expression)) if !selector.is_empty() && !expression.is_empty() => {
            Ok((selector.to_owned(), expression.to_owned()))
        }
        _ => Err(format!("--threshold `{text}`: write it as `http_req_duration: p(95) < 300ms`")),
    }
}

#[cfg(test)]
mod tests;
