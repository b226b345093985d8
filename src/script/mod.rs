//! (in the making)

pub mod lint;
