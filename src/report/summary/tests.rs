//! The summary against its schema, and its shape.

use crate::report::sample::{self, Run};
use serde_json::{Value, json};

fn schema() -> jsonschema::Validator {
    let text = include_str!("../../../docs/summary.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.summary().to_json()).expect("a summary is JSON")
}

fn problems(document: &Value) -> Vec<String> {
    schema().iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn real_summaries_follow_the_schema() {
    let mut stopped = sample::typical();
    stopped.facts = sample::failed(105, "it was interrupted by a signal");
    let runs = [sample::typical(), sample::empty(), sample::refused(), stopped, sample::of_operations(&["a", "b"])];
    for run in runs {
        let document = json(&run);
        assert_eq!(problems(&document), Vec::<String>::new(), "{document:#}");
    }
}

#[test]
fn wrong_documents_are_refused() {
    let right = json(&sample::typical());
    let wrong: [(&str, Value); 8] = [
        ("/verdict", json!("great")),
        ("/schema_version", json!(2)),
        ("/metrics/http_req_failed/values/rate", json!(1.33)),
        ("/operations/0/error_rate", json!(101)),
        ("/operations/0/count", json!(-1)),
        ("/duration_seconds", Value::Null),
        ("/started_at", json!("yesterday")),
        ("/thresholds/0/severity", json!("fatal")),
    ];
    for (pointer, value) in wrong {
        let mut document = right.clone();
        *document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        assert!(!problems(&document).is_empty(), "{pointer}");
    }
    for field in right.as_object().expect("an object").keys() {
        let mut document = right.clone();
        document.as_object_mut().expect("an object").remove(field);
        assert!(!problems(&document).is_empty(), "{field} may not be missing");
    }
    let mut document = right;
    document["extra"] = json!(1);
    assert!(!problems(&document).is_empty(), "unknown fields are told");
}

#[test]
fn an_empty_run_measures_nothing_and_says_so() {
    let document = json(&sample::empty());
    assert_eq!(document["operations"], json!([]));
    assert_eq!(document["metrics"]["http_reqs"]["values"], json!({ "count": 0 }));
    assert_eq!(document["metrics"].get("http_req_duration"), None, "absent is not measured");
    assert_eq!(document["duration_seconds"], json!(0));
}

#[test]
fn the_parts_that_thresholds_name_are_there() {
    let document = json(&sample::typical());
    let part = &document["metrics"]["http_req_duration"]["tags"]["name:product"]["values"];
    assert_eq!((&part["count"], &part["min"]), (&json!(400), &json!(10)));
}

#[test]
fn shares_are_percent_outside_values() {
    let document = json(&sample::typical());
    assert_eq!(document["operations"][1]["error_rate"], json!(2));
    let rate = document["metrics"]["http_req_failed"]["values"]["rate"].as_f64().expect("a number");
    assert!((rate - 12.0 / 901.0).abs() < 1e-6, "{rate}");
}

#[test]
fn a_typical_summary() {
    let mut document = json(&sample::typical());
    document["options"] = json!("(see plan_json)");
    document["punk_version"] = json!("(version)");
    for metric in document["metrics"].as_object_mut().expect("an object").values_mut() {
        *metric = json!(metric.to_string());
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).expect("JSON"), @"");
}
