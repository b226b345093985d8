//! `vu::`: who the running user is, and tags for its next samples.

use crate::metrics::SYSTEM_TAGS;
use crate::script::user;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString, Module, NativeCallContext};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Adds the module.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    module.set_native_fn("id", |context: NativeCallContext<'_>| user::current(&context, |user| user.vu.id as i64));
    module.set_native_fn("iteration", |context: NativeCallContext<'_>| {
        user::current(&context, |user| user.vu.iteration() as i64)
    });
    module.set_native_fn("arrival", |context: NativeCallContext<'_>| {
        user::current(&context, |user| user.vu.arrival().map_or(Dynamic::UNIT, |number| Dynamic::from(number as i64)))
    });
    module.set_native_fn("scenario", |context: NativeCallContext<'_>| {
        user::current(&context, |user| ImmutableString::from(&*user.vu.scenario))
    });
    module.set_native_fn("elapsed", |context: NativeCallContext<'_>| {
        user::current(&context, |user| crate::script::duration::Span::of(user.host.now()))
    });
    module.set_native_fn("tag", |context: NativeCallContext<'_>, name: ImmutableString, value: Dynamic| {
        user::current(&context, |user| {
            refuse_unknown(user, &name)?;
            let mut tags = user.tags.borrow_mut();
            if value.is_unit() {
                tags.remove(name.as_str());
            } else {
                tags.insert(name.to_string(), value.to_string());
            }
            let pairs = tags.iter().map(|(name, value)| (name.as_str(), value.clone()));
            user.tags_name.set(user.host.tags(pairs));
            Ok(())
        })?
    });
    engine.register_static_module("vu", module.into());
}

/// Tags must be declared in `options(#{ tags: … })` before the run, so that any selector over them has full history.
pub fn refuse_unknown(user: &user::User, name: &str) -> Fallible<()> {
    if SYSTEM_TAGS.contains(&name) {
        return Err(format!("`{name}` is a tag that punk sets itself").into());
    }
    let declared = &user.host.plan.options.declared_tags;
    if declared.iter().any(|known| known == name) {
        return Ok(());
    }
    let known = if declared.is_empty() {
        "none are declared".to_owned()
    } else {
        format!("declared are: {}", declared.join(", "))
    };
    Err(format!("unknown tag `{name}` ({known}): declare it with `options(#{{ tags: #{{ {name}: \"\" }} }})`").into())
}
