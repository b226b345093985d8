//! Measuring: from a sample on a shard to the numbers that anyone may show.
//!
//! `metric` says what is measured, `tags` and `catalogue` name the series, `recorder` takes the samples, `cell`,
//! `trend` and `histogram` hold them, `history` keeps them second by second, `verdict`, `revision` and `delivery` say what rules,
//! edits and messages came to, `snapshot` is what the collector publishes. No threads and no clocks here: the engine moves these values
//! around.

pub mod catalogue;
pub mod cell;
pub mod delivery;
pub mod error_log;
pub mod histogram;
pub mod history;
pub mod metric;
pub mod recorder;
pub mod revision;
pub mod snapshot;
pub mod tags;
pub mod trend;
pub mod verdict;

pub use catalogue::{Catalogue, MetricId, MetricSpec, OTHER, SeriesId, SeriesKey, TagSetId, specs};
pub use cell::Cell;
pub use delivery::Delivery;
pub use error_log::{ErrorEntry, ErrorKey, ErrorLog};
pub use histogram::{Histogram, Resolution, Scale};
pub use history::{History, Sliding, Span, Window};
pub use metric::{BUILT_IN, MetricDef, MetricKind, SYSTEM_TAGS, Unit, built_in};
pub use recorder::{Delta, Recorder, RequestSample, RequestSeries, Sample, ScenarioDelta};
pub use revision::{Account, BrokenEdit, CodeRevision, Edition};
pub use snapshot::{Series, Snapshot};
pub use tags::TagSet;
pub use trend::Trend;
pub use verdict::{AlertEvent, AlertPhase, AlertState, Breach, Verdict};
