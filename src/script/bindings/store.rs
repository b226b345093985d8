//! `store::`: counters, queues and maps that all users of the run share, named like Rhai's own arrays and maps.

use crate::script::json::{self, Json};
use crate::script::user;
use crate::store::{Full, Queue, Table};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Module, NativeCallContext};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

#[derive(Clone)]
struct SharedCounter(Arc<AtomicI64>);
#[derive(Clone)]
struct SharedQueue(Arc<Queue>);
#[derive(Clone)]
struct SharedMap(Arc<Table>);

/// Adds the module and its types.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("counter", |context: NativeCallContext<'_>, name: ImmutableString| {
        user::current(&context, |user| user.host.commons.store.counter(&name))?.map(SharedCounter).map_err(full)
    });
    module.set_native_fn("queue", |context: NativeCallContext<'_>, name: ImmutableString| {
        user::current(&context, |user| user.host.commons.store.queue(&name))?.map(SharedQueue).map_err(full)
    });
    module.set_native_fn("map", |context: NativeCallContext<'_>, name: ImmutableString| {
        user::current(&context, |user| user.host.commons.store.map(&name))?.map(SharedMap).map_err(full)
    });
    engine.register_static_module("store", module.into());
    counters(engine);
    queues(engine);
    maps(engine);
}

fn counters(engine: &mut Engine) {
    let add = |counter: &SharedCounter, by: i64| counter.0.fetch_add(by, Ordering::Relaxed).wrapping_add(by);
    engine
        .register_type_with_name::<SharedCounter>("counter")
        .register_fn("get", |counter: &mut SharedCounter| counter.0.load(Ordering::Relaxed))
        .register_fn("set", |counter: &mut SharedCounter, value: i64| counter.0.store(value, Ordering::Relaxed))
        .register_fn("add", move |counter: &mut SharedCounter, by: i64| add(counter, by))
        .register_fn("next", move |counter: &mut SharedCounter| add(counter, 1))
        .register_fn("to_string", |counter: &mut SharedCounter| counter.0.load(Ordering::Relaxed).to_string())
        .register_fn("to_debug", |counter: &mut SharedCounter| counter.0.load(Ordering::Relaxed).to_string());
}

fn queues(engine: &mut Engine) {
    let shown = |queue: &mut SharedQueue| format!("queue of {}", queue.0.len());
    engine
        .register_type_with_name::<SharedQueue>("queue")
        .register_fn("push", |context: NativeCallContext<'_>, queue: &mut SharedQueue, value: Dynamic| {
            if value.is_unit() {
                return Err("`()` cannot be pushed: it is what `pop` gives when the queue is empty".into());
            }
            queue.0.push(json(&context, &value)?).map_err(full)
        })
        .register_fn("pop", |queue: &mut SharedQueue| queue.0.pop().map_or(Dynamic::UNIT, Json::dynamic))
        .register_fn("len", |queue: &mut SharedQueue| queue.0.len() as i64)
        .register_fn("is_empty", |queue: &mut SharedQueue| queue.0.is_empty())
        .register_fn("clear", |queue: &mut SharedQueue| queue.0.clear())
        .register_fn("to_string", shown)
        .register_fn("to_debug", shown);
}

fn maps(engine: &mut Engine) {
    let shown = |map: &mut SharedMap| format!("map of {}", map.0.len());
    engine
        .register_type_with_name::<SharedMap>("shared")
        .register_fn("get", |map: &mut SharedMap, at: Dynamic| -> Fallible<Dynamic> {
            Ok(map.0.get(&key(&at)?).map_or(Dynamic::UNIT, Json::dynamic))
        })
        .register_fn("set", |context: NativeCallContext<'_>, map: &mut SharedMap, at: Dynamic, value: Dynamic| {
            map.0.set(&key(&at)?, json(&context, &value)?).map_err(full)
        })
        .register_fn("set_new", |context: NativeCallContext<'_>, map: &mut SharedMap, at: Dynamic, value: Dynamic| {
            map.0.set_new(&key(&at)?, json(&context, &value)?).map_err(full)
        })
        .register_fn("remove", |map: &mut SharedMap, at: Dynamic| -> Fallible<Dynamic> {
            Ok(map.0.remove(&key(&at)?).map_or(Dynamic::UNIT, Json::dynamic))
        })
        .register_fn("contains", |map: &mut SharedMap, at: Dynamic| -> Fallible<bool> {
            Ok(map.0.contains(&key(&at)?))
        })
        .register_fn("len", |map: &mut SharedMap| map.0.len() as i64)
        .register_fn("is_empty", |map: &mut SharedMap| map.0.is_empty())
        .register_fn("keys", |map: &mut SharedMap| {
            // A list of any length: as `json` it stays outside of the limits of script arrays.
            Json::dynamic(Arc::new(Value::Array(map.0.keys().into_iter().map(Value::from).collect())))
        })
        .register_fn("clear", |map: &mut SharedMap| map.0.clear())
        .register_fn("to_string", shown)
        .register_fn("to_debug", shown);
}

/// Texts and whole numbers, such as `vu::id()`, are keys.
fn key(value: &Dynamic) -> Fallible<ImmutableString> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(text.clone());
    }
    if let Ok(number) = value.as_int() {
        return Ok(number.to_string().into());
    }
    Err(format!("a key is text or a whole number, not {}", crate::script::error::type_name(value)).into())
}

fn json(context: &NativeCallContext<'_>, value: &Dynamic) -> Fallible<Value> {
    let depth = user::current(context, |user| user.host.plan.options.limits.depth)?;
    json::from_dynamic(value, depth).map_err(|why| format!("the store keeps what JSON can hold: {why}").into())
}

fn full(full: Full) -> Box<EvalAltResult> {
    let limit = crate::units::size::print(full.limit as u64);
    format!("the store is full: all counters, queues and maps may hold {limit} (limit: `options(#{{ limits: #{{ store: … }} }})`)").into()
}
