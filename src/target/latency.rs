//! How long the target holds a request: a distribution, its text form, and one seeded draw from it.
//!
//! Made from `--latency`, the dials' JSON or a request's own `?latency=`; drawn once per request by `service`.
//! It deliberately does not know how the time is then waited for (`alarm`).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::options::DialError;
use super::random::Random;

/// A latency distribution; times are kept in nanoseconds.
///
/// Text forms: `20ms`, `uniform(5ms, 20ms)`, `normal(20ms, 5ms)` (cut off at 0), `exponential(20ms)` (its mean),
/// `lognormal(20ms, 0.5)` (median and sigma of the logarithm) and `percentiles(50: 10ms, 99: 80ms, 100: 200ms)`
/// (straight lines between the given points, from 0 ms at percentile 0 unless that is given; above the last
/// point its value holds).
#[derive(Debug, Clone, PartialEq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Every value between the two is as likely.
    Uniform(Duration, Duration),
    /// Mean and standard deviation; negative draws become 0.
    Normal(Duration, Duration),
    /// The mean.
    Exponential(Duration),
    /// Median, and the standard deviation of the logarithm.
    LogNormal(Duration, f64),
    /// Percentile (0–100, rising) and its latency (not falling).
    Percentiles(Vec<(f64, Duration)>),
}

impl Default for Latency {
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

/// No draw is held longer than this: an hour is beyond any test and keeps deadlines representable.
const LONGEST: f64 = 3600.0;

impl Latency {
    /// Whether every draw is zero, so that the hot path need not draw at all.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Fixed(time) if time.is_zero())
    }

    /// One draw.
    pub fn draw(&self, random: &mut Random) -> Duration {
        match self {
            Self::Fixed(time) => *time,
            Self::Uniform(low, high) => seconds(between(*low, *high, random.unit())),
            Self::Normal(mean, deviation) => seconds(mean.as_secs_f64() + deviation.as_secs_f64() * random.normal()),
            Self::Exponential(mean) => seconds(-mean.as_secs_f64() * (1.0 - random.unit()).ln()),
            Self::LogNormal(median, sigma) => seconds(median.as_secs_f64() * (sigma * random.normal()).exp()),
            Self::Percentiles(points) => seconds(on_the_line(points, random.unit() * 100.0)),
        }
    }
}

fn seconds(value: f64) -> Duration {
    Duration::from_secs_f64(value.clamp(0.0, LONGEST))
}

fn between(low: Duration, high: Duration, share: f64) -> f64 {
    low.as_secs_f64() + (high.as_secs_f64() - low.as_secs_f64()) * share
}

fn on_the_line(points: &[(f64, Duration)], percentile: f64) -> f64 {
    let (mut from, mut low) = (0.0, Duration::ZERO);
    for &(to, high) in points {
        if percentile <= to {
            let share = if to > from { (percentile - from) / (to - from) } else { 1.0 };
            return between(low, high, share);
        }
        (from, low) = (to, high);
    }
    low.as_secs_f64()
}

impl FromStr for Latency {
    type Err = DialError;

    fn from_str(text: &str) -> Result<Self, DialError> {
        let text = text.trim();
        let Some((name, rest)) = text.split_once('(') else {
            return parse_time(text).map(Self::Fixed);
        };
        let wrong = |why: &str| DialError::new("latency", text, why);
        let inside = rest.strip_suffix(')').ok_or_else(|| wrong("the closing `)` is missing"))?;
        let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
        match (name.trim(), parts.as_slice()) {
            ("fixed", [time]) => parse_time(time).map(Self::Fixed),
            ("uniform", [low, high]) => {
                let (low, high) = (parse_time(low)?, parse_time(high)?);
                if low > high {
                    return Err(wrong("the first bound is above the second"));
                }
                Ok(Self::Uniform(low, high))
            }
            ("normal", [mean, deviation]) => Ok(Self::Normal(parse_time(mean)?, parse_time(deviation)?)),
            ("exponential", [mean]) => parse_time(mean).map(Self::Exponential),
            ("lognormal", [median, sigma]) => {
                let sigma: f64 = sigma.parse().map_err(|_| wrong("sigma is a number such as 0.5"))?;
                if !(0.0..=10.0).contains(&sigma) {
                    return Err(wrong("sigma lies between 0 and 10"));
                }
                Ok(Self::LogNormal(parse_time(median)?, sigma))
            }
            ("percentiles", points) => {
                let mut list: Vec<(f64, Duration)> = Vec::new();
                for point in points {
                    let (percentile, time) =
                        point.split_once(':').ok_or_else(|| wrong("write points as `99: 80ms`"))?;
                    let percentile: f64 = percentile.trim().parse().map_err(|_| wrong("a percentile is a number"))?;
                    let time = parse_time(time)?;
                    if !(0.0..=100.0).contains(&percentile) {
                        return Err(wrong("percentiles lie between 0 and 100"));
                    }
                    if list.last().is_some_and(|&(before, low)| before >= percentile || low > time) {
                        return Err(wrong("percentiles must rise, and their times not fall"));
                    }
                    list.push((percentile, time));
                }
                Ok(Self::Percentiles(list))
            }
            _ => Err(wrong(
                "use 20ms, uniform(a, b), normal(mean, deviation), exponential(mean), \
                 lognormal(median, sigma) or percentiles(50: a, 99: b)",
            )),
        }
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(time) => write!(f, "{time:?}"),
            Self::Uniform(low, high) => write!(f, "uniform({low:?}, {high:?})"),
            Self::Normal(mean, deviation) => write!(f, "normal({mean:?}, {deviation:?})"),
            Self::Exponential(mean) => write!(f, "exponential({mean:?})"),
            Self::LogNormal(median, sigma) => write!(f, "lognormal({median:?}, {sigma})"),
            Self::Percentiles(points) => {
                f.write_str("percentiles(")?;
                for (index, (percentile, time)) in points.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{percentile}: {time:?}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// A time such as `250us`, `20ms`, `1.5s` or `2m`; a bare number is milliseconds. At most an hour.
pub fn parse_time(text: &str) -> Result<Duration, DialError> {
    let text = text.trim();
    let wrong = || DialError::new("time", text, "write a number and a unit: 250us, 20ms, 1.5s, 2m");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let scale = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "" | "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let value = number * scale;
    if value > LONGEST {
        return Err(DialError::new("time", text, "the longest is one hour"));
    }
    Ok(Duration::from_nanos((value * 1e9).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted_draws(text: &str) -> Vec<f64> {
        let latency: Latency = text.parse().unwrap();
        let mut random = Random::new(42);
        let mut draws: Vec<f64> = (0..50_000).map(|_| latency.draw(&mut random).as_secs_f64() * 1e3).collect();
        draws.sort_by(f64::total_cmp);
        draws
    }

    fn quantile(draws: &[f64], share: f64) -> f64 {
        draws[(share * (draws.len() - 1) as f64) as usize]
    }

    #[test]
    fn each_distribution_draws_what_its_name_says() {
        let near = |text: &str, share: f64, want: f64| {
            let got = quantile(&sorted_draws(text), share);
            assert!((got - want).abs() <= want * 0.05 + 0.05, "{text} at {share}: {got} not {want}");
        };
        near("20ms", 0.01, 20.0);
        near("uniform(10ms, 30ms)", 0.5, 20.0);
        near("uniform(10ms, 30ms)", 0.99, 29.8);
        near("normal(50ms, 5ms)", 0.5, 50.0);
        near("normal(50ms, 5ms)", 0.841, 55.0);
        near("exponential(10ms)", 0.5, 6.93);
        near("exponential(10ms)", 0.99, 46.05);
        near("lognormal(20ms, 0.5)", 0.5, 20.0);
        near("lognormal(20ms, 0.5)", 0.841, 32.9);
        let points = "percentiles(0: 5ms, 50: 10ms, 90: 20ms, 99: 80ms, 100: 200ms)";
        near(points, 0.25, 7.5);
        near(points, 0.5, 10.0);
        near(points, 0.9, 20.0);
        near(points, 0.99, 80.0);
    }

    #[test]
    fn text_forms_that_make_no_sense_are_refused_with_the_reason() {
        for (text, why) in [
            ("fast", "write a number and a unit"),
            ("20 furlongs", "write a number and a unit"),
            ("2h", "one hour"),
            ("uniform(5ms)", "use 20ms"),
            ("uniform(9ms, 5ms)", "above the second"),
            ("uniform(5ms, 9ms", "closing"),
            ("lognormal(5ms, x)", "sigma is a number"),
            ("percentiles(50: 9ms, 40: 10ms)", "must rise"),
            ("percentiles(50 9ms)", "write points"),
            ("percentiles(150: 9ms)", "between 0 and 100"),
        ] {
            let error = text.parse::<Latency>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_a_latency_gives_it_back(a in 0u64..5_000_000, b in 0u64..5_000_000, kind in 0..6) {
            let (low, high) = (Duration::from_micros(a.min(b)), Duration::from_micros(a.max(b)));
            let latency = match kind {
                0 => Latency::Fixed(low),
                1 => Latency::Uniform(low, high),
                2 => Latency::Normal(low, high),
                3 => Latency::Exponential(high),
                4 => Latency::LogNormal(high, 0.25),
                _ => Latency::Percentiles(vec![(50.0, low), (99.9, high)]),
            };
            prop_assert_eq!(latency.to_string().parse::<Latency>().unwrap(), latency);
        }
    }
}
