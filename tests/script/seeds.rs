//! The same seed gives the same requests in the same order per user, whatever the number of shards: seen by the target.

use std::collections::BTreeMap;

use crate::builder::{punk, target};

const SCRIPT: &str = r#"
    import "std/think" as think;
    options(#{ base_url: "TARGET" });
    scenario("mix", #{ users: 4, iterations_per_user: 8, start: enter, run: [[2, look], [1, buy]], pacing: || think::uniform(0.s, 2.ms) });
    scenario("ramp", #{ users: 3, iterations_per_user: 8, run: look });
    fn enter() { ask(`start/${rand::uuid()}`); }
    fn look() {
        for n in 0..rand::int(1, 3) { ask(`look/${rand::text(6)}`); }
        sleep(think::exponential(1.ms));
        if rand::chance(0.2) { fail("now and then"); }
    }
    fn buy() { ask(`buy/${rand::int(1, 1000000)}/${think::normal(1.s, 1.s)}/${rand::pick([1, 2, 3])}`); }
    fn ask(path) { http::get(`/echo/${vu::scenario()}-${vu::id()}/${vu::iteration()}/${path}`); }
"#;

/// What each user asked for, in its order.
fn asked(arguments: &str) -> BTreeMap<String, Vec<String>> {
    let target = target();
    let script = SCRIPT.replace("pacing:", "backoff: exponential(1.ms, 4.ms).jitter(), pacing:");
    punk().script(&script).target(&target).args(arguments).run().assert_passed();
    let mut log = target.log();
    log.sort_by_key(|entry| entry.at_us);
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in log {
        let mut parts = entry.path.splitn(4, '/').skip(2);
        let user = parts.next().expect("a user in each path").to_owned();
        users.entry(user).or_default().push(parts.next().unwrap_or_default().to_owned());
    }
    users
}

#[test]
fn the_same_seed_asks_for_the_same_in_the_same_order() {
    let first = asked("--seed 7 --shards 1");
    assert_eq!(first.len(), 7, "all users were seen: {:?}", first.keys());
    assert!(first.values().all(|paths| paths.len() >= 8));
    assert_eq!(first, asked("--seed 7 --shards 1"), "the same again");
    assert_eq!(first, asked("--seed 7 --shards 2"), "on two shards");
    assert_eq!(first, asked("--seed 7 --shards 3"), "on three shards");
    let other = asked("--seed 8 --shards 1");
    assert!(first.iter().all(|(user, paths)| other[user] != *paths), "another seed is another run");
}

#[test]
fn users_do_not_ask_for_the_same_as_their_neighbours() {
    let users = asked("--seed 7");
    let without_number = |path: &String| path.split_once('/').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    let all: Vec<Vec<String>> = users.values().map(|paths| paths.iter().map(without_number).collect()).collect();
    for (at, one) in all.iter().enumerate() {
        assert!(all[at + 1..].iter().all(|other| other != one));
    }
}

#[test]
fn an_arrival_asks_for_the_same_whoever_serves_it() {
    let asked = |arguments: &str| -> BTreeMap<String, String> {
        let target = target();
        let script = r#"
            options(#{ base_url: "TARGET" });
            scenario("come", #{ rate: 200, max_users: 30, duration: 500.ms, run: [[1, || ask("a")], [2, || ask("b")]] });
            fn ask(what) {
                sleep(rand::int(0, 20) * 1.ms);
                http::get(`/echo/${vu::arrival()}/${what}/${rand::text(8)}`);
            }
        "#;
        punk().script(script).target(&target).args(arguments).run().assert_passed();
        let arrival = |path: &str| path.splitn(4, '/').skip(2).map(str::to_owned).collect::<Vec<_>>();
        let pairs = target.log().into_iter().map(|entry| arrival(&entry.path));
        pairs.map(|mut parts| (parts.remove(0), parts.remove(0))).collect()
    };
    let first = asked("--seed 3 --shards 1");
    assert_eq!(first.len(), 100, "each arrival has its own number");
    assert!((0..100).all(|number| first.contains_key(&number.to_string())), "{:?}", first.keys());
    assert_eq!(first, asked("--seed 3 --shards 2"));
    assert_ne!(first, asked("--seed 4 --shards 1"));
    let drawn: std::collections::BTreeSet<&String> = first.values().collect();
    assert_eq!(drawn.len(), 100, "no two arrivals draw alike");
}

#[test]
fn without_arrivals_there_is_no_number() {
    let script = "fn run() { check(\"none\", vu::arrival() == ()); }";
    let outcome = punk().script(script).args("-i2").run();
    assert_eq!(outcome.metric("checks", "passes"), 2.0, "{}", outcome.told());
}
