//! Edits of a run that goes on: behaviour, loads, scenarios, rules; compiled as the reloader does it, sent through the one door.

use crate::builder::target;
use punk::control::{Author, Command, Edited};
use punk::engine::{Run, Settings, on_large_stack};
use punk::expr::Rules;
use punk::plan::Plan;
use punk::script::compile::compile;
use punk::script::overrides::Overrides;
use punk::snapshot::{Ending, Snapshot};
use punk::target::RunningTarget;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A run in this process, with a target that remembers.
struct Live {
    target: RunningTarget,
    run: Run,
}

/// Compiles a script in which `TARGET` stands for the target.
fn plan(script: &str, target: &RunningTarget) -> Arc<Plan> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.rhai");
    std::fs::write(&path, script.replace("TARGET", &target.url())).unwrap();
    let compiled = on_large_stack(|| compile(&path, &Overrides::default()));
    Arc::new(compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics)))
}

fn settings() -> Settings {
    Settings::new(2)
}

fn start(script: &str) -> Live {
    start_with(script, settings())
}

fn start_with(script: &str, settings: Settings) -> Live {
    let target = target();
    let run = Run::start(plan(script, &target), settings).unwrap();
    Live { target, run }
}

impl Live {
    fn send(&self, command: Command) {
        self.run.commands().send(command).unwrap();
    }

    fn edit(&self, script: &str) {
        self.send(Command::Edit { by: Author::File, plan: Edited(plan(script, &self.target)) });
    }

    fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.run.snapshots().borrow())
    }

    /// Waits until a Snapshot satisfies.
    fn until(&self, what: &str, mut accept: impl FnMut(&Snapshot) -> bool) -> Arc<Snapshot> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let snapshot = self.now();
            if accept(&snapshot) {
                return snapshot;
            }
            assert!(Instant::now() < end, "never: {what}: {:#?}\n{:?}", snapshot.scenarios, snapshot.edits);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How often the target was asked for what begins like this.
    fn asked(&self, path: &str) -> usize {
        self.target.log().iter().filter(|entry| entry.path.starts_with(path)).count()
    }

    fn until_asked(&self, path: &str) {
        self.until(path, |_| self.asked(path) > 0);
    }

    fn end(self) -> (Arc<Snapshot>, Ending, RunningTarget) {
        let (snapshot, ending) = self.run.join();
        assert_eq!((&ending.bug, &ending.broken), (&None, &None));
        (snapshot, ending, self.target)
    }

    fn stop(self) -> (Arc<Snapshot>, Ending, RunningTarget) {
        self.send(Command::Stop { by: Author::Api, why: "enough".to_owned() });
        self.end()
    }
}

/// What was changed, edit by edit.
fn changes(snapshot: &Snapshot) -> Vec<Vec<String>> {
    snapshot.edits.iter().map(|edit| edit.changes.iter().map(ToString::to_string).collect()).collect()
}

fn count(snapshot: &Snapshot, metric: &str) -> u64 {
    snapshot.count(metric, false, |_| true) as u64
}

#[test]
fn a_function_is_replaced_for_each_user_at_its_next_iteration_and_its_state_stays() {
    let script = |path: &str, login: &str| {
        format!(
            r#"
            scenario("users", #{{ users: 3, duration: 1.m, start: login, run: hit }});
            fn login() {{ this.token = vu::id(); this.n = 0; http::get("TARGET/echo/{login}"); }}
            fn hit() {{ this.n += 1; http::get(`TARGET/echo/{path}-${{this.token}}-${{this.n}}-${{vu::iteration()}}`, #{{ name: "hit" }}); sleep(10.ms); }}
            "#
        )
    };
    let live = start(&script("old", "first"));
    live.until_asked("/echo/old");
    live.edit(&script("new", "second"));
    live.until_asked("/echo/new");
    live.send(Command::Scale { by: Author::Api, scenario: "users".to_owned(), to: 5.0 });
    live.until("two more users", |_| live.asked("/echo/second") == 2);
    let (snapshot, _, target) = live.stop();
    let log = target.log();
    let of = |path: &str| log.iter().filter(|entry| entry.path == path).count();
    assert_eq!((of("/echo/first"), of("/echo/second")), (3, 2), "`start` runs once for each user");
    assert_eq!(changes(&snapshot), [["~ fn hit", "~ fn login"]]);
    assert_eq!((snapshot.edits[0].revision, snapshot.edits[0].code), (2, 2));
    // Each user has counted on: `this` and the number of the iteration were kept, and nobody went back to old code.
    for user in 1..=3 {
        let mine: Vec<(bool, String)> = log
            .iter()
            .filter_map(|entry| {
                let (code, what) = entry.path.strip_prefix("/echo/")?.split_once('-')?;
                Some((code == "new", what.strip_prefix(&format!("{user}-"))?.to_owned()))
            })
            .collect();
        assert!(mine.is_sorted_by_key(|(new, _)| *new), "{mine:?}");
        let wanted: Vec<String> = (0..mine.len()).map(|n| format!("{}-{n}", n + 1)).collect();
        assert_eq!(mine.iter().map(|(_, query)| query.clone()).collect::<Vec<_>>(), wanted);
    }
    assert_eq!(count(&snapshot, "http_reqs"), log.len() as u64);
}

#[test]
fn an_iteration_that_runs_ends_under_the_code_that_it_began_with() {
    let script = |word: &str| {
        format!(
            r#"
            const WORD = "{word}";
            scenario("users", #{{ users: 1, duration: 1.m, run: hit }});
            fn part(at) {{ http::get(`TARGET/echo/${{global::WORD}}-${{at}}`); }}
            fn hit() {{
                part("begin");
                if store::counter("held").get() == 0 {{
                    store::counter("held").add(1);
                    sleep(700.ms);
                }}
                group("inner", || part("middle"));
                part("end");
                sleep(20.ms);
            }}
            "#
        )
    };
    let live = start(&script("old"));
    live.until_asked("/echo/old-begin");
    live.edit(&script("new"));
    live.until("the edit", |snapshot| snapshot.edits.len() == 1);
    assert_eq!(live.asked("/echo/old-end"), 0, "it is still in its iteration");
    live.until_asked("/echo/new-end");
    let (_, _, target) = live.stop();
    let paths: Vec<String> = target.log().into_iter().map(|entry| entry.path).collect();
    let wanted = ["old-begin", "old-middle", "old-end", "new-begin", "new-middle", "new-end"];
    assert_eq!(&paths[..6], wanted.map(|path| format!("/echo/{path}")));
}

#[test]
fn closures_that_a_user_keeps_are_those_of_the_code_that_made_them() {
    let script = |word: &str, keeps: &str| {
        format!(
            r#"
            const WORD = "{word}";
            scenario("users", #{{ users: 1, duration: 1.m, run: hit }});
            fn hit() {{
                {keeps}
                let said = this.kept.call();
                http::get(`TARGET/echo/{word}-${{said}}`);
                sleep(10.ms);
            }}
            "#
        )
    };
    let live = start(&script("old", "let word = `of-old`; this.kept = || word;"));
    live.until_asked("/echo/old-of-old");
    live.edit(&script("new", ""));
    live.until_asked("/echo/new-of-old");
    let (snapshot, _, _) = live.stop();
    assert_eq!(count(&snapshot, "script_errors"), 0, "{:?}", snapshot.errors.sorted());
}

/// Every request carries the revision of the script that sent it; what is measured is what the target saw.
fn fifty_swaps(load: &str) -> (Arc<Snapshot>, RunningTarget) {
    let script = |n: usize| {
        format!(
            r#"
            scenario("users", #{{ {load}, run: hit }});
            fn hit() {{ this.n = (this.n ?? 0) + 1; http::get("TARGET/echo/{n}", #{{ name: "hit" }}); sleep(1.ms); }}
            "#
        )
    };
    let live = start(&script(0));
    live.until_asked("/echo/0");
    for n in 1..=50 {
        live.edit(&script(n));
        live.until_asked(&format!("/echo/{n}"));
    }
    let (snapshot, ending, target) = live.end();
    assert_eq!(ending.stopped, None);
    assert_eq!(snapshot.edits.len(), 50);
    assert_eq!(snapshot.edits.last().map(|edit| edit.code), Some(51));
    assert_eq!(count(&snapshot, "http_reqs"), target.stats().requests);
    assert_eq!(count(&snapshot, "iterations"), target.stats().requests);
    assert_eq!((count(&snapshot, "script_errors"), snapshot.generator.lost), (0, 0));
    (snapshot, target)
}

#[test]
fn counts_are_exact_through_fifty_edits_of_a_closed_load() {
    let (snapshot, target) = fifty_swaps("users: constant(4).hold(6.s)");
    let by_code: Vec<(u64, bool)> = snapshot.code_revisions.iter().map(|one| (one.revision, one.merged)).collect();
    assert_eq!(by_code, [(49, true), (50, false), (51, false)]);
    let log = target.log();
    let of = |n: u64| log.iter().filter(|entry| entry.path == format!("/echo/{n}")).count() as u64;
    let [older, previous, current] = &snapshot.code_revisions[..] else { panic!() };
    assert_eq!((previous.requests, previous.iterations), (of(49), of(49)));
    assert_eq!((current.requests, current.iterations, current.duration.count()), (of(50), of(50), of(50)));
    assert_eq!(older.requests + previous.requests + current.requests, log.len() as u64);
    assert_eq!(older.iterations + previous.iterations + current.iterations, log.len() as u64);
}

#[test]
fn arrivals_are_exact_through_fifty_edits_of_an_open_load() {
    let (snapshot, target) = fifty_swaps("rate: constant(200).hold(6.s), max_users: 20");
    assert_eq!(target.stats().requests, 1_200);
    assert_eq!((snapshot.scenarios[0].arrivals, snapshot.scenarios[0].dropped), (1_200, 0));
}

#[test]
fn weights_and_pacing_are_edited_without_new_code() {
    let script = |first: u32, pacing: &str| {
        format!(
            r#"
            scenario("users", #{{ users: 2, duration: 1.m, run: [[{first}, one], [1, two]], pacing: {pacing} }});
            fn one() {{ http::get("TARGET/echo/one"); }}
            fn two() {{ http::get("TARGET/echo/two"); }}
            "#
        )
    };
    let live = start(&script(0, "10.ms"));
    live.until_asked("/echo/two");
    live.edit(&script(1_000_000, "20.ms"));
    live.until_asked("/echo/one");
    let (snapshot, _, _) = live.stop();
    assert_eq!(changes(&snapshot)[0].len(), 2, "{:?}", changes(&snapshot));
    assert_eq!((snapshot.edits[0].code, snapshot.code_revisions.len()), (1, 0));
}

#[test]
fn a_load_is_retargeted_made_longer_and_made_shorter() {
    let script = |load: &str| {
        format!(
            r#"scenario("users", #{{ {load}, run: hit, graceful_stop: 5.s }}); fn hit() {{ http::get("TARGET/echo/x"); sleep(10.ms); }}"#
        )
    };
    // Higher.
    let live = start(&script("users: constant(2).hold(1.m)"));
    live.until("two users", |snapshot| snapshot.scenarios.first().is_some_and(|users| users.users == 2));
    live.edit(&script("users: constant(6).hold(1.m)"));
    let snapshot = live.until("six users", |snapshot| snapshot.scenarios[0].users == 6);
    assert_eq!(snapshot.scenarios[0].target, Some(6));
    assert_eq!((snapshot.edits[0].revision, snapshot.edits[0].code), (2, 1), "no code was changed");
    assert_eq!(snapshot.code_revisions.len(), 0);
    // What a person has set stays until the plan is asked for again; then it is the edited one.
    live.send(Command::Scale { by: Author::Api, scenario: "users".to_owned(), to: 1.0 });
    live.until("one user", |snapshot| snapshot.scenarios[0].users == 1);
    live.edit(&script("users: constant(4).hold(1.m)"));
    let snapshot = live.until("the second edit", |snapshot| snapshot.edits.len() == 2);
    assert_eq!(snapshot.scenarios[0].target, Some(1));
    live.send(Command::Replan { by: Author::Api, scenario: "users".to_owned() });
    live.until("four users", |snapshot| snapshot.scenarios[0].users == 4);
    // Shorter than it has run: it ends now, and nobody is stopped.
    live.edit(&script("users: constant(4).hold(100.ms)"));
    let (snapshot, ending, target) = live.end();
    assert_eq!((ending.stopped, snapshot.scenarios[0].interrupted), (None, 0));
    assert!(snapshot.elapsed < Duration::from_secs(50), "{:?}", snapshot.elapsed);
    assert_eq!(count(&snapshot, "http_reqs"), target.stats().requests);
    // Longer.
    let live = start(&script("users: constant(2).hold(1.s)"));
    live.until("two users", |snapshot| snapshot.scenarios.first().is_some_and(|users| users.users == 2));
    live.edit(&script("users: constant(2).hold(2500.ms)"));
    let (snapshot, _, _) = live.end();
    assert!(snapshot.elapsed >= Duration::from_millis(2_400), "{:?}", snapshot.elapsed);
    assert_eq!(changes(&snapshot).len(), 1);
}

#[test]
fn arrivals_follow_an_edited_rate_without_a_gap() {
    let script = |load: &str| {
        format!(r#"scenario("open", #{{ {load}, run: hit }}); fn hit() {{ http::get("TARGET/echo/x"); }}"#)
    };
    let live = start(&script("rate: constant(50).hold(2.s), max_users: 20"));
    live.until_asked("/echo/x");
    live.edit(&script("rate: constant(100).hold(3.s), max_users: 30"));
    let (snapshot, _, target) = live.end();
    // 50/s until the edit holds, 100/s from there to the third second.
    let at = snapshot.edits[0].at.as_secs_f64() + 0.02;
    let wanted = 50.0 * at + 100.0 * (3.0 - at);
    let sent = target.stats().requests as f64;
    assert!((sent - wanted).abs() <= 3.0, "{sent} of {wanted}");
    assert_eq!(snapshot.scenarios[0].arrivals, target.stats().requests);
    assert_eq!(snapshot.scenarios[0].dropped, 0);
}

#[test]
fn a_scenario_is_added_and_another_drains() {
    let live = start(
        r#"
        scenario("first", #{ users: 2, duration: 1.m, run: first });
        scenario("after", #{ users: 1, duration: 300.ms, after: "first", run: last });
        fn first() { http::get("TARGET/echo/first"); sleep(10.ms); }
        fn last() { http::get("TARGET/echo/last"); sleep(10.ms); }
        "#,
    );
    live.until_asked("/echo/first");
    live.edit(
        r#"
        scenario("second", #{ rate: constant(50).hold(1.s), max_users: 5, run: second });
        scenario("after", #{ users: 1, duration: 300.ms, run: last });
        fn second() { http::get(`TARGET/echo/second-${vu::id()}`, #{ name: "hit" }); }
        fn last() { http::get("TARGET/echo/edited"); sleep(10.ms); }
        "#,
    );
    let (snapshot, ending, target) = live.end();
    assert_eq!(ending.stopped, None);
    let names: Vec<&str> = snapshot.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names, ["first", "after", "second"]);
    assert!(snapshot.scenarios.iter().all(|scenario| scenario.done), "{:#?}", snapshot.scenarios);
    let log = target.log();
    let of = |path: &str| log.iter().filter(|entry| entry.path.starts_with(path)).count() as u64;
    assert_eq!((of("/echo/second"), snapshot.scenarios[2].iterations, snapshot.scenarios[2].arrivals), (50, 50, 50));
    assert_eq!(snapshot.scenarios[0].iterations, of("/echo/first"));
    assert!(snapshot.edits[0].refused[0].contains("scenario `after`: `after` stays as it is"), "{:?}", snapshot.edits);
    assert_eq!((of("/echo/last"), snapshot.scenarios[0].interrupted), (0, 0));
    assert!(of("/echo/edited") > 0, "what waits for the drained one begins, with new code");
    assert_eq!(snapshot.scenarios[2].begins.map(|begins| begins >= snapshot.edits[0].at), Some(true));
    // Ids of users that came later are nobody else's.
    let ids: Vec<&str> = log.iter().filter_map(|one| one.path.strip_prefix("/echo/second-")).collect();
    assert!(ids.iter().all(|id| id.parse::<u64>().unwrap() > 1_000_000), "{ids:?}");
    assert!(snapshot.plan.as_ref().unwrap().scenarios[0].gone);
}

const RULES: &str = r#"
    scenario("users", #{ users: 2, duration: 1.m, run: hit });
    fn hit() { http::get("TARGET/echo/x"); sleep(10.ms); }
"#;

fn rules(text: &str, target: &RunningTarget) -> Arc<Rules> {
    Arc::new(plan(&format!("{text}\n{RULES}"), target).rules.clone())
}

#[test]
fn rules_by_the_api_want_the_current_revision_and_a_save_undoes_them() {
    let live = start(&format!("threshold(\"http_req_failed\", \"rate < 1%\");\n{RULES}"));
    live.until_asked("/echo/x");
    let put = |base: Option<u64>, text: &str| {
        let rules = rules(text, &live.target);
        live.send(Command::Rules { by: Author::Api, base, rules });
    };
    put(Some(1), "threshold(\"http_req_failed\", \"rate < 5%\");");
    let snapshot = live.until("the rules", |snapshot| snapshot.edits.len() == 1);
    assert_eq!((snapshot.edits[0].revision, snapshot.edits[0].code, snapshot.revision), (2, 1, 2));
    put(Some(1), "threshold(\"http_req_failed\", \"rate < 9%\");");
    let refused = |snapshot: &Snapshot| snapshot.interventions.iter().find_map(|one| one.refused.clone());
    let snapshot = live.until("a refusal", |snapshot| refused(snapshot).is_some());
    assert_eq!(refused(&snapshot).unwrap(), "revision 2 is current, not 1");
    // Somebody saves a file that differs from what runs by its rules alone, because they were edited elsewhere.
    live.edit(&format!("threshold(\"http_req_failed\", \"rate < 1%\");\n{RULES}"));
    let snapshot = live.until("the save", |snapshot| snapshot.edits.len() == 2);
    assert_eq!(snapshot.edits[1].notes, ["undoes revision 2 by the API"]);
    assert_eq!((snapshot.edits[1].revision, snapshot.edits[1].code), (3, 1));
    // The same again is no edit.
    live.edit(&format!("\n\nthreshold(\"http_req_failed\", \"rate < 1%\"); // as before\n{RULES}"));
    put(None, "threshold(\"http_req_failed\", \"rate < 2%\");");
    live.until("one more edit", |snapshot| snapshot.edits.len() == 3);
    let (snapshot, _, _) = live.stop();
    assert_eq!(snapshot.edits.len(), 3);
    assert_eq!(snapshot.code_revisions.len(), 0, "rules are no code");
}

#[test]
fn what_cannot_change_is_refused_by_name_and_the_rest_applies() {
    let live = start(RULES);
    live.until_asked("/echo/x");
    let other = RULES.replace("users: 2, duration: 1.m", "rate: 5, duration: 1.m, max_users: 2");
    live.edit(&other);
    let refused = |snapshot: &Snapshot| snapshot.interventions.iter().find_map(|one| one.refused.clone());
    let snapshot = live.until("a refusal", |snapshot| refused(snapshot).is_some());
    assert!(refused(&snapshot).unwrap().contains("scenario `users`: its load stays as it is"), "{snapshot:?}");
    assert_eq!(snapshot.edits.len(), 0, "nothing was changed, so there is no revision");
    live.edit(&other.replace("/echo/x", "/echo/y"));
    live.until_asked("/echo/y");
    let (snapshot, _, _) = live.stop();
    assert_eq!(snapshot.edits[0].refused.len(), 1);
    assert_eq!(changes(&snapshot), [["~ fn hit"]]);
}

#[test]
fn an_edit_holds_in_a_pause_in_setup_and_in_a_drain() {
    let script = |word: &str| {
        format!(
            r#"
            scenario("users", #{{ users: 2, duration: 1.m, run: hit, stop: leave, graceful_stop: 10.s }});
            fn setup() {{ http::get("TARGET/echo/setup-{word}"); sleep(300.ms); 7 }}
            fn hit(data) {{ http::get(`TARGET/echo/{word}-${{data}}`); sleep(100.ms); }}
            fn leave() {{ http::get("TARGET/echo/leave-{word}"); }}
            fn teardown() {{ http::get("TARGET/echo/teardown-{word}"); }}
            "#
        )
    };
    let live = start(&script("a"));
    live.until_asked("/echo/setup-a");
    live.edit(&script("b"));
    live.until_asked("/echo/b-7");
    live.send(Command::Pause { by: Author::Api });
    live.until("the pause", |snapshot| snapshot.interventions.len() == 1);
    live.edit(&script("c"));
    live.until("the edit", |snapshot| snapshot.edits.len() == 2);
    assert_eq!(live.asked("/echo/c-7"), 0);
    live.send(Command::Resume { by: Author::Api });
    live.until_asked("/echo/c-7");
    // Compiled before: the end of the run does not wait for it.
    let late = Command::Edit { by: Author::File, plan: Edited(plan(&script("d"), &live.target)) };
    live.send(Command::Stop { by: Author::Api, why: "enough".to_owned() });
    live.send(late);
    let (snapshot, _, target) = live.end();
    let log = target.log();
    let of = |path: &str| log.iter().filter(|entry| entry.path == format!("/echo/{path}")).count();
    assert_eq!((of("setup-a"), of("setup-b"), of("setup-c"), of("a-7")), (1, 0, 0, 0));
    assert_eq!((of("leave-c"), of("teardown-c"), of("d-7")), (2, 1, 0));
    assert_eq!(snapshot.edits.len(), 2, "a run that is ending takes no edit");
    let refused: Vec<_> = snapshot.interventions.iter().filter_map(|one| one.refused.as_deref()).collect();
    assert_eq!(refused, ["the run is ending"]);
}

/// The share of requests that fail with the second code, against none before.
fn errors_after_an_edit(before: &str, after: &str) -> (Arc<Snapshot>, RunningTarget) {
    let script = |path: &str| {
        format!(
            r#"
            scenario("users", #{{ users: 4, duration: 5.s, run: hit }});
            fn hit() {{ http::get("TARGET/{path}", #{{ name: "hit" }}); sleep(10.ms); }}
            "#
        )
    };
    let live = start_with(&script(before), Settings { rollback_on_errors: true, ..settings() });
    live.until("a measure of the old code", |snapshot| count(snapshot, "iterations") > 100);
    live.edit(&script(after));
    live.until_asked(&format!("/{after}"));
    std::thread::sleep(Duration::from_millis(1_500));
    // The same broken code, saved again with another comment, is not taken up.
    live.edit(&format!("// again\n{}", script(after)));
    let (snapshot, _, target) = live.end();
    (snapshot, target)
}

#[test]
fn code_that_makes_errors_is_rolled_back() {
    let (snapshot, target) = errors_after_an_edit("echo/good", "status/500");
    let authors: Vec<String> = snapshot.edits.iter().map(|edit| edit.by.to_string()).collect();
    assert_eq!(authors, ["the file", "the rollback"], "{:#?}", snapshot.edits);
    let rollback = &snapshot.edits[1];
    assert_eq!((rollback.revision, rollback.code), (3, 3));
    assert_eq!(changes(&snapshot)[1], ["~ fn hit"]);
    assert!(rollback.notes[0].contains("100 % of the requests"), "{:?}", rollback.notes);
    let last = target.log().into_iter().next_back().unwrap();
    assert_eq!(last.path, "/echo/good");
}

#[test]
fn code_that_makes_no_errors_stays() {
    let (snapshot, target) = errors_after_an_edit("echo/good", "echo/other");
    assert_eq!(snapshot.edits.len(), 1, "{:#?}", snapshot.edits);
    assert_eq!(target.log().into_iter().next_back().unwrap().path, "/echo/other");
    // Errors that were there before are no reason either.
    let (snapshot, _) = errors_after_an_edit("status/500", "status/503");
    assert_eq!(snapshot.edits.len(), 1, "{:#?}", snapshot.edits);
}
