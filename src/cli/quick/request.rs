//! The request that `punk quick` is to send, checked: what is wrong with a flag is told as a flag, before there is a script.

use super::args::{QuickArgs, Version};
use crate::printable::{clean, cut};
use crate::protocol::net::Proxy;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Method};
use std::path::{Path, PathBuf};
use url::Url;

/// What a script can hold of a body; a larger file wants a script of its own.
const LARGEST_BODY: u64 = 4 << 20;
/// Columns of an address in the report.
const WIDEST_TITLE: usize = 60;
/// The address of the built-in shop, as scripts know it.
const SHOP: &str = "demo://shop";

/// One request with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The built-in shop is meant: `url` is relative to it.
    pub is_shop: bool,
    /// As given, but for a missing scheme.
    pub url: String,
    /// In capitals.
    pub method: String,
    /// For every server that a redirect leads to; one entry per name.
    pub headers: Vec<(String, String)>,
    /// For this server only: credentials, and what describes the body.
    pub own_headers: Vec<(String, String)>,
    /// User and password.
    pub auth: Option<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// Files with PEM in them, by the option's key.
    pub tls: Vec<(&'static str, PathBuf)>,
}

impl Request {
    /// The request of a command line.
    ///
    /// # Errors
    /// The flag that is wrong, why, and what would be right.
    pub fn of(args: &QuickArgs) -> Result<Request, String> {
        let (is_shop, url) = address(&args.url)?;
        let body = body(args)?;
        let method = args.method.as_deref().unwrap_or(if body.is_some() { "POST" } else { "GET" }).to_uppercase();
        if Method::from_bytes(method.as_bytes()).is_err() || method == "CONNECT" {
            return Err(format!("--method: `{method}` is no method of a request"));
        }
        let mut all = Vec::new();
        for text in &args.header {
            let (name, value) = header(text)?;
            add(&mut all, name, value);
        }
        let described = |all: &[(HeaderName, String)]| all.iter().any(|(name, _)| *name == CONTENT_TYPE);
        if let Some(kind) = &args.content_type {
            if described(&all) {
                return Err("--content-type: a `--header` gives the type already".to_owned());
            }
            add(&mut all, CONTENT_TYPE, checked("--content-type", kind)?);
        } else if args.json_body.is_some() && !described(&all) {
            add(&mut all, CONTENT_TYPE, "application/json".to_owned());
        }
        if args.no_keepalive {
            if args.http == Some(Version::Two) {
                return Err("--no-keepalive goes with HTTP/1.1: HTTP/2 lives on connections that are kept".to_owned());
            }
            all.retain(|(name, _)| *name != CONNECTION);
            add(&mut all, CONNECTION, "close".to_owned());
        }
        let auth = args.auth.as_deref().map(|text| match text.split_once(':') {
            Some((user, password)) => Ok((user.to_owned(), password.to_owned())),
            None => Err("--auth: USER:PASSWORD is wanted; `user:` has an empty password".to_owned()),
        });
        if auth.is_some() && all.iter().any(|(name, _)| *name == AUTHORIZATION) {
            return Err("--auth: a `--header` gives an `Authorization` already".to_owned());
        }
        if let Some(text) = &args.proxy {
            Proxy::parse(text).map_err(|why| format!("--proxy `{text}`: {why}"))?;
        }
        let is_own = |name: &HeaderName| [AUTHORIZATION, COOKIE, CONTENT_TYPE, HOST].contains(name);
        let split = |own: bool| {
            let chosen = all.iter().filter(move |(name, _)| is_own(name) == own);
            chosen.map(|(name, value)| (shown(name), value.clone())).collect()
        };
        let files = [("ca", "--cacert", &args.cacert), ("cert", "--cert", &args.cert), ("key", "--key", &args.key)];
        let given = files.into_iter().filter_map(|(key, flag, file)| Some((key, flag, file.as_deref()?)));
        Ok(Request {
            is_shop,
            url,
            method,
            headers: split(false),
            own_headers: split(true),
            auth: auth.transpose()?,
            body,
            tls: given.map(|(key, flag, file)| Ok((key, pem(flag, file)?))).collect::<Result<_, String>>()?,
        })
    }
}

impl Request {
    /// What the report calls the run, in place of a script's name: the address without its password.
    pub fn title(&self) -> String {
        let address = match Url::parse(&self.url) {
            _ if self.is_shop => format!("{SHOP}{}", self.url),
            Ok(url) if url.username().is_empty() && url.password().is_none() => self.url.clone(),
            Ok(mut url) => {
                // Both fail for addresses without a host only, and this one has one.
                let _ = (url.set_username(""), url.set_password(None));
                url.into()
            }
            Err(_) => String::new(),
        };
        format!("quick {}", cut(&clean(&address), WIDEST_TITLE))
    }
}

/// Whether the shop is meant, and the address as the script has it.
fn address(text: &str) -> Result<(bool, String), String> {
    let text = text.trim();
    if let Some(path) = text.strip_prefix(SHOP).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) {
        return Ok((true, if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }));
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| !scheme.is_empty() && !scheme.contains(['/', '?', '#']));
    let url = match scheme {
        Some(_) => text.to_owned(),
        // As curl does; a path alone would name its first part as the host.
        None if text.is_empty() || text.starts_with(['/', '?', '#']) => {
            return Err(format!("`{text}` has no host: write `http://host:port/path`"));
        }
        None => format!("http://{text}"),
    };
    let parsed = Url::parse(&url).map_err(|why| format!("`{text}` is no URL: {why}"))?;
    match parsed.scheme() {
        "http" | "https" => Ok((false, url)),
        other => Err(format!("`{other}://` is not spoken here: write `http://` or `https://`")),
    }
}

fn header(text: &str) -> Result<(HeaderName, String), String> {
    let wrong = |why: &str| format!("--header `{text}`: {why}");
    let (name, value) = text.split_once(':').ok_or_else(|| wrong("`Name: value` is wanted"))?;
    let parsed = HeaderName::try_from(name.trim()).map_err(|_| wrong("this is no name of a header"))?;
    if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(&parsed) {
        return Err(wrong("punk says itself how long the body is"));
    }
    Ok((parsed, checked("--header", value)?))
}

/// A value that can stand in a header.
fn checked(flag: &str, value: &str) -> Result<String, String> {
    let value = value.trim();
    match HeaderValue::from_str(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(_) => {
            Err(format!("{flag}: `{}` cannot stand in a header: a character is not printable", value.escape_debug()))
        }
    }
}

/// A header given twice is one list (RFC 9110 §5.3), as a server would join it; cookies have a list of their own.
fn add(all: &mut Vec<(HeaderName, String)>, name: HeaderName, value: String) {
    match all.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = format!("{known}{} {value}", if name == COOKIE { ";" } else { "," }),
        None => all.push((name, value)),
    }
}

/// `content-type` as `Content-Type`.
fn shown(name: &HeaderName) -> String {
    let parts = name.as_str().split('-').map(|part| {
        let mut letters = part.chars();
        letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    parts.collect::<Vec<_>>().join("-")
}

fn body(args: &QuickArgs) -> Result<Option<String>, String> {
    if let Some(json) = &args.json_body {
        serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|why| format!("--json-body is no JSON: {why}"))?;
        return Ok(Some(json.clone()));
    }
    let Some(file) = &args.body_file else { return Ok(args.body.clone()) };
    let file = file.to_str().and_then(|name| name.strip_prefix('@')).map_or(file.as_path(), Path::new);
    let wrong = |why: String| format!("--body-file `{}`: {why}", file.display());
    let size = std::fs::metadata(file).map_err(|why| wrong(why.to_string()))?.len();
    if size > LARGEST_BODY {
        return Err(wrong(format!("{size} bytes are more than {} MiB", LARGEST_BODY >> 20)));
    }
    let bytes = std::fs::read(file).map_err(|why| wrong(why.to_string()))?;
    String::from_utf8(bytes).map(Some).map_err(|_| wrong("it is not UTF-8 text".to_owned()))
}

/// A PEM file that is there; its whole path, so that the script may stand anywhere.
fn pem(flag: &str, file: &Path) -> Result<PathBuf, String> {
    let wrong = |why: String| format!("{flag} `{}`: {why}", file.display());
    let text = std::fs::read_to_string(file).map_err(|why| wrong(why.to_string()))?;
    if !text.contains("-----BEGIN") {
        return Err(wrong("it is not a PEM file".to_owned()));
    }
    std::path::absolute(file).map_err(|why| wrong(why.to_string()))
}
