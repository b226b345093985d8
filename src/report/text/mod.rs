//! The text report: the end summary that a person reads, verdict first.
//!
//! Each section is a file's function that writes itself to the page, or nothing when it has nothing to say.

mod arrivals;
mod custom;
mod errors;
mod health;
mod operations;
mod phases;
mod scenarios;
mod verdict;

use super::facts::Facts;
use super::page::{Page, Style};
use crate::metrics::Snapshot;
use crate::plan::Plan;

/// The end summary, ending with a newline. Never fails: what has no value reads `–`.
pub fn text(plan: &Plan, snapshot: &Snapshot, facts: &Facts, style: Style) -> String {
    let mut page = Page::new(style);
    let operations = super::operations::operations(snapshot);
    verdict::head(&mut page, plan, snapshot, facts);
    verdict::thresholds(&mut page, snapshot);
    verdict::checks(&mut page, snapshot);
    operations::table(&mut page, snapshot, &operations);
    arrivals::blocks(&mut page, plan, snapshot, facts);
    operations::account(&mut page, snapshot, &operations);
    phases::table(&mut page, snapshot);
    phases::groups(&mut page, snapshot);
    scenarios::list(&mut page, plan, snapshot);
    super::interventions::list(&mut page, snapshot);
    custom::tables(&mut page, plan, snapshot);
    errors::list(&mut page, snapshot);
    health::section(&mut page, snapshot, facts);
    page.finish()
}

/// `1 request`, `2 requests`.
fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests;
