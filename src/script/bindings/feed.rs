//! `feed(name)` inside a user: the next row, a row by its number, how many there are.

use crate::diagnostic::did_you_mean;
use crate::feed::{Order, Rows};
use crate::script::error::Ended;
use crate::script::json::Json;
use crate::script::row::Row;
use crate::script::user::{self, User};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, Position};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A feed of the Plan, by its index.
#[derive(Debug, Clone, Copy)]
struct Handle(usize);

/// Adds the function and the type.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Handle>("feed")
        .register_fn("feed", |context: NativeCallContext<'_>, name: ImmutableString| find(&context, &name))
        .register_fn("next", |context: NativeCallContext<'_>, feed: &mut Handle| next(&context, *feed))
        .register_fn("len", |context: NativeCallContext<'_>, feed: &mut Handle| len(&context, *feed))
        .register_fn("get", |context: NativeCallContext<'_>, feed: &mut Handle, index: i64| {
            Ok::<_, Box<EvalAltResult>>(get(&context, *feed, index)?.unwrap_or(Dynamic::UNIT))
        })
        .register_indexer_get(|context: NativeCallContext<'_>, feed: &mut Handle, index: i64| -> Fallible<Dynamic> {
            let rows = len(&context, *feed)?.as_int().unwrap_or(i64::MAX);
            let bounds = || EvalAltResult::ErrorArrayBounds(rows as usize, index, Position::NONE).into();
            get(&context, *feed, index)?.ok_or_else(bounds)
        });
}

fn find(context: &NativeCallContext<'_>, name: &str) -> Fallible<Handle> {
    user::current(context, |user| {
        let feeds = &user.host.plan.feeds;
        match feeds.iter().position(|feed| feed.name == name) {
            Some(at) => Ok(Handle(at)),
            None => {
                let text = unknown(name, feeds.iter().map(|feed| feed.name.as_str()));
                Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into())
            }
        }
    })?
}

/// What is said of a feed that nobody declared.
pub(in crate::script) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match did_you_mean(name, known.clone()) {
        Some(nearest) => format!("there is no feed `{name}`; did you mean `{nearest}`?"),
        None if known.clone().next().is_none() => format!("there is no feed `{name}`: the script declares none"),
        None => {
            let names: Vec<String> = known.map(|name| format!("`{name}`")).collect();
            format!("there is no feed `{name}`; declared are {}", names.join(", "))
        }
    }
}

fn next(context: &NativeCallContext<'_>, handle: Handle) -> Fallible<Dynamic> {
    let given = user::current(context, |user| {
        let host = &user.host;
        let feed = &host.plan.feeds[handle.0];
        let cursor = host.commons.cursor(handle.0);
        match feed.next(cursor, host.register.shard(), host.plan.options.seed, || user.vu.random()) {
            Some(at) => Ok((at, row(&feed.rows, at))),
            None => Err(exhausted(context, user, handle.0)),
        }
    })?;
    match given? {
        (_, Some(row)) => Ok(row),
        (number, None) => generate(context, handle, number as i64),
    }
}

/// A row that is there; `None` when a closure has to make it.
fn row(rows: &Rows, at: u64) -> Option<Dynamic> {
    let index = at as usize; // tables and texts have less than 2^32 rows
    Some(match rows {
        Rows::Table(table) => Dynamic::from(Row::new(Arc::clone(table), index)),
        Rows::Documents(texts) => {
            let value: Value = serde_json::from_str(texts.get(index)).expect("it was printed from a value");
            Json::dynamic(Arc::new(value))
        }
        Rows::Lines(texts) => Dynamic::from(ImmutableString::from(texts.get(index))),
        Rows::Steps(steps) => Dynamic::from(steps.get(at)?),
        Rows::Generated => return None,
    })
}

/// No row is left: the end of the scenario, or an error.
#[cold]
fn exhausted(context: &NativeCallContext<'_>, user: &User, feed: usize) -> Box<EvalAltResult> {
    let host = &user.host;
    let declared = &host.plan.feeds[feed];
    let (name, rows) = (&declared.name, declared.rows.len().unwrap_or(0));
    match user.spent.as_ref().filter(|_| declared.order == Order::Queue) {
        Some(spent) => {
            if !spent.swap(true, Ordering::Relaxed) {
                let said =
                    format!("scenario {} ends: the {rows} rows of the queue `{name}` are used up", user.vu.scenario);
                host.say(&user.vu, None, said);
            }
            Ended::Exhausted.error(context.call_position())
        }
        None => {
            let rows = if rows == 1 {
                format!("the one row of the feed `{name}` is")
            } else {
                format!("all {rows} rows of the feed `{name}` are")
            };
            let text =
                format!("{rows} used up: it is `.{}()`, which gives each row once in a run", declared.order.word());
            EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into()
        }
    }
}

fn generate(context: &NativeCallContext<'_>, handle: Handle, number: i64) -> Fallible<Dynamic> {
    let generator = user::current(context, |user| user.machine.borrow().generators.get(handle.0).cloned().flatten())?;
    let generator = generator.ok_or("this feed makes no rows")?;
    let arguments = if generator.takes_data { vec![Dynamic::from(number)] } else { vec![] };
    user::call(&generator.pointer, context, arguments)
}

fn len(context: &NativeCallContext<'_>, handle: Handle) -> Fallible<Dynamic> {
    user::current(context, |user| {
        let rows = user.host.plan.feeds[handle.0].rows.len();
        rows.map_or(Dynamic::UNIT, |rows| Dynamic::from(i64::try_from(rows).unwrap_or(i64::MAX)))
    })
}

/// A row by its number, from the end when negative; `None` beyond.
fn get(context: &NativeCallContext<'_>, handle: Handle, index: i64) -> Fallible<Option<Dynamic>> {
    let found = user::current(context, |user| {
        let rows = &user.host.plan.feeds[handle.0].rows;
        let Some(length) = rows.len() else { return Err(index) };
        let at = if index < 0 { i128::from(index) + i128::from(length) } else { i128::from(index) };
        Ok(u64::try_from(at).ok().filter(|at| *at < length).and_then(|at| row(rows, at)))
    })?;
    found.map_or_else(|number| generate(context, handle, number).map(Some), Ok)
}
