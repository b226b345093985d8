//! The script of the trial and the machine that runs it: the calling recipe of docs/design/001-fibers.md.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use punk::user::{Fiber, StackPool, fiber};
use rhai::module_resolvers::StaticModuleResolver;
use rhai::packages::{Package, StandardPackage};
use rhai::{
    Dynamic, Engine, EvalAltResult, FnPtr, GlobalRuntimeState, ImmutableString, Map, Module, NativeCallContext,
    Position, Scope, Shared,
};

use crate::{Anything, User};

/// The imported library: a function that takes a closure and lends it to a native.
const LIBRARY: &str = r#"
const VISIT = "visit";
fn visit(step) { group("outer", || group(global::VISIT, step)) }
"#;

const SCRIPT: &str = r#"
import "shop" as shop;
const ITEM = "/item";

fn run() {
    this.turns = 0;
    for turn in 0..turns() {
        pause();
        shop::visit(|| {
            this.status = http::get(global::ITEM);
            this.turns += 1;
        });
    }
    if this.turns != turns() || this.status != 200 { throw "`this` is not mine" }
    this.turns
}
fn hurry() {
    for turn in 0..turns() {
        shop::visit(|| { this.status = http::get(global::ITEM); });
    }
    0
}
fn plain() {
    for turn in 0..turns() { http::get("/item"); }
    0
}
fn rest() { shop::visit(|| { this.rested = sleep_long(); }); 0 }
fn get_and_rest() {
    shop::visit(|| {
        this.status = http::get(global::ITEM);
        this.rested = sleep_long();
    });
    0
}
fn nap() { sleep_long(); 0 }
fn get_and_nap() {
    shop::visit(|| { this.status = http::get(global::ITEM); });
    sleep_long();
    0
}
fn explode()  { pause(); shop::visit(|| { this.never = native_panic(); }); 0 }
fn recurse()  { pause(); shop::visit(|| { this.depth = sink(1); }); 0 }
fn sink(n)    { 1 + sink(n + 1) }
fn overflow() { pause(); shop::visit(|| { this.never = native_overflow(); }); 0 }
fn spin()     { pause(); let n = 0; while true { n += 1; } n }
"#;

/// When a script yields and when it has no stack left.
#[derive(Clone, Copy)]
pub struct Rules {
    pub ops_per_yield: u64,
    /// Bytes of stack that a script may not touch.
    pub reserve: usize,
}

/// An engine, and the state that the top level of the script left behind.
pub struct Machine {
    engine: Engine,
    home: Rc<Home>,
    parts: Rc<Parts>,
}

/// What engines share.
struct Parts {
    rules: Rules,
    standard: Shared<Module>,
    natives: Shared<Module>,
    http: Shared<Module>,
}

fn script_error(text: String) -> Box<EvalAltResult> {
    // Not catchable by the script's `try`, unlike `ErrorRuntime`.
    Box::new(EvalAltResult::ErrorTerminated(text.into(), Position::NONE))
}

fn on_user<T>(work: impl FnOnce(&User) -> Result<T, String>) -> Result<T, Box<EvalAltResult>> {
    fiber::with_context(work).unwrap_or_else(|| Err("only a user can do that".to_owned())).map_err(script_error)
}

/// The state that the top level left behind: imports, constants, functions.
struct Home {
    state: GlobalRuntimeState,
    /// The functions and closures of the main script; any other belongs to a library.
    own: HashSet<ImmutableString>,
}

/// What travels as the tag of every call: the user's state, and where the script's own closures are at home.
#[derive(Clone)]
struct Traveller {
    this: Dynamic,
    home: Rc<Home>,
}

/// Calls a closure of the script with the user's `this`.
///
/// A library function that hands the main script's closure on calls us with the *library's* constants: there
/// `global::ITEM` is not found. So a closure of the main script is called in the main script's own state; one of a
/// library in the state we are given.
fn lend(context: &NativeCallContext<'_>, step: &FnPtr, args: Vec<Dynamic>) -> Result<Dynamic, Box<EvalAltResult>> {
    let traveller = context.tag().and_then(|tag| tag.clone().try_cast::<Rc<Traveller>>());
    let Some(traveller) = traveller else {
        return step.call_raw(context, None, args);
    };
    let mut this = traveller.this.clone();
    if !traveller.home.own.contains(step.fn_name()) {
        return step.call_raw(context, Some(&mut this), args);
    }
    let here = context.global_runtime_state();
    let mut state = traveller.home.state.clone();
    state.tag = here.tag.clone();
    state.level = here.level;
    state.num_operations = here.num_operations;
    let context =
        NativeCallContext::new_with_all_fields(context.engine(), step.fn_name(), None, &state, context.call_position());
    step.call_raw(&context, Some(&mut this), args)
}

fn group(context: NativeCallContext<'_>, _name: &str, step: FnPtr) -> Result<Dynamic, Box<EvalAltResult>> {
    lend(&context, &step, vec![])
}

impl Parts {
    fn new(rules: Rules) -> Rc<Self> {
        let mut natives = Module::new();
        natives.set_native_fn("group", group);
        natives.set_native_fn("pause", || on_user(User::pause));
        natives.set_native_fn("sleep_long", || on_user(User::rest));
        natives.set_native_fn("turns", || on_user(|user| Ok(user.turns)));
        natives.set_native_fn("native_panic", || -> Result<i64, Box<EvalAltResult>> { panic!("on purpose") });
        natives.set_native_fn("native_overflow", || Ok(i64::from(crate::deep(1 << 20))));
        Self::with(rules, natives)
    }

    fn with(rules: Rules, mut natives: Module) -> Rc<Self> {
        let mut http = Module::new();
        http.set_native_fn("get", |path: &str| on_user(|user| user.get(path)));
        http.build_index();
        natives.build_index();
        Rc::new(Self {
            rules,
            standard: StandardPackage::new().as_shared_module(),
            natives: natives.into(),
            http: http.into(),
        })
    }

    /// `new_raw` and shared modules: an engine for 1 KB, where `Engine::new` takes 167.
    fn engine(&self) -> Engine {
        let mut engine = Engine::new_raw();
        engine.register_global_module(Shared::clone(&self.standard));
        engine.register_global_module(Shared::clone(&self.natives));
        engine.register_static_module("http", Shared::clone(&self.http));
        engine.set_max_call_levels(1 << 20); // so that the guard by address has something to do
        engine.set_max_expr_depths(64, 64);
        let Rules { ops_per_yield, reserve } = self.rules;
        engine.on_progress(move |operations| {
            if fiber::remaining_stack() < reserve {
                return Some("too deep a recursion".into());
            }
            if operations % ops_per_yield == 0
                && let Err(cancelled) = fiber::yield_now()
            {
                return Some(cancelled.to_string().into());
            }
            None
        });
        engine
    }
}

impl Machine {
    pub fn new(rules: Rules) -> Result<Self, Anything> {
        Self::with_script(rules, SCRIPT)
    }

    /// Runs the top level once. Its last statement is ours and keeps the state it left: imports, constants, functions.
    pub fn with_script(rules: Rules, script: &str) -> Result<Self, Anything> {
        let parts = Parts::new(rules);
        Self::with_parts(parts, script)
    }

    fn with_parts(parts: Rc<Parts>, script: &str) -> Result<Self, Anything> {
        let mut engine = parts.engine();
        let library = Module::eval_ast_as_new(Scope::new(), &engine.compile(LIBRARY)?, &engine)?;
        let mut resolver = StaticModuleResolver::new();
        resolver.insert("shop", library);
        engine.set_module_resolver(resolver);
        let seal: Rc<RefCell<Option<GlobalRuntimeState>>> = Rc::default();
        let into = Rc::clone(&seal);
        engine.register_fn("seal__", move |context: NativeCallContext<'_>| {
            into.replace(Some(context.global_runtime_state().clone()));
        });
        let ast = engine.compile(script)?.merge(&engine.compile("seal__()")?);
        engine.run_ast(&ast)?;
        let state = seal.take().ok_or("the last statement did not run")?;
        let own = ast.shared_lib().iter_script_fn_info().map(|(_, _, name, ..)| name.into()).collect();
        Ok(Self { engine, home: Rc::new(Home { state, own }), parts })
    }

    /// Another engine over the same functions.
    pub fn for_one_user(&self) -> Self {
        Self { engine: self.parts.engine(), home: Rc::clone(&self.home), parts: Rc::clone(&self.parts) }
    }

    /// Calls a function of the script with a fresh `this`.
    pub fn call(&self, function: &str) -> Result<i64, String> {
        let mut this = Dynamic::from(Map::new()).into_shared();
        self.call_with(function, &mut this).and_then(|value| value.as_int().map_err(str::to_owned))
    }

    fn call_with(&self, function: &str, this: &mut Dynamic) -> Result<Dynamic, String> {
        let mut state = self.home.state.clone();
        let traveller = Traveller { this: this.clone(), home: Rc::clone(&self.home) };
        state.tag = Dynamic::from(Rc::new(traveller));
        let context = NativeCallContext::new_with_all_fields(&self.engine, function, None, &state, Position::NONE);
        let function = FnPtr::new(function).map_err(|error| error.to_string())?;
        function.call_raw(&context, Some(this), []).map_err(|error| reason(&error))
    }
}

/// The innermost reason of a script's end.
fn reason(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorTerminated(token, _) => token.to_string(),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => reason(inner),
        other => other.to_string(),
    }
}

/// A handle that natives give to scripts, such as a socket.
#[derive(Clone)]
struct Handle;

/// Waits a few turns of the runtime, so that the neighbour runs in between.
fn linger() -> Result<i64, Box<EvalAltResult>> {
    fiber::wait(async {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    })
    .map_err(|cancelled| script_error(cancelled.to_string()))?;
    Ok(1)
}

/// What each script does when two users run it interleaved on one engine: `body` is `run`, `top` the top level.
const HAZARDS: [(&str, &str, &str); 11] = [
    ("this.x = waits()", "", "this.x = linger(); this.x"),
    ("this.x += waits()", "", "this.x = 1; this.x += linger(); this.x"),
    ("this.handle.waits(): a method by reference", "", "this.h = handle(); this.h.by_reference()"),
    (
        "this.list.each(|n| this.sum += n)",
        "",
        "this.sum = 0; this.list = [1, 2]; this.list.each_of(|n| { this.sum += n; }); this.sum",
    ),
    ("captured number, += waits()", "let n = 0; keep(|| { n += linger(); n += 1; n });", "kept()"),
    ("captured map, m.x = waits()", "let m = #{ x: 0 }; keep(|| { m.x = linger(); m.x += linger(); m.x });", "kept()"),
    ("captured handle, waits(handle): by value", "let h = handle(); keep(|| by_value(h));", "kept()"),
    ("captured handle, handle.waits(): by value", "let h = handle(); keep(|| h.by_value());", "kept()"),
    ("captured handle, handle.waits(): by reference", "let h = handle(); keep(|| h.by_reference());", "kept()"),
    ("captured handle, copied first", "let h = handle(); keep(|| { let own = h; own.by_reference() });", "kept()"),
    ("const handle, global::HANDLE.waits()", "const HANDLE = handle();", "global::HANDLE.by_reference()"),
];

/// Runs each hazard with two users on one engine.
pub async fn hazards(pool: &StackPool) -> Result<String, Anything> {
    let mut text = String::new();
    for (name, top, body) in HAZARDS {
        let kept: Rc<RefCell<Option<FnPtr>>> = Rc::default();
        let (keep, call) = (Rc::clone(&kept), kept);
        let mut natives = Module::new();
        natives.set_native_fn("linger", linger);
        natives.set_native_fn("handle", || Ok(Handle));
        natives.set_native_fn("by_value", |_: Handle| linger());
        natives.set_native_fn("by_reference", |_: &mut Handle| linger());
        natives.set_native_fn("keep", move |step: FnPtr| {
            keep.replace(Some(step));
            Ok(())
        });
        natives.set_native_fn("kept", move |context: NativeCallContext<'_>| {
            let step = call.borrow().clone().ok_or("nothing kept")?;
            step.call_raw(&context, None, [])
        });
        natives.set_native_fn("each_of", |context: NativeCallContext<'_>, list: &mut rhai::Array, step: FnPtr| {
            for item in list.clone() {
                let _returned = lend(&context, &step, vec![item])?;
            }
            Ok(())
        });
        let parts = Parts::with(Rules { ops_per_yield: 1000, reserve: 64 << 10 }, natives);
        let machine = Rc::new(Machine::with_parts(parts, &format!("{top}\nfn run() {{ {body} }}"))?);
        let user = || {
            let machine = Rc::clone(&machine);
            Fiber::new(pool, Rc::new(()), move || machine.call("run"))
        };
        let (first, second) = tokio::join!(user()?, user()?);
        let said = |outcome: crate::Outcome| match outcome {
            Ok(Ok(value)) => value.to_string(),
            Ok(Err(error)) => error,
            Err(error) => error.to_string(),
        };
        text += &format!("{name:<48} | {} | {}\n", said(first), said(second));
    }
    Ok(text.trim_end().to_owned())
}
