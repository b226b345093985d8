//! `punk shapes`, and what scripts say about shapes that are wrong.

use crate::builder::punk;
use insta::assert_snapshot;

const SCRIPT: &str = r#"
scenario("people", #{ users: ramp(1, 20, 5.s).hold(20.s).ramp_to(0, 5.s), run: look });
scenario("arrivals", #{
    rate: curve(|t| 100 + 50 * sin(t.seconds), 20.s).randomized(), max_users: 50, starts: 30.s, run: look,
});
scenario("work", #{ iterations: 10, run: look });
fn look() { http::get("http://127.0.0.1:1/") }
"#;

#[test]
fn the_planned_load_is_drawn_and_nothing_is_sent() {
    let outcome = punk().command("shapes").script(SCRIPT).env("COLUMNS", "64").run();
    outcome.assert_passed();
    let drawn = outcome.stdout();
    let (title, drawings) = drawn.split_once('\n').expect("more than a line");
    assert!(title.starts_with("LOAD "), "{title}");
    assert_snapshot!(drawings, @r#"

        people
          users: ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s)
                       ▾ peak 20 users at 5s
          20 ┤        ▅███████████████████████████████████████▅
             │       ▆█████████████████████████████████████████▅
             │     ▁████████████████████████████████████████████▇
             │    ▃███████████████████████████████████████████████▂
          10 ┤   ▄█████████████████████████████████████████████████▃
             │  ▆███████████████████████████████████████████████████▄
             │▂██████████████████████████████████████████████████████▅
             │████████████████████████████████████████████████████████▇
           0 └──────────────┬─────────────┬───────────────────────────┬
              0s            7.5s          15s                       30s
          16.75 users on average for 30s

        arrivals  starts 30s into the run
          rate: curve(|t| …, 20s).randomized(), by at most 50 users,
          late ones wait
                                  peak 150/s at 14.14s ▾
          150/s ┤ ▁▆██▇▃           ▁▆██▇▃           ▁▆██▇▃           ▁▆
                │▂██████▆         ▂██████▆         ▂██████▅         ▃██
                │████████▆       ▃████████▆       ▃████████▆       ▃███
                │█████████▆     ▃██████████▆     ▃██████████▆     ▃████
           75/s ┤██████████▇▁  ▄████████████▇▁  ▄████████████▆▁  ▅█████
                │████████████▆████████████████▆████████████████▆███████
                │██████████████████████████████████████████████████████
                │██████████████████████████████████████████████████████
              0 └─────────────┬─────────────┬────────────┬────────────┬
                 0s           5s            10s          15s        20s
          101.5/s on average for 20s, 2030 arrivals more or less, at
          random

        work
          10 iterations shared by 1 users, at most 10m
          as fast as its users can: there is no load over time to draw
        "#);
}

#[test]
fn flags_change_what_is_drawn() {
    let outcome = punk().command("shapes").script(SCRIPT).args("-s people -d 10s --json").run();
    outcome.assert_passed();
    let json = outcome.json();
    let scenarios = json["scenarios"].as_array().expect("a list");
    assert_eq!(scenarios.len(), 1);
    assert_eq!(scenarios[0]["plan"], "users: ramp(1, 20, 5s).hold(20s).ramp_to(0, 5s).during(10s)");
    assert_eq!((&scenarios[0]["duration_seconds"], &scenarios[0]["integral"]), (&10.0.into(), &152.5.into()));
    let last = scenarios[0]["points"].as_array().and_then(|points| points.last()).expect("points");
    assert_eq!(last, &serde_json::json!([10.0, 20.0]));
    let outcome = punk().command("shapes").script(SCRIPT).args("-s work --json").run();
    assert_eq!(outcome.json()["scenarios"][0]["iterations"], 10);
    let outcome = punk().command("shapes").script(SCRIPT).args("-s nobody").run();
    outcome.assert_code(104).assert_stderr("the script has no such scenario");
}

#[test]
fn shapes_that_cannot_be_are_told_with_their_place() {
    let script = r#"scenario("a", #{ users: ramp(1, 5, 5.s).randomized(), run: look });
let c = curve(|t| if t < 1.s { 5 } else { "many" }, 2.s);
let d = curve(|t| 5 - t.seconds, 10.s);
let e = curve(|t| missing(t), 10.s);
let f = curve(|t| this.users, 10.s);
let g = adaptive(|t, live| 10).hold(5.s);
let h = find_capacity(#{ start: 10, max: 100 });
scenario("b", #{ users: adaptive(|t, live| 10), run: look });
fn look() { }
"#;
    let outcome = punk().command("check").file("test.rhai", script).script_at("test.rhai").run();
    outcome.assert_code(104);
    assert_snapshot!(outcome.stderr(), @r#"
        error: `.randomized()` is for `rate:`: users start nothing at random
         --> test.rhai:1:25
          |
        1 | scenario("a", #{ users: ramp(1, 5, 5.s).randomized(), run: look });
          |                         ^
          |
          = help: with `rate`, arrivals come as by chance; users think at random: `sleep(think::uniform(1.s, 3.s))`

        error: `curve(|t| …, over)`: at 1s the closure gives a string, not a number of users or a rate
         --> test.rhai:2:9
          |
        2 | let c = curve(|t| if t < 1.s { 5 } else { "many" }, 2.s);
          |         ^

        error: the closure of `curve(|t| …, over)` gives -0.01 at 5.01s, which is negative
         --> test.rhai:3:9
          |
        3 | let d = curve(|t| 5 - t.seconds, 10.s);
          |         ^

        error: unknown function `missing`
         --> test.rhai:4:19
          |
        4 | let e = curve(|t| missing(t), 10.s);
          |                   ^^^^^^^

        error: there is no `this` in a closure given to `curve`
         --> test.rhai:5:19
          |
        5 | let f = curve(|t| this.users, 10.s);
          |                   ^^^^ it runs outside any user
          |
          = help: use what the closure gets as its argument; to share between users there is `store::`

        error: `adaptive(|t, live| …)` never ends, so nothing can follow it: end it first with `.during(d)`
         --> test.rhai:6:32
          |
        6 | let g = adaptive(|t, live| 10).hold(5.s);
          |                                ^

        error: `find_capacity(#{start, max, objective, …})` needs `objective`: `find_capacity(#{ start: 10, max: 1000, objective: "p(95) < 300ms" })`
         --> test.rhai:7:9
          |
        7 | let h = find_capacity(#{ start: 10, max: 100 });
          |         ^

        error: an `adaptive` number of users needs a bound
         --> test.rhai:8:25
          |
        8 | scenario("b", #{ users: adaptive(|t, live| 10), run: look });
          |                         ^
          |
          = help: add `max_users: 100`: the most that the closure may ask for

        8 errors
        "#);
}
