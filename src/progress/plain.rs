//! Where plain lines go: stderr, for all runs of the process.
//!
//! Shared by the [`Screen`](super::Screen) and every [`Progress`](super::Progress) on it. A test lets them go elsewhere. It knows
//! neither what a line says nor whether there are bars.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What takes plain lines.
#[derive(Clone)]
pub(super) struct Plain(Arc<Mutex<dyn Write + Send>>);

impl Plain {
    /// Lines to stderr.
    pub(super) fn stderr() -> Self {
        Plain::to(io::stderr())
    }

    pub(super) fn to(out: impl Write + Send + 'static) -> Self {
        Plain(Arc::new(Mutex::new(out)))
    }

    /// Shows one line.
    pub(super) fn say(&self, text: &str) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A closed stderr is no reason to end a run.
        let _ = writeln!(out, "{text}");
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain")
    }
}
