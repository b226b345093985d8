//! The report: what a run says when it is over, for people and for programs.
//!
//! Called by the door with the Plan, the last Snapshot and the [`Facts`] that only the door knows. It reads nothing else, so
//! that it can never disagree with another window; it measures nothing and decides nothing: verdict and exit code are
//! among the Facts.
//!
//! | for | made by |
//! |---|---|
//! | people, at the end of a run | [`text()`] |
//! | programs, `--summary` and `--json` | [`Summary`], [`write_summary`] (schema: `docs/summary.schema.json`) |
//! | programs and people, downloaded from the monitor | [`csv()`], [`html()`], [`junit()`] |
//! | `punk check`, `punk check --json` | [`plan_text`], [`plan_json`], [`diagnostics_json`] |
//! | `punk shapes`, `punk shapes --json` | [`shapes_text`], [`shapes_json`] |
//! | the book | [`metrics_page`] (`docs/reference/metrics.md`) |

mod arrivals;
mod checks;
mod csv;
mod diagnostics;
mod errors;
mod facts;
mod figures;
mod html;
mod interventions;
mod junit;
mod markup;
mod operations;
mod page;
mod plan;
mod plan_rules;
mod plan_wire;
mod reference;
mod requests;
mod shapes;
mod summary;
mod text;
mod write;

#[cfg(test)]
mod sample;

pub use self::csv::csv;
pub use diagnostics::diagnostics_json;
pub use facts::{Facts, HookError, Outcome, Reason, Stopped};
pub use html::html;
pub use interventions::intervention;
pub use junit::junit;
pub use page::Style;
pub use plan::plan_text;
pub use plan_wire::{PlanWire, plan_json};
pub use reference::metrics_page;
pub use shapes::{shapes_json, shapes_text};
pub use summary::{SCHEMA_VERSION, Summary};
pub use text::text;
pub use write::{write_summary, write_text};
