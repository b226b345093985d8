//! Finds, without running anything, what Rhai only finds at run time: unknown names, wrong numbers of arguments, a
//! `this` that is not there, comparisons that can never be true; and explains Rhai's syntax errors.
//!
//! Called by the compiler for every `punk check`, start and reload. It knows Rhai's scoping rules and, from [`Known`],
//! which names the engine offers; what those functions do it deliberately does not know, except for the few to which
//! `this` matters. Where only running the script could tell, it stays silent.

mod calls;
mod closures;
mod compare;
mod known;
mod methods;
mod names;
mod outline;
mod place;
mod scope;
mod source;
mod syntax;
#[cfg(test)]
mod tests;
mod this;
mod walk;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::diagnostic::Diagnostic;

pub use known::{Known, Names};
pub use source::ScriptFile;
pub(super) use source::{Body, bodies};
pub use syntax::explain_parse_error;

use outline::Outline;
use walk::Walk;

/// Finds the file that `importer` means by the path in its `import`; `None` when there is none or it does not compile
/// (both are the compiler's to report: nothing is said about names in such a module).
pub type Resolve<'r> = dyn Fn(&ScriptFile, &str) -> Option<Rc<ScriptFile>> + 'r;

/// How deep imports may import before nothing more is looked up; Rhai itself refuses circles.
const IMPORT_DEPTH: usize = 16;

/// Everything wrong in `script` and in all that it imports: sorted by file, line and column, nothing twice.
///
/// Never fails and never panics, whatever the script. It recurses about as deep as the parser did, so it wants the same
/// big stack.
pub fn lint(known: &Known, script: &ScriptFile, resolve: &Resolve<'_>) -> Vec<Diagnostic> {
    let mut files = BTreeMap::new();
    collect(script, resolve, &mut files, 0);
    let outlines: BTreeMap<&String, Outline> =
        files.iter().map(|(path, file)| (path, outline(file, resolve))).collect();
    let callable_keys = Keys {
        names: outlines.values().flat_map(|outline| outline.keys.iter().cloned()).collect(),
        computed: outlines.values().any(|outline| outline.computed_keys),
    };
    let mut found = Vec::new();
    for (path, file) in &files {
        let is_root = *path == script.path;
        found.extend(Walk::new(known, file, &outlines[path], &callable_keys, is_root, resolve).run());
    }
    sorted(found)
}

/// The names that any map of the run may hold closures under.
struct Keys {
    names: BTreeSet<String>,
    /// There are keys that only running the script could tell.
    computed: bool,
}

/// `file` and everything it imports, by path.
fn collect(file: &ScriptFile, resolve: &Resolve<'_>, files: &mut BTreeMap<String, Rc<ScriptFile>>, depth: usize) {
    if depth > IMPORT_DEPTH || files.contains_key(&file.path) {
        return;
    }
    files.insert(file.path.clone(), Rc::new(file.clone()));
    for path in outline::imported_paths(&file.ast) {
        if let Some(imported) = resolve(file, &path) {
            collect(&imported, resolve, files, depth + 1);
        }
    }
}

/// The outline of a file, its imports looked up.
fn outline(file: &ScriptFile, resolve: &Resolve<'_>) -> Outline {
    Outline::of(&file.ast, |path| imported_names(file, path, resolve, 0).map(Rc::new))
}

/// What `import` of this path makes visible in `importer`.
fn imported_names(importer: &ScriptFile, path: &str, resolve: &Resolve<'_>, depth: usize) -> Option<Names> {
    if depth > IMPORT_DEPTH {
        return None;
    }
    let file = resolve(importer, path)?;
    Some(Names::from_ast(&file.ast, |inner| imported_names(&file, inner, resolve, depth + 1)))
}

/// Sorted by place, equal ones once.
fn sorted(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let place = |diagnostic: &Diagnostic| {
        diagnostic.span.as_ref().map(|span| (span.path.clone(), span.line, span.column, diagnostic.message.clone()))
    };
    found.sort_by_cached_key(place);
    found.dedup_by(|left, right| place(left) == place(right));
    found
}
