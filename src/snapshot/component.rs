//! How the parts of a run do: healthy, with a warning or in error, and why.
//!
//! One pure function over what a Snapshot says, made of a table of rules; the collector asks it at every Snapshot, so that all
//! windows say the same. The monitor and the outputs are windows themselves: nothing in a Snapshot tells how they do, so whoever
//! shows components adds theirs.

use super::{Observed, Snapshot, Status};
use crate::units::human;
use std::sync::PoisonError;
use std::time::Duration;

/// A part of a run that can do well or badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The threads that run users, and what of this machine they need.
    Shards,
    /// The thread that merges what they measure.
    Collector,
    /// The server that shows the run.
    Monitor,
    /// Whoever writes results elsewhere.
    Outputs,
    /// The system under test, and the machines that are observed.
    Target,
    /// What every series has seen, second by second.
    History,
}

impl Part {
    /// The word that people and programs see.
    pub fn word(self) -> &'static str {
        match self {
            Part::Shards => "shards",
            Part::Collector => "collector",
            Part::Monitor => "monitor",
            Part::Outputs => "outputs",
            Part::Target => "target",
            Part::History => "history",
        }
    }
}

/// How a part does, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Condition {
    /// As it should.
    #[default]
    Healthy,
    /// Somebody should look.
    Warning,
    /// What it gives cannot be trusted, or it gives nothing.
    Error,
}

impl Condition {
    /// The word that people and programs see.
    pub fn word(self) -> &'static str {
        match self {
            Condition::Healthy => "healthy",
            Condition::Warning => "warning",
            Condition::Error => "error",
        }
    }
}

/// How one part does now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Which.
    pub name: Part,
    /// How: the worst of its reasons.
    pub state: Condition,
    /// Why, the worst first; empty while it is healthy.
    pub reasons: Vec<String>,
}

impl Component {
    /// A part with all that speaks against it.
    pub fn new(name: Part, mut reasons: Vec<(Condition, String)>) -> Self {
        reasons.sort_by_key(|(condition, _)| std::cmp::Reverse(*condition));
        let state = reasons.first().map_or(Condition::Healthy, |(condition, _)| *condition);
        Component { name, state, reasons: reasons.into_iter().map(|(_, why)| why).collect() }
    }

    /// All reasons, `; ` between them.
    pub fn why(&self) -> String {
        self.reasons.join("; ")
    }
}

/// What speaks against a part.
type Reason = Option<(Condition, String)>;

/// What is asked of a Snapshot, and of which part it tells.
struct Rule {
    part: Part,
    judge: fn(&Snapshot) -> Reason,
}

/// The parts that a Snapshot tells of, in the order in which they are shown.
const PARTS: [Part; 4] = [Part::Shards, Part::Collector, Part::Target, Part::History];

const RULES: [Rule; 15] = [
    Rule { part: Part::Shards, judge: invalid },
    Rule { part: Part::Shards, judge: late_shards },
    Rule { part: Part::Shards, judge: |now| lateness(now.generator.recent_lag_p99, "its loops run") },
    Rule { part: Part::Shards, judge: |now| lateness(now.generator.recent_lateness_p99, "arrivals start") },
    Rule { part: Part::Shards, judge: own_cpu },
    Rule { part: Part::Shards, judge: memory },
    Rule { part: Part::Shards, judge: files },
    Rule { part: Part::Shards, judge: ports },
    Rule { part: Part::Shards, judge: steal },
    Rule { part: Part::Collector, judge: lost },
    Rule { part: Part::Collector, judge: regrouped },
    Rule { part: Part::Target, judge: failing },
    Rule { part: Part::Target, judge: unreached },
    Rule { part: Part::Target, judge: observed },
    Rule { part: Part::History, judge: history },
];

/// How the parts do that a Snapshot tells of: shards, collector, target and history.
pub fn components(now: &Snapshot) -> Vec<Component> {
    let reasons = |part| RULES.iter().filter(|rule| rule.part == part).filter_map(|rule| (rule.judge)(now)).collect();
    PARTS.into_iter().map(|part| Component::new(part, reasons(part))).collect()
}

/// A warning from one limit on, an error from another.
fn beyond(value: f64, warning: f64, error: f64, why: impl FnOnce() -> String) -> Reason {
    let condition = match value {
        value if value > error => Condition::Error,
        value if value > warning => Condition::Warning,
        _ => return None,
    };
    Some((condition, why()))
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn part(of: Option<u64>, whole: Option<u64>) -> Option<f64> {
    Some(of? as f64 / whole.filter(|whole| *whole > 0)? as f64)
}

/// Why the measurement cannot be trusted.
fn invalid(now: &Snapshot) -> Reason {
    let invalid = &now.generator.invalid;
    (!invalid.is_empty()).then(|| (Condition::Error, invalid.join("; ")))
}

fn late_shards(now: &Snapshot) -> Reason {
    let (late, all) = (now.generator.late_shards.len(), now.generator.shards);
    let condition = if late == all { Condition::Error } else { Condition::Warning };
    (late > 0).then(|| (condition, format!("{late} of {all} shards did not report in time")))
}

fn lateness(p99: Option<f64>, what: &str) -> Reason {
    let p99 = p99?;
    beyond(p99, 5.0, 10.0, || format!("{what} {p99:.1} ms late (99th percentile over 5 s)"))
}

fn own_cpu(now: &Snapshot) -> Reason {
    let cpu = now.machine.as_ref()?.own.cpu?;
    beyond(cpu, 0.85, f64::INFINITY, || format!("punk uses {} of the CPU that its shards may use", percent(cpu)))
}

fn memory(now: &Snapshot) -> Reason {
    let memory = &now.machine.as_ref()?.memory;
    let left = part(memory.available, memory.total)?;
    beyond(1.0 - left, 0.90, 0.97, || format!("{} of this machine's memory is left", percent(left)))
}

fn files(now: &Snapshot) -> Reason {
    let own = &now.machine.as_ref()?.own;
    let used = part(own.fds, own.fds_limit)?;
    beyond(used, 0.80, 0.95, || format!("{} of the file descriptors are open: see `punk doctor`", percent(used)))
}

fn ports(now: &Snapshot) -> Reason {
    let ports = &now.machine.as_ref()?.ports;
    let used = part(ports.taken, ports.range)?;
    beyond(used, 0.80, f64::INFINITY, || format!("up to {} of the local ports are taken", percent(used.min(1.0))))
}

fn steal(now: &Snapshot) -> Reason {
    let steal = now.machine.as_ref()?.steal?;
    beyond(steal, 0.05, f64::INFINITY, || format!("a hypervisor takes {} of this machine's CPU", percent(steal)))
}

fn lost(now: &Snapshot) -> Reason {
    let lost = now.generator.lost;
    (lost > 0).then(|| (Condition::Error, format!("{lost} samples were lost")))
}

fn regrouped(now: &Snapshot) -> Reason {
    let count = now.generator.regrouped;
    (count > 0).then(|| (Condition::Warning, format!("{count} samples were regrouped as `__other__`: too many names")))
}

/// Whether requests are made now.
fn runs(now: &Snapshot) -> bool {
    matches!(now.status, Status::Running | Status::Stopping)
}

fn failing(now: &Snapshot) -> Reason {
    let failed = now.recent.failed.filter(|_| runs(now))?;
    beyond(failed, 0.05, 0.50, || format!("{} of the requests of the last seconds failed", percent(failed)))
}

/// How long ago an error may be that counts as one of now.
const FRESH: Duration = Duration::from_secs(5);

/// Errors that say that the target was not reached at all, by their names.
pub const UNREACHED: [&str; 8] =
    ["refused", "unreachable", "connect", "connect_timeout", "dns", "dns_timeout", "dns_servfail", "dns_not_found"];

fn unreached(now: &Snapshot) -> Reason {
    let fresh = |last: Duration| runs(now) && last + FRESH >= now.elapsed;
    let all = now.errors.sorted();
    let (_, entry) = all.into_iter().find(|(key, entry)| UNREACHED.contains(&key.kind) && fresh(entry.last))?;
    let times = if entry.count == 1 { "once".to_owned() } else { format!("{} times", entry.count) };
    let names = entry.operations.names();
    let operation = names.first().map_or("a request", |(name, _)| *name);
    Some((Condition::Error, format!("`{operation}` does not reach it ({}, {times})", entry.sample)))
}

fn observed(now: &Snapshot) -> Reason {
    let of = |one: &Observed| match (&one.last_error, one.cpu) {
        (Some(why), _) if one.failing => {
            Some((Condition::Warning, format!("`{}` cannot be observed: {why}", one.host)))
        }
        (_, Some(cpu)) => {
            beyond(cpu, 0.90, f64::INFINITY, || format!("`{}` uses {} of its CPU", one.host, percent(cpu)))
        }
        _ => None,
    };
    let reasons: Vec<_> = now.observed.iter().filter_map(|one| of(one)).collect();
    let worst = reasons.iter().map(|(condition, _)| *condition).max()?;
    let why: Vec<String> = reasons.into_iter().map(|(_, why)| why).collect();
    Some((worst, why.join("; ")))
}

fn history(now: &Snapshot) -> Reason {
    let history = now.history.read().unwrap_or_else(PoisonError::into_inner);
    let until = history.gave_way_until()?;
    let why = format!("memory for it is full: what was before {} is kept more coarsely", human::duration(until));
    Some((Condition::Warning, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Category, Cell, ErrorKey, ErrorLog, History, Occurrence, Resolution, Scale, Trend};
    use crate::snapshot::{Generator, Machine, Memory, Own, Ports, Recent};
    use std::sync::{Arc, RwLock};

    fn calm() -> Snapshot {
        let machine = Machine {
            steal: Some(0.0),
            memory: Memory { total: Some(100), available: Some(50), ..Memory::default() },
            ports: Ports { taken: Some(10), range: Some(100) },
            own: Own { cpu: Some(0.5), fds: Some(10), fds_limit: Some(100), ..Own::default() },
            ..Machine::default()
        };
        Snapshot {
            status: Status::Running,
            elapsed: Duration::from_secs(60),
            machine: Some(Arc::new(machine)),
            observed: vec![Arc::new(Observed { host: "db".to_owned(), cpu: Some(0.5), ..Observed::default() })],
            generator: Generator { shards: 2, recent_lag_p99: Some(0.5), ..Generator::default() },
            recent: Recent { failed: Some(0.01), ..Recent::default() },
            ..Snapshot::default()
        }
    }

    fn told(change: impl FnOnce(&mut Snapshot)) -> String {
        let mut snapshot = calm();
        change(&mut snapshot);
        let ill = components(&snapshot).into_iter().filter(|component| component.state != Condition::Healthy);
        let lines: Vec<_> = ill.map(|it| format!("{} {}: {}", it.name.word(), it.state.word(), it.why())).collect();
        lines.join("\n")
    }

    fn machine(change: impl FnOnce(&mut Machine)) -> String {
        told(|now| change(Arc::make_mut(now.machine.as_mut().unwrap())))
    }

    fn refused(last: u64) -> Arc<ErrorLog> {
        let mut log = ErrorLog::default();
        let key = ErrorKey { category: Category::Connect, kind: "refused", code: 1212, place: "".into() };
        let at = Duration::from_secs(last);
        let one = Occurrence { operation: "GET /", scenario: "s", user: 1, at, reason: "connection refused" };
        log.add(key, &one, || "connection refused".into());
        Arc::new(log)
    }

    #[test]
    fn all_is_well_until_something_is_not() {
        assert_eq!(told(|_| ()), "");
        let parts: Vec<_> =
            components(&Snapshot::default()).iter().map(|part| (part.name.word(), part.state)).collect();
        let healthy = Condition::Healthy;
        assert_eq!(parts, [("shards", healthy), ("collector", healthy), ("target", healthy), ("history", healthy)]);
    }

    #[test]
    fn shards_are_judged_by_their_lateness_and_by_what_this_machine_has_left() {
        assert_eq!(
            told(|now| now.generator.late_shards = vec![1]),
            "shards warning: 1 of 2 shards did not report in time"
        );
        assert_eq!(
            told(|now| now.generator.late_shards = vec![0, 1]),
            "shards error: 2 of 2 shards did not report in time"
        );
        let lag = |ms| told(|now| now.generator.recent_lag_p99 = Some(ms));
        assert_eq!(lag(5.0), "");
        assert_eq!(lag(6.0), "shards warning: its loops run 6.0 ms late (99th percentile over 5 s)");
        assert_eq!(lag(12.0), "shards error: its loops run 12.0 ms late (99th percentile over 5 s)");
        assert!(
            told(|now| now.generator.recent_lateness_p99 = Some(11.0))
                .starts_with("shards error: arrivals start 11.0 ms")
        );
        assert_eq!(
            machine(|it| it.own.cpu = Some(0.9)),
            "shards warning: punk uses 90% of the CPU that its shards may use"
        );
        assert_eq!(machine(|it| it.memory.available = Some(9)), "shards warning: 9% of this machine's memory is left");
        assert_eq!(machine(|it| it.memory.available = Some(2)), "shards error: 2% of this machine's memory is left");
        assert_eq!(
            machine(|it| it.own.fds = Some(96)),
            "shards error: 96% of the file descriptors are open: see `punk doctor`"
        );
        assert_eq!(machine(|it| it.ports.taken = Some(150)), "shards warning: up to 100% of the local ports are taken");
        assert_eq!(machine(|it| it.steal = Some(0.2)), "shards warning: a hypervisor takes 20% of this machine's CPU");
        // What was not measured speaks against nobody.
        assert_eq!(machine(|it| *it = Machine::default()), "");
    }

    #[test]
    fn the_worst_reason_stands_first() {
        let both = told(|now| {
            now.generator.late_shards = vec![1];
            now.generator.recent_lag_p99 = Some(20.0);
        });
        let lag = "its loops run 20.0 ms late (99th percentile over 5 s)";
        assert_eq!(both, format!("shards error: {lag}; 1 of 2 shards did not report in time"));
    }

    #[test]
    fn the_collector_is_judged_by_what_it_lost() {
        assert_eq!(told(|now| now.generator.lost = 3), "collector error: 3 samples were lost");
        let regrouped = told(|now| now.generator.regrouped = 7);
        assert_eq!(regrouped, "collector warning: 7 samples were regrouped as `__other__`: too many names");
    }

    #[test]
    fn the_target_is_judged_by_errors_of_now() {
        let failed = |share| told(|now| now.recent.failed = Some(share));
        assert_eq!(failed(0.05), "");
        assert_eq!(failed(0.1), "target warning: 10% of the requests of the last seconds failed");
        assert_eq!(failed(0.6), "target error: 60% of the requests of the last seconds failed");
        assert_eq!(
            told(|now| now.errors = refused(58)),
            "target error: `GET /` does not reach it (connection refused, once)"
        );
        assert_eq!(told(|now| now.errors = refused(50)), "", "long ago");
        let over = told(|now| (now.errors, now.status) = (refused(58), Status::Completed));
        assert_eq!(over, "", "nobody asks any more");
    }

    #[test]
    fn observed_machines_are_part_of_the_target() {
        let db = |change: fn(&mut Observed)| told(|now| change(Arc::make_mut(&mut now.observed[0])));
        assert_eq!(db(|db| db.cpu = Some(0.95)), "target warning: `db` uses 95% of its CPU");
        let failing = db(|db| (db.failing, db.last_error) = (true, Some("status 500".to_owned())));
        assert_eq!(failing, "target warning: `db` cannot be observed: status 500");
        assert_eq!(db(|db| db.last_error = Some("status 500".to_owned())), "", "it answers again");
    }

    #[test]
    fn a_history_that_gave_way_says_so() {
        let mut history = History::new(1_000);
        let mut cell = Cell::Trend(Trend::new(Scale::DAY, Resolution::ThreeDigits));
        cell.add(5.0);
        (0..200).for_each(|second| history.feed(Duration::from_secs(second), 0, &cell));
        history.close(Duration::from_secs(200));
        let why = told(|now| now.history = Arc::new(RwLock::new(history)));
        assert!(why.starts_with("history warning: memory for it is full: what was before "), "{why}");
    }
}
