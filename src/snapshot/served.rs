//! What the monitor of a process does for those who ask it, counted: who listens, and who was refused.
//!
//! No part of a Snapshot, since it is of the process and not of a run: told by the monitor to whoever shows it.

/// Counts of one monitor since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// Clients of streams now.
    pub clients: u64,
    /// Clients so far.
    pub opened: u64,
    /// Clients that were dropped because they were too slow or silent.
    pub dropped: u64,
    /// Clients that found no room.
    pub refused: u64,
    /// Messages that were made, each once, however many clients it has.
    pub messages_made: u64,
    /// Messages that were sent, each to one client.
    pub messages_sent: u64,
    /// Requests that were too many: they were answered 429.
    pub requests_refused: u64,
    /// Connections that were too many: they were answered 503.
    pub connections_refused: u64,
}
