//! The table: a source and what is found in it, one line per finding; and what must find nothing.

mod found;
mod laws;
mod oracle;
mod syntax;
mod valid;

use std::collections::BTreeMap;
use std::rc::Rc;

use rhai::{Dynamic, Engine, FnPtr, Map, Module, OptimizationLevel};

use super::*;
use crate::diagnostic::Severity;

#[derive(Clone)]
struct Response;

#[derive(Clone)]
struct Shape;

/// An engine with the names of the product that the tests need, and Rhai's own packages.
fn engine() -> Engine {
    let mut engine = Engine::new();
    engine.set_optimization_level(OptimizationLevel::None);
    // Rhai's defaults of a release build; those of a debug build (32, 16) refuse the quickstart.
    engine.set_max_expr_depths(64, 32);
    engine.set_fail_on_invalid_map_property(false);
    engine
        .register_fn("options", |_: Map| {})
        .register_fn("scenario", |_: &str, _: Map| {})
        .register_fn("threshold", |_: &str, _: &str| {})
        .register_fn("threshold", |_: &str, _: Dynamic, _: Map| {})
        .register_fn("threshold", |_: &str, _: FnPtr| {})
        .register_fn("alert", |_: &str, _: Map| {})
        .register_fn("env", |_: &str, default: Dynamic| default)
        .register_fn("check", |_: Dynamic, _: Dynamic| true)
        .register_fn("group", |_: &str, _: FnPtr| {})
        .register_fn("sleep", |_: i64| {})
        .register_fn("fail", |_: &str| {})
        .register_fn("ramp", |_: i64, _: i64, _: i64| Shape)
        .register_fn("constant", |_: Dynamic| Shape)
        .register_fn("curve", |_: FnPtr, _: i64| Shape)
        .register_fn("hold", |_: &mut Shape, _: i64| Shape)
        .register_fn("ramp_to", |_: &mut Shape, _: i64, _: i64| Shape)
        .register_fn("json", |_: &mut Response| Dynamic::UNIT)
        .register_fn("json", |_: &mut Response, _: &str| Dynamic::UNIT)
        .register_fn("html", |_: &mut Response, _: &str| Dynamic::UNIT)
        .register_get("status", |_: &mut Response| 200_i64)
        .register_get("error_code", |_: &mut Response| 0_i64)
        .register_get("timings", |_: &mut Response| Dynamic::UNIT)
        .register_get("s", |seconds: &mut i64| *seconds)
        .register_get("ms", |millis: &mut i64| *millis)
        .register_get("per_s", |rate: &mut i64| *rate);
    let mut http = Module::new();
    for name in ["get", "head", "delete"] {
        http.set_native_fn(name, |_: &str| Ok(Response));
        http.set_native_fn(name, |_: &str, _: Map| Ok(Response));
    }
    http.set_native_fn("post", |_: &str| Ok(Response));
    http.set_native_fn("post", |_: &str, _: Dynamic| Ok(Response));
    http.set_native_fn("post", |_: &str, _: Dynamic, _: Map| Ok(Response));
    engine.register_static_module("http", http.into());
    let mut vu = Module::new();
    vu.set_native_fn("id", || Ok(1_i64));
    vu.set_var("LIMIT", 10_i64);
    engine.register_static_module("vu", vu.into());
    let mut rand = Module::new();
    rand.set_native_fn("pick", |list: rhai::Array| Ok(list.into_iter().next().unwrap_or_default()));
    engine.register_static_module("rand", rand.into());
    let mut demo = Module::new();
    demo.set_native_fn("shop", || Ok("demo://shop".to_owned()));
    engine.register_static_module("demo", demo.into());
    engine
}

const THINK: &str = "fn uniform(a, b) { a + (b - a) / 2 }\nfn fixed(a) { a }\nprivate fn hidden() { 1 }\nexport const SHORT = 100;\nfn map.total() { this.len() }";

fn compile(engine: &Engine, path: &str, text: &str) -> ScriptFile {
    ScriptFile {
        path: path.to_owned(),
        text: text.to_owned(),
        ast: engine.compile(text).unwrap_or_else(|error| panic!("{error} in\n{text}")),
    }
}

/// Findings in a script whose imports come from `libraries`.
fn findings(libraries: &[(&str, &str)], source: &str) -> Vec<Diagnostic> {
    let engine = engine();
    let known = Known::from_engine(&engine);
    let files: BTreeMap<String, Rc<ScriptFile>> =
        libraries.iter().map(|(path, text)| ((*path).to_owned(), Rc::new(compile(&engine, path, text)))).collect();
    let script = compile(&engine, "script.rhai", source);
    lint(&known, &script, &|_, path| files.get(path).cloned())
}

/// `line:col len message | label`, errors plain, warnings marked.
fn short(found: &[Diagnostic]) -> String {
    let lines: Vec<String> = found
        .iter()
        .map(|diagnostic| {
            let span = diagnostic.span.as_ref().expect("every finding has a place");
            let mut line = match span.path.as_str() {
                "script.rhai" => String::new(),
                path => format!("{path}:"),
            };
            line += &format!("{}:{} {} ", span.line, span.column, span.length);
            if diagnostic.severity == Severity::Warning {
                line += "warning: ";
            }
            line += &diagnostic.message;
            if let Some(label) = &diagnostic.label {
                line += &format!(" | {label}");
            }
            line
        })
        .collect();
    lines.join("\n")
}

fn table(source: &str) -> String {
    short(&findings(&[("std/think", THINK)], source))
}

/// The explanation of a source that does not parse.
fn explained(source: &str) -> String {
    let error = engine().compile(source).expect_err("this does not parse");
    short(&[explain_parse_error(&error, "script.rhai", source)])
}
