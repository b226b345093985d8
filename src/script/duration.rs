//! Durations in scripts: `30.s`, `250.ms`, arithmetic and comparison among themselves, never with bare numbers.
//!
//! Rhai compares values of different types as `false`, silently; so every mixed comparison is registered to be an error
//! that says what to write.

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};
use std::time::Duration;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A span of time that a script holds. Signed, so that subtraction never fails; kept in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub i64);

impl Span {
    /// As a `Duration`; negative spans are zero.
    pub fn duration(self) -> Duration {
        Duration::from_nanos(self.0.max(0) as u64)
    }

    /// From a `Duration`, up to 292 years.
    pub fn of(duration: Duration) -> Self {
        Span(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// From milliseconds, the unit of measured times.
    pub fn of_ms(ms: f64) -> Self {
        Span((ms * 1e6).round() as i64)
    }
}

/// A rate that a script holds: so many per second.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// Getters of rates: name, per second.
const RATES: [(&str, f64); 3] = [("per_s", 1.0), ("per_min", 1.0 / 60.0), ("per_h", 1.0 / 3_600.0)];

/// Unit getters: name, nanoseconds.
const UNITS: [(&str, i64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The duration that a value means: a duration, or text such as `"30s"`. Else what is wrong and what would be right.
pub fn read(value: &Dynamic) -> Result<Duration, String> {
    if let Some(span) = value.clone().try_cast::<Span>() {
        return if span.0 < 0 { Err("a duration cannot be negative here".to_owned()) } else { Ok(span.duration()) };
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return crate::units::duration::parse(&text).map_err(|error| error.to_string());
    }
    if value.is_int() || value.is_float() {
        return Err(format!("a bare number is not a duration: write `{value}.s` or `\"{value}s\"`"));
    }
    Err(format!("a duration is wanted, such as `30.s` or `\"30s\"`, not {}", super::error::type_name(value)))
}

/// The rate per second that a value means: a rate, a bare number, or text such as `"50/s"`. Else what is wrong.
pub fn read_rate(value: &Dynamic) -> Result<f64, String> {
    let rate = if let Some(rate) = value.clone().try_cast::<Rate>() {
        rate.0
    } else if let Some(number) = value.as_float().ok().or_else(|| value.as_int().ok().map(|whole| whole as f64)) {
        number
    } else if let Ok(text) = value.as_immutable_string_ref() {
        crate::units::rate::parse(&text).map_err(|error| error.to_string())?
    } else {
        let found = super::error::type_name(value);
        return Err(format!("a rate is wanted, such as `50.per_s` or `\"50/s\"`, not {found}"));
    };
    if rate.is_finite() && rate >= 0.0 { Ok(rate) } else { Err(format!("{rate} is no rate: a number from 0 on")) }
}

/// Adds the types, their units and their operators.
pub fn register(engine: &mut Engine) {
    register_rates(engine);
    engine.register_type_with_name::<Span>("duration");
    engine.register_fn("duration", |context: NativeCallContext<'_>, value: Dynamic| -> Fallible<Span> {
        let span = read(&value).map(Span::of);
        span.map_err(|why| EvalAltResult::ErrorRuntime(why.into(), context.call_position()).into())
    });
    for (name, nanos) in UNITS {
        engine.register_get(name, move |n: &mut i64| -> Fallible<Span> {
            n.checked_mul(nanos).map(Span).ok_or_else(|| too_large(name))
        });
        engine.register_get(name, move |n: &mut f64| -> Fallible<Span> {
            let value = *n * nanos as f64;
            if value.is_finite() && value.abs() < i64::MAX as f64 {
                Ok(Span(value.round() as i64))
            } else {
                Err(too_large(name))
            }
        });
    }
    engine
        .register_get("millis", |span: &mut Span| span.0 as f64 / 1e6)
        .register_get("seconds", |span: &mut Span| span.0 as f64 / 1e9)
        .register_fn("to_string", |span: &mut Span| crate::units::duration::print(span.duration()))
        .register_fn("to_debug", |span: &mut Span| crate::units::duration::print(span.duration()))
        .register_fn("+", |a: Span, b: Span| Span(a.0.saturating_add(b.0)))
        .register_fn("-", |a: Span, b: Span| Span(a.0.saturating_sub(b.0)))
        .register_fn("-", |a: Span| Span(a.0.saturating_neg()))
        .register_fn("*", |a: Span, b: i64| Span(a.0.saturating_mul(b)))
        .register_fn("*", |a: i64, b: Span| Span(b.0.saturating_mul(a)))
        .register_fn("*", |a: Span, b: f64| Span((a.0 as f64 * b).round() as i64))
        .register_fn("*", |a: f64, b: Span| Span((b.0 as f64 * a).round() as i64))
        .register_fn("/", |a: Span, b: Span| a.0 as f64 / b.0 as f64)
        .register_fn("/", |a: Span, b: f64| Span((a.0 as f64 / b).round() as i64))
        .register_fn("/", |a: Span, b: i64| -> Fallible<Span> {
            a.0.checked_div(b).map(Span).ok_or_else(|| "division by zero".into())
        })
        .register_fn("==", |a: Span, b: Span| a == b)
        .register_fn("!=", |a: Span, b: Span| a != b)
        .register_fn("<", |a: Span, b: Span| a < b)
        .register_fn("<=", |a: Span, b: Span| a <= b)
        .register_fn(">", |a: Span, b: Span| a > b)
        .register_fn(">=", |a: Span, b: Span| a >= b);
    for operator in ["==", "!=", "<", "<=", ">", ">=", "+", "-"] {
        engine
            .register_fn(operator, move |context: NativeCallContext<'_>, _: Span, n: i64| {
                mixed(&context, n.to_string())
            })
            .register_fn(operator, move |context: NativeCallContext<'_>, n: i64, _: Span| {
                mixed(&context, n.to_string())
            })
            .register_fn(operator, move |context: NativeCallContext<'_>, _: Span, n: f64| {
                mixed(&context, n.to_string())
            })
            .register_fn(operator, move |context: NativeCallContext<'_>, n: f64, _: Span| {
                mixed(&context, n.to_string())
            });
    }
}

fn register_rates(engine: &mut Engine) {
    engine
        .register_type_with_name::<Rate>("rate")
        .register_fn("to_string", |rate: &mut Rate| crate::units::rate::print(rate.0))
        .register_fn("to_debug", |rate: &mut Rate| crate::units::rate::print(rate.0))
        .register_get("per_second", |rate: &mut Rate| rate.0)
        .register_fn("+", |a: Rate, b: Rate| Rate(a.0 + b.0))
        .register_fn("-", |a: Rate, b: Rate| Rate(a.0 - b.0))
        .register_fn("*", |a: Rate, b: i64| Rate(a.0 * b as f64))
        .register_fn("*", |a: i64, b: Rate| Rate(a as f64 * b.0))
        .register_fn("*", |a: Rate, b: f64| Rate(a.0 * b))
        .register_fn("*", |a: f64, b: Rate| Rate(a * b.0))
        .register_fn("/", |a: Rate, b: Rate| a.0 / b.0)
        .register_fn("/", |a: Rate, b: i64| Rate(a.0 / b as f64))
        .register_fn("/", |a: Rate, b: f64| Rate(a.0 / b))
        .register_fn("==", |a: Rate, b: Rate| a == b)
        .register_fn("!=", |a: Rate, b: Rate| a != b)
        .register_fn("<", |a: Rate, b: Rate| a < b)
        .register_fn("<=", |a: Rate, b: Rate| a <= b)
        .register_fn(">", |a: Rate, b: Rate| a > b)
        .register_fn(">=", |a: Rate, b: Rate| a >= b);
    for (name, per_second) in RATES {
        engine.register_get(name, move |n: &mut i64| Rate(*n as f64 * per_second));
        engine.register_get(name, move |n: &mut f64| Rate(*n * per_second));
    }
    for operator in ["==", "!=", "<", "<=", ">", ">=", "+", "-"] {
        engine
            .register_fn(operator, |context: NativeCallContext<'_>, _: Rate, n: i64| bare(&context, n.to_string()))
            .register_fn(operator, |context: NativeCallContext<'_>, n: i64, _: Rate| bare(&context, n.to_string()))
            .register_fn(operator, |context: NativeCallContext<'_>, _: Rate, n: f64| bare(&context, n.to_string()))
            .register_fn(operator, |context: NativeCallContext<'_>, n: f64, _: Rate| bare(&context, n.to_string()));
    }
}

fn bare(context: &NativeCallContext<'_>, number: String) -> Fallible<bool> {
    let text = format!("a rate and the bare number {number} do not go together: write `{number}.per_s`");
    Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into())
}

fn mixed(context: &NativeCallContext<'_>, number: String) -> Fallible<bool> {
    let text =
        format!("a duration and the bare number {number} do not go together: write `{number}.ms` or `{number}.s`");
    Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into())
}

fn too_large(unit: &str) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(format!("this number of {unit} is no duration: it is too large").into(), Position::NONE)
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval<T: Clone + 'static>(script: &str) -> Fallible<T> {
        let mut engine = Engine::new();
        register(&mut engine);
        engine.eval::<T>(script)
    }

    #[test]
    fn units_add_up_and_compare() {
        assert_eq!(eval::<Span>("1.m + 30.s - 500.ms").expect("a duration"), Span(89_500_000_000));
        assert_eq!(eval::<Span>("1.5.s * 2").expect("a duration"), Span(3_000_000_000));
        assert!(eval::<bool>("90.s == 1.5.m && 1.ms < 1.s").expect("a truth"));
        assert_eq!(eval::<f64>("90.s / 1.m").expect("a number"), 1.5);
    }

    #[test]
    fn a_bare_number_is_refused_with_what_would_be_right() {
        for script in ["1.s < 300", "300 > 1.s", "1.s == 1.0", "1.s != 1", "2.s + 1"] {
            let error = eval::<Dynamic>(script).expect_err(script).to_string();
            assert!(error.contains("bare number") && error.contains(".ms`"), "{script}: {error}");
        }
    }

    #[test]
    fn no_duration_overflows() {
        assert!(eval::<Span>("9223372036854775807.d").is_err());
        assert!(eval::<Span>("1e300.s").is_err());
        assert_eq!(
            read(&Dynamic::from(5_i64)).expect_err("bare"),
            "a bare number is not a duration: write `5.s` or `\"5s\"`"
        );
    }
}
