//! What a threshold means, what it refuses, and in which words.

mod golden;
mod golden_grammar;
mod k6;
mod language;
mod meaning;
mod selectors;
mod sets;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::metrics::{MetricDef, MetricKind, Unit};

/// A view over plain values: what was recorded under a metric, whatever the tags.
#[derive(Default)]
struct Recorded {
    seconds: f64,
    values: BTreeMap<&'static str, Vec<f64>>,
    /// Whether windows are answered: the last value is the window's, and each value is a slice of one second.
    history: bool,
}

impl Recorded {
    fn with(mut self, metric: &'static str, values: &[f64]) -> Self {
        self.values.insert(metric, values.to_vec());
        self
    }

    fn of(&self, selector: &Selector) -> Option<&Vec<f64>> {
        self.values.get(selector.metric())
    }
}

impl View for Recorded {
    fn counter(&self, selector: &Selector) -> Option<CounterView> {
        self.of(selector).map(|values| CounterView { sum: values.iter().sum() })
    }

    fn gauge(&self, selector: &Selector) -> Option<GaugeView> {
        let values = self.of(selector)?;
        let (min, max) = (f64::min, f64::max);
        let fold = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of);
        Some(GaugeView { value: *values.last()?, min: fold(min)?, max: fold(max)? })
    }

    fn rate(&self, selector: &Selector) -> Option<RateView> {
        self.of(selector).map(|values| RateView {
            hits: values.iter().filter(|value| **value != 0.0).count() as u64,
            total: values.len() as u64,
        })
    }

    fn trend(&self, selector: &Selector) -> Option<Box<dyn Distribution + '_>> {
        let mut values = self.of(selector)?.clone();
        values.sort_by(f64::total_cmp);
        Some(Box::new(Sorted(values)))
    }

    fn elapsed_seconds(&self) -> f64 {
        self.seconds
    }

    fn over(&self, _: Duration) -> Option<Box<dyn View + '_>> {
        let last = |values: &Vec<f64>| values.last().copied().into_iter().collect();
        let values = self.values.iter().map(|(metric, values)| (*metric, last(values))).collect();
        let view = Recorded { seconds: 1.0, values, history: false };
        self.history.then(|| Box::new(view) as Box<dyn View>)
    }

    fn slices(&self, _: Duration) -> Option<Vec<Slice<'_>>> {
        let most = self.values.values().map(Vec::len).max().unwrap_or(0);
        let slice = |at: usize| {
            let values = self.values.iter().filter_map(|(metric, values)| Some((*metric, vec![*values.get(at)?])));
            let view = Recorded { seconds: 1.0, values: values.collect(), history: false };
            Slice { at: at as f64 + 1.0 - most as f64, view: Box::new(view) }
        };
        self.history.then(|| (0..most).map(slice).collect())
    }
}

struct Sorted(Vec<f64>);

impl Distribution for Sorted {
    fn count(&self) -> u64 {
        self.0.len() as u64
    }

    fn min(&self) -> f64 {
        self.0[0]
    }

    fn max(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn percentile(&self, percentile: f64) -> f64 {
        let rank = (percentile / 100.0 * self.0.len() as f64).ceil().max(1.0);
        self.0[rank as usize - 1]
    }
}

/// A script's own metrics, one of each kind that no built-in metric has.
fn custom() -> Vec<MetricDef> {
    vec![
        MetricDef::built_in("queue_bytes", MetricKind::Gauge, Unit::Data, "Bytes waiting."),
        MetricDef::built_in("cart_value", MetricKind::Trend, Unit::Plain, "What a cart is worth."),
        MetricDef::built_in("cpu_time", MetricKind::Counter, Unit::Time, "CPU time spent."),
    ]
}

fn parse(selector: &str, expression: &str, options: RuleOptions) -> (Option<ThresholdRule>, Vec<Problem>) {
    let tags = ["tenant".to_owned()];
    ThresholdRule::parse(
        selector,
        expression,
        options,
        None,
        Catalog { metrics: &custom(), tags: &tags, history: false },
    )
}

/// A threshold that must be right where a history is kept.
fn with_history(selector: &str, expression: &str) -> ThresholdRule {
    let (rule, problems) = read_with_history(selector, expression);
    rule.unwrap_or_else(|| panic!("{selector} {expression}: {problems:?}"))
}

fn read_with_history(selector: &str, expression: &str) -> (Option<ThresholdRule>, Vec<Problem>) {
    let catalog = Catalog { metrics: &custom(), tags: &[], history: true };
    ThresholdRule::parse(selector, expression, RuleOptions::default(), None, catalog)
}

/// A threshold that must be right.
fn rule(selector: &str, expression: &str) -> ThresholdRule {
    match parse(selector, expression, RuleOptions::default()) {
        (Some(rule), problems) if problems.is_empty() => rule,
        (_, problems) => panic!("{selector} {expression}: {problems:?}"),
    }
}
