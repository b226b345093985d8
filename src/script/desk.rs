//! What everything that reads declarations works at: the sources, the places of their parts, the problems found so far.

use super::declare::Declaration;
use super::places::{Declared, Part, Places};
use super::settings::Reader;
use super::source::Sources;
use crate::diagnostic::Diagnostic;
use rhai::{FnPtr, Map};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that reads declarations shares this.
pub(super) struct Desk<'a> {
    pub(super) sources: &'a Sources,
    pub(super) places: Vec<Places>,
    pub(super) problems: &'a RefCell<Vec<Diagnostic>>,
    /// Whether a statement of the top level failed, so that what it would have declared is missing.
    pub(super) incomplete: bool,
}

impl<'a> Desk<'a> {
    /// Where a declaration stands.
    pub(super) fn declared(&self, declaration: &Declaration) -> Declared<'a> {
        let at = self.file_of(declaration.file.as_deref());
        let (name, arguments) = self.places[at].call(declaration.at);
        Declared { source: &self.sources.files[at], name, arguments }
    }

    pub(super) fn file_of(&self, path: Option<&str>) -> usize {
        path.and_then(|path| self.sources.files.iter().position(|source| source.path == path)).unwrap_or(0)
    }

    pub(super) fn tell(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// A reader over a map argument.
    pub(super) fn reader<'b>(&'b self, map: &'b Map, declared: &Declared<'b>, argument: usize) -> Reader<'b>
    where
        'a: 'b,
    {
        let part: Part = declared.arguments.get(argument).cloned().unwrap_or_default();
        Reader::new(map, part, declared.source, declared.name, self.problems)
    }
}

/// The functions of the main script, by name, with their numbers of parameters.
pub(super) struct Functions(BTreeMap<String, BTreeSet<usize>>);

impl Functions {
    pub(super) fn of(sources: &Sources) -> Self {
        let mut functions: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for function in sources.asts[0].iter().flat_map(|ast| ast.iter_functions()) {
            functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
        Functions(functions)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| !name.starts_with("anon$"))
    }

    /// Whether it can be called with nothing or with `data`; unknown names can be.
    pub(super) fn takes_at_most_data(&self, name: &str) -> bool {
        self.0.get(name).is_none_or(|arities| arities.iter().any(|arity| *arity <= 1))
    }

    /// Whether a closure, or a function by its name, can be called with so many arguments; unknown names can be.
    pub(super) fn takes(&self, function: &FnPtr, arguments: usize) -> bool {
        let wanted = arguments + function.curry().len();
        self.0.get(function.fn_name()).is_none_or(|arities| arities.contains(&wanted))
    }
}
