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
    assert_snapshot!(outcome.stderr(), @r#"
error: `p(99)` of which metric?
 --> test.rhai:1:25
  |
1 | alert("slow", #{ when: "p(99) over 10s > 800ms", lastign: 5.s });
  |                         ^^^^^^^^^^^^^^ write `p(99) of http_req_duration`, say

error: unknown option `lastign` of `alert`
 --> test.rhai:1:50
  |
1 | alert("slow", #{ when: "p(99) over 10s > 800ms", lastign: 5.s });
  |                                                  ^^^^^^^ did you mean `lasting`?

error: an alert `slow` exists already
 --> test.rhai:2:7
  |
2 | alert("slow", #{ when: "p(99) of http_req_duratoin > 800ms for 5s", lasting: 5.s, severity: "fatal" });
  |       ^^^^^^

error: unknown metric `http_req_duratoin`
 --> test.rhai:2:34
  |
2 | alert("slow", #{ when: "p(99) of http_req_duratoin > 800ms for 5s", lasting: 5.s, severity: "fatal" });
  |                                  ^^^^^^^^^^^^^^^^^ did you mean `http_req_duration`?

error: `severity` is one of "info", "warning", "error", "critical", not "fatal"
 --> test.rhai:2:93
  |
2 | alert("slow", #{ when: "p(99) of http_req_duratoin > 800ms for 5s", lasting: 5.s, severity: "fatal" });
  |                                                                                             ^^^^^^^

error: an alert says `when` it rings
 --> test.rhai:3:1
  |
3 | alert("", #{ lasting: 5 });
  | ^^^^^
  |
  = help: `alert("slow tail", #{ when: "p(99) of http_req_duration over 10s > 800ms", lasting: 5.s })`

error: an alert has a name that is not empty
 --> test.rhai:3:7
  |
3 | alert("", #{ lasting: 5 });
  |       ^^

error: `lasting`: a bare number is not a duration: write `5.s` or `"5s"`
 --> test.rhai:3:23
  |
3 | alert("", #{ lasting: 5 });
  |                       ^

error: the name of an alert is text, not an integer
 --> test.rhai:4:7
  |
4 | alert(7, #{ when: "value of vus >" });
  |       ^

error: expected a method such as `p(95)` or a limit such as `300ms`, found the end
 --> test.rhai:4:34
  |
4 | alert(7, #{ when: "value of vus >" });
  |                                  ^

error: the second argument of `alert` is a map, not an integer
 --> test.rhai:5:15
  |
5 | alert("many", 5);
  |               ^
  |
  = help: `alert("slow tail", #{ when: "p(99) of http_req_duration over 10s > 800ms", lasting: 5.s })`

error: the expression says `for`, the options say `resolve_after`
 --> test.rhai:6:98
  |
6 | alert("to", #{ when: "value of vus > 5", resolve_when: "value of vus < 1 for 2s", resolve_after: 2.s,
  |                                                                                                  ^
  |
  = help: they mean the same: leave out `for` or `resolve_after`

error: an alert is sent by HTTP, not by `mailto`
 --> test.rhai:7:34
  |
7 |     notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
  |                                  ^^^^^^^^^^^^^^^^^
  |
  = help: write `"https://example.com/hook"`

error: `a.test` is no URL
 --> test.rhai:7:53
  |
7 |     notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
  |                                                     ^
  |
  = help: write `"https://example.com/hook"`

error: `notify` has no `url`
 --> test.rhai:7:73
  |
7 |     notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
  |                                                                         ^

error: unknown option `header` of `notify`
 --> test.rhai:7:76
  |
7 |     notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
  |                                                                            ^^^^^^ did you mean `headers`?

error: `notify` is an address, a map with `url`, or a list of these, not an integer
 --> test.rhai:7:91
  |
7 |     notify: ["https://a.test/x", "mailto:a@b.test", #{ url: "a.test" }, #{ header: #{} }, 5] });
  |                                                                                           ^
  |
  = help: `notify: "https://example.com/hook"`

error: an alert is sent by HTTP, not by `ftp`
 --> test.rhai:8:51
  |
8 | alert("map", #{ when: "value of vus > 5", notify: #{ url: "ftp://a.test", headers: #{ "a b": "c" } } });
  |                                                   ^
  |
  = help: write `"https://example.com/hook"`

error: `then` takes one parameter, and this closure does not
 --> test.rhai:9:50
  |
9 | alert("then", #{ when: "value of vus > 5", then: |a, b| a });
  |                                                  ^
  |
  = help: it gets the alert: `|alert| log::warn(alert.name)`

error: `then` takes one parameter, and this closure does not
  --> test.rhai:10:50
   |
10 | alert("none", #{ when: "value of vus > 5", then: || 5 });
   |                                                  ^
   |
   = help: it gets the alert: `|alert| log::warn(alert.name)`

error: `then` takes one parameter, and `page` does not
  --> test.rhai:11:51
   |
11 | alert("named", #{ when: "value of vus > 5", then: page });
   |                                                   ^^^^
   |
   = help: it gets the alert: `|alert| log::warn(alert.name)`

error: `when` is text, not an integer
  --> test.rhai:12:24
   |
12 | alert("text", #{ when: 5, then: "page", notify: 5 });
   |                        ^

error: `then` is a closure, not a string
  --> test.rhai:12:33
   |
12 | alert("text", #{ when: 5, then: "page", notify: 5 });
   |                                 ^^^^^^
   |
   = help: `then: |alert| log::warn(alert.name)`

error: `notify` is an address, a map with `url`, or a list of these, not an integer
  --> test.rhai:12:49
   |
12 | alert("text", #{ when: 5, then: "page", notify: 5 });
   |                                                 ^
   |
   = help: `notify: "https://example.com/hook"`

error: there is no `this` in a closure given to `alert`
  --> test.rhai:13:54
   |
13 | alert("this", #{ when: "value of vus > 5", then: |a| this.x });
   |                                                      ^^^^ it runs outside any user
   |
   = help: use what the closure gets as its argument; to share between users there is `store::`

25 errors
"#);
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
    assert_snapshot!(outcome.stderr(), @r#"
error: `0s` is no duration for `over`
 --> test.rhai:2:52
  |
2 | threshold("http_req_duration", "p(95) < 300ms over 0s");
  |                                                    ^^
  |
  = help: write `over 30s`

error: the expression says `for`, the options say `lasting`
 --> test.rhai:3:68
  |
3 | threshold("http_req_duration", "p(95) < 300ms for 5s", #{ lasting: 5.s });
  |                                                                    ^
  |
  = help: they mean the same: leave out `for` or `lasting`

error: `abort: "scenario"` of which scenario?
 --> test.rhai:4:59
  |
4 | threshold("http_req_duration", "p(95) < 300ms", #{ abort: "scenario" });
  |                                                           ^^^^^^^^^^
  |
  = help: say `scenario: "browse"`, or `{scenario:browse}` in the selector

error: `abort`: there is no scenario `brwose`
 --> test.rhai:5:76
  |
5 | threshold("http_req_duration{scenario:brwose}", "p(95) < 300ms", #{ abort: "scenario" });
  |                                                                            ^^^^^^^^^^ did you mean `browse`?

error: `abort` is `true`, `false` or `"scenario"`, not "scenaro"
 --> test.rhai:6:54
  |
6 | threshold("http_req_duration", "max < 1s", #{ abort: "scenaro" });
  |                                                      ^^^^^^^^^ did you mean `scenario`?

error: `abort` is `true`, `false` or `"scenario"`, not an integer
 --> test.rhai:7:54
  |
7 | threshold("http_req_duration", "max < 2s", #{ abort: 5 });
  |                                                      ^

error: `abort: "scenario"` of which scenario?
 --> test.rhai:8:75
  |
8 | threshold("tail", |m| m.p(95, "http_req_duration", 30.s) < 300, #{ abort: "scenario" });
  |                                                                           ^^^^^^^^^^
  |
  = help: say `scenario: "browse"` beside it

error: a threshold `tail` exists already
 --> test.rhai:9:11
  |
9 | threshold("tail", |m| true);
  |           ^^^^^^

error: a threshold that is a closure has a name that is not empty
  --> test.rhai:10:11
   |
10 | threshold("", || true);
   |           ^^

error: a threshold of severity `warn` cannot abort the run
  --> test.rhai:11:57
   |
11 | threshold("warn", |m| true, #{ severity: "warn", abort: true, grcae: 1.s });
   |                                                         ^^^^

error: unknown option `grcae` of `threshold`
  --> test.rhai:11:63
   |
11 | threshold("warn", |m| true, #{ severity: "warn", abort: true, grcae: 1.s });
   |                                                               ^^^^^ did you mean `grace`?

error: there is no `this` in a closure given to `threshold`
  --> test.rhai:12:23
   |
12 | threshold("this", |m| this.a);
   |                       ^^^^ it runs outside any user
   |
   = help: use what the closure gets as its argument; to share between users there is `store::`

error: comparing with a stored run is not available yet in this version
  --> test.rhai:13:41
   |
13 | threshold("http_req_duration", "p(95) < baseline");
   |                                         ^^^^^^^^
   |
   = help: compare with a limit: `p(95) < 300ms`

error: the objective `p(95) over 5s < 1s for 3s`: `for …` does not go into an objective
  --> test.rhai:14:27
   |
14 | scenario("find", #{ rate: find_capacity(#{ start: 1, max: 5, objective: "p(95) over 5s < 1s for 3s" }), max_user...
   |                           ^
   |
   = help: a search judges each step by one window of its own, which it chooses itself

error: the objective `p(95) over 5s < 1s for 3s`: a window (`over …`) does not go into an objective
  --> test.rhai:14:27
   |
14 | scenario("find", #{ rate: find_capacity(#{ start: 1, max: 5, objective: "p(95) over 5s < 1s for 3s" }), max_user...
   |                           ^
   |
   = help: a search judges each step by one window of its own, which it chooses itself

15 errors
"#);
}

#[test]
fn what_is_right_is_printed() {
    let script = r#"const FAST = 300;
let slack = 5;
scenario("browse", #{ users: 1, duration: 1.s, run: || 1 });
threshold("http_req_duration", "(p(95) < 300ms over 30s) and slope(p(95) over 1m) < 5ms/s for 20s");
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
    assert_snapshot!(rules, @r#"
THRESHOLDS
  http_req_duration: (p(95) < 300ms over 30s) and slope(p(95) over 1m) < 5ms/s for 20s
  http_req_duration{scenario:browse}: max < 2s (lasting 5s, ends browse)
  http_req_duration: forecast(p(95) of http_req_duration over 1m, 2m) < 400ms (warning only)
  tail: |m| { m.p(95, "http_req_duration", 30.s) < 300 + slack } (ends the run)
  named: fast (in browse, ends browse)

ALERTS
  slow tail: p(99) of http_req_duration over 10s > 800ms for 5s (critical)
      lasting: 5s
      resolve_when: p(99) of http_req_duration over 10s < 500ms
      resolve_after: 0s
      description: requests are slow
      resolution: look at the database
      then: a closure
      notify: https://hooks.test/…, https://b.test
  many: value of vus > 1k (warning)
      notify: http://127.0.0.1:9
"#);
    let outcome = punk().script(script).command("check").arg("--json").run();
    let json = outcome.json();
    assert!(!json.to_string().contains("canary"), "{json}");
    assert_snapshot!(serde_json::to_string_pretty(&json["plan"]["thresholds"]).unwrap(), @r#"
[
  {
    "selector": "http_req_duration",
    "expression": "(p(95) < 300ms over 30s) and slope(p(95) over 1m) < 5ms/s for 20s",
    "severity": "fail",
    "abort": false,
    "grace": 0.0,
    "lasting": 20000.0,
    "required": false
  },
  {
    "selector": "http_req_duration{scenario:browse}",
    "expression": "max < 2s",
    "severity": "fail",
    "abort": "scenario",
    "grace": 0.0,
    "lasting": 5000.0,
    "required": false
  },
  {
    "selector": "http_req_duration",
    "expression": "forecast(p(95) of http_req_duration over 1m, 2m) < 400ms",
    "severity": "warn",
    "abort": false,
    "grace": 0.0,
    "required": false
  },
  {
    "selector": "tail",
    "expression": "|m| { m.p(95, \"http_req_duration\", 30.s) < 300 + slack }",
    "closure": true,
    "severity": "fail",
    "abort": true,
    "grace": 0.0,
    "required": false
  },
  {
    "selector": "named",
    "expression": "fast",
    "closure": true,
    "severity": "fail",
    "abort": "scenario",
    "grace": 0.0,
    "required": false,
    "scenario": "browse"
  }
]
"#);
    assert_snapshot!(serde_json::to_string_pretty(&json["plan"]["alerts"]).unwrap(), @r#"
[
  {
    "name": "slow tail",
    "when": "p(99) of http_req_duration over 10s > 800ms for 5s",
    "lasting": 5000.0,
    "resolve_when": "p(99) of http_req_duration over 10s < 500ms",
    "resolve_after": 0.0,
    "severity": "critical",
    "description": "requests are slow",
    "resolution": "look at the database",
    "notify": [
      "https://hooks.test/…",
      "https://b.test"
    ],
    "then": true
  },
  {
    "name": "many",
    "when": "value of vus > 1k",
    "lasting": 0.0,
    "resolve_after": 0.0,
    "severity": "warning",
    "notify": [
      "http://127.0.0.1:9"
    ]
  }
]
"#);
}
