//! Several scripts in one process: each is a run of its own, and one monitor shows them all.

use std::time::Duration;

use super::{change, get, until};
use crate::builder::{Punk, punk, target};
use rustix::process::Signal;
use serde_json::Value;

/// So many requests to a path, by two users.
fn iterations(path: &str, count: u32) -> String {
    let name = path.replace('/', "-");
    format!(
        r#"scenario("{name}", #{{ users: 2, iterations: {count}, run: hit }});
        fn hit() {{ http::get("TARGET/{path}", #{{ name: "{path}" }}); sleep(5.ms); }}"#
    )
}

/// Goes on for longer than any test.
fn long(path: &str) -> String {
    let name = path.replace('/', "-");
    format!(
        r#"scenario("{name}", #{{ users: 2, duration: 50.s, graceful_stop: 1.s, run: hit }});
        fn hit() {{ http::get("TARGET/{path}", #{{ name: "{path}" }}); sleep(20.ms); }}"#
    )
}

/// Both at once.
fn both(a: &str, b: &str) -> Punk {
    punk().file("a.rhai", a).file("b.rhai", b).script_at("a.rhai").arg("b.rhai")
}

fn requests(summary: &Value) -> f64 {
    summary["metrics"]["http_reqs"]["values"]["count"].as_f64().unwrap()
}

#[test]
fn each_counts_for_itself_and_has_its_own_report() {
    let target = target();
    let outcome = both(&iterations("echo", 30), &iterations("api/products", 50)).target(&target).run();
    outcome.assert_passed();
    assert_eq!([requests(&outcome.summary_of("a")), requests(&outcome.summary_of("b"))], [30.0, 50.0]);
    let log = target.log();
    let asked = |path: &str| log.iter().filter(|entry| entry.path == path).count();
    assert_eq!([asked("/echo"), asked("/api/products")], [30, 50]);
    let stdout = outcome.stdout();
    assert!(stdout.contains("=== a: a.rhai (punk-") && stdout.contains("=== b: b.rhai (punk-"), "{stdout}");
    let operations = outcome.summary_of("a")["operations"].to_string();
    assert!(operations.contains("echo") && !operations.contains("products"), "{operations}");
}

#[test]
fn the_worst_of_them_is_the_exit_code_and_fails_nobody_else() {
    let target = target();
    let failing = format!("{}\nthreshold(\"http_reqs\", \"count > 1000\");", iterations("echo", 10));
    let outcome = both(&failing, &iterations("api/products", 20)).target(&target).run();
    outcome.assert_code(99);
    assert_eq!(outcome.summary_of("a")["exit_code"], 99);
    assert_eq!(
        (&outcome.summary_of("b")["exit_code"], &outcome.summary_of("b")["verdict"]),
        (&0.into(), &"passed".into())
    );
    // A script that gives up ends its own run alone; its code goes before that of a threshold.
    let aborting = "fn run() { abort(\"enough\"); }";
    let outcome = both(&failing, aborting).target(&target).run();
    outcome.assert_code(108);
    assert_eq!(requests(&outcome.summary_of("a")), 10.0);
}

#[test]
fn nothing_begins_while_one_of_them_is_wrong() {
    let target = target();
    let outcome = both(&iterations("echo", 5), "fn run() { htp::get(\"TARGET\"); }").target(&target).run();
    outcome.assert_code(104).assert_stderr("b.rhai:1:").assert_stderr("did you mean");
    assert_eq!(target.stats().requests, 0);
    let outcome = both("fn run() { oh }", "scenario(1);").target(&target).run();
    outcome.assert_code(104).assert_stderr("a.rhai:1:").assert_stderr("b.rhai:1:");
}

#[test]
fn the_same_script_twice_is_two_runs() {
    let target = target();
    let text = iterations("echo", 20);
    let outcome = punk().file("a.rhai", &text).script_at("a.rhai").arg("a.rhai").target(&target).run();
    outcome.assert_passed();
    assert_eq!([requests(&outcome.summary_of("a")), requests(&outcome.summary_of("a-2"))], [20.0, 20.0]);
    assert_eq!(target.stats().requests, 40);
}

#[test]
fn one_monitor_shows_them_all_until_the_last_is_over() {
    let target = target();
    let mut running = both(&long("echo"), &iterations("api/products", 20)).target(&target).monitored().start();
    let address = running.monitor();
    let sessions = until(&mut running, "/api/sessions", |all| all["sessions"][1]["status"] == "completed");
    let ids: Vec<&str> =
        sessions["sessions"].as_array().unwrap().iter().map(|one| one["session_id"].as_str().unwrap()).collect();
    let [a, b] = ids[..] else { panic!("{sessions:#}") };
    assert!(a != b && [a, b].iter().all(|id| id.starts_with("punk-2")), "{a} {b}");
    assert_eq!(
        (&sessions["sessions"][0]["script"], &sessions["sessions"][1]["script"]),
        (&"a.rhai".into(), &"b.rhai".into())
    );
    // The short path is the first one's; a run that is over goes on answering.
    assert_eq!(get(&address, "/api/status").ok()["session_id"], a);
    let metrics = |id: &str| get(&address, &format!("/api/sessions/{id}/metrics")).ok();
    assert_eq!(metrics(b)["total"]["operations"], 20);
    until(&mut running, "/api/metrics", |all| all["total"]["operations"].as_u64() > Some(0));
    let names: Vec<String> = metrics(a)["by_operation"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["echo"]);
    get(&address, "/api/sessions/punk-20000101-000000/status").refused(404);
    let scrape = get(&address, "/metrics").body;
    let of_b = |line: &str| line.starts_with("punk_http_reqs_total{session=\"b\",") && line.contains("api/products");
    assert!(scrape.lines().any(of_b), "{scrape}");
    assert!(scrape.contains("punk_scenario_users{session=\"a\",scenario=\"echo\"} 2"), "{scrape}");
    assert_eq!(scrape.matches("# TYPE punk_http_reqs_total ").count(), 1);
    running.until_stdout("=== b: b.rhai");
    let over = change(&address, "POST", &format!("/api/v1/sessions/{b}/control/pause"), &[], "");
    assert!(over.refused(409).contains("over"), "{over:?}");
    change(&address, "POST", &format!("/api/sessions/{a}/control/stop"), &[], "").ok();
    let outcome = running.wait();
    outcome.assert_code(103);
    assert_eq!(
        (&outcome.summary_of("a")["exit_code"], &outcome.summary_of("b")["exit_code"]),
        (&103.into(), &0.into())
    );
    assert_eq!(outcome.stderr().matches("monitor: http://").count(), 1, "{}", outcome.told());
}

#[test]
fn an_order_over_the_api_is_for_its_session_alone() {
    let target = target();
    let mut running = both(&long("echo"), &long("api/products")).target(&target).monitored().start();
    let address = running.monitor();
    let sessions = until(&mut running, "/api/sessions", |all| {
        all["sessions"].as_array().unwrap().iter().all(|one| one["status"] == "running")
    });
    let second = sessions["sessions"][1]["session_id"].as_str().unwrap();
    change(&address, "POST", &format!("/api/sessions/{second}/control/pause"), &[], "").ok();
    let sessions = get(&address, "/api/sessions").ok();
    assert_eq!(
        (&sessions["sessions"][0]["status"], &sessions["sessions"][1]["status"]),
        (&"running".into(), &"paused".into())
    );
    running.send(Signal::INT);
    running.wait().assert_code(105);
}

#[test]
fn one_interrupt_drains_both_and_the_second_ends_both_now() {
    let target = target();
    let mut running = both(&long("echo"), &long("api/products")).target(&target).start();
    running.until("requests of both", |_| {
        let log = target.log();
        ["/echo", "/api/products"].iter().all(|path| log.iter().any(|entry| entry.path == *path))
    });
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(105);
    for run in ["a", "b"] {
        assert_eq!(outcome.summary_of(run)["scenarios"][0]["interrupted"], 0, "{run}: drained");
    }
    assert_eq!(outcome.stderr().matches("interrupt again to end now").count(), 1, "{}", outcome.told());

    let stuck = "fn run() { http::get(\"TARGET/echo\"); sleep(10.m); }";
    let before = target.stats().requests;
    let mut running = both(stuck, stuck).target(&target).args("-u1 -d1m").start();
    running.until("requests of both", |_| target.stats().requests == before + 2);
    running.send(Signal::INT);
    running.until_stderr("interrupt again to end now");
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(130);
    for run in ["a", "b"] {
        assert_eq!(outcome.summary_of(run)["exit_code"], 130);
    }
}

#[test]
fn typed_lines_are_for_all_or_for_the_run_that_they_name() {
    let target = target();
    let mut running = both(&long("echo"), &long("api/products")).target(&target).monitored().listening().start();
    let states = |running: &mut _, a: &str, b: &str| {
        until(running, "/api/sessions", |all| all["sessions"][0]["status"] == a && all["sessions"][1]["status"] == b);
    };
    states(&mut running, "running", "running");
    running.type_line("b: pause");
    states(&mut running, "running", "paused");
    running.type_line("pause");
    states(&mut running, "paused", "paused");
    running.type_line("a: resume");
    states(&mut running, "running", "paused");
    running.type_line("c: resume");
    running.until_stderr("`c` is none of the runs: a, b");
    // A scenario is that of whoever has it.
    running.type_line("scale echo 5");
    running.until_stderr("[a] ");
    let scaled = until(&mut running, "/api/sessions", |all| all["sessions"][0]["active_users"] == 5);
    assert_eq!(scaled["sessions"][1]["status"], "paused");
    running.type_line("stop");
    let outcome = running.wait();
    outcome.assert_code(103);
    assert!(!outcome.stderr().contains("[b] scale"), "{}", outcome.told());
}

#[test]
fn an_edit_concerns_the_run_of_its_script() {
    let target = target();
    let mut running = both(&long("echo"), &long("api/products")).target(&target).monitored().start();
    let running_both = |all: &Value| all["sessions"].as_array().unwrap().iter().all(|one| one["status"] == "running");
    until(&mut running, "/api/sessions", running_both);
    let folder = running.folder().to_owned();
    let text = std::fs::read_to_string(folder.join("b.rhai")).unwrap();
    std::fs::write(folder.join("b.rhai"), format!("{text}\nthreshold(\"http_reqs\", \"count > 1\");")).unwrap();
    let all = until(&mut running, "/api/sessions", |all| all["sessions"][1]["script_revision"] == 2);
    assert_eq!(all["sessions"][0]["script_revision"], 1);
    running.send(Signal::TERM);
    let outcome = running.wait();
    assert_eq!((&outcome.summary_of("a")["revision"], &outcome.summary_of("b")["revision"]), (&1.into(), &2.into()));
    assert!(outcome.stderr().contains("[b] ") && !outcome.stderr().contains("[a] revision"), "{}", outcome.told());
}

#[test]
fn each_writes_its_own_log_and_documents_follow_each_other() {
    let target = target();
    let says = |word: &str| format!("fn run() {{ log::info(\"{word}\"); http::get(\"TARGET/echo\"); }}");
    let outcome = both(&says("apple"), &says("pear")).target(&target).args("-i2 --json --log-file run.log").run();
    outcome.assert_passed();
    let log = |run: &str| std::fs::read_to_string(outcome.folder().join(format!("run.{run}.log"))).unwrap();
    assert_eq!(log("a").matches("apple").count(), 2, "{}", log("a"));
    assert!(!log("a").contains("pear") && log("b").contains("pear"), "{}", log("b"));
    let stdout = outcome.stdout();
    let documents: Vec<Value> = serde_json::Deserializer::from_str(&stdout).into_iter().map(Result::unwrap).collect();
    let mut paths: Vec<&str> = documents.iter().map(|one| one["scripts"][0]["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["a.rhai", "b.rhai"]);
}

#[test]
fn each_has_a_shop_of_its_own_and_its_own_limits() {
    let shop = |sku: u32| {
        format!(
            r#"options(#{{ base_url: demo::shop() }});
            scenario("buy", #{{ users: 1, iterations: 3, run: buy }});
            fn buy() {{ check(http::post("/api/cart", #{{ sku: {sku} }}), #{{ "in the cart": |r| r.status == 201 }}); }}
            fn teardown() {{ http::post("/api/reset"); }}"#
        )
    };
    let outcome = both(&shop(1), &shop(2)).run();
    outcome.assert_passed();
    for run in ["a", "b"] {
        assert_eq!(outcome.summary_of(run)["checks"][0]["passes"], 3, "{run}");
    }
    let many = "scenario(\"m\", #{ users: 40, iterations: 1, run: f });\nfn f() { }";
    let refused = both(many, many).under("ulimit -n 120").run();
    refused.assert_code(1).assert_stderr("80 users with one connection each need 144 file descriptors");
}

#[test]
fn a_bug_under_one_run_is_its_own() {
    let target = target();
    let outcome = both("fn setup() { throw \"no\"; }\nfn run() { }", &iterations("echo", 10)).target(&target).run();
    outcome.assert_code(107);
    assert_eq!(
        (&outcome.summary_of("a")["exit_code"], &outcome.summary_of("b")["exit_code"]),
        (&107.into(), &0.into())
    );
    assert!(outcome.took() < Duration::from_secs(30));
}
