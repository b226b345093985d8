//! The contract under fire: `schemathesis` makes requests that it allows and requests that it forbids, and holds every answer
//! against it. `PUNK_SCHEMATHESIS` names the program where it is not on the path; `.ci/run` installs it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{change, get, stop, until};
use crate::builder::{Punk, punk, target};
use crate::needs;
use punk::target::RunningTarget;

const TOKEN: &str = "the-control-token-of-a-test";

/// As the shop, for as long as it takes.
const LONG: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("users", #{ users: 3, duration: 900.s, graceful_stop: 1.s, run: hit });
    threshold("http_req_failed", "rate < 50%");
    alert("busy", #{ when: "count of http_reqs > 5", severity: "critical", description: "much to do" });
    fn hit() { http::get("/api/products", #{ name: "products" }); sleep(100.ms); }
"#;

/// A run that takes its time to end.
const LINGERING: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("users", #{ users: 1, duration: 900.s, graceful_stop: 900.s, run: hit });
    alert("busy", #{ when: "count of http_reqs > 0", severity: "critical" });
    fn hit() { http::get("/api/products"); sleep(800.s); }
"#;

fn long(script: &str, target: &RunningTarget) -> Punk {
    punk().script(script).target(target).monitored().patience(Duration::from_secs(1_500))
}

/// Lets it loose on the API at this address.
#[track_caller]
fn loose(program: &Path, address: &str, headers: &[&str], arguments: &str) {
    let session = get(address, "/api/status").ok()["session_id"].as_str().unwrap().to_owned();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("timeout");
    command.args(["--kill-after=10", "600"]).arg(program).arg("--config-file").arg(here.join("schemathesis.toml"));
    command.args(["run", &format!("http://{address}/api/openapi.json"), "--no-color", "--rate-limit", "150/s"]);
    command.args(headers.iter().flat_map(|header| ["-H", *header])).args(arguments.split_whitespace());
    command.env("PUNK_SESSION", session).env("PYTHONPATH", &here).env("PYTHONDONTWRITEBYTECODE", "1");
    let done = command.stdin(Stdio::null()).current_dir(folder.path()).output().expect("`timeout` is everywhere");
    let (said, cried) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{}\n{said}\n{cried}", done.status);
    // It ends well also when it has found nothing to ask.
    let passed =
        said.lines().find_map(|line| line.trim().split(" generated, ").nth(1)?.split(' ').next()?.parse().ok());
    assert!(passed.is_some_and(|passed: u64| passed > 30), "{said}");
}

#[test]
fn schemathesis_finds_nothing_as_our_own_page() {
    let Some(program) = needs::tool_or("schemathesis", "PUNK_SCHEMATHESIS") else { return };
    let target = target();
    let mut running = long(LONG, &target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let origin = format!("Origin: http://{address}");
    loose(&program, &address, &[&origin, "X-Punk: 1"], "--exclude-path-regex /control/stop$ -n 40");
    assert_ne!(get(&address, "/api/status").ok()["status"], "stopping");
    stop(&address);
    running.wait();
}

#[test]
fn schemathesis_finds_nothing_with_a_token_and_without_anything() {
    let Some(program) = needs::tool_or("schemathesis", "PUNK_SCHEMATHESIS") else { return };
    let target = target();
    let mut running = long(LONG, &target).env("PUNK_MONITOR_TOKEN", TOKEN).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let token = format!("Authorization: Bearer {TOKEN}");
    loose(
        &program,
        &address,
        &[&token],
        "--exclude-path-regex /control/stop$ --phases examples,coverage,fuzzing -n 15",
    );
    loose(&program, &address, &[], "--phases examples,coverage,fuzzing -n 5");
    assert_ne!(get(&address, "/api/status").ok()["status"], "stopping");
    stop(&address);
    running.wait();
}

#[test]
fn schemathesis_finds_nothing_in_a_run_that_is_stopped() {
    let Some(program) = needs::tool_or("schemathesis", "PUNK_SCHEMATHESIS") else { return };
    let target = target();
    let mut running = long(LINGERING, &target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    change(&address, "POST", "/api/control/stop", &[], r#"{"why": "first of all"}"#).ok();
    let origin = format!("Origin: http://{address}");
    loose(&program, &address, &[&origin, "X-Punk: 1"], "--phases examples,coverage,fuzzing -n 10");
    assert_eq!(get(&address, "/api/status").ok()["status"], "stopping");
}
