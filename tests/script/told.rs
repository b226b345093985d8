//! What a person sees who edits a script while it runs: on the terminal at once, in the report and the summary at the end.

use crate::builder::{punk, target};
use rustix::process::Signal;
use serde_json::json;

const SCRIPT: &str = r#"
options(#{ base_url: env("BASE_URL", "") });
scenario("browse", #{ users: 2, duration: 5.m, run: browse });
threshold("http_req_duration", "max over 1s < 10s");
alert("busy", #{ when: "count of http_reqs > 5", description: "much to do" });
fn browse() { http::get("/api/products"); sleep(20.ms); }
"#;

#[test]
fn edits_are_told_at_once_broken_ones_in_full_and_all_of_them_at_the_end() {
    let target = target();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("test.rhai");
    let save = |text: &str| std::fs::write(&path, text).expect("the folder is ours");
    save(SCRIPT);
    let mut running = punk().script_at(&path).target(&target).env("COLUMNS", "160").start();
    running.until_stderr("alert busy (warning) rings at ");
    running.until_stderr("  much to do\n");
    // A full second was judged before the edit, so that there is a past to look back at.
    running.until("requests of some seconds", |_| target.stats().requests > 200);
    let tight = SCRIPT.replace("< 10s", "< 1ns");
    save(&tight);
    running.until_stderr("revision 2 (file) at ");
    running.until_stderr("~ threshold http_req_duration: max over 1s < 10s → max over 1s < 1ns\n");
    running.until_stderr("  http_req_duration: max over 1s < 1ns: now ");
    running.until_stderr(", would have failed since ");
    save(&tight.replace("http::get", "http::gett"));
    running.until_stderr("the edit by the file cannot be used; revision 2 goes on until it is mended:\nerror: ");
    running.until_stderr("http::gett(\"/api/products\")");
    save(&tight);
    running.until_stderr("the edit is mended; nothing has changed\n");
    running.send(Signal::INT);
    let outcome = running.wait();
    outcome.assert_code(105);
    let report = outcome.stdout();
    for part in [
        "judged by revision 2; 1 edit\n",
        "would have been broken first at ",
        "\nEDITS ",
        "revision 2 at ",
        "by the file\n",
    ] {
        assert!(report.contains(part), "{part:?}\n{report}");
    }
    let summary = outcome.summary();
    assert_eq!((&summary["revision"], &summary["edits"][0]["revision"]), (&json!(2), &json!(2)));
    let change =
        json!({ "what": "threshold http_req_duration", "from": "max over 1s < 10s", "to": "max over 1s < 1ns" });
    assert_eq!(summary["edits"][0]["changes"], json!([change]));
    let threshold = &summary["thresholds"][0];
    assert_eq!((&threshold["passed"], &threshold["revision"]), (&json!(false), &json!(2)));
    assert!(threshold["first_breach"].as_f64() < threshold["since"].as_f64(), "{threshold:#}");
    assert_eq!(summary["alerts"][0]["events"][0]["id"], "busy#1");
    assert_eq!(summary.get("broken_edit"), None);
    assert_eq!(summary["requests"]["total"], target.stats().requests, "no edit loses a request");
}
