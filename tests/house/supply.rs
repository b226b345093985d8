//! What the crate is built from: the rules of `deny.toml` that need no network, so that they hold wherever the tests run.
//!
//! cargo-deny reads the same file and knows more (advisories, duplicates); this part knows the bans and the licences.

use std::path::Path;
use std::process::Command;

use super::root;

/// The values of a TOML array of texts, `key = [ "a", "b" ]`, with comments; enough for our own file.
fn texts(toml: &str, key: &str) -> Vec<String> {
    let start = toml.find(&format!("\n{key} = [")).unwrap_or_else(|| panic!("deny.toml has no `{key}`"));
    let array = toml[start..].split_once('[').expect("the key was found with its bracket").1;
    let lines = array.lines().map(|line| line.split('#').next().unwrap_or("")).take_while(|line| line.trim() != "]");
    lines.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// The names of all packages in a lock file.
fn locked(lock: &str) -> Vec<&str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

/// Whether an SPDX expression can be satisfied by the allowed licences. `/` is the old way to write `OR`.
fn allowed(expression: &str, licences: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    any_of(&mut words, licences)
}

type Words<'a, 'b> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_, '_>, licences: &[String]) -> bool {
    let mut held = all_of(words, licences);
    while words.next_if_eq(&"OR").is_some() {
        held |= all_of(words, licences);
    }
    held
}

fn all_of(words: &mut Words<'_, '_>, licences: &[String]) -> bool {
    let mut held = one(words, licences);
    while words.next_if_eq(&"AND").is_some() {
        held &= one(words, licences);
    }
    held
}

fn one(words: &mut Words<'_, '_>, licences: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let held = any_of(words, licences);
        words.next();
        return held;
    }
    let name = words.next().unwrap_or("").to_owned();
    let name =
        if words.next_if_eq(&"WITH").is_some() { format!("{name} WITH {}", words.next().unwrap_or("")) } else { name };
    licences.contains(&name)
}

fn deny_toml() -> String {
    std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is readable")
}

#[test]
fn nothing_banned_is_in_the_lock_file() {
    let deny = deny_toml();
    let banned = texts(&deny, "deny");
    for name in ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "native-tls"] {
        assert!(banned.iter().any(|b| b == name), "deny.toml does not ban {name}: there is one TLS provider, ring");
    }
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is readable");
    let found: Vec<&str> = locked(&lock).into_iter().filter(|name| banned.iter().any(|b| b == name)).collect();
    assert!(locked(&lock).contains(&"ring"), "the lock file was not understood");
    assert!(found.is_empty(), "banned: {found:?}; `cargo tree -i NAME` says who brings it");
}

#[test]
fn every_licence_is_allowed() {
    let deny = deny_toml();
    let licences = texts(&deny, "allow");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .arg("--manifest-path")
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("it lists packages");
    assert!(packages.len() > 50, "the dependencies were not found");
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        // Licences that are no valid SPDX expression are clarified by hand in deny.toml.
        let clarified = deny.split("[[licenses.clarify]]").skip(1).find(|entry| entry.contains(&format!("\"{name}\"")));
        let expression = clarified
            .and_then(|entry| entry.split("expression = \"").nth(1)?.split('"').next())
            .or_else(|| package["license"].as_str())
            .unwrap_or("(none named)");
        if !allowed(expression, &licences) {
            faults.push(format!("{name}: {expression}"));
        }
    }
    assert!(faults.is_empty(), "not allowed by deny.toml:\n{}", faults.join("\n"));
}

#[test]
fn licence_expressions_are_judged_as_spdx_says() {
    let mine: Vec<String> = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
    for (expression, held) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("MIT AND ISC", true),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("(GPL-3.0 OR MIT) AND OpenSSL", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
    ] {
        assert_eq!(allowed(expression, &mine), held, "{expression}");
    }
}

#[test]
fn the_small_readers_read() {
    assert_eq!(texts("x\nallow = [\n  \"MIT\", # \"GPL\"\n  \"ISC\",\n]\nb = [\"C\"]\n", "allow"), ["MIT", "ISC"]);
    assert_eq!(locked("[[package]]\nname = \"openssl-sys\"\nversion = \"1\"\n"), ["openssl-sys"]);
    assert!(Path::new(&root().join("deny.toml")).exists());
}
