//! The names in sight at one point of the walk: variables and imported modules, innermost last.
//!
//! Used by the walk only. A function starts with a scope of its own; a closure continues the scope it stands in, because
//! it captures.

use std::rc::Rc;

use rhai::Position;

use super::known::Names;

/// Something that a statement brought into sight.
#[derive(Debug, Clone)]
enum Entry {
    /// A variable; `unbound_this` is where its closure uses `this`, when it holds one that does.
    Variable { name: String, unbound_this: Option<Position> },
    /// An imported module; what is in it, when that is known.
    Module { alias: String, names: Option<Rc<Names>> },
}

/// What is in sight.
#[derive(Debug, Default)]
pub(super) struct Scope {
    entries: Vec<Entry>,
}

impl Scope {
    /// To be given to [`Scope::leave`] at the end of a block.
    pub(super) fn enter(&self) -> usize {
        self.entries.len()
    }

    /// Forgets everything that came into sight since `mark`.
    pub(super) fn leave(&mut self, mark: usize) {
        self.entries.truncate(mark);
    }

    /// A variable comes into sight.
    pub(super) fn declare(&mut self, name: &str) {
        self.declare_closure(name, None);
    }

    /// A variable comes into sight whose closure uses `this` at the given place.
    pub(super) fn declare_closure(&mut self, name: &str, unbound_this: Option<Position>) {
        self.entries.push(Entry::Variable { name: name.to_owned(), unbound_this });
    }

    /// A module comes into sight.
    pub(super) fn import(&mut self, alias: &str, names: Option<Rc<Names>>) {
        self.entries.push(Entry::Module { alias: alias.to_owned(), names });
    }

    /// Whether there is a variable of this name.
    pub(super) fn has(&self, wanted: &str) -> bool {
        self.variables().any(|name| name == wanted)
    }

    /// The variables in sight, innermost first.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().rev().filter_map(|entry| match entry {
            Entry::Variable { name, .. } => Some(name.as_str()),
            Entry::Module { .. } => None,
        })
    }

    /// The module of this alias: `None` when there is none in sight, `Some(None)` when its names are not known.
    pub(super) fn module(&self, wanted: &str) -> Option<Option<Rc<Names>>> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Module { alias, names } if alias == wanted => Some(names.clone()),
            _ => None,
        })
    }

    /// The aliases of the modules in sight.
    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Module { alias, .. } => Some(alias.as_str()),
            Entry::Variable { .. } => None,
        })
    }

    /// Where the closure in this variable uses `this`, when it does.
    pub(super) fn unbound_this(&self, wanted: &str) -> Option<Position> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Variable { name, unbound_this } if name == wanted => Some(*unbound_this),
            _ => None,
        })?
    }

    /// The variable was given another value: nothing is known of its closure any more.
    pub(super) fn reassigned(&mut self, wanted: &str) {
        for entry in self.entries.iter_mut().rev() {
            if let Entry::Variable { name, unbound_this } = entry
                && name == wanted
            {
                *unbound_this = None;
                return;
            }
        }
    }
}
