//! A list of texts in two allocations: one buffer and the ends of the items in it, 4 bytes each.
//!
//! A million-row file as a `String` per cell would cost several times its size; this costs little more than the file.

use super::fault::Fault;

/// Many texts, none of which changes.
#[derive(Debug, Default)]
pub struct Texts {
    buffer: String,
    /// Where each item ends; it begins where the one before ends.
    ends: Vec<u32>,
    /// Bytes of text that are expected.
    expected: usize,
}

/// By what they hold.
impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && self.buffer == other.buffer
    }
}

impl Texts {
    /// An empty list with room for `bytes` of text.
    pub(super) fn with_room(bytes: usize) -> Texts {
        Texts { buffer: String::with_capacity(bytes), ends: Vec::new(), expected: bytes }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.buffer.push_str(text);
        let end = u32::try_from(self.buffer.len()).map_err(|_| Fault::too_large())?;
        if self.ends.len() == self.ends.capacity() {
            // As many more as the expected bytes hold at this rate: doubling would waste a third of a large file's size.
            let count = self.ends.len();
            let guess = (count as f64 * self.expected as f64 / self.buffer.len().max(1) as f64 * 1.02) as usize;
            self.ends.reserve_exact(guess.saturating_sub(count).clamp(count / 8 + 256, count * 8 + 256));
        }
        self.ends.push(end);
        Ok(())
    }

    /// Gives back what was reserved and not used, where it is worth the copy.
    pub(super) fn finish(mut self) -> Texts {
        if self.buffer.capacity() > self.buffer.len() / 8 * 9 {
            self.buffer.shrink_to_fit();
        }
        if self.ends.capacity() > self.ends.len() / 8 * 9 {
            self.ends.shrink_to_fit();
        }
        self
    }

    /// How many items.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// An item.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.buffer[start..self.ends[at] as usize]
    }

    /// Bytes that it takes.
    pub fn memory(&self) -> usize {
        self.buffer.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}
