//! Bodies that would hurt: bombs and floods keep to their limits, and the memory stays flat.

use super::accounts::Account;
use super::{assert_checks, once};
use crate::builder::{Running, target};

/// The most memory that the process has had, MiB.
fn peak_memory(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells it");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
fn a_gzip_bomb_is_refused_where_it_is_read() {
    let target = target();
    let body = r#"
        let r = http::get("/bomb/gzip?mb=500");
        check(`received whole: ${r.status} ${r.error}`, r.status == 200 && r.length < 2_000_000);
        let why = "";
        try { let x = r.body.len(); } catch (error) { why = error.to_string(); }
        check(`refused: ${why}`, why.contains("decode") && why.contains("16 MiB"));
        print("peak now");
        sleep(10.s);
    "#;
    let mut running = once(&target, "", body).args("--graceful-stop 0s").start();
    running.until_stderr("peak now");
    let peak = peak_memory(&running);
    running.send(rustix::process::Signal::INT);
    let outcome = running.wait();
    assert_checks(&outcome, 2);
    assert!(peak < 160, "{peak} MiB for a body of 500");
}

#[test]
fn a_body_of_100_megabytes_is_counted_and_not_kept() {
    let target = target();
    let body = r#"
        let r = http::get("/bytes/100000000");
        check(`${r.status} ${r.length} ${r.error}`, r.status == 200 && r.length == 100_000_000);
        check("cut", r.truncated);
        print("peak now");
        sleep(10.s);
    "#;
    let mut running = once(&target, "", body).args("--graceful-stop 0s").start();
    running.until_stderr("peak now");
    let peak = peak_memory(&running);
    running.send(rustix::process::Signal::INT);
    let outcome = running.wait();
    assert_checks(&outcome, 2);
    assert!(peak < 160, "{peak} MiB for a body of which 16 are kept");
    assert!(outcome.metric("data_received", "count") > 1e8);
    Account::of(&outcome, &target).assert_equal_by_status();
}

#[test]
fn the_bytes_of_a_large_body_are_read_and_sent_on() {
    let target = target();
    let body = r#"
        let r = http::get("/bytes/200000");
        check(`${r.bytes.len}`, r.bytes.len == 200_000 && r.bytes.slice(10, 5).len == 5);
        let sent = http::request("POST", "/upload", (), #{ multipart: #{ photo: #{ file: "p.bin", content: r.bytes } } });
        check(`${sent.body}`, sent.status == 200 && sent.body.contains("200000"));
    "#;
    assert_checks(&once(&target, "", body).run(), 2);
}

#[test]
fn deep_and_large_json() {
    let target = target();
    let body = r#"
        let r = http::get("/json/deep?depth=100000");
        let why = "";
        try { let x = r.json(); } catch (error) { why = error.to_string(); }
        check(`too deep: ${why}`, why.contains("JSON"));
        let r = http::get("/json/large?kb=2000");
        check("large", r.json().len() == 32000 && r.json("$[31999].id") == 0 && r.json("$[7].ok"));
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 2);
}
