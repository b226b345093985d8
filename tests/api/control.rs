//! Changing a run through the monitor: what it answers, what the run does, what the report says of it.

use super::{Answer, change, get, shop, until};
use crate::builder::{punk, target};
use serde_json::{Value, json};

#[test]
fn pause_resume_scale_and_stop_are_obeyed_and_told_with_their_author() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let post = |what: &str, body: &str| change(&address, "POST", &format!("/api/control/{what}"), &[], body);
    assert_eq!(post("pause", "").ok()["status"], "paused");
    assert_eq!(post("pause", "{}").refused(409), "the run is paused already");
    assert_eq!(get(&address, "/api/status").ok()["status"], "paused");
    assert_eq!(post("resume", "").ok()["message"], "resumed");
    assert_eq!(post("scale", r#"{"scenario": "users", "users": 5}"#).ok()["message"], "users: 5 users");
    until(&mut running, "/api/status", |status| status["active_users"] == 5);
    for (body, status, why) in [
        (r#"{"scenario": "userz", "users": 5}"#, 422, "there is no scenario `userz`: did you mean `users`?"),
        (r#"{"scenario": "users", "rate": 5}"#, 422, "`users` has users, and no rate: give `users`"),
        (r#"{"scenario": "users"}"#, 422, "`users` or `rate` is missing"),
        // What can never be is the body's fault, not the run's state.
        (r#"{"scenario": "users", "users": -1}"#, 422, "-1 is no target: a number from 0 to 1000000"),
        (r#"{"scenario": "users", "users": 1e7}"#, 422, "10000000 is no target: a number from 0 to 1000000"),
        (r#"{"scenario": "users", "users": 2.5}"#, 422, "2.5 users: a whole number is wanted"),
        (r#"{"scenario": "users", "usres": 5}"#, 400, "the body cannot be read: unknown field `usres`"),
        (r#"{"scenario": "#, 400, "the body cannot be read: EOF while parsing"),
        ("", 400, "the body says what"),
    ] {
        let said = post("scale", body).refused(status);
        assert!(said.starts_with(why), "{body}: {said}");
    }
    let stopped = post("stop", r#"{"why": "seen enough"}"#).ok();
    assert!(["stopping", "cancelled"].contains(&stopped["status"].as_str().unwrap()), "{stopped:#}");
    let outcome = running.wait();
    outcome.assert_code(103);
    let summary = outcome.summary();
    assert_eq!(summary["exit_reason"][0]["message"], "stopped through the API: seen enough");
    let changes = summary["interventions"].as_array().unwrap();
    let told: Vec<&str> =
        changes.iter().filter(|one| one.get("refused").is_none()).map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(told, ["paused", "resumed", "users: 5 users", "stop: seen enough"]);
    assert!(changes.iter().all(|one| one["by"] == "the API" && one["at_seconds"].is_number()), "{changes:#?}");
    outcome.assert_stderr("paused (by the API)");
}

fn put(address: &str, revision: &str, body: &Value) -> Answer {
    change(address, "PUT", "/api/thresholds", &[&format!("if-match: {revision}")], &body.to_string())
}

#[test]
fn rules_are_edited_by_revision_and_what_is_wrong_with_them_has_its_place() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/thresholds", |rules| rules["thresholds"][0]["live"]["passed"] == true);
    let address = running.monitor();
    let first = get(&address, "/api/thresholds").ok();
    // What was got can be put.
    let same = put(&address, "\"1\"", &first);
    assert_eq!(same.ok()["revision"], 1);
    let mut edited = first.clone();
    edited["thresholds"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "selector": "http_req_duration", "expression": "p(95) < 10s", "severity": "warn" }));
    let done = put(&address, "\"1\"", &edited);
    assert!(done.head.contains("etag: \"2\""), "{done:?}");
    let rules = done.ok();
    assert_eq!((&rules["revision"], &rules["thresholds"][1]["severity"]), (&2.into(), &"warn".into()), "{rules:#}");
    assert_eq!(rules["alerts"][0]["live"]["state"], "firing", "the alert goes on: {rules:#}");

    let stale = put(&address, "\"1\"", &edited);
    assert_eq!(stale.refused(412), "revision 2 is current: get it, edit it, and name it in `If-Match`");
    change(&address, "PUT", "/api/thresholds", &[], &edited.to_string()).refused(428);
    for revision in ["yes", "1", "\"1", "W/\"1\""] {
        put(&address, revision, &edited).refused(400);
    }
    change(&address, "PUT", "/api/thresholds", &["if-match: *"], "").refused(400);
    assert_eq!(put(&address, "*", &json!({})).ok()["revision"], 2, "nothing was said, and all stays");
    let wrong = json!({ "thresholds": [
        { "selector": "http_reqz", "expression": "count > 1" },
        { "selector": "http_req_duration", "expression": "p95 < 300ms" },
        { "selector": "http_reqs", "expression": "count > 1", "grace": "soon" },
    ], "alerts": [{ "name": "a", "when": "count of http_reqs > 1", "severity": "awful" }] });
    let refused = put(&address, "\"2\"", &wrong);
    refused.refused(422);
    let problem = refused.json();
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(
        pointers,
        ["/thresholds/2/grace", "/alerts/0/severity", "/thresholds/0/selector", "/thresholds/1/expression"],
        "{problem:#}"
    );
    assert_eq!(problem["errors"][3]["label"], "did you mean `p(95)`?", "{problem:#}");
    assert_eq!((&problem["errors"][3]["offset"], &problem["errors"][3]["length"]), (&0.into(), &3.into()));

    // One edit cannot bring so much that judging it holds up the run.
    let many = |count: usize, expression: &str| -> Value {
        let rule = |at| json!({ "selector": format!("http_reqs{{name:a{at}}}"), "expression": expression });
        json!({ "thresholds": (0..count).map(rule).collect::<Value>() })
    };
    let flood = put(&address, "*", &many(1_001, "count >= 0"));
    flood.refused(422);
    let error = &flood.json()["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["detail"]),
        (&"/thresholds".into(), &"1001 thresholds: at most 1000 are taken".into())
    );
    let steep = put(&address, "*", &many(51, "slope(rate over 10s) < 1000/s"));
    assert!(
        steep.refused(422).starts_with("51 conditions have a `slope` or a `forecast`, and at most 50 are taken"),
        "{steep:?}"
    );
    let told: Vec<String> = (0..17).map(|at| format!("http://127.0.0.1:9/{at}")).collect();
    let loud = put(
        &address,
        "*",
        &json!({ "alerts": [{ "name": "loud", "when": "count of http_reqs < 0", "notify": told }] }),
    );
    loud.refused(422);
    assert_eq!(loud.json()["errors"][0]["pointer"], "/alerts/0/notify", "{loud:?}");

    // Only thresholds: alerts stay. One that fails the run decides its verdict.
    let failing = json!({ "thresholds": [{ "selector": "http_reqs", "expression": "count < 1" }] });
    let rules = put(&address, "*", &failing).ok();
    assert_eq!((&rules["revision"], rules["alerts"].as_array().unwrap().len()), (&3.into(), 1), "{rules:#}");
    assert_eq!(rules["thresholds"][0]["live"]["passed"], false, "it looks back: {rules:#}");
    assert_eq!(get(&address, "/api/status").ok()["verdict"], "failed");
    let trail = get(&address, "/api/thresholds/revisions").ok();
    let by: Vec<&Value> = trail["revisions"].as_array().unwrap().iter().map(|one| &one["by"]).collect();
    assert_eq!(by, ["the API", "the API"], "{trail:#}");
    super::stop(&address);
    let outcome = running.wait();
    let summary = outcome.summary();
    assert_eq!((&summary["revision"], &summary["edits"][1]["by"]), (&3.into(), &"the API".into()), "{summary:#}");
}

#[test]
fn an_alert_is_acknowledged_by_somebody_and_everybody_sees_it() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let post = |id: &str, body: &str| change(&address, "POST", &format!("/api/alerts/{id}/acknowledge"), &[], body);
    post("nothing%231", "").refused(404);
    post("busy%231", r#"{"by": "a\nb"}"#).refused(400);
    let done = post("busy%231", r#"{"by": "Ada"}"#).ok();
    assert_eq!(done["message"], "`busy#1` is acknowledged by Ada");
    assert_eq!(get(&address, "/api/alerts").ok()["alerts"][0]["acknowledged_by"], "Ada");
    super::stop(&address);
    let summary = running.wait().summary();
    assert_eq!(summary["alerts"][0]["acknowledged_by"], "Ada", "{:#}", summary["alerts"]);
    assert_eq!(summary["interventions"][0]["what"], "alert busy#1 acknowledged by Ada");
    assert_eq!(summary["interventions"][0]["by"], "the API");
}

#[test]
fn a_pause_before_the_scenarios_begin_says_when_it_holds() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        fn setup() { http::get("/echo"); sleep(2.s); }
        scenario("a", #{ users: 1, duration: 50.s, graceful_stop: 1.s, run: || { http::get("/echo"); sleep(20.ms); } });
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    running.until("setup", |_| target.stats().requests > 0);
    let address = running.monitor();
    let post = |what: &str| change(&address, "POST", &format!("/api/control/{what}"), &[], "");
    assert_eq!(post("pause").ok()["message"], "will pause when the scenarios begin");
    assert_eq!(post("pause").refused(409), "the run is to begin paused already");
    assert_eq!(post("resume").ok()["message"], "will not pause when the scenarios begin");
    assert_eq!(post("pause").ok()["message"], "will pause when the scenarios begin");
    until(&mut running, "/api/status", |status| status["status"] == "paused");
    assert_eq!(post("resume").ok()["message"], "resumed");
    super::stop(&address);
    running.wait();
}
