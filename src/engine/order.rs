//! What the coordinator tells the shards, and what they tell it.

use super::code::Swap;
use crate::clock::RunClock;
use crate::load::Shape;
use crate::script::error::ScriptError;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// What the coordinator tells a shard.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// Run `setup` and tell its value.
    Setup,
    /// Run the scenarios.
    Start { clock: RunClock, data: Arc<Value> },
    /// The run's clock reads differently from now on: it stands still, or goes on.
    Clock(RunClock),
    /// Another target for one scenario, from a run time on; without a shape, its plan's again.
    Scale { scenario: usize, at: Duration, shape: Option<Arc<dyn Shape>> },
    /// The script was edited: from now on another Plan holds.
    Swap(Arc<Swap>),
    /// No new iterations of one scenario; cancel what is left of it after the graceful stop.
    End { scenario: usize },
    /// No new iterations; cancel what is left after the graceful stop.
    Drain,
    /// Cancel everything now.
    Kill,
    /// Run `teardown`.
    Teardown { data: Arc<Value> },
    /// Hand in what is left and end.
    Finish,
}

/// What a shard tells the coordinator.
#[derive(Debug)]
pub(super) enum ShardEvent {
    /// The Machine stands.
    Ready,
    /// It could not be built.
    Refused(ScriptError),
    /// `setup` or `teardown` returned, or raised an error.
    Hook(Result<Arc<Value>, ScriptError>),
    /// `setup` or `teardown` was ended from outside.
    HookEnded,
    /// All users of all scenarios have ended, so many edits of the run having been heard of.
    Done(usize),
    /// The Machine of an edit could not be built: the old one goes on.
    Unfit(ScriptError),
    /// Something of ours broke.
    Broken(String),
}
