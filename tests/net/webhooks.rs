//! Webhooks from the outside: who is told of an alert, and that nobody who is told can harm the run.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::items;
use crate::builder::{Outcome, punk, target};
use serde_json::Value;

/// A receiver that gives each request the next of these answers, and the last one for ever; none at all for an empty list.
struct Hook {
    url: String,
    got: Arc<Mutex<Vec<Value>>>,
}

impl Hook {
    fn new(answers: &'static [&'static str]) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let got = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&got);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || while serve(&stream, answers, &log).is_some() {});
            }
        });
        Hook { url, got }
    }

    /// `id status` of each request.
    fn told(&self) -> Vec<String> {
        let got = self.got.lock().expect("no writer panics");
        got.iter().map(|body| format!("{} {}", text(&body["id"]), text(&body["status"]))).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("it is a text")
}

/// Serves one request; `None` when the connection is over.
fn serve(mut stream: &TcpStream, answers: &[&str], log: &Mutex<Vec<Value>>) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let at = {
        let mut log = log.lock().expect("no writer panics");
        log.push(serde_json::from_slice(&body).expect("punk sends JSON"));
        log.len() - 1
    };
    match answers.get(at).or(answers.last()) {
        Some(answer) => write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").ok(),
        None => stream.read_exact(&mut byte).ok(),
    }
}

/// 40 iterations of 25 ms under an alert that rings once.
fn ringing(notify: &str) -> Outcome {
    let target = target();
    let script = format!(
        "options(#{{ base_url: \"TARGET\" }});\n\
         scenario(\"visit\", #{{ users: 1, iterations: 40, run: visit }});\n\
         threshold(\"http_req_failed\", \"rate == 0%\");\n\
         alert(\"busy\", #{{ when: \"count of http_reqs > 5\", severity: \"critical\", description: \"much to do\", notify: {notify} }});\n\
         fn visit() {{ http::get(\"/echo\"); sleep(25.ms); }}\n"
    );
    let outcome = punk().script(&script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(target.stats().requests, 40, "the target counts");
    assert_eq!(outcome.summary()["requests"]["total"], 40);
    assert_eq!(outcome.summary()["scenarios"][0]["iterations"], 40);
    assert_eq!(outcome.summary()["alerts"][0]["fired"], 1, "{:#}", outcome.summary()["alerts"]);
    outcome
}

/// What the summary says of each receiver: sent, failed, undelivered.
fn accounts(outcome: &Outcome) -> Vec<[u64; 3]> {
    let count = |hook: &Value, name: &str| hook[name].as_u64().expect("it is a count");
    items(&outcome.summary(), "webhooks")
        .map(|hook| ["sent", "failed", "undelivered"].map(|name| count(hook, name)))
        .collect()
}

#[test]
fn a_receiver_is_told_and_its_secrets_are_told_to_nobody_else() {
    let hook = Hook::new(&["200 OK"]);
    let notify = format!("#{{ url: \"{}/T0/pa55\", headers: #{{ Authorization: \"Bearer hunter2\" }} }}", hook.url);
    let outcome = ringing(&notify);
    let got = hook.got.lock().expect("no writer panics").clone();
    assert_eq!(got[0]["status"], "firing", "{got:#?}");
    assert_eq!((&got[0]["name"], &got[0]["severity"]), (&Value::from("busy"), &Value::from("critical")));
    assert_eq!((&got[0]["description"], &got[0]["when"]), (&"much to do".into(), &"count of http_reqs > 5".into()));
    assert_eq!(accounts(&outcome), [[got.len() as u64, 0, 0]]);
    for text in [outcome.stdout(), outcome.stderr(), outcome.summary().to_string()] {
        assert!(!text.contains("hunter2") && !text.contains("pa55"), "{text}");
    }
    assert!(outcome.stdout().contains(&format!("webhook {}: ", hook.url)), "{}", outcome.stdout());
    assert!(outcome.stderr().contains("alert busy (critical) rings at "), "{}", outcome.stderr());
}

#[test]
fn dead_silent_failing_and_refusing_receivers_change_nothing_of_a_run() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port").local_addr().expect("it is bound");
    let silent = Hook::new(&[]);
    let failing = Hook::new(&["500 Oh", "503 Oh\r\nretry-after: 0", "200 OK"]);
    let refusing = Hook::new(&["400 No"]);
    let good = Hook::new(&["204 Fine"]);
    let urls = [&format!("http://{dead}"), &silent.url, &failing.url, &refusing.url, &good.url];
    let outcome = ringing(&format!("{urls:?}"));
    let told = good.told();
    let all = told.len() as u64;
    assert_eq!(told[0], "busy#1 firing");
    let accounts = accounts(&outcome);
    assert_eq!(accounts[0][0], 0, "nobody was there");
    assert_eq!(accounts[0][1] + accounts[0][2], all);
    assert_eq!((accounts[1], silent.told().len()), ([0, 0, all], 1));
    assert_eq!(accounts[2], [all, 0, 0]);
    assert_eq!(failing.told()[..3], ["busy#1 firing", "busy#1 firing", "busy#1 firing"]);
    assert_eq!(failing.told().len() as u64, all + 2);
    assert_eq!((accounts[3], refusing.told()), ([0, all, 0], told));
    assert_eq!(accounts[4], [all, 0, 0]);
    assert!(outcome.stdout().contains("last error: status 400"), "{}", outcome.stdout());
}
