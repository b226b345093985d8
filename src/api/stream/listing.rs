//! `GET /streams`: what there is to listen to, with its parameters, its events and the schemas of its messages.
//!
//! The contract of requests cannot describe streams; this can, out of the same table that serves them.

use super::event::COMPLETED;
use super::{TOPICS, Topic};
use crate::api::query::{Kind, Parameter};
use crate::api::router::json;
use crate::api::row::{Row, SchemaOf};
use crate::api::wire::{EnvelopeWire, StatusWire};
use axum::http::StatusCode;
use axum::response::Response;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

/// All streams.
#[derive(Debug, Serialize, JsonSchema)]
struct StreamListWire {
    /// JSON Schema of what every message is wrapped in; `data` is that of its type.
    envelope: Value,
    /// What there is to listen to.
    streams: Vec<StreamWire>,
    /// What the schemas refer to.
    #[serde(rename = "$defs")]
    definitions: Map<String, Value>,
}

/// Something to listen to.
#[derive(Debug, Serialize, JsonSchema)]
struct StreamWire {
    /// Under the root, `/api`, `/api/v1` and a session's id.
    paths: Vec<&'static str>,
    /// What it tells: one line.
    about: &'static str,
    /// What its query may hold.
    parameters: Vec<StreamParameterWire>,
    /// The first of them is that of its regular messages; the others are events.
    messages: Vec<StreamMessageWire>,
}

/// Something in the query of a stream.
#[derive(Debug, Serialize, JsonSchema)]
struct StreamParameterWire {
    /// Its name.
    name: &'static str,
    /// What it means: one line.
    about: &'static str,
    /// What it may be.
    values: String,
    /// What it is when nobody says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

/// A type of message.
#[derive(Debug, Serialize, JsonSchema)]
struct StreamMessageWire {
    /// Its `type`.
    r#type: &'static str,
    /// JSON Schema of its `data`.
    schema: Value,
}

/// The row of this file.
pub(in crate::api) fn rows() -> Vec<Row> {
    let about = "The WebSocket streams, their parameters and messages";
    vec![Row::get("/streams", about, streams).of_process().answers::<StreamListWire>("all of them")]
}

async fn streams() -> Response {
    json(StatusCode::OK, &listing())
}

fn listing() -> StreamListWire {
    let mut schemas = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let envelope = schemas.subschema_for::<EnvelopeWire>().to_value();
    let streams = TOPICS.iter().map(|topic| wire(topic, &mut schemas)).collect();
    StreamListWire { envelope, streams, definitions: schemas.take_definitions(true) }
}

fn wire(topic: &Topic, schemas: &mut SchemaGenerator) -> StreamWire {
    let events = topic.events.iter().map(|event| (event.word(), event.schema()));
    let completed: SchemaOf = SchemaGenerator::subschema_for::<StatusWire>;
    let messages = [(topic.message, topic.schema)].into_iter().chain(events).chain([(COMPLETED, completed)]);
    StreamWire {
        paths: topic.paths().collect(),
        about: topic.about,
        parameters: topic.query.iter().map(parameter).collect(),
        messages: messages
            .map(|(r#type, schema)| StreamMessageWire { r#type, schema: schema(schemas).to_value() })
            .collect(),
    }
}

fn parameter(parameter: &Parameter) -> StreamParameterWire {
    let (values, default) = match parameter.kind {
        Kind::Whole { least, most, default } => {
            (format!("a whole number from {least} to {most}"), default.map(|default| default.to_string()))
        }
        Kind::Choice { words, default } => (words.join(", "), default.map(str::to_owned)),
        Kind::Text { pattern } => {
            (pattern.map_or_else(|| "any text".to_owned(), |pattern| format!("a text that matches {pattern}")), None)
        }
    };
    StreamParameterWire { name: parameter.name, about: parameter.about, values, default }
}

/// Which types of message there are, each once.
#[cfg(test)]
pub(super) fn types() -> std::collections::BTreeSet<&'static str> {
    let regular = TOPICS.iter().map(|topic| topic.message);
    regular.chain(super::event::Event::ALL.map(super::event::Event::word)).chain([COMPLETED]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one_and_refers_to_what_is_there() {
        let listing = serde_json::to_value(listing()).unwrap();
        let told: std::collections::BTreeSet<&str> = listing["streams"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|stream| stream["messages"].as_array().unwrap())
            .map(|message| message["type"].as_str().unwrap())
            .collect();
        assert_eq!(told, types());
        for stream in listing["streams"].as_array().unwrap() {
            for message in stream["messages"].as_array().unwrap() {
                let mut schema = message["schema"].clone();
                schema["$defs"] = listing["$defs"].clone();
                jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{message}: {error}"));
            }
        }
    }
}
