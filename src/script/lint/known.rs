//! What exists besides the script: the functions, modules and properties that the engine offers.
//!
//! Built once per engine by the compiler (`Known::from_engine`) and read by the walk. It knows names and numbers of
//! arguments; types it does not know, because Rhai decides them at run time.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, Engine, FnAccess, FnNamespace, Stmt};

/// The names in one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Function name → how many arguments it may be given. A native method counts its receiver.
    pub functions: BTreeMap<String, BTreeSet<usize>>,
    /// Constants, as in `module::NAME`.
    pub variables: BTreeSet<String>,
    /// Modules within.
    pub modules: BTreeMap<String, Names>,
    /// Script functions for one type of receiver (`fn map.total()`), without counting it; visible wherever the
    /// module is imported.
    pub methods: BTreeMap<String, BTreeSet<usize>>,
}

/// Everything that a script may name without defining it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Functions and constants that need no prefix, and the modules registered with the engine.
    pub global: Names,
    /// Names of properties that some native type can be asked for.
    pub properties: BTreeSet<String>,
}

impl Known {
    /// Everything registered with `engine`: packages, functions, static modules.
    pub fn from_engine(engine: &Engine) -> Self {
        let mut known = Self::default();
        let functions = engine.collect_fn_metadata(
            None,
            |info| {
                let meta = info.metadata;
                Some((
                    info.namespace.to_string(),
                    meta.name.to_string(),
                    meta.num_params,
                    meta.namespace == FnNamespace::Global,
                ))
            },
            true,
        );
        for (path, name, arity, everywhere) in functions {
            if let Some(property) = name.strip_prefix("get$") {
                known.properties.insert(property.to_owned());
                continue;
            }
            if path.is_empty() || everywhere {
                known.global.add_function(&name, arity);
            }
            if !path.is_empty() {
                known.global.module(&path).add_function(&name, arity);
            }
        }
        let definitions = engine.definitions();
        known.global.add_constants(&definitions.static_module());
        for (name, text) in definitions.modules() {
            known.global.module(&name).add_constants(&text);
        }
        known
    }
}

impl Names {
    /// Adds a function that takes `arity` arguments, beside what it may take already.
    pub fn add_function(&mut self, name: &str, arity: usize) {
        self.functions.entry(name.to_owned()).or_default().insert(arity);
    }

    /// The module at a path such as `http` or `std::think`, made when there is none yet.
    pub fn module(&mut self, path: &str) -> &mut Self {
        path.split("::").fold(self, |names, part| names.modules.entry(part.to_owned()).or_default())
    }

    /// What `import` makes visible of a file: its public functions, what it exports, and the modules it imports itself
    /// (`nested` finds their names; `None` when that is not known).
    pub fn from_ast(ast: &AST, mut nested: impl FnMut(&str) -> Option<Self>) -> Self {
        let mut names = Self::default();
        for function in ast.iter_functions() {
            if function.access == FnAccess::Private || function.name.starts_with("anon$") {
                continue;
            }
            let table = match function.this_type {
                Some(_) => &mut names.methods,
                None => &mut names.functions,
            };
            table.entry(function.name.to_owned()).or_default().insert(function.params.len());
        }
        for statement in ast.statements() {
            match statement {
                Stmt::Var(variable, flags, _) if flags.contains(ASTFlags::EXPORTED) => {
                    names.variables.insert(variable.0.name.to_string());
                }
                Stmt::Export(export, _) => {
                    let (name, alias) = &**export;
                    let shown = if alias.name.is_empty() { name } else { alias };
                    names.variables.insert(shown.name.to_string());
                }
                Stmt::Import(import, _) => {
                    let (path, alias) = &**import;
                    if let rhai::Expr::StringConstant(path, _) = path
                        && let Some(inner) = nested(path)
                    {
                        names.modules.insert(alias.name.to_string(), inner);
                    }
                }
                _ => {}
            }
        }
        names
    }

    /// Reads the constants of a module out of its definition text: Rhai shows variables of a registered module nowhere else.
    fn add_constants(&mut self, definition: &str) {
        let mut path: Vec<&str> = Vec::new();
        let mut in_comment = false;
        for line in definition.lines().map(str::trim) {
            if in_comment || line.starts_with("/*") {
                in_comment = !line.ends_with("*/");
            } else if let Some(name) = line.strip_prefix("module ") {
                if let Some(name) = name.strip_suffix(" {") {
                    path.push(name);
                }
            } else if line == "}" {
                path.pop();
            } else if let Some((name, _)) = line.strip_prefix("const ").and_then(|rest| rest.split_once(':')) {
                let names =
                    path.iter().fold(&mut *self, |names, part| names.modules.entry((*part).to_owned()).or_default());
                names.variables.insert(name.trim().to_owned());
            }
        }
    }
}
