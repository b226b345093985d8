//! The target tried over real sockets: a raw HTTP/1 client that sees every byte, and hyper's own for HTTP/2.
//!
//! One assertion at least for each path and dial. It deliberately uses no punk client: the target must be right
//! before anything is measured with it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::dials::{Dials, OnConnect, parse_faults};
use super::{Fault, RunningTarget, Stall, StallFrom, Target, TargetError, TargetOptions, TlsMode, Versions};

mod dials;
mod http2;
mod proxy;
mod tls;

fn start(options: TargetOptions) -> RunningTarget {
    Target::start(options).unwrap()
}

fn with_dials(dials: Dials) -> RunningTarget {
    start(TargetOptions { dials, log_capacity: 10_000, ..TargetOptions::default() })
}

/// A raw HTTP/1.1 connection.
struct Wire {
    stream: TcpStream,
}

/// An answer as it came.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Wire {
    fn open(target: &RunningTarget) -> Self {
        let stream = TcpStream::connect(target.addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream }
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: target\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.write_all(&bytes).unwrap();
    }

    /// Reads one answer; errors as the socket tells them.
    fn read(&mut self, is_head: bool) -> std::io::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.get(9..12).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
        let mut answer = Answer { status, head, body: Vec::new() };
        if is_head || status == 204 || status == 304 {
            return Ok(answer);
        }
        if let Some(length) = answer.header("content-length") {
            let length: usize = length.parse().unwrap();
            answer.body.resize(length, 0);
            self.stream.read_exact(&mut answer.body)?;
        } else {
            assert_eq!(answer.header("transfer-encoding"), Some("chunked"), "{}", answer.head);
            loop {
                let mut line = Vec::new();
                while !line.ends_with(b"\r\n") {
                    line.push(self.byte()?);
                }
                let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16)
                    .map_err(|_| std::io::ErrorKind::InvalidData)?;
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk)?;
                if size == 0 {
                    break;
                }
                answer.body.extend_from_slice(&chunk[..size]);
            }
        }
        Ok(answer)
    }

    fn byte(&mut self) -> std::io::Result<u8> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], b"");
        self.read(false).unwrap()
    }

    fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", path, headers, body.to_string().as_bytes());
        self.read(false).unwrap()
    }

    /// Everything until the connection ends, and how it ended.
    fn rest(&mut self) -> (Vec<u8>, std::io::Result<()>) {
        let mut all = Vec::new();
        let end = self.stream.read_to_end(&mut all).map(|_| ());
        (all, end)
    }
}

fn get(target: &RunningTarget, path: &str) -> Answer {
    Wire::open(target).get(path)
}

/// Waits until what happens on the target's threads has happened; false after 10 s.
fn soon(mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > Duration::from_secs(10) {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

#[test]
fn the_shop_sells() {
    let target = start(TargetOptions::default());
    let mut wire = Wire::open(&target);
    let products = wire.get("/api/products").json();
    assert_eq!(products.as_array().unwrap().len(), 100);
    let product = wire.get("/api/products/42").json();
    assert_eq!(product, products[41]);
    assert!(product["price"].as_f64().unwrap() > 0.0);
    assert_eq!(wire.get("/api/products/101").status, 404);
    let found = wire.get("/api/search?q=guitar").json();
    assert_eq!(found["count"], 10);

    // Without a session: the cart works, the checkout does not.
    let put = wire.post("/api/cart", &[], &json!({ "sku": 42 }));
    assert_eq!(put.status, 201);
    let cookie = put.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let put = wire.post("/api/cart", &[("cookie", &cookie)], &json!({ "sku": "42" }));
    assert!(put.header("set-cookie").is_none());
    wire.send("GET", "/api/cart", &[("cookie", &cookie)], b"");
    let cart = wire.read(false).unwrap().json();
    assert_eq!(cart["items"][0]["quantity"], 2);
    assert_eq!(wire.post("/api/checkout", &[("cookie", &cookie)], &json!({})).status, 401);
    assert_eq!(wire.post("/api/cart", &[], &json!({ "sku": 4242 })).status, 404);
    assert_eq!(wire.post("/api/cart", &[], &json!({})).status, 400);

    let login = wire.post("/api/login", &[], &json!({ "user": "u1" })).json();
    let bearer = format!("Bearer {}", login["token"].as_str().unwrap());
    wire.post("/api/cart", &[("authorization", &bearer)], &json!({ "sku": 1 }));
    let receipt = wire.post("/api/checkout", &[("authorization", &bearer)], &json!({}));
    assert_eq!((receipt.status, &receipt.json()["user"]), (201, &json!("u1")));
    assert_eq!(receipt.json()["total"], products[0]["price"]);
    wire.send("GET", "/api/cart", &[("authorization", &bearer)], b"");
    assert_eq!(wire.read(false).unwrap().json()["count"], 0);
    assert_eq!(wire.post("/api/login", &[], &json!({ "name": "u1" })).status, 400);

    assert_eq!(wire.post("/api/reset", &[], &json!({})).status, 200);
    assert_eq!(wire.post("/api/checkout", &[("authorization", &bearer)], &json!({})).status, 401);
    assert_eq!(wire.get("/api/reset").status, 405);
    assert_eq!(wire.get("/api/nothing").status, 404);
}

#[test]
fn pages_have_links_and_a_form_that_logs_in() {
    let target = start(TargetOptions::default());
    let mut wire = Wire::open(&target);
    let front = String::from_utf8(wire.get("/").body).unwrap();
    let page = scraper::Html::parse_document(&front);
    let links = scraper::Selector::parse("#products a").unwrap();
    let link = page.select(&links).nth(6).unwrap().attr("href").unwrap();
    assert_eq!(link, "/products/7");
    let product = wire.get(link);
    assert!(String::from_utf8(product.body).unwrap().contains("<h1>Silent Boots</h1>"));
    let hidden = scraper::Selector::parse("#login input[name=csrf]").unwrap();
    let csrf = page.select(&hidden).next().unwrap().attr("value").unwrap();

    let kind = [("content-type", "application/x-www-form-urlencoded")];
    wire.send("POST", "/login", &kind, b"user=eve&csrf=1.0");
    assert_eq!(wire.read(false).unwrap().status, 403);
    wire.send("POST", "/login", &kind, format!("user=%3Cann%3E&csrf={csrf}").as_bytes());
    let answer = wire.read(false).unwrap();
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    wire.send("GET", "/", &[("cookie", &cookie)], b"");
    let front = String::from_utf8(wire.read(false).unwrap().body).unwrap();
    assert!(front.contains("Hello, &lt;ann&gt;"), "{front}");
    wire.send("POST", "/cart", &[kind[0], ("cookie", &cookie)], format!("sku=3&csrf={csrf}").as_bytes());
    assert_eq!(wire.read(false).unwrap().header("location"), Some("/api/cart"));
    wire.send("POST", "/api/checkout", &[("cookie", &cookie)], b"");
    assert_eq!(wire.read(false).unwrap().json()["count"], 1);
}

#[test]
fn tools_answer_what_they_say() {
    let target = start(TargetOptions::default());
    let mut wire = Wire::open(&target);
    wire.send("PUT", "/echo?a=1&b=%20", &[("x-one", "1"), ("x-one", "2")], b"hello");
    let echo = wire.read(false).unwrap().json();
    assert_eq!((&echo["method"], &echo["query"]["b"], &echo["body"]), (&json!("PUT"), &json!(" "), &json!("hello")));
    assert_eq!((&echo["headers"]["x-one"], &echo["version"]), (&json!("1, 2"), &json!("HTTP/1.1")));
    assert_eq!(echo["peer"], wire.stream.local_addr().unwrap().to_string());
    for status in [200, 201, 204, 301, 304, 404, 418, 500, 503, 599] {
        assert_eq!(wire.get(&format!("/status/{status}")).status, status);
    }
    assert_eq!(wire.get("/status/100").status, 400);
    assert_eq!(wire.get("/bytes/100000").body.len(), 100_000);
    assert_eq!(wire.get("/bytes/1073741825").status, 400);
    assert_eq!(wire.get("/redirect/3").header("location"), Some("/redirect/2"));
    assert_eq!(wire.get("/redirect/0").status, 200);
    assert_eq!(wire.get("/redirect-loop").header("location"), Some("/redirect-loop"));
    let answer = wire.get("/redirect-to?url=http%3A%2F%2Flocalhost%2Fx&code=307");
    assert_eq!((answer.status, answer.header("location")), (307, Some("http://localhost/x")));
    assert_eq!(wire.get("/redirect-to?url=/x&code=200").status, 400);
    let answer = wire.get("/cookies/set?k=v");
    assert_eq!((answer.status, answer.header("set-cookie")), (302, Some("k=v; Path=/")));
    wire.send("GET", "/cookies", &[("cookie", "k=v; l=w")], b"");
    assert_eq!(wire.read(false).unwrap().json(), json!({ "cookies": { "k": "v", "l": "w" } }));
    for (path, encoding) in [("/gzip", "gzip"), ("/deflate", "deflate"), ("/zstd", "zstd"), ("/brotli", "br")] {
        assert_eq!(wire.get(path).header("content-encoding"), Some(encoding));
    }
    let bomb = wire.get("/bomb/gzip?mb=20");
    assert!(bomb.body.len() < 25_000);
    let size = std::io::copy(&mut flate2::read::GzDecoder::new(&*bomb.body), &mut std::io::sink()).unwrap();
    assert_eq!(size, 20 << 20);
    assert_eq!(wire.get("/basic-auth/u/p").status, 401);
    wire.send("GET", "/basic-auth/u/p", &[("authorization", "Basic dTpw")], b"");
    assert_eq!(wire.read(false).unwrap().json()["user"], "u");
    assert_eq!(wire.get("/bearer").status, 401);
    wire.send("GET", "/bearer", &[("authorization", "Bearer t")], b"");
    assert_eq!(wire.read(false).unwrap().json()["token"], "t");
    let body = b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n12345\r\n--x--\r\n";
    wire.send("POST", "/upload", &[("content-type", "multipart/form-data; boundary=x")], body);
    assert_eq!(wire.read(false).unwrap().json()["parts"], json!([{ "size": 5, "name": "f", "filename": "a.txt" }]));
    assert!(wire.get("/headers/huge?kb=40").head.len() > 40_000);
    assert_eq!(wire.get("/json/deep?depth=500").body.len(), 1000);
    let large = wire.get("/json/large?kb=64");
    assert!(large.body.len().abs_diff(65_536) < 100);
    assert_eq!(large.json().as_array().unwrap().len(), 1024);
    assert!(String::from_utf8(wire.get("/html").body).unwrap().contains("<h1>Herman</h1>"));
    assert_eq!(wire.get("/chunked").body, b"first\nsecond\nthird\n");
    assert_eq!(wire.get("/no-content").status, 204);
    assert_eq!(wire.get("/stream/infinite?mb=3").body.len(), 3 << 20);
    assert_eq!(wire.get("/nothing").status, 404);
    wire.send("HEAD", "/bytes/77", &[], b"");
    let answer = wire.read(true).unwrap();
    assert_eq!((answer.header("content-length"), answer.status), (Some("77"), 200));
    assert_eq!(wire.get("/close").header("connection"), Some("close"));
    assert_eq!(wire.rest().0, b"");
    let stats = target.stats();
    assert!(stats.conserves() && stats.in_flight == 0 && stats.given_up == 0, "{stats:?}");
    assert_eq!(stats.connections, 1);
}

#[test]
fn delays_and_drips_take_their_time() {
    let target = start(TargetOptions { log_capacity: 10, ..TargetOptions::default() });
    let mut wire = Wire::open(&target);
    let start = Instant::now();
    assert_eq!(wire.get("/delay/30").json()["delayed_ms"], 30);
    assert!(start.elapsed() >= Duration::from_millis(30));
    let start = Instant::now();
    assert_eq!(wire.get("/drip?bytes=4&ms=10").body.len(), 4);
    // Four bytes have three gaps.
    assert!(start.elapsed() >= Duration::from_millis(30));
    let log = target.log();
    assert_eq!((log.len(), log[0].path.as_str(), log[0].status, log[0].outcome), (2, "/delay/30", 200, "answered"));
    assert!(log.iter().all(|entry| (30_000..20_000_000).contains(&entry.held_us)), "{log:?}");
}

#[test]
fn a_gibibyte_streams() {
    let target = start(TargetOptions::default());
    let mut wire = Wire::open(&target);
    wire.send("GET", "/bytes/1073741824", &[], b"");
    let mut left = 1u64 << 30;
    let mut space = vec![0; 1 << 20];
    while left > 0 {
        left = left.saturating_sub(wire.stream.read(&mut space).unwrap() as u64);
    }
    assert!(soon(|| target.stats().bytes_out > 1 << 30));
}

#[test]
fn administration_over_http_is_not_counted() {
    let target = with_dials(Dials::default());
    let mut wire = Wire::open(&target);
    wire.get("/html");
    let stats = wire.get("/_target/stats").json();
    assert_eq!((&stats["requests"], &stats["responses"]), (&json!(1), &json!({ "200": 1 })));
    assert_eq!(wire.get("/_target/log").json()[0]["path"], "/html");
    wire.send("PUT", "/_target/dials", &[], br#"{"error": 1, "latency": "1ms"}"#);
    assert_eq!(wire.read(false).unwrap().json()["latency"], "1ms");
    assert_eq!(wire.get("/html").status, 500);
    wire.send("PUT", "/_target/dials", &[], br#"{"error": 2}"#);
    assert_eq!(wire.read(false).unwrap().status, 400);
    assert_eq!(wire.get("/_target/dials").json()["error"], 1.0);
    assert_eq!(wire.get("/_target/reset").status, 405);
    assert_eq!(wire.post("/_target/reset", &[], &json!({})).status, 200);
    let stats = target.stats();
    assert_eq!((stats.requests, stats.connections, target.log().len()), (0, 1, 0));
    assert!(target.set_dials(Dials { error: -1.0, ..Dials::default() }).is_err());
}

#[test]
fn clients_that_leave_are_listed_apart() {
    let target = with_dials(Dials::default());
    // Closed right behind the request: the target may learn of both at once.
    for path in ["/delay/5000", "/drip?bytes=100&ms=1000"] {
        Wire::open(&target).send("GET", path, &[], b"");
    }
    // A body that never comes whole.
    Wire::open(&target).send("POST", "/echo", &[("content-length", "50")], b"");
    let mut wire = Wire::open(&target);
    wire.stream.write_all(b"this is not http\r\n\r\n").unwrap();
    assert!(wire.rest().0.starts_with(b"HTTP/1.1 400"));
    assert!(soon(|| target.stats().given_up == 3 && target.stats().malformed == 1), "{:?}", target.stats());
    let stats = target.stats();
    assert!(stats.conserves() && stats.in_flight == 0 && stats.requests == 3, "{stats:?}");
    let mut wire = Wire::open(&target);
    wire.send("GET", "/delay/5000", &[], b"");
    assert!(soon(|| target.stats().in_flight == 1));
    target.reset();
    assert_eq!((target.stats().requests, target.stats().in_flight), (0, 0));
    let mut other = Wire::open(&target);
    other.send("GET", "/delay/5000", &[], b"");
    assert!(soon(|| target.stats().in_flight == 1));
    let last = target.stop();
    assert_eq!((last.requests, last.given_up, last.in_flight), (1, 1, 0), "what a reset forgot stays forgotten");
}

#[test]
fn pipelined_requests_are_each_counted() {
    let target = with_dials(Dials::default());
    let mut wire = Wire::open(&target);
    let one = "GET /api/products/1 HTTP/1.1\r\nhost: x\r\n\r\n";
    wire.stream.write_all(one.repeat(50).as_bytes()).unwrap();
    for _ in 0..50 {
        assert_eq!(wire.read(false).unwrap().status, 200);
    }
    assert_eq!(target.stats().responses[&200], 50);
}

#[test]
fn counters_conserve_under_2000_concurrent_requests_with_resets() {
    let options = TargetOptions {
        threads: 2,
        dials: Dials {
            faults: parse_faults("reset=5%, reset_in_body=2%, close=2%").unwrap(),
            error: 0.03,
            latency: "uniform(0ms, 3ms)".parse().unwrap(),
            ..Dials::default()
        },
        ..TargetOptions::default()
    };
    let target = Arc::new(start(options));
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let target = Arc::clone(&target);
            std::thread::spawn(move || {
                let mut seen = std::collections::BTreeMap::new();
                let mut wires: Vec<Wire> = (0..100).map(|_| Wire::open(&target)).collect();
                for wire in &mut wires {
                    wire.send("GET", "/api/products/7", &[], b"");
                }
                for wire in &mut wires {
                    let status = wire.read(false).map_or(0, |answer| answer.status);
                    *seen.entry(status).or_insert(0u64) += 1;
                }
                seen
            })
        })
        .collect();
    let mut seen = std::collections::BTreeMap::new();
    for thread in threads {
        for (status, count) in thread.join().unwrap() {
            *seen.entry(status).or_insert(0) += count;
        }
    }
    let stats = target.stats();
    assert!(stats.conserves(), "{stats:?}");
    assert_eq!((stats.requests, stats.in_flight, stats.given_up, stats.connections), (2000, 0, 0, 2000));
    assert_eq!(seen.remove(&0).unwrap_or(0), stats.spoiled());
    assert_eq!(seen, stats.responses);
    assert!(stats.faults["reset"] > 50 && stats.resets == stats.faults["reset"] + stats.faults["reset_in_body"]);
    assert!(soon(|| target.stats().connections_open == 0));
}

#[test]
fn a_taken_port_is_said_so() {
    let target = start(TargetOptions::default());
    let again = TargetOptions { address: target.addr(), ..TargetOptions::default() };
    let error = Target::start(again).unwrap_err();
    assert!(matches!(error, TargetError::Listen { address, .. } if address == target.addr()), "{error}");
    let address = target.addr();
    drop(target);
    let third = TargetOptions { address, ..TargetOptions::default() };
    assert_eq!(start(third).url(), format!("http://{address}"));
}
