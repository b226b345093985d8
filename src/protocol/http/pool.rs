//! A user's connections to one authority: reuse, a limit, and a fair queue for those who wait.
//!
//! Used by [`super::Client`] only. Whoever holds a [`Lease`] holds one of the limited places; dropping it, at any time and for any
//! reason, passes the place on:
//!
//! | a lease holds | dropped, it |
//! |---|---|
//! | an idle HTTP/1.1 connection | goes to the first waiter, else back to the idle ones |
//! | one in disorder      | is closed; its place goes to the first waiter, else is free |
//! | a place without connection | likewise |
//! | a share of an HTTP/2 connection | does nothing: the pool holds the connection and its place |

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::oneshot;

use super::connection::{H1, H2};
use super::target::Authority;

/// The protocol a server turned out to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    H1,
    H2,
}

/// How many connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub h1: u16,
    pub h2: u16,
}

#[derive(Debug)]
pub(super) struct Pool {
    pub authority: Rc<Authority>,
    limits: Limits,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    protocol: Option<Protocol>,
    /// Places taken, by connections and by leases without one.
    taken: u16,
    #[expect(clippy::vec_box, reason = "a connection wanders between pool and lease: moved by its address")]
    idle: Vec<Box<H1>>,
    shared: Vec<Rc<H2>>,
    waiters: VecDeque<oneshot::Sender<Lease>>,
}

#[derive(Debug)]
pub(super) enum Held {
    Idle(Box<H1>),
    Share(Rc<H2>),
    Place,
    Nothing,
}

/// The right to use a connection or to open one.
#[derive(Debug)]
pub(super) struct Lease {
    pool: Rc<Pool>,
    pub held: Held,
}

impl Pool {
    /// `protocol` is what will be spoken, when that is known beforehand.
    pub fn new(authority: Rc<Authority>, limits: Limits, protocol: Option<Protocol>) -> Rc<Pool> {
        Rc::new(Pool { authority, limits, state: RefCell::new(State { protocol, ..State::default() }) })
    }

    /// A connection or the place for one, if that needs no waiting.
    pub fn try_take(self: &Rc<Pool>) -> Option<Lease> {
        let mut state = self.state.borrow_mut();
        let lease = |held| Lease { pool: self.clone(), held };
        // The most recently used first: the others may then idle out, as in browsers.
        if let Some(connection) = state.idle.pop() {
            return Some(lease(Held::Idle(connection)));
        }
        let before = state.shared.len();
        state.shared.retain(|connection| !connection.sender.is_closed());
        let gone = before - state.shared.len();
        state.taken -= gone as u16;
        let limit = self.limit(&state);
        let calmest = state.shared.iter().min_by_key(|one| one.active.get());
        if let Some(connection) = calmest
            && (connection.active.get() == 0 || state.taken >= limit)
        {
            return Some(lease(Held::Share(connection.clone())));
        }
        if state.taken < limit {
            state.taken += 1;
            return Some(lease(Held::Place));
        }
        None
    }

    /// Waits for what [`Pool::try_take`] did not have.
    pub async fn take(self: &Rc<Pool>) -> Lease {
        loop {
            if let Some(lease) = self.try_take() {
                return lease;
            }
            let (sender, receiver) = oneshot::channel();
            self.state.borrow_mut().waiters.push_back(sender);
            if let Ok(lease) = receiver.await {
                return lease;
            }
        }
    }

    /// Until the first handshake has told the protocol, only one connection is opened: with HTTP/2 one is all there will be.
    fn limit(&self, state: &State) -> u16 {
        match state.protocol {
            Some(Protocol::H1) => self.limits.h1.max(1),
            Some(Protocol::H2) => self.limits.h2.max(1),
            None => 1,
        }
    }

    /// Gives something to the first waiter that is still there, else back.
    fn offer(self: &Rc<Pool>, mut held: Held) -> Option<Held> {
        loop {
            let Some(waiter) = self.state.borrow_mut().waiters.pop_front() else {
                return Some(held);
            };
            let lease = Lease { pool: self.clone(), held };
            match waiter.send(lease) {
                Ok(()) => return None,
                Err(mut refused) => held = std::mem::replace(&mut refused.held, Held::Nothing),
            }
        }
    }

    fn give_back(self: &Rc<Pool>, held: Held) {
        let held = match held {
            // Dropped, and so closed, here: outside any borrow.
            Held::Idle(connection) if !connection.counted.is_idle() => Held::Place,
            other => other,
        };
        if let Held::Share(_) | Held::Nothing = held {
            return;
        }
        match self.offer(held) {
            Some(Held::Idle(connection)) => self.state.borrow_mut().idle.push(connection),
            Some(Held::Place) => self.state.borrow_mut().taken -= 1,
            _ => {}
        }
    }

    /// A handshake told the protocol: whoever waited for that may go on.
    fn learn(self: &Rc<Pool>, protocol: Protocol) {
        self.state.borrow_mut().protocol = Some(protocol);
        loop {
            let mut state = self.state.borrow_mut();
            if state.waiters.is_empty() {
                return;
            }
            let held = match state.shared.first() {
                Some(connection) => Held::Share(connection.clone()),
                None if state.taken < self.limit(&state) => {
                    state.taken += 1;
                    Held::Place
                }
                None => return,
            };
            drop(state);
            if let Some(rest) = self.offer(held) {
                return self.give_back(rest);
            }
        }
    }
}

impl Lease {
    /// Fills the place with a connection.
    pub fn fill_h1(&mut self, connection: Box<H1>) {
        self.held = Held::Idle(connection);
        self.pool.learn(Protocol::H1);
    }

    /// Fills the place with a connection that the pool keeps and shares.
    pub fn fill_h2(&mut self, connection: Rc<H2>) {
        self.held = Held::Share(connection.clone());
        self.pool.state.borrow_mut().shared.push(connection);
        self.pool.learn(Protocol::H2);
    }

    /// Throws a dead connection away and keeps its place.
    pub fn discard_h1(&mut self) {
        if let Held::Idle(_) = self.held {
            self.held = Held::Place;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let held = std::mem::replace(&mut self.held, Held::Nothing);
        self.pool.give_back(held);
    }
}
