//! Texts by number: a list that only grows, read by others while its one writer adds to it.

use super::chunks::place;
use std::sync::OnceLock;

/// Texts of the first chunk; each further one has twice as many as the one before.
const FIRST: usize = 16;
/// Room for a quarter of a million texts; whoever adds has a bound of its own below that.
const CHUNKS: usize = 14;

/// Places for some texts, once the first of them came.
type Chunk = OnceLock<Box<[OnceLock<Box<str>>]>>;

/// Texts that are never forgotten, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Texts {
    chunks: [Chunk; CHUNKS],
}

impl Texts {
    /// Keeps a text under a number that is free; one that is too high is not kept.
    pub fn set(&self, number: u32, text: &str) {
        let (chunk, within) = place(number as usize, FIRST);
        let Some(made) = self.chunks.get(chunk) else { return };
        let made = made.get_or_init(|| (0..FIRST << chunk).map(|_| OnceLock::new()).collect());
        // The first text of a number stays.
        let _ = made[within].set(text.into());
    }

    /// The text of a number.
    pub fn get(&self, number: u32) -> Option<&str> {
        let (chunk, within) = place(number as usize, FIRST);
        self.chunks.get(chunk)?.get()?[within].get().map(|text| &**text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_under_their_numbers() {
        let texts = Texts::default();
        for number in (0..5_000).rev() {
            texts.set(number, &number.to_string());
        }
        texts.set(7, "eight");
        texts.set(u32::MAX, "far");
        assert!((0..5_000).all(|number| texts.get(number) == Some(number.to_string().as_str())));
        assert_eq!((texts.get(5_000), texts.get(u32::MAX)), (None, None));
    }
}
