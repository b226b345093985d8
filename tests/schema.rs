//! The JSON summary of real runs fits the schema that the book promises.

use crate::builder::{punk, target};
use rustix::process::Signal;
use serde_json::{Value, json};

fn assert_fits(summary: Value) {
    let schema: Value = serde_json::from_str(include_str!("../docs/summary.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let faults: Vec<String> =
        validator.iter_errors(&summary).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let mut broken = summary;
    broken["verdict"] = json!("splendid");
    assert!(!validator.is_valid(&broken), "the schema refuses nothing");
}

const SCRIPT: &str = r#"
    options(#{ base_url: env("BASE_URL", "") });
    metric::trend("cart_value");
    scenario("shop", #{ users: 3, duration: env("LASTS", 300.ms), run: shop, graceful_stop: 200.ms });
    threshold("http_req_duration{name:product}", "p(95) < 10s");
    threshold("http_req_failed", env("LIMIT", "rate < 100%"));
    fn setup() { http::get("/api/products").json() }
    fn shop(data) {
        let r = http::get("/api/products/42", #{ name: "product" });
        check(r, #{ "is there": |r| r.status == 200 });
        group("pay", || http::get("/status/500"));
        metric::add("cart_value", 12.5);
        sleep(50.ms);
    }
"#;

#[test]
fn summaries_of_runs_that_passed_and_failed_fit_the_schema() {
    let target = target();
    let passed = punk().script(SCRIPT).target(&target).run();
    assert_fits(passed.assert_passed().summary());
    let failed = punk().script(SCRIPT).target(&target).args("-e LIMIT=rate<1%").run();
    assert_fits(failed.assert_code(99).summary());
}

#[test]
fn the_summary_of_an_interrupted_run_fits_the_schema() {
    let target = target();
    let mut running = punk().script(SCRIPT).target(&target).args("-e LASTS=30s").start();
    running.until("requests arrive", |_| target.stats().requests > 5);
    running.send(Signal::INT);
    let outcome = running.wait();
    assert_fits(outcome.assert_code(105).summary());
}
