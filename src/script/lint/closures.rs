//! Closures: found by the name that Rhai made up for them, and walked where they stand.
//!
//! Used by the walk. Rhai keeps a closure's body among the functions; in its place stands a constant, and around that,
//! when it captures, a block that shares the captured variables.

use std::rc::Rc;

use rhai::{Expr, FnPtr, Stmt, StmtBlock};

use super::source::Body;
use super::this::This;
use super::walk::Walk;

impl Walk<'_> {
    /// Walks a closure where it stands: it sees what stands around it.
    pub(super) fn closure(&mut self, expression: &Expr, this: This) {
        let Some(body) = self.closure_of(expression) else {
            return;
        };
        // A closure cannot hold itself; but a tree that says so must not take us along.
        if self.inside.iter().any(|name| *name == body.name) {
            return;
        }
        self.inside.push(body.name.clone());
        let captured = captured(expression);
        let mark = self.scope.enter();
        let outer = std::mem::replace(&mut self.this, this);
        for parameter in body.params.iter().skip(captured) {
            self.scope.declare(parameter);
        }
        self.block(&body.statements);
        self.this = outer;
        self.scope.leave(mark);
        self.inside.pop();
    }

    /// The body of the closure that this expression is, if it is one.
    pub(super) fn closure_of(&self, expression: &Expr) -> Option<Rc<Body>> {
        let Expr::DynamicConstant(value, _) = closure_constant(expression)? else {
            return None;
        };
        let pointer = value.read_lock::<FnPtr>()?;
        self.closures.get(pointer.fn_name()).cloned()
    }
}

/// The constant that a closure is, inside what Rhai wraps around one that captures.
fn closure_constant(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::DynamicConstant(..) => Some(expression),
        Expr::Stmt(block) => closure_in(block),
        _ => None,
    }
}

/// `{ <share a, b>; curry(closure, a, b) }`, the form in which Rhai leaves a closure that captures.
pub(super) fn closure_in(block: &StmtBlock) -> Option<&Expr> {
    match block.statements() {
        [Stmt::Share(_), Stmt::Expr(curry)] => match &**curry {
            Expr::FnCall(call, _) => call.args.first(),
            _ => None,
        },
        _ => None,
    }
}

/// How many of a closure's parameters are captured variables.
fn captured(expression: &Expr) -> usize {
    match expression {
        Expr::Stmt(block) => match block.statements().first() {
            Some(Stmt::Share(variables)) => variables.len(),
            _ => 0,
        },
        _ => 0,
    }
}
