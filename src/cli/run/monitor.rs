//! The monitor of all runs: where it listens, who may do what, its thread, and the one line that says where it is.

use super::browser::Browser;
use super::finish::{self, Times};
use super::wish::Wish;
use crate::api::{Access, Format, Intake, Judgement, Lent, Session, SoFar, Tls, Token, address, serve};
use crate::cli::args::{MonitorArgs, Secret};
use crate::cli::err;
use crate::cli::exit::{self, Exit};
use crate::diagnostic::Diagnostic;
use crate::engine::{Beside, beside};
use crate::prometheus;
use crate::report::{self, Facts, Summary};
use crate::snapshot::{Served, Snapshot};
use chrono::Utc;
use std::net::TcpListener;
use std::time::Duration;

/// The name of its thread.
pub(super) const THREAD: &str = "monitor";

/// A monitor that listens already, and answers once it is started.
pub(super) struct Bound {
    listener: TcpListener,
    tls: Option<Tls>,
    access: Access,
    /// The port that somebody else had already.
    taken: Option<u16>,
    open: bool,
}

/// A monitor that answers.
pub(super) struct Monitor {
    thread: Beside,
    browser: Option<Browser>,
}

/// Listens where it is wanted; `None` without a monitor.
///
/// # Errors
/// It cannot be had as it was asked for; what is wrong is told.
pub(super) fn bind(args: &MonitorArgs, wish: &Wish, color: bool) -> Result<Option<Bound>, Exit> {
    if !wish.shown {
        return Ok(None);
    }
    let refuse = |problem: Diagnostic, exit: Exit| {
        err(&format!("{}\n", problem.render(color)));
        exit
    };
    let foreign = wish.addr.is_some_and(|address| !address.ip().is_loopback());
    let tokens = args.monitor_token.is_some() || args.monitor_read_token.is_some();
    if let Some(address) = wish.addr.filter(|_| foreign && !tokens) {
        let text = format!("the monitor at {address} can be reached from other machines, and there is no token");
        let help = "set PUNK_MONITOR_TOKEN, PUNK_MONITOR_READ_TOKEN or both; or listen at 127.0.0.1";
        return Err(refuse(Diagnostic::error(text).help(help), Exit::Usage));
    }
    let read = |name: &str, secret: &Option<Secret>| {
        let token = secret.as_ref().map(|secret| Token::parse(&secret.0)).transpose();
        token.map_err(|why| refuse(Diagnostic::error(format!("`{name}`: {why}")), Exit::Usage))
    };
    let control = read("--monitor-token", &args.monitor_token)?;
    let view = read("--monitor-read-token", &args.monitor_read_token)?;
    let files = args.monitor_cert.as_deref().zip(args.monitor_key.as_deref());
    let tls = match files.map(|(cert, key)| Tls::read(cert, key)).transpose() {
        Ok(tls) => tls,
        Err(why) => {
            return Err(refuse(
                Diagnostic::error(format!("the monitor cannot speak TLS: {why}")),
                Exit::MonitorRefused,
            ));
        }
    };
    let bound = address::listen(wish.addr, wish.required).and_then(|listening| {
        let address = listening.listener.local_addr()?;
        Ok((listening, address))
    });
    match bound {
        Ok((listening, address)) => {
            let hosts = args.monitor_allow_host.clone();
            let (readonly, is_tls) = (args.monitor_readonly, tls.is_some());
            let access = Access { address, hosts, control, read: view, readonly, tls: is_tls };
            let address::Listening { listener, taken } = listening;
            Ok(Some(Bound { listener, tls, access, taken, open: wish.open }))
        }
        Err(error) => {
            let place = wish.addr.map_or_else(|| "at any port".to_owned(), |address| format!("at {address}"));
            let text = format!("the monitor cannot listen {place}: {error}");
            if wish.addr.is_some() || wish.required {
                let help = "choose another `--monitor-addr`, or `--no-monitor`";
                return Err(refuse(Diagnostic::error(text).help(help), Exit::MonitorRefused));
            }
            err(&format!("warning: {text}; the run goes on without it\n"));
            Ok(None)
        }
    }
}

impl Bound {
    /// Answers from now on, and says where unless it shall be `quiet`. Scripts that are sent go to the `intake`.
    pub(super) fn start(self, sessions: Vec<Session>, intake: Option<Intake>, quiet: bool) -> Option<Monitor> {
        let Bound { listener, tls, access, taken, open } = self;
        let at = format!("{}://{}", access.scheme(), access.address);
        let exposed = !access.is_loopback() && tls.is_none();
        let (address, readonly) = (access.address, access.readonly);
        let takes_scripts = intake.is_some();
        let started = beside(THREAD, move |over| async move {
            let over = async { drop(over.await) };
            let serving = serve((listener, tls), sessions, access, Lent { scrape, intake }, over);
            let ended = tokio::select! {
                ended = serving => ended,
                () = death() => panic!("a test wants it so"),
            };
            if let Err(error) = ended {
                tracing::error!(target: "punk::monitor", "it cannot answer: {error}");
                err(&format!("warning: the monitor cannot answer: {error}\n"));
            }
        });
        let thread = match started {
            Ok(thread) => thread,
            Err(error) => {
                err(&format!("warning: there is no monitor: {error}\n"));
                return None;
            }
        };
        tracing::info!(target: "punk::monitor", %address, readonly, takes_scripts, "listens");
        if let Some(port) = taken {
            tracing::info!(target: "punk::monitor", "port {port} is taken: it is at another one");
        }
        if exposed {
            err(
                "warning: the monitor can be reached from other machines, and speaks no TLS: whoever listens on the way reads its token; see `--monitor-cert`\n",
            );
        }
        if !quiet {
            let taken = taken.map_or(String::new(), |port| format!(" ({port} is taken)"));
            err(&format!("monitor: {at}{taken}\n"));
        }
        let browser = open.then(|| Browser::open(&format!("{at}/"))).transpose();
        let browser = browser.unwrap_or_else(|why| {
            err(&format!("warning: no browser was opened: {why}\n"));
            None
        });
        Some(Monitor { thread, browser })
    }
}

/// What Prometheus gets.
fn scrape(runs: &[(Option<&str>, &Snapshot)], served: &Served, accept: Option<&str>) -> (&'static str, Vec<u8>) {
    let format = prometheus::Format::negotiate(accept);
    (format.content_type(), prometheus::render_sessions(runs, Some(served), format, prometheus::MOST_SERIES))
}

/// What a run comes to, if it ended now: by the rules of its report and its exit code.
pub(super) fn judge(snapshot: &Snapshot, invalid_fails: bool) -> Judgement {
    let reasons = exit::reasons(snapshot, &snapshot.ending, invalid_fails);
    let cancelled = !reasons.is_empty() && reasons.iter().all(|(exit, _)| exit.is_by_somebody());
    Judgement { verdict: finish::decision(&reasons, snapshot).1.word(), cancelled }
}

/// The run so far as a file: what its report would be if it ended now.
pub(super) fn export(format: Format, so_far: SoFar<'_>) -> Option<String> {
    let SoFar { snapshot, started_at, outputs, invalid_fails } = so_far;
    let plan = snapshot.plan.as_deref()?;
    let wall = (Utc::now() - started_at).to_std().unwrap_or_default();
    let reasons = exit::reasons(snapshot, &snapshot.ending, invalid_fails);
    let facts = finish::facts(&reasons, snapshot, &snapshot.ending, Times { started_at, wall });
    let facts = Facts { deliveries: outputs.deliveries.clone(), ..facts };
    Some(match format {
        Format::Json => Summary::new(plan, snapshot, &facts).to_json(),
        Format::Csv => report::csv(snapshot),
        Format::Html => report::html(plan, snapshot, &facts),
        Format::Junit => report::junit(plan, snapshot, &facts),
    })
}

/// When a test wants the monitor to die in the middle of a run; never in what is shipped.
async fn death() {
    if cfg!(debug_assertions) && std::env::var_os("PUNK_TEST_MONITOR_DIES").is_some() {
        tokio::time::sleep(Duration::from_millis(700)).await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Takes it down; the runs have told everything by then.
pub(super) fn end(monitor: Option<Monitor>) {
    let Some(Monitor { thread, browser }) = monitor else { return };
    if let Some(why) = thread.end() {
        err(&format!("warning: the monitor died: {why}; the run is not concerned\n"));
    }
    if let Some(why) = browser.and_then(Browser::failed) {
        err(&format!("warning: no browser was opened: {why}\n"));
    }
}
