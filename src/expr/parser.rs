//! From tokens to a syntax tree: a precedence-climbing (Pratt) parser that reports every problem it meets and goes on.
//!
//! Called by the rule that a threshold becomes. It knows the grammar and no metric.
//!
//! | power | operators |
//! |---|---|
//! | 1 | `or` |
//! | 2 | `and` |
//! | 3 | `< <= > >= == === !=`, and `not` before them |
//! | 4 | `+ -` |
//! | 5 | `* /` |
//! | 6 | `-` before a number |

use super::lexer::{Token, TokenKind, tokens};
use super::syntax::{Clause, Comparison, Expr, Join, Method, Sign, Spanned};
use super::{Feature, Place, Problem, ProblemKind};

/// How deep an expression may nest. No written one comes near; it bounds the stack that a hostile one can use.
const DEEPEST: usize = 32;
/// How many operators it may have: they too make the tree deep.
const LONGEST: usize = 200;
/// What stands where a number must.
const NUMBER: &str = "a method such as `p(95)` or a limit such as `300ms`";

/// What a text says.
pub(super) struct Parsed {
    /// Complete only when no problem was found.
    pub tree: Spanned<Expr>,
    /// `for 20s` at the end.
    pub lasting: Option<Clause>,
    /// Everything wrong with its form.
    pub problems: Vec<Problem>,
}

/// Reads `text`.
pub(super) fn parse(text: &str) -> Parsed {
    let mut problems = Vec::new();
    let tokens = tokens(text, &mut problems);
    let end = text.chars().count();
    if tokens.is_empty() {
        if problems.is_empty() {
            problems.push(Problem::new(ProblemKind::EmptyExpression, Place::between(0, end)));
        }
        let tree = Spanned { node: Expr::Broken, place: Place::between(0, end) };
        return Parsed { tree, lasting: None, problems };
    }
    let mut parser = Parser { tokens, next: 0, end, operators: 0, problems };
    let mut tree = parser.expression(0, 0);
    let mut lasting = None;
    let (mut clauses, mut windows) = (0, 0);
    loop {
        if let Some(over) = parser.clause("over") {
            if windows > 0 {
                parser.report(ProblemKind::ClauseTwice { word: "over" }, over.word);
            }
            windows += 1;
            let place = tree.place;
            tree = Spanned { node: Expr::Over { of: Box::new(tree), over }, place };
        } else if let Some(clause) = parser.clause("for") {
            if lasting.is_some() {
                parser.report(ProblemKind::ClauseTwice { word: "for" }, clause.word);
            }
            lasting = Some(clause);
        } else {
            break;
        }
        clauses += 1;
        // More than twice is said once.
        if clauses > 2 {
            break;
        }
    }
    if let Some(token) = parser.peek().cloned() {
        // One report for the whole rest: its first token says what is wrong with it.
        let rest = Place::between(token.place.offset, end);
        let found = token.kind.quoted();
        let kind = if clauses > 0 { ProblemKind::BehindClause { found } } else { ProblemKind::Trailing { found } };
        parser.report(kind, rest);
    }
    Parsed { tree, lasting, problems: parser.problems }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// Behind the last character.
    end: usize,
    /// How many operators were taken.
    operators: usize,
    problems: Vec<Problem>,
}

/// An operator between two operands.
enum Binary {
    Compare(Comparison),
    Join(Join),
    Arithmetic(Sign),
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
            TokenKind::Word(word) if matches!(word.as_str(), "or" | "||") => (Binary::Join(Join::Or), 1),
            TokenKind::Word(word) if matches!(word.as_str(), "and" | "&&") => (Binary::Join(Join::And), 2),
            TokenKind::Comparison(comparison) => (Binary::Compare(*comparison), 3),
            TokenKind::Arithmetic(sign @ ('+' | '-')) => (Binary::Arithmetic(Sign::of(*sign)), 4),
            TokenKind::Arithmetic(sign) => (Binary::Arithmetic(Sign::of(*sign)), 5),
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
            self.next += 1;
            self.operators += 1;
            if self.operators > LONGEST {
                self.report(ProblemKind::TooLong, left.place);
                self.next = self.tokens.len();
                return Spanned { node: Expr::Broken, place: left.place };
            }
            let right = self.expression(power + 1, depth);
            let whole = Place::between(left.place.offset, right.place.end());
            let (left_side, right) = (Box::new(left), Box::new(right));
            let node = match operator {
                Binary::Compare(comparison) => Expr::Compare { left: left_side, comparison, right },
                Binary::Join(join) => Expr::Join { left: left_side, join, right },
                Binary::Arithmetic(sign) => Expr::Arithmetic { left: left_side, sign, right },
            };
            left = Spanned { node, place: whole };
        }
        left
    }

    /// A quantity, a limit, or what is refused in their place.
    fn operand(&mut self, depth: usize) -> Spanned<Expr> {
        let Some(token) = self.peek().cloned() else {
            self.expected(NUMBER);
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
                Spanned { node: Expr::Limit(text), place }
            }
            TokenKind::Arithmetic(sign @ ('+' | '-')) => self.signed(sign, place, depth),
            TokenKind::Word(word) if matches!(word.as_str(), "not" | "!") => {
                self.next += 1;
                let inner = self.expression(3, depth + 1);
                let place = Place::between(place.offset, inner.place.end());
                Spanned { node: Expr::Not(Box::new(inner)), place }
            }
            TokenKind::Word(word) if matches!(word.as_str(), "slope" | "forecast") => {
                self.line(word == "forecast", place, depth)
            }
            TokenKind::Word(word) if matches!(word.as_str(), "and" | "&&" | "or" | "||" | "of" | "over" | "for") => {
                self.expected(NUMBER);
                // A clause is taken here, so that it is not behind something that is missing.
                if self.clause("over").or_else(|| self.clause("for")).is_none() && word == "of" {
                    self.of();
                }
                Spanned { node: Expr::Broken, place: Place { offset: place.offset, length: 0 } }
            }
            TokenKind::Word(word) => self.quantity(&word, place),
            TokenKind::Mark('(') => {
                self.next += 1;
                let mut inner = self.expression(0, depth + 1);
                if let Some(over) = self.clause("over") {
                    let place = inner.place;
                    inner = Spanned { node: Expr::Over { of: Box::new(inner), over }, place };
                }
                if !self.took(')') {
                    self.expected("`)`");
                }
                Spanned { node: inner.node, place: Place::between(place.offset, self.taken_end()) }
            }
            TokenKind::Comparison(_) | TokenKind::Arithmetic(_) | TokenKind::Mark(_) | TokenKind::Braces(_) => {
                self.expected(NUMBER);
                // An operator is left for the loop above to go on with; anything else would stop it.
                self.next += usize::from(matches!(token.kind, TokenKind::Mark(_) | TokenKind::Braces(_)));
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
                let node = Expr::Limit(format!("{sign}{text}"));
                Spanned { node, place: Place::between(place.offset, number.end()) }
            }
            _ => {
                let inner = self.expression(6, depth + 1);
                let place = Place::between(place.offset, inner.place.end());
                let node = if sign == '-' { Expr::Negate(Box::new(inner)) } else { inner.node };
                Spanned { node, place }
            }
        }
    }

    /// A method, with its percentile if it takes one, and the `of` and `over` that may come behind it.
    fn quantity(&mut self, word: &str, place: Place) -> Spanned<Expr> {
        self.next += 1;
        let mut whole = place;
        let method = if word == "p" {
            let percentile = self.percentile(place);
            whole = Place::between(place.offset, self.taken_end());
            percentile.map(Method::P)
        } else if let Some(method) = Method::named(word) {
            if self.took('(') {
                self.arguments();
                whole = Place::between(place.offset, self.taken_end());
                self.report(ProblemKind::NoArguments { method }, whole);
            }
            Some(method)
        } else if word == "baseline" {
            self.report(ProblemKind::NotYet { feature: Feature::Baseline }, place);
            None
        } else {
            if self.took('(') {
                self.arguments();
                whole = Place::between(place.offset, self.taken_end());
            }
            self.report(ProblemKind::unknown_method(word), whole);
            None
        };
        let says_of = matches!(self.peek(), Some(Token { kind: TokenKind::Word(word), .. }) if word == "of");
        let of = if says_of { Some(self.of()) } else { None };
        let broken = of.as_ref().is_some_and(Option::is_none);
        if of.is_some() {
            whole = Place::between(place.offset, self.taken_end());
        }
        // Behind a limit it would be the whole expression's; here it is this quantity's.
        let over = self.clause("over");
        if over.is_some() {
            whole = Place::between(place.offset, self.taken_end());
        }
        let node = match method {
            Some(method) if !broken => Expr::Quantity { method, of: of.flatten(), over },
            _ => of.flatten().map_or(Expr::Broken, Expr::BrokenOf),
        };
        Spanned { node, place: whole }
    }

    /// `of metric{tag:value}`, of which the first word is there.
    fn of(&mut self) -> Option<Spanned<String>> {
        self.next += 1;
        let (metric, place) = match self.peek().cloned() {
            Some(Token { kind: TokenKind::Word(word), place }) if !is_sign(&word) => (word, place),
            _ => {
                self.expected("a metric such as `http_req_duration`");
                return None;
            }
        };
        self.next += 1;
        let Some(Token { kind: TokenKind::Braces(tags), place: braces }) = self.peek().cloned() else {
            return Some(Spanned { node: metric, place });
        };
        self.next += 1;
        // As wide as it was written, so that places in it are places in the expression.
        let between = " ".repeat(braces.offset.saturating_sub(place.end()));
        Some(Spanned { node: [metric, between, tags].concat(), place: Place::between(place.offset, braces.end()) })
    }

    /// `slope(…)` or `forecast(…, 2m)`.
    fn line(&mut self, forecast: bool, word: Place, depth: usize) -> Spanned<Expr> {
        self.next += 1;
        if !self.took('(') {
            self.expected("`(`");
            return Spanned { node: Expr::Broken, place: word };
        }
        let mut of = self.expression(4, depth + 1);
        if let Some(over) = self.clause("over") {
            let place = of.place;
            of = Spanned { node: Expr::Over { of: Box::new(of), over }, place };
        }
        let mut ahead = None;
        let mut whole = true;
        if forecast {
            let comma = self.peek().map_or(word, |token| token.place);
            whole = self.took(',');
            if whole {
                ahead = Some(Clause { word: comma, duration: self.duration() });
            } else {
                self.expected("`, ` and how far ahead");
            }
        }
        if whole && !self.took(')') {
            self.expected("`)`");
            whole = false;
        }
        let place = Place::between(word.offset, self.taken_end());
        if !whole {
            self.arguments();
            return Spanned { node: Expr::Broken, place };
        }
        Spanned { node: Expr::Line { word, of: Box::new(of), ahead }, place }
    }

    /// `over 30s`, `for 20s`: takes it when it stands here. Whether its duration is one is the type check's to say.
    fn clause(&mut self, word: &str) -> Option<Clause> {
        let place = match self.peek() {
            Some(Token { kind: TokenKind::Word(found), place }) if found == word => *place,
            _ => return None,
        };
        self.next += 1;
        Some(Clause { word: place, duration: self.duration() })
    }

    /// Whatever stands where a duration should.
    fn duration(&mut self) -> Option<Spanned<String>> {
        let (text, place) = match self.peek().cloned()? {
            Token { kind: TokenKind::Limit(text), place } => (text, place),
            Token { kind: TokenKind::Word(word), place }
                if !matches!(word.as_str(), "and" | "or" | "not" | "of" | "over" | "for") && !is_sign(&word) =>
            {
                (word, place)
            }
            _ => return None,
        };
        self.next += 1;
        Some(Spanned { node: text, place })
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

/// Whether a word is a sign that stands for a keyword.
fn is_sign(word: &str) -> bool {
    matches!(word, "&&" | "||" | "!")
}
