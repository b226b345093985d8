//! What an answer to a scrape costs with 500 operations: `cargo bench --bench prometheus`.
//!
//! Every operation has all metrics of requests with log-normal times around 20 ms, checks and iterations beside them. It
//! gates nothing, because it reads the clock of a machine that others use; that the answers are true are tests.

#![expect(clippy::print_stdout, reason = "a table for people")]

use punk::metrics::{MetricId, TagSet, specs};
use punk::prometheus::{Format, MOST_SERIES, render};
use punk::snapshot::{Series, Snapshot};
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Instant;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const OPERATIONS: usize = 500;
const SAMPLES: usize = 2_000;
const ROUNDS: usize = 50;

/// A draw that needs no crate: splitmix64.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn snapshot() -> Snapshot {
    let metrics = specs(&[], &[], 60);
    let mut state = 7;
    let mut series = Vec::new();
    for operation in 0..OPERATIONS {
        let name = format!("GET /api/products/{{id}}/reviews/{operation}");
        let tags = TagSet::new([
            ("scenario", "browse"),
            ("name", name.as_str()),
            ("method", "GET"),
            ("status", "200"),
            ("expected_response", "true"),
            ("proto", "HTTP/1.1"),
        ]);
        for (at, spec) in metrics.iter().enumerate() {
            let name = &*spec.def.name;
            if !(name.starts_with("http_req") || name.starts_with("data_")) || name == "http_req_scheduled_duration" {
                continue;
            }
            let mut cell = spec.cell(&tags);
            for _ in 0..SAMPLES {
                let radius = (-2.0 * (1.0 - draw(&mut state)).ln()).sqrt();
                cell.add(20.0 * (0.7 * radius * (TAU * draw(&mut state)).cos()).exp());
            }
            series.push(Arc::new(Series { metric: MetricId(at as u16), tags: tags.clone(), cell }));
        }
    }
    Snapshot { metrics, series, ..Snapshot::default() }
}

fn main() {
    // `cargo test --benches` runs it too; that is no time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let snapshot = snapshot();
    println!("{OPERATIONS} operations, {} series, limit {MOST_SERIES}", snapshot.series.len());
    for format in [Format::Classic, Format::OpenMetrics, Format::Protobuf] {
        let mut bytes = 0;
        let mut rounds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let begin = Instant::now();
                bytes = render(&snapshot, format).len();
                begin.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        let (median, worst) = (rounds[ROUNDS / 2], rounds[ROUNDS - 1]);
        println!("{format:?}: median {median:.2} ms, worst of {ROUNDS} {worst:.2} ms, {bytes} bytes");
    }
}
