//! The slope of a series by Theil and Sen, whether it is one, and how far values lie from it.
//!
//! Pure arithmetic, called by `report`, `forecast`, `scores` and `capacity`; it knows nothing of metrics. All functions leave
//! out what is not finite and never give a NaN.
//!
//! - Theil (1950), Sen (1968), *Estimates of the regression coefficient based on Kendall's tau*, J. Am. Stat. Assoc. 63: the
//!   median of the slopes of all pairs; its interval from the ranks of those slopes.
//! - Mann (1945), Kendall (1975): S, the sum of the signs of all pairs, with the variance corrected for ties.
//! - Hamed & Rao (1998), *A modified Mann-Kendall trend test for autocorrelated data*, J. Hydrology 204: values of a loaded
//!   system follow each other, so the variance grows with the significant autocorrelation of the ranks about the line.

/// Fewest points that a slope is told of.
pub const MINIMUM: usize = 12;
/// Most points: all pairs are looked at.
pub const MOST: usize = 240;
/// Two-sided 95 % of the normal distribution.
const Z95: f64 = 1.959_964;

/// A line through points, robust against outliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Median of the slopes of all pairs, per unit of the first coordinate.
    pub slope: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Value of the line at `middle`.
    pub level: f64,
    /// Median of the first coordinates: what the line turns about.
    pub middle: f64,
    /// Mann-Kendall: how probable such an order is without any trend, two-sided, 0 to 1.
    pub p: f64,
    /// How many points.
    pub points: usize,
}

impl Slope {
    /// Value of the line.
    pub fn at(&self, x: f64) -> f64 {
        self.level + self.slope * (x - self.middle)
    }

    /// Whether there is a trend: p below 1 % and an interval without zero.
    pub fn is_significant(&self) -> bool {
        self.p < 0.01 && (self.low > 0.0 || self.high < 0.0)
    }
}

/// How far values lie from each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Weighted mean.
    pub mean: f64,
    /// Standard deviation about it.
    pub deviation: f64,
}

impl Spread {
    /// Of values with their weights; `None` of none.
    pub fn of(values: &[(f64, f64)]) -> Option<Spread> {
        let all = || values.iter().filter(|(value, weight)| value.is_finite() && *weight > 0.0);
        let weight: f64 = all().map(|(_, weight)| weight).sum();
        if weight <= 0.0 {
            return None;
        }
        let mean = all().map(|(value, weight)| value * weight).sum::<f64>() / weight;
        let variance = all().map(|(value, weight)| (value - mean).powi(2) * weight).sum::<f64>() / weight;
        Some(Spread { mean, deviation: variance.max(0.0).sqrt() })
    }
}

/// The value below which a share of all lies, between two of them in proportion; `None` of none.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(low + (high - low) * at.fract())
}

/// The middle value; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The line through points by Theil and Sen, in any order; `None` of fewer than twelve, or when all are at one place. Of more than
/// 240 every so many are taken.
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Slope> {
    let mut points: Vec<(f64, f64)> = points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let every = points.len().div_ceil(MOST).max(1);
    let points: Vec<(f64, f64)> = points.into_iter().step_by(every).collect();
    if points.len() < MINIMUM {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
    let mut order = 0_i64;
    for (at, (x, y)) in points.iter().enumerate() {
        for (later_x, later_y) in &points[at + 1..] {
            if later_x > x {
                slopes.push((later_y - y) / (later_x - x));
                order += match later_y.total_cmp(y) {
                    _ if later_y == y => 0,
                    std::cmp::Ordering::Greater => 1,
                    _ => -1,
                };
            }
        }
    }
    slopes.retain(|slope| slope.is_finite());
    slopes.sort_by(f64::total_cmp);
    let slope = median(&slopes)?;
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let middle = median(&xs)?;
    let rest: Vec<f64> = points.iter().map(|(x, y)| y - slope * (x - middle)).collect();
    let level = median(&rest)?;
    let deviation = (variance(&ys) * autocorrelated(&rest)).max(0.0).sqrt();
    let score = if deviation > 0.0 { (order.unsigned_abs().saturating_sub(1)) as f64 / deviation } else { 0.0 };
    let reach = Z95 * deviation;
    let rank = |rank: f64| slopes[(rank.max(0.0) as usize).min(slopes.len() - 1)];
    let count = slopes.len() as f64;
    Some(Slope {
        slope,
        low: rank(((count - reach) / 2.0).floor() - 1.0),
        high: rank(((count + reach) / 2.0).ceil()),
        level,
        middle,
        p: if score > 0.0 { (2.0 * upper_tail(score)).min(1.0) } else { 1.0 },
        points: points.len(),
    })
}

/// The variance of S without a trend, corrected for ties.
fn variance(values: &[f64]) -> f64 {
    let part = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|same| part(same.len() as f64)).sum();
    (part(values.len() as f64) - ties) / 18.0
}

/// By how much autocorrelation makes that variance larger: from the ranks of what the line leaves, significant lags only; 1 at least.
fn autocorrelated(rest: &[f64]) -> f64 {
    let n = rest.len() as f64;
    let ranks = ranks(rest);
    let mean = (n + 1.0) / 2.0;
    let all: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if all <= 0.0 {
        return 1.0;
    }
    let mut sum = 0.0;
    for lag in 1..rest.len().saturating_sub(2) {
        let pairs = ranks.iter().zip(&ranks[lag..]);
        let r = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / all;
        if r.abs() > Z95 / n.sqrt() {
            let k = lag as f64;
            sum += (n - k) * (n - k - 1.0) * (n - k - 2.0) * r;
        }
    }
    (1.0 + 2.0 * sum / (n * (n - 1.0) * (n - 2.0))).max(1.0)
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (same.len() as f64 + 1.0) / 2.0;
        same.iter().for_each(|at| ranks[*at] = rank);
        first += same.len();
    }
    ranks
}

/// How much of the normal distribution lies above `z`, for z ≥ 0: Abramowitz & Stegun 26.2.17, within 7.5e-8.
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let sum =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, by all pairs in any order, without the short cuts.
    fn brute(points: &[(f64, f64)]) -> f64 {
        let mut slopes = Vec::new();
        for (i, a) in points.iter().enumerate() {
            for (j, b) in points.iter().enumerate() {
                if i != j && a.0 != b.0 {
                    slopes.push((b.1 - a.1) / (b.0 - a.0));
                }
            }
        }
        // Each pair is there twice, which moves no median.
        slopes.sort_by(f64::total_cmp);
        (slopes[(slopes.len() - 1) / 2] + slopes[slopes.len() / 2]) / 2.0
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6)
    }

    fn noisy() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0.0f64..1e4, -1e4f64..1e4), 12..80)
    }

    proptest! {
        #[test]
        fn it_is_the_median_of_all_pairs(points in noisy()) {
            prop_assert!(near(theil_sen(&points).unwrap().slope, brute(&points)));
        }

        #[test]
        fn order_does_not_matter(points in noisy(), seed in any::<prop::sample::Index>()) {
            let mut turned = points.clone();
            turned.rotate_left(seed.index(points.len()));
            turned.reverse();
            prop_assert_eq!(theil_sen(&points), theil_sen(&turned));
        }

        #[test]
        fn scale_scales_and_lines_add(points in noisy(), power in -7i32..8, tilt in -5.0f64..5.0) {
            // By powers of two, so that rounding breaks no tie.
            let by = 2f64.powi(power);
            let one = theil_sen(&points).unwrap();
            let other: Vec<_> = points.iter().map(|(x, y)| (*x, y * by)).collect();
            let other = theil_sen(&other).unwrap();
            prop_assert!(near(one.slope * by, other.slope) && near(one.low * by, other.low) && near(one.p, other.p));
            let tilted: Vec<_> = points.iter().map(|(x, y)| (*x, y + tilt * x)).collect();
            let tilted = theil_sen(&tilted).unwrap();
            prop_assert!((one.slope + tilt - tilted.slope).abs() < 1e-6 * (one.slope.abs() + tilt.abs()).max(1.0));
        }

        #[test]
        fn nothing_makes_it_panic_or_tell_a_nan(points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..40)) {
            if let Some(line) = theil_sen(&points) {
                prop_assert!(!line.slope.is_nan() && !line.p.is_nan() && !line.low.is_nan() && !line.high.is_nan());
            }
        }

        #[test]
        fn the_interval_holds_the_slope(points in noisy()) {
            let line = theil_sen(&points).unwrap();
            prop_assert!(line.low <= line.slope && line.slope <= line.high && (0.0..=1.0).contains(&line.p));
        }
    }

    /// Noise that needs no crate: splitmix64, twelve uniform draws less six are nearly normal.
    fn normal(state: &mut u64) -> f64 {
        let mut draw = || {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut x = *state;
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| draw()).sum::<f64>() - 6.0
    }

    #[test]
    fn the_interval_holds_the_truth_about_as_often_as_it_says() {
        let mut state = 1;
        let held = (0..400).filter(|_| {
            let points: Vec<_> =
                (0..60).map(|x| (f64::from(x), 0.5 * f64::from(x) + 8.0 * normal(&mut state))).collect();
            let line = theil_sen(&points).unwrap();
            line.low <= 0.5 && 0.5 <= line.high
        });
        let held = held.count();
        assert!((364..=398).contains(&held), "{held} of 400, 380 were promised");
    }

    /// One in a hundred is promised of independent values. Where each follows the one before, the correction holds it below one in
    /// ten, which is why a trend must also be large enough to matter.
    #[test]
    fn noise_is_seldom_a_trend_even_when_it_follows_itself() {
        let mut state = 2;
        for (keeps, allowed) in [(0.0, 12), (0.6, 40)] {
            let found = (0..400).filter(|_| {
                let mut value = 0.0;
                let points: Vec<_> = (0..60)
                    .map(|x| {
                        value = keeps * value + normal(&mut state);
                        (f64::from(x), 100.0 + value)
                    })
                    .collect();
                theil_sen(&points).unwrap().is_significant()
            });
            let found = found.count();
            assert!(found <= allowed, "{found} of 400 with {keeps}");
        }
    }

    #[test]
    fn an_outlier_moves_nothing() {
        let mut points: Vec<_> = (0..30).map(|x| (f64::from(x), 3.0 * f64::from(x))).collect();
        points[29].1 = 1e9;
        let line = theil_sen(&points).unwrap();
        assert!(near(line.slope, 3.0) && line.is_significant(), "{line:?}");
    }

    #[test]
    fn all_equal_is_no_trend_and_too_few_are_none() {
        let flat: Vec<_> = (0..30).map(|x| (f64::from(x), 7.0)).collect();
        let line = theil_sen(&flat).unwrap();
        assert_eq!((line.slope, line.p, line.is_significant()), (0.0, 1.0, false));
        assert!(theil_sen(&flat[..11]).is_none() && theil_sen(&[(1.0, 2.0); 20]).is_none() && theil_sen(&[]).is_none());
    }

    #[test]
    fn the_tail_of_the_normal_distribution_is_the_table_s() {
        for (z, tail) in [(0.0, 0.5), (1.0, 0.158_655), (1.96, 0.024_998), (3.0, 0.001_350)] {
            assert!((upper_tail(z) - tail).abs() < 1e-6, "{z}");
        }
    }
}
