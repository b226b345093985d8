//! The words that may stand in a field, for the contract: the code that says them lies elsewhere, so a test holds both together.

/// Where a run is.
pub(in crate::api) const STATUSES: [&str; 9] =
    ["starting", "warmup", "ramping", "running", "paused", "stopping", "completed", "failed", "cancelled"];
/// What it would come to.
pub(in crate::api) const VERDICTS: [&str; 3] = ["passed", "failed", "invalid"];
/// How load becomes iterations.
pub(in crate::api) const MODELS: [&str; 4] = ["users", "rate", "iterations", "iterations_per_user"];
/// What breaking a threshold means.
pub(in crate::api) const MEANINGS: [&str; 2] = ["fail", "warn"];
/// How bad an alert is.
pub(in crate::api) const SEVERITIES: [&str; 4] = ["info", "warning", "error", "critical"];
/// Where an alert is.
pub(in crate::api) const PHASES: [&str; 4] = ["quiet", "pending", "firing", "resolved"];
/// The states of a ringing: it goes on, or it is over.
pub(in crate::api) const RINGS: [&str; 2] = ["firing", "resolved"];
/// What a metric is.
pub(in crate::api) const KINDS: [&str; 4] = ["counter", "gauge", "rate", "trend"];
/// What its numbers are.
pub(in crate::api) const UNITS: [&str; 4] = ["time", "data", "share", "plain"];

/// How grave an entry of the log is, from the mildest.
pub(in crate::api) const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
/// What an entry of the log is about.
pub(in crate::api) const SOURCES: [&str; 8] =
    ["script", "run", "change", "edit", "alert", "threshold", "generator", "process"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::AlertSeverity;
    use crate::logs::{Level, Source};
    use crate::metrics::{MetricKind, Unit};
    use crate::snapshot::AlertPhase;

    #[test]
    fn they_are_the_words_of_the_code() {
        use AlertPhase::{Firing, Pending, Quiet, Resolved};
        assert_eq!(AlertSeverity::ALL.map(AlertSeverity::word), SEVERITIES);
        assert_eq!([Quiet, Pending, Firing, Resolved].map(AlertPhase::word), PHASES);
        let kinds = [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate, MetricKind::Trend];
        assert_eq!(kinds.map(MetricKind::word), KINDS);
        assert_eq!(Level::ALL.map(Level::word), LEVELS);
        use Source::{Alert, Change, Edit, Generator, Process, Run, Script, Threshold};
        assert_eq!([Script, Run, Change, Edit, Alert, Threshold, Generator, Process].map(Source::word), SOURCES);
        assert_eq!([Unit::Time, Unit::Data, Unit::Share, Unit::Plain].map(Unit::word), UNITS);
    }
}
