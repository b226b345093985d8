//! Gauges that are collected, while the run is edited and paused.

use super::{change, stop, until};
use crate::builder::{Running, punk, target};

/// A script that collects `queue` like this while one user sleeps.
fn collecting(options: &str) -> String {
    format!(
        r#"
        options(#{{ base_url: "TARGET" }});
        metric::gauge("queue", #{{ {options} }});
        scenario("users", #{{ users: 1, duration: 50.s, graceful_stop: 0.s, run: rest }});
        fn rest() {{ sleep(40.s); }}
        "#
    )
}

#[test]
fn it_changes_with_the_script() {
    let target = target();
    let script = |options: &str| collecting(options).replace("TARGET", &target.url());
    let punk = punk().script(&script("every: 100.ms, collect: || 1")).target(&target).monitored();
    let path = punk.folder().join("test.rhai");
    let save = |options: &str| std::fs::write(&path, script(options)).unwrap();
    let mut running = punk.start();
    let is = |running: &mut Running, wanted: i64| {
        until(running, "/api/metrics/series?name=queue", |said| said["values"]["value"] == wanted);
    };
    until(&mut running, "/api/status", |status| status["status"] == "running");
    is(&mut running, 1);
    save("every: 100.ms, collect: || 2");
    is(&mut running, 2);
    // Another interval makes it collect anew, at once.
    save("every: 10.m, collect: || 3");
    is(&mut running, 3);
    save("every: 200.ms, collect: || 4");
    is(&mut running, 4);
    stop(&running.monitor());
    let told = running.wait().summary();
    assert!(told["edits"].to_string().contains("collecting queue"), "{:#}", told["edits"]);
}

#[test]
fn a_pause_holds_it_up() {
    let target = target();
    let script = collecting(r#"every: 100.ms, collect: || http::get("/echo").status"#);
    let mut running = punk().script(&script).target(&target).monitored().start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    until(&mut running, "/api/metrics/series?name=queue", |said| said["values"]["value"] == 200);
    let address = running.monitor();
    change(&address, "POST", "/api/control/pause", &[], "").ok();
    let calm = |running: &mut Running| {
        let mut last = u64::MAX;
        running.until("calm", |_| {
            std::thread::sleep(std::time::Duration::from_millis(400));
            std::mem::replace(&mut last, target.stats().requests) == last
        });
        last
    };
    let before = calm(&mut running);
    change(&address, "POST", "/api/control/resume", &[], "").ok();
    running.until("it goes on", |_| target.stats().requests > before + 3);
    stop(&address);
    running.wait();
}
