//! Reading how a scenario's load becomes iterations: `users`, `rate`, `iterations`, `iterations_per_user`.

use super::declare::Shape;
use super::desk::Desk;
use super::duration::{self, Rate};
use super::error::type_name;
use super::places::Declared;
use super::settings::Reader;
use crate::diagnostic::Diagnostic;
use crate::load::{self, Argument, Load, Model};
use crate::plan::{Late, Work};
use rhai::Dynamic;
use std::sync::Arc;
use std::time::Duration;

/// Time limit of fixed work that names none; k6's default.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(600);
/// What a shape wants when it never ends.
const NEVER_ENDS: &str = "give it `duration: 30.s`, or end the shape with `.hold(30.s)`";
/// Users, and arrivals per second, that are certainly a mistake.
const MOST: u32 = 1_000_000;
/// The keys that name a load; a scenario has one of them.
const MODELS: [&str; 4] = ["users", "rate", "iterations", "iterations_per_user"];

/// The model: exactly one of `users`, `rate`, `iterations`, `iterations_per_user` (the last two with `users` as a number).
pub(super) fn read(
    reader: &Reader<'_>,
    name: &str,
    duration: Option<Duration>,
    desk: &Desk<'_>,
    declared: &Declared<'_>,
) -> Option<Work> {
    let given = MODELS.map(|key| reader.has(key));
    let max_duration = reader.duration("max_duration").or(duration).unwrap_or(MAX_DURATION);
    let max_users = reader.whole_u32("max_users", 1);
    let late = reader.word("late", &[("wait", Late::Wait), ("drop", Late::Drop)]);
    let (shared, each) = (reader.whole("iterations", 1), reader.whole("iterations_per_user", 1));
    if !given[1] {
        for (key, given) in [("max_users", max_users.is_some()), ("late", late.is_some())] {
            if given {
                let problem = Diagnostic::error(format!("`{key}` belongs to `rate`"));
                reader.problem(key, problem.help("with `users`, the load itself says how many there are"));
            }
        }
    }
    let clash = |key: &'static str, text: &str| {
        reader.problem(key, Diagnostic::error(text));
        None
    };
    match given {
        [_, _, true, true] => {
            clash("iterations_per_user", "a scenario has `iterations` or `iterations_per_user`, not both")
        }
        [_, true, true, _] | [_, true, _, true] => {
            clash("rate", "a scenario has `rate` or a fixed number of iterations, not both")
        }
        [true, true, ..] => {
            let problem = Diagnostic::error("a scenario has `users` or `rate`, not both");
            reader.problem("rate", problem.help("with `rate`, the most users at once are `max_users: 50`"));
            None
        }
        [_, _, false, false] if given[1] => {
            let shape = shape(reader, "rate")?;
            let Some(max_users) = max_users else {
                if !reader.has("max_users") {
                    let problem = Diagnostic::error("a `rate` does not say how many users it may take");
                    reader.problem(
                        "rate",
                        problem.help("add `max_users: 50`: the most users at once; arrivals beyond that wait"),
                    );
                }
                return None;
            };
            open(shape, duration, max_users, late.unwrap_or_default())
                .map_err(|problem| reader.problem("rate", problem))
                .ok()
        }
        [true, false, false, false] => {
            let shape = shape(reader, "users")?;
            closed(shape, duration).map_err(|problem| reader.problem("users", problem)).ok()
        }
        [false, false, false, false] => {
            let problem = Diagnostic::error(format!("scenario `{name}` has no load"));
            desk.tell(declared.problem(problem.help(
                "one of `users: ramp(1, 20, 5.s)`, `rate: 50.per_s`, `iterations: 100`, `iterations_per_user: 10`",
            )));
            None
        }
        _ => {
            let users = match reader.any("users").map(Dynamic::as_int) {
                None => 1,
                Some(Ok(count)) if (1..=i64::from(MOST)).contains(&count) => count as u32,
                Some(_) => {
                    let text = "with a fixed number of iterations, `users` is a whole number from 1 on";
                    return clash("users", text);
                }
            };
            match (shared, each) {
                (Some(iterations), _) => Some(Work::Iterations { users, iterations, max_duration }),
                (_, Some(iterations)) => Some(Work::IterationsPerUser { users, iterations, max_duration }),
                _ => None,
            }
        }
    }
}

/// `users` or `rate` as a shape: a number means `constant`.
fn shape(reader: &Reader<'_>, key: &'static str) -> Option<Arc<dyn load::Shape>> {
    let value = reader.any(key)?;
    if let Some(shape) = value.clone().try_cast::<Shape>() {
        return Some(shape.law);
    }
    let number = match key {
        "rate" if !value.is_map() && !value.is_array() => {
            duration::read_rate(value).map_err(|why| format!("`rate`: {why}"))
        }
        _ if value.is::<Rate>() => {
            Err("`users` is a number of users, not a rate: a rate is `rate: 50.per_s`".to_owned())
        }
        _ => value
            .as_int()
            .map(|whole| whole as f64)
            .or_else(|_| value.as_float())
            .map_err(|_| format!("`{key}` is a number or a load shape, not {}", type_name(value))),
    };
    let shape = number.map_err(Diagnostic::error).and_then(constant);
    let help = match key {
        "rate" => "`rate: 50.per_s` or `rate: ramp(1, 50, 10.s).hold(30.s)`",
        _ => "`users: 10` or `users: ramp(1, 20, 5.s).hold(20.s)`",
    };
    shape.map_err(|problem| reader.problem(key, problem.help(help))).ok()
}

/// A value that never changes.
pub(super) fn constant(value: f64) -> Result<Arc<dyn load::Shape>, Diagnostic> {
    load::build("constant", &[Argument::Value(value)]).map_err(|error| Diagnostic::error(error.to_string()))
}

/// A closed load that ends.
pub(super) fn closed(shape: Arc<dyn load::Shape>, duration: Option<Duration>) -> Result<Work, Diagnostic> {
    if shape.randomized() {
        let problem = Diagnostic::error("`.randomized()` is for `rate:`: users start nothing at random");
        return Err(problem.help(
            "with `rate`, arrivals come as by chance; users think at random: `sleep(think::uniform(1.s, 3.s))`",
        ));
    }
    let load = Load { model: Model::Users, shape: ending(shape, duration)? };
    if load.peak() > MOST {
        return Err(Diagnostic::error(format!("{} users are more than one process can have ({MOST})", load.peak())));
    }
    if load.peak() == 0 && load.shape.steered().is_none() {
        return Err(Diagnostic::error("this load never has a user"));
    }
    Ok(Work::Load(load))
}

/// An open load that ends.
pub(super) fn open(
    shape: Arc<dyn load::Shape>,
    duration: Option<Duration>,
    max_users: u32,
    late: Late,
) -> Result<Work, Diagnostic> {
    let load = Load { model: Model::Rate, shape: ending(shape, duration)? };
    if load.peak() > MOST {
        let text = format!("{} arrivals per second are more than one process can start ({MOST})", load.peak());
        return Err(Diagnostic::error(text));
    }
    if load.peak() == 0 && load.shape.steered().is_none() {
        return Err(Diagnostic::error("this rate never starts an iteration"));
    }
    if max_users > MOST {
        return Err(Diagnostic::error(format!("{max_users} users are more than one process can have ({MOST})")));
    }
    Ok(Work::Arrivals { load, max_users, late })
}

fn ending(shape: Arc<dyn load::Shape>, duration: Option<Duration>) -> Result<Arc<dyn load::Shape>, Diagnostic> {
    let shape = match duration {
        Some(duration) => load::build("during", &[Argument::Shape(shape), Argument::Duration(duration)])
            .map_err(|error| Diagnostic::error(error.to_string()))?,
        None => shape,
    };
    match shape.duration() {
        Some(_) => Ok(shape),
        None => Err(Diagnostic::error(format!("`{shape}` never ends")).help(NEVER_ENDS)),
    }
}
