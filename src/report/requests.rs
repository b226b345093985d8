//! The account of all requests: what became of each, so that nothing is lost between us and a server's own count.

use super::operations::{Operation, request_metric};
use crate::metrics::Cell;
use crate::snapshot::Snapshot;

/// `total = answered + failed after sending + interrupted + never sent (+ status not kept)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Requests {
    /// All requests of the scenarios.
    pub total: u64,
    /// Those that got a status.
    pub answered: u64,
    /// Those that were written, at least in part, and got none.
    pub failed_after_sending: u64,
    /// Those that we cut short ourselves at the end of their user.
    pub interrupted: u64,
    /// Those that ended before anything was written: no server can have counted them.
    pub unsent: u64,
    /// Those regrouped past the cap of tag sets, whose status was not kept.
    pub statusless: u64,
    /// Setup, teardown and the like, in order of first sight; not in the numbers above.
    pub apart: Vec<Apart>,
}

/// Requests and checks outside the scenarios.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Apart {
    /// The `phase` tag: `setup`, `teardown`.
    pub phase: String,
    /// Requests.
    pub requests: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Those of them that were never sent.
    pub unsent: u64,
    /// Checks that passed.
    pub passes: u64,
    /// Checks that failed.
    pub fails: u64,
}

impl Requests {
    /// The account of a Snapshot whose operations are these.
    pub(super) fn new(snapshot: &Snapshot, operations: &[Operation<'_>]) -> Self {
        let mut all = Operation::default();
        operations.iter().for_each(|operation| all.count(operation));
        let answered = all.status.iter().filter(|(status, _)| **status != 0).map(|(_, count)| count).sum();
        let statusless = all.statusless.saturating_sub(all.unsent_without_status(operations));
        let known = answered + all.interrupted + all.unsent + statusless;
        Requests {
            total: all.requests,
            answered,
            failed_after_sending: all.requests.saturating_sub(known),
            interrupted: all.interrupted,
            unsent: all.unsent,
            statusless,
            apart: apart(snapshot),
        }
    }
}

impl Operation<'_> {
    fn unsent_without_status(&self, operations: &[Operation<'_>]) -> u64 {
        operations.iter().filter(|operation| operation.statusless > 0).map(|operation| operation.unsent).sum()
    }
}

fn apart(snapshot: &Snapshot) -> Vec<Apart> {
    let mut all: Vec<Apart> = Vec::new();
    for series in snapshot.series.iter().filter(|series| !series.cell.is_empty()) {
        let Some(phase) = series.tags.get("phase") else { continue };
        let at = all.iter().position(|apart| apart.phase == phase).unwrap_or_else(|| {
            all.push(Apart { phase: phase.to_owned(), ..Apart::default() });
            all.len() - 1
        });
        let apart = &mut all[at];
        match (request_metric(snapshot, series), &series.cell) {
            (Some("http_reqs"), Cell::Counter { sum, .. }) => apart.requests += *sum as u64,
            (Some("http_reqs_unsent"), Cell::Counter { sum, .. }) => apart.unsent += *sum as u64,
            (Some("http_req_failed"), Cell::Rate { passes, .. }) => apart.errors += passes,
            (None, Cell::Rate { passes, total }) if series.tags.get("check").is_some() => {
                apart.passes += passes;
                apart.fails += total - passes;
            }
            _ => {}
        }
    }
    all.retain(|apart| apart.requests + apart.passes + apart.fails > 0);
    all
}
