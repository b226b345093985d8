//! What the command line accepts, as data.

use crate::logs::Level;
use crate::plan::monitor::TOKENS;
use crate::script::overrides::Overrides;
use crate::units;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Load testing for people who think in code: one Rhai script, honest numbers.
#[derive(Debug, Parser)]
#[command(name = "punk", version, disable_help_subcommand = true, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// What to do; `punk SCRIPT` is `punk run SCRIPT`.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0 passed · 1 internal or I/O · 2 usage · 96 the measurement cannot be trusted · 99 a threshold failed
  100/101 setup/teardown timed out · 104 invalid script, option or threshold · 105 interrupted by a signal
  106 the monitor cannot listen where it was told to · 107 exception in setup/teardown · 108 aborted by the script · 109 a bug in punk · 110 marked failed
  130 interrupted twice

Examples:
  punk scripts/quickstart.rhai
  punk quick http://127.0.0.1:8080/ -u 50 -r 200/s -d 30s
  punk checkout.rhai browse.rhai
  punk run test.rhai -e BASE_URL=http://127.0.0.1:8080 --summary result.json
  punk check test.rhai";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a script and print its verdict
    Run(Box<RunArgs>),
    /// Ask one URL again and again, without a script
    Quick(Box<super::quick::QuickArgs>),
    /// Compile a script; print its plan, or every error at once; send nothing
    Check(CheckArgs),
    /// Draw the planned load of every scenario; send nothing
    Shapes(CheckArgs),
    /// Serve the built-in target: a small shop with dials for everything that goes wrong
    Target(TargetArgs),
    /// Check this machine's limits and say the fix
    Doctor(DoctorArgs),
    /// Print the version
    Version,
}

/// `punk run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The script; several run at once, each as a run of its own
    #[arg(required = true, value_name = "SCRIPT")]
    pub scripts: Vec<PathBuf>,
    /// Do not take edits: files that are saved while the run goes on change nothing
    #[arg(long, help_heading = "Control")]
    pub no_watch: bool,
    /// What the command line sets against the script.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// What any run takes.
    #[command(flatten)]
    pub flags: RunFlags,
}

/// What any run takes, with a script or without.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// Threads that run users (default: one for each processor)
    #[arg(long, value_name = "N", help_heading = "Load", env = "PUNK_SHARDS", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub shards: Option<u32>,
    /// Begin paused, until somebody types `resume`
    #[arg(long, help_heading = "Control")]
    pub paused: bool,
    /// Read commands from standard input, also where it is no terminal: pause, resume, scale SCENARIO NUMBER,
    /// end SCENARIO, stop; of several scripts `NAME: pause` is for one, `pause` for all
    #[arg(long, help_heading = "Control")]
    pub commands: bool,
    /// When an edit of the script's functions makes clearly more errors than there were before it, run the functions of
    /// before again; the file is left as it is
    #[arg(long, help_heading = "Control", env = "PUNK_ROLLBACK_ON_ERRORS")]
    pub rollback_on_errors: bool,
    /// Who sees the run while it goes on.
    #[command(flatten)]
    pub monitor: MonitorArgs,
    /// Write the summary as JSON to this file; of several scripts each has its own, `result.NAME.json`
    #[arg(long, value_name = "FILE", help_heading = "Results", env = "PUNK_SUMMARY")]
    pub summary: Option<PathBuf>,
    /// Print the summary as JSON on stdout instead of the report; of several scripts one after the other, as they end
    #[arg(long, help_heading = "Results")]
    pub json: bool,
    /// What a measurement that cannot be trusted does to the exit code (default: fail; of `quick`: warn)
    #[arg(long, value_enum, help_heading = "Results", env = "PUNK_ON_INVALID")]
    pub on_invalid: Option<OnInvalid>,
    /// Add the log to this file: what scripts say with `log::` and `print`, and what happens to the run; of several scripts
    /// each has its own, `run.NAME.log`
    #[arg(long, value_name = "FILE", help_heading = "Results", env = "PUNK_LOG_FILE")]
    pub log_file: Option<PathBuf>,
    /// How the log is written: lines of text, or a JSON object on each line
    #[arg(long, value_enum, default_value_t = LogFormat::Text, help_heading = "Results", env = "PUNK_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// What is written to the log at least: trace, debug, info, warn or error
    #[arg(long, value_name = "LEVEL", default_value_t, help_heading = "Results", env = "PUNK_LOG_LEVEL")]
    pub log_level: Level,
    /// No progress, and what scripts print stays away
    #[arg(short, long, help_heading = "Display")]
    pub quiet: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = Color::Auto, help_heading = "Display", env = "PUNK_COLOR")]
    pub color: Color,
    /// How progress is shown: bars on a terminal, else a line every ten seconds
    #[arg(long, value_enum, default_value_t = Ui::Auto, help_heading = "Display", env = "PUNK_UI")]
    pub ui: Ui,
}

/// The monitor of a run.
#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// End (exit 106) where the run cannot be shown, and shown where it is said; without it a run goes on without its monitor, or
    /// at the next free port
    #[arg(long, overrides_with = "no_monitor", help_heading = "Monitor")]
    pub monitor: bool,
    /// Do not show the run
    #[arg(long, help_heading = "Monitor", env = "PUNK_NO_MONITOR")]
    pub no_monitor: bool,
    /// Where to show it: 127.0.0.1:9090, [::1]:9090, :9090 (default: the first free port of 127.0.0.1 from 9090 on)
    #[arg(long, value_name = "ADDRESS", help_heading = "Monitor", env = "PUNK_MONITOR_ADDR", value_parser = crate::api::address::parse)]
    pub monitor_addr: Option<std::net::SocketAddr>,
    /// Open the browser there
    #[arg(long, help_heading = "Monitor", env = "PUNK_MONITOR_OPEN")]
    pub monitor_open: bool,
    /// Speak TLS there, with the certificates of this PEM file, the own one first
    #[arg(long, value_name = "FILE", requires = "monitor_key", help_heading = "Monitor", env = "PUNK_MONITOR_CERT")]
    pub monitor_cert: Option<PathBuf>,
    /// The private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "monitor_cert", help_heading = "Monitor", env = "PUNK_MONITOR_KEY")]
    pub monitor_key: Option<PathBuf>,
    /// Who has this token may look and change; better in the variable, since everybody on a machine sees command lines
    #[arg(long, value_name = "TOKEN", help_heading = "Monitor", env = TOKENS[0], hide_env_values = true, value_parser = secret)]
    pub monitor_token: Option<Secret>,
    /// Who has this token may look
    #[arg(long, value_name = "TOKEN", help_heading = "Monitor", env = TOKENS[1], hide_env_values = true, value_parser = secret)]
    pub monitor_read_token: Option<Secret>,
    /// A name under which it is reached, beside localhost; may be repeated
    #[arg(long, value_name = "HOST", help_heading = "Monitor", value_parser = crate::api::address::host)]
    pub monitor_allow_host: Vec<String>,
    /// Nobody may change the run through it
    #[arg(long, help_heading = "Monitor", env = "PUNK_MONITOR_READONLY")]
    pub monitor_readonly: bool,
    /// Take scripts over HTTP and run them beside the others (`POST /api/sessions`): who has the control token may then run
    /// any script, with the rights of this process. Needs --monitor-token, at loopback too; never with --monitor-readonly
    #[arg(long, help_heading = "Monitor", env = "PUNK_MONITOR_UPLOAD")]
    pub monitor_upload: bool,
}

/// What may stand against the script's own words.
#[derive(Debug, Args)]
pub struct OverrideArgs {
    /// Constant users; with --rate the most users at once
    #[arg(short, long, value_name = "N", help_heading = "Load", env = "PUNK_USERS")]
    pub users: Option<u32>,
    /// Iterations started per second, such as 50/s, whether earlier ones have ended or not
    #[arg(short, long, value_name = "RATE", help_heading = "Load", env = "PUNK_RATE", value_parser = rate)]
    pub rate: Option<f64>,
    /// How long, such as 30s or 1m30s
    #[arg(short, long, value_name = "TIME", help_heading = "Load", env = "PUNK_DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Iterations in all
    #[arg(short, long, value_name = "N", help_heading = "Load", env = "PUNK_ITERATIONS")]
    pub iterations: Option<u64>,
    /// Only this scenario; may be repeated
    #[arg(short, long, value_name = "NAME", help_heading = "Load")]
    pub scenario: Vec<String>,
    /// How long iterations that run may go on after the end
    #[arg(long, value_name = "TIME", help_heading = "Load", env = "PUNK_GRACEFUL_STOP", value_parser = duration)]
    pub graceful_stop: Option<Duration>,
    /// Seed of everything random
    #[arg(long, value_name = "N", help_heading = "Load", env = "PUNK_SEED")]
    pub seed: Option<u64>,
    /// A variable for the script's `env(…)`; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", help_heading = "Script", value_parser = pair)]
    pub env: Vec<(String, String)>,
    /// A tag for everything measured; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Script", value_parser = pair)]
    pub tag: Vec<(String, String)>,
}

impl OverrideArgs {
    /// For the compiler. A variable that a script declares is also taken from punk's own environment.
    pub fn overrides(&self) -> Overrides {
        Overrides {
            env: self.env.iter().cloned().collect(),
            users: self.users,
            rate: self.rate,
            duration: self.duration,
            iterations: self.iterations,
            only: self.scenario.clone(),
            tags: self.tag.iter().cloned().collect::<BTreeMap<_, _>>(),
            seed: self.seed,
            graceful_stop: self.graceful_stop,
        }
    }
}

/// `punk check` and `punk shapes`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The script
    #[arg(value_name = "SCRIPT")]
    pub script: PathBuf,
    /// What the command line sets against the script.
    #[command(flatten)]
    pub overrides: OverrideArgs,
    /// Print everything as one JSON document
    #[arg(long)]
    pub json: bool,
    /// Colour
    #[arg(long, value_enum, default_value_t = Color::Auto, env = "PUNK_COLOR")]
    pub color: Color,
}

/// `punk doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// For how many users
    #[arg(short, long, value_name = "N", default_value_t = 10_000)]
    pub users: u32,
}

/// `punk target`.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Where to listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub addr: std::net::SocketAddr,
    /// Serving threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: usize,
    /// TLS: off, valid, expired, self-signed, wrong-name, client-cert
    #[arg(long, value_name = "MODE", default_value = "off")]
    pub tls: crate::target::TlsMode,
    /// Seed of latency and faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Latency: 20ms, uniform(1ms,9ms), normal(20ms,5ms), exponential(10ms), lognormal(20ms,2), percentiles(…)
    #[arg(long, value_name = "DISTRIBUTION", help_heading = "Dials")]
    pub latency: Option<crate::target::Latency>,
    /// Share of answers with status 500, such as 1%
    #[arg(long, value_name = "SHARE", help_heading = "Dials", value_parser = share)]
    pub errors: Option<f64>,
    /// Shares of faults, such as reset=1%,garbage=0.5%
    #[arg(long, value_name = "FAULT=SHARE,…", help_heading = "Dials", default_value = "")]
    pub faults: String,
    /// Freeze all answers: when and how long, such as 8s+2s; first+8s+2s counts from the first request
    #[arg(long, value_name = "AT+LENGTH", help_heading = "Dials")]
    pub stall: Option<crate::target::Stall>,
    /// Bytes per second of each body
    #[arg(long, value_name = "N", help_heading = "Dials")]
    pub body_rate: Option<u64>,
    /// Stop by itself after this time
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Requests that `/_target/log` remembers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub log: usize,
}

/// What a measurement that cannot be trusted does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnInvalid {
    /// Exit 96.
    Fail,
    /// Say so, and judge by the thresholds alone.
    Warn,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object on each line.
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether to colour what goes to a stream that is, or is not, a terminal.
    pub fn on(self, is_terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ui {
    /// Bars on a terminal, else plain.
    Auto,
    /// Bars.
    Line,
    /// A line every ten seconds.
    Plain,
    /// Nothing.
    None,
}

/// A flag that is a time.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    units::duration::parse(text).map_err(|error| match error.help() {
        Some(help) => format!("{error}: {help}"),
        None => error.to_string(),
    })
}

/// A flag that is so many per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    units::rate::parse(text).map_err(|error| match error.help() {
        Some(help) => format!("{error}: {help}"),
        None => error.to_string(),
    })
}

/// What nobody is shown, not even where it is wrong.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(…)")
    }
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret(text.to_owned()))
}

fn share(text: &str) -> Result<f64, String> {
    crate::target::dials::parse_share(text).map_err(|error| error.to_string())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is wanted")?;
    if name.is_empty() {
        return Err("the name before `=` is empty".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}
