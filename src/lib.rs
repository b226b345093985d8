//! punk: a load-testing engine for people who think in code.
//!
//! A Rhai script is compiled once into a [`plan::Plan`], plain data that can be printed. N identical shards (one thread,
//! one current-thread runtime, one script machine each) run it; each computes its own stripe of the load, so there is no
//! dispatcher. Virtual users are fibers on their shard and leave samples in its [`metrics::Recorder`] by plain memory
//! writes. Once per tick each shard hands its filled recorder to the collector, which merges, judges the thresholds and
//! publishes an immutable [`snapshot::Snapshot`]. Everything that looks at a run sees only Snapshots and may only send a
//! [`control::Command`].
//!
//! ```text
//! script ──script::compile──> Arc<Plan> ──> engine: shard 0..n ──Delta──> collector ──watch──> Arc<Snapshot>
//!                                                ^                                               │
//!                                                └──────────────── Command <── cli, report, progress
//! ```
//!
//! | floor | parts | knows |
//! |---|---|---|
//! | 6 door | [`cli`] | everything; `cli/run.rs` alone builds and takes down a run |
//! | 5 windows | [`api`], [`logfile`], [`progress`], [`prometheus`], [`report`], [`webhook`] | Snapshots; never the engine, never each other |
//! | 4 engine | [`engine`] | threads, and nothing above starts one |
//! | 3 script | [`script`] | Rhai |
//! | 2 protocol | [`protocol`] | sockets |
//! | 1 user | [`user`], [`timer`], [`events`] | fibers; the only `unsafe` of the crate; waking on time; what happens to the process |
//! | 0 ground | [`analysis`], [`clock`], [`control`], [`diagnostic`], [`expr`], [`feed`], [`load`], [`logs`], [`metrics`], [`plan`], [`printable`], [`roster`], [`snapshot`], [`store`], [`units`] | no tokio, no Rhai, no threads; time is an argument |
//!
//! A file imports its own floor's part and lower floors; `tests/house` enforces it. [`target`] stands beside the house:
//! it is the service that punk is tried against. `docs/architecture.md` says more.

// -- 6 door
pub mod cli;
// -- 5 windows
pub mod api;
pub mod logfile;
pub mod progress;
pub mod prometheus;
pub mod report;
pub mod webhook;
// -- 4 engine
pub mod engine;
// -- 3 script
pub mod script;
// -- 2 protocol
pub mod protocol;
// -- 1 user
pub mod events;
pub mod timer;
pub mod user;
// -- 0 ground
pub mod analysis;
pub mod clock;
pub mod control;
pub mod diagnostic;
pub mod expr;
pub mod feed;
pub mod load;
pub mod logs;
pub mod metrics;
pub mod plan;
pub mod printable;
pub mod roster;
pub mod snapshot;
pub mod store;
pub mod trail;
pub mod units;
// -- beside the house: the service that punk tests itself against
pub mod target;
