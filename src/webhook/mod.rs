//! Webhooks: everybody whom an alert names is told by a POST of JSON when it rings and when it is over.
//!
//! The door hands in every Snapshot and, at the end, gives what still waits a last chance. Each receiver has a queue and a
//! task of its own on the door's runtime, so that a dead one delays neither another nor the run. It decides nothing about
//! alerts, and what it knows of a receiver's headers and path never leaves it but to that receiver.

mod message;
mod queue;
mod sender;

pub use sender::Patience;

use crate::expr::Receiver;
use crate::snapshot::{Delivery, Snapshot};
use message::Message;
use queue::Queue;
use rustc_hash::FxHashMap;
use sender::Sender;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Most receivers of one run: each has a task and a queue until the run is over, and edits may name others each time.
const RECEIVERS: usize = 1_000;

/// All receivers of one run.
pub struct Webhooks {
    run: String,
    patience: Patience,
    lines: Vec<Line>,
    /// Whether somebody could not be told because there are too many.
    full: bool,
    /// Number of the first event that was not seen yet.
    next: u64,
    over: watch::Sender<bool>,
    /// Made for the first message; why it could not be.
    sender: Option<Result<Sender, String>>,
}

/// One receiver with what waits for it.
struct Line {
    receiver: Receiver,
    queue: Arc<Queue>,
    task: Option<JoinHandle<()>>,
}

impl Webhooks {
    /// Nobody is told anything yet. `run` names the run to the receivers.
    pub fn new(run: String, patience: Patience) -> Self {
        Webhooks {
            run,
            patience,
            lines: Vec::new(),
            full: false,
            next: 0,
            over: watch::Sender::new(false),
            sender: None,
        }
    }

    /// Queues what is new in a Snapshot. Must be called within a runtime; it never waits.
    pub fn update(&mut self, snapshot: &Snapshot) {
        let next = self.next;
        for event in snapshot.alert_events.iter().filter(|event| event.number >= next) {
            // The body is the same for every receiver.
            let message = (!event.notify.is_empty()).then(|| Message::new(&self.run, event));
            for receiver in event.notify.iter() {
                if let (Some(message), Some(queue)) = (&message, self.line(receiver)) {
                    queue.push(message.clone());
                }
            }
        }
        self.next = snapshot.alert_events.iter().map(|event| event.number + 1).fold(self.next, u64::max);
    }

    /// Where messages for a receiver wait; `None` for one more than there may be.
    fn line(&mut self, receiver: &Receiver) -> Option<&Queue> {
        let at = match self.lines.iter().position(|line| line.receiver == *receiver) {
            Some(at) => at,
            None if self.lines.len() >= RECEIVERS => {
                if !std::mem::replace(&mut self.full, true) {
                    tracing::error!(target: "punk::webhook", "more than {RECEIVERS} receivers in one run: no further one is told");
                }
                return None;
            }
            None => {
                let queue = Arc::new(Queue::new(self.patience.waiting));
                let patience = self.patience;
                let task = match self.sender.get_or_insert_with(|| Sender::new(patience)) {
                    Ok(sender) => {
                        let work = sender.clone().serve(receiver.clone(), Arc::clone(&queue), self.over.subscribe());
                        Some(tokio::spawn(work))
                    }
                    Err(why) => {
                        let shown = message::shown(&receiver.url);
                        tracing::error!(target: "punk::webhook", receiver = shown, "nobody can be told: {why}");
                        queue.told(|delivery| delivery.last_error = Some(why.clone()));
                        None
                    }
                };
                self.lines.push(Line { receiver: receiver.clone(), queue, task });
                self.lines.len() - 1
            }
        };
        Some(&self.lines[at].queue)
    }

    /// Whether anything waits, or is on its way.
    pub fn is_busy(&self) -> bool {
        self.lines.iter().any(|line| !line.queue.is_idle())
    }

    /// Gives what waits a last chance: everything is tried at once, and given up after `within`.
    pub async fn drain(&mut self, within: Duration) {
        self.over.send_replace(true);
        let all = async {
            for line in self.lines.iter().filter(|line| line.task.is_some()) {
                line.queue.idle().await;
            }
        };
        // Too late is no error of its own: what is left is counted.
        let _ = tokio::time::timeout(within, all).await;
    }

    /// What came of it, in the order in which receivers were first needed; nobody is told anything more.
    pub fn finish(self) -> Vec<Delivery> {
        self.lines.iter().filter_map(|line| line.task.as_ref()).for_each(JoinHandle::abort);
        self.deliveries()
    }

    /// What has come of it so far; what waits counts as undelivered.
    pub fn deliveries(&self) -> Vec<Delivery> {
        let mut told: Vec<Delivery> = Vec::new();
        let mut hosts: FxHashMap<String, usize> = FxHashMap::default();
        for line in &self.lines {
            let mut delivery = line.queue.closed();
            delivery.receiver = message::shown(&line.receiver.url);
            // Two hooks at one host look alike without their paths.
            let same = hosts.entry(delivery.receiver.clone()).or_default();
            *same += 1;
            if *same > 1 {
                delivery.receiver += &format!(" #{same}");
            }
            told.push(delivery);
        }
        told
    }
}

#[cfg(test)]
mod tests;
