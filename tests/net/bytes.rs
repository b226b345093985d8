//! Bytes are exact: on plain HTTP/1.1 `data_sent` and `data_received` are what the target's sockets read and wrote.

use super::accounts::ORDINARY;
use super::{once, settled};
use crate::builder::{Outcome, target, target_with};
use punk::target::{Dials, Fault, RunningTarget};

#[track_caller]
fn assert_exact(outcome: &Outcome, target: &RunningTarget) {
    let stats = settled(target);
    assert_eq!(outcome.metric("data_sent", "count") as u64, stats.bytes_in, "sent\n{}", outcome.told());
    assert_eq!(outcome.metric("data_received", "count") as u64, stats.bytes_out, "received\n{}", outcome.told());
    let summary = outcome.summary();
    let of_rows = |field: &str| -> u64 {
        super::items(&summary, "operations").map(|row| row[field].as_u64().expect("bytes")).sum()
    };
    assert_eq!((of_rows("bytes_out"), of_rows("bytes_in")), (stats.bytes_in, stats.bytes_out), "the operations add up");
}

#[test]
fn of_ordinary_load() {
    let target = target();
    let outcome = once(&target, "", ORDINARY).args("-u4 -i60").run();
    assert_exact(&outcome, &target);
}

#[test]
fn of_large_bodies_both_ways() {
    let target = target();
    let body = r#"
        let text = "0123456789abcdef"; for i in 0..12 { text += text; }
        http::post("/echo", text); http::get("/bytes/5000000"); http::get("/chunked"); http::get("/gzip");
    "#;
    let outcome = once(&target, "", body).args("-u2 -i4").run();
    assert_exact(&outcome, &target);
}

#[test]
fn of_several_connections_at_once() {
    let target = target();
    let outcome =
        once(&target, "", r#"http::batch(["/echo", "/html", "/bytes/70000", "/status/404", "/echo", "/echo"]);"#)
            .args("-u2 -i20")
            .run();
    assert_exact(&outcome, &target);
}

#[test]
fn of_answers_that_end_too_early() {
    let faults = vec![
        (Fault::Close, 0.05),
        (Fault::CloseInBody, 0.05),
        (Fault::CutChunked, 0.05),
        (Fault::LongContentLength, 0.05),
    ];
    let target = target_with(Dials { faults, ..Dials::default() });
    let outcome = once(&target, "", ORDINARY).args("-u2 -i60").run();
    assert_exact(&outcome, &target);
}
