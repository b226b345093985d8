//! What the threshold language will have and has not yet: each is refused by name, with what to write meanwhile.
//!
//! Named by the parser at the very places where the grammar will grow.

/// What a later version will understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `over 30s`
    Window,
    /// `for 20s`
    Lasting,
    /// `of http_req_duration`
    Of,
    /// `and`, `or`, `not`
    Logic,
    /// `+ - * /`
    Arithmetic,
    /// `( … )`
    Grouping,
    /// `baseline`
    Baseline,
}

impl Feature {
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "over" => Self::Window,
            "for" => Self::Lasting,
            _ => Self::Of,
        }
    }

    /// What it is called, and what to do without it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Window => ("a window (`over …`)", "without it the whole run so far is judged"),
            Self::Lasting => ("`for …`", "without it every tick is judged"),
            Self::Of => ("`of …`", "name the metric in the threshold's selector"),
            Self::Logic => (
                "joining conditions by `and`, `or` and `not`",
                "write one threshold per condition; all of them must hold",
            ),
            Self::Arithmetic => ("arithmetic", "compare one method with one limit: `p(95) < 300ms`"),
            Self::Grouping => ("grouping by parentheses", "compare one method with one limit: `p(95) < 300ms`"),
            Self::Baseline => ("comparing with a stored run", "compare with a limit: `p(95) < 300ms`"),
        }
    }
}
