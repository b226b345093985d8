//! What must hold for every text that is read as a threshold or as an alert.
//!
//! Called by the property test in `tests/expressions.rs` and by the libFuzzer target beside this file.

use punk::expr::{AlertOptions, AlertRule, Catalog, Part, Problem, RuleOptions, ThresholdRule};

/// Reads a text as the expression of a threshold and of an alert; with a tab in it, what stands before is the selector.
///
/// # Panics
/// When the law is broken: a refusal does not say why, a place lies outside the text, or what a rule prints reads back as
/// something else.
pub fn check(text: &str) {
    let catalog = Catalog { metrics: &[], tags: &[], history: true };
    let parse = |selector: Option<&str>, expression: &str| match selector {
        Some(selector) => ThresholdRule::parse(selector, expression, RuleOptions::default(), None, catalog),
        None => ThresholdRule::parse_alone(expression, RuleOptions::default(), None, catalog),
    };
    let (selector, expression) = match text.split_once('\t') {
        Some((selector, expression)) => (Some(selector), expression),
        None => (None, text),
    };
    let (rule, problems) = parse(selector, expression);
    assert!(rule.is_some() || !problems.is_empty(), "a refusal that does not say why");
    inside(&problems, selector.unwrap_or_default(), expression);
    if let Some(rule) = &rule {
        let printed = rule.condition.to_string();
        let selector = selector.map(|_| rule.selector.to_string());
        let (again, problems) = parse(selector.as_deref(), &printed);
        let again = again.unwrap_or_else(|| panic!("it prints `{printed}`, which is refused: {problems:?}"));
        assert_eq!(again.condition, rule.condition, "it prints `{printed}`, which means something else");
        assert_eq!(again.selector, rule.selector, "the selector prints `{selector:?}`, which means something else");
        assert_eq!(again.condition.to_string(), printed);
    }
    if selector.is_none() {
        let (alert, problems) = AlertRule::parse("fuzz", expression, AlertOptions::default(), None, catalog);
        inside(&problems, "", expression);
        assert_eq!(alert.is_some(), rule.is_some(), "one grammar for thresholds and alerts");
    }
}

/// Every place lies inside its text, and every problem can be drawn.
fn inside(problems: &[Problem], selector: &str, expression: &str) {
    for problem in problems {
        let text = if problem.part == Part::Selector { selector } else { expression };
        let (end, length) = (problem.place.offset + problem.place.length, text.chars().count());
        // What is missing at the end is shown behind the last character.
        assert!(end <= length + 1, "{problem:?} lies outside a text of {length} characters");
        assert!(!problem.diagnostic(None, None).message.is_empty());
    }
}
