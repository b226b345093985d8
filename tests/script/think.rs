//! `std/think` and the draws behind it: bounds, averages, text as times, errors that point to the script.

use crate::builder::punk;

/// Runs the body once per iteration; every check in it must pass, and there must be `checks` of them.
#[track_caller]
fn holds(body: &str, checks: f64) {
    let script = format!("import \"std/think\" as think;\nfn run() {{\n{body}\n}}");
    let outcome = punk().script(&script).run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("script_errors", "count"), 0.0, "{}", outcome.told());
    assert_eq!(
        (outcome.metric("checks", "passes"), outcome.metric("checks", "fails")),
        (checks, 0.0),
        "{}",
        outcome.told()
    );
}

#[test]
fn times_are_durations_and_may_be_given_as_text() {
    holds(
        r#"
        check("constant", think::constant("1.5s") == 1500.ms && think::constant(2.s) == 2.s);
        check("text", think::uniform("1s", 1.s) == 1.s);
        check("no deviation", think::normal("30ms", "0s") == 30.ms);
        check("no spread", think::lognormal("1m", 0) == 60.s);
        check("zero", think::exponential(0.s) == 0.s);
        check("a time from a text", duration("1m30s") == 90.s && duration(5.ms) == 5.ms);
        sleep(think::uniform(0.s, 1.ms));
        "#,
        6.0,
    );
}

#[test]
fn draws_are_distributed_as_their_names_say() {
    // 4,000 draws of a fixed seed: the bounds are beyond four standard errors, and what is drawn never changes.
    holds(
        r#"
        let sums = #{ uniform: 0.0, normal: 0.0, exponential: 0.0, within: 0, below: 0, far: 0, early: 0 };
        let bad = 0;
        for i in 0..4000 {
            let time = think::uniform(1.s, 3.s);
            if time < 1.s || time >= 3.s { bad += 1; }
            sums.uniform += time.seconds;
            if time < 1500.ms { sums.early += 1; }
            let time = think::normal(10.s, 2.s);
            sums.normal += time.seconds;
            if time > 8.s && time < 12.s { sums.within += 1; }
            let time = think::exponential(5.s);
            sums.exponential += time.seconds;
            let time = think::lognormal(1.s, 0.5);
            if time < 1.s { sums.below += 1; }
            if time > 2276.ms { sums.far += 1; }
            if think::normal(1.ms, 1.s) < 0.s || think::exponential(1.s) < 0.s { bad += 1; }
        }
        check("within their bounds", bad == 0);
        check("uniform", (sums.uniform / 4000.0 - 2.0).abs() < 0.04 && (sums.early - 1000).abs() < 120);
        check("normal", (sums.normal / 4000.0 - 10.0).abs() < 0.15 && (sums.within - 2731).abs() < 120);
        check("exponential", (sums.exponential / 4000.0 - 5.0).abs() < 0.35);
        check("lognormal", (sums.below - 2000).abs() < 130 && (sums.far - 200).abs() < 60);
        "#,
        5.0,
    );
}

#[test]
fn what_is_wrong_points_to_the_script_that_called() {
    for (call, wanted) in [
        ("think::uniform(3.s, 1.s)", "think::uniform(3s, 1s): the first time is above the second"),
        ("think::uniform(1, 2)", "a bare number is not a duration: write `1.s`"),
        ("think::constant(\"soon\")", "soon"),
        ("think::normal(1.s, -1.s)", "a duration cannot be negative here"),
        ("think::lognormal(1.s, -0.5)", "the spread -0.5 is below 0"),
        ("think::lognormal(1.s, \"a\")", "the spread is a number such as 0.5, not a"),
    ] {
        let script =
            format!("import \"std/think\" as think;\nfn run() {{\n    nap();\n}}\nfn nap() {{ sleep({call}); }}");
        let outcome = punk().script(&script).run();
        let errors = outcome.summary()["errors"].to_string();
        assert!(errors.contains("test.rhai:5:"), "{call}: {errors}");
        assert!(errors.contains(&wanted.replace('"', "\\\"")), "{call}: {errors}");
        assert!(!errors.contains("std/think:"), "{call}: {errors}");
    }
}

#[test]
fn a_library_file_that_is_none_is_told_with_those_there_are() {
    let script = "import \"std/thinks\" as think;\nfn run() { sleep(think::constant(1.s)); }";
    let outcome = punk().command("check").script(script).run();
    outcome.assert_code(104).assert_stderr("there is no library file `std/thinks`").assert_stderr("std/think");
    let outcome = punk().command("check").script("fn run() { sleep(think::unifrom(1.s, 2.s)); }").run();
    outcome.assert_code(104).assert_stderr("unknown module `think`");
    let script = "import \"std/think\" as think;\nfn run() { sleep(think::unifrom(1.s, 2.s)); }";
    let outcome = punk().command("check").script(script).run();
    outcome.assert_code(104).assert_stderr("think::uniform");
}
