//! One row as an operation of the document: its parameters, its body, its answers and refusals.

use super::refusals;
use super::schemas::Schemas;
use crate::api::query::{Kind, Parameter};
use crate::api::row::{Answer, Content, Row};
use serde_json::{Map, Value, json};

/// Before the path of a row, under the id of its session.
pub(super) const SESSION_PATH: &str = "/sessions/{session}";
const SESSION: Parameter = Parameter::text("session", "a run, as `GET /sessions` names it")
    .pattern("^[!-~]{1,100}$")
    .example("punk-20260118-153045");

/// A row at one of its paths.
pub(super) fn of(row: &Row, path: &str, tag: &str, schemas: &mut Schemas) -> Value {
    let of_session = path.starts_with(SESSION_PATH);
    let session = of_session.then_some(&SESSION);
    let mut parameters: Vec<Value> =
        session.into_iter().chain(row.path_parameters).map(|one| parameter(one, "path")).collect();
    parameters.extend(row.query.iter().map(|one| parameter(one, "query")));
    parameters.extend(row.headers.iter().map(|one| parameter(one, "header")));
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), id(row.method.as_str(), path).into());
    operation.insert("summary".to_owned(), row.about.into());
    operation.insert("tags".to_owned(), json!([tag]));
    operation.insert("security".to_owned(), refusals::security(row));
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = &row.body {
        let content = json!({"application/json": {"schema": schemas.body(body.schema)}});
        operation.insert("requestBody".to_owned(), json!({"required": body.required, "content": content}));
    }
    let mut responses: Vec<(u16, Value)> =
        row.answers.iter().map(|one| (one.status.as_u16(), answer(one, schemas))).collect();
    responses.extend(refusals::of(row, of_session).into_iter().map(|(status, response)| (status.as_u16(), response)));
    responses.sort_by_key(|(status, _)| *status);
    let responses: Map<String, Value> =
        responses.into_iter().map(|(status, response)| (status.to_string(), response)).collect();
    operation.insert("responses".to_owned(), responses.into());
    Value::Object(operation)
}

/// `get_sessions_metrics_timeline`: it stays as long as the path does.
fn id(method: &str, path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty() && !part.starts_with('{'));
    let words = parts.map(|part| part.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"));
    let words: Vec<String> = words.collect();
    format!("{}_{}", method.to_ascii_lowercase(), words.join("_"))
}

pub(super) fn parameter(parameter: &Parameter, place: &str) -> Value {
    let mut schema = match parameter.kind {
        Kind::Whole { least, most, .. } => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Choice { words, .. } => json!({"type": "string", "enum": words}),
        Kind::Text { pattern: Some(pattern) } => json!({"type": "string", "pattern": pattern}),
        Kind::Text { pattern: None } => json!({"type": "string"}),
    };
    match parameter.kind {
        Kind::Whole { default: Some(default), .. } => schema["default"] = default.into(),
        Kind::Choice { default: Some(default), .. } => schema["default"] = default.into(),
        _ => {}
    }
    let mut said = json!({
        "name": parameter.name,
        "in": place,
        "description": parameter.about,
        "required": parameter.required || place == "path",
        "schema": schema,
    });
    if let Some(example) = parameter.example {
        said["example"] = example.into();
    }
    said
}

fn answer(answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut said = json!({"description": answer.about});
    if !answer.headers.is_empty() {
        let header = |about: &str| json!({"description": about, "required": true, "schema": {"type": "string"}});
        let headers = answer.headers.iter().map(|(name, about)| ((*name).to_owned(), header(about)));
        said["headers"] = Value::Object(headers.collect());
    }
    match &answer.content {
        Content::Json(schema) => said["content"] = json!({"application/json": {"schema": schemas.answer(*schema)}}),
        Content::Media(kinds) => {
            let of = |kind: &str| match kind {
                "application/json" => json!({"schema": {"type": "object"}}),
                _ => json!({"schema": {"type": "string"}}),
            };
            said["content"] = Value::Object(kinds.iter().map(|kind| ((*kind).to_owned(), of(kind))).collect());
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn the_id_of_an_operation_is_made_of_its_path() {
        assert_eq!(id("GET", "/metrics/timeline"), "get_metrics_timeline");
        assert_eq!(id("POST", "/sessions/{session}/alerts/{alert}/acknowledge"), "post_sessions_alerts_acknowledge");
        assert_eq!(id("GET", "/openapi.json"), "get_openapi_json");
    }
}
