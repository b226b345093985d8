//! What scripts, settings files and the command line say about the monitor, and who goes before whom.

use std::net::TcpListener;
use std::time::Duration;

use super::{get, stop, streams, until};
use crate::builder::{Punk, punk, target};
use serde_json::Value;

/// A script with these options of the monitor, if any.
fn script(monitor: &str) -> String {
    let monitor = if monitor.is_empty() { String::new() } else { format!("monitor: {monitor}, ") };
    format!(
        r#"options(#{{ {monitor}base_url: "TARGET" }});
        scenario("a", #{{ users: 1, duration: 50.s, graceful_stop: 1.s, run: f }});
        fn f() {{ http::get("/status/500"); http::get("/nowhere", #{{ expect: 200 }}); sleep(20.ms); }}"#
    )
}

/// A free port; somebody else may be faster, which is as likely as being hit by a falling star.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn addr(port: u16) -> String {
    format!("#{{ addr: \":{port}\" }}")
}

/// Where the monitor of a run is that is then stopped.
fn place(run: Punk) -> u16 {
    let target = target();
    let mut running = run.target(&target).monitored_as_usual().start();
    let address = running.monitor();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    stop(&address);
    running.wait().assert_code(103);
    address.rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn each_layer_goes_before_the_one_below_it() {
    let [user, project, own, environment, flag] = [(); 5].map(|()| port());
    let file = |port: u16| format!("[monitor]\naddr = \"127.0.0.1:{port}\"\n");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("punk")).unwrap();
    std::fs::write(folder.path().join("punk/config.toml"), file(user)).unwrap();
    let home = folder.path().to_str().unwrap();
    let at = |script_says: &str| punk().script(&script(script_says)).env("XDG_CONFIG_HOME", home);
    assert_eq!(place(at("")), user);
    assert_eq!(place(at("").file("punk.toml", file(project))), project);
    assert_eq!(place(at(&addr(own)).file("punk.toml", file(project))), own);
    let variable = at(&addr(own)).env("PUNK_MONITOR_ADDR", &format!(":{environment}"));
    assert_eq!(place(variable), environment);
    let all = at(&addr(own)).env("PUNK_MONITOR_ADDR", &format!(":{environment}"));
    assert_eq!(place(all.args(&format!("--monitor-addr :{flag}"))), flag);
}

#[test]
fn a_script_can_do_without_and_the_command_line_can_want_it() {
    let target = target();
    let short =
        "options(#{ monitor: false, base_url: \"TARGET\" });\nfn run() { http::get(\"/echo\"); sleep(200.ms); }";
    let outcome = punk().script(short).target(&target).monitored_as_usual().arg("-i2").run();
    assert!(!outcome.assert_passed().stderr().contains("monitor:"), "{}", outcome.told());
    let outcome = punk().script(short).target(&target).monitored_as_usual().args("-i2 --monitor").run();
    outcome.assert_passed().assert_stderr("monitor: http://");
}

#[test]
fn what_is_wrong_is_told_with_its_place_before_anything_runs() {
    for (says, wanted) in [
        ("#{ adr: 1 }", "did you mean `addr`?"),
        ("#{ addr: \"there\" }", "`there` is no address to listen at"),
        ("#{ interval: 1.ms }", "`interval` is from 500 ms to 1 min"),
        ("#{ retention: 1.s }", "`retention` is at least 10 s"),
        ("#{ max_errors: 0 }", "`max_errors` is at least 1, not 0"),
        ("#{ open: 1 }", "`open` is `true` or `false`"),
        ("#{ token: \"abcdefghijklmnop\" }", "`token` is not the script's to say"),
        ("7", "`monitor` is a map of options"),
    ] {
        let outcome = punk().script(&script(says)).run();
        outcome.assert_code(104).assert_stderr(wanted).assert_stderr("test.rhai:1:");
    }
    let broken = punk().script("fn run() { }").file("punk.toml", "[monitor]\nopn = true\n").run();
    broken.assert_code(104).assert_stderr("punk.toml:2:1").assert_stderr("did you mean `open`?");
    let secret = punk().script("fn run() { }").file("punk.toml", "[monitor]\ntoken = \"abcdefghijklmnop\"\n").run();
    secret.assert_code(104).assert_stderr("set PUNK_MONITOR_TOKEN");
}

#[test]
fn scripts_that_want_two_monitors_are_told_so() {
    let two = || {
        let (one, other) = (script("#{ addr: \":8701\" }"), script("#{ addr: \":8702\" }"));
        punk().file("a.rhai", one).file("b.rhai", other).script_at("a.rhai").arg("b.rhai").monitored_as_usual()
    };
    let target = target();
    let outcome = two().target(&target).run();
    outcome.assert_code(104).assert_stderr("these scripts have one monitor, and want two").assert_stderr("b.rhai:1:");
    let mut running = two().target(&target).args("--monitor-addr 127.0.0.1:0").start();
    let address = running.monitor();
    until(&mut running, "/api/sessions", |all| all["sessions"][1]["status"] == "running");
    running.send(rustix::process::Signal::INT);
    running.wait().assert_code(105);
    assert!(!address.ends_with("8701") && !address.ends_with("8702"), "{address}");
}

#[test]
fn answers_reach_back_and_list_as_much_as_the_script_wants() {
    let target = target();
    let says = "#{ max_errors: 1, retention: 10.s, interval: 1.m }";
    let mut running = punk().script(&script(says)).target(&target).monitored().start();
    let address = running.monitor();
    let mut stream = streams::open(&address, "/ws/metrics");
    let errors = until(&mut running, "/api/errors", |errors| errors["unlisted_errors"].as_u64() > Some(3));
    assert_eq!(errors["by_type"].as_array().unwrap().len(), 1, "{errors:#}");
    assert!(errors["patterns"].as_array().unwrap().len() <= 1, "{errors:#}");
    let begins = |told: &Value| {
        let points = told["data_points"].as_array().unwrap().iter();
        points.map(|point| point["elapsed_seconds"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    // A minute is asked for, and what is older than ten seconds is not told.
    let minute = "window=60&interval=1";
    let late = |told: &Value| begins(told).last() >= Some(&12);
    let timeline = begins(&until(&mut running, &format!("/api/metrics/timeline?{minute}"), late));
    let end = timeline.last().unwrap() + 1;
    assert_eq!(timeline, (end - 10..end).collect::<Vec<_>>());
    let series = begins(&get(&address, &format!("/api/metrics/series?name=http_reqs&{minute}")).ok());
    assert!(!series.is_empty() && series.iter().all(|begin| *begin >= end - 10), "{series:?} at {end}");
    stop(&address);
    running.wait().assert_code(103);
    // Without a word of the script it would have been one every two seconds.
    let mut updates = 0;
    while let Ok(message) = stream.read() {
        updates += usize::from(message["type"] == "metrics_update");
    }
    assert!(updates <= 2, "the first and the last: {updates}");
}

#[test]
fn the_browser_is_opened_where_it_is_wanted_and_is_never_waited_for() {
    let target = target();
    let folder = tempfile::tempdir().unwrap();
    let (browser, seen) = (folder.path().join("browser.sh"), folder.path().join("seen"));
    std::fs::write(&browser, format!("echo \"$1\" > {}.new\nmv {0}.new {0}\nsleep 20\n", seen.display())).unwrap();
    let browser = format!("sh {} %s", browser.display());
    let mut running =
        punk().script(&script("#{ open: true }")).target(&target).monitored().env("BROWSER", &browser).start();
    let address = running.monitor();
    running.until("the browser", |_| seen.exists());
    assert_eq!(std::fs::read_to_string(&seen).unwrap().trim(), format!("http://{address}/"));
    stop(&address);
    let outcome = running.wait();
    outcome.assert_code(103);
    assert!(outcome.took() < Duration::from_secs(18), "it waited: {:?}", outcome.took());

    let short = "fn run() { sleep(300.ms); }";
    let open = || punk().script(short).monitored().args("-i1 --monitor-open");
    open().run().assert_passed().assert_stderr("warning: no browser was opened: there is no desktop here");
    open()
        .env("BROWSER", "/no/such/browser")
        .run()
        .assert_passed()
        .assert_stderr("warning: no browser was opened: `/no");
    open()
        .env("BROWSER", "false")
        .run()
        .assert_passed()
        .assert_stderr("warning: no browser was opened: exit status: 1");
}
