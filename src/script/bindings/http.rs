//! `http::`: requests on behalf of the running user, recorded as they end.

use super::request::{self, Call, Expect};
use super::response::{self, Answer, Response};
use crate::metrics::recorder::RequestSample;
use crate::metrics::{Category, ErrorKey};
use crate::protocol::http::{Client, Exchange, Target};
use crate::roster::Doing;
use crate::script::error::Ended;
use crate::script::host::{Host, Name, RequestKey};
use crate::script::settings;
use crate::script::user::{self, User};
use crate::user::fiber;
use http::Method;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, Module, NativeCallContext};
use std::rc::Rc;
use std::time::Duration;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// A client of its own connections and cookies: `http::client(#{ … })`.
#[derive(Clone)]
struct Session(Rc<Client>);

/// Methods whose second argument is the body, and the others.
const WITH_BODY: [(&str, Method); 3] = [("post", Method::POST), ("put", Method::PUT), ("patch", Method::PATCH)];
const WITHOUT: [(&str, Method); 4] =
    [("get", Method::GET), ("delete", Method::DELETE), ("head", Method::HEAD), ("options", Method::OPTIONS)];

/// Adds the module and the client type.
pub fn register(engine: &mut Engine) {
    let mut module = Module::new();
    for (name, method) in WITHOUT {
        let with = method.clone();
        module.set_native_fn(name, move |context: NativeCallContext<'_>, url: ImmutableString| {
            one(&context, None, |user, client| request::plain(user, client, method.clone(), &url))
        });
        module.set_native_fn(name, move |context: NativeCallContext<'_>, url: ImmutableString, options: Map| {
            one(&context, None, |user, client| {
                request::build(user, client, with.clone(), &url, &Dynamic::UNIT, &options)
            })
        });
    }
    for (name, method) in WITH_BODY {
        let (with, without) = (method.clone(), method.clone());
        module.set_native_fn(name, move |context: NativeCallContext<'_>, url: ImmutableString| {
            one(&context, None, |user, client| request::plain(user, client, without.clone(), &url))
        });
        module.set_native_fn(name, move |context: NativeCallContext<'_>, url: ImmutableString, body: Dynamic| {
            one(&context, None, |user, client| request::build(user, client, with.clone(), &url, &body, &Map::new()))
        });
        module.set_native_fn(
            name,
            move |context: NativeCallContext<'_>, url: ImmutableString, body: Dynamic, options: Map| {
                one(&context, None, |user, client| request::build(user, client, method.clone(), &url, &body, &options))
            },
        );
    }
    module.set_native_fn("request", |context: NativeCallContext<'_>, method: ImmutableString, url: ImmutableString| {
        named(&context, None, &method, &url, &Dynamic::UNIT, &Map::new())
    });
    module.set_native_fn(
        "request",
        |context: NativeCallContext<'_>, method: ImmutableString, url: ImmutableString, body: Dynamic| {
            named(&context, None, &method, &url, &body, &Map::new())
        },
    );
    module.set_native_fn(
        "request",
        |context: NativeCallContext<'_>, method: ImmutableString, url: ImmutableString, body: Dynamic, options: Map| {
            named(&context, None, &method, &url, &body, &options)
        },
    );
    module.set_native_fn("batch", |context: NativeCallContext<'_>, requests: Array| batch(&context, None, &requests));
    module.set_native_fn("client", |context: NativeCallContext<'_>, options: Map| client(&context, &options));
    engine.register_static_module("http", module.into());
    register_session(engine);
}

fn register_session(engine: &mut Engine) {
    engine.register_type_with_name::<Session>("client");
    for (name, method) in WITHOUT {
        let with = method.clone();
        engine.register_fn(name, move |context: NativeCallContext<'_>, session: &mut Session, url: ImmutableString| {
            one(&context, Some(session), |user, client| request::plain(user, client, method.clone(), &url))
        });
        engine.register_fn(
            name,
            move |context: NativeCallContext<'_>, session: &mut Session, url: ImmutableString, options: Map| {
                one(&context, Some(session), |user, client| {
                    request::build(user, client, with.clone(), &url, &Dynamic::UNIT, &options)
                })
            },
        );
    }
    for (name, method) in WITH_BODY {
        let with = method.clone();
        engine.register_fn(
            name,
            move |context: NativeCallContext<'_>, session: &mut Session, url: ImmutableString, body: Dynamic| {
                one(&context, Some(session), |user, client| {
                    request::build(user, client, with.clone(), &url, &body, &Map::new())
                })
            },
        );
        engine.register_fn(
            name,
            move |context: NativeCallContext<'_>,
                  session: &mut Session,
                  url: ImmutableString,
                  body: Dynamic,
                  options: Map| {
                one(&context, Some(session), |user, client| {
                    request::build(user, client, method.clone(), &url, &body, &options)
                })
            },
        );
    }
    engine.register_fn(
        "request",
        |context: NativeCallContext<'_>,
         session: &mut Session,
         method: ImmutableString,
         url: ImmutableString,
         body: Dynamic,
         options: Map| { named(&context, Some(session), &method, &url, &body, &options) },
    );
    engine.register_fn("batch", |context: NativeCallContext<'_>, session: &mut Session, requests: Array| {
        batch(&context, Some(session), &requests)
    });
    engine.register_fn("reset", |session: &mut Session| session.0.reset());
}

fn script_error(context: &NativeCallContext<'_>, text: impl Into<String>) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(text.into().into(), context.call_position()).into()
}

/// A request by a method's name: `http::request("PURGE", url, body, options)`.
fn named(
    context: &NativeCallContext<'_>,
    session: Option<&Session>,
    method: &str,
    url: &str,
    body: &Dynamic,
    options: &Map,
) -> Fallible<Response> {
    let method = parse_method(method).map_err(|why| script_error(context, why))?;
    one(context, session, |user, client| request::build(user, client, method, url, body, options))
}

fn parse_method(text: &str) -> Result<Method, String> {
    Method::from_bytes(text.to_ascii_uppercase().as_bytes()).map_err(|_| format!("`{text}` is not an HTTP method"))
}

/// Sends one request and waits for its answer, redirects followed, each hop recorded.
fn one(
    context: &NativeCallContext<'_>,
    session: Option<&Session>,
    build: impl FnOnce(&User, &Client) -> Result<Call, String>,
) -> Fallible<Response> {
    user::current(context, |user| {
        let client = session.map_or(&user.client, |session| &*session.0);
        let call = build(user, client).map_err(|why| script_error(context, why))?;
        let counting = Counting { name: call.name, tags: call.tags, expect: &call.expect };
        user.waited.set(true);
        user.place.asks(operation_of(user, &call).0);
        // Apart from the request: as one future the two would be moved about for every request of every run.
        if user.host.is_capped() && fiber::wait(user.host.turn()).is_err() {
            return Err(Ended::Cancelled.error(context.call_position()));
        }
        let waited =
            fiber::wait(client.fetch(call.request, &mut |exchange: &Exchange| record(user, &counting, exchange)));
        user.place.does(Doing::Running);
        match waited {
            Ok(exchange) => answer(context, exchange, call.throw),
            Err(_) => {
                abandoned(user, client, call.name, call.tags);
                Err(Ended::Cancelled.error(context.call_position()))
            }
        }
    })?
}

fn answer(context: &NativeCallContext<'_>, exchange: Exchange, throw: bool) -> Fallible<Response> {
    match &exchange.error {
        Some(error) if throw => {
            Err(script_error(context, format!("{} {}: {}", exchange.method, exchange.url.url, error.message)))
        }
        _ => Ok(Answer::new(exchange)),
    }
}

/// Several requests at once: `[url, …]`, `[[method, url, body, options], …]`, `[#{ method, url, body, … }, …]`.
fn batch(context: &NativeCallContext<'_>, session: Option<&Session>, requests: &Array) -> Fallible<Array> {
    user::current(context, |user| {
        let client = session.map_or(&user.client, |session| &*session.0);
        let mut calls = Vec::with_capacity(requests.len());
        for (at, request) in requests.iter().enumerate() {
            calls.push(
                entry(user, client, request)
                    .map_err(|why| script_error(context, format!("`http::batch`, request {}: {why}", at + 1)))?,
            );
        }
        calls.iter().for_each(|call| user.place.asks(operation_of(user, call).0));
        let throws: Vec<bool> = calls.iter().map(|call| call.throw).collect();
        let fetch = |call: Call| async move {
            let counting = Counting { name: call.name, tags: call.tags, expect: &call.expect };
            user.host.turn().await;
            client.fetch(call.request, &mut |exchange: &Exchange| record(user, &counting, exchange)).await
        };
        user.waited.set(true);
        let waited = fiber::wait(all(calls.into_iter().map(fetch).collect()));
        user.place.does(Doing::Running);
        match waited {
            Ok(exchanges) => exchanges
                .into_iter()
                .zip(throws)
                .map(|(exchange, throw)| answer(context, exchange, throw).map(Dynamic::from))
                .collect(),
            Err(_) => {
                abandoned(user, client, None, user.tags_name.get());
                Err(Ended::Cancelled.error(context.call_position()))
            }
        }
    })?
}

fn entry(user: &User, client: &Client, request: &Dynamic) -> Result<Call, String> {
    if let Ok(url) = request.as_immutable_string_ref() {
        return request::plain(user, client, Method::GET, &url);
    }
    if let Ok(items) = request.as_array_ref() {
        let text = |at: usize| items.get(at).map(ToString::to_string).unwrap_or_default();
        let body = items.get(2).cloned().unwrap_or_default();
        let options = items.get(3).and_then(|options| options.clone().try_cast::<Map>()).unwrap_or_default();
        return request::build(user, client, parse_method(&text(0))?, &text(1), &body, &options);
    }
    let Some(mut options) = request.clone().try_cast::<Map>() else {
        return Err("a URL, a list or a map is wanted".to_owned());
    };
    let method = options.remove("method").map_or(Ok(Method::GET), |method| parse_method(&method.to_string()))?;
    let url = options.remove("url").ok_or("`url` is missing")?.to_string();
    let body = options.remove("body").unwrap_or_default();
    request::build(user, client, method, &url, &body, &options)
}

/// Polls all futures until all are ready; results in order.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, result) in futures.iter_mut().filter(|(_, result)| result.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => *result = Some(value),
                std::task::Poll::Pending => waiting = true,
            }
        }
        if waiting { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, result)| result).collect()
}

/// A client of its own: the run's settings with these options over them.
fn client(context: &NativeCallContext<'_>, options: &Map) -> Fallible<Session> {
    user::current(context, |user| {
        let host = &user.host;
        let settings = settings::of_client(options, &host.plan).map_err(|why| script_error(context, why))?;
        let shared = host.shared(&settings).map_err(|why| script_error(context, why))?;
        Ok(Session(Rc::new(Client::new(shared))))
    })?
}

/// How a request is to be counted.
struct Counting<'a> {
    name: Option<Name>,
    tags: Name,
    expect: &'a Expect,
}

/// Milliseconds; without the 128-bit arithmetic of `as_nanos`.
fn ms(duration: Duration) -> f64 {
    duration.as_secs() as f64 * 1e3 + f64::from(duration.subsec_nanos()) / 1e6
}

/// Records one hop. Between the answer and here lies no lock, no allocation and no channel.
fn record(user: &User, counting: &Counting<'_>, exchange: &Exchange) {
    let host = &user.host;
    if exchange.written {
        user.reached.set(true)
    } else {
        user.unreached.set(true)
    }
    let name = counting.name.unwrap_or_else(|| operation(host, &exchange.method, &exchange.url));
    let status = response::status(exchange);
    let expected = exchange.error.is_none() && counting.expect.accepts(status);
    // A status that the script expects is no error, whatever its number.
    let error_code = if expected { 0 } else { exchange.error_code() };
    let key = RequestKey {
        base: user.base.get(),
        group: user.group.get(),
        name,
        tags: counting.tags,
        method: host.method(&exchange.method),
        status,
        error_code,
        expected,
        proto: if exchange.version == http::Version::HTTP_2 { 2 } else { 1 },
    };
    let timings = &exchange.timings;
    let unsent = f64::NAN;
    let after = |duration: Duration| if exchange.written { ms(duration) } else { unsent };
    let sample = RequestSample {
        failed: Some(!expected),
        unsent: !exchange.written,
        duration: exchange.written.then(|| ms(timings.duration())),
        phases: [
            ms(timings.total),
            ms(timings.blocked),
            ms(timings.dns),
            ms(timings.connect),
            ms(timings.tls),
            after(timings.send),
            after(timings.wait),
            after(timings.receive),
        ],
        sent: exchange.bytes_out,
        received: exchange.bytes_in,
    };
    host.request(user.code.get(), key, &sample);
    user.place.asked(name.0);
    if let Some(lateness) = user.lateness.take() {
        host.scheduled(key, lateness + ms(timings.total));
    }
    if !expected {
        failed(user, name, error_code, exchange);
    }
}

#[cold]
fn failed(user: &User, name: Name, code: u16, exchange: &Exchange) {
    let host = &user.host;
    let operation = host.text(name);
    let (category, kind) = match &exchange.error {
        Some(error) => (error.kind.category(), error.kind.name()),
        None => (Category::of_status(exchange.status), "http"),
    };
    let status;
    let reason: &str = match &exchange.error {
        Some(error) => &error.message,
        None => {
            status = format!("status {}", exchange.status);
            &status
        }
    };
    let key = ErrorKey { category, code, kind, place: Box::default() };
    user.place.failed(host.register.error(&format!("{operation}: {reason}"), kind));
    let one = host.occurrence(&user.vu, &operation, reason);
    host.error(key, &one, || format!("{} {}: {reason}", exchange.method, exchange.url.url));
}

/// The operation of a request that is about to be sent.
fn operation_of(user: &User, call: &Call) -> Name {
    let request = &call.request;
    call.name.unwrap_or_else(|| operation(&user.host, &request.method, &request.target))
}

/// The operation of a request that the script did not name: found through the URL's memo, without a lookup.
fn operation(host: &Host, method: &Method, target: &Target) -> Name {
    let index = host.method(method);
    let memo = target.memo.get();
    // The memo holds the method's index in its upper half, so that GET and POST of one URL do not meet.
    if memo >> 32 == u64::from(index.0) + 1 {
        return Name(memo as u32);
    }
    let name = host.name(&format!("{method} {}", target.operation_path));
    target.memo.set((u64::from(index.0) + 1) << 32 | u64::from(name.0));
    name
}

/// Requests that we gave up on ourselves: the server has counted them, so they are counted, as nobody's failure.
#[cold]
fn abandoned(user: &User, client: &Client, name: Option<Name>, tags: Name) {
    for gone in client.take_abandoned() {
        let host = &user.host;
        let method = host.method(&gone.method);
        let name = name.unwrap_or_else(|| host.name(&format!("{} {}", gone.method, gone.target.operation_path)));
        let key = RequestKey {
            base: user.base.get(),
            group: user.group.get(),
            name,
            tags,
            method,
            status: 0,
            error_code: INTERRUPTED,
            expected: false,
            proto: 1,
        };
        let sample = RequestSample {
            failed: None,
            unsent: false,
            duration: None,
            phases: [f64::NAN; 8],
            sent: gone.bytes_out,
            received: gone.bytes_in,
        };
        host.request(user.code.get(), key, &sample);
        user.place.asked(name.0);
    }
}

/// `error_code` of a request that was cut short by the end of its user: a number of ours in k6's general band.
pub const INTERRUPTED: u16 = 1099;
