//! The text report: the end summary that a person reads, verdict first.
//!
//! Each section is a file's function that writes itself to the page, or nothing when it has nothing to say.

mod alerts;
mod arrivals;
mod custom;
mod edits;
mod errors;
mod health;
mod machine;
mod operations;
mod phases;
mod scenarios;
mod thresholds;
mod verdict;

use super::facts::Facts;
use super::page::{Page, Style};
use crate::plan::Plan;
use crate::snapshot::Snapshot;
use crate::units::human;
use std::time::Duration;

/// The end summary, ending with a newline. Never fails: what has no value reads `–`.
pub fn text(plan: &Plan, snapshot: &Snapshot, facts: &Facts, style: Style) -> String {
    let mut page = Page::new(style);
    let operations = super::operations::operations(snapshot);
    verdict::head(&mut page, plan, snapshot, facts);
    thresholds::table(&mut page, snapshot);
    alerts::list(&mut page, snapshot, &facts.deliveries);
    verdict::checks(&mut page, snapshot);
    operations::table(&mut page, snapshot, &operations);
    arrivals::blocks(&mut page, plan, snapshot, facts);
    operations::account(&mut page, snapshot, &operations);
    phases::table(&mut page, snapshot);
    phases::groups(&mut page, snapshot);
    scenarios::list(&mut page, plan, snapshot);
    edits::list(&mut page, snapshot);
    edits::code(&mut page, snapshot);
    super::interventions::list(&mut page, snapshot);
    custom::tables(&mut page, plan, snapshot);
    errors::list(&mut page, snapshot);
    machine::table(&mut page, snapshot);
    health::section(&mut page, snapshot, facts);
    page.finish()
}

/// `1 request`, `2 requests`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// `once`, `twice`, `3 times`.
fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// A run time to a tenth of a second.
fn at(time: Duration) -> String {
    human::duration(Duration::from_millis(time.as_millis() as u64 / 100 * 100))
}

#[cfg(test)]
mod tests;
