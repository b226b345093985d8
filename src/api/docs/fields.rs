//! The fields of a schema as lines of a table: what is within another one is named by its path, `latency.p95`.
//!
//! Asked by `page`. It reads JSON Schema as far as the contract uses it, and knows no HTML.

use serde_json::{Map, Value};
use std::fmt::Write;

/// How deep fields are told: the contract has no deeper ones, and a circle ends.
const DEPTH: usize = 8;

/// One line.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    /// `scenarios[].name`; `*` stands for a name that the run gives.
    pub(super) name: String,
    /// `number, 0 to 100`.
    pub(super) kind: String,
    /// Whether it is always there.
    pub(super) required: bool,
    /// What it means.
    pub(super) about: String,
}

/// All fields of a schema of a document, the outer ones before their inner ones.
pub(super) fn of(document: &Value, schema: &Value) -> Vec<Field> {
    let mut all = Vec::new();
    within(document, schema, "", DEPTH, &mut all);
    all
}

/// What a schema is, without what it refers to.
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let whole = resolved(document, schema);
    let says = |key: &str| whole.get(key).filter(|value| !value.is_null());
    if let Some(one) = says("const") {
        return word(one);
    }
    if let Some(Value::Array(words)) = says("enum") {
        return words.iter().map(word).collect::<Vec<_>>().join(" | ");
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(Value::Array(ways)) = says(key) {
            return ways.iter().map(|way| kind(document, way)).collect::<Vec<_>>().join(" | ");
        }
    }
    let mut told = match says("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).map(name).collect::<Vec<_>>().join(" | "),
        Some(Value::String(one)) => name(one).to_owned(),
        _ => "any".to_owned(),
    };
    if let Some(items) = says("items") {
        let _ = write!(told, " of {}", kind(document, items));
    }
    if let Some(format) = says("format").and_then(Value::as_str).filter(|format| format.contains('-')) {
        let _ = write!(told, ", {format}");
    }
    match (says("minimum"), says("maximum")) {
        (Some(least), Some(most)) => drop(write!(told, ", {least} to {most}")),
        (Some(least), None) if *least != 0 => drop(write!(told, ", at least {least}")),
        (None, Some(most)) => drop(write!(told, ", at most {most}")),
        _ => {}
    }
    if let Some(most) = says("maxLength") {
        let _ = write!(told, ", at most {most} characters");
    }
    told
}

fn name(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "integer" => "whole number",
        "array" => "list",
        other => other,
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A schema with what it refers to; what stands beside the reference goes before.
fn resolved(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    for _ in 0..DEPTH {
        let Some(Value::String(place)) = whole.remove("$ref") else { break };
        let there = document.pointer(place.trim_start_matches('#')).and_then(Value::as_object);
        for (key, value) in there.into_iter().flatten() {
            whole.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    whole
}

fn within(document: &Value, schema: &Value, before: &str, depth: usize, all: &mut Vec<Field>) {
    if depth == 0 {
        return;
    }
    let whole = resolved(document, schema);
    let required = whole.get("required").and_then(Value::as_array);
    for (name, field) in whole.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let name_here = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let told = resolved(document, field);
        all.push(Field {
            kind: kind(document, field),
            required: required.is_some_and(|required| required.iter().any(|one| one == name.as_str())),
            about: told.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            name: name_here.clone(),
        });
        within(document, field, &name_here, depth - 1, all);
    }
    if let Some(items) = whole.get("items") {
        within(document, items, &format!("{before}[]"), depth - 1, all);
    }
    if let Some(inner) = whole.get("additionalProperties").filter(|inner| inner.is_object()) {
        let name = if before.is_empty() { "*".to_owned() } else { format!("{before}.*") };
        within(document, inner, &name, depth - 1, all);
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        for way in whole.get(key).and_then(Value::as_array).into_iter().flatten() {
            within(document, way, before, depth - 1, all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn inner_fields_are_named_by_their_path_and_a_circle_ends() {
        let document = json!({"components": {"schemas": {"Tree": {
            "description": "A tree.",
            "type": "object",
            "properties": {
                "share": {"type": ["number", "null"], "minimum": 0, "maximum": 100, "description": "Percent."},
                "at": {"type": "string", "format": "date-time"},
                "leaves": {"type": "array", "items": {"$ref": "#/components/schemas/Leaf"}},
                "by_name": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Tree"}},
            },
            "required": ["share"],
        }, "Leaf": {"type": "object", "properties": {"colour": {"enum": ["green", "red"]}}}}}});
        let fields = of(&document, &json!({"$ref": "#/components/schemas/Tree"}));
        let line = |field: &Field| format!("{}: {} ({})", field.name, field.kind, field.required);
        let first: Vec<String> = fields.iter().take(5).map(line).collect();
        assert_eq!(
            first,
            [
                "share: number | null, 0 to 100 (true)",
                "at: text, date-time (false)",
                "leaves: list of object (false)",
                "leaves[].colour: green | red (false)",
                "by_name: object (false)",
            ]
        );
        assert!(fields.len() < 50, "{}", fields.len());
    }
}
