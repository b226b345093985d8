//! Variables and modules: is there such a name here, and if not, which was meant.
//!
//! Used by the walk.

use std::rc::Rc;

use rhai::{Namespace, Position};

use super::known::Names;
use super::walk::Walk;
use crate::diagnostic::{Diagnostic, did_you_mean};

/// What a namespace such as `http::` leads to.
pub(super) enum Module {
    /// These names.
    Known(Rc<Names>),
    /// A module whose names cannot be told.
    Unread,
    /// The file's own constants and functions.
    Global,
    /// No module; it has been reported.
    Missing,
}

impl Walk<'_> {
    /// A bare name is read; `in_map` as the value of a map's key.
    pub(super) fn variable(&mut self, name: &str, position: Position, in_map: bool) {
        if self.open
            || self.scope.has(name)
            || self.outline.functions.contains_key(name)
            || self.known.global.variables.contains(name)
            || self.outline.asked_for.contains(name)
        {
            return;
        }
        let diagnostic = self.out_of_sight(name).unwrap_or_else(|| {
            let functions = self.outline.functions.keys().map(String::as_str);
            let nearest = did_you_mean(name, self.scope.variables().chain(functions));
            let maybe_function = match nearest {
                Some(nearest) => !self.scope.has(nearest),
                None => in_map,
            };
            let kind = if maybe_function { "function or variable" } else { "variable" };
            let diagnostic = Diagnostic::error(format!("unknown {kind} `{name}`"));
            match nearest {
                Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
                None => diagnostic,
            }
        });
        self.report(position, name, diagnostic);
    }

    /// `name = value`.
    pub(super) fn assigned_variable(&mut self, name: &str, position: Position) {
        if self.open || self.scope.has(name) || self.outline.asked_for.contains(name) {
            return;
        }
        let diagnostic = self.out_of_sight(name).unwrap_or_else(|| {
            let diagnostic = Diagnostic::error(format!("unknown variable `{name}`"));
            match did_you_mean(name, self.scope.variables()) {
                Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
                None => diagnostic.label(format!("a new variable is declared with `let {name} = …`")),
            }
        });
        self.report(position, name, diagnostic);
    }

    /// The name exists, but not here or not as a value.
    fn out_of_sight(&self, name: &str) -> Option<Diagnostic> {
        if self.in_function && self.outline.variables.contains_key(name) {
            return Some(top_level_let(name));
        }
        if self.in_function && self.outline.constants.contains(name) {
            return Some(
                Diagnostic::error(format!("`{name}` is a top-level `const`; inside a function write `global::{name}`"))
                    .label("not visible here"),
            );
        }
        if let Some(line) = self.outline.variables.get(name) {
            return Some(
                Diagnostic::error(format!("unknown variable `{name}`"))
                    .label(format!("it is declared later or in another block (line {line})")),
            );
        }
        if self.scope.module(name).is_some() || self.known.global.modules.contains_key(name) {
            return Some(
                Diagnostic::error(format!("`{name}` is a module, not a value")).label(format!("write `{name}::…`")),
            );
        }
        if let Some(arities) = self.known.global.functions.get(name) {
            let parameters = parameters(arities.iter().next().copied().unwrap_or(0));
            return Some(
                Diagnostic::error(format!("`{name}` is a built-in function, not a value"))
                    .label(format!("wrap it: `|{parameters}| {name}({parameters})`")),
            );
        }
        None
    }

    /// `module::NAME` is read.
    pub(super) fn qualified_variable(&mut self, path: &Namespace, name: &str, position: Position) {
        let (start, written) = whole(path, name, position);
        let diagnostic = match self.module(path) {
            Module::Missing | Module::Unread => return,
            Module::Global if self.outline.constants.contains(name) => return,
            Module::Global if self.outline.variables.contains_key(name) => top_level_let(name),
            Module::Global => {
                let constants = self.outline.constants.iter().map(String::as_str);
                let diagnostic = Diagnostic::error(format!("unknown constant `{written}`"));
                match did_you_mean(name, constants) {
                    Some(nearest) => diagnostic.label(format!("did you mean `global::{nearest}`?")),
                    None if self.outline.functions.contains_key(name) => {
                        diagnostic.label(format!("a function is written without `global::`: `{name}`"))
                    }
                    None => diagnostic,
                }
            }
            Module::Known(names) if names.variables.contains(name) => return,
            Module::Known(names) => match names.functions.get(name) {
                Some(arities) => {
                    let parameters = parameters(arities.iter().next().copied().unwrap_or(0));
                    Diagnostic::error(format!("`{written}` is a function of a module; it cannot be used as a value"))
                        .label(format!("wrap it: `|{parameters}| {written}({parameters})`"))
                }
                None => {
                    let candidates = names.variables.iter().map(String::as_str);
                    let diagnostic = Diagnostic::error(format!("unknown constant `{written}`"));
                    match did_you_mean(name, candidates) {
                        Some(nearest) => diagnostic.label(format!("did you mean `{path}::{nearest}`?")),
                        None => diagnostic,
                    }
                }
            },
        };
        self.report(start, &written, diagnostic);
    }

    /// Looks a namespace up; reports it when there is none.
    pub(super) fn module(&mut self, path: &Namespace) -> Module {
        let Some(root) = path.path.first() else {
            return Module::Global;
        };
        let mut names = match self.scope.module(&root.name) {
            Some(Some(names)) => (*names).clone(),
            Some(None) => return Module::Unread,
            None => match self.known.global.modules.get(root.name.as_str()) {
                Some(names) => names.clone(),
                None if root.name == "global" => return Module::Global,
                None => {
                    self.missing_module(&root.name, root.pos);
                    return Module::Missing;
                }
            },
        };
        for (depth, part) in path.path.iter().enumerate().skip(1) {
            let Some(inner) = names.modules.remove(part.name.as_str()) else {
                let outer: Vec<&str> = path.path[..depth].iter().map(|part| part.name.as_str()).collect();
                let outer = outer.join("::");
                let diagnostic = Diagnostic::error(format!("unknown module `{outer}::{}`", part.name))
                    .suggest(&part.name, names.modules.keys().map(String::as_str));
                self.report(part.pos, &part.name, diagnostic);
                return Module::Missing;
            };
            names = inner;
        }
        Module::Known(Rc::new(names))
    }

    fn missing_module(&mut self, name: &str, position: Position) {
        let elsewhere = self.outline.inner_imports.contains(name) || self.outline.imports.contains_key(name);
        let diagnostic = if elsewhere {
            // Rhai looks imports up by name in whoever called: it may even work.
            Diagnostic::warning(format!("the module `{name}` is not imported here"))
                .label("its `import` stands in another block or further down; put it at the top of the file")
        } else {
            let modules = self.known.global.modules.keys().map(String::as_str);
            let diagnostic = Diagnostic::error(format!("unknown module `{name}`"));
            match did_you_mean(name, self.scope.modules().chain(modules)) {
                Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
                None if self.scope.has(name) => diagnostic.label(format!("`{name}` is a variable: write `{name}.…`")),
                None => diagnostic.label(format!("a library is imported at the top: `import \"…\" as {name};`")),
            }
        };
        self.report(position, name, diagnostic);
    }
}

/// The message of a function that reads a `let` of the top level.
fn top_level_let(name: &str) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is a top-level `let`; make it `const` and write `global::{name}`"))
        .label("not visible inside functions")
}

/// Parameter names for a closure that wraps a function.
fn parameters(count: usize) -> String {
    let names: Vec<String> = match count {
        1 => vec!["x".to_owned()],
        _ => ('a'..='z').take(count).map(String::from).collect(),
    };
    names.join(", ")
}

/// The place and text of `module::name` as one, when it stands in one piece; otherwise of the name alone.
pub(super) fn whole(path: &Namespace, name: &str, position: Position) -> (Position, String) {
    let written = format!("{path}::{name}");
    let start = path.path.first().map_or(position, |root| root.pos);
    let in_one_piece = start.line() == position.line()
        && start
            .position()
            .zip(position.position())
            .is_some_and(|(from, to)| to.checked_sub(from) == Some(path.to_string().chars().count() + 2));
    if in_one_piece { (start, written) } else { (position, written) }
}
