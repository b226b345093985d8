//! Errors, folded once more for the report: one row per type, code and place, with the operations that had it.

use crate::metrics::{ErrorEntry, ErrorKey, ErrorLog};
use std::time::Duration;

/// One kind of error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Error {
    /// The category: `timeout`, `refused`, `http`, `script`, …
    pub kind: String,
    /// k6's error code, 0 where there is none.
    pub code: u16,
    /// `file:line:column` for script errors, else empty.
    pub place: String,
    /// How many.
    pub count: u64,
    /// One message: that of the operation that had most.
    pub sample: String,
    /// The operations (for script errors the scenarios) that had it, most first.
    pub operations: Vec<(String, u64)>,
    /// Run time of the first.
    pub first: Duration,
    /// Run time of the last.
    pub last: Duration,
}

/// All errors, most frequent first. Failed checks are no errors: they are listed with the checks.
pub(super) fn errors(log: &ErrorLog) -> Vec<Error> {
    let mut rows: Vec<Error> = Vec::new();
    for (key, entry) in log.sorted() {
        if key.kind == "check" {
            continue;
        }
        let same = |row: &Error| row.kind == key.kind && row.code == key.code && row.place == key.place;
        match rows.iter().position(same) {
            Some(at) => add(&mut rows[at], key, entry),
            None => rows.push(Error {
                kind: key.kind.clone(),
                code: key.code,
                place: key.place.clone(),
                count: entry.count,
                sample: entry.sample.clone(),
                operations: vec![(key.operation.clone(), entry.count)],
                first: entry.first,
                last: entry.last,
            }),
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

fn add(row: &mut Error, key: &ErrorKey, entry: &ErrorEntry) {
    row.count += entry.count;
    row.first = row.first.min(entry.first);
    row.last = row.last.max(entry.last);
    match row.operations.iter_mut().find(|(operation, _)| *operation == key.operation) {
        Some((_, count)) => *count += entry.count,
        None => row.operations.push((key.operation.clone(), entry.count)),
    }
}
