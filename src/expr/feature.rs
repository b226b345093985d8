//! What the threshold language has and cannot give everywhere: each is refused by name, with what to write instead.
//!
//! Named by the type check: windows and what is built on them need a history, which is the catalogue's to say; and by the
//! parser for what the grammar keeps for later.

/// What is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `over 30s`
    Window,
    /// `for 20s`
    Lasting,
    /// `slope(…)`
    Slope,
    /// `forecast(…, 2m)`
    Forecast,
    /// `baseline`
    Baseline,
}

impl Feature {
    /// What it is called, and what to do without it.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        const SEARCHED: &str = "a search judges each step by one window of its own, which it chooses itself";
        match self {
            Self::Window => ("a window (`over …`)", SEARCHED),
            Self::Lasting => ("`for …`", SEARCHED),
            Self::Slope => ("`slope(…)`", SEARCHED),
            Self::Forecast => ("`forecast(…)`", SEARCHED),
            Self::Baseline => ("comparing with a stored run", "compare with a limit: `p(95) < 300ms`"),
        }
    }
}
