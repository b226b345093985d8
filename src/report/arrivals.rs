//! The open model's account of one scenario: what was due, what became of it, and what the plain figures do not know.
//!
//! Read from the Snapshot for text and JSON alike. It decides when the difference between plain figures and those that
//! count from the slot is worth a sentence; it words nothing.

use super::figures::{statistic, trend};
use crate::metrics::Trend;
use crate::plan::{Late, Scenario, Work};
use crate::snapshot::ScenarioState;
use crate::snapshot::Snapshot;

/// Arrivals of one scenario: `due = started + dropped + waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrivals {
    /// Due so far.
    pub due: u64,
    /// Those that started an iteration.
    pub started: u64,
    /// Those that were dropped: at once, or when their load ended.
    pub dropped: u64,
    /// Those that wait for a user now.
    pub waiting: u64,
    /// The most users that the scenario may take.
    pub max_users: u32,
    /// What becomes of those that find all users busy.
    pub late: Late,
}

impl Arrivals {
    /// The account; `None` where the load is not open.
    pub(super) fn of(scenario: &Scenario, state: &ScenarioState) -> Option<Self> {
        let Work::Arrivals { max_users, late, .. } = scenario.work else { return None };
        Some(Arrivals {
            due: state.arrivals,
            started: state.arrivals.saturating_sub(state.dropped + state.waiting),
            dropped: state.dropped,
            waiting: state.waiting,
            max_users,
            late,
        })
    }
}

/// The distributions of one scenario in the open model, each with and without what came before the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    /// `http_req_duration`.
    pub request: Option<Trend>,
    /// `http_req_scheduled_duration`: first requests of iterations, from their slots.
    pub scheduled_request: Option<Trend>,
    /// `iteration_duration`.
    pub iteration: Option<Trend>,
    /// `iteration_scheduled_duration`.
    pub scheduled_iteration: Option<Trend>,
    /// `iteration_lateness`.
    pub lateness: Option<Trend>,
    /// `iteration_lateness_censored`: how long those had waited that never started.
    pub censored: Option<Trend>,
}

impl Waits {
    /// Those of a scenario.
    pub(super) fn of(snapshot: &Snapshot, scenario: &str) -> Self {
        let of = |metric: &str| {
            let merged = snapshot.merged(metric, true, false, |tags| tags.get("scenario") == Some(scenario));
            trend(merged).filter(|trend| trend.count() > 0)
        };
        Waits {
            request: of("http_req_duration"),
            scheduled_request: of("http_req_scheduled_duration"),
            iteration: of("iteration_duration"),
            scheduled_iteration: of("iteration_scheduled_duration"),
            lateness: of("iteration_lateness"),
            censored: of("iteration_lateness_censored"),
        }
    }

    /// The first statistic at which the plain figures hide waiting; requests where there are any, else iterations.
    pub(super) fn hidden(&self) -> Option<Hidden> {
        let requests = self.request.as_ref().zip(self.scheduled_request.as_ref());
        let what = if requests.is_some() { "requests" } else { "iterations" };
        let (plain, scheduled) = requests.or(self.iteration.as_ref().zip(self.scheduled_iteration.as_ref()))?;
        let lateness = self.lateness.as_ref()?;
        STATISTICS.iter().find_map(|(name, shown, share)| {
            let of = |trend| statistic(trend, name);
            let (plain, scheduled, late) = (of(plain)?, of(scheduled)?, of(lateness)?);
            // Connecting, too, is in the one and not in the other: it must be waiting that makes the difference.
            let hidden = scheduled - plain;
            let is_material = hidden > NOTEWORTHY_MS.max(plain * 0.1) && late > hidden / 2.0;
            is_material.then_some(Hidden { what, statistic: shown, share, plain, scheduled })
        })
    }
}

/// Statistics in which waiting may hide, and the share of all that lies beyond.
const STATISTICS: [(&str, &str, &str); 3] =
    [("p(99)", "p99", "1 %"), ("p(99.9)", "p99.9", "0.1 %"), ("max", "max", "")];
/// Less than this is noise of schedulers, milliseconds.
const NOTEWORTHY_MS: f64 = 5.0;

/// How much a plain figure hides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hidden {
    /// `requests` or `iterations`.
    pub what: &'static str,
    /// `p99`, `p99.9` or `max`.
    pub statistic: &'static str,
    /// The share beyond it, empty for the maximum.
    pub share: &'static str,
    /// Without waiting, milliseconds.
    pub plain: f64,
    /// From the slot, milliseconds.
    pub scheduled: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Resolution, Scale};

    fn of(values: impl IntoIterator<Item = f64>) -> Option<Trend> {
        let mut trend = Trend::new(Scale::DAY, Resolution::ThreeDigits);
        values.into_iter().for_each(|value| trend.record(value));
        Some(trend)
    }

    fn waits(plain: &[f64], late: &[f64]) -> Waits {
        let both = || plain.iter().zip(late).map(|(plain, late)| plain + late);
        Waits {
            request: of(plain.iter().copied()),
            scheduled_request: of(both()),
            lateness: of(late.iter().copied()),
            ..Waits::default()
        }
    }

    #[test]
    fn waiting_is_told_at_the_first_statistic_that_hides_it() {
        let many = |late: &dyn Fn(usize) -> f64| {
            let late: Vec<f64> = (0..10_000).map(late).collect();
            waits(&[10.0; 10_000], &late).hidden().map(|hidden| (hidden.statistic, hidden.scheduled.round()))
        };
        assert_eq!(many(&|_| 0.1), None, "our own lateness is no waiting");
        assert_eq!(many(&|n| if n < 200 { 90.0 } else { 0.0 }), Some(("p99", 100.0)));
        assert_eq!(many(&|n| if n < 50 { 90.0 } else { 0.0 }), Some(("p99.9", 100.0)));
        assert_eq!(many(&|n| if n < 5 { 90.0 } else { 0.0 }), Some(("max", 100.0)));
    }

    #[test]
    fn a_difference_that_is_not_waiting_hides_none() {
        // New connections: in the total, not in the duration.
        let connecting = Waits {
            request: of([1.0; 100]),
            scheduled_request: of([50.0; 100]),
            lateness: of([0.1; 100]),
            ..Waits::default()
        };
        assert_eq!(connecting.hidden(), None);
        assert_eq!(Waits::default().hidden(), None);
    }

    #[test]
    fn iterations_without_requests_hide_waiting_too() {
        let waits = Waits {
            iteration: of([10.0; 100]),
            scheduled_iteration: of([500.0; 100]),
            lateness: of([490.0; 100]),
            ..Waits::default()
        };
        assert_eq!(waits.hidden().map(|hidden| (hidden.what, hidden.statistic)), Some(("iterations", "p99")));
    }
}
