//! The walk over one file's statements and expressions: keeps the scope, and hands names, calls, chains and closures to
//! the files that judge them.
//!
//! Run by `lint`. It knows the shape of Rhai's tree and when a name comes into sight, nothing of what is right.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use rhai::{Expr, Position, Stmt};

use super::closures::closure_in;
use super::known::Known;
use super::outline::Outline;
use super::scope::Scope;
use super::source::{Body, bodies};
use super::this::This;
use super::{Keys, Resolve, ScriptFile, imported_names};
use crate::diagnostic::Diagnostic;

/// Deeper than this nothing is looked at. The parser's own limit (32 to 128 levels) is far below: this only says that
/// the walk is bounded whatever made the tree.
const MAX_DEPTH: usize = 400;

/// One file being walked.
pub(super) struct Walk<'a> {
    pub known: &'a Known,
    pub file: &'a ScriptFile,
    pub outline: &'a Outline,
    pub keys: &'a Keys,
    pub scope: Scope,
    /// Whether there is a `this` here.
    pub this: This,
    /// Inside a function, where the top level's `let`s and `const`s are out of sight.
    pub in_function: bool,
    /// Something may have added variables that the tree does not show (`eval`, a caller's scope).
    pub open: bool,
    /// This is the script itself, whose `setup`, `teardown` and `summary` the run calls.
    is_root: bool,
    pub closures: HashMap<String, Rc<Body>>,
    /// Functions that use `this` themselves, with their number of parameters.
    this_users: HashSet<(String, usize)>,
    /// The closures around this point.
    pub inside: Vec<String>,
    found: Vec<Diagnostic>,
    depth: usize,
    resolve: &'a Resolve<'a>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        known: &'a Known,
        file: &'a ScriptFile,
        outline: &'a Outline,
        keys: &'a Keys,
        is_root: bool,
        resolve: &'a Resolve<'a>,
    ) -> Self {
        Self {
            known,
            file,
            outline,
            keys,
            scope: Scope::default(),
            this: This::Possible,
            in_function: false,
            open: false,
            is_root,
            closures: HashMap::new(),
            this_users: HashSet::new(),
            inside: Vec::new(),
            found: Vec::new(),
            depth: 0,
            resolve,
        }
    }

    /// Walks the top level, then every function.
    pub(super) fn run(mut self) -> Vec<Diagnostic> {
        let mut functions = Vec::new();
        for body in bodies(&self.file.ast) {
            if body.closure {
                self.closures.insert(body.name.clone(), Rc::new(body));
            } else {
                if body.first_this().is_some() {
                    self.this_users.insert((body.name.clone(), body.params.len()));
                }
                functions.push(body);
            }
        }
        self.block(self.file.ast.statements());
        for function in functions {
            self.scope = Scope::default();
            for (alias, names) in &self.outline.imports {
                self.scope.import(alias, names.clone());
            }
            for parameter in &function.params {
                self.scope.declare(parameter);
            }
            self.in_function = true;
            self.open = self.outline.sees_caller.contains(&function.name);
            self.this =
                if self.is_root { This::of_function(&function.name, function.params.len()) } else { This::Possible };
            self.block(&function.statements);
        }
        self.found
    }

    /// Keeps a finding.
    pub(super) fn report(&mut self, position: Position, name: &str, diagnostic: Diagnostic) {
        let span = self.file.span(position, name.chars().count());
        self.found.push(diagnostic.at(span));
    }

    /// Statements with a scope of their own.
    pub(super) fn block(&mut self, statements: &[Stmt]) {
        let mark = self.scope.enter();
        for statement in statements {
            self.statement(statement);
        }
        self.scope.leave(mark);
    }

    fn statement(&mut self, statement: &Stmt) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match statement {
            Stmt::If(parts, _) => {
                self.expression(&parts.expr);
                self.block(parts.body.statements());
                self.block(parts.branch.statements());
            }
            Stmt::Switch(parts, _) => {
                let (value, cases) = &**parts;
                self.expression(value);
                for case in &cases.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::While(parts, _) | Stmt::Do(parts, ..) => {
                self.expression(&parts.expr);
                self.block(parts.body.statements());
            }
            Stmt::For(parts, _) => {
                let (variable, counter, parts) = &**parts;
                self.expression(&parts.expr);
                let mark = self.scope.enter();
                self.scope.declare(&variable.name);
                if let Some(counter) = counter {
                    self.scope.declare(&counter.name);
                }
                self.block(parts.body.statements());
                self.scope.leave(mark);
            }
            Stmt::Var(parts, ..) => {
                self.expression(&parts.1);
                let this = self.closure_of(&parts.1).and_then(|body| body.first_this());
                self.scope.declare_closure(&parts.0.name, this);
            }
            Stmt::Assignment(parts) => self.assignment(&parts.1.lhs, &parts.1.rhs),
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::TryCatch(parts, _) => {
                self.block(parts.body.statements());
                let mark = self.scope.enter();
                if let Expr::Variable(variable, ..) = &parts.expr {
                    self.scope.declare(&variable.1);
                }
                self.block(parts.branch.statements());
                self.scope.leave(mark);
            }
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::BreakLoop(Some(expression), ..) | Stmt::Return(Some(expression), ..) => {
                self.expression(expression);
            }
            Stmt::Import(parts, _) => self.import(&parts.0, &parts.1.name),
            Stmt::Export(parts, _) => self.variable(&parts.0.name, parts.0.pos, false),
            _ => {}
        }
        self.depth -= 1;
    }

    fn assignment(&mut self, target: &Expr, value: &Expr) {
        if let Expr::Variable(variable, _, position) = target
            && variable.2.is_empty()
        {
            self.assigned_variable(&variable.1, *position);
            self.scope.reassigned(&variable.1);
        } else {
            self.expression(target);
        }
        self.expression(value);
    }

    fn import(&mut self, path: &Expr, alias: &str) {
        self.expression(path);
        if alias.is_empty() {
            return;
        }
        let names = match path {
            Expr::StringConstant(path, _) => imported_names(self.file, path, self.resolve, 0).map(Rc::new),
            _ => None,
        };
        self.scope.import(alias, names);
    }

    pub(super) fn expression(&mut self, expression: &Expr) {
        if self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        match expression {
            Expr::DynamicConstant(..) => self.closure(expression, This::Possible),
            Expr::InterpolatedString(items, _) | Expr::Array(items, _) => {
                for item in items {
                    self.expression(item);
                }
            }
            Expr::Map(map, _) => {
                for (_, value) in &map.0 {
                    self.map_value(value);
                }
            }
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                self.variable(&variable.1, *position, false);
            }
            Expr::Variable(variable, _, position) => {
                self.qualified_variable(&variable.2, &variable.1, *position);
            }
            Expr::ThisPtr(position) => self.this_used(*position),
            Expr::Stmt(block) => match closure_in(block) {
                Some(_) => self.closure(expression, This::Possible),
                None => self.block(block.statements()),
            },
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expression),
            Expr::And(items, _) | Expr::Or(items, _) | Expr::Coalesce(items, _) => {
                for item in items.iter() {
                    self.expression(item);
                }
            }
            Expr::Custom(custom, _) => {
                self.open |= custom.scope_may_be_changed;
                for input in &custom.inputs {
                    if !matches!(input, Expr::Variable(..)) {
                        self.expression(input);
                    }
                }
            }
            _ => {}
        }
        self.depth -= 1;
    }

    /// `#{ key: value }`: a bare name here is as often meant to be a function (`run: browse`).
    fn map_value(&mut self, value: &Expr) {
        match value {
            Expr::Variable(variable, _, position) if variable.2.is_empty() => {
                self.variable(&variable.1, *position, true);
            }
            _ => self.expression(value),
        }
    }

    /// `a.b[c].d()`: only the head is a name; the rest are members, and what stands in brackets.
    fn chain(&mut self, chain: &Expr) {
        // A long chain leans to either side: neither may recurse.
        let mut spine = vec![chain];
        while let Some(Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = spine.last()
            && matches!(parts.lhs, Expr::Dot(..) | Expr::Index(..))
        {
            spine.push(&parts.lhs);
        }
        if let Some(Expr::Dot(parts, ..) | Expr::Index(parts, ..)) = spine.last() {
            self.expression(&parts.lhs);
        }
        // What stands between brackets is not what the next dot is about: `list[0].id` asks the item, not the number.
        let item = Expr::Unit(Position::NONE);
        for node in spine.into_iter().rev() {
            let (mut receiver, mut rest, mut is_member) = match node {
                Expr::Dot(parts, ..) => (&parts.lhs, &parts.rhs, true),
                Expr::Index(parts, ..) => (&parts.lhs, &parts.rhs, false),
                _ => continue,
            };
            loop {
                let (element, next) = match rest {
                    Expr::Dot(parts, ..) => (&parts.lhs, Some((&parts.rhs, true))),
                    Expr::Index(parts, ..) => (&parts.lhs, Some((&parts.rhs, false))),
                    other => (other, None),
                };
                if is_member {
                    self.member(receiver, element);
                } else {
                    self.expression(element);
                }
                let Some((tail, tail_is_member)) = next else {
                    break;
                };
                receiver = if is_member { element } else { &item };
                (rest, is_member) = (tail, tail_is_member);
            }
        }
    }

    /// Whether the function of this name and number of parameters uses `this` itself.
    pub(super) fn uses_this(&self, name: &str, parameters: usize) -> bool {
        self.this_users.contains(&(name.to_owned(), parameters))
    }
}
