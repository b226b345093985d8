//! What is wrong with the files themselves: missing, too large, no text, nested without end, imports that leave the project.

use std::os::unix::fs::symlink;

use crate::builder::punk;
use insta::assert_snapshot;

/// The first line of what `punk check` says about a script.
fn first_line(script: impl AsRef<[u8]>) -> String {
    let outcome = punk().command("check").file("test.rhai", script).script_at("test.rhai").run();
    outcome.assert_code(104);
    outcome.stderr().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_script_that_is_no_script() {
    assert_snapshot!(first_line(b"\xff\xfe\x00fn run() { }"), @"error: cannot read `test.rhai`: it is not UTF-8 text");
    let large = format!("fn run() {{ }}\n{}", "// padding\n".repeat(500_000));
    assert_snapshot!(first_line(large), @"error: cannot read `test.rhai`: it is larger than 4 MiB");
    assert_snapshot!(first_line(""), @"error: the script has neither a `scenario(…)` nor a `fn run()`: there is nothing to run");
    let missing = punk().command("check").script_at("no/such.rhai").run();
    assert_snapshot!(missing.assert_code(104).stderr(), @"
    error: cannot read `no/such.rhai`: no such file or directory

    1 error
    ");
    let folder = punk().command("check").file("folder/a.rhai", "").script_at("folder").run();
    assert_snapshot!(folder.assert_code(104).stderr(), @"
    error: cannot read `folder`: it is not a file

    1 error
    ");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_script() {
    punk().script("\u{feff}fn run() { }").run().assert_passed();
}

#[test]
fn nesting_without_end_is_an_error_and_never_a_crash() {
    let nested = |open: &str, middle: &str, close: &str, times: usize| {
        first_line(format!("fn run() {{ let x = {}{middle}{}; }}", open.repeat(times), close.repeat(times)))
    };
    let deep = [
        nested("(", "1", ")", 5_000),
        nested("[", "", "]", 100_000),
        nested("#{ a: ", "1", " }", 20_000),
        nested("!", "true", "", 100_000),
        nested("1+", "1", "", 100_000),
        nested("`${", "1", "}`", 10_000),
        nested("|a| ", "1", "", 10_000),
        nested("if true {", "1", "}", 20_000),
        nested("", "a", ".b", 100_000),
        nested("f(", "1", ")", 50_000),
    ];
    for line in deep {
        assert_eq!(line, "error: this is nested too deeply");
    }
}

#[test]
fn imports_stay_in_the_project() {
    let punk = punk()
        .file("outside.rhai", "fn a() { 1 }")
        .file("project/inside.rhai", "fn b() { 2 }")
        .file("project/deep/lib.rhai", "import \"../inside\" as inside;\nfn c() { inside::b() }");
    let outside = punk.folder().join("outside.rhai");
    symlink(&outside, punk.folder().join("project/link.rhai")).expect("the folder is ours");
    let script = format!(
        "import \"../outside\" as a;\nimport \"link\" as b;\nimport {:?} as c;\nimport \"deep/lib\" as d;\nfn run() {{ d::c() }}",
        outside.display()
    );
    let outcome = punk.file("project/test.rhai", &script).command("check").script_at("project/test.rhai").run();
    let lines: Vec<String> = outcome
        .assert_code(104)
        .stderr()
        .lines()
        .filter(|line| line.starts_with("error") || line.contains("-->"))
        .map(|line| line.replace("/private", ""))
        .collect();
    assert_snapshot!(lines.join("\n"), @"
    error: import `../outside` leaves the project `DIR/project`
     --> project/test.rhai:1:8
    error: import `link` leaves the project `DIR/project`
     --> project/test.rhai:2:8
    error: import `DIR/outside.rhai` leaves the project `DIR/project`
     --> project/test.rhai:3:8
    ");
}

#[test]
fn imported_functions_run_and_their_errors_name_their_file() {
    let outcome = punk()
        .file("lib/steps.rhai", "import \"more\" as more;\nfn go_on() {\n    more::fails();\n}")
        .file("lib/more.rhai", "fn fails() {\n    throw \"from afar\";\n}")
        .script("import \"lib/steps\" as steps;\nfn run() { steps::go_on(); }")
        .run();
    outcome.assert_passed();
    let errors = outcome.summary()["errors"].clone();
    assert_eq!(errors[0]["count"], 1, "{errors}");
    assert!(errors.to_string().contains("lib/more.rhai:2:5") && errors.to_string().contains("from afar"), "{errors}");
}

#[test]
fn check_as_json_holds_every_place() {
    let script = "threshold(\"chekcs\", \"rate > 99%\");\nfn run() { http::gett(); }\n";
    let outcome = punk().file("test.rhai", script).command("check").script_at("test.rhai").arg("--json").run();
    let json = outcome.assert_code(104).json();
    assert_eq!(json["ok"], false);
    let places: Vec<_> =
        json["diagnostics"].as_array().into_iter().flatten().map(|d| (&d["line"], &d["column"])).collect();
    assert_eq!(format!("{places:?}"), "[(Number(1), Number(12)), (Number(2), Number(12))]", "{json:#}");
    assert_eq!(outcome.stderr(), "");

    let json = punk().file("test.rhai", "fn run() { }").command("check").script_at("test.rhai").arg("--json").run();
    let json = json.assert_passed().json();
    assert_eq!((&json["ok"], &json["plan"]["scenarios"][0]["name"]), (&true.into(), &"default".into()), "{json:#}");
}

#[test]
fn check_sends_nothing() {
    let target = crate::builder::target();
    let script = "options(#{ base_url: env(\"BASE_URL\", \"\") });\nfn setup() { http::get(\"/\") }\nfn run() { http::get(\"/\"); }";
    punk().command("check").file("test.rhai", script).script_at("test.rhai").target(&target).run().assert_passed();
    assert_eq!(target.stats().connections, 0);
}

#[test]
fn env_takes_the_type_of_its_default_from_flags_and_from_the_environment() {
    let script = r#"
        const N = env("N", 5);
        const F = env("F", 1.5);
        const ON = env("ON", false);
        const D = env("D", 2.s);
        const T = env("T", "text");
        fn run() { print(`${global::N + 1} ${global::F} ${!global::ON} ${global::D} ${global::T}`); }
    "#;
    let plain = punk().script(script).run();
    plain.assert_passed().assert_stderr("6 1.5 true 2s text");
    let given = punk().script(script).args("-e N=7 -e ON=true -e D=150ms").env("T", "around").env("N", "8").run();
    given.assert_passed().assert_stderr("8 1.5 false 150ms around");
}

#[test]
fn the_tokens_of_the_monitor_are_no_variables_of_a_script_and_secrets_are_not_told() {
    let token = "the-control-token-of-a-test";
    let script = r#"
        const T = env("PUNK_MONITOR_TOKEN", 5);
        const R = env("PUNK_MONITOR_READ_TOKEN", "none");
        fn run() { print(`${global::T} ${global::R}`); }
    "#;
    let around = punk().script(script).env("PUNK_MONITOR_TOKEN", token).env("PUNK_MONITOR_READ_TOKEN", token);
    around.run().assert_passed().assert_stderr("5 none");
    let script = "const A = env(\"API_TOKEN\", 5);\nconst B = env(\"DB_PASSWORD\", 5);\nfn run() { }";
    let outcome = punk().command("check").script(script).args("-e DB_PASSWORD=hunter2").env("API_TOKEN", token).run();
    let told = outcome.assert_code(104).stderr();
    assert!(told.contains("environment variable `API_TOKEN=***`") && told.contains("-e `DB_PASSWORD=***`"), "{told}");
    assert!(!told.contains(token) && !told.contains("hunter2"), "{told}");
}

#[test]
fn env_values_that_do_not_fit() {
    let script = "const N = env(\"N\", 5);\nconst D = env(\"D\", 1.s);\nconst B = env(\"B\", true);\nfn run() { }";
    let outcome = punk().script(script).args("-e N=many -e D=1parsec -e NN=1").env("B", "maybe").run();
    assert_snapshot!(outcome.assert_code(104).stderr(), @r#"
    warning: `-e NN=…`: the script reads no variable of this name

    error: -e `N=many`: an integer is wanted
     --> test.rhai:1:11
      |
    1 | const N = env("N", 5);
      |           ^^^

    error: -e `D=1parsec`: a duration such as `30s` is wanted
     --> test.rhai:2:11
      |
    2 | const D = env("D", 1.s);
      |           ^^^

    error: environment variable `B=maybe`: `true` or `false` is wanted
     --> test.rhai:3:11
      |
    3 | const B = env("B", true);
      |           ^^^

    3 errors, 1 warning
    "#);
}
