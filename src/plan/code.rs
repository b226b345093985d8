//! What of a script is code, as fingerprints: by them an edit of a rule or of a load is told apart from one of a function.
//!
//! Made by `script::fingerprint` with the Plan, compared by [`edit`](super::edit). It knows neither scripts nor edits.

use std::collections::BTreeMap;

/// The code of a script, part by part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Code {
    /// SHA-256 over all parts, lowercase hex; empty for a Plan that no script made. Another text with the same code needs no
    /// new Machine for its users.
    pub hash: String,
    /// What each part is called by people (`fn browse`, `const PAGES`, `fn login in lib/auth.rhai`), with the SHA-256 of it.
    pub parts: BTreeMap<String, String>,
    /// The same of closures that rules ask, by their statement: `threshold tail`, `alert slow`. In no hash of the above.
    pub asked: BTreeMap<String, String>,
    /// The same of the closures that steer a load (`adaptive`), by their statement: `scenario browse`. No user asks them, and
    /// they never change in a run.
    pub steering: BTreeMap<String, String>,
}

impl Code {
    /// Whether the closure that steers the load of a scenario may be another one. One that stands outside of scenarios may
    /// be that of any.
    pub(super) fn steers_otherwise(&self, other: &Code, scenario: &str) -> bool {
        let own = format!("scenario {scenario}");
        let may_be = |label: &String| *label == own || !label.starts_with("scenario ");
        let of = |code: &Code| -> Vec<(String, String)> {
            let all = code.steering.iter().map(|(label, hash)| (label.clone(), hash.clone()));
            all.filter(|(label, _)| may_be(label)).collect()
        };
        of(self) != of(other)
    }
}
