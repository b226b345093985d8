//! What a file defines at its top level, and the places where a script makes names that only running it could tell.
//!
//! Read from the tree before the walk; it judges nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Stmt};

use super::known::Names;

/// The top level of one file.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Functions of this file → numbers of parameters.
    pub functions: BTreeMap<String, BTreeSet<usize>>,
    /// Functions for one type of receiver, of this file and of its imports.
    pub methods: BTreeMap<String, BTreeSet<usize>>,
    /// Top-level `const`s: inside functions they are `global::NAME`.
    pub constants: BTreeSet<String>,
    /// Top-level `let`s → their line.
    pub variables: BTreeMap<String, usize>,
    /// Top-level imports by alias; `None` when the module could not be found (which is not ours to report).
    pub imports: BTreeMap<String, Option<Rc<Names>>>,
    /// Aliases of imports inside blocks and functions.
    pub inner_imports: BTreeSet<String>,
    /// Names that the script asks for at run time (`is_def_var("x")`, `is_def_fn("f", 1)`).
    pub asked_for: BTreeSet<String>,
    /// Functions called as `name!(…)`: they see the variables of their caller.
    pub sees_caller: BTreeSet<String>,
    /// Keys of maps: any of them may hold a closure that is called like a method.
    pub keys: BTreeSet<String>,
    /// A key may be computed, so that not every callable key is in `keys`.
    pub computed_keys: bool,
}

impl Outline {
    /// Reads the tree; `imported` finds the names of an imported file.
    pub(super) fn of(ast: &AST, mut imported: impl FnMut(&str) -> Option<Rc<Names>>) -> Self {
        let mut outline = Self::default();
        for function in ast.iter_functions() {
            let table = match function.this_type {
                Some(_) => &mut outline.methods,
                None => &mut outline.functions,
            };
            table.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
        for statement in ast.statements() {
            match statement {
                Stmt::Var(variable, flags, position) => {
                    let name = variable.0.name.to_string();
                    if flags.contains(ASTFlags::CONSTANT) {
                        outline.constants.insert(name);
                    } else {
                        outline.variables.insert(name, position.line().unwrap_or(1));
                    }
                }
                Stmt::Import(import, _) if !import.1.name.is_empty() => {
                    let names = match &import.0 {
                        Expr::StringConstant(path, _) => imported(path),
                        _ => None,
                    };
                    outline.imports.insert(import.1.name.to_string(), names);
                }
                _ => {}
            }
        }
        for names in outline.imports.values().flatten() {
            for (name, arities) in &names.methods {
                outline.methods.entry(name.clone()).or_default().extend(arities);
            }
        }
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(statement)) => outline.see_statement(statement),
                Some(ASTNode::Expr(expression)) => outline.see_expression(expression),
                _ => {}
            }
            true
        });
        outline
    }

    fn see_statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Import(import, _) => {
                let alias = &import.1.name;
                if !self.imports.contains_key(alias.as_str()) {
                    self.inner_imports.insert(alias.to_string());
                }
            }
            Stmt::FnCall(call, _) => self.see_call(call),
            Stmt::Assignment(assignment) => {
                let mut target = &assignment.1.lhs;
                while let Expr::Dot(chain, ..) | Expr::Index(chain, ..) = target {
                    if let Expr::Index(..) = target
                        && !matches!(chain.rhs, Expr::StringConstant(..))
                    {
                        self.computed_keys = true;
                    }
                    target = &chain.rhs;
                }
                match target {
                    Expr::Property(property, _) => {
                        self.keys.insert(property.2.to_string());
                    }
                    Expr::StringConstant(key, _) => {
                        self.keys.insert(key.to_string());
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn see_expression(&mut self, expression: &Expr) {
        match expression {
            Expr::Map(map, _) => {
                for (key, _) in &map.0 {
                    self.keys.insert(key.name.to_string());
                }
            }
            Expr::FnCall(call, _) => self.see_call(call),
            // `map.set(key, closure)` and the like
            Expr::MethodCall(call, _) if call.name == "set" => self.computed_keys = true,
            _ => {}
        }
    }

    fn see_call(&mut self, call: &FnCallExpr) {
        if call.capture_parent_scope {
            self.sees_caller.insert(call.name.to_string());
        }
        if (call.name == "is_def_var" || call.name == "is_def_fn")
            && let Some(Expr::StringConstant(name, _)) = call.args.first()
        {
            self.asked_for.insert(name.to_string());
        }
    }
}

/// The paths of all imports of a tree, wherever they stand.
pub(super) fn imported_paths(ast: &AST) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(path, _) = &import.0
        {
            paths.insert(path.to_string());
        }
        true
    });
    paths
}
