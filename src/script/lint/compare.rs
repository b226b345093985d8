//! Comparisons that can never be true: Rhai compares different types as `false`, silently.
//!
//! Used by the walk. Warnings only: the property `status` of some JSON may well be a string.

use rhai::{Expr, FnCallExpr, Position, Token};

use super::walk::Walk;
use crate::diagnostic::Diagnostic;

/// Properties of responses that are integers.
const NUMBERS: [&str; 2] = ["status", "error_code"];

impl Walk<'_> {
    /// An operator with its operands.
    pub(super) fn comparison(&mut self, call: &FnCallExpr, position: Position) {
        let (Some(operator), [left, right]) = (&call.op_token, &call.args[..]) else {
            return;
        };
        let never = match operator {
            Token::EqualsTo | Token::LessThan | Token::LessThanEqualsTo => "false",
            Token::GreaterThan | Token::GreaterThanEqualsTo => "false",
            Token::NotEqualsTo => "true",
            _ => return,
        };
        for (value, literal) in [(left, right), (right, left)] {
            if let (Some(property), Expr::StringConstant(text, at)) = (last_property(value), literal)
                && NUMBERS.contains(&property)
                && text.parse::<i64>().is_ok()
            {
                let quoted = format!("\"{text}\"");
                self.report(
                    *at,
                    &quoted,
                    Diagnostic::warning(format!(
                        "`{property}` is a number and {quoted} a string: comparing them is always {never}"
                    ))
                    .label(format!("write `{text}`")),
                );
                return;
            }
            if let (Some(property), Expr::IntegerConstant(number, at)) = (property_of_timings(value), literal) {
                let written = number.to_string();
                self.report(
                    *at,
                    &written,
                    Diagnostic::warning(format!(
                        "`timings.{property}` is a duration and {written} a bare number: they cannot be compared"
                    ))
                    .label(format!("write `{written}.ms`")),
                );
                return;
            }
        }
        if let (Some(one), Some(other)) = (type_of_literal(left), type_of_literal(right))
            && one != other
        {
            let sign = operator.literal_syntax();
            self.report(position, sign, Diagnostic::warning(format!("{one} compared with {other}: always {never}")));
        }
    }
}

/// `status` of `a.b.status`.
fn last_property(expression: &Expr) -> Option<&str> {
    last_two(expression).map(|(_, last)| last)
}

/// `duration` of `r.timings.duration`.
fn property_of_timings(expression: &Expr) -> Option<&str> {
    match last_two(expression) {
        Some((Some("timings"), last)) => Some(last),
        _ => None,
    }
}

/// The last property of a chain and the one before it.
fn last_two(expression: &Expr) -> Option<(Option<&str>, &str)> {
    let mut before = None;
    let mut rest = expression;
    loop {
        let Expr::Dot(parts, ..) = rest else {
            return match rest {
                Expr::Property(property, _) => Some((before, property.2.as_str())),
                _ => None,
            };
        };
        before = match &parts.lhs {
            Expr::Property(property, _) => Some(property.2.as_str()),
            Expr::Dot(inner, ..) => match &inner.rhs {
                Expr::Property(property, _) => Some(property.2.as_str()),
                _ => None,
            },
            _ => None,
        };
        rest = &parts.rhs;
    }
}

/// What a literal is; numbers of either kind compare with each other.
fn type_of_literal(expression: &Expr) -> Option<&'static str> {
    match expression {
        Expr::BoolConstant(..) => Some("a boolean"),
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some("a number"),
        Expr::StringConstant(..) => Some("a string"),
        _ => None,
    }
}
