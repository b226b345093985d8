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
}

impl Texts {
    /// An empty list with room for `bytes` of text.
    pub(super) fn with_room(bytes: usize) -> Texts {
        Texts { buffer: String::with_capacity(bytes), ends: Vec::new() }
    }

    /// Adds an item.
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.buffer.push_str(text);
        let end = u32::try_from(self.buffer.len()).map_err(|_| Fault::too_large())?;
        self.ends.push(end);
        Ok(())
    }

    /// Gives back what was reserved and not used.
    pub(super) fn finish(mut self) -> Texts {
        self.buffer.shrink_to_fit();
        self.ends.shrink_to_fit();
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
