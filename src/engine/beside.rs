//! A thread beside the run, for a window that waits for more than Snapshots: the monitor's server.
//!
//! Started by the door. It has a runtime of its own, behind the users in priority; whatever becomes of it, the run goes on
//! and ends as it would have without. It does not know what it runs.

use super::shard::panic_text;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long the end of a run waits for such a thread.
const PATIENCE: Duration = Duration::from_secs(2);

/// Such a thread; [`Beside::end`] takes it down.
#[derive(Debug)]
pub struct Beside {
    over: oneshot::Sender<()>,
    /// Disconnected when the thread's work is over.
    working: Receiver<()>,
    thread: JoinHandle<()>,
}

/// Runs a future on a thread of that name. What `work` is given resolves when it shall end, and it should do so promptly.
///
/// # Errors
/// The system gives no thread, or nothing that a runtime needs.
pub fn beside<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce(oneshot::Receiver<()>) -> F + Send + 'static,
) -> io::Result<Beside> {
    let (over, told) = oneshot::channel();
    let (works, working) = channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _works = works;
        // Of Linux it is the thread's own; where it is refused, it is no loss.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, 5);
        let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async move { work(told).await })));
        runtime.shutdown_background();
        if let Err(panic) = ended {
            let name = thread::current().name().unwrap_or_default().to_owned();
            tracing::error!(target: "punk::run", thread = name, "it died, and the run goes on without it: {}", panic_text(&*panic));
            resume_unwind(panic);
        }
    })?;
    Ok(Beside { over, working, thread })
}

impl Beside {
    /// Tells it to end and waits a little; why it did not end as it should have, if so.
    pub fn end(self) -> Option<String> {
        // One that is dead hears nothing.
        let _ = self.over.send(());
        if let Err(RecvTimeoutError::Timeout) = self.working.recv_timeout(PATIENCE) {
            return Some("it did not end when it was told to".to_owned());
        }
        self.thread.join().err().map(|panic| panic_text(&*panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_it_is_told_to() {
        let (says, said) = channel();
        let thread = beside("test-ends", |over| async move {
            let _ = over.await;
            says.send(thread::current().name().map(str::to_owned)).unwrap();
        });
        assert_eq!(thread.unwrap().end(), None);
        assert_eq!(said.recv().unwrap().as_deref(), Some("test-ends"));
    }

    #[test]
    fn its_death_is_told_and_harms_nobody() {
        let thread = beside("test-dies", |_| async { panic!("no more") });
        assert_eq!(thread.unwrap().end().as_deref(), Some("no more"));
        let gone = beside("test-is-gone", |_| async {}).unwrap();
        thread::sleep(Duration::from_millis(20));
        assert_eq!(gone.end(), None);
    }
}
