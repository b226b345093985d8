//! `this`: where there is none, and what to write instead.
//!
//! Used by the walk. The rule: functions and closures that punk runs for a user have the user's state as `this`; Rhai
//! binds none in a plain call. Reported is only what can never have one.

use rhai::{ASTNode, Expr, FnCallExpr, Position};

use super::source::Body;
use super::walk::Walk;
use crate::diagnostic::Diagnostic;

/// Functions that hand the caller's `this` on to the closures they are given.
const HANDS_ON: [&str; 2] = ["group", "check"];

/// Functions whose closures run outside any user.
const RULES: [&str; 4] = ["threshold", "alert", "curve", "adaptive"];

/// Whether there is a `this` at some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum This {
    /// There is one, or only running the script could tell.
    Possible,
    /// A function that runs once per run, and its closures.
    OncePerRun(&'static str),
    /// A closure of a rule or of a load shape.
    Rule(&'static str),
}

impl This {
    /// In the body of a function of the script.
    pub(super) fn of_function(name: &str, parameters: usize) -> Self {
        match (name, parameters) {
            ("setup", 0) => Self::OncePerRun("setup"),
            ("teardown", 0 | 1) => Self::OncePerRun("teardown"),
            ("summary", 1) => Self::OncePerRun("summary"),
            _ => Self::Possible,
        }
    }
}

impl Body {
    /// Where this body uses `this` itself, closures inside it aside.
    pub(super) fn first_this(&self) -> Option<Position> {
        let mut first = None;
        for statement in &self.statements {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                if let Some(ASTNode::Expr(Expr::ThisPtr(position))) = path.last() {
                    first = first.or(Some(*position));
                }
                first.is_none()
            });
        }
        first
    }
}

impl Walk<'_> {
    /// `this` stands here.
    pub(super) fn this_used(&mut self, position: Position) {
        let diagnostic = match self.this {
            This::Possible => return,
            This::OncePerRun(function) => {
                let help = match function {
                    "setup" => "return the value: every user gets it as `data`",
                    "teardown" => {
                        "`teardown` runs once, after the users are gone; it gets what `setup` returned as `data`"
                    }
                    _ => "`summary` runs once, after the users are gone; it gets the report",
                };
                Diagnostic::error(format!("there is no `this` in `{function}`"))
                    .label("`this` is the state of one user")
                    .help(help)
            }
            This::Rule(function) => Diagnostic::error(format!("there is no `this` in a closure given to `{function}`"))
                .label("it runs outside any user")
                .help("use what the closure gets as its argument; to share between users there is `store::`"),
        };
        self.report(position, "this", diagnostic);
    }

    /// What `this` is in a closure given to the function `name`.
    pub(super) fn this_for_argument(&self, call: &FnCallExpr) -> This {
        let name = call.name.as_str();
        let qualified = call.is_qualified();
        if !qualified && !self.outline.functions.contains_key(name) {
            if let Some(rule) = RULES.into_iter().find(|rule| *rule == name) {
                return This::Rule(rule);
            }
            if HANDS_ON.contains(&name) {
                return self.this;
            }
        }
        This::Possible
    }

    /// `f.call(…)`, where `f` holds a closure that uses `this`: Rhai binds none.
    pub(super) fn called_by_script(&mut self, variable: &str) {
        if let Some(position) = self.scope.unbound_this(variable) {
            self.report(
                position,
                "this",
                Diagnostic::error(format!(
                    "there is no `this` in a closure that the script calls itself with `{variable}.call(…)`"
                ))
                .label("nothing is bound here")
                .help(format!(
                    "hand it over: `this.call({variable}, …)`, or give the closure what it needs as an argument"
                )),
            );
        }
    }
}
