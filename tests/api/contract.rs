//! The contract: what the document says of itself, and what a running punk answers to everything that stands in it.

use std::collections::BTreeSet;

use super::{Answer, ask, change, get, shop, until};
use crate::builder::target;
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(&punk::api::contract()).expect("it is JSON")
}

/// Every operation: path, method, what is said of it.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(move |(method, said)| (path.as_str(), method.as_str(), said))
        })
        .collect()
}

/// Every value in a document, with its JSON pointer.
fn walk<'a>(value: &'a Value, at: &str, seen: &mut Vec<(String, &'a Value)>) {
    seen.push((at.to_owned(), value));
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(all) => all.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        walk(value, &format!("{at}/{key}"), seen);
    }
}

#[test]
fn everything_that_is_referred_to_is_there_and_everything_is_described() {
    let document = document();
    let mut all = Vec::new();
    walk(&document, "", &mut all);
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for (at, value) in &all {
        if let Some(place) = value.get("$ref").and_then(Value::as_str) {
            let pointer = place.strip_prefix('#').unwrap_or("/not/within/the/document");
            used.insert(pointer.to_owned());
            if document.pointer(pointer).is_none() {
                faults.push(format!("{at}: {place} is not there"));
            }
        }
        for (name, field) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if !field["description"].is_string() {
                faults.push(format!("{at}: `{name}` is not described"));
            }
            let is_time = ["timestamp", "start_time"].contains(&name.as_str())
                || name.ends_with("_at")
                || name.ends_with("_seen");
            if is_time && field["format"] != "date-time" {
                faults.push(format!("{at}: `{name}` is a time: `#[schemars(extend(\"format\" = \"date-time\"))]`"));
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let wanted = schema["description"].is_string() || schema.get("properties").is_none();
        if !wanted || name.ends_with("Wire") || name.ends_with(|letter: char| letter.is_ascii_digit()) {
            faults.push(format!("the schema `{name}` has a poor name or is not described"));
        }
        if !used.contains(&format!("/components/schemas/{name}")) {
            faults.push(format!("nobody uses `{name}`"));
        }
    }
    let mut ids = BTreeSet::new();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    for (path, method, said) in operations(&document) {
        let id = said["operationId"].as_str().unwrap();
        if !ids.insert(id) {
            faults.push(format!("`{id}` is there twice"));
        }
        if !tags.contains(said["tags"][0].as_str().unwrap()) {
            faults.push(format!("{method} {path}: {} is no tag that is described", said["tags"]));
        }
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["required"] == true && parameter["example"].is_null() && parameter["schema"]["enum"].is_null()
            {
                faults.push(format!("{method} {path}: `{name}` has no example"));
            }
            if parameter["in"] == "path" && !path.contains(&format!("{{{name}}}")) {
                faults.push(format!("{method} {path}: `{name}` is not in the path"));
            }
        }
        let parameters = said["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path").count();
        if path.matches('{').count() != parameters {
            faults.push(format!("{method} {path}: {parameters} of its parameters are described"));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Where a value is not what a schema of the document allows.
fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = json!({"components": document["components"]});
    whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
    let validator = jsonschema::options().should_validate_formats(true).build(&whole).expect("it is a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The path of an operation with what its examples say, and its query.
fn filled(path: &str, said: &Value, session: &str) -> String {
    let mut path = format!("/api{path}");
    let mut query = Vec::new();
    for parameter in said["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let schema = &parameter["schema"];
        let value =
            [&parameter["example"], &schema["default"], &schema["enum"][0]].into_iter().find(|one| !one.is_null());
        let value = match value {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => continue,
        };
        let value = if name == "session" { session.to_owned() } else { value };
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        match parameter["in"].as_str().unwrap() {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            "query" => query.push(format!("{name}={value}")),
            _ => {}
        }
    }
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Holds an answer against what the document says of its status.
fn held(document: &Value, said: &Value, answer: &Answer, what: &str, faults: &mut Vec<String>) {
    let mut response = &said["responses"][answer.status.to_string()];
    if let Some(place) = response["$ref"].as_str() {
        response = document.pointer(place.trim_start_matches('#')).unwrap();
    }
    if response.is_null() {
        return faults.push(format!("{what}: {} is not in the contract", answer.status));
    }
    for (name, _) in response["headers"].as_object().into_iter().flatten() {
        if !answer.head.contains(&format!("\r\n{}: ", name.to_lowercase())) {
            faults.push(format!("{what}: no `{name}` in {}", answer.head));
        }
    }
    let kind = answer.head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    let essence = kind.split(';').next().unwrap().trim();
    let content = &response["content"][essence];
    if content.is_null() {
        return faults.push(format!("{what}: `{kind}` is not in the contract"));
    }
    if essence.ends_with("json") {
        faults.extend(
            misfits(document, &content["schema"], &answer.json()).into_iter().map(|why| format!("{what}: {why}")),
        );
    }
}

#[test]
fn every_row_answers_what_the_contract_says() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    until(&mut running, "/api/metrics/timeline?interval=1", |past| past["data_points"].as_array().unwrap().len() >= 2);
    let address = running.monitor();
    let document = get(&address, "/api/openapi.json").ok();
    assert_eq!(document, self::document(), "what is served is what is committed");
    assert_eq!(document, get(&address, "/api/v1/openapi.json").ok());
    let session = get(&address, "/api/status").ok()["session_id"].as_str().unwrap().to_owned();
    let mut faults = Vec::new();
    let mut asked = 0;
    for (path, method, said) in operations(&document) {
        let whole = filled(path, said, &session);
        let what = format!("{method} {whole}");
        if method == "get" {
            let answer = get(&address, &whole);
            if answer.status != 200 {
                faults.push(format!("{what}: {answer:?}"));
            }
            held(&document, said, &answer, &what, &mut faults);
            asked += 1;
        }
        // Each of them refuses alike.
        let method = method.to_uppercase();
        for (headers, status) in
            [(vec!["host: evil.test"], 421), (vec!["authorization: Bearer unknown-token-of-nobody"], 401)]
        {
            // So many refusals at once are too many: what is tested here is what they look like.
            let mut refused = ask(&address, &method, &whole, &headers, "");
            while refused.status == 429 {
                held(&document, said, &refused, &what, &mut faults);
                std::thread::sleep(std::time::Duration::from_millis(200));
                refused = ask(&address, &method, &whole, &headers, "");
            }
            assert_eq!(refused.status, status, "{what}: {refused:?}");
            held(&document, said, &refused, &what, &mut faults);
        }
        let unknown = format!("{whole}{}of_nobody=1", if whole.contains('?') { '&' } else { '?' });
        let refused = change(&address, &method, &unknown, &[], "");
        assert!(refused.refused(400).starts_with("there is no parameter `of_nobody` here"), "{unknown}: {refused:?}");
        held(&document, said, &refused, &unknown, &mut faults);
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            if parameter["in"] == "query" && !(schema["type"] == "string" && schema["enum"].is_null()) {
                let plain = whole.split('?').next().unwrap();
                let refused = get(&address, &format!("{plain}?{name}=nonsense"));
                assert_eq!(refused.status, 400, "{what}: `{name}`: {refused:?}");
                held(&document, said, &refused, &what, &mut faults);
            }
        }
    }
    assert!(asked > 15, "{asked}");
    for (path, body, status) in [
        ("/control/pause", "", 200),
        ("/control/pause", "{}", 409),
        ("/control/resume", "", 200),
        ("/control/scale", r#"{"scenario": "users", "users": 2}"#, 200),
        ("/control/scale", r#"{"scenario": "nobody", "users": 2}"#, 422),
        ("/control/scale", "[", 400),
        ("/alerts/busy%231/acknowledge", r#"{"by": "Ada"}"#, 200),
        ("/alerts/nothing/acknowledge", "", 404),
        ("/control/stop", r#"{"why": "the test is over"}"#, 200),
    ] {
        let row = if path.starts_with("/alerts") { "/alerts/{alert}/acknowledge" } else { path };
        let answer = change(&address, "POST", &format!("/api{path}"), &[], body);
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        held(&document, &document["paths"][row]["post"], &answer, path, &mut faults);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    running.wait();
}

#[test]
fn a_schema_refuses_what_is_not_it() {
    let document = document();
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let right = json!({"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"});
    assert_eq!(misfits(&document, &schema, &right), Vec::<String>::new());
    let mut wrong = right.clone();
    wrong["status"] = json!("400");
    assert_eq!(misfits(&document, &schema, &wrong).len(), 1);
}
