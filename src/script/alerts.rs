//! Reading `alert(name, #{ when, lasting, severity, … })`.

use super::closures;
use super::declare::Declaration;
use super::desk::{Desk, Functions};
use super::error::type_name;
use super::places::Declared;
use super::settings::Reader;
use super::thresholds::{inside, name};
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{AlertOptions, AlertRule, AlertSeverity, Catalog, Part, Receiver};
use rhai::{Dynamic, FnPtr, Map};

/// All alerts, in order; those that are wrong are told.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    catalog: Catalog<'_>,
    functions: &Functions,
) -> Vec<AlertRule> {
    let mut alerts: Vec<AlertRule> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for declaration in declarations {
        let declared = desk.declared(declaration);
        let name = name(desk, declaration, &declared, "an alert");
        if let Some(name) = &name {
            if names.contains(name) {
                desk.tell(declared.at_argument(0, Diagnostic::error(format!("an alert `{name}` exists already"))));
            }
            names.push(name.clone());
        }
        // What else is wrong with it is told even when it has no name.
        alerts.extend(one(desk, declaration, &declared, name.as_deref().unwrap_or("?"), catalog, functions));
    }
    alerts
}

fn one(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    name: &str,
    catalog: Catalog<'_>,
    functions: &Functions,
) -> Option<AlertRule> {
    const EXAMPLE: &str =
        "`alert(\"slow tail\", #{ when: \"p(99) of http_req_duration over 10s > 800ms\", lasting: 5.s })`";
    let value = &declaration.arguments[1];
    let Some(map) = value.clone().try_cast::<Map>() else {
        let problem = format!("the second argument of `alert` is a map, not {}", type_name(value));
        desk.tell(declared.at_argument(1, Diagnostic::error(problem).help(EXAMPLE)));
        return None;
    };
    let reader = desk.reader(&map, declared, 1);
    let when = reader.text("when");
    if when.is_none() && reader.any("when").is_none() {
        let problem = Diagnostic::error("an alert says `when` it rings");
        desk.tell(declared.problem(problem.help(EXAMPLE)));
    }
    let severities = AlertSeverity::ALL.map(|severity| (severity.word(), severity));
    let options = AlertOptions {
        lasting: reader.duration("lasting"),
        severity: reader.word("severity", &severities).unwrap_or_default(),
        description: reader.text("description").unwrap_or_default(),
        resolution: reader.text("resolution").unwrap_or_default(),
        notify: notify(&reader),
        acts: acts(&reader, functions),
        resolve_when: reader.text("resolve_when"),
        resolve_after: reader.duration("resolve_after"),
    };
    reader.finish("alert");
    let text = |key: &str| {
        let part = declared.arguments.get(1)?.keys.get(key)?.1.clone();
        inside(&part, declared)
    };
    let (in_when, in_resolve) = (text("when"), text("resolve_when"));
    let place: Option<Span> = in_when.clone();
    let (rule, problems) = AlertRule::parse(name, &when?, options, place, catalog);
    for problem in &problems {
        desk.tell(match problem.part {
            Part::Option(key) => declared.at_key(1, key, problem.told(None)),
            Part::Resolve if in_resolve.is_some() => problem.told(in_resolve.as_ref()),
            Part::Expression | Part::Selector if in_when.is_some() => problem.told(in_when.as_ref()),
            _ => declared.at_argument(1, problem.told(None)),
        });
    }
    rule
}

/// `then: |alert| …`
fn acts(reader: &Reader<'_>, functions: &Functions) -> bool {
    let Some(value) = reader.any("then") else { return false };
    let argument = "it gets the alert: `|alert| log::warn(alert.name)`";
    let fault = match value.clone().try_cast::<FnPtr>() {
        Some(closure) => closures::fault(&closure, functions, "`then`", argument),
        None => {
            let problem = Diagnostic::error(format!("`then` is a closure, not {}", type_name(value)));
            Some(problem.help("`then: |alert| log::warn(alert.name)`"))
        }
    };
    let Some(fault) = fault else { return true };
    reader.problem("then", fault);
    false
}

/// `notify: "https://…"`, `#{ url, headers }`, or a list of these. What is wrong is told, and left out.
fn notify(reader: &Reader<'_>) -> Vec<Receiver> {
    let Some(value) = reader.any("notify") else { return Vec::new() };
    match value.as_array_ref() {
        Ok(list) => {
            let one = |(at, item): (usize, &Dynamic)| receiver(reader, &[at], item);
            list.iter().enumerate().filter_map(one).collect()
        }
        Err(_) => receiver(reader, &[], value).into_iter().collect(),
    }
}

fn receiver(reader: &Reader<'_>, item: &[usize], value: &Dynamic) -> Option<Receiver> {
    let wrong = |problem: Diagnostic| {
        reader.problem_at("notify", item, problem);
        None
    };
    let found = if value.is_map() {
        let read = reader.nested_item("notify", item, value, |reader| {
            let url = reader.text("url");
            if url.is_none() && reader.any("url").is_none() {
                reader.problem("url", Diagnostic::error("`notify` has no `url`"));
            }
            let headers = reader.pairs("headers").unwrap_or_default();
            Some(Receiver { url: url?, headers: headers.into_iter().collect() })
        });
        read.flatten()?
    } else if let Ok(url) = value.as_immutable_string_ref() {
        Receiver { url: url.to_string(), headers: Vec::new() }
    } else {
        let problem = format!("`notify` is an address, a map with `url`, or a list of these, not {}", type_name(value));
        return wrong(Diagnostic::error(problem).help("`notify: \"https://example.com/hook\"`"));
    };
    match found.fault() {
        None => Some(found),
        Some(fault) => wrong(fault.told()),
    }
}
