//! Reading what the users of a scenario do and how they wait: `run`, `start`, `stop`, `pacing`.
//!
//! Called by `scenarios`, and by `backoff` for its closure. It knows names only: functions are found by the machine.

use super::desk::Functions;
use super::error::type_name;
use super::machine::function_of;
use super::settings::Reader;
use crate::diagnostic::Diagnostic;
use crate::plan::{Pacing, Weighted};
use rhai::Dynamic;

/// How punk calls the functions that users run; `NAME` is the function's.
const WITH_DATA: &str = "punk calls it as `NAME()` or `NAME(data)`, where `data` is what `setup` returned";

/// The functions of a scenario.
pub(super) struct Named {
    /// For people; `None` when there is none, or a wrong one.
    pub(super) run: Option<String>,
    /// What `run` chooses from, if it is a list.
    pub(super) mix: Vec<Weighted>,
    pub(super) start: Option<String>,
    pub(super) stop: Option<String>,
}

/// `run`, `start` and `stop`.
pub(super) fn functions(reader: &Reader<'_>, functions: &Functions) -> Named {
    let (run, mix) = match reader.any("run").filter(|run| run.is_array()) {
        Some(list) => {
            let mix = mix(reader, list, functions);
            (Some(mix.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")), mix)
        }
        None => (function(reader, "run", functions, WITH_DATA), Vec::new()),
    };
    let [start, stop] = ["start", "stop"].map(|key| function(reader, key, functions, WITH_DATA));
    Named { run, mix, start, stop }
}

/// The function that a key names, by its name. `called` says how punk calls `NAME`: with one argument at most.
pub(super) fn function(reader: &Reader<'_>, key: &'static str, functions: &Functions, called: &str) -> Option<String> {
    named(reader, (key, &[]), reader.any(key)?, functions, called)
}

/// The function that a value names: that of a key, or an item of its list.
fn named(
    reader: &Reader<'_>,
    (key, item): (&'static str, &[usize]),
    value: &Dynamic,
    functions: &Functions,
    called: &str,
) -> Option<String> {
    let problem = |problem: Diagnostic| reader.problem_at(key, item, problem);
    let Some(function) = function_of(value) else {
        let what = if item.is_empty() { "is a function" } else { "chooses from functions" };
        problem(Diagnostic::error(format!("`{key}` {what}, not {}", type_name(value))));
        return None;
    };
    let name = function.fn_name().to_owned();
    // A name that the script does not have is the walk's to report, unless it was given as text.
    if value.is_string() && !functions.has(&name) {
        let found = Diagnostic::error(format!("`{key}`: there is no function `{name}`"));
        problem(found.suggest(&name, functions.names()));
        return None;
    }
    if function.curry().is_empty() && !functions.takes_at_most_data(&name) {
        problem(
            Diagnostic::error(format!("`{key}`: `{name}` takes more than one parameter"))
                .help(called.replace("NAME", &name)),
        );
    }
    Some(if name.starts_with("anon$") { "(closure)".to_owned() } else { name })
}

/// `run: [[3, browse], [1, checkout]]`: what is wrong is told, and left out.
fn mix(reader: &Reader<'_>, list: &Dynamic, functions: &Functions) -> Vec<Weighted> {
    let pairs = "weights and functions in pairs: `run: [[3, browse], [1, checkout]]`";
    let wrong = |item: &[usize], text: String| reader.problem_at("run", item, Diagnostic::error(text).help(pairs));
    let list = list.as_array_ref().map(|list| list.clone()).unwrap_or_default();
    if list.is_empty() {
        wrong(&[], "`run` is a list with nothing to choose from".to_owned());
    }
    let one = |(at, pair): (usize, &Dynamic)| {
        let items = pair.as_array_ref().ok();
        let Some([weight, run]) = items.as_ref().map(|items| items.as_slice()) else {
            let found = items.as_ref().map_or_else(|| type_name(pair), |items| format!("a list of {}", items.len()));
            wrong(&[at], format!("`run`: a weight and a function are wanted, not {found}"));
            return None;
        };
        let number = match weight.as_float().or_else(|_| weight.as_int().map(|whole| whole as f64)) {
            Ok(number) if number.is_finite() && number >= 0.0 => Some(number),
            Ok(_) => {
                wrong(&[at, 0], format!("`run`: a weight is at least 0, not {weight}"));
                None
            }
            Err(_) => {
                wrong(&[at, 0], format!("`run`: a weight is a number, not {}", type_name(weight)));
                None
            }
        };
        let run = named(reader, ("run", &[at, 1]), run, functions, WITH_DATA);
        Some(Weighted { weight: number?, run: run? })
    };
    let mix: Vec<Weighted> = list.iter().enumerate().filter_map(one).collect();
    if !list.is_empty() && mix.len() == list.len() && mix.iter().all(|one| one.weight == 0.0) {
        wrong(&[], "`run`: all weights are 0, so that nothing could ever be chosen".to_owned());
    }
    mix
}

/// `pacing: 2.s`, or a closure that returns such a time.
pub(super) fn pacing(reader: &Reader<'_>, functions: &Functions) -> Option<Pacing> {
    let value = reader.any("pacing")?;
    if reader.has("rate") {
        let problem = Diagnostic::error("`pacing` does not go with `rate`, which says itself when iterations start");
        reader.problem("pacing", problem.help("with `users`, `pacing` spaces the iterations of each user"));
        return None;
    }
    if value.is_fnptr() {
        let called = "punk calls it with nothing, or with `data`, after each iteration";
        return function(reader, "pacing", functions, called).map(Pacing::Script);
    }
    reader.duration("pacing").map(Pacing::Every)
}
