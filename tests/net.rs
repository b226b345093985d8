//! HTTP from the outside: what punk reports of its traffic against what the target counted of the same traffic.
//!
//! Each run is a process of its own against a target of its own, so that counts can be compared to the last request.

mod accounts;
mod bodies;
mod bytes;
mod connections;
mod errors;
mod faults;
mod features;
mod hosts;
mod interrupts;
mod limits;
mod observed;
mod proxies;
mod reading;
mod redirects;
mod stall;
mod thresholds;
mod tls;
mod webhooks;

use std::time::{Duration, Instant};

use crate::builder::{Outcome, Punk, punk};
use punk::target::{RunningTarget, Stats, Target, TargetOptions, TlsMode, Versions};
use serde_json::Value;

/// A script of one user that runs `body` once; `options` stand beside `base_url`. `CA` names the file with the target's authority.
fn once(target: &RunningTarget, options: &str, body: &str) -> Punk {
    let script = format!(
        "options(#{{ base_url: env(\"BASE_URL\", \"http://nobody\"), {options} }});\nfn run() {{\n{body}\n}}\n"
    );
    with_certificates(punk(), target).script(&script).target(target)
}

/// The same for several users, each of whom runs `body` as often: no user may be left without work.
fn each(target: &RunningTarget, users: u32, iterations: u32, options: &str, body: &str) -> Punk {
    let script = format!(
        "options(#{{ base_url: env(\"BASE_URL\", \"http://nobody\"), {options} }});\n\
         scenario(\"each\", #{{ users: {users}, iterations_per_user: {iterations}, run: visit }});\n\
         fn visit() {{\n{body}\n}}\n"
    );
    with_certificates(punk(), target).script(&script).target(target)
}

/// The target's certificates as files beside the script.
fn with_certificates(punk: Punk, target: &RunningTarget) -> Punk {
    match (target.ca_pem(), target.client_cert_pem(), target.client_key_pem()) {
        (Some(ca), Some(cert), Some(key)) => punk.file("ca.pem", ca).file("cert.pem", cert).file("key.pem", key),
        _ => punk,
    }
}

/// A target that speaks TLS.
fn tls_target(tls: TlsMode, versions: Versions) -> RunningTarget {
    Target::start(TargetOptions { tls, versions, ..TargetOptions::default() }).expect("loopback has a free port")
}

/// Every check passed, there were at least `least` of them, and no script error.
#[track_caller]
fn assert_checks(outcome: &Outcome, least: u64) {
    let summary = outcome.summary();
    let checks = summary["checks"].as_array().cloned().unwrap_or_default();
    let failed: Vec<_> =
        checks.iter().filter(|check| check["fails"] != 0).map(|check| check["name"].to_string()).collect();
    let errors: Vec<_> =
        items(&summary, "errors").filter(|error| error["type"] == "script").map(Value::to_string).collect();
    assert!(errors.is_empty(), "script errors: {errors:#?}\n{}", outcome.told());
    assert!(failed.is_empty(), "failed checks: {failed:#?}\n{}", outcome.told());
    let passes: u64 = checks.iter().filter_map(|check| check["passes"].as_u64()).sum();
    assert!(passes >= least, "{passes} checks ran, {least} were meant to\n{}", outcome.told());
    assert_sane(outcome);
}

/// Nothing in the report is a number that is none.
#[track_caller]
fn assert_sane(outcome: &Outcome) {
    let text = outcome.stdout();
    for word in ["NaN", "nan%", "nan ", "inf "] {
        assert!(!text.contains(word), "`{word}` in the report:\n{text}");
    }
    let mut at = vec![outcome.summary()["metrics"].clone(), outcome.summary()["operations"].clone()];
    while let Some(value) = at.pop() {
        match value {
            Value::Object(map) => at.extend(map.into_iter().map(|(_, value)| value)),
            Value::Array(list) => at.extend(list),
            Value::Number(number) => {
                let number = number.as_f64().expect("a JSON number");
                assert!(number.is_finite() && number >= 0.0, "{number} in\n{:#}", outcome.summary());
            }
            _ => {}
        }
    }
}

fn items<'a>(summary: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    summary[list].as_array().into_iter().flatten()
}

/// How many errors of a kind the summary lists.
fn errors_of(outcome: &Outcome, kind: &str) -> u64 {
    let summary = outcome.summary();
    items(&summary, "errors").filter(|error| error["type"] == kind).filter_map(|error| error["count"].as_u64()).sum()
}

/// The target's counts once nothing is in flight there any more: it notices a client that left a little later.
#[track_caller]
fn settled(target: &RunningTarget) -> Stats {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let stats = target.stats();
        if stats.in_flight == 0 && stats.connections_open == 0 {
            return stats;
        }
        assert!(Instant::now() < end, "requests or connections are still open: {stats:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
