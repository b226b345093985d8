//! `monitor: #{ … }` of `options`, or `monitor: false`: what the script says about the monitor of its run.
//!
//! Nothing listens here. Secrets have no place in a script, and are refused by name.

use super::settings::Reader;
use crate::diagnostic::Diagnostic;
use crate::plan::monitor::{MonitorSettings, Said, address, interval, retention};
use std::time::Duration;

const KEY: &str = "monitor";
/// What somebody may want to say here, and must not.
const SECRETS: [&str; 4] = ["token", "read_token", "key", "cert"];

/// Reads the option; silent where it is not given.
pub fn read(reader: &Reader<'_>) -> MonitorSettings {
    if reader.any(KEY).is_some_and(rhai::Dynamic::is_bool) {
        let shown = reader.truth(KEY).map(|value| Said { value, place: reader.place(KEY) });
        return MonitorSettings { shown, ..MonitorSettings::default() };
    }
    reader.nested(KEY, keys).unwrap_or_default()
}

fn keys(reader: &Reader<'_>) -> MonitorSettings {
    for secret in SECRETS {
        let problem = Diagnostic::error(format!("`{secret}` is not the script's to say: scripts are shared"));
        let help = format!("set PUNK_MONITOR_{} where punk runs", secret.to_uppercase());
        reader.refuse(secret, problem.help(help));
    }
    let bounded = |key: &'static str, right: fn(Duration) -> Result<Duration, String>| {
        let told = |why| reader.problem(key, Diagnostic::error(format!("`{key}` {why}")));
        reader.duration(key).and_then(|time| right(time).map_err(told).ok())
    };
    let max_errors = reader.whole_u32("max_errors", 1);
    MonitorSettings {
        shown: None,
        addr: reader.text("addr").and_then(|text| {
            let told = |why| reader.problem("addr", Diagnostic::error(why));
            Some(Said { value: address(&text).map_err(told).ok()?, place: reader.place("addr") })
        }),
        open: reader.truth("open").map(|value| Said { value, place: reader.place("open") }),
        interval: bounded("interval", interval),
        retention: bounded("retention", retention),
        max_errors,
    }
}
