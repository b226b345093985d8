//! hyper's and h2's errors in our classes.

use std::error::Error;
use std::io;

use crate::protocol::net::{ErrorKind, Phase, TransportError, tls};

/// HTTP/2 reasons above this have no code of their own in k6 (`HTTP_1_1_REQUIRED`).
const LAST_REASON: u32 = 13;

/// The class of an error that hyper reported in a phase.
pub(super) fn classify(error: &hyper::Error, phase: Phase) -> TransportError {
    if let Some(h2) = find::<h2::Error>(error)
        && let Some(classified) = classify_h2(h2, phase)
        && find_tls(error).is_none()
    {
        return classified;
    }
    if let Some(io) = find::<io::Error>(error) {
        // Bad chunk sizes come as I/O errors that no system call made.
        let ours = io.raw_os_error().is_none()
            && matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
        return match tls::tls_error(io) {
            Some(error) => tls::classify(error, phase),
            None if ours => invalid(phase, &io.to_string()),
            None => TransportError::from_stream(io, phase),
        };
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return TransportError::closed(phase);
    }
    if error.is_parse_too_large() {
        return TransportError::new(
            ErrorKind::Protocol,
            phase,
            "the head of the answer is larger than the limit, or has more than 100 fields",
        );
    }
    if error.is_user() {
        return TransportError::new(ErrorKind::InvalidRequest, phase, format!("the request cannot be sent: {error}"));
    }
    // What is left are parse errors: bad status lines, headers, chunk sizes.
    let detail = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    invalid(phase, &detail)
}

fn invalid(phase: Phase, detail: &str) -> TransportError {
    TransportError::new(ErrorKind::Protocol, phase, format!("the answer is not valid HTTP: {detail}"))
}

fn classify_h2(error: &h2::Error, phase: Phase) -> Option<TransportError> {
    if error.is_io() {
        return error.get_io().map(|error| TransportError::from_stream(error, phase));
    }
    let reason = error.reason()?;
    let kind = if error.is_reset() {
        ErrorKind::Http2Stream
    } else if error.is_go_away() && error.is_remote() {
        ErrorKind::Http2GoAway
    } else {
        ErrorKind::Http2Connection
    };
    let number = u32::from(reason);
    let offset = if number > LAST_REASON { 0 } else { number as u16 + 1 };
    let what = match kind {
        ErrorKind::Http2Stream => "stream error",
        ErrorKind::Http2GoAway => "received GoAway",
        _ => "connection error",
    };
    Some(
        TransportError::new(kind, phase, format!("http2: {what}: {}", reason.description()))
            .with_code(kind.code() + offset),
    )
}

fn find_tls(error: &hyper::Error) -> Option<&rustls::Error> {
    tls::tls_error(find::<io::Error>(error)?)
}

fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
