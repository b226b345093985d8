//! What a script or a settings file says about the monitor of its run, as data, and how an address is read.
//!
//! Read by `script::monitor` (options) and by the door (`punk.toml`), which puts the layers on each other. The engine has no
//! use for it. Who may do what at the monitor is no business of scripts: no token is here.

use crate::diagnostic::Span;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The port that is tried first.
pub const PORT: u16 = 9090;
/// Time between two `metrics_update`s of a stream, when nobody says it.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// The bounds of that time: a Snapshot comes twice a second, and who looks once a minute can ask.
pub const INTERVALS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// The shortest time that answers may be made to reach back.
pub const SHORTEST_RETENTION: Duration = Duration::from_secs(10);
/// Kinds and patterns of errors that an answer lists, when nobody says it.
pub const MAX_ERRORS: u32 = 1_000;

/// The variable of the control token, and that of the token that only looks. They are punk's own: no script reads them.
pub const TOKENS: [&str; 2] = ["PUNK_MONITOR_TOKEN", "PUNK_MONITOR_READ_TOKEN"];

/// What somebody said, and where. Two are the same when they say the same.
#[derive(Debug, Clone)]
pub struct Said<T> {
    /// What.
    pub value: T,
    /// Where.
    pub place: Span,
}

impl<T: PartialEq> PartialEq for Said<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// What one layer says; `None` where it is silent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MonitorSettings {
    /// Whether there shall be one: `monitor: false`.
    pub shown: Option<Said<bool>>,
    /// Where it listens.
    pub addr: Option<Said<SocketAddr>>,
    /// Whether a browser is opened.
    pub open: Option<Said<bool>>,
    /// Time between two `metrics_update`s of a stream.
    pub interval: Option<Duration>,
    /// How far back answers reach.
    pub retention: Option<Duration>,
    /// How many kinds and patterns of errors an answer lists.
    pub max_errors: Option<u32>,
}

impl MonitorSettings {
    /// This layer on another one: what it says goes before.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        MonitorSettings {
            shown: self.shown.or(below.shown),
            addr: self.addr.or(below.addr),
            open: self.open.or(below.open),
            interval: self.interval.or(below.interval),
            retention: self.retention.or(below.retention),
            max_errors: self.max_errors.or(below.max_errors),
        }
    }
}

/// Reads `127.0.0.1:9090`, `[::1]:9090`, `localhost:9090`, an address without a port, or a port alone (`9090`, `:9090`),
/// which is loopback's.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let name = text.strip_prefix("localhost").filter(|rest| rest.is_empty() || rest.starts_with(':'));
    let port = name.unwrap_or(text);
    if name == Some("") {
        return Ok(SocketAddr::new(loopback, PORT));
    }
    if let Ok(port) = port.strip_prefix(':').unwrap_or(port).parse() {
        return Ok(SocketAddr::new(loopback, port));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let ip = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match ip.parse() {
        Ok(ip) => Ok(SocketAddr::new(ip, PORT)),
        Err(_) => Err(format!("`{text}` is no address to listen at: write 127.0.0.1:{PORT}, [::1]:{PORT} or :{PORT}")),
    }
}

/// Whether a time between updates can be had.
///
/// # Errors
/// What would be right.
pub fn interval(time: Duration) -> Result<Duration, String> {
    if (INTERVALS.0..=INTERVALS.1).contains(&time) { Ok(time) } else { Err("is from 500 ms to 1 min".to_owned()) }
}

/// Whether answers can reach back so far.
///
/// # Errors
/// What would be right.
pub fn retention(time: Duration) -> Result<Duration, String> {
    if time >= SHORTEST_RETENTION { Ok(time) } else { Err("is at least 10 s".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        for (text, wanted) in [
            (":8080", "127.0.0.1:8080"),
            ("8080", "127.0.0.1:8080"),
            ("localhost", "127.0.0.1:9090"),
            ("localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("10.0.0.7", "10.0.0.7:9090"),
            ("[::1]:7", "[::1]:7"),
            ("::1", "[::1]:9090"),
            ("[::]", "[::]:9090"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(wanted.to_owned()), "{text}");
        }
        for text in ["", "here", "localhostess:1", "1.2.3.4:99999", "http://127.0.0.1:9090", "99999"] {
            assert!(address(text).is_err(), "{text}: {:?}", address(text));
        }
    }

    #[test]
    fn a_layer_goes_before_what_is_below_it_key_by_key() {
        let said = |value, line| Some(Said { value, place: Span::in_source("a", "", line, 1, 1) });
        let below = MonitorSettings { open: said(true, 1), max_errors: Some(5), ..MonitorSettings::default() };
        let above = MonitorSettings { open: said(false, 2), interval: Some(INTERVAL), ..MonitorSettings::default() };
        let all = above.over(below.clone());
        assert_eq!(all, MonitorSettings { open: said(false, 9), interval: Some(INTERVAL), ..below });
    }
}
