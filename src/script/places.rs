//! Where the parts of a declaration stand: `scenario("a", #{ users: … })` is evaluated to values, which have no place;
//! this finds the place of each argument and map key again, so that a caret can point at the one that is wrong.

use crate::diagnostic::{Diagnostic, Span};
use crate::plan::Source;
use rhai::{AST, ASTNode, Expr, Position, Stmt};
use std::collections::{BTreeMap, HashMap};

/// A place in one file: 1-based line and column in characters, and a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// Characters to underline.
    pub length: usize,
}

impl Place {
    fn new(at: Position, length: usize) -> Self {
        Place { line: at.line().unwrap_or(1), column: at.position().unwrap_or(1), length: length.max(1) }
    }

    /// As a span of a source.
    pub fn span(&self, source: &Source) -> Span {
        Span::in_source(&source.path, &source.text, self.line, self.column, self.length)
    }
}

/// An argument, a map value or a list's item: where it stands and, when it is a map or list literal, what is in it.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The value's own place; `None` when it came from a variable or a call in another place.
    pub place: Option<Place>,
    /// Whether it is one plain string literal, so that a place inside it can be computed.
    pub literal: bool,
    /// Keys of a map literal: the key's place and the value.
    pub keys: BTreeMap<String, (Place, Part)>,
    /// Items of a list literal.
    pub items: Vec<Part>,
}

impl Part {
    /// The place of an item of an item …, or of the nearest thing around it that has one.
    pub fn item(&self, path: &[usize]) -> Option<Place> {
        let inner = path.split_first().and_then(|(at, rest)| self.items.get(*at)?.item(rest));
        inner.or(self.place)
    }
}

/// All calls of declaring functions in one file.
#[derive(Debug, Clone, Default)]
pub struct Places(HashMap<(usize, usize), (Place, Vec<Part>)>);

impl Places {
    /// Looks through a syntax tree.
    pub fn of(ast: &AST) -> Places {
        let mut found = HashMap::new();
        let mut look = |path: &[ASTNode<'_>]| {
            let call = match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, at))) => Some((call, *at)),
                Some(ASTNode::Stmt(Stmt::FnCall(call, at))) => Some((call, *at)),
                _ => None,
            };
            if let Some((call, at)) = call {
                let place = Place::new(at, call.name.chars().count());
                found.insert((place.line, place.column), (place, call.args.iter().map(part).collect()));
            }
            true
        };
        ast.walk(&mut look);
        Places(found)
    }

    /// The call that stands at a position: its name's place and its arguments.
    pub fn call(&self, at: Position) -> (Place, Vec<Part>) {
        let key = (at.line().unwrap_or(1), at.position().unwrap_or(1));
        self.0.get(&key).cloned().unwrap_or_else(|| (Place::new(at, 1), Vec::new()))
    }
}

fn part(expr: &Expr) -> Part {
    let place = Some(Place::new(expr.start_position(), length(expr)));
    match expr {
        Expr::Map(map, _) => {
            let keys = map.0.iter().map(|(key, value)| {
                (key.name.to_string(), (Place::new(key.pos, key.name.chars().count()), part(value)))
            });
            Part { place, keys: keys.collect(), ..Part::default() }
        }
        Expr::Array(items, _) => Part { place, items: items.iter().map(part).collect(), ..Part::default() },
        Expr::StringConstant(..) => Part { place, literal: true, ..Part::default() },
        _ => Part { place, ..Part::default() },
    }
}

/// How much of an expression to underline; only what is known from the tree.
fn length(expr: &Expr) -> usize {
    match expr {
        Expr::StringConstant(text, _) => text.chars().count() + 2,
        Expr::Variable(variable, ..) => variable.1.chars().count(),
        Expr::IntegerConstant(number, _) => number.to_string().len(),
        Expr::BoolConstant(truth, _) => truth.to_string().len(),
        _ => 1,
    }
}

/// A declaration as it was made: the file, the call's place and the parts.
#[derive(Debug, Clone)]
pub struct Declared<'a> {
    /// The file it stands in.
    pub source: &'a Source,
    /// The function's name.
    pub name: Place,
    /// Its arguments.
    pub arguments: Vec<Part>,
}

impl Declared<'_> {
    /// A problem at the function's name.
    pub fn problem(&self, problem: Diagnostic) -> Diagnostic {
        problem.at(self.name.span(self.source))
    }

    /// A problem at the value of a key of a map that was written as argument `index`, or at that argument.
    pub fn at_key(&self, index: usize, key: &str, problem: Diagnostic) -> Diagnostic {
        let found = self.arguments.get(index).and_then(|part| part.keys.get(key));
        match found {
            Some((place, value)) => problem.at(value.place.unwrap_or(*place).span(self.source)),
            None => self.at_argument(index, problem),
        }
    }

    /// A problem at an argument, or at the name when the argument has no place.
    pub fn at_argument(&self, index: usize, problem: Diagnostic) -> Diagnostic {
        let place = self.arguments.get(index).and_then(|part| part.place).unwrap_or(self.name);
        problem.at(place.span(self.source))
    }
}
