//! Reading the objective of `find_capacity`: a threshold expression about the load's own response times, in its own scenario.
//!
//! ```text
//! p(95) < 300ms and rate of http_req_failed < 1%
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
    let options = RuleOptions { scenario: Some(scenario.to_owned()), ..RuleOptions::default() };
    let (rule, found) = ThresholdRule::parse(own, &goal.objective, options, None, catalog);
    let wrong = found.iter().filter(|problem| problem.severity() == Severity::Error).map(|problem| {
        let mut told = problem.diagnostic(None, None);
        let part = part(&goal.objective, problem.place.offset);
        told.message = format!("the objective `{part}`: {}", told.message);
        told
    });
    let problems: Vec<_> = wrong.collect();
    if problems.is_empty() { Ok(rule.into_iter().collect()) } else { Err(problems) }
}

/// The condition in which a letter stands, of those that are joined: it has no caret of its own.
fn part(objective: &str, letter: usize) -> &str {
    let at = objective.char_indices().nth(letter).map_or(objective.len(), |(at, _)| at);
    let joins = || [" and ", " or "].into_iter().flat_map(|join| objective.match_indices(join));
    let start = joins().map(|(from, join)| from + join.len()).filter(|start| *start <= at).max().unwrap_or(0);
    let end = joins().map(|(from, _)| from).filter(|from| *from >= at).min().unwrap_or(objective.len());
    objective[start..end].trim()
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
            let quantities = rules.iter().flat_map(|rule| rule.condition.quantities());
            quantities.map(|quantity| format!("{}: {}", quantity.selector, quantity.method)).collect::<Vec<_>>()
        };
        rules.map(texts).map_err(|problems| problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn parts_are_about_the_loads_own_metric_or_the_one_they_name() {
        assert_eq!(
            read_all("p(95) < 300ms", Model::Rate),
            Ok(vec!["http_req_scheduled_duration{scenario:open}: p(95)".to_owned()])
        );
        assert_eq!(
            read_all("p(95) < 300ms and rate of http_req_failed{name:a b}<1% and count of http_reqs > 5", Model::Users),
            Ok(vec![
                "http_req_duration{scenario:open}: p(95)".to_owned(),
                "http_req_failed{name:a b,scenario:open}: rate".to_owned(),
                "http_reqs{scenario:open}: count".to_owned(),
            ])
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_part() {
        let wrong = read_all("p(95) < fast and rate of http_req_faild < 1%", Model::Users).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].starts_with("the objective `p(95) < fast`: "), "{wrong:?}");
        assert!(wrong[1].starts_with("the objective `rate of http_req_faild < 1%`: "), "{wrong:?}");
        let window = read_all("p(95) < 1s over 10s", Model::Users).unwrap_err();
        assert!(window[0].contains("a window (`over …`) does not go into an objective"), "{window:?}");
    }
}
