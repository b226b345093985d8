//! The runs of this process as the monitor knows them: those of the command line first, then those whose scripts were sent.
//!
//! Asked by every handler, for a moment each; `upload` adds to it. It starts no run and ends none.

use super::counts::Counts;
use super::session::Session;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// Sessions that are kept, running or over, before the oldest one that is over is forgotten: each holds its figures.
const KEPT: usize = 64;

/// The list; nobody holds it for longer than a look.
#[derive(Debug)]
pub(super) struct Sessions {
    list: RwLock<Vec<Arc<Session>>>,
    /// What the monitor counts of itself: every session tells of it.
    counts: Arc<Counts>,
}

impl Sessions {
    pub(super) fn new(sessions: Vec<Session>) -> Self {
        let counts = Arc::<Counts>::default();
        let list = sessions.into_iter().map(|session| counted(session, &counts)).collect();
        Sessions { list: RwLock::new(list), counts }
    }

    fn list(&self) -> RwLockReadGuard<'_, Vec<Arc<Session>>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the monitor counts of itself.
    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// All, in their order.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.list().clone()
    }

    /// That of the short paths.
    pub(super) fn first(&self) -> Option<Arc<Session>> {
        self.list().first().cloned()
    }

    /// The one of this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.list().iter().find(|session| session.id() == id).cloned()
    }

    /// One more, behind the others. Where there are too many, the oldest that is over goes; the first one stays.
    pub(super) fn add(&self, session: Session) -> Arc<Session> {
        let session = counted(session, &self.counts);
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= KEPT
            && let Some(oldest) = list.iter().skip(1).position(|session| session.is_over())
        {
            list.remove(oldest + 1);
        }
        list.push(Arc::clone(&session));
        session
    }
}

fn counted(mut session: Session, counts: &Arc<Counts>) -> Arc<Session> {
    session.counts = Arc::clone(counts);
    Arc::new(session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Snapshot;
    use chrono::Utc;
    use tokio::sync::{mpsc, watch};

    fn session(taken: &[String]) -> (Session, watch::Sender<Arc<Snapshot>>) {
        let (publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        (
            Session::new(
                "a.rhai",
                Utc::now(),
                snapshots,
                mpsc::unbounded_channel().0,
                crate::api::judgement::of_tests(),
            )
            .beside(taken),
            publish,
        )
    }

    #[test]
    fn the_oldest_that_is_over_is_forgotten_and_never_the_first_or_one_that_runs() {
        let (first, over) = session(&[]);
        drop(over);
        let mut ids = vec![first.id().to_owned()];
        let sessions = Sessions::new(vec![first]);
        let mut running = Vec::new();
        for number in 1..=KEPT {
            let (session, publish) = session(&ids);
            ids.push(session.id().to_owned());
            // The second goes on, the others are over.
            running.extend((number == 1).then_some(publish));
            sessions.add(session);
        }
        assert_eq!(sessions.all().len(), KEPT);
        let known = |at: usize| sessions.find(&ids[at]).is_some();
        assert_eq!([known(0), known(1), known(2), known(3), known(KEPT)], [true, true, false, true, true]);
        assert_eq!(sessions.first().unwrap().id(), ids[0]);
    }
}
