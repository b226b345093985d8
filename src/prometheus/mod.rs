//! The run as Prometheus reads it: a [`Snapshot`] becomes the answer to one scrape.
//!
//! Called by whoever serves `/metrics`, with the `Accept` header of the scraper turned into a [`Format`]. It reads the
//! Snapshot and nothing else, keeps nothing between two scrapes, and knows neither sockets nor HTTP; what measures does
//! not know it. `state` is what punk says of the run, `monitor` of who asks, `measured` its metrics; all are `family`s, which `classic` and
//! `client` (the maintained client library) write.

mod buckets;
mod classic;
mod client;
mod family;
mod format;
mod measured;
mod monitor;
mod name;
#[cfg(test)]
mod sample;
mod sessions;
mod state;
#[cfg(test)]
mod strict;
#[cfg(test)]
mod tests;

pub use format::Format;

use crate::snapshot::{Served, Snapshot};

/// How many time series of the run's metrics one answer has at most, each bucket of a histogram counted. What punk says
/// of the run itself (scenarios, thresholds, alerts, its own health) is beside it, being bounded by the script.
pub const MOST_SERIES: usize = 100_000;

/// The whole answer to a scrape of one run. Its `Content-Type` is [`Format::content_type`].
pub fn render(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    render_sessions(&[(None, snapshot)], None, format, MOST_SERIES)
}

/// The answer of all runs of a process: each with its name, which is the label `session` of all its series; a run by itself
/// has none. `most` is the limit in place of [`MOST_SERIES`], of which each run has its even share, so that none pushes out
/// another's. What comes first in a run stays, what does not fit any more is left out as a whole series of the Snapshot, and
/// counted in `punk_scrape_series_left_out`. What the monitor has `served` stands behind all runs, once.
pub fn render_sessions(
    runs: &[(Option<&str>, &Snapshot)],
    served: Option<&Served>,
    format: Format,
    most: usize,
) -> Vec<u8> {
    let mut names = name::Names::default();
    let mut families = sessions::Families::default();
    let native = format == Format::Protobuf;
    let most = most / runs.len().max(1);
    for (session, snapshot) in runs {
        names.next_run();
        families.add(*session, state::families(snapshot, &mut names));
        let measured = measured::families(snapshot, &mut names, most, native);
        families.add(*session, measured.families);
        families.add(*session, state::scrape(measured.series, measured.left_out));
    }
    families.add(None, served.into_iter().flat_map(monitor::families));
    let families = families.whole();
    match format {
        Format::Classic => classic::text(&families).into_bytes(),
        Format::OpenMetrics => client::open_metrics(families).into_bytes(),
        Format::Protobuf => client::protobuf(families),
    }
}
