//! Who a virtual user is: its number, its scenario, its iteration, its own source of randomness.
//!
//! Carried by the user's fiber inside the script layer's user. Everything random in it follows from (seed, scenario,
//! user, iteration), so the same seed gives the same values whatever the number of shards.

use std::cell::Cell;
use std::rc::Rc;

/// The odd number nearest to 2⁶⁴ divided by the golden ratio: SplitMix64's step.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Keeps the randomness of arrivals apart from that of users.
const ARRIVALS: u64 = 0x6172_7269_7661_6c73;

/// Identity and randomness of one user.
#[derive(Debug)]
pub struct VirtualUser {
    /// 1, 2, 3 … over the whole run; 0 for the extra user of `setup` and `teardown`.
    pub id: u64,
    /// The scenario's name; `setup` or `teardown` for the extra user.
    pub scenario: Rc<str>,
    /// 0, 1, 2 … within the scenario.
    pub index: u64,
    iteration: Cell<u64>,
    arrival: Cell<Option<u64>>,
    /// Of this scenario, whoever runs it.
    shared_seed: u64,
    /// Of this user.
    seed: u64,
    state: Cell<u64>,
}

impl VirtualUser {
    /// A user before its first iteration.
    pub fn new(id: u64, scenario: Rc<str>, index: u64, seed: u64) -> Self {
        let shared_seed = named_seed(seed, &scenario);
        let seed = mix(shared_seed.wrapping_add(index));
        let (iteration, arrival) = (Cell::new(0), Cell::new(None));
        VirtualUser { id, scenario, index, iteration, arrival, shared_seed, seed, state: Cell::new(seed) }
    }

    /// The number of the iteration that runs: 0 for the first, as in k6.
    pub fn iteration(&self) -> u64 {
        self.iteration.get()
    }

    /// The number of the arrival that it serves, 0 for the scenario's first; `None` in the closed model.
    pub fn arrival(&self) -> Option<u64> {
        self.arrival.get()
    }

    /// Enters an iteration and restarts the randomness for it.
    pub fn enter(&self, iteration: u64) {
        self.iteration.set(iteration);
        self.arrival.set(None);
        self.state.set(mix(self.seed.wrapping_add(iteration.wrapping_add(1).wrapping_mul(GOLDEN))));
    }

    /// Open model, after [`enter`](Self::enter): the iteration serves this arrival of the scenario. Its randomness follows
    /// from the arrival's number instead, since which user serves it depends on how long others took.
    pub fn enter_arrival(&self, number: u64) {
        self.arrival.set(Some(number));
        // Apart from every user's: the scenario's own seed, turned once more.
        let seed = mix(self.shared_seed ^ ARRIVALS);
        self.state.set(mix(seed.wrapping_add(number.wrapping_add(1).wrapping_mul(GOLDEN))));
    }

    /// The next 64 random bits (SplitMix64; Steele, Lea and Flood 2014). Not for secrets.
    pub fn random(&self) -> u64 {
        let next = self.state.get().wrapping_add(GOLDEN);
        self.state.set(next);
        mix(next)
    }
}

/// What the randomness of one scenario follows from: the run's seed and its name.
pub fn named_seed(seed: u64, scenario: &str) -> u64 {
    let name = scenario.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3) // FNV-1a
    });
    mix(seed ^ name)
}

/// SplitMix64's finalizer: a bijection that spreads every bit.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(scenario: &str, index: u64) -> VirtualUser {
        VirtualUser::new(index + 1, scenario.into(), index, 42)
    }

    #[test]
    fn randomness_follows_from_seed_scenario_user_and_iteration() {
        let draw = |scenario: &str, index, iteration| {
            let user = user(scenario, index);
            user.enter(iteration);
            (user.random(), user.random())
        };
        assert_eq!(draw("a", 3, 7), draw("a", 3, 7));
        let different = [draw("a", 3, 7), draw("b", 3, 7), draw("a", 4, 7), draw("a", 3, 8)];
        for (at, one) in different.iter().enumerate() {
            assert!(different[at + 1..].iter().all(|other| other.0 != one.0 && other.1 != one.1));
        }
    }

    #[test]
    fn values_do_not_depend_on_what_ran_before() {
        let (fresh, used) = (user("a", 0), user("a", 0));
        used.enter(0);
        for _ in 0..100 {
            used.random();
        }
        used.enter(5);
        fresh.enter(5);
        assert_eq!(fresh.random(), used.random());
    }

    #[test]
    fn an_arrival_is_the_same_whoever_serves_it() {
        let draw = |scenario: &str, index, iteration, arrival| {
            let user = user(scenario, index);
            user.enter(iteration);
            user.enter_arrival(arrival);
            assert_eq!((user.arrival(), user.iteration()), (Some(arrival), iteration));
            user.random()
        };
        assert_eq!(draw("a", 3, 7, 100), draw("a", 0, 0, 100));
        assert!(draw("a", 0, 0, 100) != draw("a", 0, 0, 101) && draw("a", 0, 0, 100) != draw("b", 0, 0, 100));
        let closed = user("a", 0);
        closed.enter_arrival(5);
        closed.enter(0);
        assert_eq!(closed.arrival(), None);
        assert_ne!(closed.random(), draw("a", 0, 0, 0), "arrival 0 is not iteration 0 of user 0");
    }
}
