//! What users keep from iteration to iteration, and what they are told to forget: counted by the target.

use crate::builder::{Outcome, punk, target};
use punk::target::Stats;

/// Two users with three iterations of two requests each; how many connections the target saw.
fn connections(options: &str) -> Stats {
    let target = target();
    let script = format!(
        r#"
        options(#{{ base_url: "TARGET", {options} }});
        scenario("a", #{{ users: 2, iterations_per_user: 3, run: visit }});
        fn visit() {{ http::get("/status/200"); http::get("/status/200"); }}
        "#
    );
    punk().script(&script).target(&target).run().assert_passed();
    target.stats()
}

#[test]
fn connections_are_kept_unless_the_script_says_otherwise() {
    for (options, wanted) in [
        ("", 2),
        ("connections: \"keep\"", 2),
        ("connections: \"iteration\"", 6),
        ("connections: \"iteration\", http: \"2\"", 6),
    ] {
        let stats = connections(options);
        assert_eq!((stats.connections, stats.requests), (wanted, 12), "{options}");
    }
}

/// Three iterations that log in at first only; how many found themselves logged in.
fn visits(options: &str, own: &str) -> Outcome {
    let target = target();
    let script = format!(
        r#"
        options(#{{ base_url: "TARGET", {options} }});
        scenario("a", #{{ users: 1, iterations: 3, start: login, run: visit, options: #{{ {own} }} }});
        fn login() {{ http::post("/api/login", #{{ user: "u", password: "p" }}); }}
        fn visit() {{
            let first = http::get("/cookies", #{{ name: "jar" }}).json();
            print(`visit ${{vu::iteration()}} ${{first.cookies.keys().len()}} cookies`);
            login();
            print(`then ${{http::get("/cookies").json().cookies.keys().len()}} cookies`);
        }}
        "#
    );
    let outcome = punk().script(&script).target(&target).run();
    outcome.assert_passed();
    outcome
}

#[test]
fn cookies_are_kept_forgotten_or_never_taken() {
    let told = |outcome: &Outcome| -> Vec<String> {
        let stderr = outcome.stderr();
        let words = stderr.lines().filter(|line| line.ends_with("cookies")).map(|line| {
            let mut words = line.rsplit(' ').skip(1);
            words.next().unwrap_or_default().to_owned()
        });
        words.collect()
    };
    // What `start` set is there in the first iteration.
    for (options, own, wanted) in [
        ("", "", ["1", "1", "1", "1", "1", "1"]),
        ("cookies: true", "", ["1", "1", "1", "1", "1", "1"]),
        ("cookies: \"iteration\"", "", ["1", "1", "0", "1", "0", "1"]),
        ("cookies: false", "", ["0", "0", "0", "0", "0", "0"]),
        ("cookies: \"iteration\"", "cookies: true", ["1", "1", "1", "1", "1", "1"]),
        ("cookies: false", "cookies: \"iteration\"", ["1", "1", "0", "1", "0", "1"]),
    ] {
        let outcome = visits(options, own);
        assert_eq!(told(&outcome), wanted, "{options} / {own}: {}", outcome.told());
    }
}

#[test]
fn a_client_of_the_script_keeps_its_own() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET", connections: "iteration" });
        scenario("a", #{ users: 1, iterations: 3, start: || this.own = http::client(#{}), run: visit });
        fn visit() { this.own.get("/status/200"); }
    "#;
    punk().script(script).target(&target).run().assert_passed();
    assert_eq!(target.stats().connections, 1);
    let script = "fn run() { http::client(#{ cookies: \"iteration\" }); }";
    let outcome = punk().script(script).run();
    let errors = outcome.summary()["errors"].to_string();
    assert!(errors.contains("call `reset()` on this one"), "{errors}");
}

#[test]
fn other_words_are_refused() {
    for (options, wanted) in [
        ("cookies: \"iterations\"", "`cookies` is one of \"iteration\", not \"iterations\""),
        ("cookies: 5", "`cookies` is `true` or `false`"),
        ("connections: \"close\"", "`connections` is one of \"keep\", \"iteration\", not \"close\""),
        ("connections: true", "`connections` is text, not a bool"),
    ] {
        let script = format!("options(#{{ {options} }});\nfn run() {{ }}");
        punk().command("check").script(&script).run().assert_code(104).assert_stderr(wanted);
    }
}
