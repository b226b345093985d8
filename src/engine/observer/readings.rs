//! From answer to answer of one observed machine: what is known of it now, and the samples that rules read.
//!
//! Pure: time is an argument. CPU and network lie between two answers; counters that went backwards (the machine or its
//! exporter started anew) say nothing this time.

use super::exporter::Exposition;
use crate::engine::machine::proc::is_inner;
use crate::snapshot::Observed;
use std::collections::BTreeMap;
use std::time::Instant;

/// One observed machine.
pub(super) struct Readings {
    observed: Observed,
    last: Option<(Instant, Exposition)>,
}

impl Readings {
    pub(super) fn new(host: String) -> Self {
        Readings { observed: Observed { host, ..Observed::default() }, last: None }
    }

    /// What is known now.
    pub(super) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// An answer came; the samples that it gives, by metric.
    pub(super) fn answered(&mut self, now: Instant, answer: Exposition) -> Vec<(&'static str, f64)> {
        let (mut cpu, mut network) = (None, None);
        if let Some((then, before)) = &self.last {
            cpu = busy(&before.cores, &answer.cores);
            network = flows(&before.network, &answer.network, now.duration_since(*then).as_secs_f64());
        }
        let used =
            answer.memory_total.zip(answer.memory_available).map(|(total, available)| (total - available).max(0.0));
        let seen = &mut self.observed;
        seen.cpu = cpu;
        seen.cores = (!answer.cores.is_empty()).then_some(answer.cores.len() as u64);
        seen.load1 = answer.load1;
        seen.memory_total = answer.memory_total.map(|bytes| bytes as u64);
        seen.memory_used = used.map(|bytes| bytes as u64);
        (seen.received, seen.sent) = (network.map(|(received, _)| received), network.map(|(_, sent)| sent));
        seen.scrapes += 1;
        seen.failing = false;
        let metrics = [
            ("observed_cpu", cpu),
            ("observed_load1", answer.load1),
            ("observed_memory_used", used),
            ("observed_memory_available", answer.memory_available),
            ("observed_network_received", seen.received),
            ("observed_network_sent", seen.sent),
        ];
        self.last = Some((now, answer));
        metrics.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| value.is_finite())?))).collect()
    }

    /// A try came to nothing. What was known of the machine is not known any more; counters are kept to compare with.
    pub(super) fn failed(&mut self, why: String) {
        let seen = &mut self.observed;
        (seen.cpu, seen.load1, seen.memory_used, seen.received, seen.sent) = (None, None, None, None, None);
        seen.failures += 1;
        seen.failing = true;
        seen.last_error = Some(why);
    }
}

/// The share of the cores' time between two answers that they were busy.
fn busy(before: &BTreeMap<String, (f64, f64)>, now: &BTreeMap<String, (f64, f64)>) -> Option<f64> {
    let (mut busy, mut all) = (0.0, 0.0);
    for (core, (busy_now, all_now)) in now {
        let Some((busy_then, all_then)) = before.get(core) else { continue };
        let passed = all_now - all_then;
        if passed > 0.0 {
            busy += (busy_now - busy_then).clamp(0.0, passed);
            all += passed;
        }
    }
    Some(busy / all).filter(|share| share.is_finite())
}

/// Bytes per second received and sent between two answers, by what leads out of the machine.
fn flows(
    before: &BTreeMap<String, (f64, f64)>,
    now: &BTreeMap<String, (f64, f64)>,
    seconds: f64,
) -> Option<(f64, f64)> {
    let outer = now.iter().filter(|(name, _)| *name != "lo" && !is_inner(name));
    let passed = outer.filter_map(|(name, now)| {
        let then = before.get(name)?;
        let passed = (now.0 - then.0, now.1 - then.1);
        (passed.0 >= 0.0 && passed.1 >= 0.0).then_some(passed)
    });
    let (received, sent) = passed.reduce(|sum, passed| (sum.0 + passed.0, sum.1 + passed.1))?;
    (seconds > 0.0).then(|| (received / seconds, sent / seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn answer(cores: &[(&str, f64, f64)], network: &[(&str, f64, f64)]) -> Exposition {
        let map = |rows: &[(&str, f64, f64)]| rows.iter().map(|(name, a, b)| ((*name).to_owned(), (*a, *b))).collect();
        Exposition {
            cores: map(cores),
            network: map(network),
            load1: Some(2.0),
            memory_total: Some(100.0),
            memory_available: Some(25.0),
        }
    }

    #[test]
    fn cpu_and_network_lie_between_two_answers() {
        let mut db = Readings::new("db".to_owned());
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let first = db.answered(at(0), answer(&[("0", 10.0, 50.0), ("1", 5.0, 50.0)], &[("eth0", 100.0, 100.0)]));
        let names: Vec<_> = first.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["observed_load1", "observed_memory_used", "observed_memory_available"]);
        assert_eq!((db.observed().cpu, db.observed().memory_used), (None, Some(75)));
        // One core busy for four of five seconds, the other for one; bridges count with what is behind them.
        let network = [("eth0", 600.0, 150.0), ("lo", 9e9, 9e9), ("docker0", 9e9, 9e9), ("eth1", 7.0, 7.0)];
        let second = db.answered(at(5), answer(&[("0", 14.0, 55.0), ("1", 6.0, 55.0)], &network));
        assert_eq!(second[0], ("observed_cpu", 0.5));
        assert_eq!((db.observed().received, db.observed().sent), (Some(100.0), Some(10.0)));
        assert_eq!((db.observed().cores, db.observed().scrapes), (Some(2), 2));
        // Started anew: nothing is known between, and everything again after the next.
        let third = db.answered(at(10), answer(&[("0", 1.0, 2.0), ("1", 1.0, 2.0)], &[("eth0", 1.0, 1.0)]));
        assert!(third.iter().all(|(name, _)| *name != "observed_cpu" && !name.contains("network")), "{third:?}");
        let fourth = db.answered(at(15), answer(&[("0", 6.0, 7.0), ("1", 6.0, 7.0)], &[("eth0", 6.0, 1.0)]));
        assert_eq!(fourth[0], ("observed_cpu", 1.0));
        assert_eq!(db.observed().received, Some(1.0));
    }

    #[test]
    fn a_failure_forgets_what_was_known_and_says_why() {
        let mut db = Readings::new("db".to_owned());
        let start = Instant::now();
        db.answered(start, answer(&[("0", 1.0, 2.0)], &[]));
        db.failed("connection refused".to_owned());
        let seen = db.observed();
        assert_eq!((seen.load1, seen.failures, seen.failing), (None, 1, true));
        assert_eq!(seen.last_error.as_deref(), Some("connection refused"));
        // The stretch in which nothing came is told by the next answer.
        let next = db.answered(start + Duration::from_secs(10), answer(&[("0", 6.0, 12.0)], &[]));
        assert_eq!(next[0], ("observed_cpu", 0.5));
        assert!(!db.observed().failing);
    }
}
