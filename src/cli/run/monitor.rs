//! The monitor of a run: where it listens, who may do what, its thread, and the one line that says where it is.

use super::finish::{self, Times};
use crate::api::{Access, Format, Session, SoFar, Token, address, serve};
use crate::cli::args::{MonitorArgs, Secret};
use crate::cli::err;
use crate::cli::exit::{self, Exit};
use crate::diagnostic::Diagnostic;
use crate::engine::{Beside, Ending, beside};
use crate::prometheus;
use crate::report::{self, Facts, Summary};
use crate::snapshot::Snapshot;
use chrono::Utc;
use std::net::TcpListener;
use std::time::Duration;

/// The name of its thread.
pub(super) const THREAD: &str = "monitor";

/// A monitor that listens already, and answers once it is started.
pub(super) struct Bound {
    listener: TcpListener,
    access: Access,
    moved: bool,
}

/// Listens where the command line says; `None` without a monitor.
///
/// # Errors
/// It cannot be had as it was asked for; what is wrong is told.
pub(super) fn bind(args: &MonitorArgs, color: bool) -> Result<Option<Bound>, Exit> {
    if args.no_monitor && !args.monitor {
        return Ok(None);
    }
    let wanted = args.monitor_addr;
    let foreign = wanted.is_some_and(|address| !address.ip().is_loopback());
    let tokens = args.monitor_token.is_some() || args.monitor_read_token.is_some();
    if foreign && !tokens {
        let problem = Diagnostic::error(
            "`--monitor-addr`: this address can be reached from other machines, and there is no token",
        )
        .help("set PUNK_MONITOR_TOKEN, PUNK_MONITOR_READ_TOKEN or both; or listen at 127.0.0.1");
        err(&format!("{}\n", problem.render(color)));
        return Err(Exit::Usage);
    }
    let read = |name: &str, secret: &Option<Secret>| {
        let token = secret.as_ref().map(|secret| Token::parse(&secret.0)).transpose();
        token.map_err(|why| {
            err(&format!("{}\n", Diagnostic::error(format!("`{name}`: {why}")).render(color)));
            Exit::Usage
        })
    };
    let control = read("--monitor-token", &args.monitor_token)?;
    let view = read("--monitor-read-token", &args.monitor_read_token)?;
    let bound = address::listen(wanted).and_then(|listening| {
        let address = listening.listener.local_addr()?;
        Ok((listening, address))
    });
    match bound {
        Ok((listening, address)) => {
            let access = Access {
                address,
                hosts: args.monitor_allow_host.clone(),
                control,
                read: view,
                readonly: args.monitor_readonly,
            };
            Ok(Some(Bound { listener: listening.listener, access, moved: listening.moved }))
        }
        Err(error) => {
            let place = wanted.map_or_else(|| "at any port".to_owned(), |address| format!("at {address}"));
            let text = format!("the monitor cannot listen {place}: {error}");
            if wanted.is_some() || args.monitor {
                let problem = Diagnostic::error(text).help("choose another `--monitor-addr`, or `--no-monitor`");
                err(&format!("{}\n", problem.render(color)));
                return Err(Exit::MonitorRefused);
            }
            err(&format!("warning: {text}; the run goes on without it\n"));
            Ok(None)
        }
    }
}

impl Bound {
    /// Answers from now on, and says where unless it shall be `quiet`.
    pub(super) fn start(self, sessions: Vec<Session>, quiet: bool) -> Option<Beside> {
        let Bound { listener, access, moved } = self;
        let address = access.address;
        let (foreign, readonly) = (!access.is_loopback(), access.readonly);
        let started = beside(THREAD, move |over| async move {
            let over = async { drop(over.await) };
            let serving = serve(listener, sessions, access, scrape, over);
            let ended = tokio::select! {
                ended = serving => ended,
                () = death() => panic!("a test wants it so"),
            };
            if let Err(error) = ended {
                tracing::error!(target: "punk::monitor", "it cannot answer: {error}");
                err(&format!("warning: the monitor cannot answer: {error}\n"));
            }
        });
        match started {
            Ok(beside) => {
                tracing::info!(target: "punk::monitor", %address, readonly, "listens");
                if moved {
                    tracing::info!(target: "punk::monitor", "port {} is taken: it is at another one", address::PORT);
                }
                if foreign {
                    err(
                        "warning: the monitor can be reached from other machines, and speaks no TLS: whoever listens on the way reads its token\n",
                    );
                }
                if !quiet {
                    let taken = if moved { format!(" ({} is taken)", address::PORT) } else { String::new() };
                    err(&format!("monitor: http://{address}/api/status{taken}\n"));
                }
                Some(beside)
            }
            Err(error) => {
                err(&format!("warning: there is no monitor: {error}\n"));
                None
            }
        }
    }
}

/// What Prometheus gets.
fn scrape(runs: &[(Option<&str>, &Snapshot)], accept: Option<&str>) -> (&'static str, Vec<u8>) {
    let format = prometheus::Format::negotiate(accept);
    (format.content_type(), prometheus::render_sessions(runs, format, prometheus::MOST_SERIES))
}

/// The run so far as a file: what its report would be if it ended now.
pub(super) fn export(format: Format, so_far: SoFar<'_>) -> Option<String> {
    let SoFar { snapshot, started_at, outputs } = so_far;
    let plan = snapshot.plan.as_deref()?;
    let wall = (Utc::now() - started_at).to_std().unwrap_or_default();
    // How it ends is not known yet, so nothing of that speaks against it.
    let ending = Ending::default();
    let reasons = exit::reasons(snapshot, &ending, true);
    let facts = finish::facts(&reasons, snapshot, &ending, Times { started_at, wall });
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

/// Takes it down; the run has told everything by then.
pub(super) fn end(monitor: Option<Beside>) {
    if let Some(why) = monitor.and_then(Beside::end) {
        err(&format!("warning: the monitor died: {why}; the run is not concerned\n"));
    }
}
