//! What every request passes: limits and access on its way in, a reason and headers on its way out.

use super::problem::{MEDIA, Problem};
use super::{Access, Monitor};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Largest body, bytes.
pub(super) const BODY: usize = 256 << 10;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Around all routes.
pub(super) async fn guard(State(monitor): State<Arc<Monitor>>, request: Request, next: Next) -> Response {
    let mut response = match admitted(&monitor, &request) {
        Ok(()) => monitor.answers.bound(next.run(request).await).await,
        Err(problem) => problem.into_response(),
    };
    let status = response.status();
    let reasoned = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == MEDIA);
    if (status.is_client_error() || status.is_server_error()) && !reasoned {
        let allow = response.headers_mut().remove(ALLOW);
        let problem = Problem::of_status(status);
        response = match allow {
            Some(allow) => problem.header(ALLOW, allow).into_response(),
            None => problem.into_response(),
        };
    }
    let headers = response.headers_mut();
    let always: [(HeaderName, &str); 6] = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

fn admitted(monitor: &Monitor, request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let now = Instant::now();
    let busy = |why: &str| {
        monitor.sessions.counts().requests_refused.add(now);
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, why).header(RETRY_AFTER, HeaderValue::from_static("1")))
    };
    // Whoever is refused takes nothing from those who are not, and whoever looks nothing from those who change.
    if let Err(problem) = monitor.access.admit(request.method(), request.uri(), headers) {
        if problem.status() == StatusCode::UNAUTHORIZED {
            told_of(monitor, request);
        }
        // Guessing tokens must not be fast.
        return if monitor.refusals.take(now) {
            Err(problem)
        } else {
            busy("too many refused requests: wait a second")
        };
    }
    if Access::is_change(request.method()) {
        if !monitor.changes.take(now) {
            return busy("too many changes: wait a second");
        }
    } else if !monitor.requests.take(now) {
        return busy("too many requests: wait a second");
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY) {
        return Err(too_large());
    }
    Ok(())
}

/// Tells that somebody has no token, or a wrong one; never which, and not for each who guesses. What was asked for is not told:
/// whoever puts a token into a path by mistake shall not find it in the log.
fn told_of(monitor: &Monitor, request: &Request) {
    if monitor.tellings.take(Instant::now()) {
        let method = request.method().as_str();
        tracing::warn!(target: "punk::monitor", method, "refused: without a token, or with one that is not known");
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {BODY} bytes"))
}

/// The whole body of a request.
///
/// # Errors
/// It is too large, too slow, or breaks off.
async fn body(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let limited =
                std::error::Error::source(&error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
            Err(if limited { too_large() } else { Problem::bad("the body broke off") })
        }
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
    }
}

/// The JSON of a request; `None` for an empty body.
///
/// # Errors
/// It is no JSON, or not what is wanted here; or the body cannot be had.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<Option<T>, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default().to_ascii_lowercase());
    let bytes = body(request.into_body()).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let essence = kind.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence != "application/json" {
        let why = "the body must be JSON: send `Content-Type: application/json`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| Problem::bad(format!("the body cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::limit::Limit;
    use crate::api::{Access, Lent, Token};

    const TOKEN: &str = "the-control-token-of-a-test";

    /// With so few of each that a test uses them up, and that do not come back.
    fn monitor() -> Monitor {
        let access = Access {
            address: "127.0.0.1:9090".parse().unwrap(),
            hosts: Vec::new(),
            control: Token::parse(TOKEN).ok(),
            read: None,
            readonly: false,
            tls: false,
        };
        let mut monitor = Monitor::new(Vec::new(), access, Lent { scrape: |_, _, _| ("", Vec::new()), intake: None });
        monitor.requests = Limit::new(0.0, 3.0);
        monitor.changes = Limit::new(0.0, 3.0);
        monitor.refusals = Limit::new(0.0, 3.0);
        monitor
    }

    /// How often each status comes of five of the same request, 0 for none.
    fn five(monitor: &Monitor, method: &str, host: &str, token: Option<&str>) -> Vec<(u16, usize)> {
        let mut counts: Vec<(u16, usize)> = Vec::new();
        for _ in 0..5 {
            let mut request = Request::builder().method(method).uri("/api/control/pause").header("host", host);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let answer = admitted(monitor, &request.body(Body::empty()).unwrap());
            let status = answer.map_or_else(|problem| problem.status().as_u16(), |()| 0);
            match counts.last_mut() {
                Some((last, count)) if *last == status => *count += 1,
                _ => counts.push((status, 1)),
            }
        }
        counts
    }

    #[test]
    fn whoever_is_refused_or_only_looks_takes_nothing_from_whoever_may_change() {
        let monitor = monitor();
        assert_eq!(five(&monitor, "POST", "evil.test", None), [(421, 3), (429, 2)]);
        assert_eq!(five(&monitor, "POST", "localhost", None), [(429, 5)]);
        assert_eq!(five(&monitor, "GET", "localhost", None), [(0, 3), (429, 2)]);
        assert_eq!(five(&monitor, "POST", "localhost", Some(TOKEN)), [(0, 3), (429, 2)]);
        assert_eq!(monitor.sessions.counts().served().requests_refused, 2 + 5 + 2 + 2);
    }
}
