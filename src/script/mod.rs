//! Scripts: from files to a Plan (`compile`), and from a Plan to functions that a shard can call (`machine`).
//!
//! The only floor that knows Rhai's engine. `bindings` are the names that users' code sees, `user` and `host` what those
//! names find when they are called, `guard` what keeps one script from hurting its neighbours.

pub(crate) mod bindings;
pub mod compile;
pub mod connect;
pub mod declare;
mod desk;
pub mod duration;
pub mod error;
mod guard;
pub mod home;
pub mod host;
pub mod json;
pub mod lint;
pub mod literal;
pub mod machine;
pub mod max_rate;
pub mod overrides;
pub mod places;
pub mod reference;
mod scenarios;
pub mod settings;
pub mod source;
pub mod summary;
mod thresholds;
pub mod user;
mod work;
