//! The monitor from outside: a run of the real binary, and plain sockets that ask it.

mod collected;
mod connections;
mod contract;
mod control;
mod docs;
mod export;
mod figures;
mod guard;
mod outputs;
mod place;
mod records;
mod rows;
mod schemathesis;
mod sessions;
mod settings;
mod streams;
mod system;
mod tls;
mod upload;
mod verdict;
mod workers;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::builder::{Punk, Running, punk};
use punk::target::RunningTarget;
use serde_json::Value;

/// Three users for as long as a test may take, a rule and an alert that rings at once.
const SHOP: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("users", #{ users: 3, duration: 50.s, graceful_stop: 1.s, run: hit });
    threshold("http_req_failed", "rate < 50%");
    alert("busy", #{ when: "count of http_reqs > 5", severity: "critical", description: "much to do" });
    fn hit() { http::get("/api/products", #{ name: "products" }); sleep(20.ms); }
"#;

/// A run of [`SHOP`] with a monitor.
fn shop(target: &RunningTarget) -> Punk {
    punk().script(SHOP).target(target).monitored()
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// It refuses with this status, as RFC 9457 has it; the reason.
    #[track_caller]
    fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(problem["title"].is_string() && problem["type"] == "about:blank", "{self:?}");
        problem["detail"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }
}

/// Sends bytes as they are and reads until the end.
fn raw(address: &str, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).expect("the monitor listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // Whoever is refused early may not be read to the end.
    let _ = stream.write_all(bytes);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// One request; `headers` are whole lines. `Host` is right unless they say another.
fn ask(address: &str, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let own = headers.iter().any(|line| line.to_lowercase().starts_with("host:"));
    let host = if own { String::new() } else { format!("host: {address}\r\n") };
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
    };
    raw(address, format!("{method} {path} HTTP/1.1\r\n{host}connection: close\r\n{lines}{length}\r\n{body}").as_bytes())
}

fn get(address: &str, path: &str) -> Answer {
    ask(address, "GET", path, &[], "")
}

/// A change, as our own page asks for it.
fn change(address: &str, method: &str, path: &str, more: &[&str], body: &str) -> Answer {
    let origin = format!("origin: http://{address}");
    let mut headers = vec![origin.as_str(), "x-punk: 1"];
    headers.extend(more);
    ask(address, method, path, &headers, body)
}

/// Waits until what a path answers satisfies `holds`, and returns it.
fn until(running: &mut Running, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let address = running.monitor();
    let mut last = Value::Null;
    running.until(path, |_| {
        last = get(&address, path).ok();
        std::thread::sleep(Duration::from_millis(20));
        holds(&last)
    });
    last
}

/// Stops it by the API.
fn stop(address: &str) {
    change(address, "POST", "/api/control/stop", &[], r#"{"why": "the test is over"}"#).ok();
}
