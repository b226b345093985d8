//! Reading the objective of `find_capacity`: threshold expressions joined by `and`, each with the metric that it is about.
//!
//! ```text
//! p(95) < 300ms and rate of http_req_failed < 1%
//! ╰─────┬─────╯     ╰────────────┬──────────────╯
//!   of the load's own metric   method `of` selector
//! ```

use crate::diagnostic::{Diagnostic, Severity};
use crate::expr::{Catalog, RuleOptions, ThresholdRule};
use crate::load::{Load, Model, Steering};

/// The rules of a load's objective, narrowed to its scenario; none where nothing is searched.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(load: &Load, scenario: &str, catalog: Catalog<'_>) -> Result<Vec<ThresholdRule>, Vec<Diagnostic>> {
    let Some(Steering::Capacity(goal)) = load.shape.steered().map(|steered| steered.how) else { return Ok(Vec::new()) };
    // Counted from its slot, a request cannot hide that it had to wait for a user.
    let own = match load.model {
        Model::Rate => "http_req_scheduled_duration",
        Model::Users => "http_req_duration",
    };
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for part in goal.objective.split(" and ") {
        let (selector, expression) = of(part, own);
        let options = RuleOptions { scenario: Some(scenario.to_owned()), ..RuleOptions::default() };
        let (rule, found) = ThresholdRule::parse(&selector, &expression, options, None, catalog);
        rules.extend(rule);
        let wrong = found.iter().map(|problem| problem.diagnostic(None, None));
        problems.extend(wrong.filter(|problem| problem.severity == Severity::Error).map(|mut problem| {
            problem.message = format!("the objective `{}`: {}", part.trim(), problem.message);
            problem
        }));
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// Selector and expression of one part: `rate of http_req_failed < 1%` is `rate < 1%` about `http_req_failed`.
fn of(part: &str, own: &str) -> (String, String) {
    let Some((method, rest)) = part.split_once(" of ") else { return (own.to_owned(), part.trim().to_owned()) };
    let rest = rest.trim_start();
    let mut inside = false;
    let end = rest.find(|letter| {
        inside = (inside || letter == '{') && letter != '}';
        !inside && (letter == ' ' || "<>=!".contains(letter))
    });
    let (selector, comparison) = rest.split_at(end.unwrap_or(rest.len()));
    (selector.to_owned(), format!("{} {}", method.trim(), comparison.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::{self, Argument};

    fn read_all(objective: &str, model: Model) -> Result<Vec<String>, Vec<String>> {
        let named = [
            ("max", Argument::Value(100.0)),
            ("objective", Argument::Text(objective.to_owned())),
            ("start", Argument::Value(1.0)),
        ];
        let named = named.map(|(name, value)| (name.to_owned(), value)).to_vec();
        let shape = load::build("find_capacity", &[Argument::Named(named)]).unwrap();
        let rules = read(&Load { model, shape }, "open", Catalog { metrics: &[], tags: &[], history: false });
        let texts = |rules: Vec<ThresholdRule>| {
            rules.iter().map(|rule| format!("{}: {}", rule.watched(), rule.source)).collect::<Vec<_>>()
        };
        rules.map(texts).map_err(|problems| problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn parts_are_about_the_loads_own_metric_or_the_one_they_name() {
        assert_eq!(
            read_all("p(95) < 300ms", Model::Rate),
            Ok(vec!["http_req_scheduled_duration{scenario:open}: p(95) < 300ms".to_owned()])
        );
        assert_eq!(
            read_all("p(95) < 300ms and rate of http_req_failed{name:a b}<1% and count of http_reqs > 5", Model::Users),
            Ok(vec![
                "http_req_duration{scenario:open}: p(95) < 300ms".to_owned(),
                "http_req_failed{name:a b,scenario:open}: rate <1%".to_owned(),
                "http_reqs{scenario:open}: count > 5".to_owned(),
            ])
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_part() {
        let wrong = read_all("p(95) < fast and rate of http_req_faild < 1%", Model::Users).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].starts_with("the objective `p(95) < fast`: "), "{wrong:?}");
        assert!(wrong[1].contains("http_req_faild"), "{wrong:?}");
    }
}
