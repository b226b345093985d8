//! What is different between two sets of rules, for people: the log, the terminal, the report, the API.
//!
//! Asked when rules are edited. A threshold is the same when its scenario, selector and expression are; closures and alerts
//! are by their names.

use super::{AlertRule, Change, ClosureRule, RuleOptions, Rules, Selector, ThresholdRule};
use rustc_hash::{FxHashMap, FxHashSet};

impl Rules {
    /// What `new` changes of these, in the order of the new ones, and what is gone last of its kind. An edited expression is
    /// one change when it is the only one of its selector that came, and another one the only one that went.
    pub fn diff(&self, new: &Rules) -> Vec<Change> {
        let mut changes = thresholds(&self.thresholds, &new.thresholds);
        changes.extend(named(&self.closures, &new.closures, |rule| &rule.name, closure));
        changes.extend(named(&self.alerts, &new.alerts, |rule| &rule.name, alert));
        changes
    }
}

impl ThresholdRule {
    /// Whether it is the same rule across edits, whatever else was declared.
    pub fn is_same(&self, other: &ThresholdRule) -> bool {
        self.shares_selector(other) && self.source == other.source
    }

    fn shares_selector(&self, other: &ThresholdRule) -> bool {
        self.options.scenario == other.options.scenario && self.selector == other.selector
    }
}

/// What thresholds may replace one another by: their scenario and selector.
type Place<'a> = (Option<&'a str>, &'a Selector);

fn place(rule: &ThresholdRule) -> Place<'_> {
    (rule.options.scenario.as_deref(), &rule.selector)
}

/// Rules by their place: an edit may have thousands, and nobody waits for each to be compared with each.
fn by_place<'a>(rules: impl IntoIterator<Item = &'a ThresholdRule>) -> FxHashMap<Place<'a>, Vec<&'a ThresholdRule>> {
    let mut places: FxHashMap<_, Vec<_>> = FxHashMap::default();
    rules.into_iter().for_each(|rule| places.entry(place(rule)).or_default().push(rule));
    places
}

/// Rules by what makes them the same.
fn by_source(rules: &[ThresholdRule]) -> FxHashMap<(Place<'_>, &str), &ThresholdRule> {
    // Of several that are the same, the first one.
    rules.iter().rev().map(|rule| ((place(rule), &*rule.source), rule)).collect()
}

fn thresholds(old: &[ThresholdRule], new: &[ThresholdRule]) -> Vec<Change> {
    let (before, after) = (by_source(old), by_source(new));
    let same = |rule: &ThresholdRule| before.get(&(place(rule), &*rule.source)).copied();
    let gone: Vec<_> = old.iter().filter(|rule| !after.contains_key(&(place(rule), &*rule.source))).collect();
    let (left, came) = (by_place(gone.iter().copied()), by_place(new.iter().filter(|rule| same(rule).is_none())));
    // The one that another one replaces: each the only one of its place.
    let only = |rules: &FxHashMap<Place<'_>, Vec<&_>>, at: &Place<'_>| rules.get(at).is_some_and(|all| all.len() == 1);
    let replaces = |rule: &ThresholdRule| {
        let at = place(rule);
        (only(&left, &at) && only(&came, &at)).then(|| left[&at][0])
    };
    let what = |rule: &ThresholdRule| format!("threshold {}", rule.selector);
    let mut changes = Vec::new();
    for rule in new {
        let before = same(rule).or_else(|| replaces(rule));
        let from = before.map(threshold);
        let to = threshold(rule);
        if before.is_none_or(|before| before.condition != rule.condition || from.as_ref() != Some(&to)) {
            changes.push(Change { what: what(rule), from, to: Some(to) });
        }
    }
    let replaced = |gone: &ThresholdRule| only(&left, &place(gone)) && only(&came, &place(gone));
    let gone = gone.into_iter().filter(|rule| !replaced(rule));
    changes.extend(gone.map(|rule| Change { what: what(rule), from: Some(threshold(rule)), to: None }));
    changes
}

fn threshold(rule: &ThresholdRule) -> String {
    with_remarks(&rule.source, &rule.options)
}

fn with_remarks(text: &str, options: &RuleOptions) -> String {
    let remarks = options.remarks();
    if remarks.is_empty() { text.to_owned() } else { format!("{text} ({})", remarks.join(", ")) }
}

/// The texts of what was and what is; the same when nothing changed.
type Texts = (String, String);

/// Rules that are known by their names. `texts` says how two of one name differ, or what one of them is when both are it.
fn named<R>(
    old: &[R],
    new: &[R],
    name: impl Fn(&R) -> &str,
    texts: impl Fn(&R, &R) -> (&'static str, Texts),
) -> Vec<Change> {
    // Of several of one name, the first one.
    let before: FxHashMap<&str, &R> = old.iter().rev().map(|rule| (name(rule), rule)).collect();
    let after: FxHashSet<&str> = new.iter().map(&name).collect();
    let mut changes = Vec::new();
    for rule in new {
        match before.get(name(rule)) {
            Some(old) => {
                let (kind, (from, to)) = texts(old, rule);
                if from != to {
                    changes.push(Change { what: format!("{kind} {}", name(rule)), from: Some(from), to: Some(to) });
                }
            }
            None => {
                let (kind, (_, to)) = texts(rule, rule);
                changes.push(Change { what: format!("{kind} {}", name(rule)), from: None, to: Some(to) });
            }
        }
    }
    for rule in old.iter().filter(|rule| !after.contains(name(rule))) {
        let (kind, (from, _)) = texts(rule, rule);
        changes.push(Change { what: format!("{kind} {}", name(rule)), from: Some(from), to: None });
    }
    changes
}

fn closure(old: &ClosureRule, new: &ClosureRule) -> (&'static str, Texts) {
    let text = |rule: &ClosureRule| with_remarks(&rule.source, &rule.options);
    ("threshold", (text(old), text(new)))
}

fn alert(old: &AlertRule, new: &AlertRule) -> (&'static str, Texts) {
    let (before, after) = (old.said(), new.said());
    let value = |said: &[(&'static str, String)], key: &str| {
        said.iter().find(|(known, _)| *known == key).map(|(_, text)| text.clone())
    };
    // Of who is told only the host is shown.
    let other_address = old.notify != new.notify && value(&before, "notify") == value(&after, "notify");
    // One that is new or gone is told as a whole.
    let whole = std::ptr::eq(old, new);
    let differs = |key: &str| whole || value(&before, key) != value(&after, key) || (key == "notify" && other_address);
    let only_before = before.iter().filter(|(key, _)| value(&after, key).is_none());
    let keys: Vec<_> = after.iter().chain(only_before).map(|(key, _)| *key).filter(|key| differs(key)).collect();
    let text = |said: &[(&'static str, String)]| {
        let of = |key: &&'static str| format!("{key}: {}", value(said, key).as_deref().unwrap_or("none"));
        keys.iter().map(of).collect::<Vec<_>>().join(", ")
    };
    let (from, mut to) = (text(&before), text(&after));
    if other_address {
        to.push_str(" (another address or other headers)");
    }
    ("alert", (from, to))
}
