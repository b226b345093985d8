//! `POST /api/sessions`: scripts that are sent, where that is enabled, run beside the others.

use super::{Answer, ask, change, get, shop, stop, until};
use crate::builder::{Punk, punk, target};
use punk::target::RunningTarget;
use rustix::process::Signal;
use serde_json::{Value, json};

const CONTROL: &str = "control-token-of-the-test";
const READ: &str = "read-token-of-the-test";

/// A run that goes on for longer than any test, and takes scripts.
fn open(target: &RunningTarget) -> Punk {
    shop(target).arg("--monitor-upload").env("PUNK_MONITOR_TOKEN", CONTROL).env("PUNK_MONITOR_READ_TOKEN", READ)
}

fn send(address: &str, body: &Value) -> Answer {
    ask(address, "POST", "/api/sessions", &[&bearer(CONTROL)], &body.to_string())
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// A script that asks for `/echo` so often.
fn echo(target: &RunningTarget, iterations: u32) -> String {
    let url = target.url();
    format!(
        r#"scenario("echo", #{{ users: 1, iterations: {iterations}, run: hit }});
        fn hit() {{ http::get("{url}/echo", #{{ name: "echo" }}); }}"#
    )
}

fn long(target: &RunningTarget) -> String {
    let url = target.url();
    format!(
        r#"scenario("echo", #{{ users: 1, duration: 50.s, graceful_stop: 1.s, run: hit }});
        fn hit() {{ http::get("{url}/echo", #{{ name: "echo" }}); sleep(20.ms); }}"#
    )
}

fn ids(address: &str) -> Vec<String> {
    let sessions = get(address, "/api/sessions").ok();
    let id = |one: &Value| one["session_id"].as_str().unwrap().to_owned();
    sessions["sessions"].as_array().unwrap().iter().map(id).collect()
}

#[test]
fn without_its_flag_nothing_is_taken_from_anybody() {
    let target = target();
    let mut running = shop(&target).env("PUNK_MONITOR_TOKEN", CONTROL).start();
    let address = running.monitor();
    let said = send(&address, &json!({"script": echo(&target, 1)})).refused(403);
    assert!(said.contains("start punk with `--monitor-upload`"), "{said}");
    assert_eq!(ids(&address).len(), 1);
    stop(&address);
    running.wait();
}

#[test]
fn the_flag_needs_a_control_token_and_a_monitor_that_takes_changes() {
    let run = || punk().script("fn run() { }").arg("--monitor-upload").arg("-i1");
    run().run().assert_code(2).assert_stderr("set PUNK_MONITOR_TOKEN");
    run().env("PUNK_MONITOR_READ_TOKEN", READ).run().assert_code(2).assert_stderr("set PUNK_MONITOR_TOKEN");
    let both = run().env("PUNK_MONITOR_TOKEN", CONTROL).env("PUNK_MONITOR_READONLY", "true").run();
    both.assert_code(2).assert_stderr("--monitor-readonly");
}

#[test]
fn who_has_no_control_token_sends_nothing() {
    let target = target();
    let mut running = open(&target).start();
    let address = running.monitor();
    let body = json!({"script": echo(&target, 1)}).to_string();
    let said = change(&address, "POST", "/api/sessions", &[], &body).refused(403);
    assert!(said.contains("needs the control token"), "{said}");
    for (token, status) in [(READ, 403), ("wrong-token-of-the-test", 401)] {
        ask(&address, "POST", "/api/sessions", &[&bearer(token)], &body).refused(status);
        change(&address, "POST", "/api/v1/sessions", &[&bearer(token)], &body).refused(status);
    }
    ask(&address, "POST", "/api/sessions", &[], &body).refused(403);
    ask(&address, "POST", "/api/sessions", &[&bearer(CONTROL), "origin: http://evil.test"], &body).refused(403);
    assert_eq!(ids(&address).len(), 1);
    // What else may be changed by our own page still may.
    stop(&address);
    running.wait();
}

/// Which ways in the contract names for a change, and which there are; what is sent makes no sense, so that nothing is changed.
#[test]
fn a_change_is_for_those_whom_the_contract_names() {
    let target = target();
    let mut running = open(&target).start();
    let address = running.monitor();
    let contract = get(&address, "/api/openapi.json").ok();
    let mut by_token_alone = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap().iter().filter(|(method, _)| *method != "get") {
            let ways: Vec<Vec<&str>> = said["security"].as_array().unwrap().iter().map(names).collect();
            let whole = format!("/api{path}").replace("{session}", &ids(&address)[0]).replace("{alert}", "busy%231");
            let method = method.to_uppercase();
            let json = "content-type: application/json";
            let by_token = ask(&address, &method, &whole, &[&bearer(CONTROL), json], "[").status;
            let by_page = change(&address, &method, &whole, &[json], "[").status;
            let open = ask(&address, &method, &whole, &[json], "[").status;
            let is_in = |status: u16| status != 401 && status != 403;
            let wanted = [vec!["token"], vec!["origin", "page"], vec![]].map(|way| ways.contains(&way));
            assert_eq!([by_token, by_page, open].map(is_in), wanted, "{method} {whole}: {by_token} {by_page} {open}");
            if ways == [["token"]] {
                by_token_alone.push(path.as_str());
            }
        }
    }
    assert_eq!(by_token_alone, ["/sessions"]);
    stop(&address);
    running.wait();
}

/// What a request of one way in brings, in order.
fn names(way: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = way.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_cannot_be_run_is_refused_with_its_place_and_nothing_starts() {
    let target = target();
    let mut running = open(&target).under("ulimit -n 400").start();
    let address = running.monitor();
    let script = "// ä\nscenario(\"a\", #{ users: 1, iterations: 1, run: hit });\nfn hit() { http::gte(\"/\"); }\n";
    let answer = send(&address, &json!({"script": script, "name": "shop.rhai"}));
    let said = answer.refused(422);
    assert!(said.contains("nothing was started"), "{said}");
    let error = &answer.json()["errors"][0];
    assert_eq!((&error["pointer"], &error["severity"]), (&"/script".into(), &"error".into()), "{error:#}");
    assert_eq!(error["line"], 3, "{error:#}");
    let (offset, length) = (error["offset"].as_u64().unwrap() as usize, error["length"].as_u64().unwrap() as usize);
    let marked: String = script.chars().skip(offset).take(length).collect();
    assert!(marked.contains("gte"), "{marked} {error:#}");
    assert!(error["label"].to_string().contains("get") || error["help"].to_string().contains("get"), "{error:#}");

    // Files beside nothing: no import, no feed, no certificate.
    let errors = |script: &str| {
        let answer = send(&address, &json!({"script": script, "name": "test.rhai"}));
        answer.refused(422);
        answer.json()["errors"].to_string()
    };
    assert!(errors("import \"other\" as t;\nfn run() {}").contains("stands in no folder"));
    for path in ["test.rhai", "../../proc/self/status"] {
        let feed = errors(&format!("feed(\"words\", feed::lines(\"{path}\"));\nfn run() {{}}"));
        assert!(feed.contains(&format!("`{path}`: ")), "{feed}");
    }
    let tls = errors("options(#{ tls: #{ ca: \"test.rhai\" } });\nfn run() {}");
    assert!(tls.contains("cannot read `/dev/null/test.rhai`"), "{tls}");
    assert!(!errors("").is_empty());
    let many = "scenario(\"m\", #{ users: 600, iterations: 1, run: f });\nfn f() { }";
    let said = send(&address, &json!({"script": many})).refused(422);
    assert!(said.contains("603 users") && said.contains("ulimit -n"), "{said}");

    let name = send(&address, &json!({"script": "fn run() {}", "name": "../a.rhai"}));
    name.refused(422);
    assert_eq!(name.json()["errors"][0]["pointer"], "/name");
    send(&address, &json!({"script": "fn run() {}", "nmae": "a"})).refused(400);
    send(&address, &json!({"name": "a"})).refused(400);
    send(&address, &json!({"script": 7})).refused(400);
    ask(&address, "POST", "/api/sessions", &[&bearer(CONTROL)], "").refused(400);
    send(&address, &json!({"script": "/".repeat(300 << 10)})).refused(413);
    let plain = format!(
        "POST /api/sessions HTTP/1.1\r\nhost: {address}\r\n{}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{{}}",
        bearer(CONTROL)
    );
    super::raw(&address, plain.as_bytes()).refused(415);
    assert_eq!(ids(&address).len(), 1);
    stop(&address);
    let outcome = running.wait();
    outcome.assert_code(103);
    assert_eq!(outcome.stdout().matches("=== ").count(), 1, "{}", outcome.told());
}

#[test]
fn a_script_that_is_sent_is_a_run_like_the_others() {
    let target = target();
    let mut running = open(&target).start();
    let address = running.monitor();
    let failing = format!("{}\nthreshold(\"http_reqs\", \"count > 1000\");", echo(&target, 30));
    let answer = send(&address, &json!({"script": failing, "name": "cart.rhai"}));
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = answer.json();
    let id = made["session_id"].as_str().unwrap();
    assert!(answer.head.contains(&format!("location: /api/sessions/{id}\r\n")), "{answer:?}");
    assert_eq!((&made["script"], &made["session"]), (&"cart.rhai".into(), &"cart".into()));
    assert_eq!(made["config"]["scenarios"][0]["name"], "echo");
    assert_eq!(ids(&address)[1], id);
    until(&mut running, &format!("/api/sessions/{id}/status"), |status| status["status"] == "failed");
    let metrics = |id: &str| get(&address, &format!("/api/sessions/{id}/metrics")).ok();
    assert_eq!(metrics(id)["total"]["operations"], 30);
    let first = &ids(&address)[0];
    assert!(metrics(first)["by_operation"]["echo"].is_null());
    assert_eq!(&get(&address, "/api/status").ok()["session_id"], first);
    until(&mut running, "/api/metrics", |metrics| metrics["total"]["operations"].as_u64() > Some(3));
    let scrape = get(&address, "/metrics").body;
    assert!(scrape.lines().any(|line| line.starts_with("punk_http_reqs_total{session=\"cart\",")), "{scrape}");
    assert!(scrape.contains("punk_scenario_users{session=\"test\",scenario=\"users\"} 3"), "{scrape}");
    running.until_stdout("=== cart: cart.rhai (");

    // Another one of that name, of no name, and with a byte order mark.
    let session = |body: Value| send(&address, &body).json()["session"].clone();
    assert_eq!(session(json!({"script": echo(&target, 1), "name": "cart.rhai"})), "cart-2");
    assert_eq!(session(json!({"script": format!("\u{feff}{}", echo(&target, 1))})), "sent");
    let all = ids(&address);
    assert!(all.len() == 4 && all.iter().collect::<std::collections::BTreeSet<_>>().len() == 4, "{all:?}");
    running.until_stdout("=== cart-2: ");
    running.until_stdout("=== sent: ");
    stop(&address);
    let outcome = running.wait();
    // 103 goes before 99.
    outcome.assert_code(103);
    let code = |run: &str| outcome.summary_of(run)["exit_code"].clone();
    assert_eq!([code("test"), code("cart"), code("cart-2"), code("sent")], [103, 99, 0, 0].map(Value::from));
    assert!(outcome.stderr().contains("cart begins: its script was sent to the monitor"), "{}", outcome.told());
    assert!(!outcome.told().contains(CONTROL));
}

#[test]
fn the_process_ends_with_the_last_run_and_the_worst_code() {
    let target = target();
    let mut running = open(&target).start();
    let address = running.monitor();
    let broken = format!("{}\nthreshold(\"http_reqs\", \"count < 1\");", long(&target));
    let id = send(&address, &json!({"script": broken})).json()["session_id"].as_str().unwrap().to_owned();
    let of = |what: &str| format!("/api/sessions/{id}/{what}");
    until(&mut running, &of("metrics"), |metrics| metrics["total"]["operations"].as_u64() > Some(3));
    stop(&address);
    running.until_stdout("=== test: ");
    // The first is over, the one that was sent goes on, and takes orders.
    let orders = |what: &str| ask(&address, "POST", &of(what), &[&bearer(CONTROL)], "").ok();
    orders("control/pause");
    until(&mut running, &of("status"), |status| status["status"] == "paused");
    orders("control/resume");
    running.send(Signal::INT);
    let outcome = running.wait();
    // 105 goes before 103, and before the broken threshold.
    outcome.assert_code(105);
    assert_eq!(outcome.summary_of("test")["exit_code"], 103);
    assert_eq!(outcome.summary_of("sent")["exit_code"], 105);
}

#[test]
fn an_interrupt_ends_all_and_afterwards_nobody_comes() {
    let target = target();
    let mut running = open(&target).args("-u2 -d50s").start();
    let address = running.monitor();
    let stuck = format!(
        "scenario(\"s\", #{{ users: 1, iterations: 1, graceful_stop: 40.s, run: f }});\nfn f() {{ http::get(\"{}/echo\"); sleep(10.m); }}",
        target.url()
    );
    assert_eq!(send(&address, &json!({"script": stuck, "name": "stuck"})).status, 201);
    let asked = || target.log().iter().any(|entry| entry.path == "/echo");
    running.until("a request of the one that was sent", |_| asked());
    running.send(Signal::INT);
    running.until_stderr("interrupt again to end now");
    let said = send(&address, &json!({"script": echo(&target, 1)})).refused(409);
    assert!(said.contains("was told to end"), "{said}");
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(130);
    assert_eq!(outcome.summary_of("stuck")["exit_code"], 130);
}

#[test]
fn so_many_run_at_once_and_no_more() {
    let target = target();
    let mut running = open(&target).args("--shards 1").start();
    let address = running.monitor();
    let script = json!({"script": long(&target)});
    for number in 1..16 {
        let answer = send(&address, &script);
        assert_eq!(answer.status, 201, "{number}: {answer:?}");
    }
    let said = send(&address, &script).refused(409);
    assert!(said.contains("at most 16"), "{said}");
    let last = ids(&address).pop().unwrap();
    ask(&address, "POST", &format!("/api/sessions/{last}/control/stop"), &[&bearer(CONTROL)], "").ok();
    running.until_stdout("=== sent-15: ");
    assert_eq!(send(&address, &script).status, 201);
    running.send(Signal::INT);
    running.wait().assert_code(105);
}
