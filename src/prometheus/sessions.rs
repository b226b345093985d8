//! Several runs in one answer: each family once, with the points of all runs, told apart by the label `session`.
//!
//! Called by `mod` with the families of each run. A run by itself has no such label, and its series are what they always
//! were.

use super::family::{Family, Labels};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The label that tells runs apart. No tag of a script gets it, also where there is only one run.
pub(super) const SESSION: &str = "session";

/// Families while those of further runs come to them.
#[derive(Default)]
pub(super) struct Families {
    all: Vec<Family>,
    /// Where the one of a full name is.
    at: FxHashMap<String, usize>,
}

impl Families {
    /// Adds those of one run; `session` is its name where there are several.
    pub(super) fn add(&mut self, session: Option<&str>, families: impl IntoIterator<Item = Family>) {
        for mut family in families {
            if let Some(session) = session {
                family.points.iter_mut().for_each(|point| point.labels = of_session(session, &point.labels));
            }
            let next = self.all.len();
            match *self.at.entry(family.full_name()).or_insert(next) {
                at if at == next => self.all.push(family),
                // Names are given so that a name is one kind.
                at => self.all[at].points.append(&mut family.points),
            }
        }
    }

    /// All of them, in the order in which they came first.
    pub(super) fn whole(self) -> Vec<Family> {
        self.all
    }
}

fn of_session(session: &str, labels: &Labels) -> Labels {
    let own = std::iter::once((Arc::from(SESSION), Arc::from(session)));
    Labels(own.chain(labels.0.iter().cloned()).collect())
}
