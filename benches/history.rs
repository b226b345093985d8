//! What a second of history costs, and what a day of it takes: `cargo bench --bench history`.
//!
//! 200 series with percentiles, each with the same number of log-normal values per second; 200 rules that ask each second
//! for a window over one of them, and one that asks for all. It gates nothing, because it reads the clock of a machine
//! that others use; that windows are true and bytes are counted right are unit tests of `metrics::history`.

#![expect(clippy::print_stdout, reason = "a table for people")]

use punk::metrics::{Cell, History, MetricKind, Resolution, Scale, Sliding};
use std::f64::consts::TAU;
use std::time::{Duration, Instant};

/// As in the program: what is resident depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERIES: usize = 200;
/// Different seconds that are fed in turn.
const VARIANTS: usize = 400;

/// A draw that needs no crate: splitmix64.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Seconds with `rate` values each, median 20 ms.
fn seconds(rate: usize, sigma: f64) -> Vec<Cell> {
    let mut state = 7;
    let second = |_| {
        let mut cell = Cell::new(MetricKind::Trend, Scale::request(60), Resolution::ThreeDigits);
        for _ in 0..rate {
            let radius = (-2.0 * (1.0 - draw(&mut state)).ln()).sqrt();
            cell.add(20.0 * (sigma * radius * (TAU * draw(&mut state)).cos()).exp());
        }
        cell
    };
    (0..VARIANTS).map(second).collect()
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A number from the command line behind a name.
fn given(name: &str, default: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn main() {
    // `cargo test --benches` runs it too; that is no time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // Each day in a process of its own, which begins with nothing: what is resident at its end is the history.
    let days = [(5, 0.5), (100, 0.5), (100, 1.0)];
    match given("--day", u64::MAX) {
        u64::MAX => {
            judging();
            let own = std::env::current_exe().expect("this process was started from a file");
            for at in 0..days.len() {
                let arguments = ["--bench", "--day", &at.to_string(), "--hours", &given("--hours", 24).to_string()]
                    .map(str::to_owned);
                let ended = std::process::Command::new(&own).args(arguments).status();
                assert!(ended.is_ok_and(|status| status.success()), "a day was not measured");
            }
        }
        at => {
            let (rate, sigma) = days[at as usize % days.len()];
            day(given("--hours", 24), rate, sigma);
        }
    }
}

/// Resident memory of this process, and the most that it was, in MB. Nothing where the system does not tell.
fn resident() -> (f64, f64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    (field("VmRSS:").unwrap_or_default() / 1e3, field("VmHWM:").unwrap_or_default() / 1e3)
}

/// What 200 rules cost each second.
fn judging() {
    let cells = seconds(100, 0.5);
    let mut history = History::new(punk::metrics::history::BUDGET);
    let mut feeding = Duration::ZERO;
    let second = |history: &mut History, at: u64| {
        let began = Instant::now();
        for series in 0..SERIES {
            history.feed(s(at), series, &cells[(at as usize * 7 + series) % VARIANTS]);
        }
        history.close(s(at + 1));
        began.elapsed()
    };
    (0..900).for_each(|at| feeding += second(&mut history, at));
    println!("feeding {SERIES} series, 100 values/s each: {:.2} ms per second of run", millis(feeding) / 900.0);
    let p95 = |cell: &Cell| match cell {
        Cell::Trend(trend) => trend.percentile(95.0).unwrap_or_default(),
        _ => 0.0,
    };
    for width in [10, 30, 60, 300, 600] {
        let began = Instant::now();
        let mut sum = 0.0;
        for series in 0..SERIES {
            sum += history.window(&[series], s(900 - width), s(900)).map_or(0.0, |window| p95(&window.cell));
        }
        println!(
            "window: 200 rules over {width:>3} s: {:>7.2} ms  (mean p95 {:.1} ms)",
            millis(began.elapsed()),
            sum / 200.0
        );
    }
    for width in [10, 30, 60, 300, 600] {
        let mut rules: Vec<Sliding> = (0..SERIES).map(|series| Sliding::new(vec![series], s(width))).collect();
        rules.iter_mut().for_each(|rule| rule.follow(&history));
        let (mut judging, mut worst, mut sum) = (Duration::ZERO, Duration::ZERO, 0.0);
        let begin = history.spans().last().map_or(0, |span| span.to.as_secs());
        for at in begin..begin + 60 {
            second(&mut history, at);
            let began = Instant::now();
            for rule in &mut rules {
                rule.follow(&history);
                sum += rule.percentile(95.0).unwrap_or_default();
            }
            judging += began.elapsed();
            worst = worst.max(began.elapsed());
        }
        println!(
            "sliding: 200 rules over {width:>3} s: {:>7.2} ms per second of run, longest {:.2} ms  (mean p95 {:.1} ms)",
            millis(judging) / 60.0,
            millis(worst),
            sum / 60.0 / SERIES as f64,
        );
    }
    let all: Vec<usize> = (0..SERIES).collect();
    let began = Instant::now();
    let p95 = history.window(&all, s(840), s(900)).map_or(0.0, |window| p95(&window.cell));
    println!("window: 1 rule over 60 s of all series: {:.2} ms  (p95 {p95:.1} ms)", millis(began.elapsed()));
}

/// What a day takes.
fn day(hours: u64, rate: usize, sigma: f64) {
    let cells = seconds(rate, sigma);
    let mut history = History::new(punk::metrics::history::BUDGET);
    let (mut most, mut worst, began) = (0, Duration::ZERO, Instant::now());
    let before = resident().0;
    for at in 0..hours * 3_600 {
        for series in 0..SERIES {
            history.feed(s(at), series, &cells[(at as usize * 7 + series) % VARIANTS]);
        }
        let closing = Instant::now();
        history.close(s(at + 1));
        worst = worst.max(closing.elapsed());
        most = most.max(history.bytes());
    }
    println!(
        "{hours} h, {SERIES} series, {rate} values/s each, sigma {sigma}: {:.1} MB counted, {:.0} MB resident ({:.0} at most), gave way until {:?}, {:.2} ms per second, longest close {:.1} ms",
        most as f64 / 1e6,
        resident().0 - before,
        resident().1 - before,
        history.gave_way_until(),
        millis(began.elapsed()) / (hours * 3_600) as f64,
        millis(worst),
    );
    for span in history.spans() {
        println!(
            "    {:?}..{:?} by {:?}{}",
            span.from,
            span.to,
            span.step,
            if span.coarse { ", two digits" } else { "" }
        );
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
