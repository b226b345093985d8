//! (in the making)

pub mod metric;

pub use metric::{BUILT_IN, MetricDef, MetricKind, Unit};
