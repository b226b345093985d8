//! `find_capacity(#{start, max, objective, …})`: the highest load at which an objective is met, found while the test runs.
//!
//! ```text
//!            ┌┐         target(t) = what the search says    while the test runs
//!         ┌──┘│ ┌┐ ┌──            = start                   as far as the plan knows
//!      ┌──┘   │┌┘└─┘
//!   ───┘      └┘        it rises by `step`, brackets, halves to `precision`, holds
//! ```
//!
//! The plan knows where it starts, that it never goes above `max`, and how long it lasts at most; it ends when there is an
//! answer. How it searches stands in [`Search`](crate::load::Search).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ShapeEntry;
use crate::load::{Arguments, Goal, Kind, Parameter, Shape, ShapeError, Steered, Steering};
use crate::units::duration;

const NAMES: &[&str] = &["start", "max", "objective", "step", "every", "precision", "hold"];

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "find_capacity",
    signature: "find_capacity(#{start, max, objective, …})",
    parameters: &[Parameter { name: "#{start, max, objective, …}", kind: Kind::Named }],
    method: false,
    summary: "Searches the highest load at which the objective is met: rises from `start`, at most to `max`, brackets, halves, holds.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let named = arguments.named(0, NAMES)?;
    let start = named.above("start", 0.0)?.ok_or_else(|| named.missing("start"))?;
    let max = named.above("max", start)?.ok_or_else(|| named.missing("max"))?;
    let objective = named.text("objective")?.ok_or_else(|| named.missing("objective"))?.to_owned();
    let mut goal = Goal::new(start, max, objective);
    let mut written = format!("start: {start}, max: {max}, objective: {:?}", goal.objective);
    if let Some(step) = named.above("step", 1.0)? {
        goal.step = step;
        written += &format!(", step: {step}");
    }
    if let Some(every) = named.time("every")? {
        goal.every = every;
        written += &format!(", every: {}", duration::print(every));
    }
    if let Some(precision) = named.above("precision", 0.0)? {
        goal.precision = precision;
        written += &format!(", precision: {precision}");
    }
    if let Some(hold) = named.time("hold")? {
        goal.hold = hold;
        written += &format!(", hold: {}", duration::print(hold));
    }
    let longest = goal.longest().ok_or(ShapeError::TooOften { times: goal.windows(), each: goal.every })?;
    Ok(Arc::new(FindCapacity { goal: Arc::new(goal), longest, written }))
}

#[derive(Debug)]
struct FindCapacity {
    goal: Arc<Goal>,
    /// How long it takes at most.
    longest: Duration,
    written: String,
}

impl Shape for FindCapacity {
    fn target(&self, elapsed: Duration) -> Option<f64> {
        (elapsed < self.longest).then_some(self.goal.start)
    }

    fn before(&self, _: Duration) -> f64 {
        self.goal.start
    }

    fn duration(&self) -> Option<Duration> {
        Some(self.longest)
    }

    fn peak(&self, _: Duration) -> f64 {
        self.goal.max
    }

    fn integral(&self, until: Duration) -> f64 {
        self.goal.start * until.min(self.longest).as_secs_f64()
    }

    fn steered(&self) -> Option<Steered> {
        Some(Steered {
            from: Duration::ZERO,
            until: Some(self.longest),
            how: Steering::Capacity(Arc::clone(&self.goal)),
        })
    }
}

impl fmt::Display for FindCapacity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "find_capacity(#{{{}}})", self.written)
    }
}
