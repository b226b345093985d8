//! A threshold expression as tokens with places, counted in characters.
//!
//! Called by the parser only. A limit with its unit (`300ms`, `10MB/s`, `1m30s`) is one token, and so is any run of signs
//! that could be meant as an operator, so that `=<` can be answered with `<=`.

use super::syntax::{Comparison, Method};
use super::{Place, Problem, ProblemKind};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name: method, keyword or metric; or a sign that stands for a keyword, as it was written: `&&`, `||`, `!`.
    Word(String),
    /// A number with whatever unit stands directly behind it.
    Limit(String),
    Comparison(Comparison),
    /// `+ - * /`
    Arithmetic(char),
    /// `{tag:value}` as it stands: what a selector's braces hold is the selector's to read.
    Braces(String),
    /// `( ) } , :`
    Mark(char),
}

impl TokenKind {
    /// As it is quoted in a message.
    pub fn quoted(&self) -> String {
        match self {
            Self::Word(text) | Self::Limit(text) => format!("`{text}`"),
            Self::Comparison(comparison) => format!("`{comparison}`"),
            Self::Arithmetic(sign) | Self::Mark(sign) => format!("`{sign}`"),
            Self::Braces(_) => "`{`".to_owned(),
        }
    }
}

/// The tokens of `text`; what is none is reported and skipped.
pub(super) fn tokens(text: &str, problems: &mut Vec<Problem>) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at;
        let here = chars[at];
        if here.is_whitespace() {
            at += 1;
            continue;
        }
        let kind = if starts_number(&chars[at..]) {
            at += limit_length(&chars[at..]);
            Some(TokenKind::Limit(chars[start..at].iter().collect()))
        } else if here.is_alphabetic() || here == '_' {
            at += length(&chars[at..], |c| c.is_alphanumeric() || c == '_');
            Some(TokenKind::Word(chars[start..at].iter().collect()))
        } else if matches!(here, '<' | '>' | '=' | '!' | '&' | '|') {
            at += length(&chars[at..], |c| matches!(c, '<' | '>' | '=' | '!' | '&' | '|'));
            let written: String = chars[start..at].iter().collect();
            operator(&written).or_else(|| {
                problems.push(Problem::new(ProblemKind::UnknownOperator { written }, Place::between(start, at)));
                // Most probably some comparison: go on as if it were one, so that the rest is still checked.
                Some(TokenKind::Comparison(Comparison::Equal))
            })
        } else if here == '{' {
            at += braces_length(&chars[at..]);
            Some(TokenKind::Braces(chars[start..at].iter().collect()))
        } else {
            at += 1;
            match here {
                '+' | '-' | '*' | '/' => Some(TokenKind::Arithmetic(here)),
                '(' | ')' | '}' | ',' | ':' => Some(TokenKind::Mark(here)),
                _ => {
                    problems.push(Problem::new(
                        ProblemKind::UnexpectedCharacter { character: here },
                        Place::between(start, at),
                    ));
                    None
                }
            }
        };
        tokens.extend(kind.map(|kind| Token { kind, place: Place::between(start, at) }));
    }
    tokens
}

fn operator(written: &str) -> Option<TokenKind> {
    Some(match written {
        "<" => TokenKind::Comparison(Comparison::Less),
        "<=" => TokenKind::Comparison(Comparison::LessOrEqual),
        ">" => TokenKind::Comparison(Comparison::Greater),
        ">=" => TokenKind::Comparison(Comparison::GreaterOrEqual),
        "==" | "===" => TokenKind::Comparison(Comparison::Equal),
        "!=" => TokenKind::Comparison(Comparison::NotEqual),
        "&&" | "||" | "!" => TokenKind::Word(written.to_owned()),
        _ => return None,
    })
}

fn length(chars: &[char], belongs: impl Fn(char) -> bool) -> usize {
    chars.iter().position(|c| !belongs(*c)).unwrap_or(chars.len())
}

/// Up to the brace that closes the first one, or to the end. `GET /api/{id}` may stand inside; other braces must be quoted.
fn braces_length(chars: &[char]) -> usize {
    let (mut depth, mut quote, mut last) = (0usize, None, '{');
    for (at, here) in chars.iter().enumerate() {
        match (quote, here) {
            (Some(open), here) if open == *here => quote = None,
            (Some(_), _) => {}
            // A quote begins where a name or a value does; elsewhere it is a letter like any other.
            (None, '"' | '\'' | '`') if matches!(last, ':' | ',' | '{') => quote = Some(*here),
            (None, '{') => depth += 1,
            (None, '}') => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            (None, _) => {}
        }
        if !here.is_whitespace() {
            last = *here;
        }
    }
    chars.len()
}

fn starts_number(chars: &[char]) -> bool {
    match chars {
        [first, ..] if first.is_ascii_digit() => true,
        ['.', second, ..] => second.is_ascii_digit(),
        _ => false,
    }
}

/// The number, its exponent, its unit and the next number of `1m30s`; then `/period`, which `10/s` has and `10 / 2` has not.
fn limit_length(chars: &[char]) -> usize {
    let digits = |from: usize| length(&chars[from..], |c| c.is_ascii_digit() || c == '.' || c == '_');
    let mut at = digits(0);
    if matches!(chars.get(at), Some('e' | 'E')) {
        let signed = at + 1 + usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
        if chars.get(signed).is_some_and(char::is_ascii_digit) {
            at = signed + digits(signed);
        }
    }
    at += length(&chars[at..], |c| c.is_alphanumeric() || c == '%' || c == '.');
    if chars.get(at) == Some(&'/') {
        let period = length(&chars[at + 1..], char::is_alphabetic);
        let behind = chars.get(at + 1 + period);
        let word: String = chars[at + 1..at + 1 + period].iter().collect();
        // `5/count` counts; `300/min` is a rate.
        let method = word != "min" && Method::named(&word).is_some();
        if period > 0 && !method && !behind.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '(' | '{')) {
            at += 1 + period;
        }
    }
    at
}
