//! A script as the walk needs it: path, text and tree; and its function bodies, which Rhai hides inside the tree.
//!
//! Made by whoever compiles scripts; read by every file of `lint/`. It does not know how files are found or compiled.

use std::collections::HashMap;

use rhai::{AST, ASTNode, Engine, Position, ScriptFuncDef, Stmt};

use crate::diagnostic::Span;

/// One file of Rhai: the script itself or something that it imports.
#[derive(Debug, Clone)]
pub struct ScriptFile {
    /// The path as the user should see it in diagnostics.
    pub path: String,
    /// The source text that `ast` was compiled from.
    pub text: String,
    /// The tree, compiled with `OptimizationLevel::None`: an optimised one has lost what it found to be dead.
    pub ast: AST,
}

impl ScriptFile {
    /// A place in this file, `length` characters long.
    pub(super) fn span(&self, position: Position, length: usize) -> Span {
        let (line, column) = line_column(position);
        Span::in_source(&self.path, &self.text, line, column, length)
    }
}

/// Rhai's position, 1-based; what has none stands at the file's beginning.
pub(super) fn line_column(position: Position) -> (usize, usize) {
    (position.line().unwrap_or(1), position.position().unwrap_or(1))
}

/// A function or closure of a file.
#[derive(Debug)]
pub(in crate::script) struct Body {
    /// Its name; a closure's is made up by Rhai.
    pub name: String,
    /// Parameters, a closure's captured variables first.
    pub params: Vec<String>,
    /// What it does.
    pub statements: Vec<Stmt>,
    /// Rhai made the name up: this is a closure.
    pub closure: bool,
}

/// All functions and closures of a tree, in the order in which they stand in the file.
pub(in crate::script) fn bodies(ast: &AST) -> Vec<Body> {
    let mut names: HashMap<(&str, usize), usize> = HashMap::new();
    for definition in ast.iter_fn_def() {
        *names.entry((definition.name.as_str(), definition.params.len())).or_default() += 1;
    }
    let functions = ast.clone_functions_only();
    // `AST::merge_filtered` ignores its filter when the tree merged into has no function at all (rhai 1.27).
    let base = Engine::new_raw().compile("fn empty() {}").expect("this text is a function");
    let mut bodies: Vec<((usize, usize), Body)> = ast
        .iter_fn_def()
        .map(|definition| {
            let key = (definition.name.as_str(), definition.params.len());
            let body = Body {
                name: definition.name.to_string(),
                params: definition.params.iter().map(ToString::to_string).collect(),
                statements: statements(&base, &functions, definition, names[&key] > 1),
                closure: definition.name.starts_with("anon$"),
            };
            (line_column(definition.body.start_position()), body)
        })
        .collect();
    bodies.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.name.cmp(&right.1.name)));
    bodies.into_iter().map(|(_, body)| body).collect()
}

/// The statements of one function. Rhai does not export the type of a body, but it walks one: so this makes a tree that
/// holds the one function and copies what the walk shows.
fn statements(base: &AST, functions: &AST, wanted: &ScriptFuncDef, shares_name: bool) -> Vec<Stmt> {
    let alone = base.merge_filtered(functions, |_, _, _, name, params| {
        name == wanted.name.as_str() && params == wanted.params.len()
    });
    let (start, end) = (line_column(wanted.body.start_position()), line_column(wanted.body.end_position()));
    let mut found = Vec::new();
    alone.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            let at = line_column(statement.position());
            // `fn int.half()` and `fn half()` differ in their receiver only.
            if !shares_name || (start <= at && at <= end) {
                found.push((*statement).clone());
            }
        }
        true
    });
    found
}
