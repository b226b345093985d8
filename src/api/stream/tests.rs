//! The streams with Snapshots that a test publishes: what is made, for whom, and what becomes of those who do not listen.

use super::event::{Event, Watch};
use super::*;
use crate::api::server::serve_monitor;
use crate::api::{Access, Lent, Monitor};
use crate::metrics::{Cell, MetricId, TagSet};
use crate::snapshot::{AlertEvent, Series, Snapshot, Status, Verdict};
use bytes::Bytes;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tungstenite::{Message, WebSocket};

/// A run that does what the test says.
struct Stage {
    publish: watch::Sender<Arc<Snapshot>>,
    session: Arc<Session>,
    sequence: AtomicU64,
}

pub(super) fn session() -> (watch::Sender<Arc<Snapshot>>, Session) {
    let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
    let started_at = "2026-01-18T15:30:45Z".parse().unwrap();
    (
        publish,
        Session::new("a.rhai", started_at, snapshots, mpsc::unbounded_channel().0, crate::api::judgement::of_tests()),
    )
}

fn stage() -> Stage {
    let (publish, session) = session();
    Stage { publish, session: Arc::new(session), sequence: AtomicU64::new(0) }
}

impl Stage {
    fn show(&self, mut snapshot: Snapshot) {
        snapshot.sequence = self.sequence.fetch_add(1, Ordering::Relaxed) + 1;
        self.publish.send_replace(Arc::new(snapshot));
    }
}

fn of_status(status: Status) -> Snapshot {
    Snapshot { status, ..Snapshot::default() }
}

fn streams() -> Arc<Streams> {
    Arc::new(Streams::new(Arc::default()))
}

fn topic(path: &str) -> &'static Topic {
    TOPICS.iter().find(|topic| topic.path == path).expect("there is such a topic")
}

fn query(topic: &'static Topic, text: &str) -> Query {
    Query::read(&format!("/a?{text}").parse().unwrap(), topic.query).unwrap()
}

/// The message in a frame of ours.
fn message(frame: &Bytes) -> Value {
    let head = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    serde_json::from_slice(&frame[head..]).unwrap()
}

async fn next(joined: &mut Joined) -> Value {
    message(
        &timeout(Duration::from_secs(20), joined.frames.recv()).await.expect("in time").expect("the stream goes on"),
    )
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

#[test]
fn a_message_is_made_once_for_all_its_clients() {
    run(async {
        let (stage, streams) = (stage(), streams());
        let metrics = topic("/ws/metrics");
        let join = || streams.join(Arc::clone(&stage.session), metrics, query(metrics, ""));
        let mut clients: Vec<Joined> = (0..200).map(|_| join()).collect();
        assert_eq!(streams.counts.served().messages_made, 1, "one full state for all");
        let first = clients[0].full.clone();
        assert!(clients.iter().all(|client| client.full.as_ptr() == first.as_ptr()), "the same bytes");
        let full = message(&first);
        assert_eq!((&full["type"], &full["full"]), (&"metrics_update".into(), &true.into()));
        assert_eq!((&full["sequence"], &full["state"]["status"]["status"]), (&0.into(), &"starting".into()));
        stage.show(of_status(Status::Running));
        let mut pointers = Vec::new();
        for client in &mut clients {
            pointers.push(timeout(Duration::from_secs(20), client.frames.recv()).await.unwrap().unwrap());
        }
        assert!(pointers.iter().all(|frame| frame.as_ptr() == pointers[0].as_ptr()), "one frame for all");
        assert_eq!(streams.counts.served().messages_made, 2);
        let change = message(&pointers[0]);
        assert_eq!((&change["type"], &change["sequence"]), (&"status_change".into(), &1.into()), "{change}");
        assert_eq!((&change["data"]["previous"], &change["data"]["status"]), (&"starting".into(), &"running".into()));
        // Another stream of the same topic is one of its own.
        let other = streams.join(Arc::clone(&stage.session), metrics, query(metrics, "interval=1"));
        assert_eq!(message(&other.full)["sequence"], 0);
        assert_eq!(streams.channels().len(), 2);
    });
}

#[test]
fn what_nobody_listens_to_is_never_made() {
    static MADE: AtomicU64 = AtomicU64::new(0);
    fn make(_: &Session, _: &Snapshot, _: &Query) -> Bytes {
        MADE.fetch_add(1, Ordering::Relaxed);
        Bytes::from_static(b"{}")
    }
    static COUNTED: Topic = Topic::new::<u64>("/ws/counted", "counted_update", "a test's", make);
    run(async {
        let (stage, streams) = (stage(), streams());
        for status in [Status::Running, Status::Paused, Status::Running] {
            stage.show(of_status(status));
            tokio::task::yield_now().await;
        }
        assert_eq!((MADE.load(Ordering::Relaxed), streams.channels().len()), (0, 0));
        let join = || streams.join(Arc::clone(&stage.session), &COUNTED, query(&COUNTED, "interval=1"));
        let mut client = join();
        assert_eq!(next(&mut client).await["sequence"], 1, "told again after its interval");
        drop(client);
        // Its task sees that it is alone.
        while !streams.channels().is_empty() {
            tokio::task::yield_now().await;
        }
        let made = MADE.load(Ordering::Relaxed);
        for at in 0..100 {
            stage.show(of_status(if at % 2 == 0 { Status::Paused } else { Status::Running }));
            tokio::task::yield_now().await;
        }
        assert_eq!((made, MADE.load(Ordering::Relaxed)), (2, 2));
        // Whoever comes next begins it anew.
        assert_eq!(message(&join().full)["sequence"], 0);
    });
}

#[test]
fn whoever_comes_late_misses_nothing_from_its_first_message_on() {
    run(async {
        let (stage, streams) = (stage(), streams());
        let metrics = topic("/ws/metrics");
        let join = || streams.join(Arc::clone(&stage.session), metrics, query(metrics, "interval=60"));
        let mut early = join();
        for (at, status) in [Status::Running, Status::Paused, Status::Running].into_iter().enumerate() {
            stage.show(of_status(status));
            assert_eq!(next(&mut early).await["sequence"], at as u64 + 1);
        }
        let mut late = join();
        let full = message(&late.full);
        assert_eq!((&full["sequence"], &full["state"]["status"]["status"]), (&3.into(), &"running".into()));
        stage.show(of_status(Status::Stopping));
        let (first, second) = (next(&mut early).await, next(&mut late).await);
        assert_eq!((&first, &second["sequence"]), (&second, &4.into()));
    });
}

#[test]
fn the_end_of_a_run_is_told_to_all_and_again_to_whoever_comes_after_it() {
    run(async {
        let (stage, streams) = (stage(), streams());
        stage.show(of_status(Status::Running));
        let health = topic("/ws/system/health");
        let join = || streams.join(Arc::clone(&stage.session), health, query(health, ""));
        let mut client = join();
        stage.show(of_status(Status::Completed));
        let last = next(&mut client).await;
        assert_eq!((&last["type"], &last["sequence"]), (&"health_update".into(), &1.into()));
        for _ in 0..2 {
            let end = next(&mut client).await;
            assert_eq!(end["type"], "benchmark_completed");
            assert_eq!((&end["data"]["status"], &end["data"]["verdict"]), (&"completed".into(), &"passed".into()));
            assert!(client.frames.recv().await.is_err());
            assert_eq!((u16::from(client.ended().code), client.ended().why), (1000, "the run is over"));
            assert!(streams.channels().is_empty());
            client = join();
        }
        streams.end().await;
    });
}

#[test]
fn a_monitor_that_ends_before_its_run_says_so() {
    run(async {
        let (stage, streams) = (stage(), streams());
        let metrics = topic("/ws/metrics");
        let mut client = streams.join(Arc::clone(&stage.session), metrics, query(metrics, ""));
        stage.show(of_status(Status::Running));
        streams.end().await;
        while client.frames.recv().await.is_ok() {}
        assert_eq!(u16::from(client.ended().code), 1001);
        assert!(streams.enter().is_none(), "nobody is let in any more");
    });
}

/// A Snapshot with so many edges of alerts, numbered from `first` on.
fn ringing(first: u64, count: u64) -> Snapshot {
    let edge = |number| AlertEvent {
        number,
        id: format!("a{number}#1"),
        name: format!("a{number}"),
        firing: true,
        at: Duration::ZERO,
        time: std::time::SystemTime::UNIX_EPOCH,
        severity: Default::default(),
        when: "count of http_reqs > 1".to_owned(),
        value: Some(2.0),
        value_text: Some("2".to_owned()),
        description: String::new(),
        resolution: String::new(),
        because: None,
        acknowledged_by: None,
        notify: Arc::default(),
    };
    let alert_events = (first..first + count).map(edge).map(Arc::new).collect();
    Snapshot { status: Status::Running, alert_events, ..Snapshot::default() }
}

#[test]
fn a_flood_of_events_reaches_whoever_reads() {
    run(async {
        let (stage, streams) = (stage(), streams());
        let alerts = topic("/ws/alerts");
        let mut client = streams.join(Arc::clone(&stage.session), alerts, query(alerts, "interval=60"));
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            while all.len() < 500 {
                all.push(next(&mut client).await);
            }
            all
        });
        tokio::task::yield_now().await;
        stage.show(ringing(1, 500));
        let all = reading.await.expect("it did not lag");
        for (at, one) in all.iter().enumerate() {
            assert_eq!((&one["type"], &one["sequence"]), (&"alert_fired".into(), &(at as u64 + 1).into()));
            assert_eq!(one["data"]["id"], format!("a{}#1", at + 1));
        }
    });
}

#[test]
fn only_what_is_new_is_an_event() {
    let stage = stage();
    let start = Arc::new(Snapshot::default());
    let mut watch = Watch::new(&stage.session, start);
    let mut news = |snapshot: Snapshot| -> Vec<(&'static str, Value)> {
        let news = watch.news(&stage.session, Arc::new(snapshot), &Event::ALL);
        news.into_iter().map(|(event, data)| (event.word(), serde_json::from_slice(&data).unwrap())).collect()
    };
    let words = |news: &[(&'static str, Value)]| news.iter().map(|(word, _)| *word).collect::<Vec<_>>();
    let verdict = |passed| Verdict { selector: "http_reqs".to_owned(), passed, ..Verdict::default() };
    let with = |revision, passed, edges| Snapshot { revision, thresholds: vec![verdict(passed)], ..ringing(1, edges) };
    assert_eq!(words(&news(with(1, None, 0))), ["status_change"], "rules that a run begins with are no change");
    assert_eq!(words(&news(with(1, None, 0))), [""; 0]);
    let turned = news(with(1, Some(false), 2));
    assert_eq!(words(&turned), ["threshold_changed", "alert_fired", "alert_fired"]);
    assert_eq!(turned[0].1["because"], "verdict");
    assert_eq!(words(&news(with(1, Some(false), 2))), [""; 0]);
    let edited = news(with(2, Some(true), 3));
    assert_eq!(words(&edited), ["threshold_changed", "alert_fired"]);
    assert_eq!((&edited[0].1["because"], &edited[0].1["revision"]), (&"rules".into(), &2.into()));
}

/// A monitor at a free port, with these limits; it ends with the runtime.
async fn serve(session: Session, most: usize, pace: Pace) -> (SocketAddr, Arc<Monitor>, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access { address, hosts: Vec::new(), control: None, read: None, readonly: false, tls: false };
    let mut monitor =
        Monitor::new(vec![session], access, Lent { scrape: |_, _, _| ("text/plain", Vec::new()), intake: None });
    monitor.streams = Arc::new(Streams::with(monitor.sessions.counts(), most, pace));
    let monitor = Arc::new(monitor);
    let (over, told) = oneshot::channel::<()>();
    let serving = serve_monitor((listener, None), Arc::clone(&monitor), async move { drop(told.await) });
    tokio::spawn(async move { serving.await.unwrap() });
    (address, monitor, over)
}

type Socket = WebSocket<TcpStream>;

/// A client of a thread that may wait.
async fn connect(address: SocketAddr, path: &'static str) -> Result<Socket, u16> {
    tokio::task::spawn_blocking(move || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        match tungstenite::client(format!("ws://{address}{path}"), stream) {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                Err(response.status().as_u16())
            }
            Err(other) => panic!("{other}"),
        }
    })
    .await
    .unwrap()
}

/// Reads until the end: how many messages, and the code that it was closed with.
async fn read_all(mut socket: Socket) -> (usize, Option<u16>) {
    tokio::task::spawn_blocking(move || {
        let mut messages = 0;
        loop {
            match socket.read() {
                Ok(Message::Text(_)) => messages += 1,
                Ok(Message::Close(close)) => return (messages, close.map(|close| close.code.into())),
                Ok(_) => {}
                Err(_) => return (messages, None),
            }
        }
    })
    .await
    .unwrap()
}

#[test]
fn there_is_room_for_so_many_and_room_again() {
    run(async {
        let (_publish, session) = session();
        let (address, monitor, _over) = serve(session, 2, Pace::default()).await;
        let first = connect(address, "/ws/metrics").await.unwrap();
        let _second = connect(address, "/api/v1/ws/alerts").await.unwrap();
        assert_eq!(connect(address, "/ws/metrics").await.unwrap_err(), 503);
        drop(first);
        while monitor.sessions.counts().served().clients == 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        connect(address, "/api/ws/system/health").await.unwrap();
        assert_eq!(monitor.sessions.counts().served().refused, 1);
    });
}

/// A Snapshot whose metrics are more than a megabyte of JSON.
fn large() -> Snapshot {
    let metrics = crate::metrics::specs(&[], &[], 60);
    let requests = metrics.iter().position(|spec| &*spec.def.name == "http_reqs").expect("it is built in");
    let series = (0..1_000).map(|at| {
        Arc::new(Series {
            metric: MetricId(requests as u16),
            tags: TagSet::new([("name", format!("{at:0>1000}"))]),
            cell: Cell::Counter { sum: 1.0, samples: 1 },
        })
    });
    Snapshot { series: series.collect(), metrics, status: Status::Running, ..Snapshot::default() }
}

#[test]
fn whoever_does_not_read_is_dropped_and_counted_while_the_others_go_on() {
    run(async {
        let (publish, session) = session();
        publish.send_replace(Arc::new(large()));
        let pace = Pace { beat: Duration::from_secs(600), patience: Duration::from_millis(300) };
        let (address, monitor, over) = serve(session, 10, pace).await;
        let silent = connect(address, "/ws/metrics?interval=1").await.unwrap();
        let reading = tokio::spawn(read_all(connect(address, "/ws/metrics?interval=1").await.unwrap()));
        let counts = monitor.sessions.counts();
        let mut sequence = 0;
        while counts.served().dropped == 0 {
            sequence += 1;
            publish.send_replace(Arc::new(Snapshot { sequence, ..large() }));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!((counts.served().dropped, counts.served().clients), (1, 1));
        let health = tokio::task::spawn_blocking(move || {
            use std::io::{Read, Write};
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET /api/health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            serde_json::from_str::<Value>(text.split_once("\r\n\r\n").unwrap().1).unwrap()
        });
        let health = health.await.unwrap();
        let told = &health["components"]["monitor"];
        assert_eq!((&told["status"], &told["streams"]["dropped"]), (&"warning".into(), &1.into()), "{told}");
        publish.send_replace(Arc::new(of_status(Status::Completed)));
        let (messages, code) = reading.await.unwrap();
        assert!(messages > 2 && code == Some(1000), "{messages} {code:?}");
        drop((silent, over));
    });
}

#[test]
fn whoever_is_silent_is_asked_and_then_dropped() {
    run(async {
        let (_publish, session) = session();
        let pace = Pace { beat: Duration::from_millis(100), patience: Duration::from_secs(10) };
        let (address, monitor, over) = serve(session, 10, pace).await;
        // Its library answers pings as long as it reads.
        let reading = tokio::spawn(read_all(connect(address, "/ws/metrics").await.unwrap()));
        let silent = connect(address, "/ws/metrics").await.unwrap();
        let counts = monitor.sessions.counts();
        while counts.served().dropped == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It has read nothing; what it was told is still there.
        let (_, code) = read_all(silent).await;
        assert_eq!(code, Some(1013));
        drop(over);
        assert_eq!(reading.await.unwrap().1, Some(1001), "who answers stays to the end");
        assert_eq!(counts.served().dropped, 1);
    });
}
