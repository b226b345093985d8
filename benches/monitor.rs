//! What each answer of the monitor costs with 500 operations and a day of history: `cargo bench --bench monitor`.
//!
//! A run of 500 operations, each with all metrics of requests and five log-normal times a second, is told second by second to the
//! real server, which is then asked for every row of its contract over a socket, each time of another Snapshot, so that nothing
//! is said twice. It gates nothing, because it reads the clock of a machine that others use. `--hours 1` is a shorter run,
//! `--rounds 20` asks more often, `--only heatmap` some rows.

#![expect(clippy::print_stdout, reason = "a table for people")]

use punk::analysis::Digest;
use punk::api::{Access, Format as ExportFormat, Judge, Judgement, Lent, Session, SoFar, contract, serve};
use punk::engine::on_large_stack;
use punk::metrics::{
    Category, Cell, ErrorKey, ErrorLog, MetricId, MetricSpec, Occurrence, Resolution, Scale, TagSet, Trend, specs,
};
use punk::prometheus::{Format, MOST_SERIES, render_sessions};
use punk::report::{self, Facts, Summary};
use punk::script::compile::compile_text;
use punk::script::overrides::Overrides;
use punk::snapshot::{Machine, Recent, ScenarioState, Series, Served, Snapshot, Status};
use serde_json::Value;
use std::f64::consts::TAU;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const OPERATIONS: usize = 500;
const SCRIPT: &str = r#"
    scenario("browse", #{ users: 100, duration: 24.h, run: browse });
    threshold("http_req_duration", "p(95) < 300ms");
    fn browse() { http::get("http://127.0.0.1:1/") }
"#;
/// Different seconds that are fed in turn.
const VARIANTS: usize = 200;
/// What no answer may take, milliseconds.
const ALLOWED: f64 = 20.0;
/// Rows that the contract names once and that cost more when more is asked for.
const MORE: &[&str] = &[
    "/metrics/timeline?window=3600&interval=5",
    "/metrics/series?name=http_req_duration",
    "/metrics/series?name=http_req_duration&window=3600",
    "/metrics/series?name=http_reqs&window=3600",
    "/metrics/series?name=http_req_duration&tags=scenario:browse&window=3600",
    "/metrics/series?name=http_req_duration&tags=name:operation-7&window=3600",
    "/metrics/series?name=http_req_duration&tags=half:1",
    "/metrics/series?name=http_req_duration&tags=half:1&window=600",
    "/metrics/series?name=http_reqs&tags=half:1&window=3600",
    "/metrics/series?name=http_req_waiting&window=3600",
    "/metrics/heatmap/latency?range=24h",
    "/metrics/heatmap/throughput?range=24h",
    "/metrics/historical?range=24h&metric=latency",
    "/metrics/historical?range=24h&metric=latency_p99",
    "/metrics/historical?range=7d&metric=throughput",
    "/export?format=csv",
    "/export?format=html",
    "/export?format=junit",
];

fn main() {
    // `cargo test --benches` runs it too; that is no time to measure.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let hours: u64 = given("--hours").and_then(|hours| hours.parse().ok()).unwrap_or(24);
    let began = Instant::now();
    let mut story = Story::new();
    story.tell(hours * 3_600);
    println!(
        "{hours} h, {OPERATIONS} operations, {} series: history {:.0} MB, told in {:.0} s",
        story.snapshot.series.len(),
        story.snapshot.history.read().map_or(0.0, |history| history.bytes() as f64 / 1e6),
        began.elapsed().as_secs_f64()
    );
    println!(
        "following: {:.3} ms per second of run (worst {:.2} ms); the digest holds {:.1} MB",
        story.following.as_secs_f64() * 1e3 / story.followed as f64,
        story.worst.as_secs_f64() * 1e3,
        story.digest.bytes() as f64 / 1e6
    );
    answers(story.snapshot);
}

fn given(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// A draw that needs no crate: splitmix64.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Log-normal times with a median of 20 ms.
fn times(state: &mut u64, count: usize, mut take: impl FnMut(f64)) {
    for _ in 0..count {
        let radius = (-2.0 * (1.0 - draw(state)).ln()).sqrt();
        take(20.0 * (0.7 * radius * (TAU * draw(state)).cos()).exp());
    }
}

/// A series with so many values, which a shard has recorded and the collector merged.
fn counted(spec: &MetricSpec, metric: usize, tags: &TagSet, state: &mut u64, values: usize) -> Arc<Series> {
    let mut recorded = spec.cell(tags);
    times(state, values, |time| recorded.add(time));
    let mut cell = spec.cell(tags);
    cell.merge(&recorded);
    Arc::new(Series { metric: MetricId(metric as u16), tags: tags.clone(), cell })
}

/// A run as the collector tells it, and a digest that follows it.
struct Story {
    snapshot: Snapshot,
    digest: Digest,
    following: Duration,
    worst: Duration,
    followed: u64,
    /// What one second, and ten, of a distribution may hold.
    ones: Vec<Cell>,
    tens: Vec<Cell>,
}

impl Story {
    fn new() -> Self {
        let compiled = on_large_stack(|| compile_text("bench.rhai", SCRIPT.to_owned(), &Overrides::default()));
        let plan = compiled.plan.expect("it is a script");
        let metrics = specs(&[], &[], 60);
        let mut state = 7;
        let cells = |state: &mut u64, count: usize| {
            let cell = |_| {
                let mut trend = Trend::new(Scale::request(60), Resolution::ThreeDigits);
                times(state, count, |time| trend.record(time));
                Cell::Trend(trend)
            };
            (0..VARIANTS).map(cell).collect::<Vec<_>>()
        };
        let (ones, tens) = (cells(&mut state, 5), cells(&mut state, 50));
        let mut series = Vec::new();
        for operation in 0..OPERATIONS {
            let tags = TagSet::new([
                ("scenario", "browse".to_owned()),
                ("half", (operation % 2).to_string()),
                ("name", format!("operation-{operation}")),
                ("method", "GET".to_owned()),
                ("status", "200".to_owned()),
                ("expected_response", "true".to_owned()),
                ("proto", if operation % 3 == 0 { "HTTP/2.0" } else { "HTTP/1.1" }.to_owned()),
            ]);
            for (at, spec) in metrics.iter().enumerate() {
                let name = &*spec.def.name;
                if (name.starts_with("http_req") || name.starts_with("data_")) && name != "http_req_scheduled_duration"
                {
                    series.push(counted(spec, at, &tags, &mut state, 2_000));
                }
            }
        }
        for (at, spec) in metrics.iter().enumerate() {
            let own =
                spec.def.name.starts_with("punk_") || spec.def.name.starts_with("system_") || spec.def.name == "vus";
            if own || spec.has_total {
                series.push(counted(spec, at, &TagSet::empty(), &mut state, 1_000));
            }
        }
        let snapshot = Snapshot {
            status: Status::Running,
            metrics,
            series,
            scenarios: vec![ScenarioState { name: "browse".to_owned(), users: 100, ..ScenarioState::default() }],
            recent: Recent { requests: 2_500.0, failed: Some(0.0), p95: Some(60.0), iterations: 500.0 },
            machine: Some(Arc::new(Machine::default())),
            plan: Some(Arc::new(plan)),
            errors: Arc::new(errors()),
            ..Snapshot::default()
        };
        Story {
            snapshot,
            digest: Digest::default(),
            following: Duration::ZERO,
            worst: Duration::ZERO,
            followed: 0,
            ones,
            tens,
        }
    }

    /// So many seconds of run: old ones ten at a time, which the history thins to the same slices.
    fn tell(&mut self, seconds: u64) {
        let fine = seconds.saturating_sub(600) / 10 * 10;
        (0..fine).step_by(10).for_each(|at| self.second(at, 10));
        (fine..seconds).for_each(|at| self.second(at, 1));
    }

    fn second(&mut self, at: u64, length: u64) {
        let now = Duration::from_secs(at);
        let variants = if length == 1 { &self.ones } else { &self.tens };
        let mut history = self.snapshot.history.write().expect("nobody else has it");
        for (place, series) in self.snapshot.series.iter().enumerate() {
            let n = at as usize / length as usize * 7 + place;
            let cell = match &series.cell {
                Cell::Trend(trend) if trend.has_percentiles() => {
                    history.feed(now, place, &variants[n % VARIANTS]);
                    continue;
                }
                Cell::Trend(_) => {
                    let mut trend = Trend::new(Scale::request(60), Resolution::Moments);
                    trend.record(n as f64 % 13.0);
                    Cell::Trend(trend)
                }
                Cell::Counter { .. } => Cell::Counter { sum: 5.0 * length as f64, samples: 5 * length },
                Cell::Rate { .. } => Cell::Rate { passes: u64::from(n.is_multiple_of(97)), total: 5 * length },
                Cell::Gauge(gauge) => Cell::Gauge(*gauge),
            };
            history.feed(now, place, &cell);
        }
        history.close(now + Duration::from_secs(length));
        drop(history);
        self.snapshot.elapsed = now + Duration::from_secs(length);
        let began = Instant::now();
        self.digest.follow(&self.snapshot);
        if length == 1 {
            self.following += began.elapsed();
            self.worst = self.worst.max(began.elapsed());
            self.followed += 1;
        }
    }
}

fn scrape(runs: &[(Option<&str>, &Snapshot)], served: &Served, accept: Option<&str>) -> (&'static str, Vec<u8>) {
    let format = Format::negotiate(accept);
    (format.content_type(), render_sessions(runs, Some(served), format, MOST_SERIES))
}

/// The run so far as a file.
fn export(format: ExportFormat, so_far: SoFar<'_>) -> Option<String> {
    let (plan, snapshot) = (so_far.snapshot.plan.as_deref()?, so_far.snapshot);
    let facts = Facts::passed(so_far.started_at, snapshot.elapsed);
    Some(match format {
        ExportFormat::Json => Summary::new(plan, snapshot, &facts).to_json(),
        ExportFormat::Csv => report::csv(snapshot),
        ExportFormat::Html => report::html(plan, snapshot, &facts),
        ExportFormat::Junit => report::junit(plan, snapshot, &facts),
    })
}

/// 200 kinds of errors, and ten of each.
fn errors() -> ErrorLog {
    let mut log = ErrorLog::default();
    for number in 0..2_000_u64 {
        let place = format!("bench.rhai:{}:1", number % 200);
        let key = ErrorKey { category: Category::Script, kind: "script", code: 0, place: place.into() };
        let operation = format!("operation-{}", number % 500);
        let at = Duration::from_secs(number);
        let one = Occurrence { operation: &operation, scenario: "browse", user: number % 100, at, reason: "no reason" };
        log.add(key, &one, String::new);
    }
    log
}

/// Every GET row of the contract, with what its path may hold, and more of some.
fn paths() -> Vec<String> {
    let contract: Value = serde_json::from_str(&contract()).expect("the contract is JSON");
    let mut paths = Vec::new();
    for (path, row) in contract["paths"].as_object().into_iter().flatten() {
        if row.get("get").is_none() || path.starts_with("/sessions/{") {
            continue;
        }
        let parameters = row["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let hole = parameters.iter().find(|one| one["in"] == "path");
        let words = hole.and_then(|hole| hole["schema"]["enum"].as_array().cloned()).unwrap_or_default();
        let name = hole.and_then(|hole| hole["name"].as_str()).unwrap_or_default();
        let filled = words.iter().filter_map(Value::as_str).map(|word| path.replace(&format!("{{{name}}}"), word));
        paths.extend(filled);
        if hole.is_none() && parameters.iter().all(|one| one["required"] != true) {
            paths.push(path.clone());
        }
    }
    paths.extend(MORE.iter().map(|path| (*path).to_owned()));
    paths.iter().map(|path| format!("/api{path}")).chain(["/metrics".to_owned()]).collect()
}

/// Asks for everything, and prints what it took.
fn answers(snapshot: Snapshot) {
    let rounds: usize = given("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(15);
    let only = given("--only").unwrap_or_default();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let address = listener.local_addr().expect("it listens");
    let (tell, snapshots) = watch::channel(Arc::new(snapshot.clone()));
    // Whether it passes is the door's to say, and takes no time worth measuring.
    let judge = Judge { judge: |_, _| Judgement { verdict: "passed", cancelled: false }, invalid_fails: true };
    let commands = mpsc::unbounded_channel().0;
    let session = Session::new("bench.rhai", chrono::Utc::now(), snapshots, commands, judge).with_export(export);
    let access = Access { address, hosts: Vec::new(), control: None, read: None, readonly: false, tls: false };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let over = std::future::pending::<()>();
        let served =
            runtime.block_on(serve((listener, None), vec![session], access, Lent { scrape, intake: None }, over));
        served.expect("it serves to the end");
    });
    let formats = [
        ("classic", "text/plain"),
        ("OpenMetrics", "application/openmetrics-text"),
        ("protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"),
    ];
    // In a run the session follows each second as it is over, which is told above; here it has a day to read at first.
    let stream = TcpStream::connect(address).expect("it listens");
    ask(stream, "/api/metrics/timeline", "application/json");
    println!("{:>8} {:>8} {:>9}  {rounds} times each; none may take {ALLOWED} ms", "median", "worst", "bytes");
    let mut sequence = 1;
    for path in paths().into_iter().filter(|path| path.contains(&only)) {
        let accepts = if path == "/metrics" { &formats[..] } else { &[("", "application/json")] };
        for (format, accept) in accepts {
            let mut bytes = 0;
            let mut took: Vec<f64> = (0..rounds)
                .map(|_| {
                    sequence += 1;
                    // The run's clock stands still: what is asked for is what is read, not what follows.
                    let _ = tell.send(Arc::new(Snapshot { sequence, ..snapshot.clone() }));
                    std::thread::sleep(Duration::from_millis(15));
                    let stream = TcpStream::connect(address).expect("it listens");
                    let began = Instant::now();
                    bytes = ask(stream, &path, accept);
                    began.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            took.sort_by(f64::total_cmp);
            let (median, worst) = (took[rounds / 2], took[rounds - 1]);
            let over = if median > ALLOWED { " !" } else { "" };
            println!("{median:>8.2} {worst:>8.2} {bytes:>9}  {path} {format}{over}");
        }
    }
}

/// One request; how many bytes its body has.
fn ask(mut stream: TcpStream, path: &str, accept: &str) -> usize {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: {accept}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("it answers");
    assert!(line.contains("200"), "{path}: {line}");
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).expect("it answers to the end");
    rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |head| rest.len() - head - 4)
}
