//! `sleep`, `group`, `check`, `fail`, `mark_failed`, `abort`: what steers a user.

use crate::control::{Author, Command};
use crate::roster::Doing;
use crate::script::duration;
use crate::script::error::Ended;
use crate::script::user::{self, User};
use crate::user::fiber;
use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A sleep longer than this gives the unused part of the user's stack back first: the system call then costs nothing
/// against the wait, and ten thousand sleeping users cost little memory.
const LONG: Duration = Duration::from_millis(100);

/// Adds the functions.
pub fn register(engine: &mut Engine) {
    engine
        .register_fn("sleep", |context: NativeCallContext<'_>, time: Dynamic| sleep(&context, &time))
        // Rhai's own, for bare seconds, put the whole shard to sleep; these stand before them and refuse.
        .register_fn("sleep", |context: NativeCallContext<'_>, time: i64| sleep(&context, &time.into()))
        .register_fn("sleep", |context: NativeCallContext<'_>, time: f64| sleep(&context, &time.into()))
        .register_fn("group", |context: NativeCallContext<'_>, name: ImmutableString, body: FnPtr| {
            group(&context, &name, &body)
        })
        .register_fn("check", |context: NativeCallContext<'_>, name: ImmutableString, passed: bool| {
            user::current(&context, |user| count(user, &name, passed))?;
            Ok::<_, Box<EvalAltResult>>(passed)
        })
        .register_fn("check", |context: NativeCallContext<'_>, value: Dynamic, checks: Map| {
            check(&context, &value, &checks)
        })
        .register_fn("fail", |context: NativeCallContext<'_>, message: ImmutableString| -> Fallible<()> {
            Err(EvalAltResult::ErrorRuntime(message.into(), context.call_position()).into())
        })
        .register_fn("mark_failed", |context: NativeCallContext<'_>, message: ImmutableString| {
            user::current(&context, |user| user.host.command(Command::MarkFailed { why: message.to_string() }))
        })
        .register_fn("abort", |context: NativeCallContext<'_>, message: ImmutableString| abort(&context, &message))
        .register_fn("abort", |context: NativeCallContext<'_>| abort(&context, "the script called `abort`"));
}

fn sleep(context: &NativeCallContext<'_>, time: &Dynamic) -> Fallible<()> {
    let time = length(context, time)?;
    if time >= LONG {
        fiber::trim();
    }
    user::wait(context, Doing::Sleeping, tokio::time::sleep(time))
}

/// How long to sleep. Never inlined: a user that sleeps should hold no more of the stack than that needs.
#[inline(never)]
fn length(context: &NativeCallContext<'_>, time: &Dynamic) -> Fallible<Duration> {
    let fail = |text: String| EvalAltResult::ErrorRuntime(text.into(), context.call_position());
    let time = duration::read(time).map_err(|why| fail(format!("`sleep`: {why}")))?;
    user::current(context, |_| time)
}

fn group(context: &NativeCallContext<'_>, name: &str, body: &FnPtr) -> Fallible<Dynamic> {
    let (outer, started) = user::current(context, |user| {
        let outer = user.group.get();
        let path = format!("{}::{name}", user.host.text(outer));
        user.group.set(user.host.name(&path));
        (outer, Instant::now())
    })?;
    let result = user::call(body, context, []);
    user::current(context, |user| {
        let group = user.group.replace(outer);
        // A group that was cut short measured nothing, as an iteration that was.
        let cut = result.as_ref().is_err_and(|error| matches!(**error, EvalAltResult::ErrorTerminated(..)));
        if !cut {
            let ms = started.elapsed().as_secs_f64() * 1e3;
            user.host.sample(
                user.host.ids.group_duration,
                user.base.get(),
                group,
                Default::default(),
                user.tags_name.get(),
                ms,
            );
        }
    })?;
    result
}

/// Every check of the map, called with the value; true when all passed. A check that throws has failed, and throws on.
fn check(context: &NativeCallContext<'_>, value: &Dynamic, checks: &Map) -> Fallible<bool> {
    let mut all = true;
    for (name, check) in checks {
        let passed = if let Ok(truth) = check.as_bool() {
            Ok(truth)
        } else if let Some(closure) = check.read_lock::<FnPtr>().map(|closure| closure.clone()) {
            let mut arguments = [value.clone()];
            user::call(&closure, context, &mut arguments[..]).map(|result| truth(&result))
        } else {
            let text = format!("check `{name}` is a closure such as `|r| r.status == 200`, or a bool");
            Err(EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into())
        };
        let cut = passed.as_ref().is_err_and(|error| matches!(**error, EvalAltResult::ErrorTerminated(..)));
        if !cut {
            user::current(context, |user| count(user, name, *passed.as_ref().unwrap_or(&false)))?;
        }
        all &= passed?;
    }
    Ok(all)
}

/// What counts as passed: `true`, and as in k6 any value that is neither nothing, zero nor empty.
fn truth(value: &Dynamic) -> bool {
    if let Ok(truth) = value.as_bool() {
        return truth;
    }
    if let Ok(number) = value.as_int() {
        return number != 0;
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return !text.is_empty();
    }
    !value.is_unit()
}

fn count(user: &User, name: &str, passed: bool) {
    let host = &user.host;
    let detail = host.name(name);
    host.sample(
        host.ids.checks,
        user.base.get(),
        user.group.get(),
        detail,
        user.tags_name.get(),
        f64::from(u8::from(passed)),
    );
    if !passed {
        host.failed_check(&user.vu, name);
    }
}

fn abort(context: &NativeCallContext<'_>, message: &str) -> Fallible<()> {
    user::current(context, |user| {
        user.host.command(Command::Stop { by: Author::Script, why: message.to_owned() });
    })?;
    Err(Ended::Aborted(message.to_owned()).error(context.call_position()))
}
