//! Calls: is there such a function, does it take so many arguments, and if not, which was meant.
//!
//! Used by the walk. What a function does with its arguments is unknown here.

use std::collections::BTreeSet;

use rhai::{Expr, FnCallExpr, Position};

use super::names::{Module, whole};
use super::this::This;
use super::walk::Walk;
use crate::diagnostic::{Diagnostic, did_you_mean};

/// Rhai handles these itself: they are in no list of functions.
pub(super) const KEYWORDS: [&str; 10] =
    ["call", "curry", "debug", "eval", "Fn", "is_def_fn", "is_def_var", "is_shared", "print", "type_of"];

impl Walk<'_> {
    /// `name(…)`, `module::name(…)` or an operator.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position) {
        if call.is_operator_call() {
            self.comparison(call, position);
        } else if call.is_qualified() {
            self.qualified_call(call, position);
        } else if rhai::is_valid_identifier(&call.name) {
            self.plain_call(call, position);
        }
        let this = self.this_for_argument(call);
        self.arguments(&call.args, this);
    }

    /// Walks what a function is given; `this` is what its closures will see.
    pub(super) fn arguments(&mut self, arguments: &[Expr], this: This) {
        for argument in arguments {
            match argument {
                _ if self.closure_of(argument).is_some() => self.closure(argument, this),
                // `check(page, #{ "is ok": |r| … })`
                Expr::Map(map, _) if this != This::Possible => {
                    for (_, value) in &map.0 {
                        self.arguments(std::slice::from_ref(value), this);
                    }
                }
                _ => self.expression(argument),
            }
        }
    }

    fn plain_call(&mut self, call: &FnCallExpr, position: Position) {
        let name = call.name.as_str();
        if name == "eval" {
            self.open = true;
        }
        if let ("Fn", [Expr::StringConstant(wanted, at)]) = (name, &call.args[..]) {
            self.function_by_name(wanted, *at);
        }
        if KEYWORDS.contains(&name) || self.outline.asked_for.contains(name) {
            return;
        }
        let script = self.outline.functions.get(name);
        let native = self.known.global.functions.get(name);
        let arities: BTreeSet<usize> = script.into_iter().chain(native).flatten().copied().collect();
        if arities.contains(&call.args.len()) {
            self.plain_call_of_method(name, call.args.len(), position);
            return;
        }
        let diagnostic = if arities.is_empty() {
            self.unknown_function(name, &call.args)
        } else {
            let diagnostic = wrong_count(name, &arities, call.args.len());
            match self.namesake(name, call.args.len()) {
                Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")),
                None => diagnostic,
            }
        };
        self.report(position, name, diagnostic);
    }

    /// The only function of a registered module that has this name and takes so many arguments.
    fn namesake(&self, name: &str, arguments: usize) -> Option<String> {
        let mut fitting = self
            .known
            .global
            .modules
            .iter()
            .filter(|(_, names)| names.functions.get(name).is_some_and(|counts| counts.contains(&arguments)));
        let (module, _) = fitting.next()?;
        fitting.next().is_none().then(|| format!("{module}::{name}"))
    }

    fn unknown_function(&self, name: &str, arguments: &[Expr]) -> Diagnostic {
        let diagnostic = Diagnostic::error(format!("unknown function `{name}`"));
        if self.scope.has(name) {
            return Diagnostic::error(format!("`{name}` is a variable, not a function"))
                .label(format!("call the closure in it with `{name}.call(…)`"));
        }
        if self.known.properties.contains(name) && arguments.len() == 1 {
            return diagnostic.label(format!("`{name}` is a property: `value.{name}`"));
        }
        match self.nearest_function(name) {
            Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
            None if self.outline.methods.contains_key(name) => {
                diagnostic.label(format!("it is a method: `value.{name}(…)`"))
            }
            None => diagnostic,
        }
    }

    /// The nearest function of the script, of the engine, or of a module in sight.
    fn nearest_function(&self, name: &str) -> Option<String> {
        let script = self.outline.functions.keys().map(String::as_str);
        let native = self.known.global.functions.keys().map(String::as_str);
        let unqualified: Vec<&str> = script.chain(native).filter(|name| rhai::is_valid_identifier(name)).collect();
        did_you_mean(name, unqualified).map(str::to_owned).or_else(|| {
            let mut qualified: Vec<String> = Vec::new();
            for (module, names) in &self.known.global.modules {
                qualified.extend(names.functions.keys().map(|function| format!("{module}::{function}")));
            }
            for alias in self.scope.modules() {
                if let Some(Some(names)) = self.scope.module(alias) {
                    qualified.extend(names.functions.keys().map(|function| format!("{alias}::{function}")));
                }
            }
            did_you_mean(name, qualified.iter().map(String::as_str)).map(str::to_owned)
        })
    }

    /// `Fn("name")`.
    fn function_by_name(&mut self, name: &str, position: Position) {
        let exists = self.outline.functions.contains_key(name)
            || self.known.global.functions.contains_key(name)
            || self.outline.asked_for.contains(name)
            || !rhai::is_valid_identifier(name);
        if !exists {
            let diagnostic = self.unknown_function(name, &[]);
            // The quotes belong to what is underlined.
            self.report(position, &format!("\"{name}\""), diagnostic);
        }
    }

    fn qualified_call(&mut self, call: &FnCallExpr, position: Position) {
        let path = &call.namespace;
        let name = call.name.as_str();
        let (start, written) = whole(path, name, position);
        let diagnostic = match self.module(path) {
            Module::Missing | Module::Unread => return,
            Module::Global if self.outline.functions.contains_key(name) => {
                Diagnostic::error(format!("`{written}`: only constants are reached through `global::`"))
                    .label(format!("write `{name}(…)`"))
            }
            Module::Global => self.unknown_function(name, &call.args),
            Module::Known(names) => match names.functions.get(name) {
                Some(arities) if arities.contains(&call.args.len()) => return,
                Some(arities) => wrong_count(&written, arities, call.args.len()),
                None => {
                    let diagnostic = Diagnostic::error(format!("unknown function `{written}`"));
                    let functions = names.functions.keys().map(String::as_str);
                    match did_you_mean(name, functions) {
                        Some(nearest) => diagnostic.label(format!("did you mean `{path}::{nearest}`?")),
                        None => match self.nearest_function(name) {
                            Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
                            None => diagnostic,
                        },
                    }
                }
            },
        };
        self.report(start, &written, diagnostic);
    }

    /// A script function that uses `this`, called without one.
    fn plain_call_of_method(&mut self, name: &str, arguments: usize, position: Position) {
        if self.uses_this(name, arguments) {
            let given = if arguments == 0 { "" } else { "…" };
            self.report(
                position,
                name,
                Diagnostic::warning(format!("`{name}` uses `this`, but this call gives it none"))
                    .label(format!("write `this.{name}({given})`")),
            );
        }
    }
}

/// `f` was given a number of arguments that it does not take.
pub(super) fn wrong_count(name: &str, arities: &BTreeSet<usize>, given: usize) -> Diagnostic {
    Diagnostic::error(format!("`{name}` takes {}, not {given}", counts(arities)))
}

/// `no arguments`, `1 argument`, `1 or 2 arguments`, `1, 2 or 3 arguments`.
fn counts(arities: &BTreeSet<usize>) -> String {
    let mut words: Vec<String> = arities
        .iter()
        .map(|count| match count {
            0 => "no".to_owned(),
            count => count.to_string(),
        })
        .collect();
    let last = words.pop().unwrap_or_default();
    let noun = if last == "1" { "argument" } else { "arguments" };
    if words.is_empty() { format!("{last} {noun}") } else { format!("{} or {last} {noun}", words.join(", ")) }
}
