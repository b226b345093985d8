//! JSONPath as scripts write it: compiled once for each text, plain paths without the standard's machinery.
//!
//! Called by [`super::response`]. A plain path (names, indices) can be followed by [`super::skim`]; any other is a query
//! of RFC 9535 over a parsed document.

use super::skim::Step;
use rhai::EvalAltResult;
use rustc_hash::FxHashMap;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::cell::RefCell;
use std::rc::Rc;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// Most compiled paths that one shard keeps.
const KEPT: usize = 1_000;

thread_local! {
    static PATHS: RefCell<FxHashMap<String, Rc<Path>>> = RefCell::default();
}

/// A compiled path.
#[derive(Debug)]
pub enum Path {
    /// Names and indices only: `$.a.b[0]['c']`.
    Plain(Vec<Step>),
    /// Any other that finds one value at most.
    Single(JsonPath),
    /// One that finds a list of values.
    Many(JsonPath),
}

impl Path {
    /// The path of this text, known or new. Fails on what is no JSONPath.
    pub fn of(text: &str) -> Fallible<Rc<Path>> {
        PATHS.with_borrow_mut(|paths| {
            if let Some(known) = paths.get(text) {
                return Ok(Rc::clone(known));
            }
            let path = Rc::new(Path::parse(text)?);
            if paths.len() >= KEPT {
                paths.clear();
            }
            paths.insert(text.to_owned(), Rc::clone(&path));
            Ok(path)
        })
    }

    fn parse(text: &str) -> Fallible<Path> {
        if let Some(steps) = steps(text) {
            return Ok(Path::Plain(steps));
        }
        let path = JsonPath::parse(text).map_err(|error| format!("`{text}` is not a JSONPath: {error}"))?;
        Ok(if leads_to_one_place(text) { Path::Single(path) } else { Path::Many(path) })
    }

    /// What it finds: the value itself for a path to one place, else a list; nothing when there is none.
    pub fn query(&self, document: &Value) -> Option<Value> {
        match self {
            Path::Plain(steps) => steps.iter().try_fold(document, |value, step| step.take(value)).cloned(),
            Path::Single(path) => path.query(document).first().cloned(),
            Path::Many(path) => Some(Value::Array(path.query(document).all().into_iter().cloned().collect())),
        }
    }
}

/// The steps of a plain path, the form that nearly every script uses. `None` for any other form.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    if !path.starts_with('$') && !path.starts_with(['.', '[']) {
        // `json("price")` is meant as `$.price`.
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        steps.push(Step::Member(name(&rest[..end])?));
        rest = &rest[end..];
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(Step::Member(name(&after[..end])?));
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            let (step, after) = bracketed(after)?;
            steps.push(step);
            rest = after;
        }
    }
    Some(steps)
}

/// After `[`: `0]`, `-1]`, `'name']` or `"name"]`, and what follows.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    if let Some(mark @ ('\'' | '"')) = text.chars().next() {
        let (name, after) = text[1..].split_once(mark)?;
        let plain = |letter: char| letter != '\\' && !letter.is_control();
        return name.chars().all(plain).then_some((Step::Member(name.to_owned()), after.strip_prefix(']')?));
    }
    let (index, after) = text.split_once(']')?;
    let step = if index == "-1" { Step::Last } else { Step::Item(index.parse().ok()?) };
    Some((step, after))
}

fn name(text: &str) -> Option<String> {
    let plain = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
}

/// Whether a path can find one value at most: no wildcard, filter, slice, union or descent (RFC 9535 §2.3.5.1).
fn leads_to_one_place(path: &str) -> bool {
    let mut quote = None;
    let mut in_brackets = false;
    let mut before = ' ';
    for letter in path.chars() {
        match (quote, letter) {
            (Some(mark), _) if letter == mark && before != '\\' => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '*' | '?') => return false,
            (None, ':' | ',') if in_brackets => return false,
            (None, '.') if before == '.' => return false,
            (None, '[') => in_brackets = true,
            (None, ']') => in_brackets = false,
            _ => {}
        }
        before = letter;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_find_what_the_standard_finds() {
        let document: Value =
            serde_json::from_str(r#"{"a":{"b":[{"c":1},{"c":null}],"d-e":"x"},"n":[[1,2]],"a.b":3,"":4,"it's":5}"#)
                .expect("JSON");
        for path in [
            "$",
            "$.a",
            "$.a.b[0].c",
            "$.a.b[1].c",
            "$.a.b[7]",
            "$.a.d-e",
            "$.missing.c",
            "$.n[0][1]",
            "$.a['b'][-1].c",
            "$[\"a\"]['d-e']",
            "$['a.b']",
            "$['']",
            "$[\"it's\"]",
            "$.n[-1][-1]",
            "$.a[-1]",
            "$.a[0]",
            "$['[0]']",
        ] {
            let steps = steps(path).expect(path);
            // The standard wants `$['d-e']`; we also take the dotted form.
            let standard = JsonPath::parse(&path.replace(".d-e", "['d-e']")).expect(path);
            assert_eq!(Path::Plain(steps).query(&document).as_ref(), standard.query(&document).first(), "{path}");
        }
        for path in
            ["$..c", "$.a[*]", "$.a['b','c']", "$.a[?@.c==1]", "$.a[-2]", "$.a b", "$['a\\'b']", "$[0", "$['a'", "$a"]
        {
            assert_eq!(steps(path), None, "{path} needs the real thing");
        }
        assert_eq!(steps("a.b[0].c"), steps("$.a.b[0].c"));
    }

    #[test]
    fn a_path_to_one_place_gives_the_value_and_any_other_a_list() {
        let document: Value = serde_json::from_str(r#"{"a":[1,2]}"#).expect("JSON");
        let found = |text: &str| Path::of(text).expect(text).query(&document).map(|value| value.to_string());
        assert_eq!(found("$.a[-2]").as_deref(), Some("1"));
        assert_eq!(found("$.a[*]").as_deref(), Some("[1,2]"));
        assert_eq!(found("$.b[*]").as_deref(), Some("[]"));
        assert_eq!(found("$.a[-3]"), None);
        assert!(Path::of("$.a b").expect_err("no path").to_string().contains("is not a JSONPath"));
        assert!(Rc::ptr_eq(&Path::of("$.a").expect("a path"), &Path::of("$.a").expect("a path")));
    }
}
