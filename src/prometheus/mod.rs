//! The run as Prometheus reads it: a [`Snapshot`] becomes the answer to one scrape.
//!
//! Called by whoever serves `/metrics`, with the `Accept` header of the scraper turned into a [`Format`]. It reads the
//! Snapshot and nothing else, keeps nothing between two scrapes, and knows neither sockets nor HTTP; what measures does
//! not know it. `state` is what punk says of the run, `measured` its metrics; both are `family`s, which `classic` and
//! `client` (the maintained client library) write.

mod buckets;
mod classic;
mod client;
mod family;
mod format;
mod measured;
mod name;
#[cfg(test)]
mod sample;
mod state;
#[cfg(test)]
mod strict;
#[cfg(test)]
mod tests;

pub use format::Format;

use crate::snapshot::Snapshot;

/// How many time series of the run's metrics one answer has at most, each bucket of a histogram counted. What punk says
/// of the run itself (scenarios, thresholds, alerts, its own health) is beside it, being bounded by the script.
pub const MOST_SERIES: usize = 100_000;

/// The whole answer to a scrape. Its `Content-Type` is [`Format::content_type`].
pub fn render(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    render_at_most(snapshot, format, MOST_SERIES)
}

/// [`render`] with another limit than [`MOST_SERIES`]. What comes first in the run stays, what does not fit any more is
/// left out as a whole series of the Snapshot, and counted in `punk_scrape_series_left_out`.
pub fn render_at_most(snapshot: &Snapshot, format: Format, most: usize) -> Vec<u8> {
    let mut names = name::Names::default();
    let mut families = state::families(snapshot, &mut names);
    let native = format == Format::Protobuf;
    let measured = measured::families(snapshot, &mut names, most, native);
    families.extend(measured.families);
    families.extend(state::scrape(measured.series, measured.left_out));
    match format {
        Format::Classic => classic::text(&families).into_bytes(),
        Format::OpenMetrics => client::open_metrics(families).into_bytes(),
        Format::Protobuf => client::protobuf(families),
    }
}
