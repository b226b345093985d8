//! A reader of the classic text and of OpenMetrics that forgives nothing, for the tests of this folder.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of a time series, in order of their names.
pub(super) type Labels = BTreeMap<String, String>;

/// What was read: type and help of each family, and every time series with its value.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) types: BTreeMap<String, String>,
    pub(super) help: BTreeMap<String, String>,
    pub(super) series: BTreeMap<(String, Labels), f64>,
}

impl Read {
    /// The value of a time series.
    #[track_caller]
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let known = || self.series.keys().filter(|(other, _)| other == name).collect::<Vec<_>>();
        *self
            .series
            .get(&(name.to_owned(), labels.clone()))
            .unwrap_or_else(|| panic!("no {name}{labels:?}, only {:?}", known()))
    }
}

/// Reads all of a text; panics with the line that is wrong.
#[track_caller]
pub(super) fn read(text: &str, open_metrics: bool) -> Read {
    let mut read = Read::default();
    let mut family: Option<(String, String)> = None;
    let body = if open_metrics { text.strip_suffix("# EOF\n").expect("an end") } else { text };
    assert!(body.ends_with('\n'), "the last line ends");
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a help");
            assert!(is_name(name) && !help.is_empty(), "{line}");
            let help = unescaped(help, open_metrics).unwrap_or_else(|| panic!("{line}"));
            assert!(read.help.insert(name.into(), help).is_none(), "helped twice: {line}");
            family = Some((name.to_owned(), String::new()));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind) || open_metrics && kind == "info", "{line}");
            assert!(family.as_ref().is_some_and(|(of, _)| of == name), "help comes first: {line}");
            read.types.insert(name.into(), kind.into());
            family = Some((name.to_owned(), kind.to_owned()));
        } else if let Some(rest) = line.strip_prefix("# UNIT ").filter(|_| open_metrics) {
            let (name, unit) = rest.split_once(' ').expect("a name and a unit");
            assert!(name.ends_with(&format!("_{unit}")), "{line}");
        } else {
            let (name, labels, value) = sample(line).unwrap_or_else(|| panic!("no sample: {line}"));
            let (of, kind) = family.as_ref().expect("a type before any sample");
            let ends: &[&str] = match kind.as_str() {
                "counter" if open_metrics => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                "info" => &["_info"],
                _ => &[""],
            };
            assert!(ends.iter().any(|end| name == format!("{of}{end}")), "stands below {of}: {line}");
            assert_eq!(labels.contains_key("le"), name.ends_with("_bucket"), "{line}");
            assert!(kind != "counter" || name.ends_with("_total"), "{line}");
            assert!(read.series.insert((name, labels), value).is_none(), "said twice: {line}");
        }
    }
    check_histograms(&read);
    read
}

/// In each histogram the buckets grow, and the last one is all.
fn check_histograms(read: &Read) {
    for (name, _) in read.types.iter().filter(|(_, kind)| *kind == "histogram") {
        let part = |end: &str| {
            let wanted = format!("{name}{end}");
            read.series.iter().filter(move |((name, _), _)| *name == wanted)
        };
        let mut histograms: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for ((_, labels), value) in part("_bucket") {
            let mut labels = labels.clone();
            let edge = number(&labels.remove("le").expect("was checked")).expect("an edge is a number");
            histograms.entry(labels).or_default().push((edge, *value));
        }
        let counts: BTreeSet<&Labels> = part("_count").map(|((_, labels), _)| labels).collect();
        assert_eq!(counts, histograms.keys().collect(), "{name}: buckets for each count");
        for (labels, mut buckets) in histograms {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let counts: Vec<f64> = buckets.iter().map(|(_, count)| *count).collect();
            assert!(counts.is_sorted(), "{name}{labels:?}: {buckets:?}");
            let last = buckets.last().expect("an entry has a bucket");
            assert_eq!(*last, (f64::INFINITY, read.series[&(format!("{name}_count"), labels)]));
        }
    }
}

/// `name{label="value"} 1.5`
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let mut slash = false;
            let end = after.find(|letter| {
                let ends = letter == '"' && !slash;
                slash = letter == '\\' && !slash;
                ends
            })?;
            let fresh = labels.insert(label.to_owned(), unescaped(&after[..end], true)?).is_none();
            rest = &after[end + 1..];
            let more = rest.strip_prefix(',').filter(|rest| !rest.starts_with('}'));
            let fits = fresh && is_name(label) && (more.is_some() || rest.starts_with('}'));
            rest = more.unwrap_or(rest);
            if !fits {
                return None;
            }
        }
        rest = &rest[1..];
    }
    let value = number(rest.strip_prefix(' ')?)?;
    is_name(name).then(|| (name.to_owned(), labels, value))
}

fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if plain || ["+Inf", "-Inf", "inf", "-inf", "NaN"].contains(&text) { text.parse().ok() } else { None }
}

fn unescaped(text: &str, quotes: bool) -> Option<String> {
    let mut letters = text.chars();
    let mut plain = String::new();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '"' if quotes => return None,
            '\\' => match letters.next()? {
                'n' => '\n',
                '\\' => '\\',
                '"' if quotes => '"',
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(plain)
}

fn is_name(name: &str) -> bool {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
    !name.is_empty() && name.bytes().all(fits) && !name.as_bytes()[0].is_ascii_digit() && !name.starts_with("__")
}
