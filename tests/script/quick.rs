//! `punk quick`: a run without a script does what its script would do, and sends exactly what the flags say.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use crate::builder::{Punk, punk, target};

fn quick(url: &str) -> Punk {
    punk().command("quick").arg(url).args("--quiet")
}

#[test]
fn a_number_of_requests_is_exact() {
    for (requests, users, shards) in [(1, 50, 2), (100, 7, 2), (250, 1, 1)] {
        let target = target();
        let outcome = quick(&format!("{}/api/products/1", target.url()))
            .args(&format!("-n {requests} -u {users} --shards {shards}"))
            .run();
        outcome.assert_passed();
        let stats = target.stats();
        assert_eq!((stats.requests, stats.answered()), (requests, requests), "{}", outcome.told());
        assert_eq!(outcome.metric("http_reqs", "count") as u64, requests);
        assert_eq!(outcome.summary()["operations"][0]["name"], "GET /api/products/{id}");
        assert_eq!(outcome.number("/scenarios/0/dropped") as u64, 0);
    }
}

#[test]
fn connections_are_kept_unless_they_are_not() {
    for (flags, connections) in [("", 2), ("--no-keepalive", 40)] {
        let target = target();
        let url = format!("{}/api/products/1", target.url());
        let outcome = quick(&url).args("-n 40 -u 2 --shards 1").args(flags).run();
        outcome.assert_passed();
        assert_eq!((target.stats().requests, target.stats().connections), (40, connections), "{}", outcome.told());
    }
}

#[test]
fn redirects_are_followed_as_told() {
    for (flags, requests) in [("", 4), ("--redirects 1", 2), ("--no-redirects", 1)] {
        let target = target();
        let outcome = quick(&format!("{}/redirect/3", target.url())).args("-n 1").args(flags).run();
        assert_eq!(target.stats().requests, requests, "{}", outcome.told());
    }
}

/// Answers one request with 200 and gives back what came, to the last byte of its body.
fn listener() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let heard = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let text = String::from_utf8_lossy(&all);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
                    break;
                }
            }
            let count = stream.read(&mut buffer).expect("bytes");
            assert!(count > 0, "the request broke off: {text:?}");
            all.extend_from_slice(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("written");
        String::from_utf8(all).expect("text")
    });
    (address, heard)
}

#[test]
fn the_request_is_what_the_flags_say() {
    let (address, heard) = listener();
    let body = "`${1 + 1}` \"quoted\" \\ \u{202e}é\r\n*/ #{";
    // No scheme: http.
    quick(&format!("{address}/a/\"b`?q=${{x}}"))
        .args("-n 1 -X put -H X-One:1 -T text/x-odd --no-compression --auth me:s:ecret")
        .arg("-H")
        .arg("X-Two: \"two\" \\ `${2}`")
        .arg("-H")
        .arg("X-One: 2")
        .arg(format!("--body={body}"))
        .run()
        .assert_passed();
    let heard = heard.join().expect("the listener heard a request");
    let (head, sent) = heard.split_once("\r\n\r\n").expect("a head");
    assert_eq!(sent, body);
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    let agent = format!("user-agent: punk/{}", env!("CARGO_PKG_VERSION"));
    let host = format!("host: {address}");
    let length = format!("content-length: {}", body.len());
    let expected = [
        "PUT /a/%22b%60?q=${x} HTTP/1.1",
        "authorization: Basic bWU6czplY3JldA==",
        &length,
        "content-type: text/x-odd",
        &host,
        &agent,
        "x-one: 1, 2",
        "x-two: \"two\" \\ `${2}`",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_body_comes_from_a_file_and_makes_it_a_post() {
    let (address, heard) = listener();
    quick(&address).file("data/body.txt", "from a file\n").args("-n 1 -B @data/body.txt").run().assert_passed();
    let heard = heard.join().expect("the listener heard a request");
    assert!(heard.starts_with("POST / HTTP/1.1\r\n") && heard.ends_with("\r\n\r\nfrom a file\n"), "{heard}");
}

#[test]
fn the_printed_script_is_a_script_that_does_the_same() {
    let target = target();
    let url = format!("{}/echo?a=1", target.url());
    let line = "-n 25 -u 3 -H X-One:1 --threshold http_req_failed:rate<1%";
    let printed = quick(&url).args(line).args("--print-script").run();
    printed.assert_passed();
    assert_eq!(target.stats().requests, 0, "printing sends nothing");
    let script = printed.stdout().replace("TARGET", &target.url());
    punk().script(&script).run().assert_passed();
    assert_eq!(target.stats().requests, 25, "{script}");
    quick(&url).args(line).run().assert_passed();
    assert_eq!(target.stats().requests, 50);
}

#[test]
fn a_threshold_decides() {
    let target = target();
    let line = format!("{}/status/503", target.url());
    let failed = quick(&line).args("-n 5 --threshold http_req_failed:rate<1%").run();
    failed.assert_code(99);
    assert_eq!(failed.summary()["thresholds"][0]["selector"], "http_req_failed");
    quick(&line).args("-n 5").run().assert_passed();
}

#[test]
fn wrong_lines_end_before_anything_is_sent() {
    for (line, code, told) in [
        ("", 2, "error: `` has no host: write `http://host:port/path`"),
        ("ftp://127.0.0.1/", 2, "error: `ftp://` is not spoken here"),
        ("127.0.0.1:1 -H nothing", 2, "error: --header `nothing`: `Name: value` is wanted"),
        ("127.0.0.1:1 -d 10", 2, "`10` has no unit: write `10s` for seconds"),
        ("127.0.0.1:1 -u 0", 2, "invalid value '0'"),
        ("127.0.0.1:1 --cacert /no/such.pem", 2, "error: --cacert `/no/such.pem`: No such file"),
        ("127.0.0.1:1 --threshold http_reqz:rate<1%", 104, "did you mean `http_reqs`?"),
        ("127.0.0.1:1 --threshold http_reqs:rate~1", 104, "--> quick http://127.0.0.1:1:"),
    ] {
        let (url, flags) = line.split_once(' ').unwrap_or((line, ""));
        let outcome = quick(url).args(flags).run();
        outcome.assert_code(code).assert_stderr(told);
        assert!(!outcome.has_summary(), "{}", outcome.told());
    }
}

#[test]
fn the_shop_can_be_asked_without_anything_else() {
    let outcome = quick("demo://shop/api/products").args("-n 20 -u 2").run();
    outcome.assert_passed();
    assert_eq!(outcome.number("/operations/0/status/200") as u64, 20);
    assert!(outcome.stdout().contains("GET /api/products"), "{}", outcome.told());
}
