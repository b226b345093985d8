//! What a user may do: `data`, `this`, groups with `this`, printing, tags.

use crate::builder::{punk, target};

#[test]
fn setup_data_reaches_every_user_and_is_read_only() {
    let target = target();
    let script = r#"
        fn setup() { #{ catalogue: http::get("TARGET/api/products").json(), list: [1, 2, 3], text: "hello" } }
        fn run(data) {
            check("whole", data.catalogue.len() == 100 && data.list[1] == 2 && data.text == "hello" && data.list.len() == 3);
            let sum = 0;
            for n in data.list { sum += n; }
            check("iterates", sum == 6 && data.missing == ());
            try { data.text = "changed"; } catch (error) { check("refused", error.to_string().contains("read-only")); }
            check("methods", data.list.filter(|n| n > 1).len() == 2 && data.catalogue[0].keys().len() > 1);
            check("unchanged", data.text == "hello");
        }
        fn teardown(data) { if data.text != "hello" { throw "teardown got other data"; } }
    "#;
    let outcome = punk().script(script).target(&target).args("-u3 -i9").run();
    outcome.assert_passed();
    assert_eq!(
        (outcome.metric("checks", "passes"), outcome.metric("checks", "fails")),
        (45.0, 0.0),
        "{}",
        outcome.told()
    );
    assert_eq!(target.stats().requests, 1, "setup runs once");
    assert_eq!(outcome.metric("http_reqs", "count"), 0.0, "requests of setup stand apart");
}

#[test]
fn writing_to_data_is_a_script_error_with_its_line() {
    for write in ["data.list[0] = 5;", "data.map.key = 1;", "data.list.push(4);", "data[\"new\"] = 1;"] {
        let script = format!("fn setup() {{ #{{ list: [1], map: #{{ key: 0 }} }} }}\nfn run(data) {{\n    {write}\n}}");
        let outcome = punk().script(&script).args("-i2").run();
        outcome.assert_passed();
        assert_eq!(outcome.metric("script_errors", "count"), 2.0, "{write}");
        assert!(outcome.summary()["errors"].to_string().contains("test.rhai:3:"), "{write}: {}", outcome.told());
    }
}

#[test]
fn this_is_bound_in_closures_given_to_punk() {
    let script = r#"
        fn run() {
            this.n = 1;
            group("g", || { this.n += 1; group("h", || this.n += 1); });
            check(5, #{ "bound": |five| this.n == 3 && five == 5 });
            check("outside", this.n == 3);
        }
    "#;
    let outcome = punk().script(script).args("-u2 -i6").run();
    outcome.assert_passed();
    assert_eq!(outcome.metric("checks", "passes"), 12.0, "{}", outcome.told());
}

#[test]
fn try_catches_errors_and_not_the_end() {
    let script = r#"
        metric::counter("caught");
        fn run() {
            try { throw "mine"; } catch (error) { if error == "mine" { metric::add("caught", 1); } }
            try { [1][5]; } catch { metric::add("caught", 1); }
            try { fail("mine"); } catch { metric::add("caught", 1); }
            try { abort("the end"); } catch { metric::add("caught", 100); }
            metric::add("caught", 1000);
        }
    "#;
    let outcome = punk().script(script).run();
    outcome.assert_code(108);
    assert_eq!(outcome.metric("caught", "count"), 3.0);
}

#[test]
fn every_printed_line_is_shown_once() {
    let outcome =
        punk().script("fn run() { print(`line ${vu::iteration()}.`); log::warn(\"careful\"); }").args("-i40").run();
    outcome.assert_passed();
    let stderr = outcome.stderr();
    for line in (0..40).map(|n| format!("line {n}.")) {
        assert_eq!(stderr.matches(&line).count(), 1, "{line}\n{stderr}");
    }
    assert_eq!(stderr.matches("warning: careful").count(), 40);
    assert!(!outcome.stdout().contains("line 1."));
    let quiet = punk().script("fn run() { print(\"line\"); }").arg("-q").run();
    assert!(!quiet.assert_passed().stderr().contains("line"), "{}", quiet.told());
}

#[test]
fn what_is_printed_cannot_steer_the_terminal() {
    let outcome = punk()
        .script("fn run() { print(\"a\\x1b[2Jb\\rc\"); check(\"\\x1b]0;title\\x07\", false); fail(\"\\x1b[31mred\"); }")
        .run();
    outcome.assert_passed();
    assert!(!outcome.stdout().contains('\u{1b}') && !outcome.stderr().contains('\u{1b}'), "{}", outcome.told());
}

#[test]
fn summary_writes_what_it_returns_below_the_folder_only() {
    let script = "fn run() { }\nfn summary(report) { #{ \"out.txt\": `${report.metrics.iterations.values.count} iterations`, \"stdout\": \"told\\n\" } }";
    let outcome = punk().script(script).args("-i3").run();
    outcome.assert_passed();
    let written = std::fs::read_to_string(outcome.folder().join("out.txt")).expect("it was written");
    assert!(written.starts_with('3') && written.ends_with(" iterations"), "{written}");
    assert!(outcome.stdout().contains("told"));
    let outcome = punk().script("fn run() { }\nfn summary(report) { #{ \"../out.txt\": \"x\" } }").run();
    outcome.assert_code(1).assert_stderr("may not write");
}
