//! `metric{tag:value,tag2:value2}`: which series a threshold is about.
//!
//! Read from scripts and the API, printed in reports, asked by the Snapshot which of its series belong. It knows neither
//! which metrics exist (the type check does) nor how series are stored.

use std::fmt;

use super::{Place, Problem, ProblemKind};

/// A metric and what the tags of its series must be; the tags are sorted by name, so equal selections are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    metric: String,
    tags: Vec<Wanted>,
}

/// What one tag must be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Wanted {
    tag: String,
    value: String,
    /// Whether `*` in the value stands for any text. A quoted value is always itself.
    glob: bool,
}

impl Wanted {
    fn is(&self, value: &str) -> bool {
        if self.glob { glob(&self.value, value) } else { self.value == value }
    }
}

/// Whether `value` is `pattern`, in which each `*` stands for any text, or none.
fn glob(pattern: &str, value: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == value };
    let Some(mut value) = value.strip_prefix(start) else { return false };
    // Every piece but the last may be taken where it stands first: that leaves the most to the others.
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in between.split('*') {
        match value.find(piece) {
            Some(at) => value = &value[at + piece.len()..],
            None => return false,
        }
    }
    value.ends_with(end)
}

/// A selector with the places of its parts, for the type check.
pub(super) struct Read {
    pub selector: Selector,
    pub metric: Place,
    /// Tag names as written, in that order.
    pub tags: Vec<(String, Place)>,
}

impl Selector {
    /// A whole metric, whatever its tags.
    pub fn of(metric: impl Into<String>) -> Self {
        Self { metric: metric.into(), tags: Vec::new() }
    }

    /// Reads `metric{tag:value,…}`. A value may be quoted by `"`, `'` or `` ` `` and must be when it contains a comma, or a `*`
    /// that stands for itself.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let (read, problems) = read(text);
        if problems.is_empty() { Ok(read.selector) } else { Err(problems) }
    }

    /// The name of the metric.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// What the tags must be as text, sorted by tag; [`Selector::accepts`] says what that means.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|wanted| (wanted.tag.as_str(), wanted.value.as_str()))
    }

    /// What this tag must be, if the selector says so.
    pub fn tag(&self, tag: &str) -> Option<&str> {
        self.tags().find(|(name, _)| *name == tag).map(|(_, value)| value)
    }

    /// What this tag must be to the letter, if the selector says so.
    pub fn exactly(&self, tag: &str) -> Option<&str> {
        self.tags.iter().find(|wanted| wanted.tag == tag && !wanted.glob).map(|wanted| wanted.value.as_str())
    }

    /// The same with one more condition, to be met to the letter; an equal tag is replaced.
    #[must_use]
    pub fn with(self, tag: &str, value: &str) -> Self {
        self.wanting(Wanted { tag: tag.to_owned(), value: value.to_owned(), glob: false })
    }

    fn wanting(mut self, wanted: Wanted) -> Self {
        self.tags.retain(|known| known.tag != wanted.tag);
        let at = self.tags.partition_point(|known| known.tag < wanted.tag);
        self.tags.insert(at, wanted);
        self
    }

    /// Whether a series belongs that has the tags which `get` answers: it carries every tag of the selector with such a value.
    pub fn accepts<'t>(&self, get: impl Fn(&str) -> Option<&'t str>) -> bool {
        self.tags.iter().all(|wanted| get(&wanted.tag).is_some_and(|value| wanted.is(value)))
    }

    /// Whether nothing that it says about this tag forbids the value.
    pub fn allows(&self, tag: &str, value: &str) -> bool {
        self.tags.iter().all(|wanted| wanted.tag != tag || wanted.is(value))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.metric)?;
        for (index, Wanted { tag, value, glob }) in self.tags.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let bare = !value.is_empty()
                && value.trim() == value
                && !value.contains(',')
                && !value.starts_with(QUOTES)
                && balanced(value)
                && *glob == value.contains('*');
            // Quoted, a glob would be a text.
            let bare = bare || *glob;
            // A value that was read quoted lacks the sign that quoted it.
            let quote = if bare { None } else { QUOTES.into_iter().find(|quote| !value.contains(*quote)) };
            match quote {
                Some(quote) => write!(out, "{before}{tag}:{quote}{value}{quote}")?,
                None => write!(out, "{before}{tag}:{value}")?,
            }
        }
        if self.tags.is_empty() { Ok(()) } else { out.write_str("}") }
    }
}

/// Whether its braces close each other, so that it can stand between braces unquoted.
fn balanced(value: &str) -> bool {
    let mut depth = 0usize;
    value.chars().all(|letter| {
        depth += usize::from(letter == '{');
        let closed = letter != '}' || depth > 0;
        depth -= usize::from(letter == '}' && closed);
        closed
    }) && depth == 0
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// Reads as much as there is and reports all that is wrong.
pub(super) fn read(text: &str) -> (Read, Vec<Problem>) {
    let chars: Vec<char> = text.chars().collect();
    let mut problems = Vec::new();
    let whole = trimmed(&chars, 0, chars.len());
    let open = chars.iter().position(|c| *c == '{');
    let metric = trimmed(&chars, whole.offset, open.unwrap_or(whole.end()));
    let mut bad = |reason, place| problems.push(Problem::in_selector(ProblemKind::BadSelector { reason }, place));

    if metric.length == 0 {
        bad("the selector names no metric", Place { offset: metric.offset, length: 1 });
    } else if let Some(stray) = (metric.offset..metric.end()).find(|at| chars[*at] == '}') {
        bad("`}` without `{` in a selector", Place { offset: stray, length: 1 });
    }
    let mut tags = Vec::new();
    if let Some(open) = open {
        match chars.iter().rposition(|c| *c == '}') {
            Some(close) if close > open && close + 1 == whole.end() => {
                tags = read_tags(&chars, open, close, &mut problems);
            }
            Some(close) if close > open => {
                bad("text behind `}` in a selector", Place::between(close + 1, whole.end()));
            }
            _ => bad("`{` without `}` in a selector", Place { offset: open, length: 1 }),
        }
    }

    let mut selector = Selector::of(chars[metric.offset..metric.end()].iter().collect::<String>());
    let mut places = Vec::with_capacity(tags.len());
    for (wanted, place) in tags {
        let tag = wanted.tag.clone();
        if selector.tag(&tag).is_some() {
            problems.push(Problem::in_selector(ProblemKind::TagTwice { tag: tag.clone() }, place));
        }
        selector = selector.wanting(wanted);
        places.push((tag, place));
    }
    let tags = places;
    (Read { selector, metric, tags }, problems)
}

/// The tags between the braces at `open` and `close`.
fn read_tags(chars: &[char], open: usize, close: usize, problems: &mut Vec<Problem>) -> Vec<(Wanted, Place)> {
    let mut tags = Vec::new();
    let mut at = open + 1;
    loop {
        let end = element_end(chars, at, close);
        let element = trimmed(chars, at, end);
        let mut bad = |reason, place: Place| {
            let place = Place { length: place.length.max(1), ..place };
            problems.push(Problem::in_selector(ProblemKind::BadSelector { reason }, place));
        };
        if element.length == 0 {
            bad("a tag is missing in a selector", element);
        } else if let Some(colon) = (element.offset..element.end()).find(|at| chars[*at] == ':') {
            let (name, value) = (trimmed(chars, element.offset, colon), trimmed(chars, colon + 1, element.end()));
            let name_text = chars[name.offset..name.end()].iter().collect::<String>();
            // k6 accepts quotes around the name as well.
            let name_text = name_text.trim_matches(|c: char| QUOTES.contains(&c) || c.is_whitespace()).to_owned();
            let value_text: String = chars[value.offset..value.end()].iter().collect();
            let quote = value_text.chars().next().filter(|first| QUOTES.contains(first));
            match quote {
                _ if name_text.is_empty() => bad("a tag has no name in a selector", element),
                None if value_text.is_empty() => bad("a tag has no value in a selector", element),
                None => {
                    let glob = value_text.contains('*');
                    tags.push((Wanted { tag: name_text, value: value_text, glob }, name));
                }
                Some(quote) if value.length > 1 && value_text.ends_with(quote) => {
                    let inner: String = chars[value.offset + 1..value.end() - 1].iter().collect();
                    if inner.contains(quote) {
                        bad("text behind a quoted value in a selector", value);
                    } else {
                        tags.push((Wanted { tag: name_text, value: inner, glob: false }, name));
                    }
                }
                Some(_) => bad("a quoted value does not end in a selector", value),
            }
        } else {
            bad("a tag has no value in a selector", element);
        }
        if end >= close {
            return tags;
        }
        at = end + 1;
    }
}

/// Where the element that begins at `at` ends: at a comma that is not quoted, or at `close`.
fn element_end(chars: &[char], at: usize, close: usize) -> usize {
    let colon = (at..close).find(|at| matches!(chars[*at], ':' | ',')).unwrap_or(close);
    let value = trimmed(chars, (colon + 1).min(close), close).offset;
    let mut from = at;
    if value < close && chars[colon] == ':' && QUOTES.contains(&chars[value]) {
        // Inside the quotes commas are text.
        from = (value + 1..close).find(|at| chars[*at] == chars[value]).unwrap_or(at);
    }
    (from..close).find(|at| chars[*at] == ',').unwrap_or(close)
}

/// What remains of `start..end` without the white space around it.
fn trimmed(chars: &[char], start: usize, end: usize) -> Place {
    let end = end.max(start);
    let first = (start..end).find(|at| !chars[*at].is_whitespace()).unwrap_or(end);
    let behind = (first..end).rev().find(|at| !chars[*at].is_whitespace()).map_or(first, |last| last + 1);
    Place::between(first, behind)
}
