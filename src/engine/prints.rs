//! What scripts said, as lines for whoever watches: the collector keeps each for a few Snapshots, so that a watcher who
//! misses one still sees it. The log keeps them longer.

use crate::logs::Line;
use std::collections::VecDeque;

/// In how many Snapshots after its first a line stands.
const REPEATED: u64 = 4;

/// The last lines.
#[derive(Debug, Default)]
pub(super) struct Prints {
    /// Each with the number of the Snapshot that shows it first.
    lines: VecDeque<(u64, String)>,
    /// Lines that have left.
    forgotten: u64,
}

impl Prints {
    /// Adds lines that the Snapshot of this number will be the first to show.
    pub(super) fn add(&mut self, lines: &[Line], first: u64) {
        self.lines.extend(lines.iter().map(|line| (first, line.shown())));
    }

    /// Lets go of what has stood long enough, before the Snapshot of this number.
    pub(super) fn forget(&mut self, sequence: u64) {
        while self.lines.front().is_some_and(|(shown, _)| shown + REPEATED < sequence) {
            self.lines.pop_front();
            self.forgotten += 1;
        }
    }

    /// The lines, and how many there were before them.
    pub(super) fn shown(&self) -> (Vec<String>, u64) {
        (self.lines.iter().map(|(_, line)| line.clone()).collect(), self.forgotten)
    }
}
