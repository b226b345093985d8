//! Reading `threshold([selector, ]expression[, #{ … }])` and `threshold(name, closure[, #{ … }])`.

use super::closures;
use super::declare::Declaration;
use super::desk::{Desk, Functions};
use super::error::type_name;
use super::functions::closure_of;
use super::places::{Declared, Part as PlacedPart};
use super::settings::Reader;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Abort, Catalog, ClosureRule, Part, ProblemKind, RuleOptions, RuleSeverity, ThresholdRule};
use crate::plan::Scenario;
use rhai::{FnPtr, Map};

/// All thresholds, in order; those that are wrong are told.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    catalog: Catalog<'_>,
    scenarios: &[Scenario],
    functions: &Functions,
) -> (Vec<ThresholdRule>, Vec<ClosureRule>) {
    let (mut rules, mut closures) = (Vec::<ThresholdRule>::new(), Vec::<ClosureRule>::new());
    for declaration in declarations {
        let declared = desk.declared(declaration);
        if let Some(closure) = closure_of(declaration) {
            let Some(rule) = closed(desk, declaration, &declared, &closure, scenarios, functions) else { continue };
            if closures.iter().any(|known| known.name == rule.name) {
                let text = format!("a threshold `{}` exists already", rule.name);
                desk.tell(declared.at_argument(0, Diagnostic::error(text)));
            } else {
                closures.push(rule);
            }
            continue;
        }
        let Some(rule) = one(desk, declaration, &declared, catalog, scenarios) else { continue };
        if rules.iter().any(|known| known.is_same(&rule)) {
            desk.tell(declared.problem(Diagnostic::warning("this threshold is declared twice")));
        } else {
            rules.push(rule);
        }
    }
    (rules, closures)
}

/// One that is a closure.
fn closed(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    closure: &FnPtr,
    scenarios: &[Scenario],
    functions: &Functions,
) -> Option<ClosureRule> {
    let name = name(desk, declaration, declared, "a threshold that is a closure")?;
    let argument = "it gets what was measured: `|m| m.p(95, \"http_req_duration\", 30.s) < 300`";
    if let Some(fault) = closures::fault(closure, functions, "a threshold's closure", argument) {
        desk.tell(declared.at_argument(1, fault));
    }
    let mut options = options(desk, declaration, declared, 2, scenarios);
    if let Abort::Scenario(ended) = &mut options.abort {
        match &options.scenario {
            Some(scenario) => ended.clone_from(scenario),
            None => {
                let problem = ProblemKind::AbortsWhich.told();
                desk.tell(declared.at_key(2, "abort", problem.help("say `scenario: \"browse\"` beside it")));
            }
        }
    }
    if options.abort != Abort::No && options.severity == RuleSeverity::Warn {
        desk.tell(declared.at_key(2, "abort", ProblemKind::WarnAborts.told()));
    }
    let place = declared.arguments.get(1).and_then(|part| part.place);
    let source = closures::text(closure, place, declared.source);
    Some(ClosureRule { name, source, options, span: place.map(|place| place.span(declared.source)) })
}

/// The name that a rule is known by: its first argument.
pub(super) fn name(desk: &Desk<'_>, declaration: &Declaration, declared: &Declared<'_>, whose: &str) -> Option<String> {
    let value = &declaration.arguments[0];
    let problem = match value.as_immutable_string_ref() {
        Ok(name) if !name.trim().is_empty() => return Some(name.to_string()),
        Ok(_) => format!("{whose} has a name that is not empty"),
        Err(_) => format!("the name of {whose} is text, not {}", type_name(value)),
    };
    desk.tell(declared.at_argument(0, Diagnostic::error(problem)));
    None
}

fn one(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    catalog: Catalog<'_>,
    scenarios: &[Scenario],
) -> Option<ThresholdRule> {
    let text = |at: usize, what: &str| {
        let value = declaration.arguments.get(at)?;
        let read = value.as_immutable_string_ref().map(|text| text.to_string());
        read.map_err(|_| {
            desk.tell(declared.at_argument(at, Diagnostic::error(format!("{what} is text, not {}", type_name(value)))))
        })
        .ok()
    };
    // Without a selector the expression comes first, and names its metrics itself.
    let alone = declaration.arguments.get(1).is_none_or(|second| second.is_map());
    let selector = if alone { None } else { Some(text(0, "the selector of a threshold")?) };
    let at = usize::from(!alone);
    let expression = text(at, "the expression of a threshold")?;
    if alone && declaration.arguments.len() == 1 && catalog.metric(expression.trim()).is_some() {
        let problem = Diagnostic::error("a threshold has an expression");
        desk.tell(declared.problem(problem.help("`threshold(\"http_req_duration\", \"p(95) < 300ms\")`")));
        return None;
    }
    let options = options(desk, declaration, declared, at + 1, scenarios);
    let argument = |at: usize| inside(declared.arguments.get(at)?, declared);
    let (in_selector, in_expression) = (argument(0), argument(at));
    let place = in_expression.clone();
    let options_scenario = options.scenario.clone();
    let (rule, problems) = match &selector {
        Some(selector) => ThresholdRule::parse(selector, &expression, options, place, catalog),
        None => ThresholdRule::parse_alone(&expression, options, place, catalog),
    };
    let whole = declared.name.span(declared.source);
    for problem in &problems {
        let diagnostic = problem.diagnostic(in_selector.as_ref(), in_expression.as_ref());
        desk.tell(match problem.part {
            Part::Option(key) => declared.at_key(at + 1, key, diagnostic),
            _ if diagnostic.span.is_none() => diagnostic.at(whole.clone()),
            _ => diagnostic,
        });
    }
    if let Some(Abort::Scenario(name)) = rule.as_ref().map(|rule| &rule.options.abort)
        && scenarios.iter().all(|scenario| scenario.name != *name)
        && options_scenario.is_none()
    {
        let problem = Diagnostic::error(format!("`abort`: there is no scenario `{name}`"));
        let known = scenarios.iter().map(|scenario| scenario.name.as_str());
        desk.tell(declared.at_key(at + 1, "abort", problem.suggest(name, known)));
    }
    rule
}

/// The text of a plain literal, without its quotes: a place inside it is a place in the file, unless it has escapes.
pub(super) fn inside(part: &PlacedPart, declared: &Declared<'_>) -> Option<Span> {
    let place = part.place?;
    let span = place.span(declared.source);
    if !part.literal {
        return Some(span);
    }
    let written: String = span.source_line.chars().skip(place.column).take(place.length.saturating_sub(2)).collect();
    if written.contains('\\') {
        return Some(span);
    }
    Some(span.narrowed(1, place.length.saturating_sub(2).max(1)))
}

/// The map of options behind a threshold, if there is one.
fn options(
    desk: &Desk<'_>,
    declaration: &Declaration,
    declared: &Declared<'_>,
    at: usize,
    scenarios: &[Scenario],
) -> RuleOptions {
    let Some(value) = declaration.arguments.get(at) else { return RuleOptions::default() };
    let Some(map) = value.clone().try_cast::<Map>() else {
        let problem = format!("the last argument of `threshold` is a map, not {}", type_name(value));
        desk.tell(declared.at_argument(at, Diagnostic::error(problem).help("`#{ abort: true, grace: 10.s }`")));
        return RuleOptions::default();
    };
    let reader = desk.reader(&map, declared, at);
    let options = rule_options(&reader, scenarios);
    reader.finish("threshold");
    options
}

fn rule_options(reader: &Reader<'_>, scenarios: &[Scenario]) -> RuleOptions {
    let mut options = RuleOptions::default();
    let severities = [("fail", RuleSeverity::Fail), ("warn", RuleSeverity::Warn)];
    options.severity = reader.word("severity", &severities).unwrap_or_default();
    options.abort = abort(reader);
    options.grace = reader.duration("grace").unwrap_or_default();
    options.lasting = reader.duration("lasting").filter(|lasting| !lasting.is_zero());
    options.required = reader.truth("required").unwrap_or_default();
    options.scenario = reader.text("scenario");
    if let Some(name) = &options.scenario
        && scenarios.iter().all(|scenario| scenario.name != *name)
    {
        let problem = Diagnostic::error(format!("there is no scenario `{name}`"));
        reader.problem("scenario", problem.suggest(name, scenarios.iter().map(|scenario| scenario.name.as_str())));
    }
    options
}

/// `true`, `false`, or `"scenario"`, whose name is found when the threshold is checked.
fn abort(reader: &Reader<'_>) -> Abort {
    let Some(value) = reader.any("abort") else { return Abort::No };
    match (value.as_bool(), value.as_immutable_string_ref().ok().as_deref().map(|word| word.as_str())) {
        (Ok(true), _) => Abort::Run,
        (Ok(false), _) => Abort::No,
        (_, Some("scenario")) => Abort::Scenario(String::new()),
        (_, word) => {
            let found = word.map_or_else(|| type_name(value), |word| format!("\"{word}\""));
            let problem = Diagnostic::error(format!("`abort` is `true`, `false` or `\"scenario\"`, not {found}"));
            reader.problem("abort", problem.suggest(word.unwrap_or_default(), ["scenario"]));
            Abort::No
        }
    }
}
