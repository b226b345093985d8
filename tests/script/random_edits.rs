//! A thousand saves of one script while it runs under load: valid, broken, half-written. Nothing is lost, nothing is counted twice,
//! and what was saved last is what holds.

use crate::builder::{punk, target};
use std::path::Path;
use std::time::Duration;

/// Saves; most a few milliseconds after the one before, so that they are overtaken before anybody has read them.
const SAVES: u64 = 1_000;
/// Arrivals of the open scenario: whatever is edited, it stays.
const RATE: u64 = 100;
const SECONDS: u64 = 28;

/// A draw that needs no crate: splitmix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }
}

/// The script with a random limit, random code, random rules beside, at random lines.
fn script(target: &str, draw: &mut Draw, limit: u64) -> String {
    let comment = "// another line\n".repeat(draw.below(4) as usize);
    let code = draw.below(3);
    let helper = if draw.below(2) == 0 { "fn more() { 1 }" } else { "fn more() { 2 }" };
    let alert = match draw.below(3) {
        0 => "alert(\"busy\", #{ when: \"rate of http_reqs over 2s > 5/s\", lasting: 1.s });",
        1 => "alert(\"busy\", #{ when: \"rate of http_reqs over 2s > 7/s\" });",
        _ => "",
    };
    let closure = if draw.below(2) == 0 { "threshold(\"tail\", |m| m.max(\"http_req_duration\") != 0.5);" } else { "" };
    format!(
        r#"{comment}
        scenario("open", #{{ rate: constant({RATE}).hold({SECONDS}.s), max_users: 200, run: open }});
        scenario("closed", #{{ users: constant(4).hold({SECONDS}.s), run: closed }});
        threshold("http_req_duration", "p(95) < {limit}ms over 2s");
        threshold("checks", "rate == 100%");
        {alert}
        {closure}
        {helper}
        fn open(data) {{ let x = {code}; check("open", http::get("{target}/api/products/1").status == 200); }}
        fn closed(data) {{
            this.count = (this.count ?? 0) + more();
            check("closed", http::get("{target}/api/products/2").status == 200);
            sleep(20.ms);
        }}
        "#
    )
}

/// Saves it as some editor would; `false` when what is left on disk is no whole script.
fn save(path: &Path, text: &str, draw: &mut Draw) -> bool {
    let write = |text: &str| std::fs::write(path, text).expect("it can be written");
    match draw.below(8) {
        // Half of it first, as on a slow disk.
        0 => {
            write(&text[..text.len() / 2]);
            std::thread::sleep(Duration::from_millis(draw.below(4)));
            write(text);
            true
        }
        1 | 2 => {
            let fresh = path.with_extension("new");
            std::fs::write(&fresh, text).expect("it can be written");
            std::fs::rename(&fresh, path).expect("it can be renamed");
            true
        }
        3 => {
            std::fs::remove_file(path).expect("it was there");
            write(text);
            true
        }
        4 => {
            write(&text[..draw.below(text.len() as u64) as usize]);
            false
        }
        5 => {
            write(&text.replace("p(95) <", "p(95) =>"));
            false
        }
        _ => {
            write(text);
            true
        }
    }
}

#[test]
fn a_thousand_random_saves_lose_nothing_and_the_last_one_holds() {
    let target = target();
    let mut draw = Draw(20_260_101);
    let first = script(&target.url(), &mut draw, 5_000);
    let session = punk().file("edited.rhai", &first).script_at("edited.rhai").arg("--ui=plain");
    let path = session.folder().join("edited.rhai");
    let mut running = session.patience(Duration::from_secs(120)).start();
    running.until("requests", |_| target.stats().requests > 50);
    let mut broken = 0;
    for edit in 0..SAVES {
        let text = script(&target.url(), &mut draw, 10_000 + edit);
        broken += u64::from(!save(&path, &text, &mut draw));
        let pause = if edit % 10 == 0 { 150 } else { draw.below(12) };
        std::thread::sleep(Duration::from_millis(pause));
    }
    assert!(broken > 100, "{broken}");
    let last = script(&target.url(), &mut draw, 77_777);
    std::fs::write(&path, last).expect("it can be written");
    running.until_stderr("p(95) < 77777ms over 2s: now ");
    let outcome = running.wait();
    assert_eq!(outcome.code(), 0, "{}", outcome.told());
    let summary = outcome.summary();
    let count = |metric: &str| outcome.metric(metric, "count") as u64;
    // Every request that the server saw is one that punk counted, and each iteration made one.
    assert_eq!(count("http_reqs"), target.stats().requests);
    assert_eq!(count("http_reqs"), count("iterations"));
    let checks = &summary["metrics"]["checks"]["values"];
    assert_eq!((checks["passes"].as_u64(), checks["fails"].as_u64()), (Some(count("http_reqs")), Some(0)));
    let scenarios = summary["scenarios"].as_array().expect("a list");
    assert_eq!(scenarios[0]["iterations"], RATE * SECONDS, "an arrival more or less");
    assert_eq!((&scenarios[0]["dropped"], &scenarios[0]["interrupted"]), (&0.into(), &0.into()));
    assert_eq!(scenarios.len(), 2);
    assert_eq!(count("script_errors"), 0, "{}", outcome.told());
    // What was saved last judged, and the revisions are counted without a gap.
    let edits = summary["edits"].as_array().expect("a list");
    assert!(edits.len() > 30, "{}", edits.len());
    for (at, edit) in edits.iter().enumerate() {
        assert_eq!(edit["revision"], at as u64 + 2);
    }
    let windowed =
        summary["thresholds"].as_array().expect("a list").iter().find(|rule| rule["selector"] == "http_req_duration");
    assert_eq!(windowed.expect("it is there")["expression"], "p(95) < 77777ms over 2s");
}
