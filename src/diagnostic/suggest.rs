//! `did you mean …?`: the nearest right name to a wrong one.
//!
//! Called wherever a name is unknown: functions, options, metrics, methods, units. It knows nothing of what the names are.

/// The candidate that `word` was most probably meant to be, or `None` when none is near.
///
/// In this order: the same letters with other separators or case (`http.get`, `httpget`, `HTTP::Get` for `http::get`);
/// the only candidate that begins with the word (`http_req_dur`); an edit distance, transpositions counting once, of at
/// most a third of the word; the only candidate whose last segment is the word's (`get`, `request::get` for `http::get`).
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let folded = letters(word);
    if folded.is_empty() {
        return None;
    }
    candidates
        .iter()
        .find(|candidate| letters(candidate) == folded)
        .or_else(|| only(&candidates, |name| folded.len() > 2 && letters(name).starts_with(&folded)))
        .or_else(|| nearest(word, &candidates))
        .or_else(|| only(&candidates, |name| last_segment(name) == last_segment(word)))
        .copied()
}

/// The candidate with the smallest distance within the cut-off; the first of equals.
fn nearest<'c, 'a>(word: &str, candidates: &'c [&'a str]) -> Option<&'c &'a str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    // One slip in three letters; but a word of one or two letters would then match anything.
    let limit = (word.len().max(3) / 3).min(word.len().saturating_sub(2));
    candidates
        .iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase().chars().collect::<Vec<_>>(), limit), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The one candidate that fits; none when several do, since a guess among them would mislead.
fn only<'c, 'a>(candidates: &'c [&'a str], fits: impl Fn(&str) -> bool) -> Option<&'c &'a str> {
    let mut fitting = candidates.iter().filter(|candidate| fits(candidate));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// Letters and digits only, lowercase: what remains when separators are mistaken.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `get` of `http::get`, `http.get` or `get`.
fn last_segment(name: &str) -> &str {
    name.rsplit([':', '.']).next().unwrap_or(name)
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each cost one.
/// Anything above `limit` is reported as `limit + 1`, and names of very different length are not compared at all.
fn distance(left: &[char], right: &[char], limit: usize) -> usize {
    if left.len().abs_diff(right.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, from) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let substituted = above[column] + usize::from(from != to);
            let mut best = substituted.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *from == right[column - 1] && left[row - 1] == *to {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()].min(limit + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 9] =
        ["http::get", "http::post", "check", "group", "sleep", "http_req_duration", "http_reqs", "scenario", "vu::id"];

    #[test]
    fn slips_find_their_name() {
        for (slip, meant) in [
            ("http::gett", "http::get"),
            ("htpp::get", "http::get"),
            ("http.get", "http::get"),
            ("httpget", "http::get"),
            ("HTTP::Get", "http::get"),
            ("get", "http::get"),
            ("request::get", "http::get"),
            ("chekc", "check"),
            ("grop", "group"),
            ("slep", "sleep"),
            ("http_req_dur", "http_req_duration"),
            ("http_req", "http_reqs"),
            ("scenaro", "scenario"),
            ("id", "vu::id"),
        ] {
            assert_eq!(did_you_mean(slip, NAMES), Some(meant), "{slip}");
        }
    }

    #[test]
    fn what_is_far_finds_nothing() {
        for word in ["", "::", "x", "zz", "frobnicate", "teardown", "ws::connect"] {
            assert_eq!(did_you_mean(word, NAMES), None, "{word}");
        }
        assert_eq!(did_you_mean("http", ["http_reqs", "http_req_failed"]), None, "two begin with it");
    }

    proptest! {
        #[test]
        fn a_swap_of_neighbours_is_one_slip(name in "[a-z]{6,12}", at in 0usize..5) {
            let mut swapped: Vec<char> = name.chars().collect();
            swapped.swap(at, at + 1);
            let swapped: String = swapped.into_iter().collect();
            prop_assert_eq!(did_you_mean(&swapped, [name.as_str()]), Some(name.as_str()));
        }

        #[test]
        fn distance_is_symmetric(left in "[ab]{0,6}", right in "[ab]{0,6}") {
            let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
            prop_assert_eq!(distance(&left, &right, 9), distance(&right, &left, 9));
        }
    }
}
