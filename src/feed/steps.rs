//! `feed::range(from, to, step)`: whole numbers at equal distances, computed and never stored.

/// From a number up (or down) to another one that is not reached, as Rhai's own `range`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    from: i64,
    step: i64,
    count: u64,
}

impl Steps {
    /// The numbers `from`, `from + step`, … before `to`; `None` when `step` is zero.
    pub fn new(from: i64, to: i64, step: i64) -> Option<Steps> {
        if step == 0 {
            return None;
        }
        let way = (i128::from(to) - i128::from(from)) * i128::from(step.signum());
        let count = if way <= 0 { 0 } else { (way + i128::from(step).abs() - 1) / i128::from(step).abs() };
        Some(Steps { from, step, count: count as u64 }) // a way is below 2^64
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One of them; `None` when there are not so many.
    pub fn get(&self, at: u64) -> Option<i64> {
        let value = i128::from(self.from) + i128::from(self.step) * i128::from(at);
        (at < self.count).then_some(value as i64) // it lies between two i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(from: i64, to: i64, step: i64) -> Vec<i64> {
        let steps = Steps::new(from, to, step).unwrap();
        (0..steps.len()).map(|at| steps.get(at).unwrap()).collect()
    }

    #[test]
    fn the_end_is_not_reached() {
        assert_eq!(all(1, 4, 1), [1, 2, 3]);
        assert_eq!(all(0, 10, 4), [0, 4, 8]);
        assert_eq!(all(3, 0, -1), [3, 2, 1]);
        assert_eq!(all(3, 3, 1), [0_i64; 0]);
        assert_eq!(all(3, 0, 1), [0_i64; 0]);
        assert_eq!(Steps::new(1, 2, 0), None);
    }

    #[test]
    fn the_largest_range_does_not_overflow() {
        let steps = Steps::new(i64::MIN, i64::MAX, 1).unwrap();
        assert_eq!(
            (steps.len(), steps.get(0), steps.get(u64::MAX - 1)),
            (u64::MAX, Some(i64::MIN), Some(i64::MAX - 1))
        );
        assert_eq!(steps.get(u64::MAX), None);
        assert_eq!(Steps::new(i64::MAX, i64::MIN, i64::MIN).unwrap().len(), 2);
    }
}
