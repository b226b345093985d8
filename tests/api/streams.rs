//! The streams from outside: WebSocket clients of a run of the real binary, good ones and others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{ask, change, get, shop, stop, until};
use crate::builder::{punk, target};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Response;
use tungstenite::http::{HeaderName, HeaderValue};
use tungstenite::{HandshakeError, Message, WebSocket};

const CONTROL: &str = "the-control-token-of-a-test";
const READ: &str = "the-read-token-of-a-test";

/// A client that holds every message against the promise of all: whole first, then one number after the other.
pub(super) struct Client {
    socket: WebSocket<TcpStream>,
    sequence: Option<u64>,
}

/// Asks for a stream; headers are `name: value`. The status and the reason of a refusal.
fn try_open(address: &str, path: &str, headers: &[&str]) -> Result<(Client, Response), (u16, Value)> {
    let mut request = format!("ws://{address}{path}").into_client_request().expect("it is a request");
    for line in headers {
        let (name, value) = line.split_once(": ").expect("a header");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    let stream = TcpStream::connect(address).expect("the monitor listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    match tungstenite::client(request, stream) {
        Ok((socket, response)) => Ok((Client { socket, sequence: None }, response)),
        Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            let body = response.body().as_deref().unwrap_or_default();
            Err((response.status().as_u16(), serde_json::from_slice(body).unwrap_or_default()))
        }
        Err(other) => panic!("{path}: {other}"),
    }
}

#[track_caller]
pub(super) fn open(address: &str, path: &str) -> Client {
    try_open(address, path, &[]).unwrap_or_else(|refused| panic!("{path}: {refused:?}")).0
}

impl Client {
    /// The next message, or how the stream was closed.
    #[track_caller]
    pub(super) fn read(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match self.socket.read().expect("the stream goes on, or is closed with a reason") {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).expect("a message is JSON");
                    let sequence = message["sequence"].as_u64().expect("a message has a number");
                    let first = self.sequence.is_none();
                    assert_eq!(message.get("full").is_some(), first, "{message}");
                    assert!(first || self.sequence == Some(sequence - 1), "{:?} before {message}", self.sequence);
                    let time = message["timestamp"].as_str().expect("a message has a time");
                    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && time.ends_with('Z'), "{time}");
                    assert!(message["type"].is_string() && message["data"].is_object(), "{message}");
                    self.sequence = Some(sequence);
                    return Ok(message);
                }
                Message::Close(Some(close)) => return Err((close.code.into(), close.reason.to_string())),
                Message::Close(None) => panic!("closed without a reason"),
                _ => {}
            }
        }
    }

    #[track_caller]
    fn next(&mut self) -> Value {
        self.read().unwrap_or_else(|closed| panic!("closed: {closed:?}"))
    }

    /// Reads until a message of this type that holds, and returns its data.
    #[track_caller]
    fn until(&mut self, kind: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let message = self.next();
            if message["type"] == kind && holds(&message["data"]) {
                return message["data"].clone();
            }
        }
        panic!("500 messages without {kind}")
    }

    /// Reads to the end: the type of the last message, and how it was closed.
    #[track_caller]
    fn the_end(&mut self) -> (Value, (u16, String)) {
        let mut last = Value::Null;
        loop {
            match self.read() {
                Ok(message) => last = message,
                Err(closed) => return (last, closed),
            }
        }
    }
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().expect("it is an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn every_topic_begins_with_all_of_it_and_says_what_the_api_says() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    // Some figures need a second that is over.
    until(&mut running, "/api/metrics/rps", |rps| rps.get("current").is_some());
    let address = running.monitor();
    let listing = get(&address, "/api/streams").ok();
    let topics = listing["streams"].as_array().unwrap();
    let told: Vec<&str> =
        topics.iter().flat_map(|topic| topic["paths"].as_array().unwrap()).map(|path| path.as_str().unwrap()).collect();
    assert_eq!(
        told,
        [
            "/ws/metrics",
            "/ws/metrics/rps",
            "/ws/metrics/latency",
            "/ws/metrics/memory",
            "/ws/metrics/cpu",
            "/ws/metrics/requests",
            "/ws/connections",
            "/ws/connections/metrics",
            "/ws/alerts",
            "/ws/system/health",
            "/ws/logs"
        ]
    );
    let id = get(&address, "/api/status").ok()["session_id"].as_str().unwrap().to_owned();
    let prefixes = ["".to_owned(), "/api".to_owned(), "/api/v1".to_owned(), format!("/api/sessions/{id}")];
    let mut clients = Vec::new();
    for (at, topic) in topics.iter().enumerate() {
        let schema = std::rc::Rc::new({
            let wanted = topic["messages"][0]["schema"].clone();
            let mut schema = json!({ "$defs": listing["$defs"] });
            schema.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
            jsonschema::validator_for(&schema).expect("the schema is a schema")
        });
        let every = if topic["parameters"].to_string().contains("\"interval\"") { "?interval=1" } else { "" };
        for path in topic["paths"].as_array().unwrap() {
            let path = path.as_str().unwrap();
            let path = format!("{}{path}{every}", prefixes[at % prefixes.len()]);
            let mut client = open(&address, &path);
            let first = client.next();
            let kind = topic["messages"][0]["type"].as_str().unwrap();
            assert_eq!((first["type"].as_str(), &first["full"]), (Some(kind), &true.into()), "{path}");
            assert_eq!(first.get("state").is_some(), kind == "metrics_update", "{path}: {first}");
            clients.push((path, kind, client, first, std::rc::Rc::clone(&schema)));
        }
    }
    // Something for the log.
    change(&address, "POST", "/api/control/scale", &[], r#"{"scenario": "users", "users": 4}"#).ok();
    for (path, kind, client, first, schema) in &mut clients {
        let next = client.until(kind, |_| true);
        for data in [&first["data"], &next] {
            let wrong: Vec<String> = schema.iter_errors(data).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{path}: {wrong:?} in {data:#}");
        }
        let row = path.split_once("/ws").unwrap().1.split('?').next().unwrap();
        let row = if row == "/system/health" { "/health" } else { row };
        if *row == *"/metrics/requests" {
            assert!(!next["data_points"].as_array().unwrap().is_empty(), "{next:#}");
            continue;
        }
        let asked = get(&address, &format!("/api{row}")).ok();
        assert_eq!(keys(&next), keys(&asked), "{path}");
    }
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn everything_that_happens_is_told_as_it_happens() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("users", #{ users: 2, duration: 50.s, graceful_stop: 1.s, backoff: backoff::none(), run: hit });
        threshold("http_req_duration", "p(95) < 30s");
        alert("many", #{ when: "value of vus > 3", resolve_when: "value of vus < 3", resolve_after: 0.s, severity: "warning" });
        fn hit() { http::get("/status/500", #{ name: "broken" }); sleep(20.ms); }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let (mut metrics, mut alerts, mut logs) =
        (open(&address, "/ws/metrics"), open(&address, "/ws/alerts"), open(&address, "/ws/logs?level=info"));
    let state = metrics.next()["state"].clone();
    assert_eq!(keys(&state), ["alerts", "status", "thresholds"]);
    assert_eq!((&state["status"]["status"], &state["thresholds"]["revision"]), (&"running".into(), &1.into()));

    let errors = metrics.until("error_occurred", |_| true);
    assert_eq!((&errors["errors"][0]["code"], &errors["errors"][0]["operation"]), (&1500.into(), &"broken".into()));
    assert!(
        errors["new_errors"].as_u64() > Some(0) && errors["total_errors"].as_u64() >= errors["new_errors"].as_u64()
    );
    let recent = &get(&address, "/api/errors").ok()["recent_errors"][0];
    assert_eq!(keys(&errors["errors"][0]), keys(recent));

    let scale = |users: u32| {
        let body = json!({ "scenario": "users", "users": users }).to_string();
        change(&address, "POST", "/api/control/scale", &[], &body).ok();
    };
    scale(5);
    for client in [&mut metrics, &mut alerts] {
        let fired = client.until("alert_fired", |_| true);
        assert_eq!((&fired["id"], &fired["state"]), (&"many#1".into(), &"firing".into()), "{fired:#}");
    }
    scale(1);
    for client in [&mut metrics, &mut alerts] {
        let resolved = client.until("alert_resolved", |_| true);
        assert_eq!((&resolved["id"], &resolved["state"]), (&"many#1".into(), &"resolved".into()), "{resolved:#}");
        assert!(resolved["resolved_at"].is_string(), "{resolved:#}");
    }

    let rules = json!({ "thresholds": [{ "selector": "http_req_failed", "expression": "rate < 1%" }] }).to_string();
    change(&address, "PUT", "/api/thresholds", &["if-match: *"], &rules).ok();
    let edited = metrics.until("threshold_changed", |data| data["because"] == "rules");
    assert_eq!((&edited["revision"], &edited["thresholds"][0]["selector"]), (&2.into(), &"http_req_failed".into()));

    change(&address, "POST", "/api/control/pause", &[], "").ok();
    let paused = metrics.until("status_change", |data| data["status"] == "paused");
    assert_eq!(paused["previous"], "running");
    let said = logs.until("logs_update", |data| data.to_string().contains("paused"));
    assert!(said["logs"].as_array().unwrap().iter().all(|entry| entry["level"] != "debug"), "{said:#}");
    change(&address, "POST", "/api/control/resume", &[], "").ok();
    metrics.until("status_change", |data| data["status"] == "running");

    // Whoever comes back knows all of it at once.
    drop(metrics);
    let mut back = open(&address, "/ws/metrics");
    let first = back.next();
    assert_eq!(first["state"]["thresholds"]["revision"], 2, "{first:#}");
    assert_eq!(first["state"]["alerts"]["alerts"][0]["state"], "resolved", "{first:#}");
    stop(&address);
    let (last, closed) = back.the_end();
    assert_eq!((&last["type"], &last["data"]["status"]), (&"benchmark_completed".into(), &"failed".into()), "{last:#}");
    assert_eq!(last["data"]["verdict"], "failed");
    assert_eq!(closed, (1000, "the run is over".to_owned()));
    running.wait();
}

#[test]
fn the_end_of_the_run_is_the_last_word_of_every_stream() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("a", #{ users: 1, duration: 1500.ms, run: hit });
        fn hit() { http::get("/echo", #{ name: "echo" }); sleep(20.ms); }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    let address = running.monitor();
    let paths = ["/ws/metrics", "/ws/metrics/requests", "/ws/logs", "/api/v1/ws/system/health"];
    let mut clients = paths.map(|path| open(&address, path));
    let ends = clients.each_mut().map(Client::the_end);
    let outcome = running.wait();
    outcome.assert_passed();
    for (last, closed) in ends {
        assert_eq!((&last["type"], &last["data"]["status"]), (&"benchmark_completed".into(), &"completed".into()));
        assert_eq!(&last["data"]["verdict"], "passed");
        assert_eq!(closed, (1000, "the run is over".to_owned()));
    }
}

#[test]
fn who_may_not_look_gets_no_stream() {
    let target = target();
    let mut running =
        shop(&target).env("PUNK_MONITOR_TOKEN", CONTROL).args(&format!("--monitor-read-token {READ}")).start();
    let address = running.monitor();
    let own = format!("origin: http://{address}");
    let (header, other) = (format!("authorization: Bearer {READ}"), "authorization: Bearer some-other-token-of-a-test");
    let protocol = |token: &str| format!("sec-websocket-protocol: punk.v1, punk.bearer.{token}");
    let both = [header.as_str(), &protocol(READ)];
    for (headers, status) in [
        (vec![], 101),
        (vec![own.as_str()], 101),
        (vec!["origin: http://evil.test"], 403),
        (vec!["origin: null"], 403),
        (vec!["host: evil.test"], 421),
        (vec![header.as_str()], 101),
        (vec![other], 401),
        (vec![&protocol(READ)], 101),
        (vec![&protocol(CONTROL)], 101),
        (vec![&protocol("some-other-token-of-a-test")], 401),
        (vec!["sec-websocket-protocol: punk.v1, punk.bearer."], 401),
        (both.to_vec(), 400),
    ] {
        match try_open(&address, "/ws/metrics", &headers) {
            Ok((mut client, response)) => {
                assert_eq!(status, 101, "{headers:?}");
                let chosen = response.headers().get("sec-websocket-protocol");
                let offered = headers.iter().any(|line| line.starts_with("sec-websocket-protocol"));
                assert_eq!(chosen.map(|chosen| chosen.to_str().unwrap()), offered.then_some("punk.v1"));
                assert!(response.headers().get("sec-websocket-extensions").is_none(), "nothing is compressed");
                let told = format!("{:?} {}", response.headers(), client.next());
                assert!(!told.contains(READ) && !told.contains(CONTROL), "{told}");
            }
            Err((refused, problem)) => {
                assert_eq!((refused, &problem["status"]), (status, &status.into()), "{headers:?}: {problem}");
                assert!(!problem.to_string().contains("test"), "no token is told: {problem}");
            }
        }
    }
    stop_with(&address, CONTROL);
    running.wait().assert_code(103);
}

fn stop_with(address: &str, token: &str) {
    ask(address, "POST", "/api/control/stop", &[&format!("authorization: Bearer {token}")], "").ok();
}

#[test]
fn what_is_no_websocket_or_asks_for_nonsense_is_told_what_would_be_right() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let plain = get(&address, "/ws/metrics");
    assert!(plain.refused(426).contains("Upgrade: websocket"), "{plain:?}");
    assert!(plain.head.contains("\r\nupgrade: websocket"), "{plain:?}");
    let upgrade = ["connection: close, upgrade", "upgrade: websocket"];
    let old = ask(&address, "GET", "/api/ws/logs", &[upgrade[0], upgrade[1], "sec-websocket-version: 8"], "");
    old.refused(426);
    assert!(old.head.contains("sec-websocket-version: 13"), "{old:?}");
    let keyless = ask(&address, "GET", "/ws/logs", &[upgrade[0], upgrade[1], "sec-websocket-version: 13"], "");
    assert!(keyless.refused(400).contains("Sec-WebSocket-Key"), "{keyless:?}");
    change(&address, "POST", "/ws/metrics", &[], "{}").refused(405);
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let head = ask(&address, "HEAD", "/ws/logs", &[upgrade[0], upgrade[1], "sec-websocket-version: 13", key], "");
    assert_eq!(head.status, 405, "{head:?}");
    let lines = format!("{}\r\n{}\r\nsec-websocket-version: 13\r\n{key}", upgrade[0], upgrade[1]);
    super::raw(&address, format!("GET /ws/logs HTTP/1.0\r\nhost: {address}\r\n{lines}\r\n\r\n").as_bytes())
        .refused(426);
    for (path, status, why) in [
        ("/ws/metrics?interval=0", 400, "a whole number from 1 to 60 is wanted"),
        ("/ws/metrics?intervall=1", 400, "did you mean `interval`?"),
        ("/ws/metrics/requests?range=2h", 400, "it is one of"),
        ("/ws/metrics/requests?range=24h", 400, "choose a coarser `granularity`"),
        ("/ws/metrics/requests?granularity=days", 400, "it is one of"),
        ("/ws/logs?level=loud", 400, "it is one of"),
        ("/ws/nothing", 404, "nothing here"),
        ("/api/sessions/punk-0/ws/metrics", 404, "no such session"),
    ] {
        let (refused, problem) = try_open(&address, path, &[]).err().expect(path);
        assert!(refused == status && problem["detail"].as_str().unwrap().contains(why), "{path}: {problem}");
    }
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn whoever_breaks_the_protocol_is_closed_and_nobody_else_is() {
    let target = target();
    let mut running = shop(&target).start();
    let address = running.monitor();
    let mut good = open(&address, "/ws/metrics?interval=1");
    let closed = |send: &dyn Fn(&mut WebSocket<TcpStream>)| {
        let mut client = open(&address, "/ws/metrics?interval=1");
        client.next();
        send(&mut client.socket);
        client.the_end().1.0
    };
    assert_eq!(closed(&|socket| socket.send("hello".into()).unwrap()), 1003);
    assert_eq!(closed(&|socket| socket.send("x".repeat(5_000).into()).unwrap()), 1009);
    assert_eq!(closed(&|socket| socket.get_mut().write_all(b"\x89\x00").unwrap()), 1002);
    assert_eq!(closed(&|socket| socket.get_mut().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap()), 1002);
    let flood = |socket: &mut WebSocket<TcpStream>| {
        let pings = b"\x89\x80\x01\x02\x03\x04".repeat(200);
        socket.get_mut().write_all(&pings).unwrap();
    };
    assert_eq!(closed(&flood), 1008);
    // Half a frame, and silence; then nothing at all.
    let mut half = open(&address, "/ws/metrics");
    half.socket.get_mut().write_all(b"\x89").unwrap();
    let count = |running: &mut _, clients: u64| {
        until(running, "/api/health", |health| health["components"]["monitor"]["streams"]["clients"] == clients)
    };
    count(&mut running, 2);
    drop(half);
    let health = count(&mut running, 1);
    let streams = &health["components"]["monitor"]["streams"];
    assert_eq!((&streams["dropped"], &streams["opened"]), (&0.into(), &7.into()), "{health:#}");
    // A ping is answered, a farewell is returned.
    good.socket.send(Message::Ping("are you there?".into())).unwrap();
    while good.socket.read().unwrap() != Message::Pong("are you there?".into()) {}
    good.socket.close(None).unwrap();
    while good.socket.read().is_ok() {}
    count(&mut running, 0);
    stop(&address);
    running.wait().assert_code(103);
}

#[test]
fn hundreds_of_clients_share_every_message_and_take_no_place_of_others() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let mut clients = Vec::new();
    // More than there may be connections that ask.
    while clients.len() < 300 {
        match try_open(&address, "/ws/system/health", &[]) {
            Ok((client, _)) => clients.push(client),
            // Their number per second is bounded.
            Err((status, _)) => {
                assert_eq!(status, 429);
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    for client in &mut clients {
        assert_eq!(client.next()["type"], "health_update");
        assert_eq!(client.next()["type"], "health_update");
    }
    let health = get(&address, "/api/health").ok();
    let streams = &health["components"]["monitor"]["streams"];
    let (made, sent) = (streams["messages_made"].as_u64().unwrap(), streams["messages_sent"].as_u64().unwrap());
    assert_eq!((&streams["clients"], &streams["dropped"]), (&300.into(), &0.into()), "{streams}");
    let scraped = get(&address, "/metrics").body;
    for line in
        ["punk_monitor_clients 300", "punk_monitor_clients_opened_total 300", "punk_monitor_clients_dropped_total 0"]
    {
        assert!(scraped.contains(&format!("\n{line}\n")), "{scraped}");
    }
    // Full states are made anew for whoever comes with another Snapshot, and messages once for all.
    assert!(sent >= 600 && made < sent / 4, "{streams}");
    stop(&address);
    for client in &mut clients {
        assert_eq!(client.the_end().1.0, 1000);
    }
    running.wait().assert_code(103);
}

#[test]
fn descriptors_are_left_to_the_run() {
    let target = target();
    let mut running = shop(&target).under("ulimit -n 200").start();
    let address = running.monitor();
    let mut clients = Vec::new();
    let refusal = loop {
        assert!(clients.len() < 136, "more than may be");
        match try_open(&address, "/ws/metrics", &[]) {
            Ok((client, _)) => clients.push(client),
            Err((status, problem)) => break (status, problem),
        }
    };
    assert_eq!(refusal.0, 503);
    assert!(!clients.is_empty());
    drop(clients);
    until_answered(&mut running, &address);
    stop(&address);
    running.wait().assert_code(103);
}

/// Waits until there is room again.
fn until_answered(running: &mut crate::builder::Running, address: &str) {
    running.until("room again", |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        let _ = write!(stream, "GET /api/status HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        text.starts_with("HTTP/1.1 200")
    });
}
