//! What scripts can name, for people: one line for each function, property and option, kept beside the code.
//!
//! Read by the tests that generate `docs/reference/script-api.md`, which fail when a name is registered without a line
//! here, or a line is left without a name. It deliberately does not look at the engine: the tests compare.

use super::source::STDLIB;
use std::collections::BTreeSet;

/// Every function and property, in the order of the page.
const NAMES: &str = include_str!("names.txt");
/// Every key of every map of options.
const KEYS: &str = include_str!("keys.txt");

/// A part of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its title; of a type or a map of options also its name.
    pub title: &'static str,
    /// What holds for all of its lines.
    pub intro: &'static str,
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// One function, property or option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it is written: `http::get(url[, options])`, `response.status`, `timeout`.
    pub call: &'static str,
    /// What an option is when it is not given; empty for functions.
    pub default: &'static str,
    /// What it does.
    pub text: &'static str,
}

/// A library file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// What `import` takes: `std/think`.
    pub path: &'static str,
    /// What it is for.
    pub intro: String,
    /// Its functions, as a script that imports it calls them, and what they do.
    pub functions: Vec<(String, String)>,
}

impl Library {
    fn read(path: &'static str, text: &str) -> Self {
        let module = path.rsplit('/').next().unwrap_or(path);
        let mut library = Library { path, intro: String::new(), functions: Vec::new() };
        let mut about = String::new();
        let append = |to: &mut String, line: &str| {
            to.push_str(if to.is_empty() { "" } else { " " });
            to.push_str(line.trim());
        };
        for line in text.lines() {
            if let Some(line) = line.strip_prefix("//!") {
                append(&mut library.intro, line);
            } else if let Some(line) = line.strip_prefix("///") {
                append(&mut about, line);
            } else if let Some(signature) = line.strip_prefix("fn ") {
                let call = format!("{module}::{}", signature.trim_end_matches(['{', ' ']));
                library.functions.push((call, std::mem::take(&mut about)));
            }
        }
        library
    }
}

impl Line {
    /// The name without parameters: `http::get`, `response.status`.
    pub fn name(&self) -> &'static str {
        self.call.split('(').next().unwrap_or(self.call)
    }

    /// With how many arguments it can be called, a method's receiver not counted; `None` for what is no function.
    pub fn arities(&self) -> Option<BTreeSet<usize>> {
        let parameters = self.call.split_once('(')?.1.trim_end_matches(')');
        let count = |text: &str| text.split(',').filter(|name| !name.trim().is_empty()).count();
        let required = count(parameters.split('[').next().unwrap_or_default());
        let all = count(&parameters.replace(['[', ']'], ""));
        // `[low, high]` alone come together; behind something required each adds one more form.
        Some(if required == 0 && all > 1 { [0, all].into() } else { (required..=all).collect() })
    }
}

/// Functions, properties and types.
pub fn names() -> Vec<Section> {
    sections(NAMES, false)
}

/// The library files that come with punk, from their doc comments: a function's line is its `///`, the introduction `//!`.
pub fn library() -> Vec<Library> {
    STDLIB.iter().map(|(path, text)| Library::read(path, text)).collect()
}

/// Maps of options.
pub fn keys() -> Vec<Section> {
    sections(KEYS, true)
}

fn sections(text: &'static str, with_default: bool) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            sections.push(Section { title, intro: "", lines: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            match line.strip_prefix("> ") {
                Some(intro) => section.intro = intro,
                None => section.lines.push(read(line, with_default)),
            }
        }
    }
    sections
}

fn read(line: &'static str, with_default: bool) -> Line {
    let (call, rest) = line.split_once('|').unwrap_or((line, ""));
    let (default, text) = if with_default { rest.split_once('|').unwrap_or(("", rest)) } else { ("", rest) };
    Line { call: call.trim(), default: default.trim(), text: text.trim() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_something_and_stands_once() {
        for sections in [names(), keys()] {
            for section in &sections {
                let mut seen = BTreeSet::new();
                for line in &section.lines {
                    assert!(line.text.ends_with('.') && line.text.len() >= 4, "{}: {:?}", line.call, line.text);
                    assert!(seen.insert(line.call), "{} twice in {}", line.call, section.title);
                }
                assert!(!seen.is_empty(), "{}", section.title);
            }
        }
    }

    #[test]
    fn every_library_says_what_each_of_its_functions_does() {
        for library in library() {
            assert!(library.intro.ends_with('.'), "{}", library.path);
            for (call, text) in &library.functions {
                assert!(text.ends_with('.') && call.ends_with(')'), "{call}: {text}");
            }
        }
        let think = &library()[0];
        assert_eq!((think.path, think.functions[1].0.as_str()), ("std/think", "think::uniform(min, max)"));
    }

    #[test]
    fn the_form_tells_the_numbers_of_arguments() {
        let arities = |call| Line { call, default: "", text: "" }.arities().map(Vec::from_iter);
        assert_eq!(arities("a.b"), None);
        assert_eq!(arities("a::b()"), Some(vec![0]));
        assert_eq!(arities("a(x, y)"), Some(vec![2]));
        assert_eq!(arities("a(x[, y, z])"), Some(vec![1, 2, 3]));
        assert_eq!(arities("a([x])"), Some(vec![0, 1]));
        assert_eq!(arities("a([x, y])"), Some(vec![0, 2]));
    }

    #[test]
    fn the_options_of_a_request_are_those_that_are_read() {
        let written: BTreeSet<&str> = keys()
            .into_iter()
            .filter(|section| section.title == "request")
            .flat_map(|section| section.lines.into_iter().map(|line| line.call))
            .collect();
        assert_eq!(written, super::super::bindings::request_options().iter().copied().collect());
    }
}
