//! The generator's own health: whether a measurement may be trusted.
//!
//! `invalid` means *our* fault (loop lag, lost samples, local exhaustion); a slow target alone never makes a run invalid.

use crate::metrics::{ErrorLog, Resolution, Scale, Trend};
use crate::snapshot::Generator;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Over how long lateness is judged.
const WINDOW: Duration = Duration::from_secs(5);
/// Lateness of our own loop (99th percentile over the window) beyond which timings are not the target's any more.
const LAG_LIMIT_MS: f64 = 10.0;
/// Arrivals in the window from which on their lateness is judged.
const ENOUGH: u64 = 100;
/// CPU beyond which a warning is due, in percent of the cores that users may use.
const CPU_LIMIT: f64 = 85.0;
/// Errors that say that this machine, not the target, was at its end, and how people are told.
const EXHAUSTED: [(&str, &str); 2] = [
    (
        "local_fd_limit",
        "this process ran out of file descriptors: raise `ulimit -n`, or use fewer users or connections",
    ),
    (
        "local_port_exhausted",
        "this machine ran out of local ports towards the target: add `source_ips`, or widen `net.ipv4.ip_local_port_range`",
    ),
];

/// Watches the generator from tick to tick.
pub(super) struct Health {
    shards: usize,
    /// Those that own CPU is a share of.
    cores: usize,
    lag: Window,
    lateness: Window,
    cpu: Option<(Instant, Duration)>,
    /// When the scenarios started, and the CPU used until then.
    start: Option<(Instant, Duration)>,
    average: Option<f64>,
    invalid: Vec<String>,
    warnings: Vec<String>,
}

impl Health {
    pub(super) fn new(shards: usize, cores: usize) -> Self {
        Health {
            shards,
            cores,
            lag: Window::new(),
            lateness: Window::new(),
            cpu: None,
            start: None,
            average: None,
            invalid: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes the lags of one tick, and the own lateness of its arrivals where there is an open model, and judges; `errors`
    /// are those of the whole run.
    pub(super) fn tick(
        &mut self,
        now: Instant,
        lags: &Trend,
        lateness: Option<&Trend>,
        errors: &ErrorLog,
        running: bool,
    ) -> Generator {
        if running {
            self.lag.take(now, lags);
            lateness.iter().for_each(|lateness| self.lateness.take(now, lateness));
        }
        let recent_lag_p99 = self.lag.recent_p99(now);
        let recent_lateness_p99 = self.lateness.recent_p99(now);
        if self.lag.is_full(now) && recent_lag_p99.is_some_and(|lag| lag > LAG_LIMIT_MS) {
            let text =
                "the generator could not keep up: its own loop ran more than 10 ms late (99th percentile over 5 s)";
            note(&mut self.invalid, text);
        }
        // Of a few arrivals the 99th percentile is one unlucky one.
        let enough = self.lateness.recent_count() >= ENOUGH;
        if enough && self.lateness.is_full(now) && recent_lateness_p99.is_some_and(|lateness| lateness > LAG_LIMIT_MS) {
            let text =
                "the generator could not keep up: it started arrivals more than 10 ms late (99th percentile over 5 s)";
            note(&mut self.invalid, text);
        }
        for (key, _) in errors.sorted() {
            if let Some((_, text)) = EXHAUSTED.iter().find(|(kind, _)| *kind == key.kind) {
                note(&mut self.invalid, text);
            }
        }
        let recent_cpu = self.cpu_percent(now, running);
        if running && recent_cpu.is_some_and(|percent| percent > CPU_LIMIT) {
            note(
                &mut self.warnings,
                "the generator used more than 85 % of its CPU: latencies may include its own delays",
            );
        }
        Generator {
            shards: self.shards,
            cpu_percent: self.average,
            loop_lag: Some(self.lag.all.clone()),
            recent_lag_p99,
            lateness: lateness.map(|_| self.lateness.all.clone()),
            recent_lateness_p99,
            resident: resident(),
            invalid: self.invalid.clone(),
            warnings: self.warnings.clone(),
            ..Generator::default()
        }
    }

    /// Remembers that samples were lost.
    pub(super) fn lost(&mut self, what: &str) {
        note(&mut self.invalid, what);
    }

    /// CPU since the last tick; also keeps the average since the scenarios started.
    fn cpu_percent(&mut self, now: Instant, running: bool) -> Option<f64> {
        let used = cpu_time()?;
        let cores = self.cores as f64;
        let percent = |(then, earlier): (Instant, Duration)| {
            let wall = now.duration_since(then);
            // The kernel counts in ticks of 10 ms: a shorter stretch would say anything.
            let long = wall >= Duration::from_millis(400);
            let wall = wall.as_secs_f64() * cores;
            long.then(|| used.saturating_sub(earlier).as_secs_f64() / wall * 100.0)
        };
        if running {
            let start = *self.start.get_or_insert((now, used));
            self.average = percent(start);
        }
        self.cpu.replace((now, used)).and_then(percent)
    }
}

/// A distribution over the whole run and over the last seconds.
struct Window {
    all: Trend,
    recent: VecDeque<(Instant, Trend)>,
}

impl Window {
    fn new() -> Self {
        Window { all: lag_trend(), recent: VecDeque::new() }
    }

    fn take(&mut self, now: Instant, tick: &Trend) {
        self.all.merge(tick);
        self.recent.push_back((now, tick.clone()));
    }

    fn recent_p99(&mut self, now: Instant) -> Option<f64> {
        while self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
        let mut sum = lag_trend();
        self.recent.iter().for_each(|(_, tick)| sum.merge(tick));
        sum.percentile(99.0)
    }

    /// How many values the window has.
    fn recent_count(&self) -> u64 {
        self.recent.iter().map(|(_, tick)| tick.count()).sum()
    }

    /// Half a window at least: the first beats of a run compile nothing and may not condemn it.
    fn is_full(&self, now: Instant) -> bool {
        self.recent.front().is_some_and(|(at, _)| now.duration_since(*at) * 2 > WINDOW)
    }
}

fn lag_trend() -> Trend {
    Trend::new(Scale::DAY, Resolution::TwoDigits)
}

fn note(notes: &mut Vec<String>, text: &str) {
    if !notes.iter().any(|known| known == text) {
        notes.push(text.to_owned());
    }
}

/// CPU time of this process, all threads: fields 14 and 15 of `/proc/self/stat` (proc(5)), in ticks of 10 ms.
pub(super) fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    super::machine::proc::own(&stat).map(|(used, _)| used)
}

/// Resident memory of this process in bytes: the second field of `/proc/self/statm`, in pages.
pub(super) fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages = statm.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    Some(pages * 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lags(values: &[f64]) -> Trend {
        let mut trend = lag_trend();
        values.iter().for_each(|value| trend.record(*value));
        trend
    }

    fn judged(values: &[f64]) -> Vec<String> {
        let mut health = Health::new(1, 1);
        let start = Instant::now();
        let mut generator = Generator::default();
        for tick in 0..12 {
            generator =
                health.tick(start + Duration::from_millis(500) * tick, &lags(values), None, &ErrorLog::default(), true);
        }
        generator.invalid
    }

    #[test]
    fn sustained_lag_makes_a_run_invalid_and_a_single_hiccup_does_not() {
        assert_eq!(judged(&[25.0; 50]).len(), 1);
        let mut calm = vec![0.1; 400];
        calm.push(80.0);
        assert_eq!(judged(&calm), Vec::<String>::new());
    }

    #[test]
    fn arrivals_that_start_late_by_us_make_a_run_invalid() {
        let judged = |lateness: &[f64]| {
            let mut health = Health::new(1, 1);
            let (start, errors) = (Instant::now(), ErrorLog::default());
            let tick = |tick| start + Duration::from_millis(500) * tick;
            let one = |at| health.tick(tick(at), &lags(&[0.1; 50]), Some(&lags(lateness)), &errors, true);
            (0..12).map(one).last().unwrap()
        };
        let late = judged(&[12.0; 100]);
        assert_eq!((late.invalid.len(), late.lateness.unwrap().count()), (1, 1_200));
        assert!(late.invalid[0].contains("started arrivals more than 10 ms late"), "{:?}", late.invalid);
        assert!(judged(&[9.0; 100]).invalid.is_empty());
        // Two a second: one that is late is no rule.
        assert!(judged(&[12.0]).invalid.is_empty());
    }

    #[test]
    fn exhaustion_of_this_machine_is_ours_and_a_refusing_target_is_not() {
        let errors = |kind| {
            use crate::metrics::{Category, ErrorKey, Occurrence};
            let mut log = ErrorLog::default();
            let key = ErrorKey { category: Category::Connect, kind, code: 1, place: Box::default() };
            let one = Occurrence { operation: "GET /", scenario: "s", user: 1, at: Duration::ZERO, reason: "m" };
            log.add(key, &one, || "m".into());
            log
        };
        let mut health = Health::new(1, 1);
        let now = Instant::now();
        assert!(health.tick(now, &lags(&[]), None, &errors("refused"), true).invalid.is_empty());
        assert_eq!(health.tick(now, &lags(&[]), None, &errors("local_fd_limit"), true).invalid.len(), 1);
    }

    #[test]
    fn what_does_not_reach_a_target_is_an_error_of_the_net() {
        let known = crate::protocol::net::ErrorKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>();
        for name in crate::snapshot::UNREACHED {
            assert!(known.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_exhaustion_of_this_machine_has_its_words() {
        use crate::protocol::net::ErrorKind;
        let local = ErrorKind::ALL.iter().filter(|kind| kind.is_local()).map(|kind| kind.name());
        assert_eq!(local.collect::<Vec<_>>(), EXHAUSTED.map(|(kind, _)| kind));
    }
}
