//! The language of thresholds and alerts under texts that nobody would write: the law of `tests/fuzz/law.rs` holds for all.

#[path = "fuzz/law.rs"]
mod law;

use proptest::prelude::*;

const SEEDS: &str = include_str!("fuzz/seeds.txt");

/// One edit of a text: at a place, something is taken out, put in, doubled, or taken from another text.
#[derive(Debug, Clone)]
enum Edit {
    Cut(usize, usize),
    Put(usize, String),
    Double(usize, usize),
    Cross(usize, usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let pieces = vec![
        "(",
        ")",
        "{",
        "}",
        ",",
        ":",
        "'",
        "\"",
        "`",
        "*",
        "/",
        "-",
        "+",
        "<",
        ">",
        "=",
        "!",
        "&&",
        "|",
        "%",
        ".",
        "\t",
        " ",
        "p(",
        "p(95)",
        "of ",
        "over 30s",
        "for 5s",
        "and ",
        "or ",
        "not ",
        "slope(",
        "forecast(",
        "0",
        "9",
        "1e9",
        "-0",
        "300ms",
        "10MB/s",
        "5/count",
        "over",
        "NaN",
        "inf",
        "µs",
        "é",
        "\u{0}",
        "\u{200d}",
        "vus",
        "{name:",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let at = 0..200usize;
    prop_oneof![
        (at.clone(), 1..12usize).prop_map(|(at, count)| Edit::Cut(at, count)),
        (at.clone(), piece).prop_map(|(at, piece)| Edit::Put(at, piece)),
        (at.clone(), 1..20usize).prop_map(|(at, count)| Edit::Double(at, count)),
        (at.clone(), 0..64usize, at).prop_map(|(at, other, from)| Edit::Cross(at, other, from)),
    ]
}

fn edited(text: &str, edit: &Edit) -> String {
    let letters: Vec<char> = text.chars().collect();
    let place = |at: usize| at % (letters.len() + 1);
    let piece = |from: usize, count: usize| letters[from..(from + count).min(letters.len())].iter().collect::<String>();
    let (before, inserted, after) = match edit {
        Edit::Cut(at, count) => (place(*at), String::new(), (place(*at) + count).min(letters.len())),
        Edit::Put(at, text) => (place(*at), text.clone(), place(*at)),
        Edit::Double(at, count) => (place(*at), piece(place(*at), *count), place(*at)),
        Edit::Cross(at, other, from) => {
            let other = SEEDS.lines().nth(other % SEEDS.lines().count()).unwrap_or_default();
            let from = from % (other.chars().count() + 1);
            (place(*at), other.chars().skip(from).collect(), letters.len())
        }
    };
    let start: String = letters[..before].iter().collect();
    let end: String = letters[after..].iter().collect();
    [start, inserted, end].concat()
}

#[test]
fn the_law_holds_for_every_seed() {
    for seed in SEEDS.lines() {
        law::check(seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_law_holds_for_every_edit_of_a_seed(seed in 0..64usize, edits in prop::collection::vec(edit(), 1..8)) {
        let seed = SEEDS.lines().nth(seed % SEEDS.lines().count()).unwrap_or_default();
        let text = edits.iter().fold(seed.to_owned(), |text, edit| edited(&text, edit));
        law::check(&text);
    }
}
