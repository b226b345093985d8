//! By what several runs of one process are told apart: a name for each, and a file for each where one file was named.
//!
//! Made by the door before anything starts. A name comes from the script's file, so that it is the same in every run of the
//! same command line; a run by itself needs none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A name for each of these scripts: `checkout` of `shop/checkout.rhai`, `checkout-2` of another one of that name. One word
/// of letters, digits, `.`, `-` and `_`, so that it can be typed and stand in a file's name.
pub(super) fn names<'a>(scripts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    scripts.into_iter().map(|script| name(script, &mut taken)).collect()
}

/// A name for one more, of which there is none among those that are taken; it is then.
pub(super) fn name(script: &str, taken: &mut BTreeSet<String>) -> String {
    let stem = Path::new(script).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let letter = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    let word: String = stem.chars().map(letter).collect();
    let word = if word.is_empty() { "script".to_owned() } else { word };
    let mut tries = std::iter::once(word.clone()).chain((2..).map(|number: u32| format!("{word}-{number}")));
    let free = tries.find(|name| !taken.contains(name)).expect("there are more numbers than scripts");
    taken.insert(free.clone());
    free
}

/// The file of one run where a file for all was named: `out/summary.json` becomes `out/summary.checkout.json`.
pub(super) fn file_of(path: &Path, name: Option<&str>) -> PathBuf {
    let Some(name) = name else { return path.to_owned() };
    let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    // A device, such as `/dev/stdout`, cannot be had several times; nor is a file hidden for its first point.
    let (stem, ending) = match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (&*file, String::new()),
    };
    path.with_file_name(format!("{stem}.{name}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_come_from_files_and_are_told_apart() {
        let scripts = ["shop/checkout.rhai", "checkout.rhai", "checkout-2.rhai", "load test.v2.rhai", "", "..", "ä:b"];
        let wanted = ["checkout", "checkout-2", "checkout-2-2", "load_test.v2", "script", "script-2", "ä_b"];
        assert_eq!(names(scripts), wanted);
    }

    #[test]
    fn a_file_of_each_stands_beside_the_one_that_was_named() {
        let of = |path: &str| file_of(Path::new(path), Some("cart")).to_string_lossy().into_owned();
        assert_eq!(
            ["a/b.json", "log", "a.b.txt", ".hidden"].map(of),
            ["a/b.cart.json", "log.cart", "a.b.cart.txt", ".hidden.cart"]
        );
        assert_eq!(file_of(Path::new("a/b.json"), None), Path::new("a/b.json"));
    }

    proptest! {
        #[test]
        fn no_two_runs_have_one_name(scripts in prop::collection::vec("[ab-]{0,2}(-2)?(\\.rhai)?", 1..12)) {
            let names = names(scripts.iter().map(String::as_str));
            prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), scripts.len());
            prop_assert!(names.iter().all(|name| !name.is_empty() && !name.contains([' ', ':', '/'])));
        }
    }
}
