//! Which metrics and tags a selector may name.
//!
//! Filled by `script/` with what the script declared; asked by the rule that a threshold becomes.

use super::selector::Read;
use super::{Problem, ProblemKind};
use crate::diagnostic::did_you_mean;
use crate::metrics::{BUILT_IN, MetricDef, SYSTEM_TAGS};

/// What a selector may name: the built-in metrics and tags, and those that the script declared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Catalog<'a> {
    /// The script's own metrics.
    pub metrics: &'a [MetricDef],
    /// The script's own tags.
    pub tags: &'a [String],
    /// Whether what was measured can be asked for a window of time, as in all rules of a run. Without it, in the objective of a
    /// search, `over`, `for`, `slope` and `forecast` are refused.
    pub history: bool,
}

impl<'a> Catalog<'a> {
    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<&'a MetricDef> {
        self.all().find(|def| def.name == name)
    }

    fn all(&self) -> impl Iterator<Item = &'a MetricDef> {
        BUILT_IN.iter().chain(self.metrics)
    }

    fn tags(&self) -> impl Iterator<Item = &'a str> {
        SYSTEM_TAGS.iter().copied().chain(self.tags.iter().map(String::as_str))
    }

    /// The selector's metric; its tags are checked too.
    pub(super) fn check(&self, read: &Read, problems: &mut Vec<Problem>) -> Option<&'a MetricDef> {
        let name = read.selector.metric();
        let metric = self.metric(name);
        if metric.is_none() && !name.is_empty() {
            let nearest = did_you_mean(name, self.all().map(|def| &*def.name)).map(str::to_owned);
            problems
                .push(Problem::in_selector(ProblemKind::UnknownMetric { name: name.to_owned(), nearest }, read.metric));
        }
        for (tag, place) in &read.tags {
            if !self.tags().any(|known| known == tag) {
                let nearest = match tag.as_str() {
                    // Requests are grouped under `name`, never under their raw address.
                    "url" | "uri" | "path" | "endpoint" | "operation" => Some("name"),
                    _ => did_you_mean(tag, self.tags()),
                };
                let kind = ProblemKind::UnknownTag {
                    name: tag.clone(),
                    nearest: nearest.map(str::to_owned),
                    known: self.tags().map(|tag| format!("`{tag}`")).collect(),
                };
                problems.push(Problem::in_selector(kind, *place));
            }
        }
        metric
    }
}
