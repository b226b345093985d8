//! The census: how many connections a shard has, and what became of those that it had.
//!
//! One per shard, shared by everything that dials; each connection holds a [`Counted`] and says there when it is busy. Plain
//! memory of one thread: the engine reads it once per tick. It knows nothing of requests and users.

use std::cell::Cell;
use std::rc::Rc;

use crate::metrics::{Connections, Proto};

/// A shard's counters.
#[derive(Debug, Default)]
pub struct Census {
    protocols: [Counters; Proto::ALL.len()],
    failed: Cell<u64>,
}

#[derive(Debug, Default)]
struct Counters {
    open: Cell<u64>,
    active: Cell<u64>,
    opened: Cell<u64>,
    lost: Cell<u64>,
}

fn more(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

fn less(counter: &Cell<u64>) {
    counter.set(counter.get() - 1);
}

impl Census {
    /// An attempt to open a connection failed.
    pub fn failed(&self) {
        more(&self.failed);
    }

    /// A connection is open, and idle until it says otherwise.
    pub fn opened(self: &Rc<Self>, proto: Proto) -> Counted {
        let counters = &self.protocols[proto as usize];
        more(&counters.open);
        more(&counters.opened);
        Counted { census: Rc::clone(self), proto, state: Cell::new(State::Idle) }
    }

    /// What there is now.
    pub fn count(&self) -> Connections {
        let mut count = Connections { failed: self.failed.get(), ..Connections::default() };
        for proto in Proto::ALL {
            let (from, to) = (&self.protocols[proto as usize], count.of_mut(proto));
            (to.open, to.active) = (from.open.get(), from.active.get());
            (to.opened, to.lost) = (from.opened.get(), from.lost.get());
        }
        count
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Busy,
    Closed,
}

/// One connection in the census; dropped, it is closed.
#[derive(Debug)]
pub struct Counted {
    census: Rc<Census>,
    proto: Proto,
    state: Cell<State>,
}

impl Counted {
    fn counters(&self) -> &Counters {
        &self.census.protocols[self.proto as usize]
    }

    /// It carries something.
    pub fn busy(&self) {
        if self.state.get() == State::Idle {
            self.state.set(State::Busy);
            more(&self.counters().active);
        }
    }

    /// It carries nothing any more, and may carry something else.
    pub fn idle(&self) {
        if self.state.get() == State::Busy {
            self.state.set(State::Idle);
            less(&self.counters().active);
        }
    }

    /// Whether it is open and carries nothing.
    pub fn is_idle(&self) -> bool {
        self.state.get() == State::Idle
    }

    /// The other side has ended it while we counted on it.
    pub fn lost(&self) {
        if self.state.get() != State::Closed {
            more(&self.counters().lost);
            self.closed();
        }
    }

    /// It is closed.
    pub fn closed(&self) {
        self.idle();
        if self.state.replace(State::Closed) != State::Closed {
            less(&self.counters().open);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_end_closes_once() {
        let census = Rc::new(Census::default());
        let [dropped, closed, lost] = [(); 3].map(|()| census.opened(Proto::Http1));
        let other = census.opened(Proto::Http2);
        for connection in [&dropped, &closed, &lost, &other] {
            connection.busy();
        }
        dropped.busy();
        other.idle();
        census.failed();
        let count = census.count();
        let both = [count.of(Proto::Http1), count.of(Proto::Http2)];
        assert_eq!((both.map(|one| one.open), both.map(|one| one.active), count.failed), ([3, 1], [3, 0], 1));
        drop(dropped);
        for _ in 0..2 {
            closed.closed();
            lost.lost();
        }
        lost.busy();
        closed.lost();
        assert!(!lost.is_idle() && other.is_idle());
        let ended = census.count().of(Proto::Http1);
        assert_eq!((ended.open, ended.active, ended.opened, ended.lost), (0, 0, 3, 1));
        drop((closed, lost));
        assert_eq!(census.count().of(Proto::Http1), ended);
    }
}
