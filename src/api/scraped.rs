//! What Prometheus was told last: whoever asks of the same Snapshots gets the same bytes, so that many who ask, and do not read,
//! hold them once.

use super::Session;
use super::problem::Problem;
use crate::snapshot::{Served, Snapshot};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// Formats that are kept of the same Snapshots: Prometheus knows three, by whatever `Accept` they are asked for.
const KEPT: usize = 4;

/// An answer: its `Content-Type` and its body.
type Told = (&'static str, Bytes);
/// What is asked: of which runs, with what the monitor counts of itself, and in which format (`Accept`).
type Asked<'a> = (&'a [(&'a Session, Arc<Snapshot>)], Served, Option<&'a str>);

/// The answers of one moment.
#[derive(Debug, Default)]
pub(super) struct Scraped(Mutex<Moment>);

#[derive(Debug, Default)]
struct Moment {
    /// The runs, each with the number of its Snapshot.
    of: Vec<(String, u64)>,
    served: Served,
    told: Vec<(Option<String>, Told)>,
}

impl Scraped {
    /// What was told to whoever asked the same, or what `say` says now.
    ///
    /// # Errors
    /// Those of `say`; they are not kept.
    pub(super) fn told(
        &self,
        (runs, served, accept): Asked<'_>,
        say: impl FnOnce() -> Result<Told, Problem>,
    ) -> Result<Told, Problem> {
        let mut moment = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = moment.of.iter().map(|(id, sequence)| (id.as_str(), *sequence));
        let now = runs.iter().map(|(session, snapshot)| (session.id(), snapshot.sequence));
        if moment.served != served || !same.eq(now.clone()) {
            let of = now.map(|(id, sequence)| (id.to_owned(), sequence)).collect();
            *moment = Moment { of, served, told: Vec::new() };
        }
        if let Some((_, told)) = moment.told.iter().find(|(asked, _)| asked.as_deref() == accept) {
            return Ok(told.clone());
        }
        let told = say()?;
        if moment.told.len() == KEPT {
            moment.told.remove(0);
        }
        moment.told.push((accept.map(str::to_owned), told.clone()));
        Ok(told)
    }
}
