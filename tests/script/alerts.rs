//! Alerts and thresholds of time as scripts declare them: what is wrong with one is told, what is right is printed.

use crate::builder::{Outcome, punk};
use insta::assert_snapshot;

fn check(script: &str) -> Outcome {
    punk().script(script).command("check").run()
}

#[test]
fn alerts_that_cannot_be() {
    let outcome = check(
        r#"alert("slow", #{ when: "p(99) over 10s > 800ms", lastign: 5.s });
alert("slow", #{ when: "p(99) of http_req_duratoin > 800ms for 5s", lasting: 5.s, severity: "fatal" });
alert("", #{ lasting: 5 });
alert(7, #{ when: "value of vus >" });
alert("many", 5);
alert("to", #{ when: "value of vus > 5", resolve_when: "value of vus < 1 for 2s", resolve_after: 2.s,
    notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
alert("map", #{ when: "value of vus > 5", notify: #{ url: "ftp://a.test", headers: #{ "a b": "c" } } });
alert("then", #{ when: "value of vus > 5", then: |a, b| a });
alert("none", #{ when: "value of vus > 5", then: || 5 });
alert("named", #{ when: "value of vus > 5", then: page });
alert("text", #{ when: 5, then: "page", notify: 5 });
alert("this", #{ when: "value of vus > 5", then: |a| this.x });
fn page() { }
fn run() { }
"#,
    );
    outcome.assert_code(104);
    assert_snapshot!(outcome.stderr(), @"");
}

#[test]
fn thresholds_of_time_that_cannot_be() {
    let outcome = check(
        r#"scenario("browse", #{ users: 1, duration: 1.s, run: || 1 });
threshold("http_req_duration", "p(95) < 300ms over 0s");
threshold("http_req_duration", "p(95) < 300ms for 5s", #{ lasting: 5.s });
threshold("http_req_duration", "p(95) < 300ms", #{ abort: "scenario" });
threshold("http_req_duration{scenario:brwose}", "p(95) < 300ms", #{ abort: "scenario" });
threshold("http_req_duration", "max < 1s", #{ abort: "scenaro" });
threshold("http_req_duration", "max < 2s", #{ abort: 5 });
threshold("tail", |m| m.p(95, "http_req_duration", 30.s) < 300, #{ abort: "scenario" });
threshold("tail", |m| true);
threshold("", || true);
threshold("warn", |m| true, #{ severity: "warn", abort: true, grcae: 1.s });
threshold("this", |m| this.a);
threshold("http_req_duration", "p(95) < baseline");
scenario("find", #{ rate: find_capacity(#{ start: 1, max: 5, objective: "p(95) over 5s < 1s for 3s" }), max_users: 3, run: || 1 });
"#,
    );
    outcome.assert_code(104);
    assert_snapshot!(outcome.stderr(), @"");
}

#[test]
fn what_is_right_is_printed() {
    let script = r#"const FAST = 300;
let slack = 5;
scenario("browse", #{ users: 1, duration: 1.s, run: || 1 });
threshold("http_req_duration", "p(95) < 300ms over 30s and slope(p(95) over 1m) < 5ms/s for 20s");
threshold("http_req_duration{scenario:browse}", "max < 2s", #{ lasting: 5.s, abort: "scenario" });
threshold("forecast(p(95) of http_req_duration over 1m, 2m) < 400ms", #{ severity: "warn" });
threshold("tail", |m| {
    m.p(95, "http_req_duration", 30.s) < 300 + slack
}, #{ abort: true });
threshold("named", fast, #{ scenario: "browse", abort: "scenario" });
alert("slow tail", #{
    when: "p(99) of http_req_duration over 10s > 800ms for 5s", severity: "critical",
    resolve_when: "p(99) of http_req_duration over 10s < 500ms", resolve_after: 0.s,
    description: "requests are slow", resolution: "look at the database",
    notify: ["https://hooks.test/canary", #{ url: "https://me:canary@b.test/", headers: #{ Authorization: "canary" } }],
    then: |alert| log::warn(alert.name),
});
alert("many", #{ when: "value of vus > 1k", notify: "http://127.0.0.1:9" });
fn fast(m) { true }
"#;
    let outcome = check(script);
    outcome.assert_passed();
    let plan = outcome.stdout();
    assert!(!plan.contains("canary"), "{plan}");
    let rules = plan.find("THRESHOLDS").map(|at| &plan[at..]).unwrap_or_default();
    assert_snapshot!(rules, @"");
    let outcome = punk().script(script).command("check").arg("--json").run();
    let json = outcome.json();
    assert!(!json.to_string().contains("canary"), "{json}");
    assert_snapshot!(serde_json::to_string_pretty(&json["thresholds"]).unwrap(), @"");
    assert_snapshot!(serde_json::to_string_pretty(&json["alerts"]).unwrap(), @"");
}
