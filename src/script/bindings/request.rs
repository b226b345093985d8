//! A request as a script writes it — URL, body, options map — made ready for the client.

use super::bulk;
use crate::protocol::http::multipart::form as form_body;
use crate::protocol::http::{Client, Part, Request, basic_auth, bearer_auth, multipart::multipart};
use crate::script::error::type_name;
use crate::script::host::Name;
use crate::script::row::Row;
use crate::script::user::User;
use crate::script::{duration, json};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use rhai::{Dynamic, Map};
use std::ops::RangeInclusive;

/// A request and how it is to be counted.
pub struct Call {
    /// What is sent.
    pub request: Request,
    /// The operation, when the script names it.
    pub name: Option<Name>,
    /// Declared tags, interned.
    pub tags: Name,
    /// Statuses that count as success.
    pub expect: Expect,
    /// Whether a transport error throws.
    pub throw: bool,
}

/// Statuses that count as success.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expect {
    /// 200 to 399, as in k6.
    #[default]
    Usual,
    /// These.
    Only(Vec<RangeInclusive<u16>>),
}

impl Expect {
    /// Whether a status is one of them.
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Expect::Usual => (200..400).contains(&status),
            Expect::Only(ranges) => ranges.iter().any(|range| range.contains(&status)),
        }
    }
}

/// Options of a request, for the nearest right name.
const OPTIONS: &[&str] = &[
    "headers",
    "query",
    "name",
    "tags",
    "timeout",
    "auth",
    "cookies",
    "redirects",
    "expect",
    "body",
    "form",
    "json",
    "multipart",
    "compression",
    "jar",
    "throw_errors",
];

/// For the test of the reference page.
#[cfg(test)]
pub(crate) fn options() -> &'static [&'static str] {
    OPTIONS
}

/// A request without options: the common case, and the fast one.
pub fn plain(user: &User, client: &Client, method: Method, url: &str) -> Result<Call, String> {
    let target = client.shared().target(url).map_err(|error| format!("{error}: `{url}`"))?;
    Ok(Call {
        request: Request::new(method, target),
        name: None,
        tags: user.tags_name.get(),
        expect: Expect::Usual,
        throw: user.throw_errors,
    })
}

/// A request with a body and options.
pub fn build(
    user: &User,
    client: &Client,
    method: Method,
    url: &str,
    body: &Dynamic,
    options: &Map,
) -> Result<Call, String> {
    if let Some(key) = options.keys().find(|key| !OPTIONS.contains(&key.as_str())) {
        let near = crate::diagnostic::did_you_mean(key, OPTIONS.iter().copied());
        let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("unknown request option `{key}`{hint}"));
    }
    let url = match options.get("query") {
        Some(query) => with_query(url, query)?,
        None => url.to_owned(),
    };
    let mut call = plain(user, client, method, &url)?;
    set_body(&mut call.request, body)?;
    let text = |key: &str, value: &Dynamic| {
        value
            .as_immutable_string_ref()
            .map(|text| text.to_string())
            .map_err(|_| format!("`{key}` is text, not {}", type_name(value)))
    };
    let truth = |key: &str, value: &Dynamic| {
        value.as_bool().map_err(|_| format!("`{key}` is `true` or `false`, not {}", type_name(value)))
    };
    for (key, value) in options.iter().filter(|(_, value)| !value.is_unit()) {
        match key.as_str() {
            "headers" => headers(&mut call.request, value)?,
            "name" => call.name = Some(user.host.name(&text("name", value)?)),
            "tags" => call.tags = tags(user, value)?,
            "timeout" => call.request.timeout = Some(duration::read(value).map_err(|why| format!("`timeout`: {why}"))?),
            "auth" => auth(&mut call.request, value)?,
            "cookies" => call.request.cookies = pairs("cookies", value)?,
            "redirects" => match value.as_int() {
                Ok(number) if number >= 0 => call.request.redirects = Some(number.min(1_000) as u32),
                _ => return Err("`redirects` is a whole number from 0 on".to_owned()),
            },
            "expect" => call.expect = expect(value)?,
            "body" | "json" => set_body(&mut call.request, value)?,
            "form" => form(&mut call.request, value)?,
            "multipart" => parts(&mut call.request, value)?,
            "compression" => call.request.compression = Some(truth("compression", value)?),
            "jar" => call.request.jar = truth("jar", value)?,
            "throw_errors" => call.throw = truth("throw_errors", value)?,
            _ => {}
        }
    }
    Ok(call)
}

/// Maps, arrays and JSON handles go as JSON, text and bytes as they are.
fn set_body(request: &mut Request, body: &Dynamic) -> Result<(), String> {
    if body.is_unit() {
        return Ok(());
    }
    if let Ok(text) = body.as_immutable_string_ref() {
        request.body = Bytes::copy_from_slice(text.as_bytes());
        return Ok(());
    }
    if let Some(bytes) = bulk::of(body) {
        request.body = bytes;
        return Ok(());
    }
    let value = json::from_dynamic(body, 128).map_err(|why| format!("the body as JSON: {why}"))?;
    request.body = Bytes::from(value.to_string());
    content_type(request, "application/json");
    Ok(())
}

/// Sets the type unless the script has.
fn content_type(request: &mut Request, value: &'static str) {
    request.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(value));
}

fn headers(request: &mut Request, value: &Dynamic) -> Result<(), String> {
    for (name, value) in pairs("headers", value)? {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is not a header name"))?;
        let value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of the header `{name}` has a character that cannot stand there"))?;
        request.headers.insert(name, value);
    }
    Ok(())
}

fn pairs(key: &str, value: &Dynamic) -> Result<Vec<(String, String)>, String> {
    if let Some(row) = value.read_lock::<Row>() {
        return Ok(row.pairs().map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect());
    }
    let map = value
        .as_map_ref()
        .map_err(|_| format!("`{key}` is a map such as `#{{ name: \"value\" }}`, not {}", type_name(value)))?;
    Ok(map.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
}

fn tags(user: &User, value: &Dynamic) -> Result<Name, String> {
    let mut all = user.tags.borrow().clone();
    for (tag, value) in pairs("tags", value)? {
        super::vu::refuse_unknown(user, &tag).map_err(|error| crate::script::error::short(&error))?;
        all.insert(tag, value);
    }
    Ok(user.host.tags(all.iter().map(|(name, value)| (name.as_str(), value.clone()))))
}

/// `#{ basic: ["user", "password"] }`, `#{ user, password }`, `#{ bearer: token }`.
fn auth(request: &mut Request, value: &Dynamic) -> Result<(), String> {
    let wrong = || "`auth` is `#{ user: …, password: … }` or `#{ bearer: token }`".to_owned();
    let map = value.as_map_ref().map_err(|_| wrong())?;
    let text = |key: &str| map.get(key).map(ToString::to_string);
    let header = match (text("bearer"), text("user"), text("password")) {
        (Some(token), None, None) => bearer_auth(&token).ok_or("this bearer token cannot stand in a header")?,
        (None, Some(user), password) => basic_auth(&user, &password.unwrap_or_default()),
        _ => return Err(wrong()),
    };
    request.headers.insert(AUTHORIZATION, header);
    Ok(())
}

/// `404`, `[200, 404]`, `"2xx"`, `"200-299"` or a list of these.
fn expect(value: &Dynamic) -> Result<Expect, String> {
    let wrong = || "`expect` is a status, `\"2xx\"`, `\"200-299\"` or a list of these".to_owned();
    if let Ok(items) = value.as_array_ref() {
        let mut ranges = Vec::new();
        for item in items.iter() {
            match expect(item)? {
                Expect::Only(range) => ranges.extend(range),
                Expect::Usual => return Err(wrong()),
            }
        }
        return Ok(Expect::Only(ranges));
    }
    let status =
        |number: i64| u16::try_from(number).ok().filter(|status| (100..=599).contains(status)).ok_or_else(wrong);
    if let Ok(number) = value.as_int() {
        let status = status(number)?;
        return Ok(Expect::Only(vec![status..=status]));
    }
    let text = value.as_immutable_string_ref().map_err(|_| wrong())?;
    if let Some(hundred) = text.strip_suffix("xx") {
        let first = status(hundred.parse::<i64>().map_err(|_| wrong())? * 100)?;
        return Ok(Expect::Only(vec![first..=first + 99]));
    }
    let (low, high) = text.split_once('-').unwrap_or((&text, &text));
    let parse = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong()).and_then(status);
    Ok(Expect::Only(vec![parse(low)?..=parse(high)?]))
}

fn form(request: &mut Request, value: &Dynamic) -> Result<(), String> {
    request.body = form_body(&pairs("form", value)?);
    content_type(request, "application/x-www-form-urlencoded");
    Ok(())
}

fn with_query(url: &str, query: &Dynamic) -> Result<String, String> {
    let query = form_body(&pairs("query", query)?);
    let query = String::from_utf8_lossy(&query);
    let (url, fragment) = url.split_once('#').map_or((url, String::new()), |(url, rest)| (url, format!("#{rest}")));
    let joint = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{joint}{query}{fragment}"))
}

/// `#{ field: "text", photo: #{ file: "a.png", content: bytes, type: "image/png" } }`.
fn parts(request: &mut Request, value: &Dynamic) -> Result<(), String> {
    let map = value.as_map_ref().map_err(|_| "`multipart` is a map of fields and files".to_owned())?;
    let mut parts = Vec::new();
    for (name, value) in map.iter() {
        let part = match value.as_map_ref() {
            Ok(file) => {
                let text = |key: &str| file.get(key).map(ToString::to_string);
                let content = match file.get("content") {
                    Some(content) => bulk::of(content).unwrap_or_else(|| Bytes::from(content.to_string())),
                    None => return Err(format!("the file `{name}` in `multipart` has no `content`")),
                };
                let filename = Some(text("file").unwrap_or_else(|| name.to_string()));
                Part { name: name.to_string(), filename, content_type: text("type"), content }
            }
            Err(_) => {
                // Bytes are a file of the field's name, anything else is its text.
                let bytes = bulk::of(value);
                let filename = bytes.as_ref().map(|_| name.to_string());
                let content = bytes.unwrap_or_else(|| Bytes::from(value.to_string()));
                Part { name: name.to_string(), filename, content_type: None, content }
            }
        };
        parts.push(part);
    }
    let (content_type, body) = multipart(&parts);
    request.body = body;
    request.headers.insert(CONTENT_TYPE, content_type);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_statuses() {
        let of = |script: &str| expect(&rhai::Engine::new().eval::<Dynamic>(script).expect("evaluates"));
        let accepts = |script: &str, status| of(script).expect(script).accepts(status);
        assert!(accepts("404", 404) && !accepts("404", 200));
        assert!(accepts("[200, \"4xx\"]", 451) && !accepts("[200, \"4xx\"]", 500));
        assert!(accepts("\"200-204\"", 204) && !accepts("\"200-204\"", 205));
        assert!(of("\"ok\"").is_err() && of("99").is_err() && of("#{}").is_err());
        assert!(Expect::Usual.accepts(304) && !Expect::Usual.accepts(404) && !Expect::Usual.accepts(0));
    }
}
