//! The bell of one alert: quiet, pending, firing, resolved.
//!
//! | from | to | when |
//! |---|---|---|
//! | quiet, resolved | pending | its condition is true |
//! | pending | quiet, resolved | it is not, before it has lasted |
//! | pending | firing | it has been true for `lasting` |
//! | firing | resolved | what resolves it has been true for `resolve_after` |
//!
//! Rung in order of run time, by the judge or by whoever looks back. It knows no clock and sends nothing: an edge is what it
//! returns.

use crate::expr::{AlertRule, Judgement};
use crate::snapshot::{AlertPhase, AlertState};
use std::time::Duration;

/// Times at which an alert would have rung that are kept.
const WOULD_HAVE: usize = 20;

/// Where one alert is.
#[derive(Debug, Clone)]
pub(super) struct Bell {
    pub(super) rule: AlertRule,
    pub(super) phase: AlertPhase,
    /// Run time at which it came there.
    since: Duration,
    true_since: Option<Duration>,
    over_since: Option<Duration>,
    pub(super) fired: u64,
    last: Option<Judgement>,
    would_have: Vec<Duration>,
    /// Who has seen its last ringing.
    pub(super) acknowledged_by: Option<String>,
    /// The revision that brought the rule as it stands.
    revision: u64,
    /// Run time at which that was.
    pub(super) brought: Duration,
}

/// It rings, or it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Fires,
    Resolves,
}

impl Bell {
    pub(super) fn new(rule: AlertRule, revision: u64, brought: Duration) -> Self {
        Bell {
            rule,
            phase: AlertPhase::Quiet,
            since: brought,
            true_since: None,
            over_since: None,
            fired: 0,
            last: None,
            would_have: Vec::new(),
            acknowledged_by: None,
            revision,
            brought,
        }
    }

    /// Goes on as the alert of that name that another revision had: what rings goes on ringing.
    pub(super) fn inherit(&mut self, old: &Bell) {
        self.fired = old.fired;
        if old.phase == AlertPhase::Firing {
            (self.phase, self.since) = (old.phase, old.since);
            self.acknowledged_by.clone_from(&old.acknowledged_by);
        }
    }

    /// When it would have rung, had it been there.
    pub(super) fn would_have(&mut self, at: Duration) {
        if self.would_have.len() < WOULD_HAVE {
            self.would_have.push(at);
        }
    }

    /// What it says at a run time: of its condition, and of what resolves it.
    pub(super) fn turn(&mut self, at: Duration, when: Judgement, resolved: Option<Judgement>) -> Option<Edge> {
        self.last = Some(when);
        let is_true = when.passed == Some(true);
        if self.phase == AlertPhase::Firing {
            // With an expression of its own, what has no data resolves nothing.
            let is_over = resolved.map_or(!is_true, |resolved| resolved.passed == Some(true));
            let Some(over) = is_over.then(|| *self.over_since.get_or_insert(at)) else {
                self.over_since = None;
                return None;
            };
            if at.saturating_sub(over) < self.rule.resolve_after {
                return None;
            }
            self.over_since = None;
            self.enter(AlertPhase::Resolved, at);
            // That it may be true still, where something else resolves it, is no new ringing before it was not.
            self.true_since = is_true.then_some(Duration::MAX);
            return Some(Edge::Resolves);
        }
        if !is_true {
            if self.phase == AlertPhase::Pending {
                self.enter(if self.fired > 0 { AlertPhase::Resolved } else { AlertPhase::Quiet }, at);
            }
            self.true_since = None;
            return None;
        }
        let since = *self.true_since.get_or_insert(at);
        if since == Duration::MAX {
            return None;
        }
        if at.saturating_sub(since) < self.rule.lasting {
            if self.phase != AlertPhase::Pending {
                self.enter(AlertPhase::Pending, at);
            }
            return None;
        }
        self.fired += 1;
        self.acknowledged_by = None;
        self.true_since = None;
        self.enter(AlertPhase::Firing, at);
        Some(Edge::Fires)
    }

    /// It is over, whatever its condition says: what it is about is no more.
    pub(super) fn end(&mut self, at: Duration) {
        (self.true_since, self.over_since) = (None, None);
        self.enter(AlertPhase::Resolved, at);
    }

    fn enter(&mut self, phase: AlertPhase, at: Duration) {
        (self.phase, self.since) = (phase, at);
    }

    /// The same number for a ringing and for its end, unique in the run.
    pub(super) fn id(&self) -> String {
        format!("{}#{}", self.rule.name, self.fired)
    }

    /// The value of the last look, and the same for people.
    pub(super) fn value(&self) -> (Option<f64>, Option<String>) {
        let observed = self.last.and_then(|last| last.observed);
        (observed, self.last.and_then(|last| self.rule.condition.show(last)))
    }

    /// As a Snapshot tells it.
    pub(super) fn state(&self) -> AlertState {
        let (value, value_text) = self.value();
        AlertState {
            name: self.rule.name.clone(),
            when: self.rule.source.clone(),
            severity: self.rule.severity,
            description: self.rule.description.clone(),
            resolution: self.rule.resolution.clone(),
            phase: self.phase,
            since: self.since,
            fired: self.fired,
            value,
            value_text,
            acknowledged_by: self.acknowledged_by.clone(),
            would_have: self.would_have.clone(),
            revision: self.revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Catalog, RuleOptions, ThresholdRule};

    fn rule(lasting: u64, resolve_after: u64) -> AlertRule {
        let catalog = Catalog { history: true, ..Catalog::default() };
        let (rule, _) = ThresholdRule::parse("http_reqs", "count > 5", RuleOptions::default(), None, catalog);
        AlertRule {
            name: "busy".to_owned(),
            source: "count of http_reqs > 5".to_owned(),
            condition: rule.expect("it is right").condition,
            lasting: Duration::from_secs(lasting),
            resolve_when: None,
            resolve_after: Duration::from_secs(resolve_after),
            severity: Default::default(),
            description: String::new(),
            resolution: String::new(),
            notify: Vec::new(),
            acts: false,
            span: None,
        }
    }

    fn said(passed: Option<bool>) -> Judgement {
        Judgement { passed, observed: None, part: 0 }
    }

    /// The edges of a bell that hears this, second by second: when it fires and when it is over.
    fn rung(bell: &mut Bell, heard: &str, resolves: Option<&str>) -> Vec<(u64, Edge)> {
        let word = |letter| match letter {
            'T' => Some(true),
            'f' => Some(false),
            _ => None,
        };
        let at = |text: &str, second: usize| said(text.chars().nth(second).and_then(word));
        let edges = (0..heard.len()).filter_map(|second| {
            let resolved = resolves.map(|resolves| at(resolves, second));
            let edge = bell.turn(Duration::from_secs(second as u64), at(heard, second), resolved)?;
            Some((second as u64, edge))
        });
        edges.collect()
    }

    #[test]
    fn it_rings_once_for_each_time_and_is_over_once() {
        use Edge::{Fires, Resolves};
        for (lasting, after, heard, resolves, edges) in [
            (0, 0, "ffTTTff", None, vec![(2, Fires), (5, Resolves)]),
            (2, 0, "TTfTTTTf", None, vec![(5, Fires), (7, Resolves)]),
            (2, 0, "TT.TT.", None, vec![]),
            (0, 2, "TfTffff", None, vec![(0, Fires), (5, Resolves)]),
            (0, 0, "T......", None, vec![(0, Fires), (1, Resolves)]),
            // Hysteresis: something else resolves it, and what is still true rings only after it was not.
            (0, 0, "TTfTTTT", Some("ffffTff"), vec![(0, Fires), (4, Resolves)]),
            (0, 0, "TTTTTfT", Some("ffTffff"), vec![(0, Fires), (2, Resolves), (6, Fires)]),
            (0, 0, "Tfffff", Some("f....."), vec![(0, Fires)]),
        ] {
            let mut bell = Bell::new(rule(lasting, after), 1, Duration::ZERO);
            assert_eq!(rung(&mut bell, heard, resolves), edges, "{heard} {resolves:?}");
            assert_eq!(bell.fired as usize, edges.iter().filter(|(_, edge)| *edge == Fires).count());
        }
    }

    #[test]
    fn who_has_seen_one_ringing_has_not_seen_the_next() {
        let mut bell = Bell::new(rule(0, 0), 1, Duration::ZERO);
        rung(&mut bell, "T", None);
        bell.acknowledged_by = Some("me".to_owned());
        let mut edited = Bell::new(rule(0, 0), 2, Duration::from_secs(1));
        edited.inherit(&bell);
        assert_eq!(edited.state().acknowledged_by.as_deref(), Some("me"));
        rung(&mut bell, "fT", None);
        assert_eq!((bell.fired, bell.state().acknowledged_by), (2, None));
    }

    #[test]
    fn it_is_pending_until_it_has_lasted() {
        let mut bell = Bell::new(rule(3, 0), 1, Duration::ZERO);
        assert_eq!(rung(&mut bell, "fTT", None), []);
        assert_eq!((bell.phase, bell.state().since), (AlertPhase::Pending, Duration::from_secs(1)));
        bell.turn(Duration::from_secs(3), said(Some(false)), None);
        assert_eq!(bell.phase, AlertPhase::Quiet);
    }
}
