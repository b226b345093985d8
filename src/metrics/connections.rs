//! Connections as numbers: what a shard says of them with every Delta, and what all shards come to.
//!
//! Counted by the protocol floor (`protocol/net/census.rs`), added up by the collector. It knows neither sockets nor time.

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proto {
    /// HTTP/1.1, or HTTP/1.0 where the server answers so.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Proto {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Proto; 2] = [Proto::Http1, Proto::Http2];

    /// The `proto` tag of its requests.
    pub fn tag(self) -> &'static str {
        match self {
            Proto::Http1 => "HTTP/1.1",
            Proto::Http2 => "HTTP/2.0",
        }
    }

    /// As a key: `http1`, `http2`.
    pub fn key(self) -> &'static str {
        match self {
            Proto::Http1 => "http1",
            Proto::Http2 => "http2",
        }
    }
}

/// Connections of one protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Open now, as far as we have heard.
    pub open: u64,
    /// Those of them that carry a request now.
    pub active: u64,
    /// Opened since the start of the run, handshakes included.
    pub opened: u64,
    /// Those of them that the other side ended while we counted on them: before they were reused, or amid an answer.
    pub lost: u64,
}

impl ConnectionCounts {
    /// Those that are open and carry nothing.
    pub fn idle(&self) -> u64 {
        self.open.saturating_sub(self.active)
    }

    fn add(&mut self, other: &ConnectionCounts) {
        self.open += other.open;
        self.active += other.active;
        self.opened += other.opened;
        self.lost += other.lost;
    }
}

/// Connections of a shard, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connections {
    /// In the order of [`Proto::ALL`].
    pub by_protocol: [ConnectionCounts; Proto::ALL.len()],
    /// Attempts to open one that failed since the start of the run: lookup, connect, proxy or handshake.
    pub failed: u64,
}

impl Connections {
    /// Those of one protocol.
    pub fn of(&self, proto: Proto) -> ConnectionCounts {
        self.by_protocol[proto as usize]
    }

    /// The same, to be counted.
    pub fn of_mut(&mut self, proto: Proto) -> &mut ConnectionCounts {
        &mut self.by_protocol[proto as usize]
    }

    /// Those of all protocols.
    pub fn all(&self) -> ConnectionCounts {
        let mut all = ConnectionCounts::default();
        self.by_protocol.iter().for_each(|counts| all.add(counts));
        all
    }

    /// Adds those of another shard.
    pub fn add(&mut self, other: &Connections) {
        for proto in Proto::ALL {
            self.of_mut(proto).add(&other.of(proto));
        }
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_add_up_by_protocol() {
        let mut one = Connections { failed: 2, ..Connections::default() };
        *one.of_mut(Proto::Http1) = ConnectionCounts { open: 5, active: 2, opened: 9, lost: 1 };
        let mut two = Connections { failed: 1, ..Connections::default() };
        *two.of_mut(Proto::Http2) = ConnectionCounts { open: 1, active: 1, opened: 1, lost: 0 };
        one.add(&two);
        assert_eq!((one.of(Proto::Http1).idle(), one.of(Proto::Http2).idle(), one.failed), (3, 0, 3));
        assert_eq!(one.all(), ConnectionCounts { open: 6, active: 3, opened: 10, lost: 1 });
    }
}
