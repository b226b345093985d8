//! The main script's home: the runtime state in which its closures see its constants and imports.
//!
//! Made and kept by the machine, asked wherever a native function calls a closure that a script gave to it.

use rhai::{FnPtr, GlobalRuntimeState, NativeCallContext};
use rustc_hash::FxHashSet;

/// Where the main script's closures are at home: when a *library* function hands one to a native, that native's context
/// carries the library's constants and imports, and `global::NAME` would not be found.
pub struct Home {
    state: GlobalRuntimeState,
    own: FxHashSet<String>,
    main: String,
}

impl Home {
    /// Of a machine: its sealed state, the names of the main script's functions, the main script's path.
    pub fn new(state: GlobalRuntimeState, own: FxHashSet<String>, main: String) -> Self {
        Home { state, own, main }
    }

    /// The state itself.
    pub fn sealed(&self) -> &GlobalRuntimeState {
        &self.state
    }

    /// Whether a closure of the main script is about to be called in the context of another file.
    pub fn must_lend(&self, context: &NativeCallContext<'_>, closure: &FnPtr) -> bool {
        context.call_source().is_some_and(|source| source != self.main) && self.own.contains(closure.fn_name())
    }

    /// The main script's state at the depth, and with the count of operations, of the calling context.
    pub fn state(&self, context: &NativeCallContext<'_>) -> GlobalRuntimeState {
        let here = context.global_runtime_state();
        let mut state = self.state.clone();
        state.tag = here.tag.clone();
        state.level = here.level;
        state.num_operations = here.num_operations;
        state
    }
}
