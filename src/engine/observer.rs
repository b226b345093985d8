//! The machines that a script observes (`options(#{ observe: [url] })`): their `node_exporter`s are asked every five seconds.
//!
//! One thread for all of them, beside the users' and none of theirs: what it sends counts in no metric of the test. The
//! collector is told by [`ToCollector::Observed`]. Addresses are the script's own, so `allow_hosts`, which bounds where users
//! may go, does not apply; redirects are not followed, and no proxy of the environment is asked. An exporter that is slow, huge
//! or gone harms nobody: every try has a time limit and a size, and its failure is counted and told.

mod exporter;
mod readings;

use super::collector::ToCollector;
use super::shard::panic_text;
use crate::plan::Observe;
use crate::protocol::net::{TlsOptions, TlsSetup};
use crate::snapshot::Observed;
use exporter::{Exposition, parse};
use readings::Readings;
use reqwest::{Client, StatusCode, redirect};
use std::error::Error;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval_at, sleep};

/// How often each is asked.
const EVERY: Duration = Duration::from_secs(5);
/// When it is asked for the second time: CPU lies between two answers, and short runs want to know it, too.
const SECOND: Duration = Duration::from_secs(1);
/// For one try, from the first byte to the last of the answer.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Largest answer; a node_exporter with all collectors says some hundred kilobytes.
const LARGEST: usize = 4 << 20;
/// How long the end of a run waits for the thread.
const LEAVE: Duration = Duration::from_millis(200);

/// What became of one try.
pub(super) struct Sighting {
    /// Which machine, in the order of the Plan.
    pub(super) at: usize,
    /// What is known of it now; when the answer came is not in it.
    pub(super) observed: Observed,
    /// The metrics, by name; all of them are gauges.
    pub(super) samples: Vec<(&'static str, f64)>,
}

/// The thread that asks.
pub(super) struct Observer {
    /// Ends it when it is dropped.
    over: oneshot::Sender<()>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Observer {
    /// Starts it; none where nothing is to be observed.
    pub(super) fn start(
        name: String,
        observe: &[Observe],
        to_collector: &Sender<ToCollector>,
    ) -> std::io::Result<Option<Self>> {
        if observe.is_empty() {
            return Ok(None);
        }
        let (over, told) = oneshot::channel();
        let (ending, ended) = channel();
        let (observe, to_collector) = (observe.to_vec(), to_collector.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let body = move || {
            runtime.block_on(async {
                for (at, one) in observe.into_iter().enumerate() {
                    tokio::spawn(watch(at, one, to_collector.clone()));
                }
                // An error is the end, too: its sender was dropped.
                let _ = told.await;
            });
            // The look-up of a name cannot be called back; nobody waits for it.
            runtime.shutdown_background();
            drop(ending);
        };
        let thread = thread::Builder::new().name(name).spawn(body)?;
        Ok(Some(Observer { over, ended, thread }))
    }

    /// Ends it; why it panicked, if it did.
    pub(super) fn end(self) -> Option<String> {
        drop(self.over);
        match self.ended.recv_timeout(LEAVE) {
            Err(RecvTimeoutError::Timeout) => None,
            _ => self.thread.join().err().map(|panic| panic_text(&*panic)),
        }
    }
}

/// Asks one exporter until the end of the run.
async fn watch(at: usize, observe: Observe, to_collector: Sender<ToCollector>) {
    let client = client();
    let mut readings = Readings::new(observe.host);
    let begin = tokio::time::Instant::now();
    let mut due = interval_at(begin + EVERY, EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked = 0u32;
    loop {
        let answer = match &client {
            Ok(client) => ask(client, &observe.url).await,
            Err(why) => Err(why.clone()),
        };
        let failing = readings.observed().failing;
        let samples = match answer {
            Ok(answer) => readings.answered(Instant::now(), answer),
            Err(why) => {
                // The first time is told as a warning of the run.
                if !failing && readings.observed().failures > 0 {
                    tracing::warn!(target: "punk::observer", host = readings.observed().host, "cannot be observed any more: {why}");
                }
                readings.failed(why);
                Vec::new()
            }
        };
        if failing && !readings.observed().failing {
            tracing::info!(target: "punk::observer", host = readings.observed().host, "can be observed again");
        }
        let sighting = Sighting { at, observed: readings.observed().clone(), samples };
        if to_collector.send(ToCollector::Observed(Box::new(sighting))).is_err() {
            return;
        }
        asked += 1;
        if asked == 1 {
            sleep(SECOND).await;
        } else {
            due.tick().await;
        }
    }
}

fn client() -> Result<Client, String> {
    let tls = TlsSetup::new(&TlsOptions::default(), &[b"http/1.1"])?;
    Client::builder()
        .tls_backend_preconfigured(tls.for_user().config().as_ref().clone())
        .user_agent(concat!("punk/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| plain(&error))
}

async fn ask(client: &Client, url: &str) -> Result<Exposition, String> {
    let told = |error: reqwest::Error| match error.is_timeout() {
        true => format!("no answer within {}", crate::units::human::duration(TIMEOUT)),
        false => plain(&error),
    };
    let mut response = client.get(url).send().await.map_err(told)?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_redirection() => {
            return Err(format!("status {}: redirects are not followed", status.as_u16()));
        }
        status => return Err(format!("status {}", status.as_u16())),
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(told)? {
        if body.len() + piece.len() > LARGEST {
            return Err(format!("the answer is larger than {} MiB", LARGEST >> 20));
        }
        body.extend_from_slice(&piece);
    }
    parse(&body)
}

/// An error without the address, which may hold a password: what is at its root.
fn plain(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    match root.downcast_ref::<reqwest::Error>() {
        Some(_) => "the request cannot be made".to_owned(),
        None => root.to_string(),
    }
}
