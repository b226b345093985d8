//! `/_target/`: statistics, the log, the dials and a reset over HTTP; none of it is counted, delayed or spoiled.
//!
//! Called by `service`; everything it does is a call to `control`. It deliberately has no password: the target
//! listens on loopback unless somebody decides otherwise.

use http::{Method, StatusCode};
use serde_json::json;

use super::control::Control;
use super::dials::Dials;
use super::reply::{Asked, Reply};
use super::shop::wrong_method;

/// Answers one administrative path.
pub fn admin(control: &Control, asked: &Asked<'_>) -> Reply {
    let path = asked.path().trim_start_matches("/_target/");
    match (&asked.head.method, path) {
        (&Method::GET, "stats") => as_json(&control.stats()),
        (&Method::GET, "log") => as_json(&control.log()),
        (&Method::GET, "dials") => Reply::ok(&control.dials().to_json()),
        (&Method::PUT, "dials") => match Dials::from_json(asked.body).and_then(|dials| control.set_dials(dials)) {
            Ok(()) => Reply::ok(&control.dials().to_json()),
            Err(error) => Reply::error(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        (&Method::POST, "reset") => {
            control.reset();
            Reply::ok(&json!({ "reset": true }))
        }
        (_, "stats" | "log" | "dials" | "reset") => wrong_method(),
        _ => Reply::not_found(),
    }
}

fn as_json(value: &impl serde::Serialize) -> Reply {
    let text = serde_json::to_vec(value).expect("numbers, strings and string keys");
    Reply::bytes(StatusCode::OK, "application/json", text)
}
