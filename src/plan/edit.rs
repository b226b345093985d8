//! What an edit of the script changes in a run that goes on: two Plans are compared, and a third one is made of them.
//!
//! Asked by the engine for every `Command::Edit`. It is pure: it knows neither files nor shards, and what a change takes
//! in a running shard is the engine's to know. What cannot change in a run is refused by name; everything else applies.

mod fixed;
mod rules;

use super::{Collect, Life, Pacing, Plan, Scenario, Work};
use crate::expr::Change;
use crate::feed::{Feed, Rows};
use crate::load::{Load, Steering};
use crate::units::duration;
use fixed::stays;
use std::collections::BTreeSet;

/// What an edit comes to.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The Plan from now on. Scenarios of the current one stand at their places, [`gone`](Scenario::gone) ones too; added
    /// ones come after them. What cannot change is as it was.
    pub plan: Plan,
    /// What changed, in the order of scenarios, rules, code.
    pub changes: Vec<Change>,
    /// What cannot change in a run, each with its name, its reason and what to do.
    pub refused: Vec<String>,
    /// Whether the rules judge otherwise from now on.
    pub rules_changed: bool,
    /// Whether users run something else from now on.
    pub code_changed: bool,
    /// Which scenarios have another load, by index into the Plan.
    pub loads: Vec<usize>,
    /// Which scenarios are new, by index into the Plan.
    pub added: Vec<usize>,
    /// Which scenarios are gone, by index into the Plan.
    pub removed: Vec<usize>,
}

impl Edit {
    /// Whether nothing of the run is another one than before.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.code_changed
    }

    fn change(&mut self, what: String, from: Option<String>, to: Option<String>) {
        // Two closures look alike when printed.
        let (from, to) = if from == to { (None, None) } else { (from, to) };
        self.changes.push(Change { what, from, to });
    }
}

/// What of `new` can take the place of `current` in a run that goes on.
pub fn compare(current: &Plan, new: &Plan) -> Edit {
    let mut edit = Edit {
        plan: current.clone(),
        changes: Vec::new(),
        refused: Vec::new(),
        rules_changed: false,
        code_changed: false,
        loads: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
    };
    fixed::options(&mut edit.refused, &current.options, &new.options);
    let metrics = metrics(&mut edit, new);
    let mut missing: Vec<String> = metrics.iter().map(|name| format!("the metric `{name}`")).collect();
    missing.extend(feeds(&mut edit, new));
    if new.demo && !current.demo {
        missing.push("the demo shop, which is started with a run".to_owned());
    }
    let differs = current.code.parts != new.code.parts || current.code.hash != new.code.hash;
    let follows = !differs || missing.is_empty();
    scenarios(&mut edit, new, follows);
    collects(&mut edit, new, &metrics, follows);
    rules::apply(&mut edit, new, &metrics, follows);
    code(&mut edit, new, differs, &missing);
    edit
}

/// Metrics that the run does not have, or not of this kind: they are made before it starts.
fn metrics(edit: &mut Edit, new: &Plan) -> BTreeSet<String> {
    let mut unknown = BTreeSet::new();
    for metric in &new.metrics {
        match edit.plan.metrics.iter().find(|known| known.name == metric.name) {
            Some(known) if known == metric => continue,
            Some(known) => {
                let what = format!("metric `{}`", metric.name);
                edit.refused.push(stays(&what, &format!("it is measured as a {} already", known.kind)));
            }
            None => edit.refused.push(format!(
                "metric `{}` is new: metrics are made before a run starts; it begins in the next run",
                metric.name
            )),
        }
        unknown.insert(metric.name.to_string());
    }
    unknown
}

/// Which gauges are collected, and how often; the closures themselves are code.
fn collects(edit: &mut Edit, new: &Plan, unknown: &BTreeSet<String>, follows: bool) {
    if !follows {
        return;
    }
    let wanted: Vec<_> = new.collects.iter().filter(|collect| !unknown.contains(&collect.metric)).cloned().collect();
    let old = std::mem::replace(&mut edit.plan.collects, wanted.clone());
    let every = |all: &[Collect], metric: &str| {
        all.iter().find(|one| one.metric == metric).map(|one| format!("every {}", duration::print(one.every)))
    };
    let names: BTreeSet<&String> = old.iter().chain(&wanted).map(|collect| &collect.metric).collect();
    for name in names {
        let (from, to) = (every(&old, name), every(&wanted, name));
        if from != to {
            edit.change(format!("collecting {name}"), from, to);
        }
    }
}

/// What new code may want of feeds and would not find. Rows alone are no reason to refuse it: the old ones are there.
fn feeds(edit: &mut Edit, new: &Plan) -> Vec<String> {
    let mut missing = Vec::new();
    let fits = |old: &Feed, new: &Feed| {
        std::mem::discriminant(&old.rows) == std::mem::discriminant(&new.rows)
            && old.rows.columns() == new.rows.columns()
            && !matches!(new.rows, Rows::Generated if old.source != new.source)
    };
    for feed in &new.feeds {
        let what = format!("feed `{}`", feed.name);
        match edit.plan.feeds.iter().find(|known| known.name == feed.name) {
            None => {
                let text = "is new: data is read before a run starts; it begins in the next run";
                edit.refused.push(format!("{what} {text}"));
                missing.push(format!("the {what}"));
            }
            Some(known) if known.order == feed.order && known.rows == feed.rows && known.source == feed.source => {}
            Some(known) => {
                edit.refused.push(stays(&what, "users take their rows from what was read before the run started"));
                if !fits(known, feed) {
                    missing.push(format!("the {what} as it is now"));
                }
            }
        }
    }
    missing
}

fn scenarios(edit: &mut Edit, new: &Plan, follows: bool) {
    for at in 0..edit.plan.scenarios.len() {
        let old = edit.plan.scenarios[at].clone();
        let found = new.scenarios.iter().find(|scenario| scenario.name == old.name);
        match found {
            None if old.gone => {}
            None => {
                edit.plan.scenarios[at].gone = true;
                edit.removed.push(at);
                edit.change(format!("scenario {}", old.name), Some(old.work.to_string()), None);
            }
            Some(_) if old.gone => edit.refused.push(format!(
                "scenario `{}` was taken out of this run and does not come back: give it another name, or wait for the next run",
                old.name
            )),
            Some(wanted) => {
                let steered = edit.plan.code.steers_otherwise(&new.code, &old.name);
                kept(edit, at, &old, wanted, follows, steered);
            }
        }
    }
    added(edit, new, follows);
}

/// Scenarios that are only in `new`.
fn added(edit: &mut Edit, new: &Plan, follows: bool) {
    let mut wanted: Vec<&Scenario> = new.scenarios.iter().collect();
    wanted.retain(|scenario| edit.plan.scenarios.iter().all(|known| known.name != scenario.name));
    let refuse = |edit: &mut Edit, scenario: &Scenario, why: &str| {
        edit.refused.push(format!("scenario `{}` is not added: {why}; it begins in the next run", scenario.name));
    };
    wanted.retain(|scenario| {
        let why = if !follows {
            "its functions cannot be loaded now"
        } else if scenario.work.load().is_some_and(|load| load.shape.steered().is_some()) {
            "a load that steers itself begins with the run"
        } else {
            return true;
        };
        refuse(edit, scenario, why);
        false
    });
    // One that waits for a scenario that is not there would wait for ever, and who waits for that one as well.
    let there = |edit: &Edit, wanted: &[&Scenario], name: &str| {
        edit.plan.scenarios.iter().chain(wanted.iter().copied()).any(|known| known.name == name)
    };
    while let Some(at) =
        wanted.iter().position(|scenario| scenario.after.as_ref().is_some_and(|after| !there(edit, &wanted, after)))
    {
        let scenario = wanted.remove(at);
        refuse(edit, scenario, "the scenario that it waits for is not in this run");
    }
    for scenario in wanted {
        edit.added.push(edit.plan.scenarios.len());
        edit.plan.scenarios.push(scenario.clone());
        edit.change(format!("scenario {}", scenario.name), None, Some(scenario.work.to_string()));
    }
}

/// A scenario that is in both.
fn kept(edit: &mut Edit, at: usize, old: &Scenario, new: &Scenario, follows: bool, steered: bool) {
    let name = &old.name;
    fixed::scenario(&mut edit.refused, old, new);
    match load(&old.work, &new.work, steered) {
        Ok(false) => {}
        Ok(true) => {
            edit.plan.scenarios[at].work = new.work.clone();
            edit.loads.push(at);
            edit.change(format!("load of {name}"), Some(old.work.to_string()), Some(new.work.to_string()));
        }
        Err(why) => edit.refused.push(stays(&format!("scenario `{name}`: its load"), why)),
    }
    if old.graceful_stop != new.graceful_stop {
        edit.plan.scenarios[at].graceful_stop = new.graceful_stop;
        let print = |scenario: &Scenario| Some(duration::print(scenario.graceful_stop));
        edit.change(format!("graceful_stop of {name}"), print(old), print(new));
    }
    if follows {
        let scenario = &mut edit.plan.scenarios[at];
        scenario.run.clone_from(&new.run);
        scenario.start.clone_from(&new.start);
        scenario.stop.clone_from(&new.stop);
    } else if named(&old.life) != named(&new.life) {
        // Told with the functions, which stay as well.
        return;
    }
    life(edit, name, &old.life, &new.life);
    edit.plan.scenarios[at].life = new.life.clone();
}

fn life(edit: &mut Edit, name: &str, old: &Life, new: &Life) {
    let list = |life: &Life| {
        (!life.mix.is_empty()).then(|| life.mix.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    };
    if old.mix != new.mix {
        edit.change(format!("weights of {name}"), list(old), list(new));
    }
    if old.pacing != new.pacing {
        let print = |life: &Life| life.pacing.as_ref().map(ToString::to_string);
        edit.change(format!("pacing of {name}"), print(old), print(new));
    }
    if old.backoff != new.backoff {
        edit.change(format!("backoff of {name}"), Some(old.backoff.to_string()), Some(new.backoff.to_string()));
    }
}

/// The functions of the script that a life names.
fn named(life: &Life) -> Vec<&str> {
    let mut names: Vec<&str> = life.mix.iter().map(|one| one.run.as_str()).collect();
    names.extend(life.pacing.iter().filter_map(|pacing| match pacing {
        Pacing::Script(name) => Some(name.as_str()),
        Pacing::Every(_) => None,
    }));
    if let super::Growth::Script(name) = &life.backoff.growth {
        names.push(name);
    }
    names
}

/// Whether a load is another one, or why it cannot be. `otherwise`: the closure that steers it is another one.
fn load(old: &Work, new: &Work, otherwise: bool) -> Result<bool, &'static str> {
    let steered = |load: &Load| load.shape.steered().map(|steered| steered.how);
    let same = |old: &Load, new: &Load| format!("{:?}", old.shape) == format!("{:?}", new.shape);
    let shapes = |old: &Load, new: &Load| match (steered(old), steered(new)) {
        (None, None) => Ok(!same(old, new)),
        (Some(Steering::Closure), Some(Steering::Closure)) if same(old, new) && otherwise => {
            Err("the closure that steers it is asked by a thread of its own, with the script as it began")
        }
        (Some(_), Some(_)) if same(old, new) => Ok(false),
        _ => Err("a load that steers itself neither begins nor ends nor changes in a run"),
    };
    match (old, new) {
        (Work::Load(old), Work::Load(new)) => shapes(old, new),
        (Work::Arrivals { load: old, max_users, late }, Work::Arrivals { load: new, max_users: most, late: busy }) => {
            Ok(shapes(old, new)? || (max_users, late) != (most, busy))
        }
        (
            Work::Iterations { users, iterations, max_duration },
            Work::Iterations { users: more, iterations: count, max_duration: limit },
        )
        | (
            Work::IterationsPerUser { users, iterations, max_duration },
            Work::IterationsPerUser { users: more, iterations: count, max_duration: limit },
        ) => {
            if (users, iterations, max_duration) == (more, count, limit) {
                return Ok(false);
            }
            Err("iterations that are counted are shared out when the scenario starts")
        }
        _ => Err("the model of a scenario cannot change: add it under another name"),
    }
}

/// Functions, constants, imports, and with them the texts.
fn code(edit: &mut Edit, new: &Plan, differs: bool, missing: &[String]) {
    let steering = edit.plan.code.steering.clone();
    if !differs || missing.is_empty() {
        let parts: Vec<Change> = changed_parts(&edit.plan, new);
        edit.changes.extend(parts);
        edit.code_changed = differs;
        edit.plan.code = super::Code { steering, ..new.code.clone() };
        edit.plan.sources.clone_from(&new.sources);
        edit.plan.env.clone_from(&new.env);
        edit.plan.teardown = new.teardown;
        edit.plan.summary = new.summary;
        return;
    }
    let parts: Vec<String> =
        changed_parts(&edit.plan, new).into_iter().map(|part| format!("`{}`", part.what)).collect();
    let text = format!(
        "functions stay as they are ({}): they may need {}; they change in the next run",
        parts.join(", "),
        missing.join(", ")
    );
    edit.refused.push(text);
}

fn changed_parts(current: &Plan, new: &Plan) -> Vec<Change> {
    let (old, new) = (&current.code.parts, &new.code.parts);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let change = |name: &String| {
        let word = |there: bool, word: &str| there.then(|| word.to_owned());
        let (was, is) = (old.get(name), new.get(name));
        (was != is).then(|| Change {
            what: name.clone(),
            from: word(is.is_none(), "gone"),
            to: word(was.is_none(), "new"),
        })
    };
    names.into_iter().filter_map(change).collect()
}
