//! Checks: one row per name and group, in order of first execution. Those of setup and teardown stand apart.

use crate::metrics::Cell;
use crate::snapshot::Snapshot;

/// How often one check passed and failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Check {
    /// Its name.
    pub name: String,
    /// The path of its group, `::outer::inner`; empty outside groups.
    pub group: String,
    /// How often it passed.
    pub passes: u64,
    /// How often it failed.
    pub fails: u64,
}

/// All checks of the scenarios.
pub(super) fn checks(snapshot: &Snapshot) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for series in snapshot.series_of("checks").filter(|series| series.tags.get("phase").is_none()) {
        let Cell::Rate { passes, total } = series.cell else { continue };
        if total == 0 {
            continue;
        }
        // Past the cap of tag sets a check is known by its group of the rest only.
        let name = series.tags.get("check").or(series.tags.get("name")).unwrap_or("");
        let group = series.tags.get("group").unwrap_or("");
        let at = checks.iter().position(|check| check.name == name && check.group == group).unwrap_or_else(|| {
            checks.push(Check { name: name.to_owned(), group: group.to_owned(), ..Check::default() });
            checks.len() - 1
        });
        checks[at].passes += passes;
        checks[at].fails += total - passes;
    }
    checks
}

/// `::outer::inner` for people: `outer / inner`.
pub(super) fn group_path(group: &str) -> String {
    group.trim_start_matches("::").replace("::", " / ")
}
