//! Where the monitor is: ports that are taken, addresses that need a token, runs without one.

use std::net::{TcpListener, TcpStream};

use super::get;
use crate::builder::{punk, target};

const SHORT: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("a", #{ users: 1, duration: 2.s, run: f });
    fn f() { http::get("/echo"); sleep(20.ms); }
"#;

#[test]
fn by_default_it_takes_the_next_free_port_and_the_run_never_fails_for_it() {
    let target = target();
    // Taken by us, or by whoever else is there: it is all the same.
    let _taken = TcpListener::bind("127.0.0.1:9090");
    let mut running = punk().script(SHORT).target(&target).monitored_as_usual().start();
    let address = running.monitor();
    assert_ne!(address, "127.0.0.1:9090");
    assert!(running.stderr_so_far().contains("(9090 is taken)"), "{}", running.stderr_so_far());
    get(&address, "/api/status").ok();
    let outcome = running.wait();
    outcome.assert_passed();
    assert_eq!(outcome.stderr().matches("monitor: http://").count(), 1, "{}", outcome.told());
    assert!(TcpStream::connect(&address).is_err(), "it is gone with the run");
}

#[test]
fn an_address_that_is_taken_gives_way_to_the_next_port_unless_it_is_required() {
    let target = target();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let asked = || punk().script(SHORT).target(&target).monitored_as_usual().args(&format!("--monitor-addr {address}"));
    let outcome = asked().arg("--monitor").run();
    outcome.assert_code(106).assert_stderr(&format!("the monitor cannot listen at {address}"));
    assert_eq!(target.stats().requests, 0);
    let mut running = asked().start();
    let at = running.monitor();
    assert!(at != address.to_string() && at.starts_with("127.0.0.1:"), "{at}");
    get(&at, "/api/status").ok();
    let told = running.wait().assert_passed().stderr();
    assert!(told.contains(&format!("({} is taken)", address.port())), "{told}");
    // An address that is not this machine's cannot be had at any port.
    let elsewhere = punk().script(SHORT).target(&target).monitored_as_usual().args("--monitor-addr 192.0.2.1:9090");
    elsewhere.env("PUNK_MONITOR_TOKEN", "long-enough-for-a-test").run().assert_code(106);
}

#[test]
fn an_address_for_others_needs_a_token_and_is_warned_of() {
    let target = target();
    let run = || punk().script(SHORT).target(&target).monitored_as_usual().args("--monitor-addr 0.0.0.0:0");
    run().run().assert_code(2).assert_stderr("there is no token");
    let outcome = run().env("PUNK_MONITOR_TOKEN", "tooshort").run();
    outcome.assert_code(2).assert_stderr("a token has at least 16 characters");
    assert!(!outcome.stderr().contains("tooshort"), "{}", outcome.told());
    let mut running = run().env("PUNK_MONITOR_TOKEN", "long-enough-for-a-test").start();
    let address = running.monitor().replace("0.0.0.0", "127.0.0.1");
    get(&address, "/api/status").refused(401);
    let headers = ["authorization: Bearer long-enough-for-a-test"];
    super::ask(&address, "GET", "/api/status", &headers, "").ok();
    running.wait().assert_passed().assert_stderr("warning: the monitor can be reached from other machines");
}

#[test]
fn there_is_none_where_nobody_wants_one() {
    let target = target();
    let outcome = punk().script(SHORT).target(&target).monitored_as_usual().args("--no-monitor").run();
    assert!(!outcome.assert_passed().told().contains("monitor"), "{}", outcome.told());
    let malformed = punk().script(SHORT).monitored_as_usual().args("--monitor-addr somewhere").run();
    malformed.assert_code(2).assert_stderr("`somewhere` is no address to listen at");
}

#[cfg(debug_assertions)]
#[test]
fn a_monitor_that_dies_takes_nothing_with_it() {
    let target = target();
    let mut running = punk()
        .script(SHORT)
        .target(&target)
        .monitored()
        .env("PUNK_TEST_MONITOR_DIES", "1")
        .args("--log-file run.log")
        .start();
    let address = running.monitor();
    running.until("it is gone", |_| TcpStream::connect(&address).is_err());
    let served = target.stats().requests;
    running.until("the load goes on", |_| target.stats().requests > served + 10);
    let outcome = running.wait();
    outcome.assert_passed();
    let warning = "warning: the monitor died: a test wants it so; the run is not concerned\n";
    assert_eq!(outcome.stderr().matches("monitor died").count(), 1, "{}", outcome.stderr());
    assert!(outcome.stderr().contains(warning) && !outcome.stderr().contains("panicked"), "{}", outcome.stderr());
    assert_eq!(outcome.metric("http_reqs", "count"), target.stats().requests as f64);
    let log = std::fs::read_to_string(outcome.folder().join("run.log")).unwrap();
    for entry in
        ["INFO ", "process punk::monitor: listens address=127.0.0.1:", "a bug in the monitor: a test wants it so"]
    {
        assert!(log.contains(entry), "{entry}: {log}");
    }
    assert!(log.contains("the run goes on without it"), "{log}");
}
