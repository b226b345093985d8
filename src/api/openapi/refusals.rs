//! The refusals that any row may give, and which of them a row can: a component each, all with the same body.

use super::super::problem::MEDIA;
use crate::api::row::Row;
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// A refusal of `guard`, `access`, `server` or the reading of a request: status, name, when, and its headers.
struct Known {
    status: StatusCode,
    name: &'static str,
    when: &'static str,
    header: Option<(&'static str, &'static str)>,
    comes: fn(&Row) -> bool,
}

fn always(_: &Row) -> bool {
    true
}

fn with_body(row: &Row) -> bool {
    row.body.is_some()
}

const RETRY_AFTER: (&str, &str) = ("Retry-After", "in how many seconds to ask again");

const KNOWN: [Known; 9] = [
    Known {
        status: StatusCode::BAD_REQUEST,
        name: "BadRequest",
        when: "a parameter, a header or the body is not what is wanted here; or `Host` or `Authorization` is there twice",
        header: None,
        comes: always,
    },
    Known {
        status: StatusCode::UNAUTHORIZED,
        name: "Unauthorized",
        when: "the token is not known, or one is needed at this address",
        header: Some(("WWW-Authenticate", "`Bearer`")),
        comes: always,
    },
    Known {
        status: StatusCode::FORBIDDEN,
        name: "Forbidden",
        when: "the `Origin` is not ours, or `Sec-Fetch-Site` says that another page asks; or it is a change, and what it needs is missing, the token may only look, or the \
               monitor is read-only",
        header: None,
        comes: always,
    },
    Known {
        status: StatusCode::REQUEST_TIMEOUT,
        name: "RequestTimeout",
        when: "the body took too long",
        header: None,
        comes: with_body,
    },
    Known {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        name: "PayloadTooLarge",
        when: "the body is larger than 256 KiB",
        header: None,
        comes: always,
    },
    Known {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        name: "UnsupportedMediaType",
        when: "the body is not `application/json`",
        header: None,
        comes: with_body,
    },
    Known {
        status: StatusCode::MISDIRECTED_REQUEST,
        name: "MisdirectedRequest",
        when: "the `Host` is not served here",
        header: None,
        comes: always,
    },
    Known {
        status: StatusCode::TOO_MANY_REQUESTS,
        name: "TooManyRequests",
        when: "more than 500 requests, 50 changes, or 20 refused requests, in a second",
        header: Some(RETRY_AFTER),
        comes: always,
    },
    Known {
        status: StatusCode::SERVICE_UNAVAILABLE,
        name: "ServiceUnavailable",
        when: "too many connections are open, the run is too busy to answer, or too many large answers are on their way to clients that read slowly",
        header: Some(RETRY_AFTER),
        comes: always,
    },
];

/// What a refusal's body is.
pub(super) fn content() -> Value {
    json!({MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}})
}

/// All of them, as components.
pub(super) fn components() -> Value {
    let all = KNOWN.iter().map(|known| (known.name.to_owned(), response(known.when, known.header)));
    Value::Object(all.collect())
}

fn response(when: &str, header: Option<(&str, &str)>) -> Value {
    let mut response = json!({"description": when});
    if let Some((name, about)) = header {
        response["headers"] = json!({name: {"description": about, "schema": {"type": "string"}}});
    }
    response["content"] = content();
    response
}

/// Those of one row, by status, beside its answers.
pub(super) fn of(row: &Row, of_session: bool) -> Vec<(StatusCode, Value)> {
    let mut own: Vec<(StatusCode, String)> = Vec::new();
    let missing = (StatusCode::NOT_FOUND, "there is no such session");
    for (status, when) in row.refusals.iter().copied().chain(of_session.then_some(missing)) {
        match own.iter_mut().find(|(known, _)| *known == status) {
            Some((_, text)) => *text = format!("{text}; or {when}"),
            None => own.push((status, when.to_owned())),
        }
    }
    let mut all: Vec<(StatusCode, Value)> = KNOWN
        .iter()
        .filter(|known| (known.comes)(row) && own.iter().all(|(status, _)| *status != known.status))
        .map(|known| (known.status, json!({"$ref": format!("#/components/responses/{}", known.name)})))
        .collect();
    for (status, when) in own {
        // What the row says of a status does not replace what any row may mean by it.
        let known = KNOWN.iter().find(|known| known.status == status && (known.comes)(row));
        let when = known.map_or_else(|| when.clone(), |known| format!("{when}; or {}", known.when));
        all.push((status, response(&when, known.and_then(|known| known.header))));
    }
    all
}

/// What a request must bring.
pub(super) fn security(row: &Row) -> Value {
    let mut ways: Vec<Map<String, Value>> = Vec::new();
    let way = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!([]))).collect();
    ways.push(way(&["token"]));
    if row.method == Method::GET {
        ways.insert(0, Map::new());
    } else if !row.by_token {
        ways.push(way(&["page", "origin"]));
    }
    json!(ways)
}
