//! What only the engine can show from inside: a native function that panics under a user.

use super::{Run, Settings, beside, on_large_stack};
use crate::script::compile::compile;
use crate::script::overrides::Overrides;
use crate::snapshot::{Ending, Snapshot};
use std::sync::Arc;

/// Runs a script on two shards to its end.
fn run(script: &str) -> (Arc<Snapshot>, Ending) {
    start(script).join()
}

fn start(script: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.rhai");
    std::fs::write(&path, script).unwrap();
    let compiled = on_large_stack(|| compile(&path, &Overrides::default()));
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    Run::start(Arc::new(plan), Settings::new(2)).unwrap()
}

/// How often, where, and what.
fn script_errors(snapshot: &Snapshot) -> Vec<(u64, String, String)> {
    let errors = snapshot.errors.sorted();
    errors.iter().map(|(key, entry)| (entry.count, key.place.to_string(), entry.sample.clone())).collect()
}

#[test]
fn a_panicking_native_costs_its_user_an_iteration_and_nobody_else_anything() {
    let (snapshot, ending) = run(r#"
        scenario("bad", #{ users: 2, iterations_per_user: 3, run: breaks });
        scenario("good", #{ users: 4, iterations_per_user: 20, run: works });
        fn breaks() {
            let answer = native_that_panics();
        }
        fn works() { sleep(1.ms); }
    "#);
    assert_eq!((ending.bug, ending.broken), (None, None), "the process goes on");
    let [bad, good] = &snapshot.scenarios[..] else { panic!("{:?}", snapshot.scenarios) };
    assert_eq!((good.iterations, good.users_max), (80, 4));
    assert_eq!((bad.iterations, bad.interrupted, bad.dropped), (6, 0, 0), "each is replaced and does all its work");
    let errors = script_errors(&snapshot);
    let [(6, place, message)] = &errors[..] else { panic!("{errors:?}") };
    assert!(place.ends_with("test.rhai:4:21"), "{place}");
    assert!(message.contains("a native function panicked (this is a bug in punk): on purpose"), "{message}");
    assert!(message.contains("somewhere in `breaks`"), "{message}");
}

#[test]
fn a_user_that_is_lost_in_its_last_words_is_not_replaced() {
    let (snapshot, ending) = run(r#"
        scenario("once", #{ users: 1, iterations_per_user: 2, run: works, stop: leaves });
        fn works() { }
        fn leaves() { native_that_panics(); }
    "#);
    assert_eq!((ending.bug, ending.broken), (None, None));
    assert_eq!(snapshot.scenarios[0].iterations, 2);
    let errors = script_errors(&snapshot);
    let [(1, place, _)] = &errors[..] else { panic!("{errors:?}") };
    assert!(place.ends_with("test.rhai:4:21"), "{place}");
}

#[test]
fn a_panic_in_setup_is_a_failed_setup() {
    let (snapshot, ending) = run("fn setup() { native_that_panics(); }\nfn run() { }");
    let (hook, error) = ending.failed_hook.unwrap();
    assert_eq!((hook, error.place.unwrap().1), ("setup", 1));
    assert_eq!((ending.bug, snapshot.scenarios[0].iterations), (None, 0));
}

#[test]
fn a_monitor_that_dies_takes_nothing_with_it() {
    let run = start("scenario(\"a\", #{ users: 2, iterations: 40, run: f }); fn f() { sleep(10.ms); }");
    let (mut snapshots, commands) = (run.snapshots(), run.commands());
    let monitor = beside("monitor", move |_| async move {
        let _commands = commands;
        snapshots.changed().await.unwrap();
        let _held = snapshots.borrow();
        panic!("killed by the test");
    });
    let (snapshot, ending) = run.join();
    assert_eq!(monitor.unwrap().end().as_deref(), Some("killed by the test"));
    assert_eq!((ending.bug, ending.broken), (None, None));
    assert_eq!(snapshot.scenarios[0].iterations, 40);
}
