//! Downloads of a run that goes on: each format as its own readers have it, and nothing of a script becomes markup.

use super::{ask, change, get, shop, stop, until};
use crate::builder::{punk, target};
use serde_json::Value;

/// Names that are markup wherever they are not text.
const ODD: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("odd", #{ users: 2, duration: 50.s, graceful_stop: 1.s, run: odd });
    threshold("http_req_duration{name:<b>\"&'}", "p(95) < 60s");
    threshold("http_req_failed", "rate < 1%");
    threshold("checks", "rate > 0%");
    fn odd() {
        http::get("/echo", #{ name: `<b>"&'` });
        http::get("/status/500", #{ name: "a,b\nc" });
        check("<script>alert(1)</script>", true);
        sleep(20.ms);
    }
"#;

#[test]
fn a_run_is_downloaded_in_every_format() {
    let target = target();
    let mut running = punk().script(ODD).target(&target).monitored().start();
    until(&mut running, "/api/metrics", |metrics| metrics["total"]["errors"].as_u64() > Some(5));
    let address = running.monitor();
    let id = get(&address, "/api/status").ok()["session_id"].as_str().unwrap().to_owned();
    let file = |query: &str, media: &str, end: &str| {
        let answer = get(&address, &format!("/api/export{query}"));
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert!(answer.head.contains(&format!("content-type: {media}")), "{query}: {}", answer.head);
        let name = format!("content-disposition: attachment; filename=\"{id}.{end}\"");
        assert!(answer.head.contains(&name), "{query}: {}", answer.head);
        answer.body
    };

    let json: Value = serde_json::from_str(&file("", "application/json", "json")).unwrap();
    assert_eq!(crate::builder::against_schema(&json), Vec::<String>::new(), "{json:#}");
    assert_eq!((&json["verdict"], &json["exit_code"]), (&"failed".into(), &99.into()), "as it would end now");
    assert!(json["metrics"]["http_reqs"]["values"]["count"].as_u64() > Some(10), "{json:#}");

    let text = file("?format=csv", "text/csv; charset=utf-8; header=present", "csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().next(), Some("metric"));
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("each row has all columns")).collect();
    let requests = |tags: &str| {
        let row = rows
            .iter()
            .find(|row| &row[0] == "http_reqs" && (tags.is_empty() == row[3].is_empty()) && row[3].contains(tags));
        row.unwrap_or_else(|| panic!("no {tags} in {text}"))[5].parse::<f64>().unwrap()
    };
    assert_eq!(requests(""), requests("name:<b>\"&'") + requests("name:a,b"), "{text}");
    assert!(text.lines().count() > rows.len(), "a name with a break is one cell");

    let html = file("?format=html", "text/html; charset=utf-8", "html");
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("default-src 'none'"), "{html}");
    assert!(html.contains("&lt;b&gt;&quot;&amp;&#39;") && html.contains("&lt;script&gt;alert(1)"), "{html}");
    assert!(!html.contains("<b>") && !html.contains("<script"), "{html}");
    assert!(html.contains("FAILED") && html.contains("status 500"), "{html}");

    let junit = file("?format=junit", "application/xml", "xml");
    assert!(junit.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites"), "{junit}");
    assert_eq!((junit.matches("<testcase ").count(), junit.matches("<failure ").count()), (4, 1), "{junit}");
    assert!(junit.contains("tests=\"4\" failures=\"1\"") && !junit.contains("<b>"), "{junit}");
    stop(&address);
    running.wait();
}

#[test]
fn nonsense_is_refused_and_nothing_is_uploaded() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let said = get(&address, "/api/export?format=xlsx").refused(400);
    assert_eq!(said, "`format=xlsx`: it is one of json, csv, html, junit");
    get(&address, "/api/export?as=json").refused(400);
    let script = r#"{"script": "fn run() {}"}"#;
    ask(&address, "POST", "/api/sessions", &[], script).refused(403);
    let said = change(&address, "POST", "/api/sessions", &[], script).refused(403);
    assert!(said.contains("--monitor-upload"), "{said}");
    assert_eq!(get(&address, "/api/sessions").ok()["sessions"].as_array().unwrap().len(), 1);
    stop(&address);
    running.wait();
}
