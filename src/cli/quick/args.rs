//! What `punk quick` accepts: the words of oha, hey, wrk and curl, where they agree.

use crate::cli::args::{RunFlags, duration, rate};
use crate::units;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// `punk quick`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct QuickArgs {
    /// Where to send requests; `http://` is put before it where nothing else is
    #[arg(value_name = "URL")]
    pub url: String,

    /// Users that send, one request after the other; with --rate the most users at once
    #[arg(short, long, value_name = "N", default_value_t = 50, short_alias = 'c', help_heading = "Load", env = "PUNK_USERS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// Requests started per second, such as 200/s, whether earlier ones have ended or not
    #[arg(short, long, value_name = "RATE", help_heading = "Load", env = "PUNK_RATE", value_parser = some_rate)]
    pub rate: Option<f64>,
    /// How long, such as 30s or 1m30s (default: 10s; no limit with --requests)
    #[arg(short, long, value_name = "TIME", short_alias = 'z', help_heading = "Load", env = "PUNK_DURATION", value_parser = some_time)]
    pub duration: Option<Duration>,
    /// Requests in all, such as 1000 or 10k
    #[arg(short = 'n', long, value_name = "N", help_heading = "Load", value_parser = some)]
    pub requests: Option<u64>,
    /// With --rate: what becomes of a request that finds all users busy
    #[arg(long, value_enum, requires = "rate", help_heading = "Load")]
    pub late: Option<Late>,
    /// How long requests that run may go on after the end (default: 30s)
    #[arg(long, value_name = "TIME", help_heading = "Load", env = "PUNK_GRACEFUL_STOP", value_parser = duration)]
    pub graceful_stop: Option<Duration>,

    /// Method (default: GET; POST with a body)
    #[arg(short = 'X', long, value_name = "METHOD", short_alias = 'm', help_heading = "Request")]
    pub method: Option<String>,
    /// A header; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", help_heading = "Request")]
    pub header: Vec<String>,
    /// The body, as text
    #[arg(short, long, value_name = "TEXT", group = "content", help_heading = "Request")]
    pub body: Option<String>,
    /// The body, from a file; an `@` before its name is left out
    #[arg(short = 'B', long, value_name = "FILE", group = "content", help_heading = "Request")]
    pub body_file: Option<PathBuf>,
    /// The body as JSON: checked, and sent as application/json
    #[arg(long, value_name = "JSON", group = "content", help_heading = "Request")]
    pub json_body: Option<String>,
    /// The body's Content-Type
    #[arg(short = 'T', long, value_name = "TYPE", help_heading = "Request")]
    pub content_type: Option<String>,
    /// Basic authentication
    #[arg(short, long, value_name = "USER:PASSWORD", help_heading = "Request")]
    pub auth: Option<String>,
    /// Time limit of a request (default: 60s)
    #[arg(short, long, value_name = "TIME", help_heading = "Request", value_parser = some_time)]
    pub timeout: Option<Duration>,
    /// How many redirects are followed (default: 10)
    #[arg(long, value_name = "N", help_heading = "Request")]
    pub redirects: Option<u32>,
    /// Follow no redirect
    #[arg(long, conflicts_with = "redirects", help_heading = "Request")]
    pub no_redirects: bool,
    /// Ask for no compressed answers
    #[arg(long, alias = "disable-compression", help_heading = "Request")]
    pub no_compression: bool,

    /// Protocol version
    #[arg(long, value_enum, value_name = "VERSION", help_heading = "Connection")]
    pub http: Option<Version>,
    /// A connection for each request: HTTP/1.1 with `Connection: close`
    #[arg(long, alias = "disable-keepalive", help_heading = "Connection")]
    pub no_keepalive: bool,
    /// Accept any certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub insecure: bool,
    /// Authorities to trust instead of the public ones, as PEM
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub cacert: Option<PathBuf>,
    /// Certificate of this client, as PEM
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "Connection")]
    pub cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "Connection")]
    pub key: Option<PathBuf>,
    /// Proxy: http://… or socks5://…
    #[arg(short = 'x', long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,

    /// What must hold, such as 'http_req_duration: p(95) < 300ms'; may be repeated
    #[arg(long, value_name = "SELECTOR: EXPRESSION", help_heading = "Verdict")]
    pub threshold: Vec<String>,
    /// Print the script that this line stands for, and send nothing
    #[arg(long, help_heading = "Verdict")]
    pub print_script: bool,

    /// What any run takes.
    #[command(flatten)]
    pub flags: RunFlags,
}

const EXAMPLES: &str = "Examples:
  punk quick http://127.0.0.1:8080/ -u 50 -d 30s
  punk quick 127.0.0.1:8080/api/cart -r 200/s -d 30s --json-body '{\"sku\": 7}'
  punk quick demo://shop/api/products -n 1000 --threshold 'http_req_duration: p(99) < 50ms'
  punk quick http://127.0.0.1:8080/ -r 200/s --print-script > test.rhai";

/// What becomes of a request that finds all users busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Late {
    /// It waits, its time running from when it was due.
    Wait,
    /// It is dropped and counted.
    Drop,
}

/// Protocol versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Version {
    /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
    Auto,
    /// HTTP/1.1.
    #[value(name = "1.1")]
    One,
    /// HTTP/2; without TLS by prior knowledge.
    #[value(name = "2")]
    Two,
}

impl Version {
    /// As the option `http` of scripts has it.
    pub fn word(self) -> &'static str {
        match self {
            Version::Auto => "auto",
            Version::One => "1.1",
            Version::Two => "2",
        }
    }
}

fn some_rate(text: &str) -> Result<f64, String> {
    rate(text).and_then(|rate| if rate > 0.0 { Ok(rate) } else { Err("a rate is more than 0".to_owned()) })
}

fn some_time(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| if time.is_zero() { Err("a time is longer than 0".to_owned()) } else { Ok(time) })
}

fn some(text: &str) -> Result<u64, String> {
    match units::count::parse(text).map_err(|error| error.to_string())? {
        0 => Err("a number of requests is 1 or more".to_owned()),
        count => Ok(count),
    }
}
