//! Reading `scenario(name, #{ … })`, and what the command line makes of a script without any.

use super::declare::{Declaration, Shape};
use super::desk::{Desk, Functions};
use super::error::type_name;
use super::machine::function_of;
use super::overrides::Overrides;
use super::places::Declared;
use super::settings::{self, Reader};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Argument, Load, Model};
use crate::plan::{Options, Scenario, Work};
use rhai::Dynamic;
use std::sync::Arc;
use std::time::Duration;

/// Time limit of fixed work that names none; k6's default.
const MAX_DURATION: Duration = Duration::from_secs(600);
/// What a scenario's shape wants when it never ends.
const NEVER_ENDS: &str = "give it `duration: 30.s`, or end the shape with `.hold(30.s)`";

/// All scenarios, in order, as the command line leaves them.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    options: &Options,
    overrides: &Overrides,
    functions: &Functions,
) -> Vec<Scenario> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut declared_any = false;
    let mut skipped = Vec::new();
    for declaration in declarations {
        declared_any = true;
        let declared = desk.declared(declaration);
        if let Some(scenario) = one(desk, declaration, &declared, options, overrides, functions) {
            if scenarios.iter().any(|known| known.name == scenario.name) || skipped.contains(&scenario.name) {
                desk.tell(
                    declared
                        .at_argument(0, Diagnostic::error(format!("a scenario `{}` exists already", scenario.name))),
                );
            } else if !overrides.only.is_empty() && !overrides.only.contains(&scenario.name) {
                skipped.push(scenario.name);
            } else {
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
    }
    scenarios
}

fn one(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    options: &Options,
    overrides: &Overrides,
    functions: &Functions,
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
    let run = function(&reader, "run", functions);
    if run.is_none() && !reader.has("run") {
        desk.tell(
            declared.problem(
                Diagnostic::error(format!("scenario `{name}` has no `run`"))
                    .help("`run: browse` names what each iteration does"),
            ),
        );
    }
    let start = function(&reader, "start", functions);
    let stop = function(&reader, "stop", functions);
    let duration = reader.duration("duration").or(options.duration);
    let work = work(&reader, &name, duration.or(overrides.duration), desk, declared);
    let http = reader.nested("options", |reader| settings::http(reader, &options.http));
    let scenario = Scenario {
        work: work?,
        graceful_stop: overrides.graceful_stop.or(reader.duration("graceful_stop")).unwrap_or(options.graceful_stop),
        tags: tags(&reader, options),
        run: run.unwrap_or_default(),
        start,
        stop,
        throw_errors: reader.truth("throw_errors").unwrap_or(options.throw_errors),
        http,
        name,
    };
    reader.finish("scenario");
    Some(scenario)
}

/// The function that a key names, by its name.
fn function(reader: &Reader<'_>, key: &'static str, functions: &Functions) -> Option<String> {
    let value = reader.any(key)?;
    let Some(function) = function_of(value) else {
        reader.problem(key, Diagnostic::error(format!("`{key}` is a function, not {}", type_name(value))));
        return None;
    };
    let name = function.fn_name().to_owned();
    // A name that the script does not have is the walk's to report, unless it was given as text.
    if value.is_string() && !functions.has(&name) {
        let problem = Diagnostic::error(format!("`{key}`: there is no function `{name}`"));
        reader.problem(key, problem.suggest(&name, functions.names()));
        return None;
    }
    if function.curry().is_empty() && !functions.takes_at_most_data(&name) {
        let problem = Diagnostic::error(format!("`{key}`: `{name}` takes more than one parameter"));
        reader.problem(
            key,
            problem
                .help(format!("punk calls it as `{name}()` or `{name}(data)`, where `data` is what `setup` returned")),
        );
    }
    Some(if name.starts_with("anon$") { "(closure)".to_owned() } else { name })
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

/// The model: exactly one of `users`, `iterations`, `iterations_per_user` (the last two with `users` as a number).
fn work(
    reader: &Reader<'_>,
    name: &str,
    duration: Option<Duration>,
    desk: &Desk<'_>,
    declared: &Declared<'_>,
) -> Option<Work> {
    let users = reader.any("users");
    let (shared, each) = (reader.whole("iterations", 1), reader.whole("iterations_per_user", 1));
    let max_duration = reader.duration("max_duration").or(duration).unwrap_or(MAX_DURATION);
    let given = [reader.has("iterations"), reader.has("iterations_per_user")];
    if given == [true, true] {
        reader.problem(
            "iterations_per_user",
            Diagnostic::error("a scenario has `iterations` or `iterations_per_user`, not both"),
        );
        return None;
    }
    if given != [false, false] {
        let count = match users.map(|value| value.as_int()) {
            None => 1,
            Some(Ok(count)) if (1..=i64::from(u32::MAX)).contains(&count) => count as u32,
            Some(_) => {
                let text = "with a fixed number of iterations, `users` is a whole number from 1 on";
                reader.problem("users", Diagnostic::error(text));
                return None;
            }
        };
        return match (shared, each) {
            (Some(iterations), _) => Some(Work::Iterations { users: count, iterations, max_duration }),
            (_, Some(iterations)) => Some(Work::IterationsPerUser { users: count, iterations, max_duration }),
            _ => None,
        };
    }
    let Some(users) = users else {
        if !reader.has("rate") {
            let problem = Diagnostic::error(format!("scenario `{name}` has no load"));
            desk.tell(declared.problem(
                problem.help("one of `users: ramp(1, 20, 5.s)`, `iterations: 100`, `iterations_per_user: 10`"),
            ));
        }
        return None;
    };
    let shape = shape(reader, "users", users)?;
    closed(shape, duration).map_err(|problem| reader.problem("users", problem)).ok()
}

/// `users` as a shape: a number means `constant`.
fn shape(reader: &Reader<'_>, key: &'static str, value: &Dynamic) -> Option<Arc<dyn load::Shape>> {
    if let Some(shape) = value.clone().try_cast::<Shape>() {
        return Some(shape.0);
    }
    let number = value.as_int().map(|whole| whole as f64).or_else(|_| value.as_float());
    let Ok(number) = number else {
        let problem = Diagnostic::error(format!("`{key}` is a number or a load shape, not {}", type_name(value)));
        reader.problem(key, problem.help("`users: 10` or `users: ramp(1, 20, 5.s).hold(20.s)`"));
        return None;
    };
    load::build("constant", &[Argument::Value(number)])
        .map_err(|error| reader.problem(key, Diagnostic::error(error.to_string())))
        .ok()
}

/// A closed load that ends.
fn closed(shape: Arc<dyn load::Shape>, duration: Option<Duration>) -> Result<Work, Diagnostic> {
    if shape.randomized() {
        let problem = Diagnostic::error("`.randomized()` is for `rate:`: users start nothing at random");
        return Err(problem.help("leave it out, or write `rate:`"));
    }
    let shape = match duration {
        Some(duration) => load::build("during", &[Argument::Shape(shape), Argument::Duration(duration)])
            .map_err(|error| Diagnostic::error(error.to_string()))?,
        None => shape,
    };
    if shape.duration().is_none() {
        return Err(Diagnostic::error(format!("`{shape}` never ends")).help(NEVER_ENDS));
    }
    let load = Load { model: Model::Users, shape };
    if load.peak() > 1_000_000 {
        return Err(Diagnostic::error(format!("{} users are more than one process can have (1000000)", load.peak())));
    }
    if load.peak() == 0 {
        return Err(Diagnostic::error("this load never has a user"));
    }
    Ok(Work::Load(load))
}

fn constant(users: u32) -> Result<Arc<dyn load::Shape>, Diagnostic> {
    load::build("constant", &[Argument::Value(f64::from(users))]).map_err(|error| Diagnostic::error(error.to_string()))
}

/// The work that `-u`, `-d` and `-i` describe by themselves.
fn work_of_flags(overrides: &Overrides, users: Option<u32>) -> Result<Work, Diagnostic> {
    if overrides.users == Some(0) || overrides.iterations == Some(0) {
        return Err(Diagnostic::error("`--users` and `--iterations` are whole numbers from 1 on"));
    }
    let users = overrides.users.or(users).unwrap_or(1);
    match overrides.iterations {
        Some(iterations) => {
            Ok(Work::Iterations { users, iterations, max_duration: overrides.duration.unwrap_or(MAX_DURATION) })
        }
        None => closed(constant(users)?, overrides.duration),
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
    if flags.users.is_none() && flags.duration.is_none() && flags.iterations.is_none() {
        flags.iterations = Some(1);
    }
    if flags.duration.is_none() && flags.iterations.is_none() {
        let problem = Diagnostic::error("`--users` alone does not say when the run ends");
        desk.tell(problem.help("add `--duration 30s` or `--iterations 100`"));
        return None;
    }
    let work = work_of_flags(&flags, None).map_err(|problem| desk.tell(problem)).ok()?;
    let optional = |name: &str| functions.has(name).then(|| name.to_owned());
    Some(Scenario {
        name: "default".to_owned(),
        work,
        graceful_stop: options.graceful_stop,
        tags: std::collections::BTreeMap::new(),
        run: "run".to_owned(),
        start: optional("start"),
        stop: optional("stop"),
        http: None,
        throw_errors: options.throw_errors,
    })
}

/// `-u`, `-d`, `-i` against a script's own load: clear for one scenario only.
fn reshape(desk: &Desk<'_>, scenarios: &mut [Scenario], overrides: &Overrides) {
    if overrides.users.is_none() && overrides.iterations.is_none() && overrides.duration.is_none() {
        return;
    }
    let [scenario] = scenarios else {
        if scenarios.len() > 1 && (overrides.users.is_some() || overrides.iterations.is_some()) {
            let problem =
                Diagnostic::error("`--users` and `--iterations` fit one scenario, and the script has several");
            desk.tell(problem.help("choose one with `--scenario NAME`"));
        }
        for scenario in scenarios {
            cut(desk, scenario, overrides.duration);
        }
        return;
    };
    if overrides.users.is_none() && overrides.iterations.is_none() {
        cut(desk, scenario, overrides.duration);
        return;
    }
    let mut flags = overrides.clone();
    flags.duration = flags.duration.or(scenario.work.duration());
    match work_of_flags(&flags, Some(scenario.work.users_max())) {
        Ok(work) => scenario.work = work,
        Err(problem) => desk.tell(problem),
    }
}

/// `-d` alone: the script's load, cut to it.
fn cut(desk: &Desk<'_>, scenario: &mut Scenario, duration: Option<Duration>) {
    let Some(limit) = duration else { return };
    match &mut scenario.work {
        Work::Load(load) => match closed(Arc::clone(&load.shape), duration) {
            Ok(work) => scenario.work = work,
            Err(problem) => desk.tell(problem),
        },
        Work::Iterations { max_duration, .. } | Work::IterationsPerUser { max_duration, .. } => *max_duration = limit,
    }
}
