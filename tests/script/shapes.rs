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
    assert_snapshot!(drawings, @"");
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
    assert_snapshot!(outcome.stderr(), @"");
}
