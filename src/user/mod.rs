//! Floor 1: virtual users as fibers.
//!
//! Used by `protocol/` (natives that wait), `script/` (the machine that runs Rhai on a fiber) and `engine/` (which
//! polls fibers). It knows tokio, but neither Rhai nor any protocol.

pub mod cancel;
pub mod fiber;
pub mod stack;
pub mod vu;

pub use cancel::{CancelHandle, CancelReason, Cancelled};
pub use fiber::{Fiber, FiberError, StackPool};
pub use stack::{Guard, StackError, StackOptions, stack_limit};
pub use vu::{VirtualUser, named_seed};
