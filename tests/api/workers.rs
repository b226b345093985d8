//! Users one by one, as the monitor lists them.

use super::{get, stop, until};
use crate::builder::{punk, target};
use serde_json::Value;

fn list(value: &Value) -> &Vec<Value> {
    value["workers"].as_array().expect("a list")
}

fn sum(workers: &Value) -> u64 {
    list(workers).iter().map(|worker| worker["operations_completed"].as_u64().unwrap()).sum()
}

/// Waits for answers, sleeps, is free for arrivals, fails; every user does one of these and goes on with it.
const ALL_KINDS: &str = r#"
    options(#{ base_url: "TARGET" });
    scenario("waiters", #{ users: 3, duration: 50.s, graceful_stop: 0.s, run: wait });
    scenario("sleepers", #{ users: 4, duration: 50.s, graceful_stop: 0.s, run: rest });
    scenario("free", #{ rate: 100, max_users: 5, duration: 50.s, graceful_stop: 0.s, run: quick });
    scenario("failing", #{ users: 2, duration: 50.s, graceful_stop: 0.s, run: fail_once });
    fn wait() { http::get("/echo"); http::get("/delay/40000", #{ name: "a long time" }); }
    fn rest() { http::get("/status/404"); sleep(40.s); }
    fn quick() { http::get("/echo"); }
    fn fail_once() { if vu::iteration() == 0 { throw "no luck for " + vu::id(); } http::get("/echo"); sleep(40.s); }
"#;

#[test]
fn each_is_listed_with_what_it_does_and_has_done() {
    let target = target();
    let mut running = punk().script(ALL_KINDS).target(&target).monitored().start();
    let of = |workers: &Value, scenario: &str| -> Vec<Value> {
        list(workers).iter().filter(|worker| worker["scenario"] == scenario).cloned().collect()
    };
    let said = until(&mut running, "/api/workers?limit=1000", |said| {
        of(said, "waiters").iter().filter(|one| one["current_operation"] == "a long time").count() == 3
            && of(said, "sleepers").iter().filter(|one| one["status"] == "sleeping").count() == 4
            && of(said, "failing").iter().filter(|one| one["status"] == "sleeping").count() == 2
    });
    for waiter in of(&said, "waiters") {
        assert_eq!((&waiter["status"], &waiter["operations_completed"]), (&"waiting".into(), &1.into()), "{waiter}");
        assert_eq!((&waiter["iteration"], waiter.get("last_error")), (&0.into(), None), "{waiter}");
    }
    for sleeper in of(&said, "sleepers") {
        assert_eq!(sleeper["current_operation"], "GET /status/{id}", "{sleeper}");
        assert_eq!(sleeper["last_error"], "GET /status/{id}: status 404", "{sleeper}");
    }
    for failed in of(&said, "failing") {
        let text = failed["last_error"].as_str().unwrap();
        assert!(text.starts_with(&format!("no luck for {} (test.rhai:", failed["id"])), "{failed}");
        assert_eq!((&failed["iteration"], &failed["operations_completed"]), (&1.into(), &1.into()), "{failed}");
    }
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap();
    assert_eq!(number(&said, "total_workers"), list(&said).len() as u64, "{said:#}");
    assert_eq!(number(&said, "active_workers") + number(&said, "idle_workers"), number(&said, "total_workers"));
    let ids: Vec<u64> = list(&said).iter().map(|worker| number(worker, "id")).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");

    let address = running.monitor();
    let ask = |query: &str| get(&address, &format!("/api/workers?{query}")).ok();
    let sleeping = ask("status=sleeping&offset=2&limit=3");
    assert_eq!((&sleeping["matching_workers"], list(&sleeping).len()), (&6.into(), 3), "{sleeping:#}");
    assert!(list(&sleeping).iter().all(|worker| worker["status"] == "sleeping"), "{sleeping:#}");
    assert_eq!(list(&ask("status=sleeping&offset=6")).len(), 0);
    let active = ask("status=active");
    assert!(list(&active).iter().all(|worker| worker["status"] != "idle"), "{active:#}");
    assert!(active["matching_workers"].as_u64() >= Some(9), "{active:#}");
    until(&mut running, "/api/workers?status=idle", |idle| {
        list(idle)
            .iter()
            .any(|worker| worker["scenario"] == "free" && worker["operations_completed"].as_u64() > Some(0))
    });
    stop(&address);
    running.wait();
}

#[test]
fn their_sums_are_the_totals() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("users", #{ users: 30, iterations_per_user: 5, run: visit });
        fn visit() { http::batch(["/echo", "/redirect/1"]); if vu::iteration() == 4 { sleep(40.s); } }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    let said = until(&mut running, "/api/workers?limit=30", |said| {
        list(said).len() == 30 && list(said).iter().all(|one| one["iteration"] == 4 && one["status"] == "sleeping")
    });
    assert_eq!(sum(&said), 30 * 5 * 3, "a redirect is two requests");
    assert_eq!(target.stats().requests, 30 * 5 * 3);
    let metrics = until(&mut running, "/api/metrics", |metrics| metrics["total"]["operations"] == 30 * 5 * 3);
    assert_eq!(metrics["total"]["errors"], 0, "{metrics:#}");
    assert_eq!(
        list(&get(&running.monitor(), "/api/workers").ok()).len(),
        20,
        "the first twenty, unless told otherwise"
    );
    stop(&running.monitor());
    running.wait();
}

#[test]
fn users_that_go_leave_the_list_and_those_that_come_take_their_place() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("users", #{ users: 80, duration: 50.s, graceful_stop: 40.s, run: visit });
        fn visit() { http::get("/echo"); if vu::id() == 80 { sleep(40.s); } else { sleep(30.ms); } }
    "#;
    let mut running = punk().script(script).target(&target).monitored().start();
    until(&mut running, "/api/workers", |said| said["total_workers"] == 80);
    let address = running.monitor();
    let scale = |users: u32| {
        let body = format!(r#"{{"scenario": "users", "users": {users}}}"#);
        super::change(&address, "POST", "/api/control/scale", &[], &body).ok();
    };
    scale(3);
    // The last one sleeps in its iteration, and may end it.
    let said = until(&mut running, "/api/workers", |said| said["total_workers"] == 4);
    let told: Vec<(u64, &str)> =
        list(&said).iter().map(|worker| (worker["id"].as_u64().unwrap(), worker["status"].as_str().unwrap())).collect();
    assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3, 80], "{said:#}");
    assert_eq!(told[3].1, "stopping", "{said:#}");
    scale(10);
    let said = until(&mut running, "/api/workers", |said| said["total_workers"] == 11);
    let fresh = list(&said).iter().filter(|worker| worker["id"].as_u64() > Some(80));
    assert_eq!(fresh.count(), 7, "{said:#}");
    // Each has its own figures, not those of whoever was there before.
    let newest = list(&said).last().unwrap();
    assert!(newest["iteration"].as_u64().is_none_or(|iteration| iteration < 200), "{newest}");
    stop(&address);
    running.wait();
}

#[test]
fn a_pause_makes_all_of_them_idle() {
    let target = target();
    let mut running = super::shop(&target).start();
    until(&mut running, "/api/workers?status=active", |said| said["active_workers"] == 3);
    let address = running.monitor();
    super::change(&address, "POST", "/api/control/pause", &[], "").ok();
    until(&mut running, "/api/workers", |said| said["idle_workers"] == 3);
    super::change(&address, "POST", "/api/control/resume", &[], "").ok();
    until(&mut running, "/api/workers?status=active", |said| said["matching_workers"].as_u64() > Some(0));
    stop(&address);
    running.wait();
}

#[test]
fn nonsense_is_refused() {
    let target = target();
    let mut running = super::shop(&target).start();
    let address = running.monitor();
    for (query, why) in [
        ("limit=0", "`limit=0`: a whole number from 1 to 1000 is wanted"),
        ("limit=1001", "`limit=1001`: a whole number from 1 to 1000 is wanted"),
        ("offset=-1", "`offset=-1`: a whole number from 0 to 4294967295 is wanted"),
        (
            "status=sleping",
            "`status=sleping`: did you mean `sleeping`? it is one of active, idle, running, waiting, sleeping, stopping",
        ),
        ("page=2", "there is no parameter `page` here: the parameters are offset, limit, status"),
    ] {
        assert_eq!(get(&address, &format!("/api/workers?{query}")).refused(400), why);
    }
    assert_eq!(list(&get(&address, "/api/workers?offset=4294967295").ok()).len(), 0);
    stop(&address);
    running.wait();
}
