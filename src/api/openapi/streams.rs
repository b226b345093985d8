//! The WebSocket streams in the document, as `x-streams`: OpenAPI has no word for them, and whoever reads the contract wants them.

use super::operation::parameter;
use super::schemas::Schemas;
use crate::api::stream::{COMPLETED, TOPICS, Topic};
use crate::api::wire::StatusWire;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

/// What holds for all of them.
pub(super) const ABOUT: &str = "\
WebSocket, at the root, under `/api`, `/api/v1` and a session's path. Every message is JSON: `type`, `timestamp`, `sequence` and \
`data`. The first message of a connection is a full state. A token stands in `Authorization: Bearer`, or, from a browser, among \
the subprotocols. Whoever reads too slowly is dropped with a close code.";

/// All of them.
pub(super) fn of(schemas: &mut Schemas) -> Value {
    TOPICS.iter().map(|topic| stream(topic, schemas)).collect()
}

fn stream(topic: &Topic, schemas: &mut Schemas) -> Value {
    let mut messages = vec![json!({"type": topic.message, "schema": schemas.answer(topic.schema)})];
    for event in topic.events {
        messages.push(json!({"type": event.word(), "schema": schemas.answer(event.schema())}));
    }
    let completed = schemas.answer(SchemaGenerator::subschema_for::<StatusWire>);
    messages.push(json!({"type": COMPLETED, "schema": completed}));
    json!({
        "path": topic.path,
        "paths": topic.paths().collect::<Vec<_>>(),
        "description": topic.about,
        "parameters": topic.query.iter().map(|one| parameter(one, "query")).collect::<Vec<_>>(),
        "messages": messages,
    })
}
