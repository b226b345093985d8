//! What an edit comes to: two scripts are compared as the run would, without running them.

use proptest::prelude::*;
use punk::plan::edit::{Edit, compare};
use punk::plan::{Plan, Work};
use punk::script::compile::compile_text;
use punk::script::overrides::Overrides;

fn plan(text: &str) -> Plan {
    let compiled = compile_text("main.rhai", text.to_owned(), &Overrides::default());
    compiled.plan.unwrap_or_else(|| panic!("{text}\n{:?}", compiled.diagnostics))
}

const SCRIPT: &str = r#"
options(#{ base_url: "http://127.0.0.1:1", graceful_stop: 5.s });
threshold("http_req_duration", "p(95) < 300");
scenario("browse", #{ users: ramp(1, 5, 2.s).hold(9.s), run: [[3, look], [1, buy]] });
scenario("order", #{ rate: 5.per_s, max_users: 9, duration: 9.s, run: buy });
scenario("count", #{ users: 2, iterations: 10, run: buy });
scenario("steer", #{ users: adaptive(|t, live| 3).during(9.s), max_users: 4, run: buy });
feed("names", feed::range(1, 9).circular());
metric::trend("known");
fn look() { 1 }
fn buy() { 2 }
"#;

/// The script with some texts replaced.
fn edited(replacements: &[(&str, &str)]) -> Plan {
    let mut text = SCRIPT.to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    plan(&text)
}

fn edit(replacements: &[(&str, &str)]) -> Edit {
    compare(&plan(SCRIPT), &edited(replacements))
}

fn changes(edit: &Edit) -> Vec<String> {
    edit.changes.iter().map(ToString::to_string).collect()
}

/// The only thing that is refused.
fn refusal(edit: &Edit) -> &str {
    let [text] = &edit.refused[..] else { panic!("{:?}", edit.refused) };
    text
}

#[test]
fn rules_apply_and_say_what_they_were() {
    let edit =
        edit(&[("p(95) < 300\");", "p(95) < 200\");\nthreshold(\"http_reqs\", \"count > 1\", #{ abort: true });")]);
    assert_eq!(
        changes(&edit),
        ["~ threshold http_req_duration: p(95) < 300 → p(95) < 200", "+ threshold http_reqs: count > 1 (ends the run)"]
    );
    assert_eq!((edit.rules_changed, edit.code_changed, edit.refused.len()), (true, false, 0));
    assert_eq!(edit.plan.rules.thresholds.len(), 2);
    let back = compare(&edit.plan, &plan(SCRIPT));
    assert_eq!(
        changes(&back),
        ["~ threshold http_req_duration: p(95) < 200 → p(95) < 300", "- threshold http_reqs: count > 1 (ends the run)"]
    );
}

#[test]
fn what_only_moved_is_no_change() {
    let edit =
        edit(&[("threshold(", "\n\n// a note\nthreshold("), ("fn look() { 1 }", "// another\nfn look() {\n  1\n}")]);
    assert!(edit.is_empty() && !edit.rules_changed && edit.refused.is_empty(), "{:?}", edit.changes);
    assert!(edit.plan.sources[0].text.contains("a note"), "the new text is kept");
    assert!(edit.plan.rules.thresholds[0].span.as_ref().is_some_and(|span| span.line == 6), "with the new places");
}

#[test]
fn loads_of_the_same_model_apply() {
    let edit = edit(&[
        ("ramp(1, 5, 2.s)", "ramp(1, 8, 2.s)"),
        ("max_users: 9,", "max_users: 12, late: \"drop\","),
        ("[3, look]", "[7, look]"),
        ("graceful_stop: 5.s", "graceful_stop: 6.s"),
    ]);
    assert_eq!(edit.loads, [0, 1]);
    assert_eq!(edit.refused, [""; 0]);
    assert!(!edit.code_changed && !edit.rules_changed);
    assert_eq!(
        changes(&edit),
        [
            "~ load of browse: users: ramp(1, 5, 2s).hold(9s) → users: ramp(1, 8, 2s).hold(9s)",
            "~ graceful_stop of browse: 5s → 6s",
            "~ weights of browse: 3 × look, 1 × buy → 7 × look, 1 × buy",
            "~ load of order: rate: constant(5).during(9s), by at most 9 users, late ones wait → rate: constant(5).during(9s), by at most 12 users, late ones are dropped",
            "~ graceful_stop of order: 5s → 6s",
            "~ graceful_stop of count: 5s → 6s",
            "~ graceful_stop of steer: 5s → 6s",
        ]
    );
    assert!(matches!(edit.plan.scenarios[1].work, Work::Arrivals { max_users: 12, .. }));
}

#[test]
fn a_curve_is_compared_by_its_values() {
    let text = |value: &str| format!("scenario(\"a\", #{{ users: curve(|t| {value}, 9.s), run: a }});\nfn a() {{ 1 }}");
    let edit = compare(&plan(&text("4")), &plan(&text("2 + 2")));
    assert!(edit.is_empty(), "{:?}", edit.changes);
    let edit = compare(&plan(&text("4")), &plan(&text("5")));
    assert_eq!((changes(&edit), edit.loads), (vec!["~ load of a".to_owned()], vec![0]));
}

#[test]
fn code_applies_with_the_names_of_what_changed() {
    let edit = edit(&[("fn look() { 1 }", "fn look() { 3 }\nfn help() { 1 }\nconst PAGES = 3;")]);
    assert_eq!(changes(&edit), ["+ const PAGES: new", "+ fn help: new", "~ fn look"]);
    assert!(edit.code_changed && !edit.rules_changed && edit.refused.is_empty());
}

#[test]
fn scenarios_are_added_at_the_end_and_gone_ones_keep_their_place() {
    let order = "scenario(\"order\", #{ rate: 5.per_s, max_users: 9, duration: 9.s, run: buy });\n";
    let new = "scenario(\"new\", #{ users: 1, duration: 9.s, run: look });\n";
    let removed = edited(&[(order, new)]);
    let edit = compare(&plan(SCRIPT), &removed);
    assert_eq!((&edit.added, &edit.removed), (&vec![4], &vec![1]));
    let names: Vec<(&str, bool)> = edit.plan.scenarios.iter().map(|one| (one.name.as_str(), one.gone)).collect();
    assert_eq!(names, [("browse", false), ("order", true), ("count", false), ("steer", false), ("new", false)]);
    let again = compare(&edit.plan, &removed);
    assert!(again.is_empty() && again.refused.is_empty());
    let back = compare(&edit.plan, &plan(SCRIPT));
    assert_eq!(back.removed, [4]);
    assert!(
        refusal(&back).starts_with("scenario `order` was taken out of this run and does not come back"),
        "{back:?}"
    );
}

#[test]
fn what_cannot_change_is_refused_by_name() {
    for (from, to, name) in [
        (
            "users: ramp(1, 5, 2.s).hold(9.s)",
            "rate: 5.per_s, max_users: 5, duration: 9.s",
            "scenario `browse`: its load",
        ),
        ("iterations: 10", "iterations: 20", "scenario `count`: its load"),
        ("adaptive(|t, live| 3).during(9.s), max_users: 4", "ramp(1, 5, 9.s)", "scenario `steer`: its load"),
        ("adaptive(|t, live| 3)", "adaptive(|t, live| 4)", "scenario `steer`: its load"),
        ("rate: 5.per_s,", "starts: 1.s, rate: 5.per_s,", "scenario `order`: `starts`"),
        ("rate: 5.per_s,", "after: \"browse\", rate: 5.per_s,", "scenario `order`: `after`"),
        ("rate: 5.per_s,", "options: #{ redirects: 3 }, rate: 5.per_s,", "scenario `order`: `options`"),
        ("127.0.0.1:1", "127.0.0.1:2", "option `base_url`"),
        ("graceful_stop: 5.s }", "graceful_stop: 5.s, seed: 5 }", "option `seed`"),
        ("graceful_stop: 5.s }", "graceful_stop: 5.s, warmup: 1.s }", "option `warmup`"),
        ("graceful_stop: 5.s }", "graceful_stop: 5.s, max_rate: 9.per_s }", "option `max_rate`"),
        ("graceful_stop: 5.s }", "graceful_stop: 5.s, tags: #{ a: \"b\" } }", "option `tags`"),
        ("range(1, 9)", "range(1, 10)", "feed `names`"),
        ("trend(\"known\")", "counter(\"known\")", "metric `known`"),
    ] {
        let edit = edit(&[(from, to), ("p(95) < 300", "p(95) < 200")]);
        let text = refusal(&edit);
        assert!(text.starts_with(&format!("{name} stays as it is: ")), "{text}");
        assert!(text.ends_with("takes effect in the next run"), "{text}");
        assert_eq!(changes(&edit).len(), 1, "the rest applies: {:?}", changes(&edit));
        assert!(edit.loads.is_empty());
    }
}

#[test]
fn code_that_may_need_what_the_run_does_not_have_is_refused_with_it() {
    let edit = edit(&[
        ("metric::trend(\"known\");", "metric::trend(\"known\");\nconst CART = metric::trend(\"cart\");"),
        ("fn look() { 1 }", "fn look() { global::CART.add(1) }"),
        ("p(95) < 300\");", "p(95) < 200\");\nthreshold(\"cart\", \"avg < 1\");"),
        ("ramp(1, 5, 2.s)", "ramp(1, 8, 2.s)"),
        ("fn buy", "scenario(\"new\", #{ users: 1, duration: 9.s, run: look });\nfn buy"),
    ]);
    assert_eq!(
        edit.refused,
        [
            "metric `cart` is new: metrics are made before a run starts; it begins in the next run",
            "scenario `new` is not added: its functions cannot be loaded now; it begins in the next run",
            "threshold `cart: avg < 1` is not judged: the metric `cart` begins in the next run",
            "functions stay as they are (`const CART`, `fn look`, `functions of new`): they may need the metric `cart`; they change in the next run",
        ]
    );
    assert!(!edit.code_changed && edit.rules_changed);
    assert_eq!((edit.loads.len(), edit.plan.rules.thresholds.len(), edit.plan.metrics.len()), (1, 1, 1));
    assert!(!edit.plan.sources[0].text.contains("CART"), "the text that runs is the old one");
}

#[test]
fn who_waits_for_what_is_not_added_is_not_added_either() {
    let edit = edit(&[(
        "fn buy",
        "scenario(\"third\", #{ after: \"second\", users: 1, duration: 9.s, run: look });
         scenario(\"second\", #{ after: \"first\", users: 1, duration: 9.s, run: look });
         scenario(\"first\", #{ users: adaptive(|t, live| 3).during(9.s), max_users: 4, run: look });
         scenario(\"fourth\", #{ after: \"browse\", users: 1, duration: 9.s, run: look });
         fn buy",
    )]);
    let added: Vec<&str> = edit.added.iter().map(|at| edit.plan.scenarios[*at].name.as_str()).collect();
    assert_eq!(added, ["fourth"]);
    // The closure of `first` steers nothing, since it is not added.
    assert_eq!(edit.refused.iter().filter(|text| text.contains("is not added")).count(), 3, "{:?}", edit.refused);
}

/// Parts of a script that can stand in it or not, in one of two ways.
const PARTS: [[&str; 3]; 10] = [
    ["", "threshold(\"http_reqs\", \"count > 1\");", "threshold(\"http_reqs\", \"count > 1\", #{ abort: true });"],
    ["", "threshold(\"own\", \"count > 1\");", "threshold(\"http_req_failed\", \"rate < 1%\");"],
    [
        "",
        "scenario(\"b\", #{ users: 2, duration: 5.s, run: a });",
        "scenario(\"b\", #{ rate: 2.per_s, max_users: 3, duration: 5.s, run: a });",
    ],
    [
        "",
        "scenario(\"c\", #{ users: 2, duration: 5.s, run: a });",
        "scenario(\"c\", #{ users: 3, duration: 5.s, run: [[1, a], [2, b]], start: a });",
    ],
    [
        "",
        "scenario(\"d\", #{ users: adaptive(|t, live| 2).during(9.s), max_users: 3, run: a });",
        "scenario(\"d\", #{ users: adaptive(|t, live| 3).during(9.s), max_users: 3, run: a });",
    ],
    ["", "options(#{ seed: 3, graceful_stop: 2.s });", "options(#{ backoff: |n| 1.s, throw_errors: true });"],
    ["", "feed(\"rows\", feed::range(1, 5));", "feed(\"rows\", feed::generate(|i| i));"],
    ["fn b() { 1 }", "fn b() { 2 }", "const N = 5; fn b() { global::N }"],
    [
        "metric::counter(\"own\");",
        "const OWN = metric::counter(\"own\");",
        "const OWN = metric::counter(\"own\"); metric::rate(\"more\");",
    ],
    [
        "scenario(\"a\", #{ users: 1, duration: 9.s, run: a });",
        "scenario(\"a\", #{ users: curve(|t| 3, 8.s), run: b });",
        "scenario(\"a\", #{ users: 4, iterations: 9, run: a, pacing: 1.s });",
    ],
];

fn any_plan() -> impl Strategy<Value = Plan> {
    prop::array::uniform10(0_usize..3).prop_map(|choices| {
        let parts = PARTS.iter().zip(choices).map(|(part, choice)| part[choice]);
        plan(&parts.chain(["fn a() { 1 }"]).collect::<Vec<_>>().join("\n"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn an_edit_applies_once_and_the_same_plan_is_no_edit(old in any_plan(), new in any_plan()) {
        let same = compare(&old, &old);
        prop_assert!(same.is_empty() && same.refused.is_empty(), "{:?} {:?}", same.changes, same.refused);
        let first = compare(&old, &new);
        prop_assert!(!(first.code_changed || first.rules_changed) || !first.is_empty());
        let second = compare(&first.plan, &new);
        prop_assert!(second.is_empty() && !second.rules_changed, "{:?}", second.changes);
        prop_assert!(second.loads.is_empty() && second.added.is_empty() && second.removed.is_empty());
        prop_assert_eq!(&first.refused, &second.refused);
        prop_assert_eq!(first.plan.scenarios.len(), second.plan.scenarios.len());
    }

    #[test]
    fn places_never_change_and_every_scenario_of_the_file_is_in_the_run_or_refused(old in any_plan(), new in any_plan()) {
        let edit = compare(&old, &new);
        for (before, after) in old.scenarios.iter().zip(&edit.plan.scenarios) {
            prop_assert_eq!(&before.name, &after.name);
            prop_assert_eq!(after.gone, new.scenarios.iter().all(|scenario| scenario.name != after.name));
        }
        for scenario in &new.scenarios {
            let there = edit.plan.scenarios.iter().any(|known| known.name == scenario.name);
            let told = edit.refused.iter().any(|text| text.contains(&format!("scenario `{}`", scenario.name)));
            prop_assert!(there || told, "{}", scenario.name);
        }
    }
}
