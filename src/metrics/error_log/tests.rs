//! What holds of an error log: bounds, conservation, and that no order matters.

use super::entry::PATTERNS;
use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn key(code: u16) -> ErrorKey {
    ErrorKey { category: Category::of_status(code), code: 1000 + code, kind: "http", place: "".into() }
}

fn at(millis: u64, reason: &str) -> Occurrence<'_> {
    Occurrence { operation: "GET /", scenario: "browse", user: 1, at: Duration::from_millis(millis), reason }
}

/// Bytes of all texts and lists: what grows if anything does.
fn bytes(log: &ErrorLog) -> usize {
    let entries =
        log.sorted().into_iter().map(|(_, entry)| entry).chain(log.checks().into_iter().map(|(_, entry)| entry));
    let names = |names: &mut dyn Iterator<Item = usize>| names.sum::<usize>();
    let of_entries: usize = entries
        .map(|entry| {
            size_of::<ErrorEntry>()
                + entry.sample.len()
                + names(&mut entry.operations.iter().map(|(name, _)| name.len() + 24))
                + names(&mut entry.scenarios.iter().map(|(name, _)| name.len() + 24))
                + names(&mut entry.patterns.iter().map(|(name, one)| name.len() + one.sample.len() + 80))
                + 16 * (entry.timeline.buckets().count() + entry.timeline.seconds().count())
        })
        .sum();
    of_entries
        + log.recent().map(|one| size_of::<RecentError>() + one.message.len() + one.operation.len()).sum::<usize>()
}

#[test]
fn kinds_are_bounded_and_nothing_is_lost() {
    let mut log = ErrorLog::default();
    for n in 0..KINDS + 50 {
        let place = format!("test.rhai:{n}:1").into();
        log.add(ErrorKey { place, ..key(500) }, &at(0, "m"), || "m".into());
    }
    let listed: u64 = log.sorted().iter().map(|(_, entry)| entry.count).sum();
    assert_eq!((listed, log.unlisted(), log.total()), (KINDS as u64, 50, KINDS as u64 + 50));
    let mut whole = ErrorLog::default();
    whole.absorb(&mut log);
    assert_eq!((whole.sorted().len(), whole.unlisted(), log.is_empty()), (KINDS, 50, true));
}

#[test]
fn a_long_message_is_cut_at_a_character() {
    let mut log = ErrorLog::default();
    log.add(key(500), &at(0, "long"), || "ü".repeat(1000));
    assert!(log.sorted()[0].1.sample.ends_with("ü…"));
}

#[test]
fn failed_checks_are_counted_apart() {
    let mut log = ErrorLog::default();
    log.add_check("is fast", &at(10, "ignored"));
    log.add_check("is fast", &at(20, "ignored"));
    log.add(key(404), &at(30, "status 404"), || "GET http://x/: status 404".into());
    assert_eq!((log.total(), log.failed_checks(), log.recent().count()), (1, 2, 1));
    let [(name, entry)] = log.checks()[..] else { panic!("one check") };
    assert_eq!(
        (name, entry.count, &*entry.sample, entry.patterns.is_empty()),
        ("is fast", 2, "check failed: is fast", true)
    );
}

#[test]
fn an_entry_knows_where_when_who_and_what() {
    let mut log = ErrorLog::default();
    for (millis, user, operation, reason) in [
        (1_500, 3, "GET /b", "order 7 is gone"),
        (500, 1, "GET /a", "order 12 is gone"),
        (2_500, 2, "GET /a", "no such cart"),
        (2_600, 1, "GET /a", "order 9 is gone"),
    ] {
        log.add(key(500), &Occurrence { user, operation, ..at(millis, reason) }, || format!("{operation}: {reason}"));
    }
    let [(_, entry)] = log.sorted()[..] else { panic!("one kind") };
    assert_eq!((entry.first, entry.last), (Duration::from_millis(500), Duration::from_millis(2_600)));
    assert_eq!(entry.sample, "GET /a: order 12 is gone");
    assert_eq!(entry.users().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(entry.operations.names(), [("GET /a", 3), ("GET /b", 1)]);
    let patterns: Vec<_> =
        entry.patterns.sorted().into_iter().map(|(name, one)| (&**name, one.count, &*one.sample)).collect();
    assert_eq!(
        patterns,
        [("order <n> is gone", 3, "GET /a: order 12 is gone"), ("no such cart", 1, "GET /a: no such cart")]
    );
}

/// Words without digits, quotes or addresses: the worst that the masks can meet.
fn word(mut n: usize) -> String {
    let mut word = String::new();
    while n > 0 || word.is_empty() {
        word.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
    }
    word
}

#[test]
fn ten_thousand_different_messages_stay_bounded() {
    let filled = |messages: usize| {
        let mut log = ErrorLog::default();
        for n in 0..messages {
            let reason = format!("{} {}", word(n), "is a long story ".repeat(50));
            let one = Occurrence { user: n as u64, operation: &word(n), ..at(n as u64 * 100, &reason) };
            log.add(key(500), &one, || format!("GET http://x/{n}: {reason}"));
        }
        log
    };
    let log = filled(10_000);
    let [(_, entry)] = log.sorted()[..] else { panic!("one kind") };
    assert_eq!((entry.count, entry.patterns.iter().count(), entry.patterns.total()), (10_000, PATTERNS, 10_000));
    assert_eq!((entry.operations.total(), log.recent().count()), (10_000, RECENT));
    assert!(bytes(&log) < 120_000, "{} bytes", bytes(&log));
    // A tenth of it takes as much: only the digits of numbers grow.
    assert!(bytes(&log) < bytes(&filled(1_000)) + 10_000, "{} and {}", bytes(&log), bytes(&filled(1_000)));
}

#[derive(Debug, Clone)]
struct Event {
    code: u16,
    check: bool,
    operation: String,
    user: u64,
    millis: u64,
    reason: String,
}

fn event() -> impl Strategy<Value = Event> {
    (
        prop_oneof![Just(404u16), Just(500), 400..600u16],
        any::<bool>(),
        "[a-d]",
        0..12u64,
        0..200_000u64,
        "[a-z]{1,2} [0-9]?",
    )
        .prop_map(|(code, check, operation, user, millis, reason)| Event {
            code,
            check,
            operation,
            user,
            millis,
            reason,
        })
}

fn of<'a>(events: impl Iterator<Item = &'a Event>) -> ErrorLog {
    let mut log = ErrorLog::default();
    for event in events {
        let one = Occurrence {
            operation: &event.operation,
            scenario: "s",
            user: event.user,
            at: Duration::from_millis(event.millis),
            reason: &event.reason,
        };
        if event.check {
            log.add_check(&event.reason, &one);
        } else {
            log.add(key(event.code), &one, || format!("message of {}", event.reason));
        }
    }
    log
}

proptest! {
    /// Shards see any part of what happens, and their logs come in any order: the sum is that of one shard that saw all.
    #[test]
    fn logs_add_up_to_the_same_in_any_order(
        events in prop::collection::vec(event(), 0..250),
        shards in prop::collection::vec(0usize..5, 250),
        order in Just([0usize, 1, 2, 3, 4]).prop_shuffle(),
    ) {
        let whole = of(events.iter());
        let mut parts: Vec<ErrorLog> = (0..5)
            .map(|shard| of(events.iter().zip(&shards).filter(|(_, of)| **of == shard).map(|(event, _)| event)))
            .collect();
        let mut sum = ErrorLog::default();
        order.into_iter().for_each(|shard| sum.absorb(&mut parts[shard]));
        prop_assert_eq!(&sum, &whole);
        let checks = events.iter().filter(|event| event.check).count() as u64;
        prop_assert_eq!((sum.failed_checks(), sum.total()), (checks, events.len() as u64 - checks));
    }
}
