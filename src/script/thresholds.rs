//! Reading `threshold([selector, ]expression[, #{ … }])`.

use super::declare::Declaration;
use super::desk::Desk;
use super::error::type_name;
use super::places::Declared;
use super::settings::Reader;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Catalog, RuleOptions, RuleSeverity, ThresholdRule};
use crate::metrics::MetricDef;
use crate::plan::{Options, Scenario};
use rhai::Map;

/// All thresholds, in order; those that are wrong are told.
pub(super) fn read<'a>(
    desk: &Desk<'_>,
    declarations: impl Iterator<Item = &'a Declaration>,
    metrics: &[MetricDef],
    options: &Options,
    scenarios: &[Scenario],
) -> Vec<ThresholdRule> {
    let catalog = Catalog { metrics, tags: &options.declared_tags, history: true };
    let mut rules: Vec<ThresholdRule> = Vec::new();
    for declaration in declarations {
        let declared = desk.declared(declaration);
        let Some(rule) = one(desk, declaration, &declared, catalog, scenarios) else { continue };
        let same = |known: &ThresholdRule| {
            known.source == rule.source
                && known.selector == rule.selector
                && known.options.scenario == rule.options.scenario
        };
        if rules.iter().any(same) {
            desk.tell(declared.problem(Diagnostic::warning("this threshold is declared twice")));
        } else {
            rules.push(rule);
        }
    }
    rules
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
    let mut options = RuleOptions::default();
    if let Some(value) = declaration.arguments.get(at + 1) {
        match value.clone().try_cast::<Map>() {
            Some(map) => {
                let reader = desk.reader(&map, declared, at + 1);
                options = rule_options(&reader, scenarios);
                reader.finish("threshold");
            }
            None => {
                let problem =
                    Diagnostic::error(format!("the third argument of `threshold` is a map, not {}", type_name(value)));
                desk.tell(declared.at_argument(at + 1, problem.help("`#{ abort: true, grace: 10.s }`")));
            }
        }
    }
    let (in_selector, in_expression) = (inside(declared, 0), inside(declared, at));
    let place = in_expression.clone();
    let (rule, problems) = match &selector {
        Some(selector) => ThresholdRule::parse(selector, &expression, options, place, catalog),
        None => ThresholdRule::parse_alone(&expression, options, place, catalog),
    };
    let whole = declared.name.span(declared.source);
    for problem in &problems {
        let diagnostic = problem.diagnostic(in_selector.as_ref(), in_expression.as_ref());
        desk.tell(if diagnostic.span.is_none() { diagnostic.at(whole.clone()) } else { diagnostic });
    }
    rule
}

/// The text of a plain literal, without its quotes: a place inside it is a place in the file, unless it has escapes.
fn inside(declared: &Declared<'_>, argument: usize) -> Option<Span> {
    let part = declared.arguments.get(argument)?;
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

fn rule_options(reader: &Reader<'_>, scenarios: &[Scenario]) -> RuleOptions {
    let mut options = RuleOptions::default();
    let severities = [("fail", RuleSeverity::Fail), ("warn", RuleSeverity::Warn)];
    options.severity = reader.word("severity", &severities).unwrap_or_default();
    options.abort = reader.truth("abort").unwrap_or_default();
    options.grace = reader.duration("grace").unwrap_or_default();
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
