//! When this machine is the limit: said before the run where it can be known, and never blamed on the target.

use super::errors_of;
use crate::builder::{punk, target};

#[test]
fn too_few_file_descriptors_are_told_before_the_run() {
    let target = target();
    let outcome = punk()
        .script(r#"options(#{ base_url: "TARGET" }); fn run() { http::get("/echo"); }"#)
        .target(&target)
        .under("ulimit -n 100")
        .args("-u500 -d1s")
        .run();
    outcome.assert_code(1).assert_stderr("file descriptors").assert_stderr("ulimit -n");
    assert_eq!(target.stats().connections, 0, "nothing was started");
}

#[test]
fn file_descriptors_that_run_out_make_the_measurement_invalid() {
    let target = target();
    // Six connections for each user; the check before the run knows of one.
    let script = r#"
        options(#{ base_url: "TARGET" });
        fn run() { http::batch(["/delay/50", "/delay/50", "/delay/50", "/delay/50", "/delay/50", "/delay/50"]); }
    "#;
    let outcome = punk().script(script).target(&target).under("ulimit -n 90").on_invalid_fail().args("-u20 -i40").run();
    outcome.assert_code(96);
    assert!(errors_of(&outcome, "local_fd_limit") > 0, "{}", outcome.told());
    let summary = outcome.summary();
    assert_eq!(summary["verdict"], "invalid");
    let reasons = summary["generator"]["reasons"].to_string();
    assert!(reasons.contains("file descriptor"), "{reasons}");
    super::accounts::Account::of(&outcome, &target);
}
