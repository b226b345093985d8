//! Names that Prometheus takes: `punk_` in front, nothing but letters, digits and `_`, and never one name for two things.
//!
//! Scripts name metrics and tags as they like. What must be changed is changed the same way in every scrape, because
//! metrics and series of a run only ever come behind those that there are.

use super::family::Kind;
use prometheus_client::registry::Unit;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Ends of a name by which scrapers know the lines of a counter, a histogram or an info.
const RESERVED: [&str; 6] = ["_total", "_sum", "_count", "_bucket", "_created", "_info"];

/// The families that have their names already.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: FxHashSet<String>,
    /// What was given for a wish, the first time that a run had it, the second time, and so on.
    given: FxHashMap<(Wish, usize), String>,
    /// How often the run has had it.
    wished: FxHashMap<Wish, usize>,
}

/// What a family would be called, and what it is; the same wish of two runs is one family.
type Wish = (String, Kind, Option<String>);

impl Names {
    /// From now on another run's: what is the same there has the same name.
    pub(super) fn next_run(&mut self) {
        self.wished.clear();
    }

    /// A name for a new family of the run, see [`Names::free`].
    pub(super) fn claim(&mut self, wanted: &str, kind: Kind, unit: Option<&Unit>) -> String {
        let wish = (wanted.to_owned(), kind, unit.map(|unit| unit.as_str().to_owned()));
        let times = self.wished.entry(wish.clone()).or_default();
        *times += 1;
        let wish = (wish, *times);
        if let Some(name) = self.given.get(&wish) {
            return name.clone();
        }
        let name = self.free(wanted, kind, unit);
        self.given.insert(wish, name.clone());
        name
    }

    /// A name for a new family, without unit and suffix: `http_req_duration` is `punk_http_req_duration`. A word that is
    /// there already (`_total`, `_seconds`, `punk_`) is not doubled; one of another's name is given a number.
    fn free(&mut self, wanted: &str, kind: Kind, unit: Option<&Unit>) -> String {
        let mut name = legal(wanted);
        if !name.starts_with("punk_") {
            name.insert_str(0, "punk_");
        }
        if kind == Kind::Counter {
            cut(&mut name, "_total");
        }
        if let Some(unit) = unit {
            cut(&mut name, &format!("_{}", unit.as_str()));
        }
        if kind != Kind::Counter && unit.is_none() && RESERVED.iter().any(|end| name.ends_with(end)) {
            name.push_str("_value");
        }
        let full = |name: &str| unit.map_or(name.to_owned(), |unit| format!("{name}_{}", unit.as_str()));
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| !self.taken.contains(&full(name)));
        let free = free.expect("there are more numbers than names");
        self.taken.insert(full(&free));
        free
    }
}

/// The tags of a run as label names.
#[derive(Debug)]
pub(super) struct TagNames {
    known: FxHashMap<String, Arc<str>>,
    taken: FxHashSet<Arc<str>>,
}

impl TagNames {
    /// None yet. `reserved` are label names that no tag may have.
    pub(super) fn new(reserved: &[&str]) -> Self {
        TagNames { known: FxHashMap::default(), taken: reserved.iter().map(|name| Arc::from(*name)).collect() }
    }

    /// The label of a tag, the same for every series.
    pub(super) fn label(&mut self, tag: &str) -> Arc<str> {
        if let Some(label) = self.known.get(tag) {
            return label.clone();
        }
        let mut wanted = legal(tag);
        let digit = wanted.starts_with(|first: char| first.is_ascii_digit());
        // Two underscores are Prometheus's own.
        if wanted.is_empty() || digit || wanted == "_" || wanted.starts_with("__") {
            wanted.insert_str(0, "tag_");
        }
        let numbered = (2..).map(|n| format!("{wanted}_{n}"));
        let free = std::iter::once(wanted.clone()).chain(numbered).find(|name| !self.taken.contains(&**name));
        let label: Arc<str> = free.expect("there are more numbers than tags").into();
        self.taken.insert(label.clone());
        self.known.insert(tag.to_owned(), label.clone());
        label
    }
}

fn legal(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn cut(name: &mut String, end: &str) {
    while name.ends_with(end) {
        name.truncate(name.len() - end.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_given_what_prometheus_expects() {
        let mut names = Names::default();
        let seconds = Some(&Unit::Seconds);
        for (wanted, kind, unit, name) in [
            ("http_reqs", Kind::Counter, None, "punk_http_reqs"),
            ("http_req_duration", Kind::Histogram, seconds, "punk_http_req_duration"),
            ("punk_memory", Kind::Gauge, Some(&Unit::Bytes), "punk_memory"),
            ("waited_seconds", Kind::Histogram, seconds, "punk_waited"),
            ("orders_total", Kind::Counter, None, "punk_orders"),
            ("orders", Kind::Gauge, None, "punk_orders_2"),
            ("Preis in €", Kind::Gauge, None, "punk_Preis_in__"),
            ("Preis.in.€", Kind::Gauge, None, "punk_Preis_in___2"),
            ("9 lives", Kind::Counter, None, "punk_9_lives"),
            ("basket_count", Kind::Gauge, None, "punk_basket_count_value"),
            ("seconds", Kind::Gauge, seconds, "punk"),
            ("", Kind::Gauge, None, "punk_"),
        ] {
            assert_eq!(names.claim(wanted, kind, unit), name, "{wanted}");
        }
    }

    #[test]
    fn labels_are_legal_and_told_apart() {
        let mut tags = TagNames::new(&["le"]);
        for (tag, label) in [
            ("name", "name"),
            ("le", "le_2"),
            ("my-tag", "my_tag"),
            ("my.tag", "my_tag_2"),
            ("my-tag", "my_tag"),
            ("__name__", "tag___name__"),
            ("1st", "tag_1st"),
            ("", "tag_"),
        ] {
            assert_eq!(&*tags.label(tag), label, "{tag}");
        }
    }

    #[test]
    fn what_is_the_same_in_two_runs_has_one_name_and_what_is_not_has_two() {
        let mut names = Names::default();
        let mut run = |wanted: [(&str, Kind); 3]| {
            names.next_run();
            wanted.map(|(name, kind)| names.claim(name, kind, None))
        };
        let first = run([("orders", Kind::Counter), ("a b", Kind::Gauge), ("a b", Kind::Gauge)]);
        assert_eq!(first, ["punk_orders", "punk_a_b", "punk_a_b_2"]);
        let second = run([("a b", Kind::Gauge), ("orders", Kind::Gauge), ("a b", Kind::Gauge)]);
        assert_eq!(second, ["punk_a_b", "punk_orders_2", "punk_a_b_2"]);
    }

    proptest! {
        #[test]
        fn no_two_names_are_one(wanted in prop::collection::hash_set("[a-c._é]{0,4}", 1..40)) {
            let (mut names, mut tags) = (Names::default(), TagNames::new(&[]));
            let metrics: FxHashSet<String> = wanted.iter().map(|name| names.claim(name, Kind::Gauge, None)).collect();
            let labels: FxHashSet<Arc<str>> = wanted.iter().map(|name| tags.label(name)).collect();
            prop_assert_eq!((metrics.len(), labels.len()), (wanted.len(), wanted.len()));
        }
    }
}
