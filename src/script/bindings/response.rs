//! The response object: what a script reads of an answer, decoded only when it asks.

use super::bulk::Bulk;
use super::html;
use super::json_path::Path;
use super::skim;
use crate::protocol::http::Exchange;
use crate::protocol::net::Phase;
use crate::script::duration::Span;
use crate::script::json::Json;
use bytes::Bytes;
use regex::Regex;
use rhai::{Array, Dynamic, Engine, EvalAltResult, ImmutableString, Map, NativeCallContext};
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// An answer that scripts hold; cheap to clone.
pub type Response = Rc<Answer>;

/// One answer with what was decoded of it.
pub struct Answer {
    exchange: Exchange,
    decoded: OnceCell<Result<Bytes, String>>,
    json: OnceCell<Result<Arc<Value>, String>>,
    skims: RefCell<Skims>,
}

/// What was found in the text of the body, and what finding it has cost.
#[derive(Default)]
struct Skims {
    found: Vec<(Rc<Path>, Option<Arc<Value>>)>,
    /// In bytes of JSON that could have been made a tree for it.
    cost: usize,
}

/// How often a body can be skimmed while its tree is made.
const SKIMS_OF_A_TREE: usize = 6;
/// Most compiled expressions that one shard keeps.
const KEPT: usize = 1_000;

thread_local! {
    static EXPRESSIONS: RefCell<FxHashMap<String, Regex>> = RefCell::default();
}

impl Answer {
    /// Around one exchange.
    pub fn new(exchange: Exchange) -> Response {
        Rc::new(Answer { exchange, decoded: OnceCell::new(), json: OnceCell::new(), skims: RefCell::default() })
    }

    /// The body without its content encoding.
    pub fn body(&self) -> Fallible<&Bytes> {
        let decode = || self.exchange.body.decoded().map_err(|error| error.to_string());
        self.decoded.get_or_init(decode).as_ref().map_err(|why| format!("the body cannot be decoded: {why}").into())
    }

    /// The body as text; what is not UTF-8 becomes `�`.
    pub fn text(&self) -> Fallible<String> {
        Ok(String::from_utf8_lossy(self.body()?).into_owned())
    }

    fn document(&self) -> Fallible<Arc<Value>> {
        let body = self.body()?;
        let parse = || serde_json::from_slice(body).map(Arc::new).map_err(|error| error.to_string());
        self.json.get_or_init(parse).clone().map_err(|why| {
            let start: String = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            format!("the body is not JSON: {why}; it begins with {start:?}").into()
        })
    }

    /// What a JSONPath (RFC 9535) finds: the value itself for a path to one place, else a list; nothing when there is none.
    fn json(&self, text: &str) -> Fallible<Dynamic> {
        let path = Path::of(text);
        if let Ok(path) = &path
            && let Some(found) = self.skimmed(path)?
        {
            return Ok(found.map_or(Dynamic::UNIT, Json::dynamic));
        }
        let document = self.document()?;
        Ok(path?.query(&document).map_or(Dynamic::UNIT, |value| Json::dynamic(Arc::new(value))))
    }

    /// What a plain path finds in the body's text, without a tree. `None` when the tree shall say it: for other paths, for
    /// a body that is unusual or no JSON, and once reading the text again would have cost as much as the tree.
    fn skimmed(&self, path: &Rc<Path>) -> Fallible<Option<Option<Arc<Value>>>> {
        let Path::Plain(steps) = &**path else { return Ok(None) };
        let body = self.body()?;
        let mut skims = self.skims.borrow_mut();
        if let Some((_, known)) = skims.found.iter().find(|(known, _)| Rc::ptr_eq(known, path)) {
            return Ok(Some(known.clone()));
        }
        if self.json.get().is_some() || steps.is_empty() || skims.cost > body.len() {
            return Ok(None);
        }
        let Ok(found) = skim::find(body, steps) else { return Ok(None) };
        skims.cost += 1 + body.len() / SKIMS_OF_A_TREE + found.map_or(0, str::len);
        let found = found.map(|text| Arc::new(serde_json::from_str(text).expect("the skim has checked it")));
        skims.found.push((Rc::clone(path), found.clone()));
        Ok(Some(found))
    }

    fn headers(&self) -> Map {
        let mut map = Map::new();
        for name in self.exchange.headers.keys() {
            map.insert(name.as_str().into(), self.header(name.as_str()));
        }
        map
    }

    /// A header's values joined by `, `; nothing when it is absent.
    fn header(&self, name: &str) -> Dynamic {
        let values: Vec<_> =
            self.exchange.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if values.is_empty() { Dynamic::UNIT } else { Dynamic::from(values.join(", ")) }
    }

    fn cookies(&self) -> Map {
        let values =
            self.exchange.headers.get_all(http::header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pair = |line: &str| {
            let (name, value) = line.split(';').next()?.split_once('=')?;
            Some((name.trim().into(), Dynamic::from(ImmutableString::from(value.trim()))))
        };
        values.filter_map(pair).collect()
    }
}

/// The status of an answer that came whole, as scripts and metrics see it: 0 when the transport failed, even if its head
/// had arrived, so that a status counts what the server counts as answered. A redirect that cannot be followed is whole.
pub fn status(exchange: &Exchange) -> u16 {
    match &exchange.error {
        Some(error) if !matches!(error.phase, Phase::Redirect | Phase::Decode) => 0,
        _ => exchange.status,
    }
}

fn expression(text: &str) -> Fallible<Regex> {
    EXPRESSIONS.with_borrow_mut(|known| {
        if let Some(regex) = known.get(text) {
            return Ok(regex.clone());
        }
        let regex = Regex::new(text).map_err(|error| format!("`{text}` is not a regular expression: {error}"))?;
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(text.to_owned(), regex.clone());
        Ok(regex)
    })
}

/// The first match: its first group, or the whole when there is no group.
fn matched(text: &str, regex: &str, group: Option<usize>) -> Fallible<Dynamic> {
    let regex = expression(regex)?;
    let Some(found) = regex.captures(text) else { return Ok(Dynamic::UNIT) };
    let group = group.unwrap_or(usize::from(found.len() > 1));
    Ok(found.get(group).map_or(Dynamic::UNIT, |found| Dynamic::from(ImmutableString::from(found.as_str()))))
}

fn all_matched(text: &str, regex: &str) -> Fallible<Array> {
    let regex = expression(regex)?;
    let group = usize::from(regex.captures_len() > 1);
    let found = regex.captures_iter(text).filter_map(|found| found.get(group).map(|found| found.as_str().to_owned()));
    Ok(found.map(Dynamic::from).collect())
}

/// The phases of a request as durations: `r.timings.wait`.
#[derive(Clone)]
struct Phases(Response);

/// Adds the type.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Response>("response")
        .register_get("status", |r: &mut Response| i64::from(status(&r.exchange)))
        .register_get("body", |r: &mut Response| r.text())
        .register_fn("text", |r: &mut Response| r.text())
        .register_get("bytes", |r: &mut Response| -> Fallible<Bulk> { Ok(Bulk(r.body()?.clone())) })
        .register_get("length", |r: &mut Response| r.exchange.body_length as i64)
        .register_get("truncated", |r: &mut Response| r.exchange.truncated)
        .register_get("headers", |r: &mut Response| r.headers())
        .register_fn("header", |r: &mut Response, name: ImmutableString| r.header(&name))
        .register_get("cookies", |r: &mut Response| r.cookies())
        .register_get("url", |r: &mut Response| r.exchange.url.url.to_string())
        .register_get("method", |r: &mut Response| r.exchange.method.to_string())
        .register_get("proto", |r: &mut Response| r.exchange.proto())
        .register_get("tls_version", |r: &mut Response| r.exchange.tls_version.unwrap_or("").to_owned())
        .register_get("remote", |r: &mut Response| {
            r.exchange.remote_addr.map_or(Dynamic::UNIT, |address| Dynamic::from(address.to_string()))
        })
        .register_get("reused", |r: &mut Response| r.exchange.reused)
        .register_get("error", |r: &mut Response| match &r.exchange.error {
            Some(error) => Dynamic::from(ImmutableString::from(&*error.message)),
            None => Dynamic::UNIT,
        })
        .register_get("error_code", |r: &mut Response| i64::from(r.exchange.error_code()))
        .register_get("error_kind", |r: &mut Response| match &r.exchange.error {
            Some(error) => Dynamic::from(ImmutableString::from(error.kind.name())),
            None => Dynamic::UNIT,
        })
        .register_fn("json", |r: &mut Response| -> Fallible<Dynamic> { Ok(Json::dynamic(r.document()?)) })
        .register_fn("json", |r: &mut Response, path: ImmutableString| r.json(&path))
        .register_fn("regex", |r: &mut Response, regex: ImmutableString| matched(&r.text()?, &regex, None))
        .register_fn("regex", |r: &mut Response, regex: ImmutableString, group: i64| {
            matched(&r.text()?, &regex, Some(group.max(0) as usize))
        })
        .register_fn("regex_all", |r: &mut Response, regex: ImmutableString| all_matched(&r.text()?, &regex))
        .register_fn("html", |context: NativeCallContext<'_>, r: &mut Response, css: ImmutableString| {
            html::select(&context, &r.text()?, &css)
        })
        .register_get("form", |r: &mut Response| -> Fallible<Map> { Ok(html::form(&r.text()?)) })
        .register_fn("to_string", |r: &mut Response| format!("{} {}", status(&r.exchange), r.exchange.url.url))
        .register_fn("to_debug", |r: &mut Response| format!("{} {}", status(&r.exchange), r.exchange.url.url))
        .register_get("timings", |r: &mut Response| Phases(Rc::clone(r)));
    engine.register_type_with_name::<Phases>("timings");
    type Phase = fn(&Exchange) -> std::time::Duration;
    let phases: [(&str, Phase); 9] = [
        ("blocked", |e| e.timings.blocked),
        ("dns", |e| e.timings.dns),
        ("connect", |e| e.timings.connect),
        ("tls", |e| e.timings.tls),
        ("send", |e| e.timings.send),
        ("wait", |e| e.timings.wait),
        ("receive", |e| e.timings.receive),
        ("duration", |e| e.timings.duration()),
        ("total", |e| e.timings.total),
    ];
    for (name, phase) in phases {
        engine.register_get(name, move |phases: &mut Phases| Span::of(phase(&phases.0.exchange)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_its_first_group_or_the_whole() {
        let text = |value: Dynamic| value.to_string();
        assert_eq!(text(matched("id=42;", r"id=(\d+)", None).expect("matches")), "42");
        assert_eq!(text(matched("id=42;", r"\d+", None).expect("matches")), "42");
        assert!(matched("x", r"\d+", None).expect("no match is nothing").is_unit());
        assert!(matched("x", "(", None).is_err());
        assert_eq!(all_matched("a1b2", r"[a-z](\d)").expect("matches").len(), 2);
    }
}
