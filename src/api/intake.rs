//! A script on its way from the monitor to whoever can run it, and what comes back: a session, or why there is none.
//!
//! `upload` sends; the door of the process takes what was sent, one after the other, and answers each. Neither waits for the
//! other with its own work, and what was sent and never answered is told as refused. It knows no compiler and no engine.

use super::session::Session;
use crate::diagnostic::Diagnostic;
use tokio::sync::{mpsc, oneshot};

/// Scripts that may wait for the one that is compiled.
const WAITING: usize = 4;

/// A script that somebody sent.
#[derive(Debug)]
pub struct Sent {
    /// What stands for its path in what people read; never a path of this machine.
    pub name: String,
    /// Its text.
    pub script: String,
    answer: oneshot::Sender<Result<Session, Refusal>>,
}

/// Why a script that was sent is not run.
#[derive(Debug)]
pub enum Refusal {
    /// What is wrong with it.
    Script(Vec<Diagnostic>),
    /// Nothing is wrong with it, and this machine cannot run it beside the others.
    Unfit(String),
    /// Not at this moment, or not any more.
    Conflict(String),
    /// Too many are being looked at.
    Busy,
    /// The system, or punk itself.
    Failed(String),
}

impl Sent {
    /// Tells what has become of it; whoever sent it may have gone.
    pub fn answer(self, answer: Result<Session, Refusal>) {
        let _ = self.answer.send(answer);
    }
}

/// The way in; lent by the door, which holds the other end.
#[derive(Debug, Clone)]
pub struct Intake(mpsc::Sender<Sent>);

impl Intake {
    /// Both ends.
    pub fn new() -> (Self, mpsc::Receiver<Sent>) {
        let (sender, sent) = mpsc::channel(WAITING);
        (Intake(sender), sent)
    }

    /// Sends a script and waits for what comes of it.
    ///
    /// # Errors
    /// It is not run.
    pub(super) async fn send(&self, name: String, script: String) -> Result<Session, Refusal> {
        let (answer, answered) = oneshot::channel();
        let over = || Refusal::Conflict("every run of this process is over, and so is the process".to_owned());
        self.0.try_send(Sent { name, script, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::Busy,
            mpsc::error::TrySendError::Closed(_) => over(),
        })?;
        answered.await.unwrap_or_else(|_| Err(over()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_takes_is_refused() {
        let (intake, mut sent) = Intake::new();
        let send = || {
            let intake = intake.clone();
            tokio::spawn(async move { intake.send("a".to_owned(), String::new()).await })
        };
        let waiting: Vec<_> = (0..WAITING).map(|_| send()).collect();
        tokio::task::yield_now().await;
        assert!(matches!(send().await.unwrap(), Err(Refusal::Busy)));
        sent.recv().await.unwrap().answer(Err(Refusal::Unfit("no".to_owned())));
        drop(sent);
        let mut told = Vec::new();
        for one in waiting {
            told.push(one.await.unwrap().unwrap_err());
        }
        assert!(matches!(&told[0], Refusal::Unfit(why) if why == "no"), "{told:?}");
        assert!(told[1..].iter().all(|one| matches!(one, Refusal::Conflict(_))), "{told:?}");
    }
}
