//! The User: one virtual user as the script sees it, carried by its fiber.
//!
//! Native functions find it with [`current`]; closures that are given to punk are called with its `this` by [`call`].

use super::error::Ended;
use super::host::{Host, Name};
use super::machine::Machine;
use crate::protocol::http::Client;
use crate::roster::{Doing, Place};
use crate::user::{VirtualUser, fiber};
use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One virtual user.
pub struct User {
    /// Its shard.
    pub host: Rc<Host>,
    /// What it runs; another one from an iteration on that begins after the script was edited.
    pub machine: RefCell<Rc<Machine>>,
    /// The revision of that code.
    pub code: Cell<u64>,
    /// Set when a queue that feeds its scenario is empty; `None` for the extra user.
    pub spent: Option<Arc<AtomicBool>>,
    /// Who it is.
    pub vu: VirtualUser,
    /// Where others see what it does.
    pub place: Rc<Place>,
    /// Its state, bound as `this`; `None` for the extra user that runs `setup` and `teardown`.
    pub this: Option<Dynamic>,
    /// Index of the tags that all its samples carry now: other ones while it warms up.
    pub base: Cell<u16>,
    /// How late the running iteration started against its slot, in milliseconds, until its first request has told.
    pub lateness: Cell<Option<f64>>,
    /// The path of the groups that it is in, `::outer::inner`.
    pub group: Cell<Name>,
    /// Its connections and cookies.
    pub client: Client,
    /// Tags set with `vu::tag`, for its next samples.
    pub tags: RefCell<BTreeMap<String, String>>,
    /// The same, interned.
    pub tags_name: Cell<Name>,
    /// Whether transport errors throw.
    pub throw_errors: bool,
    /// Whether a request of this iteration was written to a server.
    pub reached: Cell<bool>,
    /// Whether one was not: no connection came about.
    pub unreached: Cell<bool>,
    /// Whether it has waited for anything since this was cleared: if not, its neighbours have not run.
    pub waited: Cell<bool>,
}

/// Lends the user that runs.
///
/// # Errors
/// A script error when no user runs: at the top level.
pub fn current<T>(context: &NativeCallContext<'_>, act: impl FnOnce(&User) -> T) -> Result<T, Box<EvalAltResult>> {
    fiber::with_context::<User, T>(act).ok_or_else(|| {
        let text = format!("`{}` needs a running user: the top level, rules and alerts have none", context.fn_name());
        EvalAltResult::ErrorRuntime(text.into(), context.call_position()).into()
    })
}

/// Waits for a future while the user is seen doing this; a cancelled wait ends the script and no `try` catches it.
pub fn wait<F: Future>(
    context: &NativeCallContext<'_>,
    doing: Doing,
    future: F,
) -> Result<F::Output, Box<EvalAltResult>> {
    let does = |doing| {
        fiber::with_context::<User, _>(|user| {
            user.waited.set(true);
            user.place.does(doing);
        })
    };
    does(doing);
    let waited = fiber::wait(future).map_err(|_| Ended::Cancelled.error(context.call_position()));
    does(Doing::Running);
    waited
}

/// Calls a closure that a script gave to punk, with the user's `this` bound.
pub fn call(
    closure: &FnPtr,
    context: &NativeCallContext<'_>,
    arguments: impl AsMut<[Dynamic]>,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let lent = fiber::with_context::<User, _>(|user| {
        let machine = user.machine.borrow();
        let lent = machine.home.must_lend(context, closure).then(|| machine.home.state(context));
        (user.this.clone(), lent)
    });
    let Some((mut this, state)) = lent else { return closure.call_raw(context, None, arguments) };
    match state {
        None => closure.call_raw(context, this.as_mut(), arguments),
        Some(state) => {
            let (engine, at) = (context.engine(), context.call_position());
            let home = NativeCallContext::new_with_all_fields(engine, closure.fn_name(), None, &state, at);
            closure.call_raw(&home, this.as_mut(), arguments)
        }
    }
}
