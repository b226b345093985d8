//! Which functions and closures of a script do what: found once more in what an evaluation declared, by the order of the Plan.
//!
//! Called by the Machine. It knows declarations and no engine: nothing is called here.

use super::declare::{Declaration, Record, Shape, What};
use super::source::Sources;
use crate::expr::Rules;
use crate::metrics::MetricKind;
use crate::plan::Plan;
use rhai::{AST, Dynamic, FnPtr, Map};
use std::collections::BTreeMap;

/// A function of the script, and whether it takes `data`.
#[derive(Debug, Clone)]
pub struct Function {
    pub(super) pointer: FnPtr,
    pub(super) takes_data: bool,
}

/// The functions of one scenario.
#[derive(Debug, Clone)]
pub struct Functions {
    /// Each iteration: the function, or those that the plan's mix chooses from, in its order. Never empty.
    pub run: Vec<Function>,
    /// Once per user, before the first iteration.
    pub start: Option<Function>,
    /// Once per user, after the last one.
    pub stop: Option<Function>,
    /// The script's own strategy after errors.
    pub backoff: Option<Function>,
    /// How far apart iterations start, asked after each.
    pub pacing: Option<Function>,
    /// Of a load with an `adaptive` part: what says the value. See [`Machine::ask`](super::machine::Machine::ask).
    pub steer: Option<FnPtr>,
}

/// Where the body of each function begins: file, line, column.
pub(super) fn begins(sources: &Sources) -> BTreeMap<String, (String, usize, usize)> {
    let mut begins = BTreeMap::new();
    for (source, ast) in sources.files.iter().zip(&sources.asts) {
        for function in ast.iter().flat_map(AST::iter_fn_def) {
            let at = function.body.start_position();
            if let (Some(line), Some(column)) = (at.line(), at.position()) {
                begins.entry(function.name.to_string()).or_insert_with(|| (source.path.clone(), line, column));
            }
        }
    }
    begins
}

pub(super) fn with_arity(pointer: FnPtr, arities: &BTreeMap<String, usize>) -> Function {
    let parameters = arities.get(pointer.fn_name()).copied().unwrap_or(0);
    Function { takes_data: parameters > pointer.curry().len(), pointer }
}

/// How many parameters each function has; of overloads the largest number that is at most one.
pub(super) fn arities<'a>(asts: impl Iterator<Item = &'a AST>) -> BTreeMap<String, usize> {
    let mut arities = BTreeMap::new();
    for function in asts.flat_map(AST::iter_functions) {
        let parameters = function.params.len();
        let known = arities.entry(function.name.to_owned()).or_insert(parameters);
        if parameters <= 1 {
            *known = parameters.max(if *known <= 1 { *known } else { 0 });
        }
    }
    arities
}

/// The functions of the Plan's scenarios, in its order; `None` for one that the script does not declare. A plan whose single
/// scenario stands for a script without any runs `fn run`.
pub(super) fn functions(plan: &Plan, record: &Record, arities: &BTreeMap<String, usize>) -> Vec<Option<Functions>> {
    let declared: Vec<_> = record.declarations.iter().filter(|d| d.what == What::Scenario).collect();
    let in_map = |map: &Map, key: &str| map.get(key).and_then(function_of).map(|found| with_arity(found, arities));
    // Where a plain value may stand as well, text is such a value and no name.
    let closure = |map: &Map, key: &str| in_map(map, key).filter(|_| map[key].is_fnptr());
    let options = record.declarations.iter().find(|d| d.what == What::Options);
    let usual_backoff = options.and_then(|options| closure(&*options.arguments[0].as_map_ref().ok()?, "backoff"));
    if declared.is_empty() {
        let named = |name: &str| {
            let pointer = arities.contains_key(name).then(|| FnPtr::new(name).ok()).flatten()?;
            Some(with_arity(pointer, arities))
        };
        return plan
            .scenarios
            .iter()
            .map(|scenario| {
                Some(Functions {
                    run: vec![named(&scenario.run)?],
                    start: scenario.start.as_deref().and_then(named),
                    stop: scenario.stop.as_deref().and_then(named),
                    backoff: usual_backoff.clone(),
                    pacing: None,
                    steer: None,
                })
            })
            .collect();
    }
    let functions = plan.scenarios.iter().map(|scenario| {
        let declaration = declared
            .iter()
            .find(|d| d.arguments[0].as_immutable_string_ref().is_ok_and(|name| **name == *scenario.name))?;
        let map = declaration.arguments[1].as_map_ref().ok()?;
        let function = |key: &str| in_map(&map, key);
        let run = match map.get("run").filter(|run| run.is_array()) {
            None => vec![function("run")?],
            Some(mix) => {
                let pair = |pair: &Dynamic| function_of(pair.as_array_ref().ok()?.get(1)?);
                let functions = mix.as_array_ref().ok()?.iter().map(pair).collect::<Option<Vec<_>>>()?;
                functions.into_iter().map(|found| with_arity(found, arities)).collect()
            }
        };
        let own_backoff = map.get("backoff").is_some_and(|value| !value.is_unit());
        let load = map.get("users").or_else(|| map.get("rate")).and_then(|load| load.clone().try_cast::<Shape>());
        Some(Functions {
            run,
            start: function("start"),
            stop: function("stop"),
            backoff: if own_backoff { closure(&map, "backoff") } else { usual_backoff.clone() },
            pacing: closure(&map, "pacing"),
            steer: load.and_then(|shape| shape.steer),
        })
    });
    functions.collect()
}

/// The function that an option names: a pointer, or a name as text.
pub fn function_of(value: &Dynamic) -> Option<FnPtr> {
    if let Some(function) = value.clone().try_cast::<FnPtr>() {
        return Some(function);
    }
    value.as_immutable_string_ref().ok().and_then(|name| FnPtr::new(name.as_str()).ok())
}

/// What collects gauges, by their names.
pub(super) fn collectors(record: &Record, arities: &BTreeMap<String, usize>) -> BTreeMap<String, Function> {
    let mut collectors = BTreeMap::new();
    for declaration in record.declarations.iter().filter(|d| d.what == What::Metric(MetricKind::Gauge)) {
        let options = declaration.arguments.get(1).and_then(|options| options.clone().try_cast::<Map>());
        let closure = options.and_then(|options| options.get("collect")?.clone().try_cast::<FnPtr>());
        let (Some(closure), Ok(name)) = (closure, declaration.arguments[0].as_immutable_string_ref()) else { continue };
        collectors.entry(name.to_string()).or_insert_with(|| with_arity(closure, arities));
    }
    collectors
}

/// The closures of the rules.
pub(super) struct Deciding {
    /// By the order of `Rules::closures`.
    pub closures: Vec<Option<FnPtr>>,
    /// By the order of `Rules::alerts`.
    pub thens: Vec<Option<FnPtr>>,
}

/// The closures of thresholds and alerts by the order of the rules: `None` for one that the script does not have, because
/// the rules were edited elsewhere.
pub(super) fn deciding(rules: &Rules, record: &Record) -> Deciding {
    let of = |what: What| record.declarations.iter().filter(move |declaration| declaration.what == what);
    let closure =
        |name: &str| of(What::Threshold).filter(|declaration| is_named(declaration, name)).find_map(closure_of);
    let then = |name: &str| {
        let declaration = of(What::Alert).find(|declaration| is_named(declaration, name))?;
        declaration.arguments[1].as_map_ref().ok()?.get("then")?.clone().try_cast()
    };
    Deciding {
        closures: rules.closures.iter().map(|rule| closure(&rule.name)).collect(),
        thens: rules.alerts.iter().map(|alert| then(&alert.name).filter(|_| alert.acts)).collect(),
    }
}

fn is_named(declaration: &Declaration, name: &str) -> bool {
    declaration.arguments[0].as_immutable_string_ref().is_ok_and(|found| **found == *name)
}

/// The closure of `threshold(name, closure[, options])`; `None` for a threshold that is an expression.
pub(super) fn closure_of(threshold: &Declaration) -> Option<FnPtr> {
    threshold.arguments.get(1)?.clone().try_cast()
}
