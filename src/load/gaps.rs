//! The gaps of a Poisson process: exponential, of mean 1, the same from the same seed.
//!
//! Every stripe of a randomized rate draws all of them and uses its own. It knows neither rates nor time.

/// The sum of the gaps that were drawn so far.
#[derive(Debug, Clone)]
pub(super) struct Gaps {
    state: u64,
    drawn: u64,
    sum: f64,
}

impl Gaps {
    /// Before the first gap.
    pub fn new(seed: u64) -> Self {
        Self { state: seed, drawn: 0, sum: 0.0 }
    }

    /// How many were drawn.
    pub fn drawn(&self) -> u64 {
        self.drawn
    }

    /// Their sum.
    pub fn total(&self) -> f64 {
        self.sum
    }

    /// The sum of the first `count` gaps; at least those that were drawn.
    pub fn sum(&mut self, count: u64) -> f64 {
        while self.drawn < count {
            self.drawn += 1;
            self.sum += self.gap();
        }
        self.sum
    }

    /// An exponential number of mean 1 by inversion, from splitmix64 (Steele, Lea, Flood 2014).
    fn gap(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // 53 bits in (0, 1]: never 0, whose logarithm is infinite.
        let uniform = ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -uniform.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_exponential_and_follow_from_the_seed() {
        const COUNT: u64 = 100_000;
        let mut gaps = Gaps::new(7);
        let (mut squares, mut long) = (0.0, 0_u32);
        for count in 1..=COUNT {
            let gap = -(gaps.total() - gaps.sum(count));
            assert!(gap >= 0.0);
            squares += gap * gap;
            long += u32::from(gap > 1.0);
        }
        let mean = gaps.total() / COUNT as f64;
        assert!((mean - 1.0).abs() < 0.015, "{mean}");
        assert!((squares / COUNT as f64 - 2.0).abs() < 0.1, "{squares}");
        let share = f64::from(long) / COUNT as f64;
        assert!((share - (-1.0_f64).exp()).abs() < 0.007, "{share} are longer than the mean");
        assert_eq!(Gaps::new(7).sum(COUNT), gaps.total());
        assert_ne!(Gaps::new(8).sum(COUNT), gaps.total());
    }
}
