//! Large answers that are on their way: a bound on their bytes, whoever asks and however slowly it reads.
//!
//! Asked by the guard for every answer and by handlers that give one answer to many. Bytes count from when they are made until
//! the last connection that holds them lets go of them; small answers are bounded by the number of connections.

use super::problem::Problem;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of large answers at once.
pub(super) const ROOM: usize = 64 << 20;
/// Answers up to so many bytes are small.
const SMALL: usize = 64 << 10;

/// The room for large answers.
#[derive(Debug)]
pub(super) struct Answers {
    free: Arc<Semaphore>,
    room: usize,
}

/// A response with this in its extensions has bytes that [`Answers::hold`] has counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted;

/// Bytes with their place; it is free again when this is dropped.
struct Held {
    bytes: Bytes,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Answers {
    /// Room for so many bytes.
    pub(super) fn new(room: usize) -> Self {
        Answers { free: Arc::new(Semaphore::new(room)), room }
    }

    /// The same bytes, counted until nobody holds them; small ones as they are.
    ///
    /// # Errors
    /// There is no room for them now.
    pub(super) fn hold(&self, bytes: Bytes) -> Result<Bytes, Problem> {
        if bytes.len() <= SMALL {
            return Ok(bytes);
        }
        // One that is larger than the whole room is answered when it is the only one.
        let wanted = u32::try_from(bytes.len().min(self.room)).unwrap_or(u32::MAX);
        match Arc::clone(&self.free).try_acquire_many_owned(wanted) {
            Ok(place) => Ok(Bytes::from_owner(Held { bytes, _place: place })),
            Err(_) => {
                let why = "too many large answers are on their way to clients that read slowly: wait a second";
                let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, why);
                Err(problem.header(RETRY_AFTER, HeaderValue::from_static("1")))
            }
        }
    }

    /// The same response, its body counted, or the refusal.
    pub(super) async fn bound(&self, response: Response) -> Response {
        let size = response.body().size_hint().exact().unwrap_or(0);
        if size <= SMALL as u64 || response.extensions().get::<Counted>().is_some() {
            return response;
        }
        let (parts, body) = response.into_parts();
        // It is there as a whole: nothing is waited for, and nothing copied.
        let Ok(bytes) = to_bytes(body, usize::MAX).await else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        match self.hold(bytes) {
            Ok(bytes) => Response::from_parts(parts, Body::from(bytes)),
            Err(problem) => problem.into_response(),
        }
    }

    /// Whether none is on its way.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.free.available_permits() == self.room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_answers_have_room_until_they_are_let_go() {
        let answers = Answers::new(3 * SMALL);
        let large = || Bytes::from(vec![7; 2 * SMALL]);
        let first = answers.hold(large()).unwrap();
        let shared = first.clone();
        drop(first);
        let refused = answers.hold(large()).unwrap_err();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answers.hold(Bytes::from(vec![7; SMALL])).is_ok());
        assert!(!answers.is_idle() && shared[..] == large()[..]);
        drop(shared);
        assert!(answers.is_idle());
        // Larger than all the room: alone.
        let huge = answers.hold(Bytes::from(vec![7; 9 * SMALL])).unwrap();
        assert!(answers.hold(large()).is_err());
        drop(huge);
        assert!(answers.hold(large()).is_ok());
    }
}
