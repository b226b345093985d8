//! How one message is sent: tries, what each answer means, how long to wait between them.

use super::message::{Message, shown};
use super::queue::Queue;
use crate::expr::Receiver;
use crate::protocol::net::{TlsOptions, TlsSetup};
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How much a receiver is given.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For one try, from the first byte to the answer.
    pub timeout: Duration,
    /// Tries of one message.
    pub tries: u32,
    /// For all tries of one message.
    pub message: Duration,
    /// Before the second try; doubled before each further one.
    pub backoff: Duration,
    /// The longest that `Retry-After` may ask for.
    pub retry_after: Duration,
    /// Messages that may wait.
    pub waiting: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            timeout: Duration::from_secs(5),
            tries: 5,
            message: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            retry_after: Duration::from_secs(15),
            waiting: 100,
        }
    }
}

/// What sends to all receivers.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client,
    patience: Patience,
}

/// What came of one try.
enum Try {
    Taken,
    /// It will not be otherwise next time.
    Refused(String),
    /// It may be otherwise next time, which the receiver may have named.
    Again(String, Option<Duration>),
}

impl Sender {
    /// # Errors
    /// Why nothing can be sent at all.
    pub(super) fn new(patience: Patience) -> Result<Self, String> {
        let tls = TlsSetup::new(&TlsOptions::default(), &[b"http/1.1"])?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.for_user().config().as_ref().clone())
            .user_agent(concat!("punk/", env!("CARGO_PKG_VERSION")))
            // A proxy of the environment is no part of the test; a redirect would carry secrets to somebody else.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(patience.timeout)
            .build()
            .map_err(|error| plain(&error))?;
        Ok(Sender { client, patience })
    }

    /// Sends what stands in the queue, one after the other, for ever.
    pub(super) async fn serve(self, receiver: Receiver, queue: Arc<Queue>, over: watch::Receiver<bool>) {
        let headers = headers(&receiver);
        loop {
            let message = queue.next().await;
            let outcome = match &headers {
                Ok(headers) => self.deliver(&receiver.url, headers, &message, &queue, over.clone()).await,
                Err(why) => Err(why.clone()),
            };
            queue.told(|delivery| match outcome {
                Ok(()) => delivery.sent += 1,
                Err(why) => {
                    tracing::warn!(target: "punk::webhook", receiver = shown(&receiver.url), "not delivered: {why}");
                    delivery.failed += 1;
                    delivery.last_error = Some(why);
                }
            });
        }
    }

    async fn deliver(
        &self,
        url: &str,
        headers: &HeaderMap,
        message: &Message,
        queue: &Queue,
        mut over: watch::Receiver<bool>,
    ) -> Result<(), String> {
        let end = Instant::now() + self.patience.message;
        let mut wait = self.patience.backoff;
        let mut number = 1;
        loop {
            let (why, asked) = match self.once(url, headers, message).await {
                Try::Taken => return Ok(()),
                Try::Refused(why) => return Err(why),
                Try::Again(why, asked) => (why, asked),
            };
            let pause = asked.map_or_else(|| jittered(wait), |asked| asked.min(self.patience.retry_after));
            if number >= self.patience.tries || Instant::now() + pause >= end {
                return Err(match number {
                    1 => why,
                    _ => format!("{why} (after {number} tries)"),
                });
            }
            queue.told(|delivery| {
                delivery.retries += 1;
                delivery.last_error = Some(why);
            });
            let is_over = *over.borrow();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // The run ends: what waits is tried once more at once.
                _ = over.wait_for(|over| *over), if !is_over => {}
            }
            wait *= 2;
            number += 1;
        }
    }

    async fn once(&self, url: &str, headers: &HeaderMap, message: &Message) -> Try {
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", &message.key)
            .headers(headers.clone())
            .body(message.body.clone());
        match request.send().await {
            Ok(response) => judge(&response),
            // The address or a header cannot be sent: no second try makes it better.
            Err(error) if error.is_builder() => Try::Refused(plain(&error)),
            Err(error) if error.is_timeout() => {
                Try::Again(format!("no answer within {}", crate::units::human::duration(self.patience.timeout)), None)
            }
            Err(error) => Try::Again(plain(&error), None),
        }
    }
}

fn judge(response: &Response) -> Try {
    let status = response.status();
    let why = || format!("status {}", status.as_u16());
    match status {
        _ if status.is_success() => Try::Taken,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Try::Again(why(), retry_after(response)),
        _ if status.is_server_error() => Try::Again(why(), retry_after(response)),
        _ if status.is_redirection() => Try::Refused(format!("{}: redirects are not followed", why())),
        _ => Try::Refused(why()),
    }
}

/// Seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.signed_duration_since(Utc::now()).to_std().unwrap_or_default())
}

fn headers(receiver: &Receiver) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in &receiver.headers {
        // The value is not told: it may be a password.
        let wrong = || format!("the header `{name}` cannot be sent");
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        map.append(key, value);
    }
    Ok(map)
}

/// An error without the address: what is at its root.
fn plain(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    match root.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request cannot be made".to_owned(),
        None => root.to_string(),
    }
}

/// A quarter more or less, so that many who wait do not come back at once.
fn jittered(wait: Duration) -> Duration {
    // A new state has a new random key; its hash is as good as a die.
    let die = RandomState::new().hash_one(0u8) as f64 / u64::MAX as f64;
    wait.mul_f64(0.75 + die / 2.0)
}
