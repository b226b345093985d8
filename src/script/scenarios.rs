//! Reading `scenario(name, #{ … })`, and what the command line makes of a script without any.

use super::backoff;
use super::declare::Declaration;
use super::desk::{Desk, Functions};
use super::error::type_name;
use super::life::{self, Named};
use super::objective;
use super::overrides::Overrides;
use super::places::Declared;
use super::settings::{self, Reader};
use super::work::{self, MAX_DURATION};
use crate::diagnostic::Diagnostic;
use crate::expr::Catalog;
use crate::metrics::MetricDef;
use crate::plan::{Late, Life, Options, Scenario, Work};
use std::sync::Arc;
use std::time::Duration;

/// All scenarios, in order, as the command line leaves them.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    options: &Options,
    overrides: &Overrides,
    functions: &Functions,
    metrics: &[MetricDef],
) -> Vec<Scenario> {
    let catalog = Catalog { metrics, tags: &options.declared_tags, history: false };
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut declared_any = false;
    let mut skipped = Vec::new();
    let mut declared_at = Vec::new();
    for declaration in declarations {
        declared_any = true;
        let declared = desk.declared(declaration);
        if let Some(scenario) = one(desk, declaration, &declared, options, overrides, functions, catalog) {
            if scenarios.iter().any(|known| known.name == scenario.name) || skipped.contains(&scenario.name) {
                desk.tell(
                    declared
                        .at_argument(0, Diagnostic::error(format!("a scenario `{}` exists already", scenario.name))),
                );
            } else if !overrides.only.is_empty() && !overrides.only.contains(&scenario.name) {
                skipped.push(scenario.name);
            } else {
                declared_at.push((scenario.name.clone(), declared));
                scenarios.push(scenario);
            }
        }
    }
    if desk.incomplete {
        // The scenario that seems to be missing may be in what failed.
    } else if !declared_any {
        scenarios.extend(plain(desk, options, overrides, functions));
    } else {
        let names =
            || scenarios.iter().map(|scenario| scenario.name.as_str()).chain(skipped.iter().map(String::as_str));
        for wanted in overrides.only.iter().filter(|wanted| names().all(|name| name != wanted.as_str())) {
            let problem = Diagnostic::error(format!("`--scenario {wanted}`: the script has no such scenario"));
            desk.tell(problem.suggest(wanted, names().collect::<Vec<_>>()));
        }
        reshape(desk, &mut scenarios, overrides);
        order(desk, &mut scenarios, &skipped, &declared_at);
    }
    scenarios
}

/// `after: "…"`: the scenario is there, and nobody waits for itself. One that waits for a scenario which `--scenario`
/// leaves out does not wait.
fn order(desk: &Desk<'_>, scenarios: &mut [Scenario], skipped: &[String], declared: &[(String, Declared<'_>)]) {
    let waits: Vec<(String, Option<String>)> =
        scenarios.iter().map(|scenario| (scenario.name.clone(), scenario.after.clone())).collect();
    let next = |name: &str| waits.iter().find(|(known, _)| known == name).and_then(|(_, after)| after.as_deref());
    for scenario in scenarios {
        let Some(after) = scenario.after.clone() else { continue };
        let at = |problem: Diagnostic| match declared.iter().find(|(name, _)| *name == scenario.name) {
            Some((_, declared)) => desk.tell(declared.at_key(1, "after", problem)),
            None => desk.tell(problem),
        };
        if skipped.contains(&after) {
            scenario.after = None;
        } else if !waits.iter().any(|(name, _)| *name == after) {
            let problem = Diagnostic::error(format!("`after`: there is no scenario `{after}`"));
            at(problem.suggest(&after, waits.iter().map(|(name, _)| name.as_str())));
        } else {
            let mut path = vec![scenario.name.clone()];
            let mut current = Some(after.as_str());
            while let Some(name) = current {
                path.push(name.to_owned());
                if name == scenario.name || path.len() > waits.len() + 1 {
                    break;
                }
                current = next(name);
            }
            if path.last() == Some(&scenario.name) {
                let text = format!("scenario `{}` waits for itself: {}", scenario.name, path.join(" after "));
                at(Diagnostic::error(text).help("one of them has to start by itself"));
            }
        }
    }
}

fn one(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    options: &Options,
    overrides: &Overrides,
    functions: &Functions,
    catalog: Catalog<'_>,
) -> Option<Scenario> {
    let name = match declaration.arguments[0].as_immutable_string_ref() {
        Ok(name) => name.to_string(),
        Err(_) => {
            let problem =
                Diagnostic::error(format!("a scenario's name is text, not {}", type_name(&declaration.arguments[0])));
            desk.tell(declared.at_argument(0, problem));
            return None;
        }
    };
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')) {
        let problem = Diagnostic::error(format!("`{name}` is no name for a scenario"));
        desk.tell(declared.at_argument(0, problem.help("letters, digits, `_` and `-`")));
    }
    let Ok(map) = declaration.arguments[1].as_map_ref() else {
        desk.tell(
            declared.at_argument(
                1,
                Diagnostic::error("the second argument of `scenario` is a map: `#{ users: …, run: … }`"),
            ),
        );
        return None;
    };
    let reader = desk.reader(&map, declared, 1);
    let Named { run, mix, start, stop } = life::functions(&reader, functions);
    if run.is_none() && !reader.has("run") {
        desk.tell(
            declared.problem(
                Diagnostic::error(format!("scenario `{name}` has no `run`"))
                    .help("`run: browse` names what each iteration does"),
            ),
        );
    }
    let backoff = backoff::option(&reader, functions).unwrap_or_else(|| options.backoff.clone());
    let life = Life { mix, pacing: life::pacing(&reader, functions), backoff };
    let duration = reader.duration("duration").or(options.duration);
    let work = work::read(&reader, &name, duration.or(overrides.duration), desk, declared);
    let http = reader.nested("options", |reader| settings::http(reader, &options.http));
    let work = work?;
    let objective = work.load().map_or(Ok(Vec::new()), |load| objective::read(load, &name, catalog));
    let objective = objective.unwrap_or_else(|problems| {
        let key = if reader.has("rate") { "rate" } else { "users" };
        problems.into_iter().for_each(|problem| reader.problem(key, problem));
        Vec::new()
    });
    let scenario = Scenario {
        work,
        objective,
        starts: reader.duration("starts").unwrap_or_default(),
        after: reader.text("after"),
        warmup: reader.truth("warmup").unwrap_or(false),
        graceful_stop: overrides.graceful_stop.or(reader.duration("graceful_stop")).unwrap_or(options.graceful_stop),
        tags: tags(&reader, options),
        run: run.unwrap_or_default(),
        life,
        start,
        stop,
        throw_errors: reader.truth("throw_errors").unwrap_or(options.throw_errors),
        http,
        gone: false,
        name,
    };
    reader.finish("scenario");
    Some(scenario)
}

fn tags(reader: &Reader<'_>, options: &Options) -> std::collections::BTreeMap<String, String> {
    let mut tags = reader.pairs("tags").unwrap_or_default();
    for name in tags.keys().filter(|name| !options.declared_tags.contains(name)) {
        let problem = Diagnostic::error(format!("unknown tag `{name}`"));
        let help =
            format!("declare it with `options(#{{ tags: #{{ {name}: \"\" }} }})`, so that rules can select by it");
        reader.problem("tags", problem.help(help));
    }
    tags.retain(|_, value| !value.is_empty());
    tags
}

/// The work that `-u`, `-r`, `-d` and `-i` describe by themselves; `users` and `late` are those of the script, if any.
fn work_of_flags(overrides: &Overrides, users: Option<u32>, late: Late) -> Result<Work, Diagnostic> {
    if overrides.users == Some(0) || overrides.iterations == Some(0) {
        return Err(Diagnostic::error("`--users` and `--iterations` are whole numbers from 1 on"));
    }
    let users = overrides.users.or(users);
    match (overrides.rate, overrides.iterations) {
        (Some(_), Some(_)) => Err(Diagnostic::error("`--rate` and `--iterations` do not go together")
            .help("`--rate 50/s --duration 30s` starts 1500 iterations")),
        (Some(rate), None) => {
            let Some(users) = users else {
                let problem = Diagnostic::error("`--rate` does not say how many users it may take");
                return Err(problem.help("add `--users 50`: the most users at once"));
            };
            work::open(work::constant(rate)?, overrides.duration, users, late)
        }
        (None, Some(iterations)) => Ok(Work::Iterations {
            users: users.unwrap_or(1),
            iterations,
            max_duration: overrides.duration.unwrap_or(MAX_DURATION),
        }),
        (None, None) => work::closed(work::constant(f64::from(users.unwrap_or(1)))?, overrides.duration),
    }
}

/// A script without scenarios runs `fn run` as the command line says; once, when it says nothing.
fn plain(desk: &Desk<'_>, options: &Options, overrides: &Overrides, functions: &Functions) -> Option<Scenario> {
    if !functions.has("run") {
        let problem =
            Diagnostic::error("the script has neither a `scenario(…)` nor a `fn run()`: there is nothing to run");
        desk.tell(problem.help(
            "declare `scenario(\"browse\", #{ users: 10, duration: 30.s, run: browse })`, or write `fn run() { … }`",
        ));
        return None;
    }
    if !functions.takes_at_most_data("run") {
        let problem = Diagnostic::error("`run` takes more than one parameter");
        desk.tell(problem.help("punk calls it as `run()` or `run(data)`, where `data` is what `setup` returned"));
    }
    let mut flags = overrides.clone();
    flags.duration = flags.duration.or(options.duration);
    if flags.users.is_none() && flags.rate.is_none() && flags.duration.is_none() && flags.iterations.is_none() {
        flags.iterations = Some(1);
    }
    if flags.duration.is_none() && flags.iterations.is_none() {
        let flag = if flags.rate.is_some() { "--rate" } else { "--users" };
        let problem = Diagnostic::error(format!("`{flag}` alone does not say when the run ends"));
        desk.tell(problem.help("add `--duration 30s` or `--iterations 100`"));
        return None;
    }
    let work = work_of_flags(&flags, None, Late::Wait).map_err(|problem| desk.tell(problem)).ok()?;
    let optional = |name: &str| functions.has(name).then(|| name.to_owned());
    Some(Scenario {
        name: "default".to_owned(),
        work,
        starts: Duration::ZERO,
        after: None,
        objective: Vec::new(),
        warmup: false,
        graceful_stop: options.graceful_stop,
        tags: std::collections::BTreeMap::new(),
        run: "run".to_owned(),
        life: Life { backoff: options.backoff.clone(), ..Life::default() },
        start: optional("start"),
        stop: optional("stop"),
        http: None,
        throw_errors: options.throw_errors,
        gone: false,
    })
}

/// `-u`, `-r`, `-d`, `-i` against a script's own load: clear for one scenario only.
fn reshape(desk: &Desk<'_>, scenarios: &mut [Scenario], overrides: &Overrides) {
    let load = overrides.users.is_some() || overrides.rate.is_some() || overrides.iterations.is_some();
    if !load && overrides.duration.is_none() {
        return;
    }
    let [scenario] = scenarios else {
        if scenarios.len() > 1 && load {
            let text = "`--users`, `--rate` and `--iterations` fit one scenario, and the script has several";
            let problem = Diagnostic::error(text);
            desk.tell(problem.help("choose one with `--scenario NAME`"));
        }
        for scenario in scenarios {
            cut(desk, scenario, overrides.duration);
        }
        return;
    };
    if !load {
        cut(desk, scenario, overrides.duration);
        return;
    }
    let mut flags = overrides.clone();
    flags.duration = flags.duration.or(scenario.work.duration());
    let late = match scenario.work {
        Work::Arrivals { late, .. } => late,
        _ => Late::Wait,
    };
    match work_of_flags(&flags, Some(scenario.work.users_max()), late) {
        Ok(work) => scenario.work = work,
        Err(problem) => desk.tell(problem),
    }
}

/// `-d` alone: the script's load, cut to it.
fn cut(desk: &Desk<'_>, scenario: &mut Scenario, duration: Option<Duration>) {
    let Some(limit) = duration else { return };
    let cut = match &mut scenario.work {
        Work::Load(load) => work::closed(Arc::clone(&load.shape), duration),
        Work::Arrivals { load, max_users, late } => work::open(Arc::clone(&load.shape), duration, *max_users, *late),
        Work::Iterations { max_duration, .. } | Work::IterationsPerUser { max_duration, .. } => {
            *max_duration = limit;
            return;
        }
    };
    match cut {
        Ok(work) => scenario.work = work,
        Err(problem) => desk.tell(problem),
    }
}
