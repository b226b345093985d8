//! Who is refused: rebound names, other pages, the tokenless, the oversized, the slow and the many.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{ask, change, get, raw, shop, stop, until};
use crate::builder::{punk, target};

const CONTROL: &str = "the-control-token-of-a-test";
const READ: &str = "the-read-token-of-a-test";

#[test]
fn other_names_and_other_pages_are_refused_and_change_nothing() {
    let target = target();
    let mut running = shop(&target).args("--monitor-allow-host load.example.com").start();
    let address = running.monitor();
    for (headers, status) in [
        (vec!["host: evil.test"], 421),
        (vec!["host: load.example.com"], 200),
        (vec!["origin: http://evil.test"], 403),
        (vec!["origin: null"], 403),
        (vec!["sec-fetch-site: cross-site"], 403),
        (vec!["sec-fetch-site: same-site"], 403),
        (vec!["sec-fetch-site: same-origin"], 200),
        (vec!["authorization: Bearer guessed-token-of-somebody"], 401),
    ] {
        let answer = ask(&address, "GET", "/api/status", &headers, "");
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
        assert!(status == 200 || !answer.refused(status).is_empty());
        assert!(!answer.head.contains("access-control-allow"), "CORS is off: {answer:?}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{answer:?}");
        assert!(answer.head.contains("cross-origin-opener-policy: same-origin"), "{answer:?}");
    }
    let link = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate", "sec-fetch-dest: document"];
    assert_eq!(ask(&address, "GET", "/docs", &link, "").status, 200);
    ask(&address, "GET", "/api/export", &link, "").refused(403);
    let own = format!("origin: http://{address}");
    for headers in [vec![], vec!["x-punk: 1"], vec![own.as_str()], vec!["origin: http://evil.test", "x-punk: 1"]] {
        let answer = ask(&address, "POST", "/api/control/stop", &headers, "");
        answer.refused(403);
    }
    // A form of another page cannot send JSON.
    let form = format!(
        "POST /api/control/stop HTTP/1.1\r\nhost: {address}\r\n{own}\r\nx-punk: 1\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    raw(&address, form.as_bytes()).refused(415);
    assert_ne!(get(&address, "/api/status").ok()["status"], "stopping");
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn tokens_open_what_they_are_for_and_are_told_to_nobody() {
    let target = target();
    let mut running =
        shop(&target).env("PUNK_MONITOR_TOKEN", CONTROL).args(&format!("--monitor-read-token {READ}")).start();
    // Before the scenarios begin, a pause only will be one.
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let bearer = |token: &str| format!("authorization: Bearer {token}");
    let post = |token: &str| ask(&address, "POST", "/api/control/pause", &[&bearer(token)], "");
    post(READ).refused(403);
    post("some-other-token-of-a-test").refused(401);
    assert!(ask(&address, "GET", "/api/status", &[&bearer(READ)], "").status == 200);
    assert_eq!(post(CONTROL).ok()["status"], "paused");
    assert_eq!(ask(&address, "POST", "/api/control/stop", &[&bearer(CONTROL)], "").status, 200);
    let outcome = running.wait();
    outcome.assert_code(103);
    for text in [outcome.stdout(), outcome.stderr(), outcome.summary().to_string()] {
        assert!(!text.contains(CONTROL) && !text.contains(READ), "{text}");
    }
}

#[test]
fn a_monitor_that_only_shows_takes_no_change() {
    let target = target();
    let script = "options(#{ base_url: \"TARGET\" }); scenario(\"a\", #{ users: 1, duration: 2.s, run: f }); fn f() { http::get(\"/echo\"); sleep(50.ms); }";
    let mut running = punk().script(script).target(&target).monitored().args("--monitor-readonly").start();
    let address = running.monitor();
    let said = change(&address, "POST", "/api/control/stop", &[], "").refused(403);
    assert!(said.contains("read-only"), "{said}");
    get(&address, "/api/status").ok();
    running.wait().assert_passed();
}

#[test]
fn bodies_that_are_too_large_or_broken_and_requests_that_are_none_are_refused() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let large = "x".repeat(300 << 10);
    change(&address, "POST", "/api/control/scale", &[], &large).refused(413);
    let own = format!(
        "host: {address}\r\norigin: http://{address}\r\nx-punk: 1\r\ncontent-type: application/json\r\nconnection: close"
    );
    // The same without saying so first.
    let mut chunked =
        format!("POST /api/control/scale HTTP/1.1\r\n{own}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for _ in 0..20 {
        chunked.extend(format!("4000\r\n{}\r\n", "x".repeat(0x4000)).as_bytes());
    }
    chunked.extend(b"0\r\n\r\n");
    raw(&address, &chunked).refused(413);
    assert_eq!(raw(&address, b"nonsense\r\n\r\n").status, 400);
    assert_eq!(raw(&address, format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(40_000)).as_bytes()).status, 431);
    assert!(!raw(&address, b"GET /api/status HTTP/1.1\r\nconnection: close\r\n\r\n").refused(421).is_empty());
    get(&address, "/api/status").ok();
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn more_requests_than_are_answered_are_counted() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let monitor = || get(&address, "/api/health").ok()["components"]["monitor"].clone();
    let before = monitor();
    assert_eq!((&before["status"], &before["requests_refused"]), (&"healthy".into(), &0.into()), "{before}");
    // Whose token nobody knows is refused, and too many of them are told to wait.
    let (mut busy, mut asked) = (0, 0);
    while busy < 5 {
        let answer = ask(&address, "GET", "/api/status", &["authorization: Bearer of-nobody-at-all"], "");
        busy += u64::from(answer.status == 429);
        asked += 1;
        assert!([401, 429].contains(&answer.status) && asked < 5_000, "{answer:?}");
    }
    let after = monitor();
    assert_eq!((&after["status"], &after["requests_refused"]), (&"warning".into(), &busy.into()), "{after}");
    assert!(after["reasons"][0].as_str().unwrap().ends_with(&format!("{busy} so far")), "{after}");
    let scraped = get(&address, "/metrics").body;
    assert!(scraped.contains(&format!("\npunk_monitor_requests_refused_total {busy}\n")), "{scraped}");
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn a_silent_crowd_is_turned_away_and_let_go() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let silent = || {
        let mut stream = TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(b"GET /api/status HTTP/1.1\r\nhost: loc").unwrap();
        stream
    };
    let mut crowd: Vec<TcpStream> = (0..256).map(|_| silent()).collect();
    running.until("one too many", |_| {
        let answer = get(&address, "/api/status");
        // Those of the crowd that were not accepted yet are not counted yet.
        answer.status == 503 || answer.status == 0
    });
    // They are let go without ever having said what they want.
    for stream in &mut crowd {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    }
    running.until("room again", |_| get(&address, "/api/status").status == 200);
    let health = get(&address, "/api/health").ok();
    let monitor = &health["components"]["monitor"];
    let refused = monitor["connections_refused"].as_u64().unwrap();
    assert!(refused > 0 && monitor["status"] == "warning", "{monitor}");
    let reason =
        format!("connections were refused because they were too many within the last minute; {refused} so far");
    assert_eq!(monitor["reasons"], serde_json::json!([reason]));
    let scraped = get(&address, "/metrics").body;
    assert!(scraped.contains(&format!("\npunk_monitor_connections_refused_total {refused}\n")), "{scraped}");
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn names_of_the_monitor_are_names_or_the_command_line_is_malformed() {
    for wrong in ["", "load.example.com:9090", "http://load.example.com"] {
        let outcome = punk().script("fn run() {}").monitored().arg(format!("--monitor-allow-host={wrong}")).run();
        assert!(outcome.assert_code(2).stderr().contains("a name without scheme and port is wanted"), "{wrong:?}");
    }
}

#[test]
fn what_was_asked_for_without_a_token_stands_in_no_log() {
    let target = target();
    let mut running = shop(&target).args("--log-file run.log").start();
    let address = running.monitor();
    let path = format!("/api/{CONTROL}");
    ask(&address, "GET", &path, &["authorization: Bearer of-nobody-at-all"], "").refused(401);
    stop(&address);
    let outcome = running.wait();
    let log = std::fs::read_to_string(outcome.folder().join("run.log")).expect("it was written");
    assert!(log.contains("refused: without a token"), "{log}");
    assert!(!log.contains(CONTROL), "{log}");
}
