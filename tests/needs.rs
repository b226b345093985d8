//! The programs that a test drives: found, or the test is skipped in plain sight, or, where `PUNK_TEST_REQUIRE_ALL=1` (as `.ci/run` sets
//! it), failed.
//!
//! Usage: `let Some(nginx) = needs::tool("nginx") else { return };`

use std::io::Write;
use std::path::{Path, PathBuf};

/// The path of a program, `None` when this machine lacks it and the test may be skipped.
///
/// # Panics
/// When the program is missing and everything is required.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let required = std::env::var("PUNK_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
    match decide(name, find(name, &path), required) {
        Ok(found) => Some(found),
        Err(Missing::Skip(why)) => {
            // Not `eprintln!`: the test harness would keep it to itself, as the test is going to pass.
            writeln!(std::io::stderr(), "SKIPPED: {why}").expect("stderr is open in tests");
            None
        }
        Err(Missing::Fail(why)) => panic!("{why}"),
    }
}

/// The same of a program that may also be named by a variable of the environment.
pub fn tool_or(name: &str, variable: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
    named.or_else(|| tool(name))
}

#[derive(Debug, PartialEq)]
enum Missing {
    Skip(String),
    Fail(String),
}

fn decide(name: &str, found: Option<PathBuf>, required: bool) -> Result<PathBuf, Missing> {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let why = format!("{test} needs `{name}`, which is not installed");
    found.ok_or(if required { Missing::Fail(why) } else { Missing::Skip(why) })
}

/// Servers live in `sbin`, which a user's `PATH` often lacks.
fn find(name: &str, path: &str) -> Option<PathBuf> {
    let folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
    folders.filter(|f| !f.is_empty()).map(|f| Path::new(f).join(name)).find(|p| p.is_file())
}

#[cfg(test)]
mod tests {
    use super::{Missing, decide, find, tool};

    #[test]
    fn a_program_is_found_on_the_path() {
        let cargo = tool("sh").expect("every Unix has a shell");
        assert!(cargo.ends_with("sh"));
        assert_eq!(find("no-such-program", "/bin:/usr/bin"), None);
    }

    #[test]
    fn a_missing_program_skips_here_and_fails_where_all_is_required() {
        assert!(matches!(decide("nginx", None, false), Err(Missing::Skip(why)) if why.contains("needs `nginx`")));
        assert!(matches!(decide("nginx", None, true), Err(Missing::Fail(_))));
        assert!(decide("nginx", Some("/usr/sbin/nginx".into()), true).is_ok());
    }
}
