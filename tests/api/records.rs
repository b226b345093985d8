//! Errors and the log while a run goes on: counts against the target's own, every name of the contract, and nonsense refused.

use super::{ask, get, stop, until};
use crate::builder::{Running, punk, target};
use punk::target::{Target, TargetOptions, TlsMode};
use rustix::process::Signal;
use serde_json::{Value, json};

/// Everything that can go wrong, six times each; then one user stays, so that there is somebody to ask.
const BROKEN: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("breaks", #{ users: 2, iterations_per_user: 3, run: breaks, backoff: backoff::none() });
    scenario("stays", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: stays });
    fn breaks() {
        http::get("/echo?fault=reset", #{ name: "reset" });
        http::get("/echo?fault=garbage", #{ name: "garbage" });
        http::get("/echo?fault=black_hole", #{ name: "slow", timeout: 100.ms });
        http::get("/status/500", #{ name: "broken" });
        http::get("/status/500", #{ name: "broken too" });
        http::get("/status/404", #{ name: "gone" });
        http::get("http://127.0.0.1:1/", #{ name: "closed" });
        http::get("http://no-such-host.invalid/", #{ name: "nowhere" });
        http::get("EXPIRED/echo", #{ name: "expired" });
        check("never <b>", false);
        fail(`no cart ${vu::iteration()}`);
    }
    fn stays() { http::get("/echo", #{ name: "fine" }); sleep(50.ms); }
"#;

#[track_caller]
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no list `{name}` in {value:#}"))
}

#[track_caller]
fn row<'a>(errors: &'a Value, kind: &str, code: u64) -> &'a Value {
    let found = list(errors, "by_type").iter().find(|row| row["type"] == kind && row["code"] == code);
    found.unwrap_or_else(|| panic!("no {kind} {code} in {errors:#}"))
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok() && text.ends_with('Z'))
}

#[test]
fn errors_are_told_as_they_come_and_as_the_target_counts_them() {
    let target = target();
    let options = TargetOptions { tls: TlsMode::Expired, ..TargetOptions::default() };
    let expired = Target::start(options).expect("loopback has a free port");
    let mut running = punk().script(&BROKEN.replace("EXPIRED", &expired.url())).target(&target).monitored().start();
    let errors =
        until(&mut running, "/api/errors", |errors| errors["total_errors"] == 60 && errors["failed_checks"] == 6);
    for (kind, code, category, count, operations) in [
        ("reset_before_headers", 1220, "connect", 6u64, json!(["reset"])),
        ("protocol", 1000, "protocol", 6, json!(["garbage"])),
        ("timeout", 1050, "timeout", 6, json!(["slow"])),
        ("http", 1500, "http_5xx", 12, json!(["broken", "broken too"])),
        ("http", 1404, "http_4xx", 6, json!(["gone"])),
        ("refused", 1212, "connect", 6, json!(["closed"])),
        ("dns_not_found", 1101, "dns", 6, json!(["nowhere"])),
        ("tls_expired", 1300, "tls", 6, json!(["expired"])),
        ("script", 0, "script", 6, json!(["breaks"])),
    ] {
        let row = row(&errors, kind, code);
        assert_eq!((&row["count"], &row["category"]), (&json!(count), &json!(category)), "{row:#}");
        assert_eq!(row["operations"], operations, "{row:#}");
        assert_eq!(row["percentage"].as_f64().map(f64::round), Some((count as f64 / 0.6).round()), "{row:#}");
        assert!(row["sample_message"].as_str().is_some_and(|sample| !sample.is_empty()), "{row:#}");
        assert!(is_time(&row["first_seen"]) && is_time(&row["last_seen"]), "{row:#}");
        assert!(row["first_seen"].as_str() <= row["last_seen"].as_str(), "{row:#}");
        let mut workers: Vec<u64> = list(row, "worker_ids").iter().filter_map(Value::as_u64).collect();
        workers.sort_unstable();
        assert_eq!(workers.len(), 2, "{row:#}");
        assert_eq!(row["by_scenario"][0]["name"], "breaks", "{row:#}");
        let over_time: u64 = list(&row["over_time"], "counts").iter().filter_map(|one| one["count"].as_u64()).sum();
        assert_eq!(over_time, count, "{row:#}");
    }
    let sum: u64 = list(&errors, "by_type").iter().filter_map(|row| row["count"].as_u64()).sum();
    assert_eq!((sum, &errors["unlisted_errors"]), (60, &json!(0)), "{errors:#}");
    let broken = &row(&errors, "http", 1500)["by_operation"][0];
    assert_eq!((&broken["count"], &broken["percentage"], &broken["error_rate"]), (&6.into(), &50.into(), &100.into()));
    assert!(broken["lift"].as_f64() > Some(1.0), "{broken:#}");
    assert!(row(&errors, "script", 0)["place"].as_str().unwrap().contains("test.rhai:16"), "{errors:#}");

    let recent = list(&errors, "recent_errors");
    assert_eq!(recent.len(), 50, "the last ones");
    for one in recent {
        for name in ["type", "message", "operation"] {
            assert!(one[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {one:#}");
        }
        assert!(is_time(&one["timestamp"]) && one["worker_id"].as_u64() > Some(0), "{one:#}");
    }
    assert!(recent.is_sorted_by(|one, other| one["timestamp"].as_str() >= other["timestamp"].as_str()), "latest first");

    let patterns = list(&errors, "patterns");
    let pattern = |text: &str| patterns.iter().find(|one| one["pattern"].as_str().unwrap().contains(text));
    assert_eq!(pattern("no cart <n>").unwrap()["count"], 6, "{patterns:#?}");
    assert_eq!(pattern("status 500").unwrap()["count"], 12, "{patterns:#?}");
    assert!(patterns.is_sorted_by(|one, other| one["count"].as_u64() >= other["count"].as_u64()), "{patterns:#?}");
    let check = &list(&errors, "checks")[0];
    assert_eq!((&check["name"], &check["count"]), (&json!("never <b>"), &json!(6)), "text, not markup");

    let stats = target.stats();
    assert_eq!((stats.responses.get(&500), stats.responses.get(&404)), (Some(&12), Some(&6)), "{stats:?}");
    for fault in ["reset", "garbage", "black_hole"] {
        assert_eq!(
            stats.faults.iter().find(|(name, _)| name.to_string() == fault).map(|(_, count)| *count),
            Some(6),
            "{stats:?}"
        );
    }
    // The handshake is the client's to refuse.
    assert_eq!((expired.stats().requests, expired.stats().connections), (0, 6), "{:?}", expired.stats());
    let address = running.monitor();
    assert_eq!(get(&address, "/api/errors?since=3").refused(400), "there is no parameter `since` here");
    stop(&address);
    running.wait();
}

#[test]
fn a_run_without_errors_says_so_in_full() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: || { http::get("/echo"); sleep(20.ms); } });
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let errors = get(&address, "/api/errors").ok();
    for name in ["by_type", "recent_errors", "patterns", "checks"] {
        assert_eq!(errors[name], json!([]), "{errors:#}");
    }
    assert_eq!((&errors["total_errors"], &errors["failed_checks"]), (&json!(0), &json!(0)), "{errors:#}");
    stop(&address);
    running.wait();
}

/// Says something at each level, 100 times.
const TALKS: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("talks", #{ users: 1, iterations: 50, run: talks });
    scenario("stays", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: || { http::get("/echo"); sleep(50.ms); } });
    fn talks() {
        log::trace(`fine ${vu::iteration()}`);
        log::info(`said ${vu::iteration()}`);
        log::warn("<script>alert(1)</script>");
        if vu::iteration() == 49 { log::error("the last word"); }
    }
"#;

fn talking() -> (punk::target::RunningTarget, Running) {
    let target = target();
    let mut running = punk().script(TALKS).target(&target).monitored().start();
    until(&mut running, "/api/logs?level=error", |logs| !list(logs, "logs").is_empty());
    (target, running)
}

#[test]
fn the_log_is_told_by_level_and_page_by_page() {
    let (_target, mut running) = talking();
    let address = running.monitor();
    let last = get(&address, "/api/logs?level=error").ok();
    let entry = &list(&last, "logs")[0];
    assert_eq!((&entry["level"], &entry["message"]), (&json!("error"), &json!("the last word")), "{last:#}");
    assert!(is_time(&entry["timestamp"]), "{last:#}");
    assert_eq!((&entry["context"]["scenario"], &entry["context"]["source"]), (&json!("talks"), &json!("script")));
    assert!(entry["context"]["worker_id"].as_u64() > Some(0) && entry["context"]["elapsed_seconds"].is_number());

    let usual = get(&address, "/api/logs").ok();
    assert_eq!(list(&usual, "logs").len(), 100, "{usual:#}");
    assert!(list(&usual, "logs").iter().all(|entry| entry["level"] != "debug"), "{usual:#}");
    let some = get(&address, "/api/logs?level=warn&limit=7").ok();
    assert_eq!(list(&some, "logs").len(), 7);
    assert!(list(&some, "logs").iter().any(|entry| entry["message"] == "<script>alert(1)</script>"), "{some:#}");

    let (mut since, mut numbers) = (0, Vec::new());
    loop {
        let page = get(&address, &format!("/api/logs?level=trace&limit=40&since={since}")).ok();
        let entries = list(&page, "logs");
        assert!(entries.len() <= 40 && page["lost"] == 0, "{page:#}");
        numbers.extend(entries.iter().filter_map(|entry| entry["number"].as_u64()));
        since = page["next"].as_u64().unwrap();
        if entries.len() < 40 {
            break;
        }
    }
    assert!(numbers.len() > 150 && numbers.iter().copied().eq(0..numbers.len() as u64), "each once: {numbers:?}");
    assert_eq!(list(&get(&address, &format!("/api/logs?since={since}")).ok(), "logs").len(), 0);
    stop(&address);
    running.wait();
}

#[test]
fn nonsense_about_the_log_is_refused() {
    let (_target, mut running) = talking();
    let address = running.monitor();
    for (query, why) in [
        ("level=loud", "`level=loud`: it is one of trace, debug, info, warn, error"),
        ("level=warning", "`level=warning`: it is one of trace, debug, info, warn, error"),
        ("level=", "`level=`: it is one of"),
        ("limit=0", "`limit=0`: a whole number from 1 to 1000 is wanted"),
        ("limit=1001", "`limit=1001`: a whole number from 1 to 1000 is wanted"),
        ("since=-1", "`since=-1`: a whole number from 0 to"),
        ("since=1&since=2", "`since` is given twice"),
        ("after=1", "there is no parameter `after` here: the parameters are level, limit, since"),
    ] {
        let said = get(&address, &format!("/api/logs?{query}")).refused(400);
        assert!(said.starts_with(why), "{query}: {said}");
    }
    let origin = format!("origin: http://{address}");
    ask(&address, "POST", "/api/logs", &[&origin, "x-punk: 1"], "").refused(405);
    stop(&address);
    running.wait();
}

#[test]
fn who_changed_what_stands_in_the_log_and_in_the_report() {
    let target = target();
    let mut running = super::shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let post = |path: &str, body: &str| super::change(&address, "POST", path, &[], body).ok();
    post("/api/control/pause", "");
    post("/api/control/resume", "");
    post("/api/control/scale", r#"{"scenario": "users", "users": 2}"#);
    post("/api/alerts/busy%231/acknowledge", r#"{"by": "Ada <b>"}"#);
    let rules = r#"{"thresholds": [{"selector": "http_req_failed", "expression": "rate < 40%"}]}"#;
    super::change(&address, "PUT", "/api/thresholds", &["if-match: \"1\""], rules).ok();
    let known =
        ["paused (by the API)", "resumed (by the API)", "users: 2 users (by the API)", "revision 2 (by the API)"];
    let logs = until(&mut running, "/api/logs?since=0", |logs| {
        let said: Vec<&str> = list(logs, "logs").iter().filter_map(|entry| entry["message"].as_str()).collect();
        known.iter().all(|known| said.iter().any(|said| said.starts_with(known)))
    });
    let said = list(&logs, "logs").iter().find(|entry| entry["message"].as_str().unwrap().contains("Ada <b>"));
    let said = said.unwrap_or_else(|| panic!("nobody acknowledged: {logs:#}"));
    assert!(is_time(&said["timestamp"]) && said["message"].as_str().unwrap().contains("busy#1"), "{said:#}");
    stop(&address);
    let outcome = running.wait();
    let summary = outcome.summary();
    let report = outcome.stdout();
    for what in ["paused", "resumed", "users: 2 users", "Ada <b>", "stop: the test is over"] {
        let found = list(&summary, "interventions").iter().find(|one| one["what"].as_str().unwrap().contains(what));
        let found = found.unwrap_or_else(|| panic!("no {what} in {:#}", summary["interventions"]));
        assert!(found["by"] == "the API" && found["at_seconds"].is_number(), "{found:#}");
        assert!(report.contains(what), "{what}: {report}");
    }
    assert_eq!((&summary["edits"][0]["by"], &summary["edits"][0]["revision"]), (&json!("the API"), &json!(2)));
    assert!(report.contains("the test is over") && report.contains("the API"), "{report}");
}

#[test]
fn what_somebody_did_outlives_any_number_of_refusals() {
    let target = target();
    let mut running = super::shop(&target).start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let post = |path: &str, body: &str| super::change(&address, "POST", path, &[], body).ok();
    post("/api/control/scale", r#"{"scenario": "users", "users": 2}"#);
    let resume = || super::change(&address, "POST", "/api/control/resume", &[], "").refused(409);
    (0..1_005).for_each(|_| assert_eq!(resume(), "the run is not paused"));
    until(&mut running, "/api/thresholds/revisions", |trail| trail["unlisted_interventions"] == 6);
    post("/api/control/pause", "");
    post("/api/control/resume", "");
    post("/api/control/scale", r#"{"scenario": "users", "users": 5}"#);
    let wanted = ["users: 2 users", "paused", "resumed", "users: 5 users"];
    let done = |trail: &Value| -> Vec<String> {
        let all = list(trail, "interventions").iter().filter(|one| one.get("refused").is_none());
        all.map(|one| one["what"].as_str().unwrap().to_owned()).collect()
    };
    let trail = get(&address, "/api/thresholds/revisions").ok();
    assert_eq!(done(&trail), wanted, "the answer comes when its entry is there");
    assert_eq!((list(&trail, "interventions").len(), &trail["unlisted_interventions"]), (1_000, &json!(9)));
    let logs = get(&address, "/api/logs?limit=50").ok();
    let said: Vec<&str> = list(&logs, "logs").iter().filter_map(|entry| entry["message"].as_str()).collect();
    assert!(said.iter().any(|said| said.starts_with("users: 5 users (by the API)")), "{logs:#}");
    stop(&address);
    let outcome = running.wait();
    let summary = outcome.summary();
    assert!(done(&summary).starts_with(&wanted.map(str::to_owned)), "{:#}", summary["interventions"]);
    let lost = summary["unlisted_interventions"].as_u64().unwrap();
    assert!(outcome.stdout().contains(&format!("and {lost} more, for which there is no room")), "{lost}");
}

#[test]
fn who_stopped_a_run_and_why_stands_in_the_log_and_in_the_report() {
    /// What stops it, and then who and why.
    type Stops = (fn(&mut Running), &'static str, &'static str);
    let ways: [Stops; 3] = [
        (|running| stop(&running.monitor()), "the API", "the test is over"),
        (|running| running.type_line("stop"), "the terminal", "stopped from the terminal"),
        (|running| running.send(Signal::INT), "a signal", "interrupted by a signal"),
    ];
    let target = target();
    // Its last iteration is long enough for somebody to look.
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 3.s, run: || { http::get("/echo"); sleep(50.s); } });
    "#;
    for (stops, by, why) in ways {
        let mut running = punk().script(script).target(&target).listening().monitored().start();
        // The diary knows the time of day from the first second that it has seen.
        until(&mut running, "/api/status", |status| status["elapsed_seconds"].as_f64() > Some(0.5));
        stops(&mut running);
        let what = format!("stop: {why}");
        let trail = until(&mut running, "/api/thresholds/revisions", |trail| !list(trail, "interventions").is_empty());
        let one = &trail["interventions"][0];
        assert_eq!((&one["what"], &one["by"]), (&json!(what), &json!(by)), "{trail:#}");
        assert!(is_time(&one["timestamp"]), "{trail:#}");
        let logs = get(&running.monitor(), "/api/logs?since=0").ok();
        let said: Vec<&str> = list(&logs, "logs").iter().filter_map(|entry| entry["message"].as_str()).collect();
        assert!(said.contains(&format!("{what} (by {by})").as_str()), "{logs:#}");
        let outcome = running.wait();
        let summary = outcome.summary();
        let one = &summary["interventions"][0];
        assert_eq!((&one["what"], &one["by"]), (&json!(what), &json!(by)), "{:#}", summary["interventions"]);
        assert!(one["at_seconds"].as_f64() > Some(0.0), "{one:#}");
        assert!(outcome.stdout().contains(&format!("{what} (by {by})")), "{}", outcome.told());
    }
}
