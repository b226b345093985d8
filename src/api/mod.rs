//! The monitor's server: what a run shows while it runs, and how it is changed from outside, over HTTP.
//!
//! Started by the door beside the run, on a thread of its own. It sees Snapshots and sends Commands, nothing else: it can
//! neither slow the load nor survive as the only one who knows something. `docs/monitor.md` is its promise.
//!
//! | file | is |
//! |---|---|
//! | `server`, `tls`, `patient` | connections and their limits |
//! | `guard`, `access`, `limit`, `answers` | what every request passes |
//! | `counts` | who listens, and who was refused |
//! | `read`, `timeline`, `errors`, `logs`, `system`, `rules`, `control`, `kpi`, `heatmap`, `historical`, `protocols`, `conclusions`, `roster`, `queues`, `performance`, `export`, `upload` | the handlers |
//! | `scraped` | what Prometheus was told |
//! | `row`, `router`, `query`, `range`, `problem` | what there is, which handler, its parameters, what is wrong |
//! | `sessions`, `session`, `preferences`, `diary` | runs as the monitor knows them |
//! | `intake` | the way of a script that is sent |
//! | `judgement` | what a run comes to, as the door has it |
//! | `openapi/` | the contract, made of the rows |
//! | `stream/` | what is told as it happens |
//! | `docs/` | the same as a page |
//! | `wire/` | what goes out |

mod access;
pub mod address;
mod answers;
mod conclusions;
mod control;
mod counts;
mod diary;
mod docs;
mod errors;
mod export;
mod guard;
mod heatmap;
mod historical;
mod intake;
mod judgement;
mod kpi;
mod limit;
mod logs;
mod openapi;
mod patient;
mod performance;
mod preferences;
mod problem;
mod protocols;
mod query;
mod queues;
mod range;
mod read;
mod roster;
mod router;
mod row;
mod rules;
mod scraped;
mod server;
mod session;
mod sessions;
mod stream;
mod system;
mod timeline;
mod tls;
mod upload;
mod wire;

pub use access::{Access, Token};
pub use export::{Export, Format, SoFar};
pub use intake::{Intake, Refusal, Sent};
pub use judgement::{Judge, Judgement};
pub use openapi::text as contract;
pub use preferences::Preferences;
pub use server::serve;
pub use session::Session;
pub use tls::Tls;

use crate::snapshot::{Served, Snapshot};
use answers::Answers;
use limit::Limit;
use scraped::Scraped;
use sessions::Sessions;
use std::sync::Arc;
use std::time::Duration;
use stream::Streams;

/// The answer to a scrape of `/metrics`: its `Content-Type` and its body, of the Snapshots of all sessions, each with its name
/// where there are several, of what the monitor counts of itself, and an `Accept` header. Lent by the door, since windows do not know each other.
pub type Scrape = fn(&[(Option<&str>, &Snapshot)], &Served, Option<&str>) -> (&'static str, Vec<u8>);

/// What the door lends to a monitor.
#[derive(Debug, Clone)]
pub struct Lent {
    /// Answers Prometheus.
    pub scrape: Scrape,
    /// Where scripts that are sent go; `None` where none are taken.
    pub intake: Option<Intake>,
}

/// Requests that are answered per second, and at once: enough for dashboards and scrapers, too few to weigh on a run.
const REQUESTS: (f64, f64) = (500.0, 1_000.0);
/// Changes per second, and at once: they have their own, so that whoever looks cannot keep anybody from stopping a run.
const CHANGES: (f64, f64) = (50.0, 100.0);
/// Refusals per second, and at once.
const REFUSALS: (f64, f64) = (20.0, 100.0);
/// Refused tokens that the log tells of per second, and at once.
const TELLINGS: (f64, f64) = (0.2, 5.0);

/// How long a connection may take nothing of what is written to it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all requests share.
#[derive(Debug)]
struct Monitor {
    sessions: Sessions,
    access: Access,
    scrape: Scrape,
    intake: Option<Intake>,
    requests: Limit,
    changes: Limit,
    refusals: Limit,
    /// Refusals that are told in the log.
    tellings: Limit,
    streams: Arc<Streams>,
    /// Large answers that are on their way.
    answers: Answers,
    /// What Prometheus was told last.
    scraped: Scraped,
    patience: Duration,
}

impl Monitor {
    fn new(sessions: Vec<Session>, access: Access, lent: Lent) -> Self {
        let sessions = Sessions::new(sessions);
        let counts = sessions.counts();
        Monitor {
            sessions,
            access,
            scrape: lent.scrape,
            intake: lent.intake,
            requests: Limit::new(REQUESTS.0, REQUESTS.1),
            changes: Limit::new(CHANGES.0, CHANGES.1),
            refusals: Limit::new(REFUSALS.0, REFUSALS.1),
            tellings: Limit::new(TELLINGS.0, TELLINGS.1),
            streams: Arc::new(Streams::new(counts)),
            answers: Answers::new(answers::ROOM),
            scraped: Scraped::default(),
            patience: PATIENCE,
        }
    }
}
