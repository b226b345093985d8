//! Reading a map of options: every key typed, every unknown key an error with the nearest right name, all at once.

use super::declare;
use super::duration;
use super::error::type_name;
use super::places::{Part, Place};
use crate::diagnostic::{Diagnostic, Span, did_you_mean};
use crate::plan::{HttpSettings, HttpVersion, Limits, Plan, Source, TlsSettings};
use rhai::{Dynamic, Map};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// One map of options while it is read. Each reader of a key marks it as known; [`Reader::finish`] reports the rest.
pub struct Reader<'a> {
    map: &'a Map,
    part: Part,
    source: &'a Source,
    fallback: Place,
    asked: RefCell<BTreeSet<&'static str>>,
    refused: RefCell<BTreeSet<&'static str>>,
    problems: &'a RefCell<Vec<Diagnostic>>,
}

impl<'a> Reader<'a> {
    /// Over a map that was given as `part`; `fallback` is underlined where a key has no place of its own.
    pub fn new(
        map: &'a Map,
        part: Part,
        source: &'a Source,
        fallback: Place,
        problems: &'a RefCell<Vec<Diagnostic>>,
    ) -> Self {
        Reader { map, part, source, fallback, asked: RefCell::default(), refused: RefCell::default(), problems }
    }

    fn value(&self, key: &'static str) -> Option<&'a Dynamic> {
        self.asked.borrow_mut().insert(key);
        self.map.get(key).filter(|value| !value.is_unit())
    }

    /// Reports a problem with the value of a key.
    pub fn problem(&self, key: &str, problem: Diagnostic) {
        self.problem_at(key, &[], problem);
    }

    /// The same, with an item of a list: `&[2, 0]` is the first item of the third one.
    pub fn problem_at(&self, key: &str, item: &[usize], problem: Diagnostic) {
        let place = match self.part.keys.get(key) {
            Some((place, value)) => value.item(item).unwrap_or(*place),
            None => self.part.place.unwrap_or(self.fallback),
        };
        self.problems.borrow_mut().push(problem.at(place.span(self.source)));
    }

    /// Where the value of a key stands.
    pub fn place(&self, key: &str) -> Span {
        let place = match self.part.keys.get(key) {
            Some((place, value)) => value.item(&[]).unwrap_or(*place),
            None => self.part.place.unwrap_or(self.fallback),
        };
        place.span(self.source)
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Dynamic) {
        self.problem(key, Diagnostic::error(format!("`{key}` is {wanted}, not {}", type_name(found))));
    }

    /// Whether a key was given.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// The raw value of a key.
    pub fn any(&self, key: &'static str) -> Option<&'a Dynamic> {
        self.value(key)
    }

    /// A duration, also as text.
    pub fn duration(&self, key: &'static str) -> Option<Duration> {
        let value = self.value(key)?;
        duration::read(value).map_err(|why| self.problem(key, Diagnostic::error(format!("`{key}`: {why}")))).ok()
    }

    /// A rate per second, as a number, a rate or text.
    pub fn rate(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        duration::read_rate(value).map_err(|why| self.problem(key, Diagnostic::error(format!("`{key}`: {why}")))).ok()
    }

    /// A whole number from `least` on.
    pub fn whole(&self, key: &'static str, least: i64) -> Option<u64> {
        let value = self.value(key)?;
        match value.as_int() {
            Ok(number) if number >= least => Some(number as u64),
            Ok(number) => {
                self.problem(key, Diagnostic::error(format!("`{key}` is at least {least}, not {number}")));
                None
            }
            Err(_) => {
                self.wrong(key, "a whole number", value);
                None
            }
        }
    }

    /// The same, for what is kept in 32 bits.
    pub fn whole_u32(&self, key: &'static str, least: i64) -> Option<u32> {
        let number = self.whole(key, least)?;
        u32::try_from(number)
            .map_err(|_| self.problem(key, Diagnostic::error(format!("`{key}` is at most {}", u32::MAX))))
            .ok()
    }

    /// A truth.
    pub fn truth(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        value.as_bool().map_err(|_| self.wrong(key, "`true` or `false`", value)).ok()
    }

    /// Text.
    pub fn text(&self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        value.as_immutable_string_ref().map(|text| text.to_string()).map_err(|_| self.wrong(key, "text", value)).ok()
    }

    /// A size in bytes, as a number or as text such as `"10MB"`.
    pub fn size(&self, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        if let Ok(bytes) = value.as_int()
            && bytes >= 0
        {
            return Some(bytes as u64);
        }
        let text = match value.as_immutable_string_ref() {
            Ok(text) => text.to_string(),
            Err(_) => {
                self.wrong(key, "a size such as `\"10MB\"`", value);
                return None;
            }
        };
        let size = crate::units::size::parse(&text);
        size.map_err(|error| self.problem(key, Diagnostic::error(format!("`{key}`: {error}")))).ok()
    }

    /// A list of texts.
    pub fn texts(&self, key: &'static str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let Ok(items) = value.as_array_ref() else {
            self.wrong(key, "a list of texts", value);
            return None;
        };
        declare::strings(&items)
            .map_err(|found| {
                self.problem(key, Diagnostic::error(format!("`{key}` is a list of texts, and one item is {found}")))
            })
            .ok()
    }

    /// A map from names to texts, numbers and truths, printed.
    pub fn pairs(&self, key: &'static str) -> Option<BTreeMap<String, String>> {
        let value = self.value(key)?;
        let Some(map) = value.as_map_ref().ok() else {
            self.wrong(key, "a map such as `#{ name: \"value\" }`", value);
            return None;
        };
        let mut pairs = BTreeMap::new();
        for (name, value) in map.iter() {
            if value.is_string() || value.is_int() || value.is_bool() || value.is_float() {
                pairs.insert(name.to_string(), value.to_string());
            } else {
                self.problem(key, Diagnostic::error(format!("`{name}` in `{key}` is text, not {}", type_name(value))));
            }
        }
        Some(pairs)
    }

    /// One of a list of words.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let problem = Diagnostic::error(format!("`{key}` is one of {}, not \"{text}\"", known.join(", ")));
            self.problem(key, problem.suggest(&text, words.iter().map(|(word, _)| *word)));
        }
        found
    }

    /// A map of further options, read by `read`.
    pub fn nested<T>(&self, key: &'static str, read: impl FnOnce(&Reader<'_>) -> T) -> Option<T> {
        self.nested_item(key, &[], self.value(key)?, read)
    }

    /// The same for a map in the list of a key: `&[2]` is the third one.
    pub fn nested_item<T>(
        &self,
        key: &'static str,
        item: &[usize],
        value: &Dynamic,
        read: impl FnOnce(&Reader<'_>) -> T,
    ) -> Option<T> {
        let Ok(map) = value.as_map_ref() else {
            self.wrong(key, "a map of options", value);
            return None;
        };
        let whole = self.part.keys.get(key).map(|(_, part)| part);
        let part = item.iter().try_fold(whole, |part, at| part.map(|part| part.items.get(*at)));
        let part = part.flatten().cloned().unwrap_or_default();
        let fallback = part.place.or(self.part.place).unwrap_or(self.fallback);
        let reader = Reader::new(&map, part, self.source, fallback, self.problems);
        let result = read(&reader);
        reader.finish(key);
        Some(result)
    }

    /// Reports a key that is no option, with a better reason than that nobody knows it.
    pub fn refuse(&self, key: &'static str, problem: Diagnostic) {
        if self.map.contains_key(key) {
            self.refused.borrow_mut().insert(key);
            self.problem(key, problem);
        }
    }

    /// Reports keys that nobody asked for; `whose` names the map.
    pub fn finish(&self, whose: &str) {
        let (asked, refused) = (self.asked.borrow(), self.refused.borrow());
        for key in self.map.keys().filter(|key| !asked.contains(key.as_str()) && !refused.contains(key.as_str())) {
            let place = self.part.keys.get(key.as_str()).map_or(self.fallback, |(place, _)| *place);
            let problem = Diagnostic::error(format!("unknown option `{key}` of `{whose}`"));
            let problem = match did_you_mean(key, asked.iter().copied()) {
                Some(_) => problem.suggest(key, asked.iter().copied()),
                None => problem.help(format!("the options are {}", Vec::from_iter(asked.iter().copied()).join(", "))),
            };
            self.problems.borrow_mut().push(problem.at(place.span(self.source)));
        }
    }
}

/// Keys that set something about HTTP, in `options` and in a scenario's `options`.
pub fn http(reader: &Reader<'_>, base: &HttpSettings) -> HttpSettings {
    let mut http = base.clone();
    let set = &mut http;
    if let Some(url) = reader.text("base_url") {
        if url.contains("://") {
            set.base_url = Some(url);
        } else {
            reader.problem(
                "base_url",
                Diagnostic::error(format!("`base_url` begins with `http://` or `https://`, not \"{url}\"")),
            );
        }
    }
    if let Some(headers) = reader.pairs("headers") {
        set.headers = headers.into_iter().collect();
    }
    if let Some(agent) = reader.text("user_agent") {
        set.user_agent = agent;
    }
    timeouts(reader, set);
    if let Some(redirects) = reader.whole_u32("redirects", 0) {
        set.redirects = redirects;
    }
    kept(reader, set);
    if let Some(compression) = reader.truth("compression") {
        set.compression = compression;
    }
    let versions = [("auto", HttpVersion::Auto), ("1.1", HttpVersion::Http1), ("2", HttpVersion::Http2)];
    if let Some(version) = reader.word("http", &versions) {
        set.version = version;
    }
    reader.nested("tls", |reader| set.tls = tls(reader, &base.tls));
    if let Some(proxy) = reader.text("proxy") {
        set.proxy = Some(proxy);
    }
    reader.nested("dns", |reader| dns(reader, set));
    if let Some(ips) = reader.texts("source_ips") {
        for ip in ips.iter().filter(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
            reader.problem("source_ips", Diagnostic::error(format!("`{ip}` is not an IP address")));
        }
        set.source_ips = ips;
    }
    if let Some(connections) = reader.whole_u32("connections_per_user", 1) {
        set.connections_per_user = Some(connections);
    }
    if let Some(hosts) = reader.texts("allow_hosts") {
        set.allow_hosts = hosts;
    }
    http
}

/// What users keep from iteration to iteration.
fn kept(reader: &Reader<'_>, set: &mut HttpSettings) {
    if reader.any("cookies").is_some_and(Dynamic::is_string) {
        if reader.word("cookies", &[("iteration", ())]).is_some() {
            (set.cookies, set.cookies_per_iteration) = (true, true);
        }
    } else if let Some(cookies) = reader.truth("cookies") {
        (set.cookies, set.cookies_per_iteration) = (cookies, false);
    }
    if let Some(closed) = reader.word("connections", &[("keep", false), ("iteration", true)]) {
        set.connections_per_iteration = closed;
    }
}

fn timeouts(reader: &Reader<'_>, set: &mut HttpSettings) {
    if reader.any("timeout").is_some_and(Dynamic::is_map) {
        reader.nested("timeout", |reader| {
            if let Some(total) = reader.duration("total") {
                set.timeout.total = total;
            }
            for (key, slot) in [
                ("connect", &mut set.timeout.connect),
                ("tls", &mut set.timeout.tls),
                ("first_byte", &mut set.timeout.first_byte),
                ("idle", &mut set.timeout.idle),
            ] {
                if let Some(duration) = reader.duration(key) {
                    *slot = Some(duration);
                }
            }
        });
    } else if let Some(total) = reader.duration("timeout") {
        set.timeout.total = total;
    }
    if set.timeout.total.is_zero() {
        reader.problem("timeout", Diagnostic::error("`timeout` is longer than zero"));
    }
}

fn tls(reader: &Reader<'_>, base: &TlsSettings) -> TlsSettings {
    let mut tls = base.clone();
    for (key, slot) in [("ca", &mut tls.ca), ("cert", &mut tls.cert), ("key", &mut tls.key)] {
        let Some(text) = reader.text(key) else { continue };
        // PEM text is taken as it is; anything else names a file beside the script.
        if text.contains("-----BEGIN") {
            *slot = Some(text);
            continue;
        }
        let file = reader.source.file.parent().unwrap_or(Path::new("")).join(&text);
        match std::fs::read_to_string(&file) {
            Ok(pem) if pem.contains("-----BEGIN") => *slot = Some(pem),
            Ok(_) => reader.problem(key, Diagnostic::error(format!("`{}` is not a PEM file", file.display()))),
            Err(error) => reader.problem(key, Diagnostic::error(format!("cannot read `{}`: {error}", file.display()))),
        }
    }
    if tls.cert.is_some() != tls.key.is_some() {
        let missing = if tls.cert.is_some() { "key" } else { "cert" };
        let given = if tls.cert.is_some() { "cert" } else { "key" };
        reader.problem(
            given,
            Diagnostic::error(format!("a client certificate needs `cert` and `key`; `{missing}` is missing")),
        );
    }
    if let Some(insecure) = reader.truth("insecure") {
        tls.insecure = insecure;
    }
    if let Some(name) = reader.text("server_name") {
        tls.server_name = Some(name);
    }
    tls
}

fn dns(reader: &Reader<'_>, set: &mut HttpSettings) {
    if let Some(ttl) = reader.duration("ttl") {
        set.dns_ttl = Some(ttl);
    }
    let Some(value) = reader.any("hosts") else { return };
    let Ok(map) = value.as_map_ref() else {
        reader.problem("hosts", Diagnostic::error("`hosts` is a map from host names to addresses"));
        return;
    };
    for (host, value) in map.iter() {
        let addresses = match value.as_array_ref() {
            Ok(items) => declare::strings(&items).unwrap_or_default(),
            Err(_) => value.as_immutable_string_ref().map(|text| vec![text.to_string()]).unwrap_or_default(),
        };
        let good = |address: &String| address.parse::<std::net::IpAddr>().is_ok();
        if addresses.is_empty() || !addresses.iter().all(good) {
            reader
                .problem("hosts", Diagnostic::error(format!("`{host}` in `hosts` is an IP address or a list of them")));
        } else {
            set.dns_hosts.insert(host.to_string(), addresses);
        }
    }
}

/// The settings of `http::client(#{ … })`: the run's, with these over them.
///
/// # Errors
/// Everything that is wrong with the options, as one fragment.
pub fn of_client(options: &Map, plan: &Plan) -> Result<HttpSettings, String> {
    let problems = RefCell::default();
    let place = Place { line: 1, column: 1, length: 1 };
    let reader = Reader::new(options, Part::default(), &plan.sources[0], place, &problems);
    let settings = http(&reader, &plan.options.http);
    // A client lives as long as the script holds it: nobody but the script knows when it is to forget.
    for key in ["cookies", "connections"] {
        if options.get(key).and_then(|value| value.as_immutable_string_ref().ok()).is_some_and(|v| *v == "iteration") {
            let why = format!("`{key}: \"iteration\"` is for the users' own clients; call `reset()` on this one");
            reader.problem(key, Diagnostic::error(why));
        }
    }
    reader.finish("http::client");
    let problems: Vec<String> = problems.into_inner().into_iter().map(|problem| problem.message).collect();
    if problems.is_empty() { Ok(settings) } else { Err(problems.join("; ")) }
}

/// `limits: #{…}`.
pub fn limits(reader: &Reader<'_>) -> Limits {
    let mut limits = Limits::default();
    let set = &mut limits;
    for (key, slot) in [
        ("array", &mut set.array),
        ("map", &mut set.map),
        ("modules", &mut set.modules),
        ("variables", &mut set.variables),
        ("depth", &mut set.depth),
        ("tag_sets", &mut set.tag_sets),
    ] {
        if let Some(number) = reader.whole(key, 1) {
            *slot = number as usize;
        }
    }
    for (key, slot) in [("string", &mut set.string), ("store", &mut set.store)] {
        if let Some(bytes) = reader.size(key) {
            *slot = bytes as usize;
        }
    }
    if let Some(calls) = reader.whole("calls", 1) {
        set.calls = calls as usize;
    }
    if let Some(operations) = reader.whole("operations", 0) {
        set.operations = operations;
    }
    if let Some(cpu) = reader.duration("cpu") {
        set.cpu = cpu;
    }
    limits
}
