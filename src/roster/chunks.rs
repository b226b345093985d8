//! Lists that grow without moving: chunks, each with twice as many places as the one before.
//!
//! It says in which chunk a place is; whoever has the chunks makes them.

/// The chunk of the `at`th place, and the place within it, when the first chunk has `first` places.
pub(super) fn place(at: usize, first: usize) -> (usize, usize) {
    let chunk = (at / first + 1).ilog2() as usize;
    (chunk, at - first * ((1 << chunk) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_each_other_without_gaps() {
        for first in [1, 16, 64] {
            let mut expected = (0, 0);
            for at in 0..100_000 {
                assert_eq!(place(at, first), expected, "{at} of {first}");
                expected.1 += 1;
                if expected.1 == first << expected.0 {
                    expected = (expected.0 + 1, 0);
                }
            }
        }
    }
}
