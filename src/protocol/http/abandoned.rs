//! Requests whose futures are dropped on the way: the server may have counted them, so they must not vanish.
//!
//! A user that is cancelled drops its pending future; [`Flight`] notices, and the script floor records what
//! [`super::Client::take_abandoned`] lists, so that the counts of both sides agree.

use std::cell::Cell;
use std::rc::Rc;

use http::Method;

use super::hop::Hop;
use super::target::Target;

/// A request of which something was written before its future was dropped.
#[derive(Clone, Debug)]
pub struct Abandoned {
    /// The method.
    pub method: Method,
    /// Where it went.
    pub target: Rc<Target>,
    /// Bytes read from the socket on its behalf.
    pub bytes_in: u64,
    /// Bytes written likewise.
    pub bytes_out: u64,
}

/// A hop on its way; dropped before it arrived, it leaves a note.
pub(super) struct Flight<'a> {
    hop: Option<Hop>,
    notes: &'a Cell<Vec<Abandoned>>,
}

impl<'a> Flight<'a> {
    pub fn new(hop: Hop, notes: &'a Cell<Vec<Abandoned>>) -> Flight<'a> {
        Flight { hop: Some(hop), notes }
    }

    /// The hop, to be filled.
    pub fn hop(&mut self) -> &mut Hop {
        self.hop.as_mut().expect("it is taken out only when the flight ends")
    }

    /// It has arrived.
    pub fn land(mut self) -> Hop {
        self.hop.take().expect("it is taken out only here")
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Some(hop) = self.hop.take() else { return };
        let Some(meter) = &hop.carrier else { return };
        let written = meter.last_write().is_some();
        let (bytes_in, bytes_out) = meter.take(1);
        if written {
            let note = Abandoned { method: hop.exchange.method, target: hop.exchange.url, bytes_in, bytes_out };
            let mut notes = self.notes.take();
            notes.push(note);
            self.notes.set(notes);
        }
    }
}
