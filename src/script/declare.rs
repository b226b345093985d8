//! Declarations: what the top level of a script says, recorded while it is evaluated.
//!
//! `options`, `scenario`, `threshold`, `alert`, `metric::…`, `env` and `demo::shop` do nothing but write down their arguments and
//! where they were called; `compile` turns the record into a Plan, and a `Machine` finds its closures in it, by order.
//! So a wrong declaration never stops the evaluation, and all errors are found at once.

use crate::load::{Argument, Kind};
use crate::metrics::{MetricKind, Unit};
use crate::plan::EnvValue;
use crate::plan::monitor::TOKENS;
use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, Module, NativeCallContext, Position};
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// What kind of declaration a call was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// `options(#{…})`.
    Options,
    /// `scenario(name, #{…})`.
    Scenario,
    /// `threshold(selector, expression[, #{…}])`, `threshold(expression[, #{…}])` or `threshold(name, closure[, #{…}])`.
    Threshold,
    /// `alert(name, #{…})`.
    Alert,
    /// `feed(name, feed::…)`.
    Feed,
    /// `metric::counter/gauge/rate/trend(name[, #{…}])`.
    Metric(MetricKind),
}

/// One declaring call.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// Which.
    pub what: What,
    /// With what.
    pub arguments: Vec<Dynamic>,
    /// In which file, as `Source::path`.
    pub file: Option<String>,
    /// Where in it.
    pub at: Position,
}

/// Everything that one evaluation of the top level declared.
#[derive(Debug, Default)]
pub struct Record {
    /// In order.
    pub declarations: Vec<Declaration>,
    /// What `env` may answer: values given with `-e`.
    pub given: BTreeMap<String, String>,
    /// What `env` did answer.
    pub env: BTreeMap<String, EnvValue>,
    /// Values that `env` could not give in the type of the default: name, value, wanted type, file and place.
    pub bad_env: Vec<(String, String, &'static str, Option<String>, Position)>,
    /// How often `demo::shop()` was asked for, and not replaced by a given value as the default of an `env`.
    pub demo: usize,
}

thread_local! {
    static RECORD: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Evaluates `top_level` while recording; nested recordings do not exist.
pub fn record<T>(given: &BTreeMap<String, String>, top_level: impl FnOnce() -> T) -> (T, Record) {
    let fresh = Record { given: given.clone(), ..Record::default() };
    RECORD.with(|slot| *slot.borrow_mut() = Some(fresh));
    let result = top_level();
    let record = RECORD.with(|slot| slot.borrow_mut().take()).unwrap_or_default();
    (result, record)
}

fn with<T>(context: &NativeCallContext<'_>, name: &str, act: impl FnOnce(&mut Record) -> T) -> Fallible<T> {
    RECORD.with(|slot| match &mut *slot.borrow_mut() {
        Some(record) => Ok(act(record)),
        None => {
            let text = format!("`{name}` declares something and belongs to the top level of the script, not inside a function that users run");
            Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into())
        }
    })
}

/// The address that stands for the built-in shop until its server is started.
pub const DEMO_SHOP: &str = "demo://shop";

/// Adds the declaring functions, in all their arities.
pub fn register(engine: &mut Engine) {
    for (name, what, arities) in [
        ("options", What::Options, 1..=1),
        ("scenario", What::Scenario, 2..=2),
        ("threshold", What::Threshold, 1..=3),
        ("alert", What::Alert, 2..=2),
    ] {
        for arity in arities {
            let types = vec![TypeId::of::<Dynamic>(); arity];
            engine.register_raw_fn(name, &types, move |context, arguments| declare(&context, name, what, arguments));
        }
    }
    engine.register_fn("env", |context: NativeCallContext<'_>, name: ImmutableString| {
        env(&context, &name, Dynamic::UNIT)
    });
    engine.register_fn("env", |context: NativeCallContext<'_>, name: ImmutableString, default: Dynamic| {
        env(&context, &name, default)
    });
    let mut demo = Module::new();
    demo.set_native_fn("shop", |context: NativeCallContext<'_>| {
        with(&context, "demo::shop", |record| record.demo += 1)?;
        Ok(ImmutableString::from(DEMO_SHOP))
    });
    engine.register_static_module("demo", demo.into());
}

/// The declaring half of the `metric::` module.
pub fn register_metrics(module: &mut Module) {
    let kinds = [
        ("counter", MetricKind::Counter),
        ("gauge", MetricKind::Gauge),
        ("rate", MetricKind::Rate),
        ("trend", MetricKind::Trend),
    ];
    for (name, kind) in kinds {
        module.set_native_fn(name, move |context: NativeCallContext<'_>, metric: ImmutableString| {
            declare(&context, name, What::Metric(kind), &mut [&mut Dynamic::from(metric)])
        });
        module.set_native_fn(name, move |context: NativeCallContext<'_>, metric: ImmutableString, options: Map| {
            declare(
                &context,
                name,
                What::Metric(kind),
                &mut [&mut Dynamic::from(metric), &mut Dynamic::from_map(options)],
            )
        });
    }
}

/// The unit that `#{ unit: … }` names.
pub fn unit(name: &str) -> Option<Unit> {
    match name {
        "time" | "ms" | "duration" => Some(Unit::Time),
        "data" | "bytes" => Some(Unit::Data),
        "plain" | "count" | "" => Some(Unit::Plain),
        _ => None,
    }
}

pub(super) fn declare(
    context: &NativeCallContext<'_>,
    name: &str,
    what: What,
    arguments: &mut [&mut Dynamic],
) -> Fallible<()> {
    let declaration = Declaration {
        what,
        arguments: arguments.iter().map(|argument| (**argument).clone()).collect(),
        file: context.call_source().map(str::to_owned),
        at: context.call_position(),
    };
    with(context, name, |record| record.declarations.push(declaration))
}

/// `env(name, default)`: the value given with `-e`, in the type of the default.
///
/// A variable that a script declares is also taken from punk's own environment, but for the tokens of the monitor; on a shard all have their answer already.
fn env(context: &NativeCallContext<'_>, name: &str, default: Dynamic) -> Fallible<Dynamic> {
    let plain = default.is_unit() || default.is_int() || default.is_float() || default.is_bool() || default.is_string();
    if !plain && !default.is::<super::duration::Span>() {
        let found = super::error::type_name(&default);
        let text = format!("`env(\"{name}\", …)`: the default is text, a number, a bool or a duration, not {found}");
        return Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into());
    }
    with(context, "env", |record| {
        let around = || std::env::var(name).ok().filter(|text| !text.is_empty() && !TOKENS.contains(&name));
        let text = record.given.get(name).cloned().or_else(around);
        let Some(text) = text else {
            let answer = answer_of(&default);
            record.env.insert(name.to_owned(), answer);
            return default;
        };
        if default.as_immutable_string_ref().is_ok_and(|default| default.starts_with(DEMO_SHOP)) && text != DEMO_SHOP {
            record.demo = record.demo.saturating_sub(1); // asked for, and not used
        }
        let (value, wanted) = if default.is_int() {
            (text.parse().ok().map(EnvValue::Integer), "an integer")
        } else if default.is_float() {
            (text.parse().ok().map(EnvValue::Float), "a number")
        } else if default.is_bool() {
            (text.parse().ok().map(EnvValue::Bool), "`true` or `false`")
        } else if default.is::<super::duration::Span>() {
            return match crate::units::duration::parse(&text) {
                Ok(duration) => {
                    record.env.insert(name.to_owned(), EnvValue::Text(text));
                    Dynamic::from(super::duration::Span::of(duration))
                }
                Err(_) => {
                    let place = (context.call_source().map(str::to_owned), context.call_position());
                    record.bad_env.push((name.to_owned(), text, "a duration such as `30s`", place.0, place.1));
                    default
                }
            };
        } else {
            (Some(EnvValue::Text(text.clone())), "text")
        };
        match value {
            Some(value) => {
                let answer = dynamic_of(&value);
                record.env.insert(name.to_owned(), value);
                answer
            }
            None => {
                let place = (context.call_source().map(str::to_owned), context.call_position());
                record.bad_env.push((name.to_owned(), text, wanted, place.0, place.1));
                default
            }
        }
    })
}

fn answer_of(default: &Dynamic) -> EnvValue {
    if let Ok(integer) = default.as_int() {
        EnvValue::Integer(integer)
    } else if let Ok(float) = default.as_float() {
        EnvValue::Float(float)
    } else if let Ok(truth) = default.as_bool() {
        EnvValue::Bool(truth)
    } else if default.is_unit() {
        EnvValue::Missing
    } else if let Some(span) = default.clone().try_cast::<super::duration::Span>() {
        EnvValue::Text(crate::units::duration::print(span.duration()))
    } else {
        EnvValue::Text(default.to_string())
    }
}

fn dynamic_of(value: &EnvValue) -> Dynamic {
    match value {
        EnvValue::Text(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        EnvValue::Integer(integer) => Dynamic::from(*integer),
        EnvValue::Float(float) => Dynamic::from(*float),
        EnvValue::Bool(truth) => Dynamic::from(*truth),
        EnvValue::Missing => Dynamic::UNIT,
    }
}

/// A load shape that a script holds.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What the plan knows.
    pub law: Arc<dyn crate::load::Shape>,
    /// The closure of its `adaptive` part, which is asked while the test runs.
    pub steer: Option<FnPtr>,
}

/// Adds the shapes: each entry of the closed list under its name, as a function or as a method of a shape.
pub fn register_shapes(engine: &mut Engine) {
    engine.register_type_with_name::<Shape>("shape");
    engine.register_fn("to_string", |shape: &mut Shape| shape.law.to_string());
    engine.register_fn("to_debug", |shape: &mut Shape| shape.law.to_string());
    for entry in crate::load::SHAPES {
        let mut types = vec![TypeId::of::<Dynamic>(); entry.parameters.len()];
        if entry.method {
            types[0] = TypeId::of::<Shape>();
        }
        engine.register_raw_fn(entry.name, &types, move |context, arguments| {
            let fail = |text: String| EvalAltResult::ErrorRuntime(text.into(), context.call_position());
            let mut steer = None;
            let mut given = Vec::with_capacity(arguments.len());
            for (argument, parameter) in arguments.iter().zip(entry.parameters) {
                given.push(match (**argument).clone().try_cast::<FnPtr>() {
                    Some(closure) if parameter.kind == Kind::Samples => {
                        super::curve::sample(&context, entry.signature, &closure, arguments.get(1).map(|over| &**over))?
                    }
                    Some(closure) => {
                        steer = Some(closure);
                        Argument::Closure
                    }
                    None => shape_argument(argument, parameter.kind)
                        .map_err(|why| fail(format!("`{}`: {why}", entry.signature)))?,
                });
                // At most one part of a shape is steered, so whoever has a closure has that one's.
                steer = steer.or_else(|| (**argument).clone().try_cast::<Shape>()?.steer);
            }
            let law = crate::load::build(entry.name, &given).map_err(|error| {
                fail(match error.help() {
                    Some(help) => format!("{error}: {help}"),
                    None => error.to_string(),
                })
            })?;
            Ok(Shape { law, steer })
        });
    }
}

fn shape_argument(value: &Dynamic, wanted: Kind) -> Result<Argument, String> {
    if let Ok(integer) = value.as_int() {
        return Ok(Argument::Value(integer as f64));
    }
    if let Ok(float) = value.as_float() {
        return Ok(Argument::Value(float));
    }
    if let Some(rate) = value.clone().try_cast::<super::duration::Rate>() {
        return Ok(Argument::Value(rate.0));
    }
    if let Some(shape) = value.clone().try_cast::<Shape>() {
        return Ok(Argument::Shape(shape.law));
    }
    if wanted == Kind::Text && value.is_string() {
        return Ok(Argument::Text(value.to_string()));
    }
    if let (Kind::Named, Ok(map)) = (wanted, value.as_map_ref()) {
        let named = map.iter().map(|(name, value)| {
            let wanted = if name == "objective" { Kind::Text } else { Kind::Value };
            let argument = shape_argument(value, wanted).map_err(|why| format!("`{name}`: {why}"))?;
            Ok((name.to_string(), argument))
        });
        return named.collect::<Result<_, String>>().map(Argument::Named);
    }
    if value.is::<super::duration::Span>() || value.is_string() {
        return super::duration::read(value).map(Argument::Duration);
    }
    if let Ok(map) = value.as_map_ref() {
        let times = map.iter().map(|(name, time)| {
            let time = super::duration::read(time).map_err(|why| format!("`{name}`: {why}"))?;
            Ok((name.to_string(), time))
        });
        return times.collect::<Result<_, String>>().map(Argument::Times);
    }
    if let Ok(list) = value.as_array_ref() {
        let stages =
            list.iter().enumerate().map(|(at, item)| stage(item).map_err(|why| format!("stage {}: {why}", at + 1)));
        return stages.collect::<Result<_, String>>().map(Argument::Stages);
    }
    Err(format!("{} is neither a number, a duration nor a shape", super::error::type_name(value)))
}

/// `[30.s, 10]`: a time and the value that is reached after it.
fn stage(item: &Dynamic) -> Result<(std::time::Duration, f64), String> {
    let pair = item.as_array_ref().ok();
    let Some([time, value]) = pair.as_ref().map(|pair| pair.as_slice()) else {
        let found =
            pair.as_ref().map_or_else(|| super::error::type_name(item), |pair| format!("a list of {}", pair.len()));
        return Err(format!("a time and a value are wanted, such as `[30.s, 10]`, not {found}"));
    };
    let time = super::duration::read(time)?;
    let number = value.as_float().or_else(|_| value.as_int().map(|integer| integer as f64));
    let value = number.map_err(|_| format!("the value is a number, not {}", super::error::type_name(value)))?;
    Ok((time, value))
}

/// All strings of a script array, or the first item that is none.
pub fn strings(items: &Array) -> Result<Vec<String>, String> {
    items
        .iter()
        .map(|item| {
            item.as_immutable_string_ref().map(|text| text.to_string()).map_err(|_| super::error::type_name(item))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(script: &str) -> Result<String, String> {
        let engine = crate::script::machine::engine(&crate::plan::Limits::default());
        engine.eval::<Shape>(script).map(|shape| shape.law.to_string()).map_err(|error| error.to_string())
    }

    /// A printed shape as a script: its durations as text, which scripts take as well.
    fn quoted(printed: &str) -> String {
        let is_time =
            |word: &str| word.starts_with(|first: char| first.is_ascii_digit()) && word.ends_with(char::is_alphabetic);
        let words = printed.split_inclusive(['(', ')', '[', ']', ',', ' ', '}']).map(|word| {
            let bare = word.trim_end_matches(['(', ')', '[', ']', ',', ' ', '}']);
            if is_time(bare) { format!("\"{bare}\"{}", &word[bare.len()..]) } else { word.to_owned() }
        });
        words.collect()
    }

    #[test]
    fn what_a_shape_prints_makes_it_again() {
        for (script, printed) in [
            ("steps(10, 50, 4, 30.s).repeat(2)", "steps(10, 50, 4, 30s).repeat(2)"),
            ("spike(10, 500, #{ hold: 5.s, after: 1.m })", "spike(10, 500, #{after: 1m, hold: 5s})"),
            ("wave(20, 10.5, 1.m).during(\"90s\").hold(1.s)", "wave(20, 10.5, 1m).during(1m30s).hold(1s)"),
            ("stress_peak(100, 2.m)", "stress_peak(100, 2m)"),
            ("stages([[0.s, 5], [30.s, 10], [1.m, 50.5]])", "stages([[0s, 5], [30s, 10], [1m, 50.5]])"),
        ] {
            assert_eq!(shape(script).as_deref(), Ok(printed));
            assert_eq!(shape(&quoted(printed)).as_deref(), Ok(printed));
        }
    }

    #[test]
    fn maps_and_lists_that_are_wrong_say_where() {
        for (script, wanted) in [
            ("spike(1, 2, #{ hold: 5 })", "`hold`: a bare number is not a duration: write `5.s` or `\"5s\"`"),
            ("spike(1, 2, #{ holt: 5.s })", "has no time `holt`: the times of a spike are"),
            ("spike(1, 2, 5.s)", "is a map of durations such as `#{ hold: 30.s }`, not a duration such as `30.s`"),
            ("stages([[30.s, 10], 5])", "stage 2: a time and a value are wanted, such as `[30.s, 10]`, not an integer"),
            (
                "stages([[30.s, 10, 2]])",
                "stage 1: a time and a value are wanted, such as `[30.s, 10]`, not a list of 3",
            ),
            ("stages([[30, 10]])", "stage 1: a bare number is not a duration: write `30.s`"),
            ("stages([[30.s, 10.s]])", "stage 1: the value is a number, not a duration"),
            ("stages([])", "has no stages: each stage is a time and a value"),
            ("stages(5)", "is a list of durations and values such as `[[30.s, 10], [1.m, 50]]`, not a number"),
        ] {
            let error = shape(script).expect_err(wanted);
            assert!(error.contains(wanted), "{script}: {error}");
        }
    }
}
