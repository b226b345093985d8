//! Connections that do not read, and what they may hold, with limits that a test can reach.

use super::*;
use crate::api::answers::Answers;
use crate::api::{Export, Lent};
use crate::snapshot::Snapshot;
use chrono::Utc;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// More than the buffers of a connection hold.
const LARGE: usize = 16 << 20;

#[test]
fn the_answer_to_one_too_many_is_as_long_as_it_says() {
    let text = refusal("too many connections");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["detail"], "too many connections");
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// A monitor whose `GET /api/export` is large, which says `scrape` to Prometheus and is as `with` makes it.
async fn serving(
    scrape: crate::api::Scrape,
    with: impl FnOnce(&mut Monitor),
) -> (SocketAddr, Arc<Monitor>, watch::Sender<Arc<Snapshot>>, oneshot::Sender<()>) {
    let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    let export: Export = |_, _| Some("x".repeat(LARGE));
    let judge = crate::api::judgement::of_tests();
    let commands = mpsc::unbounded_channel().0;
    let session = Session::new("a.rhai", Utc::now(), snapshots, commands, judge).with_export(export);
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access { address, hosts: Vec::new(), control: None, read: None, readonly: false, tls: false };
    let mut monitor = Monitor::new(vec![session], access, Lent { scrape, intake: None });
    with(&mut monitor);
    let monitor = Arc::new(monitor);
    let (over, told) = oneshot::channel::<()>();
    let serving = serve_monitor((listener, None), Arc::clone(&monitor), async move { drop(told.await) });
    tokio::spawn(async move { serving.await.unwrap() });
    (address, monitor, publish, over)
}

/// Asks, and does not read.
fn asked(address: SocketAddr, path: &str) -> std::net::TcpStream {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    stream
}

/// What is still to be had: the head and how many bytes of the body.
async fn read(mut stream: std::net::TcpStream) -> (String, usize) {
    let reading = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        // One that was cut off may be reset.
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        (head.to_owned(), body.len())
    });
    reading.await.unwrap()
}

/// Waits until it holds; a test that waits for what never comes fails.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[test]
fn whoever_does_not_read_its_answer_is_let_go_with_what_it_held() {
    run(async {
        let patient = |monitor: &mut Monitor| monitor.patience = Duration::from_millis(300);
        let (address, monitor, _publish, _over) = serving(|_, _, _| ("text/plain", Vec::new()), patient).await;
        let silent = asked(address, "/api/export?format=csv");
        until("it is on its way", || !monitor.answers.is_idle()).await;
        until("it is let go", || monitor.answers.is_idle()).await;
        let (head, size) = read(silent).await;
        assert!(head.starts_with("HTTP/1.1 200") && size < LARGE, "{head} {size}");
        let (head, size) = read(asked(address, "/api/export?format=csv")).await;
        assert!(head.starts_with("HTTP/1.1 200") && size == LARGE, "{head} {size}");
    });
}

#[test]
fn large_answers_to_those_that_do_not_read_are_bounded() {
    run(async {
        let narrow = |monitor: &mut Monitor| monitor.answers = Answers::new(LARGE + LARGE / 2);
        let (address, monitor, _publish, _over) = serving(|_, _, _| ("text/plain", Vec::new()), narrow).await;
        let silent = asked(address, "/api/export?format=csv");
        until("it is on its way", || !monitor.answers.is_idle()).await;
        let (head, _) = read(asked(address, "/api/export?format=csv")).await;
        assert!(head.starts_with("HTTP/1.1 503") && head.contains("retry-after: 1"), "{head}");
        assert!(head.contains("application/problem+json"), "{head}");
        // What is small is answered all the same.
        let (head, _) = read(asked(address, "/api/status")).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        drop(silent);
        until("there is room again", || monitor.answers.is_idle()).await;
        let (head, size) = read(asked(address, "/api/export?format=csv")).await;
        assert!(head.starts_with("HTTP/1.1 200") && size == LARGE, "{head} {size}");
    });
}

#[test]
fn what_prometheus_is_told_is_made_once_for_all_who_ask() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    run(async {
        let scrape: crate::api::Scrape = |_, _, _| {
            MADE.fetch_add(1, Ordering::Relaxed);
            ("text/plain", vec![b'x'; LARGE])
        };
        // There is room for two, not for twenty.
        let narrow = |monitor: &mut Monitor| monitor.answers = Answers::new(2 * LARGE);
        let (address, _monitor, publish, _over) = serving(scrape, narrow).await;
        let silent: Vec<_> = (0..20).map(|_| asked(address, "/metrics")).collect();
        let (head, size) = read(asked(address, "/metrics")).await;
        assert!(head.starts_with("HTTP/1.1 200") && size == LARGE, "{head} {size}");
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
        publish.send_replace(Arc::new(Snapshot { sequence: 1, ..Snapshot::default() }));
        let (_, size) = read(asked(address, "/metrics")).await;
        assert_eq!((size, MADE.load(Ordering::Relaxed)), (LARGE, 2));
        drop(silent);
    });
}
