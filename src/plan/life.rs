//! How a user of a scenario lives, beyond its functions' names: which of several it runs, how it waits between iterations.
//!
//! Made by `script::scenarios`, obeyed by `engine::life` and `engine::interlude`, printed by `punk check`.

use super::Backoff;
use crate::units::duration;
use std::fmt;
use std::time::Duration;

/// The part of a scenario that is about each of its users.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Life {
    /// `run: [[3, browse], [1, checkout]]`: one is chosen for each iteration. Empty when `run` is one function.
    pub mix: Vec<Weighted>,
    /// How far apart iterations start, at least.
    pub pacing: Option<Pacing>,
    /// The wait after an iteration that failed.
    pub backoff: Backoff,
}

/// One of the functions that `run` chooses from.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// Its share, relative to the others: finite, from 0 on, not all of them 0.
    pub weight: f64,
    /// For people: its name.
    pub run: String,
}

/// How far apart a user's iterations start, at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pacing {
    /// So much run time.
    Every(Duration),
    /// What a function of the script returns after each iteration; for people, its name.
    Script(String),
}

impl Life {
    /// Which function of the mix an iteration runs: `bits` are 64 random ones. 0 when there is only one.
    pub fn pick(&self, bits: impl FnOnce() -> u64) -> usize {
        let Some(last) = self.mix.len().checked_sub(1) else { return 0 };
        let unit = (bits() >> 11) as f64 / (1_u64 << 53) as f64;
        // Shares first, so that no sum of large weights overflows.
        let most = self.mix.iter().map(|one| one.weight).fold(0.0, f64::max);
        let sum: f64 = self.mix.iter().map(|one| one.weight / most).sum();
        let mut left = unit * sum;
        for (at, one) in self.mix.iter().enumerate() {
            left -= one.weight / most;
            if left < 0.0 {
                return at;
            }
        }
        // Rounding may leave a hair: it belongs to the last one that can be chosen at all.
        self.mix.iter().rposition(|one| one.weight > 0.0).unwrap_or(last)
    }
}

impl fmt::Display for Weighted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} × {}", self.weight, self.run)
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pacing::Every(time) => out.write_str(&duration::print(*time)),
            Pacing::Script(name) => out.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn life(weights: &[f64]) -> Life {
        let mix = weights.iter().enumerate().map(|(at, &weight)| Weighted { weight, run: format!("f{at}") });
        Life { mix: mix.collect(), ..Life::default() }
    }

    #[test]
    fn one_function_needs_no_randomness() {
        assert_eq!(Life::default().pick(|| panic!("nothing is drawn")), 0);
    }

    #[test]
    fn shares_are_exact() {
        let life = life(&[3.0, 0.0, 1.0]);
        let parts = 4_000_u64;
        let mut counts = [0; 3];
        for part in 0..parts {
            counts[life.pick(|| u64::MAX / parts * part + u64::MAX / parts / 2)] += 1;
        }
        assert_eq!(counts, [3_000, 0, 1_000]);
    }

    proptest! {
        #[test]
        fn what_has_no_weight_is_never_chosen(weights in prop::collection::vec(prop_oneof![Just(0.0), 0.0..f64::MAX], 1..8), bits: u64) {
            prop_assume!(weights.iter().any(|&weight| weight > 0.0));
            let chosen = life(&weights).pick(|| bits);
            prop_assert!(weights[chosen] > 0.0);
        }
    }
}
