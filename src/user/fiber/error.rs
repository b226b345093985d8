//! How a fiber ends when it ends badly: plain data for whoever polled it.
//!
//! Made by `fiber.rs`, read by `engine/` and `script/`. It does not know what a script is.

use std::any::Any;

use crate::user::cancel::CancelReason;

/// Why a fiber ended without a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FiberError {
    /// The body panicked; its destructors ran.
    #[error("panicked: {0}")]
    Panicked(String),
    /// The body ran over the end of its stack and was cut off there: **no destructor ran**. Whatever it held stays
    /// held (a `RefCell` borrowed, an `Rc` counted, a lock taken), so the caller must discard everything that the
    /// body could have been changing: its engine, scope and user state, the connections of that user; and call the
    /// run's result suspect. The stack is not used again.
    #[error("ran out of its {stack_bytes} bytes of stack")]
    Overflow {
        /// Usable bytes that the stack had.
        stack_bytes: usize,
    },
    /// Cancelled before its first poll: the body never ran.
    #[error("{0} before it began")]
    NotStarted(CancelReason),
}

/// The text of a panic.
pub(super) fn message_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a value that is no text".to_owned(),
    }
}
