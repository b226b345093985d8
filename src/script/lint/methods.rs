//! Members: `value.method(…)` and `value.property`.
//!
//! Used by the walk. What a value is, only running the script could tell: so a method is wrong only when no type has it
//! and no map of the run could hold it; properties are judged on number literals alone (`30.secs`).

use std::collections::BTreeSet;

use rhai::{Expr, FnCallExpr, Position};

use super::calls::{KEYWORDS, wrong_count};
use super::this::This;
use super::walk::Walk;
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};

/// How units are called elsewhere, and their property here.
const UNITS: [(&str, &str); 14] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hour", "h"),
    ("hours", "h"),
    ("usec", "us"),
];

impl Walk<'_> {
    /// One element of a chain, behind its dot.
    pub(super) fn member(&mut self, receiver: &Expr, element: &Expr) {
        match element {
            Expr::MethodCall(call, position) => {
                if let (Expr::Variable(variable, ..), "call") = (receiver, call.name.as_str())
                    && variable.2.is_empty()
                {
                    self.called_by_script(&variable.1);
                }
                self.method(call, *position);
                self.arguments(&call.args, This::Possible);
            }
            Expr::Property(property, position) => {
                if matches!(receiver, Expr::IntegerConstant(..) | Expr::FloatConstant(..)) {
                    self.property_of_number(&property.2, *position);
                }
            }
            other => self.expression(other),
        }
    }

    fn method(&mut self, call: &FnCallExpr, position: Position) {
        let name = call.name.as_str();
        let given = call.args.len();
        if KEYWORDS.contains(&name)
            || self.keys.names.contains(name)
            || self.outline.asked_for.contains(name)
            || !rhai::is_valid_identifier(name)
        {
            return;
        }
        let native = self.known.global.functions.get(name);
        let script = self.outline.functions.get(name);
        let typed = self.outline.methods.get(name);
        let arities: BTreeSet<usize> = native
            .into_iter()
            .flatten()
            .filter_map(|count| count.checked_sub(1))
            .chain(script.into_iter().chain(typed).flatten().copied())
            .collect();
        if arities.contains(&given) {
            return;
        }
        let mut diagnostic =
            if arities.is_empty() { self.unknown_method(name) } else { wrong_count(name, &arities, given) };
        if script.is_some_and(|counts| counts.contains(&(given + 1))) {
            let more = if given == 0 { "" } else { ", …" };
            diagnostic = diagnostic.label(format!(
                "write `{name}(value{more})`: called as a method, a script function gets the value as `this`"
            ));
        }
        if self.keys.computed && diagnostic.label.is_none() {
            diagnostic.severity = Severity::Warning;
        }
        self.report(position, name, diagnostic);
    }

    fn unknown_method(&self, name: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(format!("unknown method `{name}`"));
        if self.known.properties.contains(name) {
            return diagnostic.label(format!("`{name}` is a property: write it without `()`"));
        }
        let native = self.known.global.functions.iter();
        let native = native
            .filter(|(name, arities)| arities.iter().any(|count| *count > 0) && rhai::is_valid_identifier(name))
            .map(|(name, _)| name.as_str());
        let script = self.outline.functions.keys().chain(self.outline.methods.keys());
        match did_you_mean(name, native.chain(script.map(String::as_str))) {
            Some(nearest) => diagnostic.label(format!("did you mean `{nearest}`?")),
            None => match did_you_mean(name, self.known.properties.iter().map(String::as_str)) {
                Some(nearest) => diagnostic.label(format!("did you mean the property `{nearest}`?")),
                None => diagnostic,
            },
        }
    }

    /// `30.secs`: a number has only the properties that the engine gave it.
    fn property_of_number(&mut self, name: &str, position: Position) {
        if !self.known.properties.contains(name) {
            let diagnostic = Diagnostic::error(format!("a number has no property `{name}`"));
            let properties = self.known.properties.iter().map(String::as_str);
            let unit = UNITS.iter().find(|(spoken, _)| *spoken == name).map(|(_, unit)| *unit);
            let nearest =
                unit.filter(|unit| self.known.properties.contains(*unit)).or_else(|| did_you_mean(name, properties));
            let diagnostic = match nearest {
                Some(nearest) => diagnostic.label(format!("did you mean `.{nearest}`?")),
                None => diagnostic,
            };
            self.report(position, name, diagnostic);
        }
    }
}
