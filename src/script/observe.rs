//! `observe: […]` of `options`: the machines whose `node_exporter`s are asked while the run goes on.
//!
//! A list of addresses, by whose hosts rules know the machines, or a map from names of the script's own choice. Nothing is
//! asked here.

use super::error::type_name;
use super::settings::Reader;
use crate::diagnostic::Diagnostic;
use crate::plan::Observe;
use url::Url;

/// Most machines; each costs a request every five seconds.
const MOST: usize = 32;

/// Reads the option; nothing where it is not given.
pub fn read(reader: &Reader<'_>) -> Vec<Observe> {
    const KEY: &str = "observe";
    let mut observe: Vec<Observe> = Vec::new();
    if let Some(map) = reader.any(KEY).and_then(|value| value.as_map_ref().ok()) {
        for (name, value) in map.iter() {
            let Ok(text) = value.as_immutable_string_ref() else {
                let found = type_name(value);
                reader.problem(KEY, Diagnostic::error(format!("`{name}` in `observe` is an address, not {found}")));
                continue;
            };
            match address(&text) {
                Ok(_) => observe.push(Observe { host: name.to_string(), url: text.to_string() }),
                Err(problem) => reader.problem(KEY, problem),
            }
        }
    } else {
        for (at, text) in reader.texts(KEY).unwrap_or_default().into_iter().enumerate() {
            let url = match address(&text) {
                Ok(url) => url,
                Err(problem) => {
                    reader.problem_at(KEY, &[at], problem);
                    continue;
                }
            };
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            // Several exporters behind one name are told apart by their ports.
            let port = url.port_or_known_default().unwrap_or_default();
            let taken = |host: &str| observe.iter().any(|known| known.host == host);
            let host = if taken(&host) { format!("{host}:{port}") } else { host };
            if taken(&host) {
                let problem = Diagnostic::error(format!("`{host}` is observed twice"));
                reader.problem_at(KEY, &[at], problem.help("give them names: `observe: #{ db: \"http://…\" }`"));
                continue;
            }
            observe.push(Observe { host, url: text });
        }
    }
    if observe.len() > MOST {
        reader
            .problem(KEY, Diagnostic::error(format!("at most {MOST} machines can be observed, not {}", observe.len())));
    }
    observe
}

/// The address of an exporter.
fn address(text: &str) -> Result<Url, Diagnostic> {
    let right = "such as `\"http://db:9100/metrics\"`";
    // The address itself may hold a password, and is not told.
    let url =
        Url::parse(text).map_err(|error| Diagnostic::error(format!("`observe` takes addresses {right}: {error}")))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => {
            Err(Diagnostic::error(format!("`observe` asks by HTTP, not by `{scheme}`"))
                .help(format!("an address {right}")))
        }
    }
}
