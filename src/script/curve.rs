//! `curve(|t| …, over)`: the closure is asked for its values, once, while the top level is evaluated.
//!
//! Called where shapes are built. Which moments it is asked for, and which values are right, the ground decides.

use super::duration::{Rate, Span};
use super::error::type_name;
use crate::load::{Argument, moments};
use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// The values of `closure` over the time `over`.
///
/// # Errors
/// What the closure throws, at its own place; a time that is none, a value that is no number, at the call.
pub(super) fn sample(
    context: &NativeCallContext<'_>,
    signature: &str,
    closure: &FnPtr,
    over: Option<&Dynamic>,
) -> Fallible<Argument> {
    let fail = |text: String| EvalAltResult::ErrorRuntime(text.into(), context.call_position());
    let over = over.map(super::duration::read).unwrap_or_else(|| Err("`over` is missing".to_owned()));
    let over = over.map_err(|why| fail(format!("`{signature}`: {why}")))?;
    let mut values = Vec::new();
    for moment in moments(over) {
        let value = closure.call_raw(context, None, [Dynamic::from(Span::of(moment))])?;
        let number = value.as_float().or_else(|_| value.as_int().map(|whole| whole as f64));
        let number = number.ok().or_else(|| Some(value.clone().try_cast::<Rate>()?.0)).ok_or_else(|| {
            let (at, found) = (crate::units::duration::print(moment), type_name(&value));
            fail(format!("`{signature}`: at {at} the closure gives {found}, not a number of users or a rate"))
        })?;
        values.push(number);
        // The rest would be asked for nothing.
        if !number.is_finite() || number < 0.0 {
            let at = crate::units::duration::print(moment);
            let why = if number < 0.0 { "negative" } else { "not a finite number" };
            return Err(fail(format!("the closure of `{signature}` gives {number} at {at}, which is {why}")).into());
        }
    }
    Ok(Argument::Samples(values))
}

#[cfg(test)]
mod tests {
    use crate::script::declare::Shape;
    use std::time::Duration;

    fn shape(script: &str) -> Result<Shape, String> {
        let engine = crate::script::machine::engine(&crate::plan::Limits::default());
        engine.eval::<Shape>(script).map_err(|error| error.to_string())
    }

    #[test]
    fn any_function_of_time_is_a_shape() {
        let sine = shape("let mean = 10; curve(|t| mean + 5 * sin(t.seconds), 6.s)").expect("a curve").law;
        for millis in [0, 1, 1_234, 4_700, 5_999] {
            let at = Duration::from_millis(millis);
            let exact = 10.0 + 5.0 * at.as_secs_f64().sin();
            let value = sine.target(at).expect("not over");
            assert!((value - exact).abs() < 1e-4, "{at:?}: {value} instead of {exact}");
        }
        assert_eq!((sine.to_string(), sine.target(Duration::from_secs(6))), ("curve(|t| …, 6s)".to_owned(), None));
        let straight = shape("curve(|t| 2 * t.seconds, \"10s\").hold(5.s)").expect("a curve").law;
        assert!((straight.integral(Duration::MAX) - 200.0).abs() < 1e-9);
        assert_eq!(straight.to_string(), "curve(|t| …, 10s).hold(5s)");
        let stairs =
            shape("fn level(t) { if t < 1.s { 3 } else { 50.per_s } } curve(level, 2.s)").expect("a curve").law;
        let at = |millis| stairs.target(Duration::from_millis(millis));
        assert_eq!((at(900), at(1_100)), (Some(3.0), Some(50.0)));
    }

    #[test]
    fn what_a_closure_cannot_give_is_told_with_its_moment() {
        for (script, wanted) in [
            ("curve(|t| \"many\", 1.s)", "at 0s the closure gives a string, not a number of users or a rate"),
            ("curve(|t| t, 1.s)", "the closure gives a duration, not a number"),
            ("curve(|t| 5 - 10 * t.seconds, 1.s)", "at 501ms, which is negative"),
            ("curve(|t| 0.0 / 0.0, 1.s)", "gives NaN at 0s, which is not a finite number"),
            ("curve(|t| throw \"no idea\", 1.s)", "no idea"),
            ("curve(|t| 1, 0.s)", "`over` of `curve(|t| …, over)` is zero"),
            ("curve(|t| 1, 5)", "a bare number is not a duration: write `5.s`"),
            (
                "curve(5, 5.s)",
                "`|t| …` of `curve(|t| …, over)` is a closure of time such as `|t| 10 + t.seconds`, not a number",
            ),
        ] {
            let error = shape(script).expect_err(wanted);
            assert!(error.contains(wanted), "{script}: {error}");
        }
    }

    #[test]
    fn a_steered_shape_keeps_its_closure() {
        let shape = shape("let more = 5; ramp(1, 5, 5.s).then(adaptive(|t, live| live.users + more).during(1.m))");
        let shape = shape.expect("a shape");
        assert_eq!(shape.law.to_string(), "ramp(1, 5, 5s).then(adaptive(|t, live| …).during(1m))");
        let steer = shape.steer.expect("it has a closure");
        assert_eq!(steer.curry().len(), 1, "what it captured");
        assert!(self::shape("ramp(1, 5, 5.s)").expect("a shape").steer.is_none());
        for (script, wanted) in [
            (
                "adaptive(5)",
                "`|t, live| …` of `adaptive(|t, live| …)` is a closure such as `|t, live| 10`, not a number",
            ),
            ("ramp(|t| 5, 10, 5.s)", "`from` of `ramp(from, to, over)` is a number of users or a rate, not a closure"),
        ] {
            let error = self::shape(script).expect_err(wanted);
            assert!(error.contains(wanted), "{script}: {error}");
        }
    }

    #[test]
    fn a_search_says_what_it_needs() {
        let given =
            "find_capacity(#{ start: 10, max: 1000, objective: \"p(95) < 300ms\", hold: 1.m, step: 2, every: 2.s })";
        let search = shape(given).expect("a search");
        let printed =
            "find_capacity(#{start: 10, max: 1000, objective: \"p(95) < 300ms\", step: 2, every: 2s, hold: 1m})";
        assert_eq!(search.law.to_string(), printed);
        for (script, wanted) in [
            ("find_capacity(#{ start: 10, max: 1000 })", "needs `objective`: `find_capacity(#{ start: 10,"),
            ("find_capacity(#{ start: 10, max: 10, objective: \"x\" })", "is 10, and must be more than 10"),
            (
                "find_capacity(#{ start: 0, max: 10, objective: \"x\" })",
                "`start` of `find_capacity(#{start, max, objective, …})` is 0",
            ),
            ("find_capacity(#{ start: 1, max: 10, objective: 5 })", "is text, not a number of users or a rate"),
            ("find_capacity(#{ start: 1, max: 10, objective: \"x\", stop: 5 })", "has no `stop`: it takes `start`"),
            (
                "find_capacity(#{ start: 1, max: 10, objective: \"x\", hold: 5 })",
                "`hold` of `find_capacity(#{start, max, objective, …})` is a duration",
            ),
            ("find_capacity(#{ start: 1, max: 10, objective: \"x\", step: 1.0 })", "is 1, and must be more than 1"),
            ("find_capacity(5)", "is a map such as `#{ start: 10"),
        ] {
            let error = shape(script).expect_err(wanted);
            assert!(error.contains(wanted), "{script}: {error}");
        }
    }
}
