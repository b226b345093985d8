//! Script files: the main one and everything it imports, read once.
//!
//! Called by `compile` before anything runs and never later: shards get the texts from the Plan. A path that leaves the
//! project, by `..`, an absolute name or a symbolic link, is refused (Rhai's own file resolver accepts all three).

use super::lint;
use crate::diagnostic::{Diagnostic, Span};
use crate::plan::Source;
use rhai::{AST, ASTNode, Engine, Expr, Stmt};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Library files that come with punk, by their import path.
pub const STDLIB: &[(&str, &str)] = &[("std/think", include_str!("../../stdlib/think.rhai"))];

/// Whether a file, by its [`Source::path`], is one of these.
pub fn is_library(path: &str) -> bool {
    STDLIB.iter().any(|(name, _)| *name == path)
}

/// The folder of scripts that were sent: a device, in which nothing can be, so that no relative path leads to a file.
const NOWHERE: &str = "/dev/null";

/// Largest script file, bytes.
const LARGEST: u64 = 4 << 20;

/// All files of a script, parsed.
#[derive(Default)]
pub struct Sources {
    /// The main script first.
    pub files: Vec<Source>,
    /// Their syntax trees, in the same order; `None` where the syntax is wrong.
    pub asts: Vec<Option<AST>>,
    /// For each file, what its imports resolve to: import path → index into `files`.
    pub imports: Vec<BTreeMap<String, usize>>,
    /// Files that are wanted and could not be read.
    pub missing: Vec<PathBuf>,
}

impl Sources {
    /// Reads and parses `path` and all that it imports. Problems are added to `problems`; what could be read is returned.
    pub fn load(engine: &Engine, path: &Path, problems: &mut Vec<Diagnostic>) -> Sources {
        match read(path) {
            Ok(text) => Self::of_text(engine, path, text, problems),
            Err(why) => {
                problems.push(Diagnostic::error(format!("cannot read `{}`: {why}", path.display())));
                Sources { missing: vec![path.to_path_buf()], ..Sources::default() }
            }
        }
    }

    /// The same for a main script whose text is known: `path` is its name, from which its imports resolve.
    pub fn of_text(engine: &Engine, path: &Path, text: String, problems: &mut Vec<Diagnostic>) -> Sources {
        let mut sources = Sources::default();
        sources.add(path.display().to_string(), path.to_path_buf(), text);
        sources.parse_all(engine, &project_root(path), problems);
        sources
    }

    /// The same for a main script that somebody sent. It stands in no folder of this machine, whatever it is called.
    pub fn sent(engine: &Engine, name: &str, text: String, problems: &mut Vec<Diagnostic>) -> Sources {
        let mut sources = Sources::default();
        sources.add(name.to_owned(), Path::new(NOWHERE).join(name), text);
        sources.parse_all(engine, Path::new(NOWHERE), problems);
        sources
    }

    /// The files of a Plan, parsed again: on a shard, where nothing can be wrong any more.
    pub fn of_plan(engine: &Engine, files: &[Source]) -> Sources {
        let mut sources = Sources { files: files.to_vec(), ..Sources::default() };
        for at in 0..files.len() {
            let ast = parse(engine, &files[at]).ok();
            let mut found = BTreeMap::new();
            for (name, _) in ast.iter().flat_map(imports_of) {
                let file = resolved(&files[at].file, &name);
                if let Some(index) = files.iter().position(|source| source.file == file) {
                    found.insert(name, index);
                }
            }
            sources.asts.push(ast);
            sources.imports.push(found);
        }
        sources
    }

    fn add(&mut self, path: String, file: PathBuf, text: String) {
        let sha256 = sha256(&text);
        self.files.push(Source { path, file, text, sha256 });
    }

    /// All files, those that come by imports too.
    fn parse_all(&mut self, engine: &Engine, root: &Path, problems: &mut Vec<Diagnostic>) {
        let mut next = 0;
        while next < self.files.len() {
            self.parse(engine, next, root, problems);
            next += 1;
        }
    }

    fn parse(&mut self, engine: &Engine, at: usize, root: &Path, problems: &mut Vec<Diagnostic>) {
        let source = self.files[at].clone();
        let mut found = BTreeMap::new();
        let ast = match parse(engine, &source) {
            Ok(ast) => {
                for (name, place) in imports_of(&ast) {
                    let span = Span::in_source(&source.path, &source.text, place.0, place.1, name.chars().count() + 2);
                    match self.import(&source, &name, root) {
                        Ok(index) => {
                            found.insert(name, index);
                        }
                        Err(problem) => problems.push(problem.at(span)),
                    }
                }
                Some(ast)
            }
            Err(error) => {
                problems.push(lint::explain_parse_error(&error, &source.path, &source.text));
                None
            }
        };
        self.asts.push(ast);
        self.imports.push(found);
    }

    fn import(&mut self, from: &Source, name: &str, root: &Path) -> Result<usize, Diagnostic> {
        let file = resolved(&from.file, name);
        if let Some(known) = self.files.iter().position(|source| source.file == file) {
            return Ok(known);
        }
        if name.starts_with("std/") {
            let Some((_, text)) = STDLIB.iter().find(|(known, _)| *known == name) else {
                let problem = Diagnostic::error(format!("there is no library file `{name}`"));
                return Err(problem.suggest(name, STDLIB.iter().map(|(known, _)| *known)));
            };
            self.add(name.to_owned(), file, (*text).to_owned());
            return Ok(self.files.len() - 1);
        }
        if root == Path::new(NOWHERE) {
            let problem =
                Diagnostic::error(format!("cannot import `{name}`: this script was sent, and stands in no folder"));
            return Err(
                problem.help("only library files, `std/…`, can be imported; put the functions into the script itself")
            );
        }
        let escapes = Path::new(name).is_absolute() || {
            let inside = |path: &Path| path.canonicalize().is_ok_and(|path| path.starts_with(root));
            file.exists() && !inside(&file)
        };
        if escapes {
            return Err(Diagnostic::error(format!("import `{name}` leaves the project `{}`", root.display()))
                .help("imports are relative to the importing file and stay inside the project (the nearest folder with a `punk.toml` or `.git`, else the script's own)"));
        }
        let text = read(&file).map_err(|why| {
            if !self.missing.contains(&file) {
                self.missing.push(file.clone());
            }
            Diagnostic::error(format!("cannot import `{name}`: {why}")).help(format!("looked for `{}`", file.display()))
        })?;
        self.add(file.display().to_string(), file, text);
        Ok(self.files.len() - 1)
    }
}

/// Parses one file; the tree carries the file's name, so that errors can say it.
fn parse(engine: &Engine, source: &Source) -> Result<AST, rhai::ParseError> {
    let mut ast = engine.compile(&source.text)?;
    ast.set_source(source.path.as_str());
    Ok(ast)
}

/// What an import path means in a file: a sibling path, `.rhai` added where there is no extension.
fn resolved(from: &Path, name: &str) -> PathBuf {
    if name.starts_with("std/") {
        return PathBuf::from(name);
    }
    let mut file = from.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(name).components() {
        match part {
            Component::ParentDir if file.file_name().is_some_and(|last| last != "..") => {
                file.pop();
            }
            Component::CurDir => {}
            part => file.push(part),
        }
    }
    if file.extension().is_none() {
        file.set_extension("rhai");
    }
    file
}

/// Import paths written as plain strings, with the (line, column) of the string.
fn imports_of(ast: &AST) -> Vec<(String, (usize, usize))> {
    let mut found = Vec::new();
    let mut look = |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(name, place) = &import.0
        {
            found.push((name.to_string(), (place.line().unwrap_or(1), place.position().unwrap_or(1))));
        }
        true
    };
    ast.walk(&mut look);
    found
}

/// The folder that imports may not leave.
fn project_root(script: &Path) -> PathBuf {
    let script = script.canonicalize().unwrap_or_else(|_| script.to_path_buf());
    let own = script.parent().unwrap_or(Path::new("/")).to_path_buf();
    let marked = |folder: &&Path| folder.join("punk.toml").exists() || folder.join(".git").exists();
    own.ancestors().find(marked).map_or(own.clone(), Path::to_path_buf)
}

/// What identifies a text: its SHA-256, lowercase hex.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text of a script file.
///
/// # Errors
/// Why it is none, for people.
pub fn read(path: &Path) -> Result<String, String> {
    let about = std::fs::metadata(path).map_err(|error| reason(&error))?;
    if !about.is_file() {
        return Err("it is not a file".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    let bytes = std::fs::read(path).map_err(|error| reason(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    // Some editors begin a file with a byte order mark; Rhai takes it for a name.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The operating system's reason without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_siblings_with_an_extension() {
        let from = Path::new("scripts/shop/main.rhai");
        assert_eq!(resolved(from, "lib/login"), Path::new("scripts/shop/lib/login.rhai"));
        assert_eq!(resolved(from, "../auth.rhai"), Path::new("scripts/auth.rhai"));
        assert_eq!(resolved(from, "./a/./b"), Path::new("scripts/shop/a/b.rhai"));
        assert_eq!(resolved(from, "std/think"), Path::new("std/think"));
    }

    #[test]
    fn a_script_that_was_sent_imports_the_library_alone() {
        let text = "import \"std/think\" as t;\nimport \"source\" as a;\nimport \"../../etc/x\" as b;\nimport \"/etc/x\" as c;";
        let mut problems = Vec::new();
        let sources = Sources::sent(&Engine::new_raw(), "main.rhai", text.to_owned(), &mut problems);
        assert_eq!(sources.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["main.rhai", "std/think"]);
        let lines: Vec<_> = problems.iter().map(|problem| problem.span.as_ref().map(|span| span.line)).collect();
        assert_eq!(lines, [Some(2), Some(3), Some(4)]);
        assert!(problems.iter().all(|problem| problem.message.ends_with("stands in no folder")), "{problems:?}");
        let feed = sources.files[0].file.parent().unwrap().join("../../proc/self/status");
        assert!(std::fs::metadata(feed).is_err());
    }

    #[test]
    fn imports_that_leave_the_project_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inside = folder.path().join("project");
        std::fs::create_dir_all(&inside).expect("made");
        std::fs::write(folder.path().join("secret.rhai"), "fn a() { 1 }").expect("written");
        std::os::unix::fs::symlink(folder.path().join("secret.rhai"), inside.join("link.rhai")).expect("linked");
        let absolute = folder.path().join("secret.rhai");
        let text = format!("import \"../secret\" as a;\nimport \"link\" as b;\nimport {absolute:?} as c;\n");
        std::fs::write(inside.join("main.rhai"), text).expect("written");
        let mut problems = Vec::new();
        Sources::load(&Engine::new_raw(), &inside.join("main.rhai"), &mut problems);
        let lines: Vec<_> = problems
            .iter()
            .map(|p| (p.span.as_ref().map(|s| s.line), p.message.contains("leaves the project")))
            .collect();
        assert_eq!(lines, [(Some(1), true), (Some(2), true), (Some(3), true)]);
    }
}
