//! Receivers that are dead, slow, failing, busy, and what each of them got.

use super::*;
use crate::expr::AlertSeverity;
use crate::snapshot::AlertEvent;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Act {
    Answer(&'static str),
    /// It reads and never answers.
    Hang,
}

const OK: Act = Act::Answer("200 OK");
const BROKEN: Act = Act::Answer("500 Oh");

/// A request as it arrived.
#[derive(Debug, Clone)]
struct Got {
    head: Vec<String>,
    body: Value,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        let found = |line: &&String| line.to_lowercase().starts_with(&format!("{name}: "));
        self.head.iter().find(found).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }
}

/// A receiver with a plan for each request; afterwards it takes everything.
struct Hook {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Hook {
    fn new(plan: &[Act]) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let (log, plan) = (Arc::clone(&got), Arc::new(Mutex::new(plan.iter().copied().collect::<VecDeque<_>>())));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, plan) = (Arc::clone(&log), Arc::clone(&plan));
                std::thread::spawn(move || serve(stream.unwrap(), &log, &plan));
            }
        });
        Hook { address, got }
    }

    fn receiver(&self) -> Receiver {
        receiver(self.address)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// `name status` of each request.
    fn told(&self) -> Vec<String> {
        let text = |got: &Got| format!("{} {}", got.body["id"].as_str().unwrap(), got.body["status"].as_str().unwrap());
        self.got().iter().map(text).collect()
    }
}

fn serve(stream: TcpStream, log: &Mutex<Vec<Got>>, plan: &Mutex<VecDeque<Act>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let mut got = Got { head, body: Value::Null };
        let length = got.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        got.body = serde_json::from_slice(&body).unwrap();
        let act = plan.lock().unwrap().pop_front().unwrap_or(OK);
        log.lock().unwrap().push(got);
        match act {
            Act::Answer(status) => {
                if write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").is_err() {
                    return;
                }
            }
            Act::Hang => drop(stream.read(&mut [0; 1])),
        }
    }
}

fn receiver(address: SocketAddr) -> Receiver {
    let headers = vec![("Authorization".to_owned(), "Bearer hunter2".to_owned())];
    Receiver { url: format!("http://{address}/hooks/T0/secret?key=hidden"), headers }
}

/// Where nobody listens.
fn dead() -> Receiver {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    receiver(address)
}

fn event(number: u64, firing: bool, notify: &[Receiver]) -> AlertEvent {
    AlertEvent {
        number,
        id: format!("slow tail#{}", number / 2 + 1),
        name: "slow tail".into(),
        firing,
        at: Duration::from_millis(12_500),
        time: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        severity: AlertSeverity::Critical,
        when: "p(99) of http_req_duration over 10s > 800ms".into(),
        value: Some(912.5),
        value_text: Some("912.5ms".into()),
        description: "the tail is slow".into(),
        resolution: "look at the pool".into(),
        because: None,
        acknowledged_by: None,
        notify: notify.into(),
    }
}

/// Rings and ends in turn, as many edges as wanted.
fn events(count: u64, notify: &[Receiver]) -> Snapshot {
    let alert_events = (0..count).map(|number| Arc::new(event(number, number % 2 == 0, notify))).collect();
    Snapshot { alert_events, ..Snapshot::default() }
}

fn quick() -> Patience {
    Patience { timeout: Duration::from_millis(300), backoff: Duration::from_millis(5), ..Patience::default() }
}

/// Sends what the Snapshots hold, until nothing waits or `within` has passed after the last.
fn sent(patience: Patience, snapshots: &[Snapshot], within: Duration) -> Vec<Delivery> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hooks = Webhooks::new("run1".into(), patience);
        for snapshot in snapshots {
            hooks.update(snapshot);
        }
        hooks.drain(within).await;
        hooks.finish()
    })
}

/// Long enough for everything that ends by itself.
const LONG: Duration = Duration::from_secs(60);

fn delivery(sent: u64, failed: u64, retries: u64, last_error: &str) -> Delivery {
    let last_error = Some(last_error.to_owned()).filter(|text| !text.is_empty());
    Delivery { sent, failed, retries, last_error, ..Delivery::default() }
}

fn anonymous(mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
    for delivery in &mut deliveries {
        assert!(delivery.receiver.starts_with("http://127.0.0.1:"), "{delivery:?}");
        assert!(!delivery.receiver.contains("secret") && !delivery.receiver.contains("hidden"), "{delivery:?}");
        delivery.receiver.clear();
    }
    deliveries
}

#[test]
fn a_message_says_everything_once() {
    let hook = Hook::new(&[]);
    let deliveries = sent(quick(), &[events(1, &[hook.receiver()])], LONG);
    assert_eq!(anonymous(deliveries), [delivery(1, 0, 0, "")]);
    let got = hook.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].head[0], "POST /hooks/T0/secret?key=hidden HTTP/1.1");
    assert_eq!(got[0].header("authorization"), Some("Bearer hunter2"));
    assert_eq!(got[0].header("content-type"), Some("application/json"));
    assert_eq!(got[0].header("idempotency-key"), Some("run1-0"));
    insta::assert_json_snapshot!(got[0].body, @r#"
    {
      "version": 1,
      "run": "run1",
      "status": "firing",
      "id": "slow tail#1",
      "name": "slow tail",
      "severity": "critical",
      "when": "p(99) of http_req_duration over 10s > 800ms",
      "value": 912.5,
      "value_text": "912.5ms",
      "description": "the tail is slow",
      "resolution": "look at the pool",
      "at_seconds": 12.5,
      "time": "2027-01-15T08:00:00.000Z",
      "because": null
    }
    "#);
}

#[test]
fn events_that_stand_in_several_snapshots_are_sent_once_and_in_order() {
    let hook = Hook::new(&[]);
    let to = [hook.receiver()];
    let snapshots = [events(1, &to), events(1, &to), events(4, &to), Snapshot::default(), events(4, &to)];
    assert_eq!(anonymous(sent(quick(), &snapshots, LONG)), [delivery(4, 0, 0, "")]);
    assert_eq!(
        hook.told(),
        ["slow tail#1 firing", "slow tail#1 resolved", "slow tail#2 firing", "slow tail#2 resolved"]
    );
}

#[test]
fn what_fails_is_tried_again_under_the_same_key_and_nothing_overtakes_it() {
    for (plan, why) in [
        ([BROKEN, BROKEN], "status 500"),
        ([Act::Hang, Act::Hang], "no answer within 300ms"),
        ([Act::Answer("408 Slow"), Act::Answer("503 Busy\r\nretry-after: 0")], "status 503"),
        ([Act::Answer("429 Much\r\nretry-after: Fri, 01 Jan 2021 00:00:00 GMT"), BROKEN], "status 500"),
    ] {
        let hook = Hook::new(&plan);
        let deliveries = sent(quick(), &[events(2, &[hook.receiver()])], LONG);
        assert_eq!(anonymous(deliveries), [delivery(2, 0, 2, why)]);
        let firing = "slow tail#1 firing";
        assert_eq!(hook.told(), [firing, firing, firing, "slow tail#1 resolved"], "{why}");
        let keys: Vec<_> =
            hook.got().iter().map(|got| got.header("idempotency-key").unwrap_or_default().to_owned()).collect();
        assert_eq!(keys, ["run1-0", "run1-0", "run1-0", "run1-1"]);
    }
}

#[test]
fn a_receiver_that_asks_for_a_time_gets_it_up_to_a_limit() {
    let hook = Hook::new(&[Act::Answer("429 Much\r\nRetry-After: 100000"), OK]);
    // Without the limit the message would be given up: it has less time in all.
    let patience = Patience { retry_after: Duration::from_millis(20), ..quick() };
    let deliveries = sent(patience, &[events(1, &[hook.receiver()])], LONG);
    assert_eq!(anonymous(deliveries), [delivery(1, 0, 1, "status 429")]);
    let impatient = Patience { retry_after: LONG, message: Duration::from_secs(5), ..quick() };
    let hook = Hook::new(&[Act::Answer("429 Much\r\nRetry-After: 100000"), OK]);
    let deliveries = sent(impatient, &[events(1, &[hook.receiver()])], LONG);
    assert_eq!(anonymous(deliveries), [delivery(0, 1, 0, "status 429")]);
    assert_eq!(hook.got().len(), 1);
}

#[test]
fn what_is_refused_for_good_is_not_tried_again() {
    let final_answers = [
        ("400 Bad", "status 400"),
        ("404 Gone", "status 404"),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", "status 302: redirects are not followed"),
    ];
    for (status, why) in final_answers {
        let hook = Hook::new(&[Act::Answer(status), OK]);
        let deliveries = sent(quick(), &[events(2, &[hook.receiver()])], LONG);
        assert_eq!(anonymous(deliveries), [delivery(1, 1, 0, why)]);
        assert_eq!(hook.told(), ["slow tail#1 firing", "slow tail#1 resolved"]);
    }
}

#[test]
fn tries_end() {
    let hook = Hook::new(&[BROKEN; 5]);
    let deliveries = sent(quick(), &[events(2, &[hook.receiver()])], LONG);
    assert_eq!(anonymous(deliveries), [delivery(1, 1, 4, "status 500 (after 5 tries)")]);
    assert_eq!(hook.got().len(), 6);
}

#[test]
fn a_dead_and_a_silent_receiver_delay_nobody_and_the_end_is_bounded() {
    let silent = Hook::new(&[Act::Hang; 9]);
    let good = Hook::new(&[]);
    let to = [dead(), silent.receiver(), good.receiver()];
    let patience = Patience { timeout: LONG, backoff: LONG, message: LONG * 10, ..Patience::default() };
    let deliveries = anonymous(sent(patience, &[events(4, &to)], Duration::from_secs(1)));
    assert_eq!(deliveries[2], delivery(4, 0, 0, ""));
    assert_eq!(deliveries[1], Delivery { undelivered: 4, ..Delivery::default() });
    assert_eq!((deliveries[0].sent, deliveries[0].undelivered), (0, 4));
    assert!(deliveries[0].last_error.as_ref().is_some_and(|why| why.contains("refused")), "{deliveries:?}");
    assert_eq!(good.told().len(), 4);
    assert_eq!(silent.told(), ["slow tail#1 firing"]);
}

#[test]
fn the_end_wakes_a_message_that_waits_for_its_next_try() {
    let hook = Hook::new(&[BROKEN]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let deliveries = runtime.block_on(async {
        let mut hooks = Webhooks::new("run1".into(), Patience { backoff: LONG, message: LONG * 10, ..quick() });
        hooks.update(&events(1, &[hook.receiver()]));
        while hooks.lines[0].queue.closed().retries == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(hooks.is_busy());
        hooks.drain(LONG).await;
        assert!(!hooks.is_busy());
        hooks.finish()
    });
    assert_eq!(anonymous(deliveries), [delivery(1, 0, 1, "status 500")]);
}

#[test]
fn where_too_many_wait_the_oldest_give_way() {
    let hook = Hook::new(&[]);
    let patience = Patience { waiting: 3, ..quick() };
    // All of them come before the task runs for the first time.
    let deliveries = sent(patience, &[events(10, &[hook.receiver()])], LONG);
    assert_eq!(anonymous(deliveries), [Delivery { sent: 3, dropped: 7, ..Delivery::default() }]);
    assert_eq!(hook.told(), ["slow tail#4 resolved", "slow tail#5 firing", "slow tail#5 resolved"]);
}

#[test]
fn a_receiver_that_changed_its_headers_is_another_one_and_none_is_named_by_its_path() {
    let hook = Hook::new(&[]);
    let mut other = hook.receiver();
    other.headers = vec![("X-Key".into(), "other".into())];
    let deliveries = sent(quick(), &[events(1, &[hook.receiver(), other])], LONG);
    let names: Vec<_> = deliveries.iter().map(|delivery| delivery.receiver.clone()).collect();
    assert_eq!(names, [format!("http://{}", hook.address), format!("http://{} #2", hook.address)]);
    assert_eq!(hook.got().len(), 2);
}

#[test]
fn edits_cannot_name_receivers_without_end() {
    let nobody = dead();
    let at = |number| Receiver { url: format!("{}/{number}", nobody.url), ..nobody.clone() };
    let to: Vec<Receiver> = (0..RECEIVERS + 5).map(at).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hooks = Webhooks::new("run1".into(), quick());
        hooks.update(&events(1, &to));
        let names: std::collections::BTreeSet<String> =
            hooks.deliveries().into_iter().map(|told| told.receiver).collect();
        assert_eq!((names.len(), hooks.full), (RECEIVERS, true));
        assert!(names.iter().any(|name| name.ends_with(" #1000")));
    });
}

#[test]
fn what_cannot_be_sent_says_so_without_its_secret() {
    let hook = Hook::new(&[]);
    let mut wrong = hook.receiver();
    wrong.headers = vec![("X-Key".into(), "a\nb".into())];
    let deliveries = sent(quick(), &[events(1, &[wrong])], LONG);
    assert_eq!(anonymous(deliveries), [delivery(0, 1, 0, "the header `X-Key` cannot be sent")]);
    assert_eq!(hook.got().len(), 0);
    assert_eq!(message::shown("https://user:pass@hooks.test/T0/secret?x"), "https://hooks.test");
    assert_eq!(message::shown("no address"), "an address that cannot be read");
}

#[test]
fn values_that_are_no_numbers_are_null() {
    let mut odd = event(3, false, &[]);
    odd.value = Some(f64::NAN);
    odd.because = Some("removed by revision 3".into());
    odd.time = SystemTime::UNIX_EPOCH;
    let body: Value = serde_json::from_slice(&Message::new("r", &odd).body).unwrap();
    assert_eq!(body["value"], json!(null));
    assert_eq!((&body["status"], &body["because"]), (&json!("resolved"), &json!("removed by revision 3")));
}
