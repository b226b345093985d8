//! `metric::`: custom metrics, declared at the top level and fed by users.

use crate::metrics::MetricKind;
use crate::script::user;
use crate::script::{declare, duration};
use rhai::{Dynamic, Engine, EvalAltResult, Map, Module, NativeCallContext};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Adds the module.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    declare::register_metrics(&mut module);
    module.set_native_fn("add", |context: NativeCallContext<'_>, name: rhai::ImmutableString, value: Dynamic| {
        add(&context, &name, &value, &Map::new())
    });
    module.set_native_fn(
        "add",
        |context: NativeCallContext<'_>, name: rhai::ImmutableString, value: Dynamic, tags: Map| {
            add(&context, &name, &value, &tags)
        },
    );
    engine.register_static_module("metric", module.into());
}

fn add(context: &NativeCallContext<'_>, name: &str, value: &Dynamic, tags: &Map) -> Fallible<()> {
    let value = number(value).ok_or_else(|| {
        format!(
            "`metric::add(\"{name}\", …)` takes a number, a bool or a duration, not {}",
            crate::script::error::type_name(value)
        )
    })?;
    user::current(context, |user| {
        let host = &user.host;
        let Some((metric, kind)) = host.metric(name) else {
            return Err(format!(
                "unknown metric `{name}`: declare it at the top level with `metric::trend(\"{name}\")`"
            )
            .into());
        };
        if host.plan.metrics.iter().all(|def| def.name != name) {
            return Err(format!("`{name}` is a metric that punk measures itself").into());
        }
        if !value.is_finite() || (value < 0.0 && kind != MetricKind::Gauge) {
            return Err(format!("a {kind} takes finite values from 0 on, not {value}").into());
        }
        let mut given = user.tags_name.get();
        if !tags.is_empty() {
            let mut all = user.tags.borrow().clone();
            for (tag, value) in tags {
                super::vu::refuse_unknown(user, tag)?;
                all.insert(tag.to_string(), value.to_string());
            }
            given = host.tags(all.iter().map(|(name, value)| (name.as_str(), value.clone())));
        }
        host.sample(metric, user.base.get(), user.group.get(), Default::default(), given, value);
        Ok(())
    })?
}

/// A value as a metric takes it: a number, 0 or 1, or milliseconds.
pub fn number(value: &Dynamic) -> Option<f64> {
    if let Ok(integer) = value.as_int() {
        return Some(integer as f64);
    }
    if let Ok(float) = value.as_float() {
        return Some(float);
    }
    if let Ok(truth) = value.as_bool() {
        return Some(f64::from(u8::from(truth)));
    }
    value.clone().try_cast::<duration::Span>().map(|span| span.0 as f64 / 1e6)
}
