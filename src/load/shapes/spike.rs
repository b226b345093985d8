//! `spike(base, peak, #{after, rise, hold, fall})`: a calm, a climb, a summit and the way back.
//!
//! ```text
//! peak         ┌────┐            target(t) = base                            t < after
//!             ╱      ╲                       base + (peak − base) · …        for rise
//! base  ─────╱        ╲                      peak                            for hold
//!       after rise hold fall                 peak − (peak − base) · …        for fall
//! ```
//!
//! Only `hold` must be given. Without `rise` or `fall` that side is a jump.

use std::sync::Arc;

use super::ShapeEntry;
use super::path::Path;
use crate::load::{Arguments, Kind, Parameter, Shape, ShapeError};
use crate::units::duration;

const NAMES: [&str; 4] = ["after", "rise", "hold", "fall"];

pub(super) const ENTRY: ShapeEntry = ShapeEntry {
    name: "spike",
    signature: "spike(base, peak, #{after, rise, hold, fall})",
    parameters: &[
        Parameter { name: "base", kind: Kind::Value },
        Parameter { name: "peak", kind: Kind::Value },
        Parameter { name: "#{after, rise, hold, fall}", kind: Kind::Times },
    ],
    method: false,
    summary: "Stays at base for `after`, goes up over `rise`, stays at peak for `hold`, comes down over `fall`.",
    build,
};

fn build(arguments: Arguments<'_>) -> Result<Arc<dyn Shape>, ShapeError> {
    let (base, peak, times) = (arguments.value(0)?, arguments.value(1)?, arguments.times(2, &NAMES)?);
    let [after, rise, hold, fall] = NAMES.map(|name| times.get(name).unwrap_or_default());
    if hold.is_zero() {
        return Err(ShapeError::NoTime { signature: ENTRY.signature, parameter: "hold" });
    }
    let given = NAMES.iter().filter_map(|name| Some(format!("{name}: {}", duration::print(times.get(name)?))));
    let written = format!("spike({base}, {peak}, #{{{}}})", given.collect::<Vec<_>>().join(", "));
    Ok(Arc::new(Path::new(base, &[(after, base), (rise, peak), (hold, peak), (fall, base)], written)?))
}
