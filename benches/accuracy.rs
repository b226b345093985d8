//! Are the percentiles true? The same requests, timed by punk and by the target that held them: `cargo bench --bench accuracy`.
//!
//! The target draws each answer's latency from a known distribution and logs how long it really held the request. The log knows
//! nothing of the way there and back, so punk's figure may lie above it by the network and its own reading, and never below.
//! Published in docs/performance.md; it gates nothing, because it reads the wall clock of a machine that others use. What
//! can be judged without a clock (quantiles, merging) is a unit test of `metrics::trend`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table for people")]

use std::process::{Command, ExitCode, Stdio};

use punk::target::{Dials, Latency, LogEntry, Target, TargetOptions};
use serde_json::Value;

/// Name, distribution, users: below half of a core on a small machine.
const RUNS: [(&str, &str, u32); 4] = [
    ("lognormal, median 20 ms", "lognormal(20ms, 0.5)", 40),
    ("exponential, mean 10 ms", "exponential(10ms)", 20),
    ("two humps", "percentiles(0: 4ms, 90: 6ms, 90.1: 80ms, 100: 120ms)", 30),
    ("constant 5 ms", "5ms", 8),
];
/// Length of each run.
const SECONDS: u64 = 20;
const PERCENTILES: [(&str, f64); 4] = [("med", 50.0), ("p(95)", 95.0), ("p(99)", 99.0), ("p(99.9)", 99.9)];

fn main() -> ExitCode {
    // `cargo test --benches` runs it too; that is no time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    println!(
        "| latency of the target | requests | CPU | | p50 | p95 | p99 | p99.9 |\n|---|---|---|---|---|---|---|---|"
    );
    let mut worst = 0.0_f64;
    let mut within = true;
    for (name, latency, users) in RUNS {
        match measure(latency, users) {
            Ok(run) => {
                let row = |what: &str, cell: &dyn Fn(&(f64, f64)) -> String| {
                    let cells: Vec<String> = run.pairs.iter().map(cell).collect();
                    format!("| {what} | {} |", cells.join(" | "))
                };
                println!(
                    "| {name} | {} | {:.0}% {}",
                    run.requests,
                    run.cpu,
                    row("target's log, ms", &|pair| format!("{:.3}", pair.0))
                );
                println!("| | | {}", row("punk, ms", &|pair| format!("{:.3}", pair.1)));
                println!(
                    "| | | {}",
                    row("difference", &|pair| format!(
                        "{:+.3} ms, {:+.2}%",
                        pair.1 - pair.0,
                        (pair.1 / pair.0 - 1.0) * 100.0
                    ))
                );
                for (truth, told) in run.pairs {
                    worst = worst.max((told - truth).abs());
                    within &= (told - truth).abs() <= truth * 0.01 + 1.0;
                }
            }
            Err(why) => {
                eprintln!("{name}: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\nlargest difference {worst:.3} ms; all within 1% + 1 ms: {}", if within { "yes" } else { "no" });
    ExitCode::SUCCESS
}

struct Measured {
    requests: usize,
    cpu: f64,
    /// Of each percentile, the target's and punk's figure in milliseconds.
    pairs: Vec<(f64, f64)>,
}

fn measure(latency: &str, users: u32) -> Result<Measured, String> {
    let latency: Latency = latency.parse().map_err(|error| format!("{error}"))?;
    let options = TargetOptions {
        dials: Dials { latency, ..Dials::default() },
        log_capacity: 1_000_000,
        ..TargetOptions::default()
    };
    let target = Target::start(options).map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let script = format!("options(#{{ base_url: \"{}\" }});\nfn run() {{ http::get(\"/echo\"); }}\n", target.url());
    std::fs::write(folder.path().join("accuracy.rhai"), script).map_err(|error| error.to_string())?;
    let output = Command::new(env!("CARGO_BIN_EXE_punk"))
        .args(["accuracy.rhai", "--json", "--quiet", "--on-invalid", "warn", "--shards", "1"])
        .args(["--users", &users.to_string(), "--duration", &format!("{SECONDS}s")])
        .current_dir(folder.path())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    let summary: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let log = target.log();
    let values = &summary["metrics"]["http_req_duration"]["values"];
    let count = values["count"].as_u64().unwrap_or_default() as usize;
    if count != log.len() {
        return Err(format!("punk timed {count} requests, the target {}", log.len()));
    }
    let pairs = PERCENTILES.iter().map(|(name, percentile)| {
        let told = values[*name].as_f64().ok_or_else(|| format!("the summary has no {name}"))?;
        Ok((percentile_of(&log, *percentile), told))
    });
    let pairs = pairs.collect::<Result<_, String>>()?;
    Ok(Measured { requests: count, cpu: summary["generator"]["cpu"].as_f64().unwrap_or(f64::NAN), pairs })
}

/// The nearest-rank percentile of what the target held, in milliseconds.
fn percentile_of(log: &[LogEntry], percentile: f64) -> f64 {
    let mut held: Vec<u64> = log.iter().map(|entry| entry.held_us).collect();
    held.sort_unstable();
    let rank = (percentile / 100.0 * held.len() as f64).ceil() as usize;
    held[rank.clamp(1, held.len()) - 1] as f64 / 1e3
}
