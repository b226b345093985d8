//! Where in the texts of a rule something stands. Counted in characters, as script positions are; it knows no script.

/// A place within an expression or a selector, counted in characters from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many characters stand before it.
    pub offset: usize,
    /// How many characters it has; 0 or 1 at the end of the text.
    pub length: usize,
}

impl Place {
    /// From `start` up to, not including, `end`.
    pub(super) fn between(start: usize, end: usize) -> Self {
        Self { offset: start, length: end.saturating_sub(start) }
    }

    /// Behind its last character.
    pub(super) fn end(self) -> usize {
        self.offset + self.length
    }
}

/// Which part of a threshold or of an alert a problem is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `http_req_duration{name:cart}`
    Selector,
    /// `p(95) < 300ms`: the expression of a threshold, the `when` of an alert.
    Expression,
    /// The `resolve_when` of an alert.
    Resolve,
    /// An option, by its key; its places mean nothing.
    Option(&'static str),
}
