//! The signals that mean something to a run: INT, TERM and HUP end it, USR1 asks for an interim report.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
pub(super) enum Asked {
    Stop,
    Interim,
}

/// The signals that mean something to us.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    interim: Signal,
}

impl Signals {
    /// Takes the signals over; needs a runtime.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new() -> std::io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interim: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits for INT, TERM or HUP.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    pub(super) async fn next(signals: &mut Option<Signals>) -> Asked {
        let Some(signals) = signals else { return std::future::pending().await };
        tokio::select! {
            _ = signals.interrupt.recv() => Asked::Stop,
            _ = signals.terminate.recv() => Asked::Stop,
            _ = signals.hangup.recv() => Asked::Stop,
            _ = signals.interim.recv() => Asked::Interim,
        }
    }
}
