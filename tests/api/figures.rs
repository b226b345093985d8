//! Figures over time: KPIs, heatmaps, ranges, protocols and what is concluded, against what the target counted.

use super::{get, shop, stop, until};
use crate::builder::{Running, punk, target};
use serde_json::Value;

/// Thirty requests of the open model, one for each iteration, beside rules about figures; then nothing happens any more.
const THIRTY: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("visits", #{ rate: 15, max_users: 20, duration: 2.s, run: visit });
    scenario("waits", #{ users: 1, starts: 3.s, duration: 45.s, graceful_stop: 0.s, run: wait });
    threshold("http_req_duration", "p(95) < 20s");
    threshold("http_req_duration", "p(99) < 30s", #{ severity: "warn" });
    threshold("punk_memory", "value < 2GB");
    alert("many", #{ when: "rate of http_reqs > 1000", severity: "critical" });
    fn visit() { http::get("/api/products", #{ name: "products" }); }
    fn wait() { sleep(40.s); }
"#;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("it is an object").keys().map(String::as_str).collect()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("it is a list: {value:#}"))
}

/// The sum of a field.
fn sum(of: &Value, field: &str) -> u64 {
    list(of).iter().map(|one| one[field].as_u64().unwrap()).sum()
}

/// A run of [`THIRTY`] in which all requests were made, and are in seconds that are over.
fn thirty(target: &punk::target::RunningTarget) -> Running {
    let mut running = punk().script(THIRTY).target(target).monitored().start();
    until(&mut running, "/api/metrics/heatmap/latency", |heat| sum(&heat["grid"], "value") == 30);
    running
}

#[test]
fn kpis_have_their_names_and_what_was_asked_of_them() {
    let target = target();
    let mut running = thirty(&target);
    let address = running.monitor();
    let latency = get(&address, "/api/metrics/latency").ok();
    for name in ["trend", "bands", "history", "p50", "p95", "p99", "p999", "distribution", "target", "target_from"] {
        assert!(latency.get(name).is_some(), "{name}: {latency:#}");
    }
    assert_eq!((sum(&latency["distribution"], "count"), target.stats().requests), (30, 30), "{latency:#}");
    for bucket in list(&latency["distribution"]) {
        assert_eq!(keys(bucket), ["from", "to", "count"]);
        assert!(bucket["from"].as_f64() < bucket["to"].as_f64(), "{latency:#}");
    }
    let [p50, p95, p99, p999] = ["p50", "p95", "p99", "p999"].map(|name| latency[name].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= p999, "{latency:#}");
    let total = get(&address, "/api/metrics").ok()["total"].clone();
    assert_eq!((&total["operations"], &total["latency"]["p99"]), (&30.into(), &latency["p99"]), "{total:#}");
    assert_eq!((&latency["target"], &latency["target_from"]), (&20_000.into(), &"p(95) < 20s".into()));
    let bands: Vec<_> = list(&latency["bands"])
        .iter()
        .map(|band| (band["level"].as_str().unwrap(), band["figure"].as_str().unwrap(), band["bad"].as_str().unwrap()))
        .collect();
    assert_eq!(bands, [("critical", "p(95)", "above"), ("warning", "p(99)", "above")], "{latency:#}");

    let rps = get(&address, "/api/metrics/rps").ok();
    assert_eq!((&rps["unit"], &rps["bands"][0]["name"]), (&"per_second".into(), &"many".into()), "{rps:#}");
    let history = list(&rps["history"]);
    assert!(history.iter().all(|point| point["elapsed_seconds"].as_u64().unwrap().is_multiple_of(5)), "{rps:#}");
    let memory = get(&address, "/api/metrics/memory").ok();
    assert!(memory["current"].as_u64() > Some(1_000_000) && memory["target"] == 2_000_000_000_u64, "{memory:#}");
    let cpu = get(&address, "/api/metrics/cpu").ok();
    assert!(cpu["current"].as_f64() >= Some(0.0) && cpu.get("target").is_none(), "{cpu:#}");
    for kpi in [&rps, &memory, &cpu, &latency] {
        let direction = kpi["trend"]["direction"].as_str().unwrap();
        assert!(["up", "down", "stable", "unknown"].contains(&direction), "{kpi:#}");
    }
    stop(&address);
    running.wait();
}

#[test]
fn what_the_open_model_plans_is_the_target_of_the_throughput() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("visits", #{ rate: 20, max_users: 20, duration: 50.s, graceful_stop: 0.s, run: visit });
        fn visit() { http::get("/api/products"); http::get("/api/products"); }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    let rps = until(&mut running, "/api/metrics/rps", |rps| {
        rps["current"].as_f64() > Some(0.0) && rps.get("target").is_some() && !list(&rps["history"]).is_empty()
    });
    // Two requests for each of twenty arrivals, but for those that are amid an iteration.
    let planned = rps["target"].as_f64().unwrap();
    assert!((30.0..=50.0).contains(&planned) && rps["target_from"] == "load", "{rps:#}");
    assert!(rps["history"][0]["value"].as_f64() > Some(0.0), "{rps:#}");
    let again = get(&running.monitor(), "/api/metrics/rps").ok();
    assert_eq!(again["history"][0], rps["history"][0], "a point that is over stays as it is");
    stop(&running.monitor());
    running.wait();
}

#[test]
fn heatmaps_ranges_and_protocols_count_what_the_target_counted() {
    let target = target();
    let mut running = thirty(&target);
    let address = running.monitor();
    let latency = get(&address, "/api/metrics/heatmap/latency?range=6h").ok();
    let buckets: Vec<&Value> = list(&latency["buckets"]).iter().map(|one| &one["bucket"]).collect();
    for cell in list(&latency["grid"]) {
        for name in ["timestamp", "bucket", "value"] {
            assert!(cell.get(name).is_some(), "{cell:#}");
        }
        assert!(buckets.contains(&&cell["bucket"]), "{latency:#}");
    }
    assert_eq!(sum(&latency["grid"], "value"), target.stats().requests);
    let errors = get(&address, "/api/metrics/heatmap/errors").ok();
    assert!(!list(&errors["grid"]).is_empty() && list(&errors["grid"]).iter().all(|cell| cell["value"] == 0));
    let throughput = get(&address, "/api/metrics/heatmap/throughput").ok();
    let interval = throughput["interval_seconds"].as_f64().unwrap();
    let all: f64 = list(&throughput["grid"]).iter().map(|cell| cell["value"].as_f64().unwrap() * interval).sum();
    assert!((all - 30.0).abs() < 0.5, "{throughput:#}");

    let range = get(&address, "/api/metrics/historical").ok();
    assert_eq!(
        (&range["metric"], &range["range"], &range["unit"]),
        (&"latency".into(), &"1h".into(), &"milliseconds".into())
    );
    let [average, peak, low] = ["average", "peak", "low"].map(|name| range[name].as_f64().unwrap());
    assert!(low <= average && average <= peak && range["standard_deviation"].as_f64() >= Some(0.0), "{range:#}");
    let total = get(&address, "/api/metrics").ok();
    assert!((average - total["total"]["latency"]["mean"].as_f64().unwrap()).abs() < 0.001, "{range:#}");
    assert!(!list(&range["time_series"]).is_empty() && range["insights"].is_array(), "{range:#}");
    assert!(range["reason"].as_str().unwrap().contains("this run is") && range["available_from"].is_string());
    let users = get(&address, "/api/metrics/historical?range=24h&metric=users").ok();
    assert_eq!((&users["unit"], &users["range"]), (&"users".into(), &"24h".into()), "{users:#}");

    let protocols = get(&address, "/api/metrics/protocols").ok();
    let names = ["timestamp", "window_seconds", "http1", "http2", "http3", "websocket", "grpc", "distribution"];
    assert_eq!(keys(&protocols), names);
    let http1 = &protocols["http1"];
    assert_eq!(keys(http1), ["status", "rps", "avg_latency", "error_rate", "active_connections"]);
    let requests = http1["rps"].as_f64().unwrap() * protocols["window_seconds"].as_f64().unwrap();
    assert!((requests - 30.0).abs() < 0.5 && http1["status"] == "active", "{protocols:#}");
    assert_eq!(protocols["distribution"], serde_json::json!({"http1": 100, "http2": 0}));
    assert_eq!(protocols["http2"]["status"], "unused");
    for later in ["http3", "websocket", "grpc"] {
        assert_eq!(keys(&protocols[later]), ["status", "available_from", "reason"], "{later}");
    }
    stop(&address);
    running.wait();
}

#[test]
fn the_analysis_says_by_which_rules_and_what_it_lacks() {
    let target = target();
    let mut running = thirty(&target);
    let address = running.monitor();
    let told = get(&address, "/api/analysis").ok();
    let names = [
        "timestamp",
        "from_seconds",
        "to_seconds",
        "trends",
        "bottlenecks",
        "scores",
        "predictions",
        "recommendations",
    ];
    assert_eq!(keys(&told), names);
    let figures: Vec<_> = list(&told["trends"]).iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(figures, ["throughput", "latency_p95", "error_rate", "active_users", "memory", "cpu"]);
    let scores: Vec<_> = list(&told["scores"]).iter().map(|one| one["component"].as_str().unwrap()).collect();
    assert_eq!(scores, ["latency", "errors", "throughput"]);
    let latency = &told["scores"][0];
    assert!(latency.get("score").is_none() && latency["reason"] == "it takes 1000 responses", "{told:#}");
    for part in ["trends", "bottlenecks", "scores", "predictions", "recommendations"] {
        assert!(list(&told[part]).iter().all(|one| one["rule"].is_string()), "{part}: {told:#}");
    }
    stop(&address);
    running.wait();
}

#[test]
fn nonsense_about_figures_is_refused_with_a_reason() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    for (path, status, why) in [
        ("rps?window=5", 400, "there is no parameter `window` here"),
        ("latency?x", 400, "there is no parameter `x` here"),
        ("protocols?range=1h", 400, "there is no parameter `range` here"),
        ("heatmap/latencies", 404, "there is no heatmap `latencies`: did you mean `latency`?"),
        ("heatmap/cpu", 404, "there is no heatmap `cpu`: there are latency, throughput, errors"),
        ("heatmap/latency?range=2h", 400, "`range=2h`: "),
        ("heatmap/latency?range=1h&range=1h", 400, "`range` is given twice"),
        ("historical?range=", 400, "`range=`: "),
        ("historical?metric=latencyy", 400, "`metric=latencyy`: did you mean `latency`?"),
        ("historical?metrics=latency", 400, "there is no parameter `metrics` here: did you mean `metric`?"),
    ] {
        let said = get(&address, &format!("/api/metrics/{path}")).refused(status);
        assert!(said.starts_with(why), "{path}: {said}");
    }
    get(&address, "/api/metrics/heatmap").refused(404);
    let said = get(&address, "/api/analysis?deep=1").refused(400);
    assert_eq!(said, "there is no parameter `deep` here");
    stop(&address);
    running.wait();
}
