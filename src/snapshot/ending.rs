//! How a run ends, or would if it ended now: what speaks against it beside thresholds and the generator's health.
//!
//! Written by the engine as it happens, read by the door, which makes exit code, reasons and verdict of it.

use crate::control::Author;
use crate::plan::ScriptError;

/// What there is so far by which the end of a run is judged, beside its figures: facts, from which the door chooses the exit code.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// A shard could not be built: the script's top level is not the same twice, or no fiber could be made.
    pub refused: Option<ScriptError>,
    /// A bug of ours: a thread panicked.
    pub bug: Option<String>,
    /// An internal failure: the system refused a thread, a runtime, a stack.
    pub broken: Option<String>,
    /// `setup` or `teardown` raised an error.
    pub failed_hook: Option<(&'static str, ScriptError)>,
    /// `setup` did not end in time.
    pub setup_timeout: bool,
    /// `teardown` did not end in time.
    pub teardown_timeout: bool,
    /// The first Stop: who and why.
    pub stopped: Option<(Author, String)>,
    /// A Kill: interrupted at once.
    pub killed: bool,
    /// What `mark_failed` said first.
    pub marked_failed: Option<String>,
}
