//! The Machine: one engine with one evaluated script, per shard.
//!
//! The top level is evaluated once; its last statement is ours and clones Rhai's runtime state (imports, constants,
//! functions). Every function and closure is then called in a context made from that sealed state. `Engine::call_fn` is
//! never used: it sees either no imports and constants, or runs the top level again at each call.

use super::declare::{self, Record};
use super::error::{self, Ended, ScriptError};
pub use super::functions::{Function, Functions, function_of};
use super::functions::{arities, begins, collectors, deciding, functions, with_arity};
use super::home::Home;
use super::{backoff, bindings, draft, duration, feeds, guard, json, live, ringing, row, source::Sources};
use crate::feed::Rows;
use crate::plan::{EnvValue, Plan, Source};
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicBlobPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, BitFieldPackage, LanguageCorePackage, LogicPackage, MoreStringPackage,
    Package,
};
use rhai::{
    AST, Dynamic, Engine, EvalAltResult, FnPtr, GlobalRuntimeState, Module, ModuleResolver, NativeCallContext,
    OptimizationLevel, Position, Scope, ScriptFuncDef, Shared, Stmt,
};
use rustc_hash::FxHashSet;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a call into the script ended, if not with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Ended from outside: cancelled, or by its own `abort`.
    Ended(Ended),
    /// A script error.
    Error(ScriptError),
}

/// An engine with an evaluated script.
pub struct Machine {
    engine: Engine,
    /// How closures of the main script are called from a library, and the state that everything is called in.
    pub(super) home: Home,
    arities: BTreeMap<String, usize>,
    /// Where each function begins.
    begins: BTreeMap<String, (String, usize, usize)>,
    main: String,
    /// The main script's closures, and those of the Machines before.
    made: Vec<Shared<ScriptFuncDef>>,
    /// By the order of the Plan's scenarios; `None` only where an edit left one without its declaration.
    pub scenarios: Vec<Option<Functions>>,
    /// By the order of the Plan's feeds: what makes the rows of those that are generated.
    pub(super) generators: Vec<Option<Function>>,
    /// By the order of the Plan's `Rules::closures`: the thresholds that are closures, with one parameter. See [`Machine::ask`].
    /// `None` only where rules were edited elsewhere.
    pub closures: Vec<Option<FnPtr>>,
    /// By the order of the Plan's `Rules::alerts`: what an alert does when it rings, with one parameter.
    pub thens: Vec<Option<FnPtr>>,
    /// What collects gauges, by the names of these.
    pub collectors: BTreeMap<String, Function>,
}

/// The engine of a script, before it has seen one: types, functions, limits.
pub fn engine(limits: &crate::plan::Limits) -> Engine {
    let mut engine = Engine::new_raw();
    // Rhai's own set without its clock: a script's time is punk's.
    let mut standard = Module::new();
    LanguageCorePackage::init(&mut standard);
    ArithmeticPackage::init(&mut standard);
    BasicStringPackage::init(&mut standard);
    BasicIteratorPackage::init(&mut standard);
    BasicFnPackage::init(&mut standard);
    BitFieldPackage::init(&mut standard);
    LogicPackage::init(&mut standard);
    BasicMathPackage::init(&mut standard);
    BasicArrayPackage::init(&mut standard);
    BasicBlobPackage::init(&mut standard);
    BasicMapPackage::init(&mut standard);
    MoreStringPackage::init(&mut standard);
    // Left lazy, every look-up of a function hashes its way through all manifests: 20 µs per request.
    standard.register_lazy_functions();
    standard.build_index();
    engine.register_global_module(standard.into());
    // Every native of ours is written not to panic; this one shows what happens when one does.
    #[cfg(test)]
    engine.register_fn("native_that_panics", || -> rhai::INT { panic!("on purpose") });
    guard::install(&mut engine, limits);
    duration::register(&mut engine);
    json::register(&mut engine);
    declare::register(&mut engine);
    declare::register_shapes(&mut engine);
    backoff::register(&mut engine);
    draft::register(&mut engine);
    row::register(&mut engine);
    live::register(&mut engine);
    ringing::register(&mut engine);
    bindings::register(&mut engine);
    engine
}

/// What one evaluation of the top level gave: declarations, the sealed state, and how it ended.
pub struct TopLevel {
    /// What was declared.
    pub record: Record,
    /// The runtime state to call functions in; `None` when the evaluation failed.
    pub sealed: Option<GlobalRuntimeState>,
    /// Why it failed: at most one failure, of [`evaluate_all`] one for each statement that failed.
    pub failures: Vec<ScriptError>,
}

thread_local! {
    static SEALED: RefCell<Option<GlobalRuntimeState>> = const { RefCell::new(None) };
    /// Statements of the top level that have been left behind.
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// The statement that seals the state; no script can spell it by accident.
const SEAL: &str = "punk__seal";
/// The statement that [`evaluate_all`] puts behind every other.
const STEP: &str = "punk__step";
/// How many failing statements are told before the rest is given up.
const FAILURES: usize = 50;
/// Most closures of earlier code that can still be called: many edits must not pile up.
const KEPT_CLOSURES: usize = 10_000;

/// Evaluates the top level of the first file of `sources`, which must all have parsed.
pub fn evaluate(engine: &mut Engine, sources: &Sources, given: &BTreeMap<String, String>) -> TopLevel {
    prepare(engine, sources);
    let script = sources.asts[0].clone().unwrap_or_default();
    let (result, record, sealed) = run(engine, sources, script, given);
    let failures = result.err().map(|error| refused(&error, &sources.files[0].path));
    TopLevel { record, sealed, failures: failures.into_iter().collect() }
}

/// The same, but a statement that fails does not keep the others from being looked at: the top level only declares, so it
/// is evaluated again without what failed, until all the rest goes through.
///
/// `already_wrong`: something was found before, such as an import that cannot be read.
pub fn evaluate_all(
    engine: &mut Engine,
    sources: &Sources,
    given: &BTreeMap<String, String>,
    already_wrong: bool,
) -> TopLevel {
    prepare(engine, sources);
    engine.register_fn(STEP, || STEPS.set(STEPS.get() + 1));
    let step = engine.compile(format!("{STEP}();")).expect("one call is valid syntax");
    let script = sources.asts[0].clone().unwrap_or_default();
    let mut statements: Vec<Stmt> = script.statements().to_vec();
    let mut failures = Vec::new();
    loop {
        let stepped = statements.iter().flat_map(|statement| [statement.clone(), step.statements()[0].clone()]);
        let whole = script.clone_functions_only().merge(&AST::new(stepped.collect::<Vec<_>>(), Module::new()));
        STEPS.set(0);
        let (result, record, sealed) = run(engine, sources, whole, given);
        let Err(error) = result else {
            if sealed.is_none() {
                failures.push(left_early(statements.get(STEPS.get()), &sources.files[0].path));
            }
            return TopLevel { record, sealed, failures };
        };
        // What is wrong already may have declared a name; that it is missing here is no error of its own.
        let follows =
            matches!(*error, EvalAltResult::ErrorVariableNotFound(..) | EvalAltResult::ErrorModuleNotFound(..));
        if !(follows && (already_wrong || !failures.is_empty())) {
            failures.push(refused(&error, &sources.files[0].path));
        }
        let failed = STEPS.get();
        if failed >= statements.len()
            || failures.len() >= FAILURES
            || matches!(*error, EvalAltResult::ErrorTerminated(..))
        {
            return TopLevel { record, sealed: None, failures };
        }
        statements.remove(failed);
    }
}

fn prepare(engine: &mut Engine, sources: &Sources) {
    engine.set_module_resolver(Imports::new(sources));
    engine.register_fn(SEAL, |context: NativeCallContext<'_>| {
        let state = context.global_runtime_state().clone();
        SEALED.with(|slot| *slot.borrow_mut() = Some(state));
    });
}

type Ran = (Result<Dynamic, Box<EvalAltResult>>, Record, Option<GlobalRuntimeState>);

fn run(engine: &Engine, sources: &Sources, script: AST, given: &BTreeMap<String, String>) -> Ran {
    let seal = engine.compile(format!("{SEAL}();")).expect("one call is valid syntax");
    let mut script = script.merge(&seal);
    script.set_source(sources.files[0].path.as_str());
    bindings::restart_top_level();
    guard::begin();
    let (result, record) = declare::record(given, || engine.eval_ast_with_scope::<Dynamic>(&mut Scope::new(), &script));
    (result, record, SEALED.with(|slot| slot.borrow_mut().take()))
}

/// What ended the top level, as an error: nobody could have wanted it to end there.
fn refused(error: &EvalAltResult, main: &str) -> ScriptError {
    error::explain(error, main)
        .err()
        .unwrap_or_else(|| ScriptError { message: "the top level was ended".to_owned(), place: None })
}

/// A `return` or `exit` of the top level: what stands below it declares nothing, and that is never meant.
fn left_early(statement: Option<&Stmt>, main: &str) -> ScriptError {
    let at = statement.map_or(Position::NONE, Stmt::position);
    let place = at.line().map(|line| (main.to_owned(), line, at.position().unwrap_or(1)));
    ScriptError { message: "the top level ends here, before it has declared everything".to_owned(), place }
}

impl Machine {
    /// Compiles and evaluates the Plan's script again, silently, to obtain its functions. Call it on a large stack.
    ///
    /// # Errors
    /// A script whose declarations differ from the Plan's, because its top level depends on something that changes.
    pub fn new(plan: &Plan) -> Result<Machine, ScriptError> {
        let machine = Machine::edited(plan, None)?;
        let generated = plan.feeds.iter().map(|feed| matches!(feed.rows, Rows::Generated));
        let acting = plan.rules.alerts.iter().map(|alert| alert.acts);
        let complete = machine.closures.iter().all(Option::is_some)
            && acting.eq(machine.thens.iter().map(Option::is_some))
            && machine.scenarios.iter().all(Option::is_some)
            && plan.collects.iter().all(|collect| machine.collectors.contains_key(&collect.metric))
            && generated.zip(&machine.generators).all(|(generated, found)| generated == found.is_some());
        if complete { Ok(machine) } else { Err(differs(&machine.main)) }
    }

    /// The same for the Plan of a run that was edited: it holds scenarios and feeds that its script no longer declares. Users
    /// may have kept closures that `before` has made: they can still be called, and call what there is now.
    ///
    /// # Errors
    /// A script whose top level does not go through.
    pub fn edited(plan: &Plan, before: Option<&Machine>) -> Result<Machine, ScriptError> {
        let mut engine = engine(&plan.options.limits);
        engine.set_optimization_level(OptimizationLevel::Simple);
        let sources = Sources::of_plan(&engine, &plan.sources);
        let given = plan.env.iter().filter_map(|(name, value)| Some((name.clone(), text_of(value)?))).collect();
        let top = evaluate(&mut engine, &sources, &given);
        let main = plan.sources[0].path.clone();
        match (top.sealed, top.failures.into_iter().next()) {
            (Some(mut sealed), None) => {
                let made = kept_closures(sources.asts[0].as_ref(), before, &mut sealed);
                let arities = arities(sources.asts.iter().flatten());
                let scenarios = functions(plan, &top.record, &arities);
                let generators = feeds::generators(&plan.feeds, top.record.declarations.iter()).into_iter();
                let generators =
                    generators.map(|closure| closure.map(|pointer| with_arity(pointer, &arities))).collect();
                let collectors = collectors(&top.record, &arities);
                let rules = deciding(&plan.rules, &top.record);
                let own = sources.asts[0].iter().flat_map(AST::iter_functions).map(|function| function.name.to_owned());
                Ok(Machine {
                    engine,
                    home: Home::new(sealed, own.collect(), main.clone()),
                    arities,
                    begins: begins(&sources),
                    main,
                    made,
                    scenarios,
                    generators,
                    closures: rules.closures,
                    thens: rules.thens,
                    collectors,
                })
            }
            (_, Some(error)) => Err(error),
            _ => Err(differs(&main)),
        }
    }

    /// The function of that name, if the script has it.
    pub fn function(&self, name: &str) -> Option<Function> {
        let pointer = self.arities.contains_key(name).then(|| FnPtr::new(name).ok()).flatten()?;
        Some(with_arity(pointer, &self.arities))
    }

    /// Calls a function of the script. `data` is handed over when it takes a parameter.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn call(&self, function: &Function, this: Option<&mut Dynamic>, data: &Dynamic) -> Result<Dynamic, Failure> {
        guard::begin();
        if function.takes_data {
            self.called(&function.pointer, this, &mut [data.clone()])
        } else {
            self.called(&function.pointer, this, &mut [])
        }
    }

    /// Calls a closure that the script gave to a declaration, outside any user: there is no `this`, and little time.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn ask(&self, closure: &FnPtr, mut arguments: Vec<Dynamic>, within: Duration) -> Result<Dynamic, Failure> {
        guard::begin_within(within);
        self.called(closure, None, &mut arguments)
    }

    fn called(
        &self,
        pointer: &FnPtr,
        this: Option<&mut Dynamic>,
        arguments: &mut [Dynamic],
    ) -> Result<Dynamic, Failure> {
        let context = NativeCallContext::new_with_all_fields(
            &self.engine,
            pointer.fn_name(),
            None,
            self.home.sealed(),
            Position::NONE,
        );
        pointer.call_raw(&context, this, arguments).map_err(|error| self.failure(*error, pointer))
    }

    /// Why a call did not return. Never inlined, so that it adds nothing to the frame of [`Machine::called`], below which
    /// users wait.
    #[cold]
    #[inline(never)]
    fn failure(&self, error: EvalAltResult, pointer: &FnPtr) -> Failure {
        match error {
            EvalAltResult::Exit(..) => {
                let error =
                    ScriptError { message: "`exit` ended the iteration: write `return`".to_owned(), place: None };
                Failure::Error(self.placed(error, pointer.fn_name()))
            }
            error => match error::explain(&error, &self.main) {
                Ok(ended) => Failure::Ended(ended),
                Err(error) => Failure::Error(self.placed(error, pointer.fn_name())),
            },
        }
    }

    /// What is told when `function` took its whole fiber with it: nothing is left that knows the line.
    pub fn lost_in(&self, function: &Function, message: String) -> ScriptError {
        self.placed(ScriptError { message, place: None }, function.pointer.fn_name())
    }

    /// What is wrong with what `function` returned.
    pub fn error_of(&self, function: &Function, message: String) -> ScriptError {
        ScriptError { message, place: self.begins.get(function.pointer.fn_name()).cloned() }
    }

    /// Rhai forgets where a limit was reached once the error leaves a function; then the function must do.
    fn placed(&self, mut error: ScriptError, function: &str) -> ScriptError {
        if error.place.is_none()
            && let Some(begins) = self.begins.get(function)
        {
            error.place = Some(begins.clone());
            let name = if function.starts_with("anon$") { "this closure" } else { function };
            error.message = format!("{} (somewhere in `{name}`, or in what it calls)", error.message);
        }
        error
    }
}

/// The closures of a script, and those of the Machine before it: these are made known to `sealed`. Each is named by the hash
/// of what it says, so that one which is in both is one.
fn kept_closures(
    main: Option<&AST>,
    before: Option<&Machine>,
    sealed: &mut GlobalRuntimeState,
) -> Vec<Shared<ScriptFuncDef>> {
    let closures = main.into_iter().flat_map(AST::iter_fn_def).filter(|function| function.name.starts_with("anon$"));
    let mut made: Vec<_> = closures.cloned().collect();
    let own: FxHashSet<_> = made.iter().map(|closure| closure.name.clone()).collect();
    let kept = before.into_iter().flat_map(|before| &before.made).filter(|closure| !own.contains(&closure.name));
    let mut module = Module::new();
    for closure in kept.take(KEPT_CLOSURES) {
        module.set_script_fn(Shared::clone(closure));
        made.push(Shared::clone(closure));
    }
    if !module.is_empty() {
        sealed.lib.push(module.into());
    }
    made
}

fn text_of(value: &EnvValue) -> Option<String> {
    match value {
        EnvValue::Text(text) => Some(text.clone()),
        EnvValue::Integer(integer) => Some(integer.to_string()),
        EnvValue::Float(float) => Some(float.to_string()),
        EnvValue::Bool(truth) => Some(truth.to_string()),
        EnvValue::Missing => None,
    }
}

fn differs(main: &str) -> ScriptError {
    let message = format!(
        "the top level of `{main}` declares something else each time it is evaluated; declarations may depend on `env` only"
    );
    ScriptError { message, place: None }
}

/// Resolves imports from the texts at hand; nothing is read from disk.
struct Imports {
    by_file: BTreeMap<String, BTreeMap<String, usize>>,
    asts: Vec<Option<AST>>,
    files: Vec<Source>,
    modules: RefCell<BTreeMap<usize, Shared<Module>>>,
    loading: RefCell<Vec<usize>>,
}

impl Imports {
    fn new(sources: &Sources) -> Self {
        let by_file = sources.files.iter().zip(&sources.imports);
        Imports {
            by_file: by_file.map(|(file, imports)| (file.path.clone(), imports.clone())).collect(),
            asts: sources.asts.clone(),
            files: sources.files.clone(),
            modules: RefCell::default(),
            loading: RefCell::default(),
        }
    }
}

impl ModuleResolver for Imports {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        at: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let from = source.unwrap_or(&self.files[0].path);
        let index = self.by_file.get(from).and_then(|imports| imports.get(path)).copied();
        let unknown = || Box::new(EvalAltResult::ErrorModuleNotFound(path.to_owned(), at));
        let index = index.ok_or_else(unknown)?;
        if let Some(module) = self.modules.borrow().get(&index) {
            return Ok(Shared::clone(module));
        }
        if self.loading.borrow().contains(&index) {
            let text = format!("`{path}` is imported while it is being imported: the imports form a circle");
            return Err(EvalAltResult::ErrorRuntime(text.into(), at).into());
        }
        let ast = self.asts[index].as_ref().ok_or_else(unknown)?;
        self.loading.borrow_mut().push(index);
        let module = Module::eval_ast_as_new(Scope::new(), ast, engine);
        self.loading.borrow_mut().pop();
        let module: Shared<Module> = module?.into();
        self.modules.borrow_mut().insert(index, Shared::clone(&module));
        Ok(module)
    }
}
