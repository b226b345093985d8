//! Scripts: from files to a Plan (`compile`), and from a Plan to functions that a shard can call (`machine`).
//!
//! The only floor that knows Rhai's engine. `bindings` are the names that users' code sees, `user` and `host` what those
//! names find when they are called, `guard` what keeps one script from hurting its neighbours.

mod alerts;
pub mod backoff;
pub(crate) mod bindings;
mod closures;
pub mod commons;
pub mod compile;
pub mod connect;
mod curve;
pub mod declare;
mod desk;
pub mod draft;
pub mod duration;
pub mod error;
mod feed_uses;
mod feeds;
mod fingerprint;
mod functions;
mod guard;
pub mod home;
pub mod host;
pub mod json;
mod life;
pub mod lint;
pub mod literal;
pub mod live;
pub mod machine;
pub mod max_rate;
mod metrics;
mod monitor;
mod objective;
mod observe;
pub mod overrides;
pub mod places;
pub mod reference;
pub mod ringing;
pub mod row;
mod scenarios;
pub mod settings;
pub mod source;
pub mod summary;
mod thresholds;
pub mod user;
mod work;
