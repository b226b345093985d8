//! `print` and `log::`: lines for people, kept within bounds and shown by whatever window is open.

use crate::logs::{Level, Line};
use crate::script::user::User;
use crate::user::fiber;
use rhai::{Dynamic, Engine, Module};
use std::cell::RefCell;

/// Adds the module and takes Rhai's own output away from stdout.
pub fn register(engine: &mut Engine) {
    engine.on_print(|text| say(None, text)).on_debug(|text, _, _| say(Some(Level::Debug), text));
    let mut module = Module::new();
    for level in [Level::Trace, Level::Info, Level::Warn, Level::Error] {
        module.set_native_fn(level.word(), move |value: Dynamic| {
            say(Some(level), &value.to_string());
            Ok(())
        });
    }
    engine.register_static_module("log", module.into());
}

thread_local! {
    /// What was said by nobody's user, on a thread where somebody listens.
    static OVERHEARD: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
}

/// Lines of one question that are kept.
const MOST: usize = 100;

/// The top level prints nothing: it is evaluated once for the plan and again on every shard.
fn say(level: Option<Level>, text: &str) {
    let said = fiber::with_context::<User, _>(|user| user.host.say(&user.vu, level, text.to_owned()));
    if said.is_none() {
        OVERHEARD.with_borrow_mut(|lines| {
            if let Some(lines) = lines.as_mut().filter(|lines| lines.len() < MOST) {
                lines.push(Line::of_nobody(level, text.to_owned()));
            }
        });
    }
}

/// Does something on this thread, and what closures said meanwhile that run outside any user; their lines have no time.
pub fn overhear<T>(act: impl FnOnce() -> T) -> (T, Vec<Line>) {
    OVERHEARD.set(Some(Vec::new()));
    let done = act();
    (done, OVERHEARD.take().unwrap_or_default())
}
