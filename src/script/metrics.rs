//! Reading `metric::counter/gauge/rate/trend(name[, #{ unit, every, collect }])`.

use super::declare::{self, Declaration, What};
use super::desk::{Desk, Functions};
use super::error::type_name;
use super::settings::Reader;
use crate::diagnostic::Diagnostic;
use crate::metrics::{BUILT_IN, MetricDef, MetricKind, Unit};
use crate::plan::Collect;
use rhai::{FnPtr, Map};
use std::time::Duration;

/// How often a gauge is collected that does not say it.
const USUAL: Duration = Duration::from_secs(5);
/// Most often.
const LEAST: Duration = Duration::from_millis(100);

/// All metrics, in order, and those of them that are collected; what is wrong is told.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    functions: &Functions,
) -> (Vec<MetricDef>, Vec<Collect>) {
    let (mut metrics, mut collects) = (Vec::<MetricDef>::new(), Vec::<Collect>::new());
    for declaration in declarations {
        let What::Metric(kind) = declaration.what else { continue };
        let declared = desk.declared(declaration);
        let name = declaration.arguments[0].to_string();
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if name.is_empty() || !name.chars().all(fits) || name.starts_with(|first: char| first.is_ascii_digit()) {
            let problem = Diagnostic::error(format!("`{name}` is no name for a metric"));
            desk.tell(declared.at_argument(0, problem.help("letters, digits and `_`, not beginning with a digit")));
            continue;
        }
        if BUILT_IN.iter().any(|def| def.name == name) {
            let problem = Diagnostic::error(format!("`{name}` is a metric that punk measures itself"));
            desk.tell(declared.at_argument(0, problem));
            continue;
        }
        let mut unit = Unit::Plain;
        let mut every = None;
        if let Some(map) = declaration.arguments.get(1).and_then(|argument| argument.clone().try_cast::<Map>()) {
            let reader = desk.reader(&map, &declared, 1);
            let units = ["time", "data", "plain"].map(|word| (word, declare::unit(word).unwrap_or_default()));
            unit = reader.word("unit", &units).unwrap_or_default();
            every = collected(&reader, kind, functions);
            reader.finish("metric");
        }
        let def = MetricDef { name: name.clone().into(), kind, unit, help: "Declared by the script.".into() };
        match metrics.iter().find(|known| known.name == name) {
            Some(known) if *known != def => {
                let problem = Diagnostic::error(format!("`{name}` is declared already, as a {}", known.kind));
                desk.tell(declared.at_argument(0, problem));
            }
            Some(_) => {}
            None => metrics.push(def),
        }
        let Some(every) = every else { continue };
        if collects.iter().any(|known| known.metric == name) {
            let problem = Diagnostic::error(format!("`{name}` is collected already"));
            desk.tell(declared.at_key(1, "collect", problem));
        } else {
            collects.push(Collect { metric: name, every });
        }
    }
    (metrics, collects)
}

/// How often `collect` is called, if there is one that can be.
fn collected(reader: &Reader<'_>, kind: MetricKind, functions: &Functions) -> Option<Duration> {
    const EXAMPLE: &str =
        "`metric::gauge(\"queue\", #{ every: 5.s, collect: || http::get(\"/stats\").json(\"$.queue\") })`";
    let every = reader.duration("every");
    let Some(value) = reader.any("collect") else {
        if reader.has("every") {
            let problem =
                Diagnostic::error("`every` says how often a gauge is collected, and this one has no `collect`");
            reader.problem("every", problem.help(EXAMPLE));
        }
        return None;
    };
    if kind != MetricKind::Gauge {
        let problem = Diagnostic::error(format!("only a gauge is collected, not a {kind}"));
        reader.problem("collect", problem.help("what users do is counted where they do it: `metric::add`"));
        return None;
    }
    let Some(closure) = value.clone().try_cast::<FnPtr>() else {
        let problem = Diagnostic::error(format!("`collect` is a closure, not {}", type_name(value)));
        reader.problem("collect", problem.help(EXAMPLE));
        return None;
    };
    if !functions.takes(&closure, 0) && !functions.takes(&closure, 1) {
        let problem = Diagnostic::error("`collect` takes nothing, or what `setup` returned");
        reader.problem("collect", problem.help(EXAMPLE));
        return None;
    }
    if every.is_some_and(|every| every < LEAST) {
        reader.problem("every", Diagnostic::error("`every` is 100 ms at least"));
        return None;
    }
    Some(every.unwrap_or(USUAL))
}
