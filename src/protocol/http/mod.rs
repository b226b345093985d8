//! HTTP as users need it: one [`Client`] per virtual user, with exact phases and bytes.
//!
//! Called by the script floor, which binds the Rhai names and records metrics from the [`Exchange`]s it is given; this folder knows
//! neither. Everything is `!Send` and lives on one shard: state common to its users in [`Shared`], a user's own (connections,
//! cookies, TLS sessions) in [`Client`].
//!
//! Decided here:
//! - **No retries.** A request is sent anew on another connection only when the first one was found closed before a single byte was
//!   written. If the server closes an idle connection in the very moment we write to it, that is `reset_before_headers`.
//! - **Past the redirect cap** the last answer is returned as it is (k6), with the error `redirect_loop` (k6 only logs).
//! - **Bytes** are those of the socket, TLS and handshakes included; the first request of a connection carries its handshake.

mod abandoned;
pub mod body;
mod chunked;
mod classify;
pub mod client;
mod connection;
pub mod cookies;
mod deadline;
pub mod exchange;
mod head;
pub mod headers;
mod hop;
pub mod multipart;
pub mod options;
mod over_h1;
mod over_h2;
mod pool;
pub mod redirect;
mod reply;
pub mod request;
pub mod shared;
pub mod target;

#[cfg(test)]
mod tests;

pub use abandoned::Abandoned;
pub use body::{Body, DecodeError};
pub use client::Client;
pub use cookies::Jar;
pub use exchange::{Exchange, Timings};
pub use headers::Headers;
pub use multipart::{Form, Part, multipart};
pub use options::{HttpOptions, Timeouts, Version};
pub use request::{Request, basic_auth, bearer_auth};
pub use shared::Shared;
pub use target::{Authority, Target, TargetError};
