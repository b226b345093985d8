//! `print` and `log::`: lines for people, kept within bounds and shown by whatever window is open.

use crate::script::user::User;
use crate::user::fiber;
use rhai::{Dynamic, Engine, Module};

/// Adds the module and takes Rhai's own output away from stdout.
pub fn register(engine: &mut Engine) {
    engine.on_print(|text| line("", text)).on_debug(|text, _, _| line("debug: ", text));
    let mut module = Module::new();
    for (name, prefix) in [("trace", "trace: "), ("info", "info: "), ("warn", "warning: "), ("error", "error: ")] {
        module.set_native_fn(name, move |value: Dynamic| {
            line(prefix, &value.to_string());
            Ok(())
        });
    }
    engine.register_static_module("log", module.into());
}

/// The top level prints nothing: it is evaluated once for the plan and again on every shard.
fn line(prefix: &str, text: &str) {
    fiber::with_context::<User, _>(|user| user.host.print(format!("{prefix}{text}")));
}
