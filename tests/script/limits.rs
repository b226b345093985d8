//! Scripts that would eat the machine: each ends as a script error with its place, the process survives, and other users go on.

use crate::builder::{Outcome, punk};

/// User 1 does harm, three others work; what came of it.
fn harm(body: &str) -> Outcome {
    let script = format!(
        "options(#{{ limits: #{{ cpu: 150.ms }} }});\n\
         metric::counter(\"others\");\n\
         fn f(x) {{ f(x + 1) }}\n\
         fn run() {{\n    if vu::id() == 1 {{\n{body}\n    }} else {{ metric::add(\"others\", 1); }}\n    sleep(20.ms);\n}}"
    );
    punk().script(&script).args("-u4 -d700ms").run()
}

#[track_caller]
fn is_contained(body: &str, error: &str) {
    let outcome = harm(body);
    outcome.assert_passed();
    let summary = outcome.summary();
    let told = summary["errors"].as_array().into_iter().flatten().any(|entry| {
        let text = entry.to_string();
        text.contains(error) && text.contains("test.rhai:")
    });
    assert!(told, "no error {error:?} with its place after\n{body}\n{:#}", summary["errors"]);
    assert!(outcome.metric("script_errors", "count") >= 1.0);
    // Three users sleeping 20 ms make about 100 iterations in 700 ms; a fifth of it on a noisy machine is still going on.
    assert!(outcome.metric("others", "count") >= 20.0, "others: {}\n{body}", outcome.metric("others", "count"));
}

#[test]
fn an_endless_loop() {
    is_contained("while true { }", "computed for 150ms without waiting");
    is_contained("loop { try { throw 1 } catch { } }", "computed for 150ms without waiting");
}

#[test]
fn an_endless_recursion() {
    is_contained("f(1);", "call each other too deeply");
    is_contained("let g = |h, x| h.call(h, x + 1); g.call(g, 1);", "call each other too deeply");
}

#[test]
fn texts_without_end() {
    is_contained("let s = \"0123456789\"; loop { s += s; }", "length of string too large");
    is_contained("let s = \"x\"; s.pad(1000000000, \"abcd\");", "length of string too large");
    is_contained(
        "let s = \"x\"; s.replace(\"\", \"y\"); let a = `${s}`; loop { a = `${a}${a}`; }",
        "length of string too large",
    );
}

#[test]
fn lists_and_maps_without_end() {
    is_contained("let a = []; a.pad(1000000000, 1);", "size of array/blob too large");
    is_contained("let a = [1]; loop { a += a; }", "too large");
    is_contained("let b = blob(1000000000000);", "too large");
    is_contained("let m = #{}; for i in 0..100000000 { m[`k${i}`] = i; }", "test.rhai");
    is_contained("let a = []; for i in 0..100000000 { a.push(i); }", "test.rhai");
}

#[test]
fn nesting_without_end() {
    is_contained("let a = []; for i in 0..1000000 { a = [a]; }", "test.rhai");
    is_contained("let m = #{}; for i in 0..1000000 { m = #{ m: m }; }", "test.rhai");
}

#[test]
fn nesting_that_stays_below_the_time_limit_is_dropped_without_harm() {
    let script = "options(#{ limits: #{ cpu: 10.s } });\nfn run() { let a = []; for i in 0..300 { a = [a]; } a = (); let j = [[]]; print(\"dropped\"); }";
    let outcome = punk().script(script).args("-u2 -i4").run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("iterations", "count"), 4.0);
}

#[test]
fn ranges_and_sleeps_without_end() {
    is_contained("let n = 0; for i in 0..9223372036854775807 { n += 1; }", "computed for 150ms");
    is_contained("sleep(-1.s);", "sleep");
    is_contained("sleep(5);", "bare number");
    is_contained("sleep(0.5);", "bare number");
}

#[test]
fn arithmetic_that_has_no_answer() {
    is_contained("let x = 9223372036854775807; x += 1;", "overflow");
    is_contained("let x = 1 / 0;", "division by zero");
    is_contained("let x = [1][7];", "out of bounds");
}

#[test]
fn an_endless_loop_of_the_top_level_is_ended() {
    let outcome = punk()
        .command("check")
        .file("test.rhai", "let x = 0;\nwhile true { x += 1; }\nfn run() { }")
        .script_at("test.rhai")
        .run();
    outcome.assert_code(104).assert_stderr("is a loop endless?").assert_stderr("test.rhai:2");
}

#[test]
fn an_error_ends_the_iteration_and_the_user_goes_on() {
    let script =
        "fn run() {\n    if vu::iteration() == 1 { [1][7]; }\n    if vu::iteration() == 2 { fail(\"as asked\"); }\n}";
    let outcome = punk().script(script).args("-i6").run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("iterations", "count"), 6.0);
    assert_eq!(outcome.metric("script_errors", "count"), 2.0);
    let errors = outcome.summary()["errors"].clone();
    let count: u64 = errors.as_array().into_iter().flatten().filter_map(|entry| entry["count"].as_u64()).sum();
    assert_eq!(count, 2, "{errors:#}");
    for place in ["test.rhai:2:", "test.rhai:3:", "as asked"] {
        assert!(errors.to_string().contains(place), "{place} is not in {errors:#}");
    }
    assert!(errors.as_array().is_some_and(|list| list.iter().all(|entry| entry["type"] == "script")));
}
