//! `store::` from outside: what users on several threads share, and what it refuses.

use crate::builder::{Outcome, punk};
use insta::assert_snapshot;

fn run(script: &str) -> Outcome {
    punk().script(script).args("--shards 2").run()
}

#[test]
fn counters_add_up_over_all_users() {
    let outcome = run(r#"
        scenario("a", #{ users: 8, iterations: 400, run: f });
        metric::counter("sum");
        fn setup() { store::counter("next").set(100); }
        fn f() { metric::add("sum", store::counter("next").next()); store::counter("all").add(-2); }
        fn teardown() {
            if store::counter("all").get() != -800 { throw `all ${store::counter("all").get()}`; }
            if store::counter("next").get() != 500 { throw "next"; }
        }"#);
    outcome.assert_passed();
    assert_eq!(outcome.metric("sum", "count"), f64::from((101..=500).sum::<u32>()), "no number comes twice");
}

#[test]
fn queues_carry_values_from_one_user_to_another() {
    let outcome = run(r#"
        scenario("make", #{ users: 3, iterations: 60, run: make });
        scenario("take", #{ users: 3, iterations: 60, run: take });
        metric::counter("sum");
        fn make() { store::queue("orders").push(#{ id: store::counter("id").next(), tags: ["a"] }); }
        fn take() {
            let order = ();
            while order == () { order = store::queue("orders").pop(); if order == () { sleep(1.ms); } }
            if order.tags[0] != "a" { throw "not whole"; }
            metric::add("sum", order.id);
        }
        fn teardown() { if !store::queue("orders").is_empty() || store::queue("orders").len() != 0 { throw "left"; } }"#);
    outcome.assert_passed();
    assert_eq!(outcome.metric("sum", "count"), 1830.0);
}

#[test]
fn maps_hold_values_by_key() {
    run(r#"
        fn setup() {
            let sessions = store::map("sessions");
            let value = #{ token: "x", n: [1, 2.5, ()] };
            sessions.set("ann", value);
            value.token = "changed";
            if sessions.get("ann").token != "x" || sessions.get("ann").n[1] != 2.5 { throw "a copy goes in"; }
            sessions.set(7, "seven");
            if sessions.get("7") != "seven" || !sessions.contains(7) || sessions.len() != 2 { throw "keys"; }
            if sessions.set_new(7, "other") || !sessions.set_new(8, true) { throw "set_new"; }
            if sessions.keys().to_json() != "[\"7\",\"8\",\"ann\"]" { throw sessions.keys().to_json(); }
            if sessions.remove("8") != true || sessions.remove("8") != () || sessions.get("bob") != () { throw "remove"; }
        }
        fn run() {
            if store::map("sessions").get("ann").token != "x" { throw "seen by all"; }
            store::map("sessions").clear();
            if !store::map("sessions").is_empty() { throw "cleared"; }
        }"#)
    .assert_passed();
}

#[test]
fn what_it_refuses() {
    let outcome = run(r#"
        options(#{ limits: #{ store: "64KB" } });
        fn refused(act) { try { act.call(); print("> nothing"); } catch (error) { print("> " + error); } }
        fn run() {
            refused(|| store::queue("q").push(()));
            refused(|| store::map("m").set("f", |x| x));
            refused(|| store::map("m").set(1.5, 1));
            refused(|| { store::map("m").set("k", [1]); let list = store::map("m").get("k"); list[0] = 2; });
            refused(|| { let text = "x"; text.pad(100_000, "x"); store::queue("q").push(text); });
            refused(|| loop { store::map("m").set(rand::uuid(), 1); });
            refused(|| store::counter("one more name that finds no room, although the store was not full to the last byte, being long" + rand::text(200)));
            if store::map("m").get("k")[0] != 1 || store::queue("q").len() != 0 { throw "changed"; }
            store::map("m").clear();
            store::counter("room again").next();
        }"#);
    outcome.assert_passed();
    assert_eq!(outcome.metric("script_errors", "count"), 0.0, "{}", outcome.told());
    let stderr = outcome.stderr();
    let printed: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert_snapshot!(printed.join("\n"), @r#"
    `()` cannot be pushed: it is what `pop` gives when the queue is empty
    the store keeps what JSON can hold: a function cannot be JSON
    a key is text or a whole number, not a float
    this JSON is read-only, all users share it: copy it with `.to_map()` to change it
    the store is full: all counters, queues and maps may hold 64kB (limit: `options(#{ limits: #{ store: … } })`)
    the store is full: all counters, queues and maps may hold 64kB (limit: `options(#{ limits: #{ store: … } })`)
    the store is full: all counters, queues and maps may hold 64kB (limit: `options(#{ limits: #{ store: … } })`)
    "#);
}

#[test]
fn it_needs_a_user() {
    let outcome = punk().command("check").script("store::counter(\"a\").next();\nfn run() { }").run();
    outcome.assert_code(104).assert_stderr("`counter` needs a running user");
}
