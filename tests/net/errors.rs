//! Errors as they are told: category, count against the target's own, patterns, users, and what they have to do with operations.

use super::{each, errors_of, items, once, settled, tls_target};
use crate::builder::{Outcome, punk, target, target_with};
use punk::target::{Dials, OnConnect, TlsMode, Versions};
use serde_json::{Value, json};

/// The row of a kind of error.
#[track_caller]
fn row(outcome: &Outcome, kind: &str, code: u16) -> Value {
    let summary = outcome.summary();
    let found = items(&summary, "errors").find(|row| row["type"] == kind && row["code"] == code).cloned();
    found.unwrap_or_else(|| panic!("no {kind} {code} in {:#}", summary["errors"]))
}

/// Category, count and patterns with their counts.
fn told(row: &Value) -> (&str, u64, Vec<(&str, u64)>) {
    let patterns = items(row, "patterns")
        .map(|one| (one["pattern"].as_str().expect("a text"), one["count"].as_u64().expect("a count")));
    (row["category"].as_str().expect("a word"), row["count"].as_u64().expect("a count"), patterns.collect())
}

#[test]
fn statuses_are_counted_as_the_target_counts_them() {
    let target = target();
    let body = r#"
        http::get("/status/404", #{ name: "gone" });
        http::get("/status/500", #{ name: "broken" });
        http::get("/status/500", #{ name: "broken too" });
        http::get("/status/418", #{ name: "tea", expect: [418] });
        http::get("/html", #{ name: "fine", expect: [201] });
        http::get("/html");
    "#;
    let outcome = each(&target, 3, 4, "", body).run();
    outcome.assert_passed();
    let stats = settled(&target);
    assert_eq!(stats.requests, 72);
    let (gone, broken, unexpected) =
        (row(&outcome, "http", 1404), row(&outcome, "http", 1500), row(&outcome, "http", 0));
    assert_eq!(told(&gone), ("http_4xx", 12, vec![("status 404", 12)]));
    assert_eq!(told(&broken), ("http_5xx", 24, vec![("status 500", 24)]));
    assert_eq!(
        told(&unexpected),
        ("http_other", 12, vec![("status 200", 12)]),
        "a status that the script did not expect"
    );
    // A third of what is asked is broken, all of it in these two.
    let part = |at: usize| &broken["by_operation"][at];
    for (at, name) in [(0, "broken"), (1, "broken too")] {
        assert_eq!(
            (&part(at)["name"], &part(at)["count"], &part(at)["percent"]),
            (&json!(name), &json!(12), &json!(50))
        );
        assert_eq!((&part(at)["error_rate"], &part(at)["lift"]), (&json!(100), &json!(3)));
    }
    assert_eq!((&broken["by_scenario"][0]["name"], &broken["by_scenario"][0]["lift"]), (&json!("each"), &json!(1)));
    let mut users: Vec<u64> = items(&broken, "users").filter_map(Value::as_u64).collect();
    users.sort_unstable();
    assert_eq!(users, [1, 2, 3]);
    let over_time: u64 = items(&broken["over_time"], "counts").filter_map(|one| one[1].as_u64()).sum();
    assert_eq!((over_time, &broken["percent"]), (24, &json!(50)));
    let all: u64 = items(&outcome.summary(), "errors").filter_map(|row| row["count"].as_u64()).sum();
    assert_eq!(all, 48, "those that were expected are none");
}

#[test]
fn failed_checks_are_no_errors() {
    let target = target();
    let outcome = each(&target, 2, 5, "", r#"check("never", http::get("/html").status == 500);"#).run();
    let summary = outcome.assert_passed().summary();
    assert_eq!((&summary["errors"], &summary["checks"][0]["fails"]), (&json!([]), &json!(10)));
    assert!(!outcome.stdout().contains("ERRORS"), "{}", outcome.stdout());
}

#[test]
fn what_breaks_on_the_way_is_in_its_drawer() {
    let target = target();
    let body = r#"
        http::get("/echo?fault=reset");
        http::get("/echo?fault=garbage");
        http::get("/echo?fault=black_hole", #{ timeout: 100.ms });
        http::get("http://127.0.0.1:1/");
        http::get("http://no-such-host.invalid/");
    "#;
    let outcome = once(&target, "", body).args("-i4").run();
    outcome.assert_passed();
    for (kind, code, category, pattern) in [
        ("reset_before_headers", 1220, "connect", "connection reset by the server"),
        ("timeout", 1050, "timeout", ""),
        ("refused", 1212, "connect", "connection refused"),
        ("dns_not_found", 1101, "dns", ""),
        ("protocol", 1000, "protocol", ""),
    ] {
        let row = row(&outcome, kind, code);
        let (found, count, patterns) = told(&row);
        assert_eq!((found, count), (category, 4), "{kind}: {row:#}");
        assert_eq!((patterns.len(), patterns[0].1), (1, 4), "{kind}: {patterns:?}");
        assert!(patterns[0].0.contains(pattern) && !patterns[0].0.contains("127.0.0.1"), "{kind}: {patterns:?}");
    }
    let stats = settled(&target);
    assert_eq!((stats.requests, outcome.summary()["requests"]["unsent"].as_u64()), (12, Some(8)));
}

#[test]
fn certificates_and_connections_are_in_theirs() {
    let expired = tls_target(TlsMode::Expired, Versions::Both);
    let outcome = once(&expired, r#"tls: #{ ca: "ca.pem" }"#, r#"http::get("/echo");"#).args("-i3").run();
    assert_eq!((told(&row(&outcome, "tls_expired", 1300)).0, errors_of(&outcome, "tls_expired")), ("tls", 3));
    let silent = target_with(Dials { connect: OnConnect::Silent, ..Dials::default() });
    let outcome = once(&silent, "timeout: 100.ms", r#"http::get("/");"#).args("-i3").run();
    assert_eq!((told(&row(&outcome, "timeout", 1050)).0, errors_of(&outcome, "timeout")), ("timeout", 3));
}

#[test]
fn messages_that_differ_in_numbers_are_one_pattern() {
    let script = r#"
        scenario("order", #{ users: 3, iterations_per_user: 40, run: order, backoff: backoff::none() });
        fn order() {
            let n = vu::iteration() * 1000 + vu::id();
            if n % 2 == 0 { fail(`order ${n} of "user ${n}" was lost after ${n}ms`); }
            fail(`no such cart: ${n}`);
        }
    "#;
    let outcome = punk().script(script).run();
    let summary = outcome.assert_passed().summary();
    let rows: Vec<&Value> = items(&summary, "errors").collect();
    assert!(rows.iter().all(|row| row["type"] == "script" && row["category"] == "script"), "{rows:#?}");
    let mut patterns: Vec<(&str, u64)> = rows.iter().flat_map(|row| told(row).2).collect();
    patterns.sort_unstable();
    let [(cart, carts), (order, orders)] = patterns[..] else { panic!("{patterns:?}") };
    assert!(cart.ends_with("no such cart: <n>"), "{cart}");
    assert!(order.ends_with("order <n> of \"<text>\" was lost after <n>ms"), "{order}");
    assert_eq!(carts + orders, 120);
}

#[test]
fn ten_thousand_different_messages_stay_bounded_and_counted() {
    // Words, so that no mask makes them one.
    let script = r#"
        scenario("say", #{ users: 4, iterations_per_user: 2500, run: say, backoff: backoff::none() });
        fn say() {
            let n = vu::iteration() * 4 + vu::id();
            let word = "";
            while n > 0 { word += ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][n % 10]; n /= 10; }
            fail(word);
        }
    "#;
    let outcome = punk().script(script).run();
    let summary = outcome.assert_passed().summary();
    let [row] = &items(&summary, "errors").collect::<Vec<_>>()[..] else { panic!("{:#}", summary["errors"]) };
    let (_, count, patterns) = told(row);
    assert_eq!((count, patterns.len()), (10_000, 30));
    let listed: u64 = patterns.iter().map(|(_, count)| count).sum();
    assert_eq!(listed + row["other_patterns"].as_u64().expect("a count"), 10_000);
    assert!(row.to_string().len() < 20_000, "{} bytes", row.to_string().len());
}
