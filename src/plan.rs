//! The Plan: everything that a run will do, as plain data.
//!
//! Made once by `script::compile`, printed by `punk check`, shared by `Arc` with every shard. It holds the text of every
//! script file, so that running reads none, and no functions: each shard evaluates the declarations again and finds its
//! closures by their order.

mod backoff;
mod code;
mod collect;
pub mod edit;
mod life;
pub mod monitor;
mod script_error;
pub mod secret;

pub use backoff::{Backoff, Growth};
pub use code::Code;
pub use collect::Collect;
pub use life::{Life, Pacing, Weighted};
pub use script_error::ScriptError;

use crate::expr::{Rules, ThresholdRule};
use crate::feed::Feed;
use crate::load::Load;
use crate::metrics::MetricDef;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a run will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The main script first, then what it imports, in order of first sight.
    pub sources: Vec<Source>,
    /// Options of the whole run.
    pub options: Options,
    /// Scenarios in the order of the script.
    pub scenarios: Vec<Scenario>,
    /// Thresholds and alerts.
    pub rules: Rules,
    /// What of the script is code: functions, closures that users run, constants, imports.
    pub code: Code,
    /// Custom metrics in the order of the script.
    pub metrics: Vec<MetricDef>,
    /// Those of them that are collected by closures.
    pub collects: Vec<Collect>,
    /// Feeds in the order of the script, with their rows.
    pub feeds: Vec<Feed>,
    /// Whether there is a `fn setup()`.
    pub setup: bool,
    /// Whether there is a `fn teardown(…)`.
    pub teardown: bool,
    /// Whether there is a `fn summary(report)`.
    pub summary: bool,
    /// What each `env(name, default)` answered, so that every shard gets the same.
    pub env: BTreeMap<String, EnvValue>,
    /// Whether a script mentions `demo::shop()`, whose server is then started with the run.
    pub demo: bool,
}

/// One script file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As the user named it, or as an import resolved it: what diagnostics print.
    pub path: String,
    /// The file; for embedded library files its `std/…` name.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
    /// SHA-256 of the text, lowercase hex.
    pub sha256: String,
}

/// What an `env(name, default)` gave to the script: the value takes the type of its default.
#[derive(Debug, Clone, PartialEq)]
pub enum EnvValue {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// Not given, and the script named no default.
    Missing,
}

/// One population of users.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name: `[0-9a-zA-Z_-]+`, as in k6.
    pub name: String,
    /// How load becomes iterations.
    pub work: Work,
    /// How long after the run's start, or after the end of `after`, it starts.
    pub starts: Duration,
    /// The scenario that must have ended before this one starts.
    pub after: Option<String>,
    /// Of a load with a `find_capacity`: what must hold, judged over one window of the search at a time.
    pub objective: Vec<ThresholdRule>,
    /// Whether all of it is warm-up: kept apart, in no total and no verdict.
    pub warmup: bool,
    /// How long iterations that run may go on after the scenario's end.
    pub graceful_stop: Duration,
    /// Tags for all that it measures.
    pub tags: BTreeMap<String, String>,
    /// What each iteration runs, for people: the function's name, or all that it chooses from.
    pub run: String,
    /// How each user chooses and waits.
    pub life: Life,
    /// What each user runs once before its first iteration.
    pub start: Option<String>,
    /// What each user runs once after its last one.
    pub stop: Option<String>,
    /// HTTP settings, when the scenario overrides those of the run.
    pub http: Option<HttpSettings>,
    /// Whether transport errors throw.
    pub throw_errors: bool,
    /// Whether an edit took it out of the run: it starts nothing more, and keeps its place so that no other changes its own.
    pub gone: bool,
}

/// More users, or arrivals per second, than anybody can mean.
const MOST: f64 = 1e6;

/// How a scenario's load becomes iterations.
#[derive(Debug, Clone)]
pub enum Work {
    /// Closed: as many users as the load says, each iterating without end.
    Load(Load),
    /// Open: as many iterations started per second as the load says, by as many users as that takes.
    Arrivals {
        /// Iterations per second over time.
        load: Load,
        /// Most users at once, over the whole run.
        max_users: u32,
        /// What becomes of an arrival that finds all of them busy.
        late: Late,
    },
    /// A fixed number of iterations, shared by `users` users.
    Iterations {
        /// Users that take them.
        users: u32,
        /// Iterations in all.
        iterations: u64,
        /// Time limit; what has not started by then is dropped.
        max_duration: Duration,
    },
    /// A fixed number of iterations for each of `users` users.
    IterationsPerUser {
        /// Users.
        users: u32,
        /// Iterations of each.
        iterations: u64,
        /// Time limit; what has not started by then is dropped.
        max_duration: Duration,
    },
}

/// What becomes of an arrival that finds all users busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Late {
    /// It waits for the next user; its response time runs from its slot.
    #[default]
    Wait,
    /// It is dropped at once and counted, as in k6.
    Drop,
}

impl Work {
    /// Its load over time, where it has one.
    pub fn load(&self) -> Option<&Load> {
        match self {
            Work::Load(load) | Work::Arrivals { load, .. } => Some(load),
            Work::Iterations { .. } | Work::IterationsPerUser { .. } => None,
        }
    }

    /// Whether it can have that target: users, or iterations per second.
    ///
    /// # Errors
    /// Why it can never have it.
    pub fn takes(&self, to: f64) -> Result<(), String> {
        if !(0.0..=MOST).contains(&to) {
            return Err(format!("{to} is no target: a number from 0 to {MOST}"));
        }
        if matches!(self, Work::Load(_)) && to.fract() != 0.0 {
            return Err(format!("{to} users: a whole number is wanted"));
        }
        Ok(())
    }

    /// The word of the summary.
    pub fn word(&self) -> &'static str {
        match self {
            Work::Load(_) => "users",
            Work::Arrivals { .. } => "rate",
            Work::Iterations { .. } => "iterations",
            Work::IterationsPerUser { .. } => "iterations_per_user",
        }
    }

    /// How long it starts iterations, at most; `None` without end.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Work::Load(load) | Work::Arrivals { load, .. } => load.shape.duration(),
            Work::Iterations { max_duration, .. } | Work::IterationsPerUser { max_duration, .. } => Some(*max_duration),
        }
    }

    /// Most users it can have at once.
    pub fn users_max(&self) -> u32 {
        match self {
            Work::Load(load) => load.peak(),
            Work::Arrivals { max_users, .. } => *max_users,
            Work::Iterations { users, .. } | Work::IterationsPerUser { users, .. } => *users,
        }
    }

    /// Iterations it promises in all, where that is what is fixed.
    pub fn iterations(&self) -> Option<u64> {
        match self {
            Work::Load(_) | Work::Arrivals { .. } => None,
            Work::Iterations { iterations, .. } => Some(*iterations),
            Work::IterationsPerUser { users, iterations, .. } => Some(u64::from(*users).saturating_mul(*iterations)),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = |duration: &Duration| crate::units::duration::print(*duration);
        match self {
            Work::Load(load) => write!(out, "{load}"),
            Work::Arrivals { load, max_users, late } => {
                let busy = match late {
                    Late::Wait => "late ones wait",
                    Late::Drop => "late ones are dropped",
                };
                write!(out, "{load}, by at most {max_users} users, {busy}")
            }
            Work::Iterations { users, iterations, max_duration } => {
                write!(out, "{iterations} iterations shared by {users} users, at most {}", limit(max_duration))
            }
            Work::IterationsPerUser { users, iterations, max_duration } => {
                write!(out, "{iterations} iterations for each of {users} users, at most {}", limit(max_duration))
            }
        }
    }
}

/// Options of the whole run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Everything about HTTP.
    pub http: HttpSettings,
    /// Whether a transport error throws instead of being a response with `error`.
    pub throw_errors: bool,
    /// Tags for all that the run measures.
    pub tags: BTreeMap<String, String>,
    /// Tag names that a script may set beside the system's.
    pub declared_tags: Vec<String>,
    /// Default for scenarios: how long iterations that run may go on after the end.
    pub graceful_stop: Duration,
    /// Default for scenarios: how long they last.
    pub duration: Option<Duration>,
    /// Time limit of `setup`.
    pub setup_timeout: Duration,
    /// Time limit of `teardown`.
    pub teardown_timeout: Duration,
    /// The first part of the run that counts in no total and no verdict.
    pub warmup: Duration,
    /// Most requests per second of the whole run; `None` without limit.
    pub max_rate: Option<f64>,
    /// Default for scenarios: the wait after an iteration that failed.
    pub backoff: Backoff,
    /// Seed of everything random.
    pub seed: u64,
    /// Which statistics of a Trend the summary lists.
    pub trend_stats: Vec<String>,
    /// Limits of scripts.
    pub limits: Limits,
    /// Machines that are observed while the run goes on.
    pub observe: Vec<Observe>,
    /// What the script says about the monitor.
    pub monitor: monitor::MonitorSettings,
}

/// A machine that is observed through its Prometheus `node_exporter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observe {
    /// The name by which rules know it: the tag `host`.
    pub host: String,
    /// Where its exporter answers; it may hold a password.
    pub url: String,
}

/// Everything about HTTP that a run or a scenario may set.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpSettings {
    /// Prefix of relative URLs; `demo://shop` stands for the built-in shop.
    pub base_url: Option<String>,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// `User-Agent`, unless a request sets its own.
    pub user_agent: String,
    /// Time limits.
    pub timeout: Timeouts,
    /// Redirects followed; 0 follows none.
    pub redirects: u32,
    /// Whether users keep cookies.
    pub cookies: bool,
    /// Whether they forget them after each iteration.
    pub cookies_per_iteration: bool,
    /// Whether they close their connections and forget TLS sessions after each iteration.
    pub connections_per_iteration: bool,
    /// Whether answers may come compressed.
    pub compression: bool,
    /// Protocol version.
    pub version: HttpVersion,
    /// TLS.
    pub tls: TlsSettings,
    /// Proxy URL: `http://user:password@host:port` or `socks5://…`.
    pub proxy: Option<String>,
    /// Host names with fixed addresses.
    pub dns_hosts: BTreeMap<String, Vec<String>>,
    /// Fixed time to live of resolved addresses; `None` honours the records'.
    pub dns_ttl: Option<Duration>,
    /// Local addresses to send from, in turn.
    pub source_ips: Vec<String>,
    /// Connections a user may have to one host: default 6 with HTTP/1.1, 1 with HTTP/2.
    pub connections_per_user: Option<u32>,
    /// Hosts that may be called; empty allows all. A leading `*.` matches subdomains.
    pub allow_hosts: Vec<String>,
    /// Bytes of a body that are kept; the rest is counted and discarded.
    pub body_limit: u64,
}

impl Default for HttpSettings {
    fn default() -> Self {
        HttpSettings {
            base_url: None,
            headers: Vec::new(),
            user_agent: concat!("punk/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Timeouts::default(),
            redirects: 10,
            cookies: true,
            cookies_per_iteration: false,
            connections_per_iteration: false,
            compression: true,
            version: HttpVersion::Auto,
            tls: TlsSettings::default(),
            proxy: None,
            dns_hosts: BTreeMap::new(),
            dns_ttl: None,
            source_ips: Vec::new(),
            connections_per_user: None,
            allow_hosts: Vec::new(),
            body_limit: 16 << 20,
        }
    }
}

/// Time limits of a request; each `None` is bounded by `total` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From wanting a connection to the last byte.
    pub total: Duration,
    /// DNS and TCP connect.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// From the request written to the first byte.
    pub first_byte: Option<Duration>,
    /// Between two reads of a body.
    pub idle: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { total: Duration::from_secs(60), connect: None, tls: None, first_byte: None, idle: None }
    }
}

/// Which HTTP a user speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpVersion {
    /// HTTP/2 where TLS negotiates it (ALPN), else HTTP/1.1.
    #[default]
    Auto,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only; without TLS by prior knowledge.
    Http2,
}

/// How servers are trusted and who we are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// PEM of the authorities to trust instead of the public ones.
    pub ca: Option<String>,
    /// PEM of the client's certificate chain.
    pub cert: Option<String>,
    /// PEM of its private key.
    pub key: Option<String>,
    /// Accept any certificate.
    pub insecure: bool,
    /// Name to ask for and to verify, instead of the URL's host.
    pub server_name: Option<String>,
}

/// Limits that keep one script from hurting the others (raisable in `options(#{ limits: … })`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest string, bytes.
    pub string: usize,
    /// Longest array, items.
    pub array: usize,
    /// Largest map, keys.
    pub map: usize,
    /// Script functions that may be inside each other.
    pub calls: usize,
    /// Operations of one call from punk into the script; 0 is without limit.
    pub operations: u64,
    /// CPU of one iteration without waiting.
    pub cpu: Duration,
    /// Modules that may be imported.
    pub modules: usize,
    /// Variables that may be alive at once.
    pub variables: usize,
    /// Nesting of arrays and maps.
    pub depth: usize,
    /// Tag sets before operations are regrouped.
    pub tag_sets: usize,
    /// What `store::` may hold in all, bytes.
    pub store: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            string: 8 << 20,
            array: 10_000,
            map: 10_000,
            calls: 32,
            operations: 0,
            cpu: Duration::from_secs(1),
            modules: 64,
            variables: 256,
            depth: 128,
            tag_sets: 2_000,
            store: 256 << 20,
        }
    }
}
