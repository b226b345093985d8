//! `backoff: …`: what a script writes for the wait after an error, and what it means.
//!
//! Called while the top level is evaluated (the functions) and by `compile` and `scenarios` (the option). It does not wait:
//! `engine::interlude` does.

use super::desk::Functions;
use super::settings::Reader;
use super::{duration, life};
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Growth};
use rhai::{Dynamic, Engine, EvalAltResult, Module, NativeCallContext};
use std::time::Duration;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A strategy that a script holds.
#[derive(Debug, Clone)]
pub struct Backoff(plan::Backoff);

impl From<Growth> for Backoff {
    fn from(growth: Growth) -> Self {
        Backoff(plan::Backoff { growth, jitter: false })
    }
}

/// Adds the type, the module, and the two names that stand for themselves in `backoff: exponential(100.ms, 10.s)`.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Backoff>("backoff");
    engine.register_fn("jitter", |backoff: &mut Backoff| Backoff(plan::Backoff { jitter: true, ..backoff.0.clone() }));
    engine.register_fn("to_string", |backoff: &mut Backoff| backoff.0.to_string());
    engine.register_fn("to_debug", |backoff: &mut Backoff| backoff.0.to_string());
    engine.register_fn("linear", linear);
    engine.register_fn("exponential", exponential);
    let mut module = Module::new();
    module.set_native_fn("none", || Ok(Backoff::from(Growth::None)));
    module.set_native_fn("constant", |context: NativeCallContext<'_>, time: Dynamic| {
        Ok(Backoff::from(Growth::Constant(read(&context, &time)?)))
    });
    module.set_native_fn("linear", linear);
    module.set_native_fn("exponential", exponential);
    engine.register_static_module("backoff", module.into());
}

fn linear(context: NativeCallContext<'_>, first: Dynamic, most: Dynamic) -> Fallible<Backoff> {
    let (first, most) = bounds(&context, &first, &most)?;
    Ok(Growth::Linear { first, most }.into())
}

fn exponential(context: NativeCallContext<'_>, first: Dynamic, most: Dynamic) -> Fallible<Backoff> {
    let (first, most) = bounds(&context, &first, &most)?;
    Ok(Growth::Exponential { first, most }.into())
}

fn bounds(context: &NativeCallContext<'_>, first: &Dynamic, most: &Dynamic) -> Fallible<(Duration, Duration)> {
    let (first, most) = (read(context, first)?, read(context, most)?);
    if first.is_zero() {
        return Err(fail(context, "the first wait is longer than zero; `backoff::none()` never waits".to_owned()));
    }
    if most < first {
        let print = crate::units::duration::print;
        return Err(fail(context, format!("the longest wait, {}, is below the first, {}", print(most), print(first))));
    }
    Ok((first, most))
}

fn read(context: &NativeCallContext<'_>, time: &Dynamic) -> Fallible<Duration> {
    duration::read(time).map_err(|why| fail(context, why))
}

fn fail(context: &NativeCallContext<'_>, why: String) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(format!("`{}`: {why}", context.fn_name()).into(), context.call_position()).into()
}

/// The value of a key `backoff`, if it is given.
pub(super) fn option(reader: &Reader<'_>, functions: &Functions) -> Option<plan::Backoff> {
    let value = reader.any("backoff")?;
    if let Some(backoff) = value.clone().try_cast::<Backoff>() {
        return Some(backoff.0);
    }
    if value.is_fnptr() {
        let called = "punk calls it with the number of consecutive errors: `|errors| 1.s * errors`";
        let name = life::function(reader, "backoff", functions, called)?;
        return Some(Backoff::from(Growth::Script(name)).0);
    }
    let why = match duration::read(value) {
        Ok(time) => return Some(Backoff::from(Growth::Constant(time)).0),
        // What is neither of the two is more likely to have been meant as a strategy.
        Err(_) if !value.is_int() && !value.is_float() && !value.is_string() => {
            format!("`backoff` is a strategy, a duration or a closure, not {}", super::error::type_name(value))
        }
        Err(why) => format!("`backoff`: {why}"),
    };
    let help =
        "`exponential(100.ms, 10.s)`, `linear(100.ms, 10.s)`, `1.s`, `backoff::none()` or `|errors| 1.s * errors`";
    reader.problem("backoff", Diagnostic::error(why).help(help));
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(script: &str) -> Result<String, String> {
        let engine = crate::script::machine::engine(&plan::Limits::default());
        engine.eval::<Backoff>(script).map(|backoff| backoff.0.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_spelling_is_understood() {
        for (script, printed) in [
            ("exponential(100.ms, 10.s)", "exponential(100ms, 10s)"),
            ("backoff::exponential(\"100ms\", 10.s).jitter()", "exponential(100ms, 10s).jitter()"),
            ("linear(1.s, 1.s)", "linear(1s, 1s)"),
            ("backoff::linear(1.s, 1.m)", "linear(1s, 1m)"),
            ("backoff::constant(\"2s\").jitter()", "constant(2s).jitter()"),
            ("backoff::none()", "none()"),
        ] {
            assert_eq!(eval(script).as_deref(), Ok(printed));
        }
    }

    #[test]
    fn what_is_wrong_says_what_would_be_right() {
        for (script, wanted) in [
            ("exponential(100, 10.s)", "`exponential`: a bare number is not a duration: write `100.s`"),
            ("linear(10.s, 1.s)", "`linear`: the longest wait, 1s, is below the first, 10s"),
            ("exponential(0.s, 1.s)", "`backoff::none()` never waits"),
            ("backoff::constant(-1.s)", "cannot be negative"),
        ] {
            let found = eval(script).expect_err(script);
            assert!(found.contains(wanted), "{script}: {found}");
        }
    }
}
