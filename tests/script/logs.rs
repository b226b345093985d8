//! `--log-file`: what scripts say and what happens to the run, in a file, while the terminal shows what it always did.

use crate::builder::{punk, target};
use serde_json::Value;
use std::path::Path;

const SCRIPT: &str = r#"
options(#{ base_url: env("BASE_URL", "") });
scenario("browse", #{ users: 2, iterations_per_user: 2, run: browse });
threshold("checks", "rate > 99%");
fn setup() { log::info("before all"); 1 }
fn browse() {
    http::get("/status/500");
    check("never", false);
    print("plain");
    log::trace("fine print");
    log::warn(`odd of ${vu::id()}`);
    log::error("bad\nvery \u001b[2Jbad");
}
"#;

fn lines(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("run.log")).expect("the log was written");
    text.lines().map(str::to_owned).collect()
}

fn objects(folder: &Path) -> Vec<Value> {
    lines(folder).iter().map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))).collect()
}

#[test]
fn json_has_every_entry_once_with_its_context() {
    let target = target();
    let outcome = punk().script(SCRIPT).target(&target).args("--log-file run.log --log-format json").run();
    outcome.assert_code(99);
    let all = objects(outcome.folder());
    let of = |source: &str, level: &str| -> Vec<&Value> {
        all.iter().filter(|entry| entry["source"] == source && entry["level"] == level).collect()
    };
    assert_eq!(of("script", "warn").len(), 4);
    let [one, other] = ["odd of 1", "odd of 2"].map(|said| {
        let found: Vec<&Value> = all.iter().filter(|entry| entry["message"] == said).collect();
        assert_eq!((found.len(), &found[0]["context"]["scenario"]), (2, &Value::from("browse")), "{found:?}");
        found[0]["context"]["user"].as_u64()
    });
    assert_eq!((one, other), (Some(1), Some(2)));
    assert_eq!(of("script", "error")[0]["message"], "bad\nvery \u{1b}[2Jbad");
    assert!(of("script", "trace").is_empty(), "less than was asked for");
    let setup = all.iter().find(|entry| entry["message"] == "before all").expect("setup speaks too");
    assert_eq!((&setup["context"]["scenario"], &setup["context"]["user"]), (&"setup".into(), &0.into()));
    assert_eq!(all.iter().filter(|entry| entry["message"] == "plain" && entry["level"] == "info").count(), 4);
    assert!(of("run", "info").iter().any(|entry| entry["message"] == "scenarios run"), "{all:#?}");
    assert_eq!(all.last().expect("entries")["message"], "the run is over");
    let broken = of("threshold", "error");
    assert!(broken.len() == 1 && broken[0]["message"] == "threshold checks: rate > 99% is broken: 0%", "{broken:?}");
    assert!(all.iter().all(|entry| !entry["message"].to_string().contains("500")), "a request is no entry: {all:#?}");
    // The terminal has what it always had.
    for said in
        ["\nplain\n", "\nwarning: odd of 1\n", "\nerror: bad very bad\n", "trace: fine print\n", "info: before all\n"]
    {
        outcome.assert_stderr(said);
    }
}

#[test]
fn text_is_one_line_for_each_entry_of_at_least_the_level() {
    let target = target();
    let outcome = punk().script(SCRIPT).target(&target).args("-q --log-file run.log --log-level error").run();
    let lines = lines(outcome.assert_code(99).folder());
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(r": bad\nvery \u{1b}[2Jbad")).count(), 4, "{lines:#?}");
    assert!(lines.iter().all(|line| line.contains("Z ERROR ")), "{lines:#?}");
    assert!(!outcome.stderr().contains("very"), "quiet is quiet: {}", outcome.stderr());
}

#[test]
fn a_log_that_cannot_be_written_or_a_level_that_is_none_is_told_before_anything_runs() {
    let target = target();
    let outcome = punk().script(SCRIPT).target(&target).args("--log-file no/such/folder/run.log").run();
    outcome.assert_code(1).assert_stderr("the log cannot be written to `no/such/folder/run.log`: No such file");
    let outcome = punk().script(SCRIPT).target(&target).args("--log-file run.log --log-level loud").run();
    outcome.assert_code(2).assert_stderr("the levels are trace, debug, info, warn and error");
    assert_eq!(target.stats().requests, 0);
}

#[test]
fn a_full_disk_ends_the_log_and_not_the_run() {
    let target = target();
    let outcome = punk().script(SCRIPT).target(&target).args("--log-file /dev/full").run();
    outcome.assert_code(99).assert_stderr("warning: the log cannot be written to `/dev/full`: ");
    assert_eq!(target.stats().requests, 4);
}
