//! `run: [[3, browse], [1, checkout]]`: who is chosen, how often, and that it follows from the seed.

use crate::builder::{Outcome, punk};
use insta::assert_snapshot;

/// Which function each iteration of each user ran, in the order of users and iterations.
fn choices(outcome: &Outcome) -> Vec<String> {
    let stderr = outcome.stderr();
    let mut lines: Vec<String> =
        stderr.lines().filter_map(|line| line.split("ran ").nth(1)).map(str::to_owned).collect();
    lines.sort();
    lines
}

const MIX: &str = r#"
    scenario("mix", #{ users: 4, iterations_per_user: 10, run: [[3, browse], [1.0, || told("buy")]] });
    fn browse(data) { told("browse"); }
    fn told(what) { print(`ran ${vu::id()} ${vu::iteration()} ${what}`); }
"#;

#[test]
fn the_choice_follows_from_the_seed_alone() {
    let run = |arguments: &str| {
        let outcome = punk().script(MIX).args(arguments).run();
        outcome.assert_passed();
        let choices = choices(&outcome);
        assert_eq!(choices.len(), 40, "{}", outcome.told());
        choices
    };
    let one = run("--shards 1 --seed 5");
    assert_eq!(one, run("--shards 2 --seed 5"));
    assert_ne!(one, run("--shards 1 --seed 6"));
    assert!(one.iter().any(|line| line.ends_with("browse")) && one.iter().any(|line| line.ends_with("buy")));
}

#[test]
fn weights_are_shares() {
    let script = r#"
        metric::counter("three"); metric::counter("one"); metric::counter("none");
        scenario("mix", #{ users: 2, iterations: 8000, run: [[0.3, three], [0, none], [0.1, one]] });
        fn three() { metric::add("three", 1); }
        fn one() { metric::add("one", 1); }
        fn none() { metric::add("none", 1); }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    let count = |name: &str| outcome.metric(name, "count");
    assert_eq!((count("three") + count("one"), count("none")), (8_000.0, 0.0));
    // Which user takes which of the shared iterations is open, so the sum is not the same each time: six standard deviations.
    assert!((count("three") - 6_000.0).abs() < 233.0, "{}", count("three"));
}

#[test]
fn an_error_names_the_place_in_what_was_chosen() {
    let script = "scenario(\"a\", #{ users: 1, iterations: 20, backoff: 0.s, run: [[1, good], [1, bad]] });\nfn good() { }\nfn bad() {\n    fail(\"on purpose\");\n}";
    let outcome = punk().script(script).run();
    outcome.assert_passed();
    let errors = outcome.metric("script_errors", "count");
    assert!((1.0..20.0).contains(&errors), "{errors}");
    assert!(outcome.summary()["errors"].to_string().contains("test.rhai:4:5"), "{}", outcome.told());
}

#[test]
fn the_plan_shows_the_mix() {
    let outcome = punk().command("check").script(MIX).run();
    assert!(outcome.stdout().contains("run: 3 × browse, 1 × (closure)"), "{}", outcome.told());
    let outcome = punk().command("check").script(MIX).arg("--json").run();
    let mix = outcome.json()["plan"]["scenarios"][0]["mix"].to_string();
    assert_eq!(mix, r#"[{"weight":3.0,"run":"browse"},{"weight":1.0,"run":"(closure)"}]"#);
}

#[test]
fn every_bad_weight_is_told() {
    let script = r#"scenario("a", #{ users: 1, iterations: 1, run: [] });
scenario("b", #{ users: 1, iterations: 1, run: [[0, f], [0.0, g]] });
scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
fn f() { }
fn g() { }
fn two(a, b) { }
"#;
    let outcome = punk().command("check").script(script).run();
    outcome.assert_code(104);
    assert_snapshot!(outcome.stderr(), @r#"
    error: `run` is a list with nothing to choose from
     --> test.rhai:1:48
      |
    1 | scenario("a", #{ users: 1, iterations: 1, run: [] });
      |                                                ^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run`: all weights are 0, so that nothing could ever be chosen
     --> test.rhai:2:48
      |
    2 | scenario("b", #{ users: 1, iterations: 1, run: [[0, f], [0.0, g]] });
      |                                                ^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run`: a weight is at least 0, not -1
     --> test.rhai:3:50
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                  ^^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run`: a weight is a number, not a string
     --> test.rhai:3:59
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                           ^^^^^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run` chooses from functions, not an integer
     --> test.rhai:3:74
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                                          ^

    error: `run`: a weight and a function are wanted, not a list of 1
     --> test.rhai:3:78
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                                              ^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run`: a weight and a function are wanted, not a function
     --> test.rhai:3:83
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                                                   ^
      |
      = help: weights and functions in pairs: `run: [[3, browse], [1, checkout]]`

    error: `run`: `two` takes more than one parameter
     --> test.rhai:3:90
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                                                          ^^^
      |
      = help: punk calls it as `two()` or `two(data)`, where `data` is what `setup` returned

    error: `run`: there is no function `ff`
     --> test.rhai:3:100
      |
    3 | scenario("c", #{ users: 1, iterations: 1, run: [[-1, f], ["two", g], [1, 5], [1], f, [1, two], [1, "ff"]] });
      |                                                                                                    ^^^^

    9 errors
    "#);
}
