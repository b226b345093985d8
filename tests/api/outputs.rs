//! What waits and what is sent elsewhere: queues, the health of outputs, alerts about performance, events of the process.

use super::{ask, get, stop, until};
use crate::builder::{punk, target};
use serde_json::{Value, json};
use std::net::TcpListener;

#[test]
fn arrivals_that_wait_are_told_by_scenario() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("open", #{ rate: 50, duration: 50.s, max_users: 2, graceful_stop: 1.s, run: slow });
        scenario("closed", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: slow });
        fn slow() { http::get("/echo"); sleep(300.ms); }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    let queues = until(&mut running, "/api/queues", |queues| queues["arrivals"][0]["waiting"].as_u64() > Some(0));
    let [open] = &queues["arrivals"].as_array().unwrap()[..] else { panic!("one is open: {queues:#}") };
    assert_eq!((&open["scenario"], &open["users"], &open["max_users"]), (&json!("open"), &json!(2), &json!(2)));
    assert!(open["arrivals"].as_u64() > open["waiting"].as_u64() && open["dropped"].is_u64(), "{open:#}");
    assert_eq!((&queues["alerts"], &queues["outputs"]), (&json!([]), &json!([])), "{queues:#}");
    let address = running.monitor();
    get(&address, "/api/queues?all=1").refused(400);
    stop(&address);
    running.wait();
}

#[test]
fn a_receiver_that_is_not_there_is_seen_in_queues_health_and_the_log() {
    let target = target();
    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: || { http::get("/status/500"); sleep(20.ms); } });
        alert("slow", #{ when: "p(95) of http_req_duration > 0.001ms", severity: "error", description: "it is <b>slow</b>",
                         notify: [#{ url: "http://ada:geheim@GONE/hook/s3cret?token=verborgen" }] });
        alert("failing", #{ when: "rate of http_req_failed > 50%", notify: [] });
        alert("calm", #{ when: "rate of http_reqs > 1000000" });
        alert("mine", #{ when: "count of dropped_iterations > 5" });
    "#;
    let script = script.replace("GONE", &gone.to_string());
    let mut running = punk().script(&script).target(&target).monitored().args("--log-file run.log").start();
    let queues = until(&mut running, "/api/queues", |queues| queues["alerts"][0]["retries"].as_u64() > Some(0));
    let receiver = &queues["alerts"][0];
    assert_eq!(
        (&receiver["receiver"], &receiver["waiting"]),
        (&json!(format!("http://{gone}")), &json!(1)),
        "{queues:#}"
    );
    assert_eq!((&receiver["sent"], &receiver["failed"]), (&json!(0), &json!(0)));
    let log = &queues["outputs"][0];
    assert_eq!((&log["name"], &log["path"]), (&json!("log"), &json!("run.log")), "{queues:#}");
    assert!(log["written"].as_u64() > Some(0) && log.get("last_error").is_none(), "{queues:#}");
    let waits = until(&mut running, "/api/health", |health| health["components"]["outputs"]["status"] == "warning");
    let why = waits["components"]["outputs"]["reasons"][0].as_str().unwrap();
    assert!(why.contains("keeps 1 message waiting"), "{why}");
    let lost = until(&mut running, "/api/health", |health| health["components"]["outputs"]["status"] == "error");
    let why = lost["components"]["outputs"]["reasons"][0].as_str().unwrap();
    assert!(why.contains("did not get 1 message"), "{why}");

    let logs = until(&mut running, "/api/logs?level=warn", |logs| {
        logs["logs"].as_array().unwrap().iter().any(|entry| entry["context"]["target"] == "punk::webhook")
    });
    let all = logs["logs"].as_array().unwrap();
    let told = all.iter().find(|entry| entry["context"]["target"] == "punk::webhook").unwrap();
    assert_eq!((&told["context"]["source"], &told["level"]), (&json!("process"), &json!("warn")), "{told:#}");
    assert_eq!(told["context"]["fields"]["receiver"], json!(format!("http://{gone}")), "{told:#}");

    let address = running.monitor();
    let performance = get(&address, "/api/alerts/performance").ok();
    let alerts = performance["alerts"].as_array().unwrap();
    let names: Vec<&Value> = alerts.iter().map(|alert| &alert["name"]).collect();
    assert_eq!(
        (names, &performance["firing"]),
        (vec![&json!("slow"), &json!("failing")], &json!(2)),
        "{performance:#}"
    );
    let [slow, failing] = &alerts[..] else { panic!("two ring") };
    assert_eq!((&slow["id"], &slow["state"], &slow["severity"]), (&json!("slow#1"), &json!("firing"), &json!("error")));
    assert_eq!((&slow["kpi"], &slow["metric"]), (&json!("latency"), &json!("http_req_duration")));
    assert_eq!((&slow["limit"], &slow["times_fired"]), (&json!(0.001), &json!(1)), "{slow:#}");
    let (value, beyond) = (slow["current_value"].as_f64().unwrap(), slow["beyond_percent"].as_f64().unwrap());
    assert!((beyond - (value - 0.001) / 0.001 * 100.0).abs() < beyond.abs() * 0.01, "{slow:#}");
    assert!(slow["firing_seconds"].as_f64() > Some(1.0) && slow["since"].is_string(), "{slow:#}");
    assert_eq!((&failing["kpi"], &failing["beyond_percent"]), (&json!("errors"), &json!(100)), "{failing:#}");
    assert_eq!(slow["would_have_rung"], json!([]));

    // Another alert, that would have rung from the first second on.
    let rules = get(&address, "/api/thresholds").ok();
    let mut edit = json!({ "alerts": rules["alerts"] });
    for alert in edit["alerts"].as_array_mut().unwrap() {
        alert.as_object_mut().unwrap().remove("live");
    }
    edit["alerts"][2]["when"] = json!("rate of http_reqs > 1");
    super::change(&address, "PUT", "/api/thresholds", &["if-match: *"], &edit.to_string()).ok();
    let edited = until(&mut running, "/api/alerts/performance", |now| now["alerts"].as_array().unwrap().len() == 3);
    let calm = edited["alerts"].as_array().unwrap().iter().find(|alert| alert["name"] == "calm").unwrap();
    assert!(calm["would_have_rung"][0]["elapsed_seconds"].is_number(), "{calm:#}");
    assert_eq!(calm["kpi"], "throughput");
    get(&address, "/api/alerts/performance?x=1").refused(400);
    stop(&address);
    let outcome = running.wait();
    let log = std::fs::read_to_string(outcome.folder().join("run.log")).unwrap();
    assert!(log.contains(" WARN  ") && log.contains("process punk::webhook: not delivered: "), "{log}");
    for secret in ["geheim", "s3cret", "verborgen"] {
        assert!(!log.contains(secret) && !outcome.told().contains(secret), "{secret}: {log}");
    }
}

#[test]
fn wrong_tokens_are_told_in_the_log_and_neither_they_nor_what_they_asked_for() {
    let target = target();
    let mut running = super::shop(&target).env("PUNK_MONITOR_TOKEN", "the-right-token-for-this").start();
    let address = running.monitor();
    for _ in 0..20 {
        let headers = ["authorization: Bearer the-wrong-token-for-this"];
        ask(&address, "GET", "/api/status?token=hidden-in-the-query", &headers, "").refused(401);
    }
    let logs = until(&mut running, "/api/logs?level=warn", |logs| {
        logs["logs"].as_array().unwrap().iter().any(|entry| entry["context"]["target"] == "punk::monitor")
    });
    let told: Vec<&Value> =
        logs["logs"].as_array().unwrap().iter().filter(|entry| entry["context"]["target"] == "punk::monitor").collect();
    assert!((1..=6).contains(&told.len()), "not each who guesses: {logs:#}");
    assert_eq!(told[0]["context"]["fields"], json!({ "method": "GET" }), "{logs:#}");
    let text = logs.to_string();
    assert!(!text.contains("wrong-token") && !text.contains("hidden"), "{text}");
    stop(&address);
    running.wait();
}
