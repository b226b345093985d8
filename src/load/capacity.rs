//! The search of `find_capacity`: which load to try next, and when to stop, as a pure state machine.
//!
//! The engine runs [`Search::value`], looks once per [`Goal::every`] how it went, and tells [`Search::observe`]. What the
//! objective means and how it is measured is unknown here.
//!
//! ```text
//! max ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
//!          ✗                  ✗        rising     × step, until a level fails
//!        ┌─┐    ✗          ┌──┐        recovering at half of the last good level, until a window is good
//!      ✓ │ │   ┌─┐ ✓ hold  │  │        narrowing  between the last good and the first bad one, down to `precision`
//!     ┌──┘ │ ┌─┘ └─────────┘  │        holding    at the best good level for `hold`
//!   ✓ │    └─┘                │        checking   that the bad level is still bad
//! start
//! ```
//!
//! Measurements are noisy, so no single window decides: the first window of a level does not count, of the next ones the
//! first two that agree do. A level that was good and fails when it is held becomes the new bad one; a bad level that is
//! good when it is checked was bad luck, and the rise goes on from there. However it goes, it ends within
//! [`Goal::longest`].

use std::fmt;
use std::time::Duration;

/// A share of what was wanted below which a window is bad, whatever the objective says: a load that is not reached is not
/// carried.
const CARRIED: f64 = 0.95;
/// Windows that make a decision: the two that agree.
const AGREE: u32 = 2;
/// Windows at most of one level: one to settle, and three of which two agree.
const LEVEL: u64 = 4;
/// Windows at most of one recovery.
const RECOVERY: u32 = 6;
/// How often a level is held at most.
const HOLDS: u32 = 4;
/// How many of the holds are followed by a look at the bad level: noise could send it to and fro for ever.
const CHECKED: u32 = 2;

/// What is searched, and how carefully.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// The first load that is tried: users, or arrivals per second; more than 0.
    pub start: f64,
    /// The highest load that is tried; more than `start`.
    pub max: f64,
    /// What must hold, in the language of thresholds.
    pub objective: String,
    /// The factor from one level to the next while rising; more than 1.
    pub step: f64,
    /// How long a window is: so long a load is looked at before it is judged.
    pub every: Duration,
    /// How near the good and the bad level come, in relation to the good one; more than 0.
    pub precision: f64,
    /// How long the answer is held before it is given.
    pub hold: Duration,
}

impl Goal {
    /// With the usual care: steps of half, windows of 5 s, 5 %, held for 30 s.
    pub fn new(start: f64, max: f64, objective: String) -> Self {
        let seconds = Duration::from_secs;
        Self { start, max, objective, step: 1.5, every: seconds(5), precision: 0.05, hold: seconds(30) }
    }

    /// How many windows a search takes at most.
    pub fn windows(&self) -> u64 {
        // `as` saturates, so that absurd goals stay absurd.
        let rising = ((self.max / self.start).ln() / self.step.ln()).ceil().max(1.0) as u64;
        let narrowing = (self.step.ln() / self.precision.ln_1p()).log2().ceil().max(0.0) as u64 + 1;
        let recovery = u64::from(RECOVERY);
        // The rise, with a second try of the start; then each hold with the narrowing before and the check behind it.
        let once = narrowing.saturating_mul(LEVEL + recovery).saturating_add(self.held() + 2 * (LEVEL + recovery));
        let rise = rising.saturating_add(2).saturating_mul(LEVEL).saturating_add(2 * recovery);
        rise.saturating_add(once.saturating_mul(u64::from(HOLDS)))
    }

    /// How long a search takes at most; `None` if a `Duration` cannot say it.
    pub fn longest(&self) -> Option<Duration> {
        self.every.checked_mul(u32::try_from(self.windows()).ok()?)
    }

    /// Windows of one hold, the one to settle aside.
    fn held(&self) -> u64 {
        let windows = self.hold.as_nanos().div_ceil(self.every.as_nanos().max(1)).max(1);
        u64::try_from(windows).unwrap_or(u64::MAX / 1_000)
    }
}

/// What a window of the current load was like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Whether the objective was met; `None` when nothing was measured.
    pub met: Option<bool>,
    /// The load that was wanted: users, or arrivals per second.
    pub wanted: f64,
    /// The load that was there.
    pub achieved: f64,
}

impl Window {
    fn good(&self) -> bool {
        self.met == Some(true) && self.achieved >= CARRIED * self.wanted
    }
}

/// What the search is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Looking for a level that fails.
    Rising,
    /// Letting the system come back from one that did.
    Recovering,
    /// Between a good and a bad level.
    Narrowing,
    /// Staying at the best good level.
    Holding,
    /// Looking at the bad level again.
    Checking,
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Rising => "rising",
            Self::Recovering => "recovering",
            Self::Narrowing => "narrowing",
            Self::Holding => "holding",
            Self::Checking => "checking",
        })
    }
}

/// What the search wants after a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Run this load for the next window; it may be the same.
    Run(f64),
    /// It is over.
    Done(Answer),
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The capacity is between two levels.
    Found {
        /// The highest level at which the objective was met.
        capacity: f64,
        /// The lowest level at which it was not.
        fails_at: f64,
        /// How long the capacity was held, in one piece; zero if it never held.
        held: Duration,
        /// Windows in which the objective was met while it was held, and all of them.
        windows: (u64, u64),
        /// Whether it held as long as was wanted.
        confirmed: bool,
    },
    /// The objective was still met at the highest level that was tried.
    BoundNotFound {
        /// That level.
        highest: f64,
    },
    /// The objective was not met at the first level.
    NotEvenStart {
        /// That level.
        start: f64,
    },
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { capacity, fails_at, held, windows: (good, all), confirmed } => {
                let held = crate::units::duration::print(*held);
                write!(out, "capacity {}: ", short(*capacity))?;
                if *confirmed {
                    write!(out, "held for {held}, met in {good} of {all} windows; ")?;
                } else {
                    write!(out, "not confirmed, it did not hold for long enough; ")?;
                }
                write!(out, "{} was too much", short(*fails_at))
            }
            Self::BoundNotFound { highest } => {
                write!(out, "bound not found: the objective is still met at {}", short(*highest))
            }
            Self::NotEvenStart { start } => {
                write!(out, "no capacity found: the objective is not even met at {}, the start", short(*start))
            }
        }
    }
}

/// As many digits as people read.
fn short(value: f64) -> String {
    let rounded = if value >= 100.0 { value.round() } else { (value * 100.0).round() / 100.0 };
    rounded.to_string()
}

/// How it went to hold a level.
#[derive(Debug, Clone, Copy)]
struct Hold {
    level: f64,
    /// Good windows, and all.
    windows: (u64, u64),
    lasted: bool,
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    goal: Goal,
    /// Whether loads are whole numbers: users.
    whole: bool,
    phase: Phase,
    value: f64,
    /// Levels that were good, upwards.
    good: Vec<f64>,
    /// The lowest level that was bad since, and how often it was.
    bad: Option<(f64, u32)>,
    /// Good and bad windows at this value, after the one to settle.
    seen: (u64, u64),
    settled: bool,
    /// Windows left before it must end.
    left: u64,
    holds: u32,
    /// The last hold of those that lasted, else the last one.
    hold: Option<Hold>,
}

impl Search {
    /// At the start. `whole`: loads are whole numbers, as users are.
    pub fn new(goal: Goal, whole: bool) -> Self {
        let mut goal = goal;
        if whole {
            goal.start = goal.start.round().max(1.0);
            goal.max = goal.max.floor().max(goal.start);
        }
        let value = goal.start;
        let left = goal.windows();
        let (good, bad, seen, hold) = (Vec::new(), None, (0, 0), None);
        Self { goal, whole, phase: Phase::Rising, value, good, bad, seen, settled: false, left, holds: 0, hold }
    }

    /// The load to run now.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// What it is doing now.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The highest level that was good, and the lowest that was bad.
    pub fn bracket(&self) -> (Option<f64>, Option<f64>) {
        (self.good.last().copied(), self.bad.map(|(level, _)| level))
    }

    /// Takes in how the last window went.
    pub fn observe(&mut self, window: Window) -> Next {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return Next::Done(self.answer());
        }
        let is_good = window.good();
        if !self.settled && self.phase != Phase::Recovering {
            self.settled = true; // what was under way before the change is in this window too
            return Next::Run(self.value);
        }
        if is_good {
            self.seen.0 += 1;
        } else {
            self.seen.1 += 1;
        }
        let (good, bad) = self.seen;
        match self.phase {
            Phase::Recovering => {
                if is_good || bad >= u64::from(RECOVERY) {
                    return self.narrow();
                }
            }
            Phase::Holding => {
                let wanted = self.goal.held();
                // A third of the windows may be bad luck.
                let lasts = good + bad >= wanted;
                if lasts || bad > wanted / 3 {
                    let holds = bad <= wanted / 3;
                    if holds || self.hold.is_none_or(|hold| !hold.lasted) {
                        self.hold = Some(Hold { level: self.value, windows: (good, good + bad), lasted: holds });
                    }
                    return if holds { self.check() } else { self.failed() };
                }
            }
            Phase::Rising | Phase::Narrowing | Phase::Checking => {
                if good >= u64::from(AGREE) {
                    return self.passed();
                }
                if bad >= u64::from(AGREE) {
                    return self.failed();
                }
            }
        }
        Next::Run(self.value)
    }

    /// The level at hand is good.
    fn passed(&mut self) -> Next {
        let level = self.value;
        self.good.retain(|known| *known < level);
        self.good.push(level);
        match self.bad {
            // It was thought to be bad: the rise goes on from here.
            Some((bad, _)) if bad <= level => {
                self.bad = None;
                self.rise(level)
            }
            Some(_) => self.narrow(),
            None => self.rise(level),
        }
    }

    /// The level at hand is bad.
    fn failed(&mut self) -> Next {
        let level = self.value;
        let times = self.bad.filter(|(bad, _)| *bad == level).map_or(0, |(_, times)| times);
        self.bad = Some((level, times + 1));
        self.good.retain(|known| *known < level);
        if self.phase == Phase::Checking {
            return Next::Done(self.answer());
        }
        let rest = self.good.last().copied().unwrap_or(level) / 2.0;
        let rest = if self.whole { rest.floor().max(1.0) } else { rest };
        self.go(Phase::Recovering, rest)
    }

    fn rise(&mut self, from: f64) -> Next {
        if from >= self.goal.max {
            return Next::Done(Answer::BoundNotFound { highest: from });
        }
        let next = from * self.goal.step;
        let next = if self.whole { next.round().max(from + 1.0) } else { next };
        self.go(Phase::Rising, next.min(self.goal.max))
    }

    /// Between the best good level and the bad one; when they are near enough, holds the good one.
    fn narrow(&mut self) -> Next {
        let Some((bad, times)) = self.bad else { return self.go(Phase::Rising, self.value) };
        let Some(good) = self.good.last().copied() else {
            // Nothing was good yet. One more try: the first traffic finds everything cold.
            if times > 1 {
                return Next::Done(self.answer());
            }
            return self.go(Phase::Rising, bad);
        };
        let near = (self.whole && bad - good <= 1.0) || bad <= good * (1.0 + self.goal.precision);
        if !near {
            let middle = (good * bad).sqrt();
            let middle = if self.whole { middle.round().clamp(good + 1.0, bad - 1.0) } else { middle };
            return self.go(Phase::Narrowing, middle);
        }
        // Held already, and the bad level was checked since: that is the answer.
        let held = self.hold.is_some_and(|hold| hold.lasted && hold.level == good);
        if held || self.holds >= HOLDS {
            return Next::Done(self.answer());
        }
        self.holds += 1;
        self.go(Phase::Holding, good)
    }

    /// The good level held. Was the bad one really bad?
    fn check(&mut self) -> Next {
        match self.bad {
            Some((bad, 1)) if self.holds <= CHECKED => self.go(Phase::Checking, bad),
            _ => Next::Done(self.answer()),
        }
    }

    fn go(&mut self, phase: Phase, value: f64) -> Next {
        (self.phase, self.value, self.seen, self.settled) = (phase, value, (0, 0), false);
        Next::Run(value)
    }

    /// The most that can be said now.
    pub fn answer(&self) -> Answer {
        let Some(highest) = self.good.last().copied() else {
            return Answer::NotEvenStart { start: self.goal.start };
        };
        let Some((fails_at, _)) = self.bad else { return Answer::BoundNotFound { highest } };
        // What was held says more than what passed for two windows, as long as nothing below it has failed since.
        match self.hold.filter(|hold| hold.lasted && hold.level <= highest) {
            Some(Hold { level: capacity, windows, .. }) => {
                let held = self.goal.every.saturating_mul(u32::try_from(windows.1).unwrap_or(u32::MAX));
                Answer::Found { capacity, fails_at, held, windows, confirmed: true }
            }
            None => {
                let hold = self.hold.filter(|hold| hold.level == highest);
                let windows = hold.map_or((0, 0), |hold| hold.windows);
                Answer::Found { capacity: highest, fails_at, held: Duration::ZERO, windows, confirmed: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A system under test: whether a window at this load meets the objective.
    type System<'a> = &'a mut dyn FnMut(f64) -> bool;

    fn goal(start: f64, max: f64) -> Goal {
        Goal::new(start, max, "p(95) < 300ms".to_owned())
    }

    /// Searches to the end; every load that was run, and the answer.
    fn searched(goal: &Goal, whole: bool, system: System<'_>) -> (Vec<(Phase, f64)>, Answer) {
        let mut search = Search::new(goal.clone(), whole);
        let mut run = Vec::new();
        loop {
            let load = search.value();
            assert!(load > 0.0 && load <= goal.max, "{load}");
            assert!(!whole || load.fract() == 0.0, "{load} users");
            run.push((search.phase(), load));
            let window = Window { met: Some(system(load)), wanted: load, achieved: load };
            match search.observe(window) {
                Next::Run(value) => assert_eq!(value, search.value()),
                Next::Done(answer) => {
                    assert!(run.len() as u64 <= goal.windows(), "{} windows", run.len());
                    return (run, answer);
                }
            }
        }
    }

    fn levels(run: &[(Phase, f64)]) -> Vec<String> {
        let mut levels: Vec<String> = run.iter().map(|(phase, load)| format!("{phase} {}", short(*load))).collect();
        levels.dedup();
        levels
    }

    #[test]
    fn it_rises_narrows_holds_and_checks() {
        let (run, answer) = searched(&goal(10.0, 1_000.0), true, &mut |users| users <= 60.0);
        insta::assert_snapshot!(levels(&run).join("\n"), @r"
        rising 10
        rising 15
        rising 23
        rising 35
        rising 53
        rising 80
        recovering 26
        narrowing 65
        recovering 26
        narrowing 59
        narrowing 62
        recovering 29
        narrowing 60
        holding 60
        checking 62
        ");
        insta::assert_snapshot!(answer, @"capacity 60: held for 30s, met in 6 of 6 windows; 62 was too much");
    }

    #[test]
    fn it_says_when_there_is_no_bound_and_when_there_is_no_capacity() {
        let (_, answer) = searched(&goal(10.0, 100.0), false, &mut |_| true);
        assert_eq!(answer, Answer::BoundNotFound { highest: 100.0 });
        insta::assert_snapshot!(answer, @"bound not found: the objective is still met at 100");
        let (run, answer) = searched(&goal(10.0, 100.0), false, &mut |_| false);
        assert_eq!(answer, Answer::NotEvenStart { start: 10.0 });
        insta::assert_snapshot!(answer, @"no capacity found: the objective is not even met at 10, the start");
        insta::assert_snapshot!(levels(&run).join("\n"), @r"
        rising 10
        recovering 5
        rising 10
        recovering 5
        ");
    }

    #[test]
    fn a_load_that_is_not_reached_is_not_carried_and_silence_is_not_good() {
        let mut search = Search::new(goal(10.0, 100.0), false);
        let short_of = |met| Window { met, wanted: 10.0, achieved: if met.is_some() { 9.0 } else { 10.0 } };
        for met in [Some(true), Some(true), None] {
            assert_eq!(search.observe(short_of(met)), Next::Run(if met.is_some() { 10.0 } else { 5.0 }));
        }
        assert_eq!(search.phase(), Phase::Recovering);
    }

    #[test]
    fn a_cold_start_gets_a_second_try() {
        let mut windows = 0;
        let (_, answer) = searched(&goal(10.0, 100.0), false, &mut |load| {
            windows += 1;
            windows > 3 && load < 40.0
        });
        assert!(matches!(answer, Answer::Found { capacity, confirmed: true, .. } if capacity > 38.0), "{answer}");
    }

    /// A queue's answer time at this load, with noise: what the objective is about.
    fn queue(capacity: f64, seed: u64, noise: f64) -> impl FnMut(f64) -> f64 {
        let mut state = seed;
        move |load| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = ((state >> 33) as f64 / (1_u64 << 31) as f64 - 0.5) * 2.0;
            let busy = (load / capacity).min(0.9999);
            10.0 / (1.0 - busy) * (1.0 + noise * random)
        }
    }

    #[test]
    fn a_soft_and_noisy_knee_is_found_nearly() {
        // 10 ms / (1 - load / 1000) is 100 ms at 900; with 10 % of noise on it, somewhere from 890 to 908.
        for seed in 0..200 {
            let mut answer_time = queue(1_000.0, seed, 0.1);
            let (_, answer) = searched(&goal(20.0, 10_000.0), false, &mut |load| answer_time(load) < 100.0);
            let Answer::Found { capacity, fails_at, confirmed: true, .. } = answer else { panic!("{seed}: {answer}") };
            assert!((840.0..=910.0).contains(&capacity) && fails_at <= 960.0, "{seed}: {answer}");
        }
    }

    #[test]
    fn windows_that_lie_now_and_then_do_not_mislead() {
        let mut misled = 0;
        for seed in 0..300 {
            let mut lie = queue(1.0, seed, 1.0); // at no load 10 times 0 to 2
            let (_, answer) = searched(&goal(20.0, 10_000.0), false, &mut |load| (load <= 700.0) != (lie(0.0) > 19.0));
            let near = matches!(answer, Answer::Found { capacity, .. } if (620.0..=740.0).contains(&capacity));
            misled += u32::from(!near);
        }
        assert!(misled <= 6, "{misled} of 300 with one lie in twenty");
    }

    proptest! {
        #[test]
        fn a_sharp_knee_is_found_within_the_precision(
            start in 1.0f64..100.0, range in 2.0f64..1_000.0, place in 0.0f64..1.0, precision in 0.01f64..0.3, step in 1.1f64..4.0, whole in any::<bool>(),
        ) {
            let start = if whole { start.round() } else { start };
            let mut goal = goal(start, start * range);
            (goal.precision, goal.step) = (precision, step);
            let knee = start * range.powf(place);
            let (_, answer) = searched(&goal, whole, &mut |load| load <= knee);
            match answer {
                Answer::Found { capacity, fails_at, confirmed, windows: (good, all), .. } => {
                    prop_assert!(confirmed && good == all && all > 0);
                    prop_assert!(capacity <= knee && knee < fails_at);
                    prop_assert!(fails_at <= capacity * (1.0 + precision) || whole && fails_at == capacity + 1.0);
                }
                Answer::BoundNotFound { highest } => prop_assert!(knee >= highest && (highest == goal.max || whole && highest == goal.max.floor())),
                Answer::NotEvenStart { .. } => prop_assert!(knee < start),
            }
        }

        #[test]
        fn it_ends_whatever_it_sees(
            start in 0.01f64..100.0, range in 1.01f64..1e6, precision in 0.001f64..2.0, step in 1.001f64..10.0, whole in any::<bool>(),
            seen in proptest::collection::vec(any::<bool>(), 1..40),
        ) {
            let start = if whole { start.ceil() } else { start };
            let mut goal = goal(start, start * range);
            (goal.precision, goal.step) = (precision, step);
            let mut turn = 0;
            let (_, answer) = searched(&goal, whole, &mut |_| { turn += 1; seen[turn % seen.len()] });
            if let Answer::Found { capacity, fails_at, .. } = answer {
                prop_assert!(capacity < fails_at);
            }
        }
    }
}
