//! Measuring: from a sample on a shard to the numbers that anyone may show.
//!
//! `metric` says what is measured, `tags` and `catalogue` name the series, `recorder` takes the samples, `cell`,
//! `trend` and `histogram` hold them, `history` keeps them second by second, `account` tells the revisions of the code apart,
//! `connections` counts them.
//! No threads and no clocks here: the engine moves these values around.

pub mod account;
mod bins;
pub mod catalogue;
pub mod cell;
pub mod connections;
mod counts;
pub mod error_log;
pub mod histogram;
pub mod history;
pub mod metric;
pub mod recorder;
pub mod tags;
pub mod trend;

pub use account::Account;
pub use catalogue::{Catalogue, MetricId, MetricSpec, OTHER, SeriesId, SeriesKey, TagSetId, specs};
pub use cell::Cell;
pub use connections::{ConnectionCounts, Connections, Proto};
pub use error_log::{Category, ErrorEntry, ErrorKey, ErrorLog, Occurrence, PatternEntry, RecentError, Tally, Timeline};
pub use histogram::{Histogram, Resolution, Scale};
pub use history::{History, Sliding, Span, Window};
pub use metric::{BUILT_IN, MetricDef, MetricKind, SYSTEM_TAGS, Unit, built_in};
pub use recorder::{Delta, Recorder, RequestSample, RequestSeries, Sample, ScenarioDelta};
pub use tags::TagSet;
pub use trend::Trend;
