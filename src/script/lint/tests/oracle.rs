//! Rhai itself as the judge: what is called wrong must fail when it runs, what is called right must not.

use super::*;

/// Scripts that reach their fault.
const FAULTY: [&str; 22] = [
    "nope",
    "nope()",
    "fn f() { cfg } let cfg = 1; f()",
    "fn f() { CFG } const CFG = 1; f()",
    "fn f() { 1 } global::f()",
    "fn f() { 1 } global::F",
    "http::gett(\"/\")",
    "http::get()",
    "htpp::get(\"/\")",
    "vu::id",
    "vu::NONE",
    "sleep",
    "sleep(1, 2)",
    "let f = |x| x; f(1)",
    "fn add(a, b) { a + b } let x = 1; x.add(2)",
    "let x = 1; x.nope()",
    "let s = \"a\"; s.trim(1, 2, 3)",
    "30.secs",
    "x = 1",
    "let f = |n| f.call(n); f.call(1)",
    "let f = || this.x; f.call()",
    "for i in 0..1 { } print(i)",
];

/// Scripts in which things are where Rhai looks for them.
const SOUND: [&str; 9] = [
    "fn f() { 1 } let g = f; g.call()",
    "fn f() { global::A } const A = 1; f()",
    "fn add(b) { this + b } let x = 1; x.add(2)",
    "let m = #{ go_: |x| x }; m.go_(1)",
    "let a = 1; let f = |b| { let g = || a + b; g.call() }; f.call(1)",
    "fn bump() { count += 1 } let count = 0; bump!(); count",
    "let m = #{ n: 1 }; m.call(|x| this.n + x, 1)",
    "let g = later; g.call(); fn later() { 1 }",
    "try { throw 1 } catch (e) { e } vu::LIMIT",
];

#[test]
fn what_is_called_wrong_fails_when_it_runs() {
    let engine = engine();
    for source in FAULTY {
        let found = findings(&[], source);
        assert!(found.iter().any(|diagnostic| diagnostic.severity == Severity::Error), "nothing found in: {source}");
        assert!(engine.eval::<Dynamic>(source).is_err(), "runs after all: {source}");
    }
}

#[test]
fn what_is_called_right_runs() {
    let engine = engine();
    for source in SOUND {
        assert_eq!(short(&findings(&[], source)), "", "{source}");
        if let Err(error) = engine.eval::<Dynamic>(source) {
            panic!("{error}: {source}");
        }
    }
}

#[test]
fn a_plain_call_hands_on_no_this() {
    let source = "fn inner() { this.x } fn outer() { inner() } let m = #{ x: 1 }; m.outer()";
    let found = short(&findings(&[], source));
    assert!(found.contains("warning: `inner` uses `this`"), "{found}");
    assert!(engine().eval::<Dynamic>(source).is_err());
}
