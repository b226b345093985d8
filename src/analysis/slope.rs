//! The slope of a series by Theil and Sen, whether it is one, and how far values lie from it.
//!
//! Pure arithmetic, called by `report`, `forecast`, `scores` and `capacity`; it knows nothing of metrics. All functions leave
//! out what is not finite and never give a NaN.
//!
//! - Theil (1950), Sen (1968), *Estimates of the regression coefficient based on Kendall's tau*, J. Am. Stat. Assoc. 63: the
//!   median of the slopes of all pairs; its interval from the ranks of those slopes.
//! - Mann (1945), Kendall (1975): S, the sum of the signs of all pairs, with the variance corrected for ties.
//! - Yue & Wang (2004), *The Mann-Kendall test modified by effective sample size to detect trend in serially correlated
//!   hydrological series*, Water Resources Management 18: values of a loaded system follow each other, so that they are worth
//!   fewer independent ones. How many is told by the autocorrelation of what the line leaves, mended for the bias that it has in
//!   short series (Kendall 1954, Marriott & Pope 1954, Biometrika 41); for few of them p is that of Student's t.
//!
//! Measured (the tests below): of 400 runs of 60 values without a trend 4 in 400 are promised to look like one. Independent noise, and
//! noise of which each value keeps 0.3 or 0.6 of the one before, is held near that. Pre-whitening (TFPW, Yue & Wang 2002) was tried and
//! takes 27 % of noise that keeps 0.6 for a trend, the autocorrelation of ranks (Hamed & Rao 1998) 7 %.

/// Fewest points that a slope is told of.
pub const MINIMUM: usize = 12;
/// Most points: all pairs are looked at.
pub const MOST: usize = 240;
/// Two-sided 95 % of the normal distribution.
const Z95: f64 = 1.959_964;
/// The most that a value is believed to keep of the one before: of a walk nobody knows where it goes.
const MOST_KEPT: f64 = 0.95;

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
    let inflation = inflation(&rest, 2.0);
    let deviation = (variance(&ys) * inflation).max(0.0).sqrt();
    let score = if deviation > 0.0 { (order.unsigned_abs().saturating_sub(1)) as f64 / deviation } else { 0.0 };
    let score = of_few(score, points.len() as f64 / inflation - 2.0);
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

/// By how much the variance of a mean, or of S, is larger than that of independent values, because each of them follows the one before; 1 at
/// least. Of what a fit with so many parameters has left.
pub(super) fn inflation(rest: &[f64], parameters: f64) -> f64 {
    let n = rest.len() as f64;
    let mean = rest.iter().sum::<f64>() / n;
    let all: f64 = rest.iter().map(|value| (value - mean).powi(2)).sum();
    // Rounding is no noise.
    let size = rest.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
    if n <= 2.0 * parameters || all <= n * (1e-12 * size).powi(2) || all <= 0.0 {
        return 1.0;
    }
    let seen = rest.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>() / all;
    let keeps = ((n * seen + parameters) / (n - 2.0 * parameters)).clamp(0.0, MOST_KEPT);
    let (mut sum, mut power) = (0.0, 1.0);
    for lag in 1..rest.len() {
        power *= keeps;
        sum += (1.0 - lag as f64 / n) * power;
    }
    1.0 + 2.0 * sum
}

/// The score of a normal distribution that is as improbable as this one of Student's t with so many degrees of freedom
/// (Abramowitz & Stegun 26.7.8).
fn of_few(score: f64, freedom: f64) -> f64 {
    let freedom = freedom.max(1.0);
    score * (1.0 - 1.0 / (4.0 * freedom)) / (1.0 + score * score / (2.0 * freedom)).sqrt()
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
    use crate::analysis::story::normal;
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

    /// How many of 400 runs have a trend, if each value keeps so much of the one before and all rise by `rise` deviations over the run.
    fn found(points: u32, keeps: f64, rise: f64) -> usize {
        let mut state = 2;
        let deviation = 1.0 / (1.0 - keeps * keeps).sqrt();
        let run = |state: &mut u64| {
            let mut value = deviation * normal(state);
            let point = |x: u32| {
                value = keeps * value + normal(state);
                (f64::from(x), 100.0 + value + rise * deviation * f64::from(x) / f64::from(points))
            };
            (0..points).map(point).collect::<Vec<_>>()
        };
        (0..400).filter(|_| theil_sen(&run(&mut state)).is_some_and(|line| line.is_significant())).count()
    }

    /// One in a hundred is promised: 4 of 400. Three standard deviations of chance beside that are 10.
    #[test]
    fn noise_is_seldom_a_trend_even_when_it_follows_itself() {
        for points in [20, 60, 120] {
            for keeps in [0.0, 0.3, 0.6] {
                let found = found(points, keeps, 0.0);
                assert!(found <= 10, "{found} of 400 with {points} points that keep {keeps}");
            }
        }
    }

    #[test]
    fn what_rises_is_found_even_when_noise_follows_itself() {
        for (keeps, rise, least) in [(0.0, 4.0, 396), (0.3, 4.0, 396), (0.6, 5.0, 380)] {
            let found = found(120, keeps, rise);
            assert!(found >= least, "{found} of 400 that keep {keeps} and rise by {rise}");
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
