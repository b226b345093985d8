//! (in the making)

pub mod metric;

pub use metric::{BUILT_IN, MetricDef, MetricKind, SYSTEM_TAGS, Unit, built_in};
