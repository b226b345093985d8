//! An operation as a line for the shell, with values that are right in a run; a test executes every one of them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::fmt::Write;

/// Where a monitor is when nobody says it.
const HERE: &str = "http://127.0.0.1:9090";

/// What does not stand for itself in a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b':');

/// How to ask for an operation by curl.
pub(super) fn curl(document: &Value, method: &str, path: &str, said: &Value) -> String {
    let mut url = format!("{HERE}/api{path}");
    let mut query = String::new();
    let mut headers = String::new();
    for parameter in said["parameters"].as_array().into_iter().flatten() {
        let Some(value) = value(parameter) else { continue };
        let name = parameter["name"].as_str().unwrap_or_default();
        let encoded = utf8_percent_encode(&value, ESCAPED).to_string();
        match parameter["in"].as_str() {
            Some("path") => url = url.replace(&format!("{{{name}}}"), &encoded),
            Some("header") => drop(write!(headers, " \\\n  -H {}", quoted(&format!("{name}: {value}")))),
            _ => drop(write!(query, "{}{name}={encoded}", if query.is_empty() { '?' } else { '&' })),
        }
    }
    let mut line = "curl".to_owned();
    if method != "get" {
        let _ = write!(line, " -X {} \\\n  -H 'Origin: {HERE}' -H 'X-Punk: 1'", method.to_uppercase());
    }
    line.push_str(&headers);
    if let Some(body) = body(document, said) {
        let _ = write!(line, " \\\n  -H 'Content-Type: application/json' \\\n  -d {}", quoted(&body));
    }
    let before = if line == "curl" { " " } else { " \\\n  " };
    line + before + quoted(&format!("{url}{query}")).as_str()
}

/// What a parameter may be; `None` where it may be left out and nothing says what it may be.
fn value(parameter: &Value) -> Option<String> {
    let schema = &parameter["schema"];
    let candidates = [&parameter["example"], &schema["default"], &schema["enum"][0]];
    let value = candidates.into_iter().find(|value| !value.is_null())?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn body(document: &Value, said: &Value) -> Option<String> {
    let schema = &said["requestBody"]["content"]["application/json"]["schema"];
    let place = schema["$ref"].as_str()?;
    let example = &document.pointer(place.trim_start_matches('#'))?["examples"][0];
    (!example.is_null()).then(|| example.to_string())
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_headers_and_bodies_are_one_word_each() {
        let document = json!({"components": {"schemas": {"A": {"examples": [{"why": "it's over"}]}}}});
        let said = json!({
            "parameters": [
                {"name": "id", "in": "path", "example": "slow tail#2", "schema": {}},
                {"name": "window", "in": "query", "schema": {"default": 300}},
                {"name": "free", "in": "query", "schema": {"type": "string"}},
                {"name": "If-Match", "in": "header", "example": "\"1\"", "schema": {}},
            ],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}},
        });
        insta::assert_snapshot!(curl(&document, "post", "/a/{id}", &said), @r#"
        curl -X POST \
          -H 'Origin: http://127.0.0.1:9090' -H 'X-Punk: 1' \
          -H 'If-Match: "1"' \
          -H 'Content-Type: application/json' \
          -d '{"why":"it'\''s over"}' \
          'http://127.0.0.1:9090/api/a/slow%20tail%232?window=300'
        "#);
        assert_eq!(curl(&document, "get", "/b", &json!({})), "curl 'http://127.0.0.1:9090/api/b'");
    }
}
