//! Category: the ten drawers into which errors are put for people, whoever made them.
//!
//! The kind of an error (`refused`, `tls_expired`, …) is finer; protocols say which drawer each of theirs is in.

/// Which part of the way an error is about. In the order in which they come to pass, and are kept when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// The name could not be looked up, or is not allowed.
    Dns,
    /// The connection could not be opened, or broke.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// A time limit ended it, whichever.
    Timeout,
    /// An answer from 400 to 499 that the script did not expect.
    Http4xx,
    /// An answer from 500 to 599 that the script did not expect.
    Http5xx,
    /// Any other status that the script did not expect.
    HttpOther,
    /// What was sent or received breaks the rules of the protocol.
    Protocol,
    /// The script itself.
    Script,
    /// A check that failed: no error of a request, and counted apart.
    Check,
}

impl Category {
    /// Every category, in their order.
    pub const ALL: [Category; 10] = [
        Category::Dns,
        Category::Connect,
        Category::Tls,
        Category::Timeout,
        Category::Http4xx,
        Category::Http5xx,
        Category::HttpOther,
        Category::Protocol,
        Category::Script,
        Category::Check,
    ];

    /// The word in JSON and for people.
    pub fn word(self) -> &'static str {
        match self {
            Category::Dns => "dns",
            Category::Connect => "connect",
            Category::Tls => "tls",
            Category::Timeout => "timeout",
            Category::Http4xx => "http_4xx",
            Category::Http5xx => "http_5xx",
            Category::HttpOther => "http_other",
            Category::Protocol => "protocol",
            Category::Script => "script",
            Category::Check => "check",
        }
    }

    /// That of an answer whose status was not expected.
    pub fn of_status(status: u16) -> Category {
        match status {
            400..=499 => Category::Http4xx,
            500..=599 => Category::Http5xx,
            _ => Category::HttpOther,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_unique_and_in_order() {
        let mut words: Vec<_> = Category::ALL.iter().map(|category| category.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Category::ALL.len());
        assert!(Category::ALL.is_sorted());
    }

    #[test]
    fn only_client_and_server_errors_have_drawers_of_their_own() {
        let words = [200, 304, 399, 400, 499, 500, 599, 600].map(|status| Category::of_status(status).word());
        let (other, client, server) = ("http_other", "http_4xx", "http_5xx");
        assert_eq!(words, [other, other, other, client, client, server, server, other]);
    }
}
