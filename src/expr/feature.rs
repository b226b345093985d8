//! What the threshold language will have and has not yet: each is refused by name, with what to write meanwhile.
//!
//! Named by the type check: windows and what is built on them need a history of the run, which is the catalogue's to say; and
//! by the parser for what the grammar does not have.

/// What a later version will understand.
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
        match self {
            Self::Window => ("a window (`over …`)", "without it the whole run so far is judged"),
            Self::Lasting => ("`for …`", "without it every tick is judged"),
            Self::Slope => ("`slope(…)`", "without it the value itself is judged"),
            Self::Forecast => ("`forecast(…)`", "without it the value itself is judged"),
            Self::Baseline => ("comparing with a stored run", "compare with a limit: `p(95) < 300ms`"),
        }
    }
}
