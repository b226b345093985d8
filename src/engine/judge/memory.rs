//! What is remembered of one threshold: when it was broken, for how long, and the value that decided.
//!
//! Fed with judgements in order of run time, live ones and those of the past alike. It knows no clock and sends nothing.

use crate::expr::Judgement;
use crate::snapshot::Breach;
use std::time::Duration;

/// Stretches that are kept of a rule that is broken again and again; all are counted.
const BREACHES: usize = 100;

/// One rule's past.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// Since when it has not held, without a break.
    unheld_since: Option<Duration>,
    /// Whether that has lasted long enough to count.
    broken: bool,
    pub(super) first_breach: Option<Duration>,
    pub(super) recovered: Option<Duration>,
    pub(super) breaches: Vec<Breach>,
    pub(super) count: u64,
    /// The judgement of the first breach.
    decided: Option<Judgement>,
    /// The judgement of the last moment that was judged.
    pub(super) last: Option<Judgement>,
    /// Whether anything was ever decided.
    judged: bool,
}

impl Memory {
    /// Takes a judgement in. It counts as a breach when it has not held for `lasting`; `show` words its value.
    pub(super) fn see(
        &mut self,
        at: Duration,
        judgement: Judgement,
        lasting: Duration,
        show: impl FnOnce(Judgement) -> Option<String>,
    ) {
        let unheld = judgement.passed == Some(false);
        let since =
            if unheld { Some(*self.unheld_since.get_or_insert(at)) } else { self.unheld_since.take().and(None) };
        let broken = since.is_some_and(|since| at.saturating_sub(since) >= lasting);
        if broken && !self.broken {
            self.first_breach.get_or_insert(at);
            self.count += 1;
            self.decided.get_or_insert(judgement);
            if self.breaches.len() < BREACHES {
                let observed_text = show(judgement).unwrap_or_else(|| "no data".to_owned());
                self.breaches.push(Breach { from: at, to: None, observed_text });
            }
        } else if self.broken && !broken {
            self.recovered = Some(at);
            if let Some(last) = self.breaches.last_mut().filter(|last| last.to.is_none()) {
                last.to = Some(at);
            }
        }
        self.broken = broken;
        self.judged |= judgement.passed.is_some();
        self.last = Some(judgement);
    }

    /// Whether it is broken now, and has been so for `lasting` of the time after `since`.
    pub(super) fn is_broken_after(&self, at: Duration, since: Duration, lasting: Duration) -> bool {
        let unheld = self.unheld_since.map(|unheld| unheld.max(since));
        self.broken && unheld.is_some_and(|unheld| at.saturating_sub(unheld) >= lasting)
    }

    /// The verdict so far, and the judgement that it rests on. Of a rule whose final value decides it is the last one; any
    /// other stays broken once it was.
    pub(super) fn verdict(&self, momentary: bool) -> (Option<bool>, Option<Judgement>) {
        if momentary {
            return (self.last.and_then(|last| last.passed), self.last);
        }
        match self.decided {
            Some(decided) => (Some(false), Some(decided)),
            None => (self.judged.then_some(true), self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn judgement(passed: Option<bool>) -> Judgement {
        Judgement { passed, observed: passed.map(|passed| if passed { 1.0 } else { 9.0 }), part: 0 }
    }

    fn remembered(said: &[Option<bool>], lasting: Duration) -> Memory {
        let mut memory = Memory::default();
        for (at, passed) in said.iter().enumerate() {
            memory.see(s(at as u64), judgement(*passed), lasting, |seen| seen.observed.map(|value| value.to_string()));
        }
        memory
    }

    const Y: Option<bool> = Some(true);
    const N: Option<bool> = Some(false);

    #[test]
    fn breaches_and_recoveries_are_remembered() {
        let memory = remembered(&[None, Y, N, N, Y, Y, N], Duration::ZERO);
        assert_eq!((memory.first_breach, memory.recovered, memory.count), (Some(s(2)), Some(s(4)), 2));
        let stretches: Vec<_> = memory.breaches.iter().map(|breach| (breach.from, breach.to)).collect();
        assert_eq!(stretches, [(s(2), Some(s(4))), (s(6), None)]);
        assert_eq!(memory.breaches[0].observed_text, "9");
        assert_eq!(memory.verdict(false).0, Some(false));
        assert_eq!(remembered(&[N, Y], Duration::ZERO).verdict(true).0, Some(true), "its final value decides");
        assert_eq!(remembered(&[None, None], Duration::ZERO).verdict(false).0, None);
    }

    #[test]
    fn what_must_last_counts_once_it_has_lasted_and_a_gap_starts_it_anew() {
        let memory = remembered(&[N, N, Y, N, N, N, N], s(3));
        assert_eq!((memory.first_breach, memory.count), (Some(s(6)), 1));
        let memory = remembered(&[N, N, None, N, N], s(3));
        assert_eq!((memory.first_breach, memory.verdict(false).0), (None, Some(true)));
    }

    #[test]
    fn what_lasts_since_before_an_edit_counts_from_the_edit_on() {
        let memory = remembered(&[N; 10], s(3));
        assert!(memory.is_broken_after(s(9), Duration::ZERO, s(3)));
        assert!(!memory.is_broken_after(s(9), s(8), s(3)));
        assert!(memory.is_broken_after(s(9), s(6), s(3)));
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_agrees_with_itself(said in proptest::collection::vec(proptest::option::of(any::<bool>()), 0..400), lasting in 0u64..4) {
            let memory = remembered(&said, s(lasting));
            prop_assert!(memory.breaches.len() <= BREACHES);
            prop_assert_eq!(memory.first_breach.is_some(), memory.count > 0);
            prop_assert_eq!(memory.verdict(false).0 == Some(false), memory.count > 0);
            for pair in memory.breaches.windows(2) {
                prop_assert!(pair[0].to.unwrap() <= pair[1].from);
            }
            let naive = (0..said.len()).filter(|at| {
                let begin = at.saturating_sub(lasting as usize);
                *at >= lasting as usize && said[begin..=*at].iter().all(|passed| *passed == Some(false))
            });
            prop_assert_eq!(memory.first_breach, naive.map(|at| s(at as u64)).next());
        }
    }
}
