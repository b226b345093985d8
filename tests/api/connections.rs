//! Connections as the monitor tells them, against those that the target counts.

use super::{get, stop, until};
use crate::builder::{Running, punk, target};
use punk::target::{Dials, RunningTarget};
use serde_json::Value;

/// Users that do `body` over and over, with the monitor, until they are stopped.
fn users(target: &RunningTarget, count: u32, options: &str, body: &str) -> Running {
    let script = format!(
        "options(#{{ base_url: \"TARGET\", {options} }});\n\
         scenario(\"users\", #{{ users: {count}, duration: 50.s, graceful_stop: 0.s, run: visit }});\n\
         fn visit() {{ {body} }}\n"
    );
    punk().script(&script).target(target).monitored().start()
}

fn connections(running: &mut Running, holds: impl Fn(&Value) -> bool) -> Value {
    until(running, "/api/connections", holds)
}

#[test]
fn they_are_those_that_the_target_counts_and_active_while_they_wait() {
    let target = target();
    let body = r#"if vu::id() <= 2 { http::get("/delay/40000"); } else { http::get("/echo"); sleep(40.s); }"#;
    let mut running = users(&target, 5, "", body);
    let said = connections(&mut running, |said| said["active"] == 2 && said["idle"] == 3);
    assert_eq!((&said["total"], &said["failed"], &said["lost"]), (&5.into(), &0.into(), &0.into()), "{said:#}");
    let health = &said["health"];
    assert_eq!((&health["healthy"], &health["warning"], &health["error"]), (&5.into(), &0.into(), &0.into()));
    assert_eq!(said["by_protocol"].as_object().unwrap().keys().collect::<Vec<_>>(), ["http1"], "{said:#}");
    assert_eq!(
        (&said["by_protocol"]["http1"]["active"], &said["by_protocol"]["http1"]["idle"]),
        (&2.into(), &3.into())
    );
    let stats = target.stats();
    assert_eq!((stats.connections, stats.connections_open, stats.in_flight), (5, 5, 2), "{stats:?}");
    let address = running.monitor();
    let alias = get(&address, "/api/v1/connections/metrics").ok();
    assert_eq!((&alias["active"], &alias["total"]), (&2.into(), &5.into()), "{alias:#}");
    let metrics = |name: &str| get(&address, &format!("/api/metrics/series?name={name}")).ok();
    assert_eq!(metrics("http_connections_active")["values"]["value"], 2, "{:#}", metrics("http_connections_active"));
    assert_eq!(metrics("http_connections_opened")["series"][0]["tags"]["proto"], "HTTP/1.1");
    stop(&address);
    running.wait();
}

#[test]
fn new_ones_have_a_rate_and_those_that_are_left_are_closed() {
    let target = target();
    // A client of its own has connections of its own, and they end with it.
    let mut running = users(&target, 1, "", r#"let other = http::client(#{}); other.get("/echo"); sleep(20.ms);"#);
    let said = connections(&mut running, |said| said["total"].as_u64() >= Some(20));
    assert!(said["rate"].as_f64() > Some(0.0), "{said:#}");
    assert!(said["active"].as_u64().unwrap() + said["idle"].as_u64().unwrap() <= 1, "{said:#}");
    stop(&running.monitor());
    running.wait();
    assert!(target.stats().connections >= said["total"].as_u64().unwrap());
}

#[test]
fn a_port_that_is_closed_is_an_error() {
    let target = target();
    target.set_dials(Dials { refuse: true, ..Dials::default() }).unwrap();
    let mut running = users(&target, 3, "", r#"http::get("/echo"); sleep(20.ms);"#);
    let said = connections(&mut running, |said| said["health"]["error"].as_u64() >= Some(3));
    assert_eq!((&said["total"], &said["health"]["healthy"]), (&0.into(), &0.into()), "{said:#}");
    assert!(said["failed"].as_u64() >= said["health"]["error"].as_u64(), "{said:#}");
    // What is behind us is no error any more.
    target.set_dials(Dials::default()).unwrap();
    let said = connections(&mut running, |said| said["health"]["error"] == 0);
    assert_eq!((&said["health"]["healthy"], &said["total"]), (&3.into(), &3.into()), "{said:#}");
    assert!(said["failed"].as_u64() >= Some(3), "{said:#}");
    stop(&running.monitor());
    running.wait();
}

#[test]
fn a_server_that_breaks_off_is_a_warning() {
    let target = target();
    let mut running =
        users(&target, 2, "", r#"http::get("/echo?fault=close_in_body"); http::get("/echo"); sleep(20.ms);"#);
    let said = connections(&mut running, |said| said["health"]["warning"].as_u64() >= Some(4));
    assert!(said["lost"].as_u64() >= said["health"]["warning"].as_u64(), "{said:#}");
    assert!(said["total"].as_u64() >= said["lost"].as_u64(), "{said:#}");
    assert_eq!(said["health"]["error"], 0, "{said:#}");
    stop(&running.monitor());
    running.wait();
}

#[test]
fn one_of_http2_carries_many_requests_and_counts_once() {
    let target = target();
    let body = r#"http::batch(["/delay/40000", "/delay/40000", "/delay/40000"]);"#;
    let mut running = users(&target, 2, r#"http: "2""#, body);
    let said = connections(&mut running, |said| said["active"] == 2);
    assert_eq!((&said["idle"], &said["total"]), (&0.into(), &2.into()), "{said:#}");
    assert_eq!(said["by_protocol"].as_object().unwrap().keys().collect::<Vec<_>>(), ["http2"], "{said:#}");
    assert_eq!(target.stats().connections_open, 2);
    stop(&running.monitor());
    running.wait();
}

#[test]
fn rules_may_ask_for_them() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("users", #{ users: 4, iterations_per_user: 3, run: visit });
        threshold("http_connections_opened", "count == 4");
        threshold("http_connections_opened{proto:HTTP/1.1}", "count == 4");
        threshold("http_connections_lost", "count < 1");
        threshold("http_connections_idle", "max <= 4");
        fn visit() { http::get("/echo"); sleep(300.ms); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("http_connections_opened", "count"), 4.0);
    let script = script.replace("count == 4", "count < 4");
    punk().script(&script).target(&target).run().assert_code(99);
}
