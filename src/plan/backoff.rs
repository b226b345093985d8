//! How long a user waits after an iteration that failed: the strategies as data, and their one formula.
//!
//! Made by `script::backoff`, asked by `engine::interlude`, printed by `punk check`. It neither waits nor draws: time and
//! randomness come from whoever asks.

use crate::units::duration;
use std::fmt;
use std::time::Duration;

/// A strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// How the wait grows with consecutive errors.
    pub growth: Growth,
    /// Full jitter: the wait is drawn evenly between nothing and what `growth` says, so that users that failed together
    /// do not come back together (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    pub jitter: bool,
}

/// How the wait grows with the number of consecutive errors n = 1, 2, 3 …
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Growth {
    /// No wait at all.
    None,
    /// Always the same.
    Constant(Duration),
    /// n × `first`, at most `most`.
    Linear {
        /// The wait after the first error.
        first: Duration,
        /// The longest wait.
        most: Duration,
    },
    /// 2ⁿ⁻¹ × `first`, at most `most`.
    Exponential {
        /// The wait after the first error.
        first: Duration,
        /// The longest wait.
        most: Duration,
    },
    /// What a function of the script returns when it is called with n; for people, its name.
    Script(String),
}

impl Default for Backoff {
    /// Exponential from 100 ms to 10 s, without jitter.
    fn default() -> Self {
        let growth = Growth::Exponential { first: Duration::from_millis(100), most: Duration::from_secs(10) };
        Backoff { growth, jitter: false }
    }
}

impl Backoff {
    /// The wait after so many consecutive errors; `unit` draws from 0 ≤ x < 1 and is only asked with jitter. A script's own
    /// strategy is not known here: in its place stands the default, for when it fails itself.
    pub fn wait(&self, errors: u32, unit: impl FnOnce() -> f64) -> Duration {
        let errors = errors.max(1);
        let full = match &self.growth {
            Growth::None => Duration::ZERO,
            Growth::Constant(wait) => *wait,
            Growth::Linear { first, most } => first.checked_mul(errors).map_or(*most, |wait| wait.min(*most)),
            Growth::Exponential { first, most } => {
                let factor = 1_u32.checked_shl(errors - 1);
                factor.and_then(|factor| first.checked_mul(factor)).map_or(*most, |wait| wait.min(*most))
            }
            Growth::Script(_) => return Backoff::default().wait(errors, unit),
        };
        if self.jitter { full.mul_f64(unit()) } else { full }
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: &Duration| duration::print(*time);
        match &self.growth {
            Growth::None => out.write_str("none()")?,
            Growth::Constant(wait) => write!(out, "constant({})", time(wait))?,
            Growth::Linear { first, most } => write!(out, "linear({}, {})", time(first), time(most))?,
            Growth::Exponential { first, most } => write!(out, "exponential({}, {})", time(first), time(most))?,
            Growth::Script(name) => out.write_str(name)?,
        }
        if self.jitter { out.write_str(".jitter()") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn waits(growth: Growth) -> Vec<u128> {
        let backoff = Backoff { growth, jitter: false };
        (1..=9).map(|errors| backoff.wait(errors, || panic!("there is no jitter")).as_millis()).collect()
    }

    #[test]
    fn each_grows_as_its_name_says() {
        assert_eq!(waits(Growth::None), [0; 9]);
        assert_eq!(waits(Growth::Constant(MS(70))), [70; 9]);
        let linear = Growth::Linear { first: MS(100), most: MS(450) };
        assert_eq!(waits(linear), [100, 200, 300, 400, 450, 450, 450, 450, 450]);
        assert_eq!(waits(Backoff::default().growth), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    }

    #[test]
    fn what_it_prints_is_what_a_script_writes() {
        let backoff = Backoff { jitter: true, ..Backoff::default() };
        assert_eq!(backoff.to_string(), "exponential(100ms, 10s).jitter()");
        let linear = Growth::Linear { first: MS(100), most: MS(450) };
        assert_eq!(Backoff { growth: linear, jitter: false }.to_string(), "linear(100ms, 450ms)");
        assert_eq!(Backoff { growth: Growth::None, jitter: false }.to_string(), "none()");
    }

    proptest! {
        #[test]
        fn it_never_overflows_never_shrinks_and_keeps_its_bounds(
            first in 0_u64..u64::MAX, more in 0_u64..u64::MAX, errors in 0_u32.., unit in 0.0..1.0_f64
        ) {
            let (first, most) = (Duration::from_nanos(first), Duration::from_nanos(first.saturating_add(more)));
            for growth in [Growth::Linear { first, most }, Growth::Exponential { first, most }] {
                let plain = Backoff { growth: growth.clone(), jitter: false };
                let wait = plain.wait(errors, || 0.0);
                prop_assert!(first <= wait && wait <= most);
                prop_assert!(wait <= plain.wait(errors.saturating_add(1), || 0.0));
                let jittered = Backoff { growth, jitter: true }.wait(errors, || unit);
                prop_assert!(jittered <= wait);
            }
        }
    }
}
