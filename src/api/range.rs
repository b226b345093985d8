//! The parameter `range`: how much of the end of a run is looked at.

use super::query::{Parameter, Query};
use std::time::Duration;

/// `range=1h`.
pub(super) const RANGE: Parameter =
    Parameter::choice("range", "how far back; at most to the begin of the run", &["1h", "6h", "24h", "7d"], Some("1h"));

/// The range of a request: its word and its length.
pub(super) fn range(query: &Query) -> (&str, Duration) {
    let word = query.text(RANGE.name).unwrap_or("1h");
    let hours = match word {
        "6h" => 6,
        "24h" => 24,
        "7d" => 7 * 24,
        _ => 1,
    };
    (word, Duration::from_secs(hours * 3_600))
}
