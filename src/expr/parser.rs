//! From tokens to a syntax tree: a precedence-climbing (Pratt) parser that reports every problem it meets and goes on.
//!
//! Called by the rule that a threshold becomes. It knows the grammar and no metric.
//!
//! | power | operators | stands |
//! |---|---|---|
//! | 1 | `or` | refused by name |
//! | 2 | `and` | refused by name |
//! | 3 | `< <= > >= == === !=` | yes |
//! | 4 | `+ -` | refused by name |
//! | 5 | `* /` | refused by name |

use super::lexer::{Token, TokenKind, tokens};
use super::syntax::{Comparison, Expr, Method, Spanned};
use super::{Feature, Place, Problem, ProblemKind};

/// How deep an expression may nest. No written one comes near; it bounds the stack that a hostile one can use.
const DEEPEST: usize = 32;

/// Reads `text`; the tree is complete only when no problem was found.
pub(super) fn parse(text: &str) -> (Spanned<Expr>, Vec<Problem>) {
    let mut problems = Vec::new();
    let tokens = tokens(text, &mut problems);
    let end = text.chars().count();
    if tokens.is_empty() {
        if problems.is_empty() {
            problems.push(Problem::new(ProblemKind::EmptyExpression, Place::between(0, end)));
        }
        return (Spanned { node: Expr::Broken, place: Place::between(0, end) }, problems);
    }
    let mut parser = Parser { tokens, next: 0, end, problems };
    let tree = parser.expression(0, 0);
    if let Some(token) = parser.peek().cloned() {
        // One report for the whole rest: its first token says what is wrong with it.
        let rest = Place::between(token.place.offset, end);
        parser.report(ProblemKind::Trailing { found: token.kind.quoted() }, rest);
    }
    (tree, parser.problems)
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// Behind the last character.
    end: usize,
    problems: Vec<Problem>,
}

/// An operator between two operands.
enum Binary {
    Compare(Comparison),
    NotYet(Feature),
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    /// Takes the next token when it is this mark.
    fn took(&mut self, mark: char) -> bool {
        let there = matches!(self.peek(), Some(Token { kind: TokenKind::Mark(found), .. }) if *found == mark);
        self.next += usize::from(there);
        there
    }

    fn report(&mut self, kind: ProblemKind, place: Place) {
        self.problems.push(Problem::new(kind, place));
    }

    /// Something else was needed here.
    fn expected(&mut self, expected: &'static str) {
        let (found, place) = match self.peek() {
            Some(token) => (Some(token.kind.quoted()), token.place),
            None => (None, Place { offset: self.end, length: 1 }),
        };
        self.report(ProblemKind::Expected { expected, found }, place);
    }

    fn binary(&self) -> Option<(Binary, u8)> {
        Some(match &self.peek()?.kind {
            TokenKind::Word(word) if word == "or" => (Binary::NotYet(Feature::Logic), 1),
            TokenKind::Word(word) if word == "and" => (Binary::NotYet(Feature::Logic), 2),
            TokenKind::Comparison(comparison) => (Binary::Compare(*comparison), 3),
            TokenKind::Arithmetic('+' | '-') => (Binary::NotYet(Feature::Arithmetic), 4),
            TokenKind::Arithmetic(_) => (Binary::NotYet(Feature::Arithmetic), 5),
            _ => return None,
        })
    }

    /// Operands joined by operators that bind at least as tightly as `floor`.
    fn expression(&mut self, floor: u8, depth: usize) -> Spanned<Expr> {
        let mut left = self.operand(depth);
        while let Some((operator, power)) = self.binary() {
            if power < floor {
                break;
            }
            let place = self.take().map_or(left.place, |token| token.place);
            let right = self.expression(power + 1, depth);
            let whole = Place::between(left.place.offset, right.place.end());
            let node = match operator {
                Binary::Compare(comparison) => {
                    Expr::Compare { left: Box::new(left), comparison, right: Box::new(right) }
                }
                Binary::NotYet(feature) => {
                    self.report(ProblemKind::NotYet { feature }, place);
                    Expr::Broken
                }
            };
            left = Spanned { node, place: whole };
        }
        left
    }

    /// A quantity, a limit, or what is refused in their place.
    fn operand(&mut self, depth: usize) -> Spanned<Expr> {
        let Some(token) = self.peek().cloned() else {
            self.expected("a method such as `p(95)` or a limit such as `300ms`");
            return Spanned { node: Expr::Broken, place: Place { offset: self.end, length: 0 } };
        };
        let place = token.place;
        if depth >= DEEPEST {
            self.report(ProblemKind::TooDeep, place);
            self.next = self.tokens.len();
            return Spanned { node: Expr::Broken, place };
        }
        match token.kind {
            TokenKind::Limit(text) => {
                self.next += 1;
                // `p(95) < 300ms over 10s`: the clause belongs to the whole comparison, which stays checkable without it.
                self.clauses();
                Spanned { node: Expr::Limit(text), place }
            }
            TokenKind::Arithmetic(sign @ ('+' | '-')) => self.signed(sign, place, depth),
            TokenKind::Word(word) if word == "not" => {
                self.next += 1;
                self.report(ProblemKind::NotYet { feature: Feature::Logic }, place);
                let inner = self.expression(3, depth + 1);
                Spanned { node: Expr::Broken, place: Place::between(place.offset, inner.place.end()) }
            }
            TokenKind::Word(word) => self.quantity(&word, place),
            TokenKind::Mark('(') => {
                self.next += 1;
                self.report(ProblemKind::NotYet { feature: Feature::Grouping }, place);
                let inner = self.expression(0, depth + 1);
                if !self.took(')') {
                    self.expected("`)`");
                }
                Spanned { node: Expr::Broken, place: Place::between(place.offset, inner.place.end()) }
            }
            TokenKind::Comparison(_) | TokenKind::Arithmetic(_) | TokenKind::Mark(_) => {
                self.expected("a method such as `p(95)` or a limit such as `300ms`");
                // An operator is left for the loop above to go on with; anything else would stop it.
                self.next += usize::from(matches!(token.kind, TokenKind::Mark(_)));
                Spanned { node: Expr::Broken, place: Place { offset: place.offset, length: 0 } }
            }
        }
    }

    /// `-5`: a sign belongs to the number directly behind it.
    fn signed(&mut self, sign: char, place: Place, depth: usize) -> Spanned<Expr> {
        self.next += 1;
        match self.peek().cloned() {
            Some(Token { kind: TokenKind::Limit(text), place: number }) if number.offset == place.end() => {
                self.next += 1;
                self.clauses();
                let node = Expr::Limit(format!("{sign}{text}"));
                Spanned { node, place: Place::between(place.offset, number.end()) }
            }
            _ => {
                self.report(ProblemKind::NotYet { feature: Feature::Arithmetic }, place);
                let inner = self.expression(6, depth + 1);
                Spanned { node: Expr::Broken, place: Place::between(place.offset, inner.place.end()) }
            }
        }
    }

    /// A method, with its percentile if it takes one, and the `of`, `over` and `for` that may come behind it one day.
    fn quantity(&mut self, word: &str, place: Place) -> Spanned<Expr> {
        self.next += 1;
        let plain = match word {
            "count" => Some(Method::Count),
            "rate" => Some(Method::Rate),
            "value" => Some(Method::Value),
            "avg" => Some(Method::Avg),
            "min" => Some(Method::Min),
            "max" => Some(Method::Max),
            "med" => Some(Method::Med),
            _ => None,
        };
        let mut whole = place;
        let node = if word == "p" {
            let percentile = self.percentile(place);
            whole = Place::between(place.offset, self.taken_end());
            percentile.map_or(Expr::Broken, |percentile| Expr::Quantity(Method::P(percentile)))
        } else if let Some(method) = plain {
            if self.took('(') {
                self.arguments();
                whole = Place::between(place.offset, self.taken_end());
                self.report(ProblemKind::NoArguments { method }, whole);
            }
            Expr::Quantity(method)
        } else if matches!(word, "baseline" | "over" | "of" | "for") {
            let feature = if word == "baseline" { Feature::Baseline } else { Feature::of_word(word) };
            self.report(ProblemKind::NotYet { feature }, place);
            if word != "baseline" {
                self.skip_clause();
            }
            Expr::Broken
        } else {
            if self.took('(') {
                self.arguments();
                whole = Place::between(place.offset, self.taken_end());
            }
            self.report(ProblemKind::unknown_method(word), whole);
            Expr::Broken
        };
        let broken = self.clauses();
        Spanned { node: if broken { Expr::Broken } else { node }, place: whole }
    }

    /// `of selector`, `over 30s`, `for 20s` behind a quantity or a limit: each refused by name and skipped. Whether there were any.
    fn clauses(&mut self) -> bool {
        let mut any = false;
        while let Some(Token { kind: TokenKind::Word(word), place }) = self.peek().cloned() {
            if !matches!(word.as_str(), "of" | "over" | "for") {
                break;
            }
            self.next += 1;
            self.report(ProblemKind::NotYet { feature: Feature::of_word(&word) }, place);
            self.skip_clause();
            any = true;
        }
        any
    }

    /// Skips what a refused clause consists of: a duration, or a metric with its braces.
    fn skip_clause(&mut self) {
        if !matches!(self.peek().map(|token| &token.kind), Some(TokenKind::Limit(_) | TokenKind::Word(_))) {
            return;
        }
        self.next += 1;
        if self.took('{') {
            while let Some(token) = self.take() {
                if token.kind == TokenKind::Mark('}') {
                    break;
                }
            }
        }
    }

    /// Skips to behind the closing parenthesis, or to the end.
    fn arguments(&mut self) {
        while let Some(token) = self.take() {
            if token.kind == TokenKind::Mark(')') {
                break;
            }
        }
    }

    /// Where the last taken token ends.
    fn taken_end(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(self.end, |token| token.place.end())
    }

    /// `(N)` behind `p`.
    fn percentile(&mut self, place: Place) -> Option<f64> {
        if !self.took('(') {
            self.report(ProblemKind::NoPercentile, place);
            return None;
        }
        let sign = match self.peek() {
            Some(Token { kind: TokenKind::Arithmetic(sign @ ('+' | '-')), .. }) => *sign,
            _ => '+',
        };
        let signed = matches!(self.peek(), Some(Token { kind: TokenKind::Arithmetic('+' | '-'), .. }));
        self.next += usize::from(signed);
        let Some(Token { kind: TokenKind::Limit(text), place: number }) = self.peek().cloned() else {
            self.expected("a percentile from 0 to 100");
            self.arguments();
            return None;
        };
        self.next += 1;
        let number = Place::between(number.offset - usize::from(signed), number.end());
        let written = if signed { format!("{sign}{text}") } else { text };
        let percentile = written.parse().ok().filter(|percentile| (0.0..=100.0).contains(percentile));
        if percentile.is_none() {
            self.report(ProblemKind::PercentileRange { written }, number);
        }
        if !self.took(')') {
            self.expected("`)`");
        }
        percentile.map(f64::abs) // p(-0) is p(0)
    }
}
