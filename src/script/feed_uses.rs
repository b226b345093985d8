//! What can be seen of the use of feeds without running anything: names that nobody declared, columns that a file has not.
//!
//! Asked by `compile` once the feeds have been read. It follows a row from `feed("users").next()` to its columns, directly
//! or through a variable that a function binds exactly once, also into the function's closures; where only running the
//! script could tell, it stays silent.

use super::bindings::feed::unknown;
use super::compile::span_of;
use super::desk::Desk;
use super::lint::{Body, bodies};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::feed::Feed;
use crate::plan::Source;
use rhai::{AST, ASTNode, Expr, FnPtr, Position, Stmt};
use std::collections::{BTreeMap, HashMap};

/// Tells every use that must fail.
pub(super) fn check(desk: &Desk<'_>, feeds: &[Feed]) {
    // What failed may have declared the feed that seems to be missing.
    if desk.incomplete {
        return;
    }
    for (source, ast) in desk.sources.files.iter().zip(&desk.sources.asts) {
        let Some(ast) = ast else { continue };
        names(desk, source, ast, feeds);
        let all = bodies(ast);
        let closures = all.iter().filter(|body| body.closure).map(|body| (body.name.as_str(), body)).collect();
        for body in all.iter().filter(|body| !body.closure) {
            let mut follow = Follow { closures: &closures, feeds, bound: BTreeMap::new(), wrong: Vec::new(), depth: 0 };
            follow.body(body, 0, Pass::Bind);
            follow.body(body, 0, Pass::Look);
            for (feed, column, at) in follow.wrong {
                desk.tell(no_column(source, &feeds[feed], &column, at));
            }
        }
    }
}

/// `feed("name")` anywhere.
fn names(desk: &Desk<'_>, source: &Source, ast: &AST, feeds: &[Feed]) {
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let call = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _))) => call,
            Some(ASTNode::Stmt(Stmt::FnCall(call, _))) => call,
            _ => return true,
        };
        if call.name == "feed"
            && !call.is_qualified()
            && let [Expr::StringConstant(name, at)] = &call.args[..]
            && feeds.iter().all(|feed| feed.name != **name)
        {
            let known: Vec<&str> = feeds.iter().map(|feed| feed.name.as_str()).collect();
            let problem = match did_you_mean(name, known.iter().copied()) {
                Some(nearest) => {
                    Diagnostic::error(format!("there is no feed `{name}`")).label(format!("did you mean `{nearest}`?"))
                }
                None => Diagnostic::error(unknown(name, known.iter().copied()))
                    .help(format!("declare it at the top level: `feed(\"{name}\", feed::csv(\"{name}.csv\"));`")),
            };
            desk.tell(problem.at(span_of(source, *at, name.chars().count() + 2)));
        }
        true
    });
}

fn no_column(source: &Source, feed: &Feed, column: &str, at: Position) -> Diagnostic {
    let columns = feed.rows.columns();
    let shown: Vec<String> = columns.iter().take(20).map(|name| format!("`{name}`")).collect();
    let more = if columns.len() > 20 { ", …" } else { "" };
    Diagnostic::error(format!("the feed `{}` has no column `{column}`", feed.name))
        .at(span_of(source, at, column.chars().count()))
        .suggest(column, columns.iter().map(String::as_str))
        .help(format!("the columns are {}{more}", shown.join(", ")))
}

#[derive(Clone, Copy, PartialEq)]
enum Pass {
    /// Which names are bound, and to what.
    Bind,
    /// Which columns are asked for.
    Look,
}

/// One function with the closures in it.
struct Follow<'a> {
    closures: &'a HashMap<&'a str, &'a Body>,
    feeds: &'a [Feed],
    /// Name → the feed whose row it is; `None` when it is bound to anything else, or twice.
    bound: BTreeMap<String, Option<usize>>,
    /// Feed, column, place.
    wrong: Vec<(usize, String, Position)>,
    depth: usize,
}

/// Closures within closures: the parser's own limit is far below.
const DEPTH: usize = 64;

impl Follow<'_> {
    fn bind(&mut self, name: &str, feed: Option<usize>) {
        self.bound.entry(name.to_owned()).and_modify(|known| *known = None).or_insert(feed);
    }

    /// A function's statements; the first `captured` parameters are variables of what stands around.
    fn body(&mut self, body: &Body, captured: usize, pass: Pass) {
        if self.depth > DEPTH {
            return;
        }
        self.depth += 1;
        if pass == Pass::Bind {
            for name in body.params.iter().skip(captured) {
                self.bind(name, None);
            }
        }
        let mut shared: HashMap<String, usize> = HashMap::new();
        for statement in &body.statements {
            statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
                match (path.last(), pass) {
                    (Some(ASTNode::Stmt(statement)), Pass::Bind) => self.statement(statement),
                    (Some(ASTNode::Expr(expression)), _) => self.expression(expression, &mut shared, pass),
                    _ => {}
                }
                true
            });
        }
        self.depth -= 1;
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Var(variable, ..) => {
                let feed = row(&variable.1, self.feeds).filter(|(_, rest)| rest.is_none()).map(|(feed, _)| feed);
                self.bind(&variable.0.name, feed);
            }
            Stmt::For(parts, _) => {
                self.bind(&parts.0.name, None);
                if let Some(counter) = &parts.1 {
                    self.bind(&counter.name, None);
                }
            }
            Stmt::TryCatch(parts, _) => {
                if let Expr::Variable(variable, ..) = &parts.expr {
                    self.bind(&variable.1, None);
                }
            }
            Stmt::Assignment(assignment) => {
                if let Expr::Variable(variable, ..) = &assignment.1.lhs {
                    // Twice: whatever it was, it is that no more.
                    self.bind(&variable.1, None);
                    self.bind(&variable.1, None);
                }
            }
            _ => {}
        }
    }

    fn expression(&mut self, expression: &Expr, shared: &mut HashMap<String, usize>, pass: Pass) {
        match expression {
            // A closure that captures: the walk comes to its constant next.
            Expr::Stmt(block) => {
                if let [Stmt::Share(variables), Stmt::Expr(curry)] = block.statements()
                    && let Expr::FnCall(call, _) = &**curry
                    && let Some(name) = call.args.first().and_then(closure)
                {
                    shared.insert(name, variables.len());
                }
            }
            Expr::DynamicConstant(..) => {
                if let Some(name) = closure(expression)
                    && let Some(body) = self.closures.get(name.as_str())
                {
                    self.body(body, shared.get(&name).copied().unwrap_or(0), pass);
                }
            }
            Expr::Dot(chain, ..) | Expr::Index(chain, ..) if pass == Pass::Look => {
                let asked = match &chain.lhs {
                    Expr::Variable(variable, ..) if variable.2.is_empty() => {
                        let feed = self.bound.get(variable.1.as_str()).copied().flatten();
                        feed.map(|feed| (feed, &chain.rhs))
                    }
                    _ => row(expression, self.feeds).and_then(|(feed, rest)| Some((feed, rest?))),
                };
                if let Some((feed, rest)) = asked
                    && let (Some((column, at)), columns) = (column(rest), self.feeds[feed].rows.columns())
                    && !columns.is_empty()
                    && columns.iter().all(|known| known != column)
                {
                    self.wrong.push((feed, column.to_owned(), at));
                }
            }
            _ => {}
        }
    }
}

/// The name of the closure that a constant is.
fn closure(expression: &Expr) -> Option<String> {
    let Expr::DynamicConstant(value, _) = expression else { return None };
    let pointer = value.read_lock::<FnPtr>()?;
    pointer.fn_name().starts_with("anon$").then(|| pointer.fn_name().to_owned())
}

/// `feed("users").next()`, `feed("users").get(7)` or `feed("users")[7]`: the feed, and what of the chain follows.
fn row<'a>(expression: &'a Expr, feeds: &[Feed]) -> Option<(usize, Option<&'a Expr>)> {
    let (Expr::Dot(chain, ..) | Expr::Index(chain, ..)) = expression else { return None };
    let Expr::FnCall(call, _) = &chain.lhs else { return None };
    let [Expr::StringConstant(name, _)] = &call.args[..] else { return None };
    if call.name != "feed" || call.is_qualified() {
        return None;
    }
    let feed = feeds.iter().position(|feed| feed.name == **name)?;
    let (step, rest) = match &chain.rhs {
        Expr::Dot(rest, ..) | Expr::Index(rest, ..) => (&rest.lhs, Some(&rest.rhs)),
        last => (last, None),
    };
    match step {
        Expr::MethodCall(call, _) if call.name == "next" || call.name == "get" => Some((feed, rest)),
        _ if matches!(expression, Expr::Index(..)) => Some((feed, rest)),
        _ => None,
    }
}

/// The column that the next part of a chain asks for by a name in the text.
fn column(rest: &Expr) -> Option<(&str, Position)> {
    match rest {
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => column(&chain.lhs),
        Expr::Property(property, at) => Some((property.2.as_str(), *at)),
        Expr::StringConstant(name, at) => Some((name.as_str(), *at)),
        _ => None,
    }
}
