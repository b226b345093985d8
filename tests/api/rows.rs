//! Every row of the monitor's table: what it answers, under all of its paths, and what it says to nonsense.

use super::{ask, get, shop, stop, until};
use crate::builder::target;
use serde_json::Value;

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("it is an object").keys().map(String::as_str).collect()
}

#[test]
fn every_row_answers_under_all_of_its_paths() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let sessions = get(&address, "/api/sessions").ok();
    let id = sessions["sessions"][0]["session_id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("punk-20") && id.len() == "punk-20260118-153045".len(), "{id}");
    for path in [
        "status",
        "metrics",
        "metrics/timeline",
        "metrics/series?name=http_reqs",
        "health",
        "thresholds",
        "thresholds/revisions",
        "alerts",
    ] {
        let plain = get(&address, &format!("/api/{path}")).ok();
        for prefix in ["/api/v1".to_owned(), format!("/api/sessions/{id}"), format!("/api/v1/sessions/{id}")] {
            let other = get(&address, &format!("{prefix}/{path}")).ok();
            assert_eq!(keys(&plain), keys(&other), "{prefix}/{path}");
        }
    }

    let status = get(&address, "/api/status").ok();
    assert_eq!(status["status"], "running", "{status:#}");
    assert_eq!((&status["verdict"], &status["script_revision"]), (&"passed".into(), &1.into()));
    assert!(status["script"].as_str().unwrap().ends_with("test.rhai"), "{status:#}");
    assert_eq!((&status["config"]["duration"], &status["config"]["workers"]), (&50.into(), &3.into()));
    assert_eq!(status["config"]["scenario"], "users");
    assert!((0.0..100.0).contains(&status["progress"].as_f64().unwrap()), "{status:#}");

    let metrics = get(&address, "/api/metrics").ok();
    assert_eq!(keys(&metrics), ["timestamp", "total", "by_operation"]);
    assert_eq!(keys(&metrics["total"]), ["operations", "errors", "success_rate", "throughput", "latency"]);
    let latency = ["min", "max", "mean", "stddev", "p50", "p90", "p95", "p99", "p999"];
    assert_eq!(keys(&metrics["total"]["latency"]), latency);
    assert_eq!(metrics["total"]["operations"], metrics["by_operation"]["products"]["count"]);
    assert_eq!(metrics["total"]["success_rate"], 100);
    let now = metrics["total"]["operations"].as_u64().unwrap();
    assert!((1..=target.stats().requests).contains(&now), "{now} of {}", target.stats().requests);

    let health = get(&address, "/api/health").ok();
    let components = ["shards", "collector", "monitor", "outputs", "target", "history"];
    assert_eq!(keys(&health["components"]), components);
    assert_eq!(health["components"]["target"]["status"], "healthy", "{health:#}");

    let thresholds = get(&address, "/api/thresholds");
    assert!(thresholds.head.contains("etag: \"1\""), "{thresholds:?}");
    let rule = &thresholds.ok()["thresholds"][0];
    assert_eq!((&rule["selector"], &rule["expression"]), (&"http_req_failed".into(), &"rate < 50%".into()));
    assert_eq!((&rule["live"]["passed"], &rule["live"]["value"]), (&true.into(), &0.into()), "{rule:#}");

    let alert = get(&address, "/api/alerts").ok()["alerts"][0].clone();
    assert_eq!((&alert["id"], &alert["severity"]), (&"busy#1".into(), &"critical".into()));
    assert_eq!((&alert["metric"], &alert["threshold"]), (&"http_reqs".into(), &"count of http_reqs > 5".into()));
    assert_eq!(get(&address, "/api/thresholds/revisions").ok()["revisions"], serde_json::json!([]));
    stop(&address);
    assert_eq!(running.wait().code(), 103);
}

#[test]
fn the_past_is_told_stretch_by_stretch() {
    let target = target();
    let mut running = shop(&target).start();
    let path = "/api/metrics/timeline?window=60&interval=1";
    let timeline = until(&mut running, path, |timeline| timeline["data_points"].as_array().unwrap().len() >= 3);
    assert_eq!((&timeline["interval_seconds"], &timeline["resolution_seconds"]), (&1.into(), &1.into()));
    let points = timeline["data_points"].as_array().unwrap();
    for (at, point) in points.iter().enumerate() {
        assert_eq!(point["elapsed_seconds"], at, "{timeline:#}");
        assert!(point["throughput"].as_f64().unwrap() > 0.0, "{timeline:#}");
        assert_eq!((&point["error_rate"], &point["active_users"]), (&0.into(), &3.into()), "{timeline:#}");
        let [p50, p95, p99] = ["latency_p50", "latency_p95", "latency_p99"].map(|name| point[name].as_f64().unwrap());
        assert!(p50 <= p95 && p95 <= p99, "{timeline:#}");
        assert!(point["timestamp"].as_str().unwrap().ends_with('Z'), "{timeline:#}");
    }
    let address = running.monitor();
    // A second that is over is told the same again.
    let again = get(&address, path).ok();
    assert_eq!(again["data_points"][0]["throughput"], points[0]["throughput"]);

    let series = get(&address, "/api/metrics/series?name=http_req_duration&tags=name:products&window=60&interval=1");
    let series = series.ok();
    assert_eq!((&series["kind"], &series["unit"]), (&"trend".into(), &"time".into()));
    let seen = series["values"]["count"].as_u64().unwrap();
    assert!(seen >= points.len() as u64, "{series:#}");
    assert!(series["data_points"][0]["values"]["distribution"]["p95"].is_number(), "{series:#}");
    assert_eq!(series["series"][0]["tags"]["name"], "products");
    let none = get(&address, "/api/metrics/series?name=http_reqs&tags=name:nothing").ok();
    assert_eq!((none.get("values"), &none["total_series"]), (None, &0.into()), "{none:#}");
    stop(&address);
    running.wait();
}

#[test]
fn nonsense_is_answered_with_a_reason() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    for (path, why) in [
        ("/api/metrics/timeline?window=0", "`window=0`: a whole number from 1 to 3600 is wanted"),
        ("/api/metrics/timeline?window=5&interval=6", "`interval=6`: a whole number from 1 to 5 is wanted"),
        ("/api/metrics/timeline?windows=5", "there is no parameter `windows` here: did you mean `window`?"),
        ("/api/metrics/series", "`name` is missing: which metric, such as `name=http_req_duration`"),
        ("/api/metrics/series?name=http_reqs&tags=name", "`tags=name`: it is written like `scenario:users`"),
    ] {
        let said = get(&address, path).refused(400);
        assert!(said.starts_with(why), "{path}: {said}");
    }
    let said = get(&address, "/api/metrics/series?name=http_req_durations").refused(404);
    assert!(said.contains("did you mean `http_req_duration`?"), "{said}");
    get(&address, "/api/sessions/punk-20000101-000000/status").refused(404);
    get(&address, "/api/nothing").refused(404);
    get(&address, "/nothing").refused(404);
    let root = get(&address, "/");
    assert!(root.status == 303 && root.head.contains("location: /docs"), "{root:?}");
    let wrong = ask(&address, "POST", "/api/status", &[&format!("origin: http://{address}"), "x-punk: 1"], "");
    wrong.refused(405);
    assert!(wrong.head.contains("allow: get,head"), "{wrong:?}");
    let head = ask(&address, "HEAD", "/api/status", &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    stop(&address);
    running.wait();
}

#[test]
fn prometheus_scrapes_what_the_api_says() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/metrics", |metrics| metrics["total"]["operations"].as_u64() > Some(10));
    let address = running.monitor();
    let classic = get(&address, "/metrics");
    assert_eq!(classic.status, 200, "{}", classic.head);
    assert!(classic.head.contains("content-type: text/plain; version=0.0.4"), "{}", classic.head);
    assert!(classic.body.contains("# TYPE punk_http_reqs_total counter"), "{}", classic.body);
    let open = ask(&address, "GET", "/metrics", &["accept: application/openmetrics-text; version=1.0.0"], "");
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", open.head);
    assert!(open.body.trim_end().ends_with("# EOF"), "{}", open.body);
    stop(&address);
}
