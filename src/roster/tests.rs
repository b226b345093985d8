//! Users come and go, errors have a bound, and whoever reads meanwhile sees whole users.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

fn ids(listing: &Listing) -> Vec<u64> {
    listing.workers.iter().map(|worker| worker.id).collect()
}

#[test]
fn users_come_do_something_and_go() {
    let roster = Roster::new(2);
    let registers = [0, 1].map(|shard| Register::new(roster.page(shard)));
    let places: Vec<Place> = (1..=300).map(|id| registers[id as usize % 2].enter(id, 1)).collect();
    registers[1].name(7, "GET /cart");
    let error = registers[1].error("GET /cart: status 500", "http");
    let third = &places[2];
    third.begins(4);
    third.asks(7);
    third.asked(7);
    third.failed(error);
    places[9].does(Doing::Sleeping);
    places[9].leaves();

    let all = roster.list(|_| true, 1, 4);
    assert_eq!((all.total, all.idle, all.matching, ids(&all)), (300, 298, 300, vec![2, 3, 4, 5]));
    let told = Worker {
        id: 3,
        scenario: 1,
        doing: Doing::Waiting,
        operations: 1,
        begun: 4,
        operation: Some("GET /cart".to_owned()),
        last_error: Some("GET /cart: status 500".to_owned()),
    };
    assert_eq!(roster.list(|doing| doing == Doing::Waiting, 0, 10).workers, [told]);
    assert_eq!(ids(&roster.list(|doing| doing == Doing::Stopping, 0, 10)), [10]);
    assert_eq!(
        roster.list(|doing| doing == Doing::Stopping, 1, 10),
        Listing { total: 300, idle: 298, matching: 1, workers: vec![] }
    );

    drop(places);
    assert_eq!(roster.list(|_| true, 0, 10), Listing::default());
    let again = registers[1].enter(301, 0);
    let fresh = roster.list(|_| true, 0, 10).workers;
    assert_eq!((fresh[0].operations, fresh[0].operation.as_ref(), fresh[0].last_error.as_ref()), (0, None, None));
    drop(again);
    let apart = Place::apart();
    apart.asks(1);
    assert_eq!(roster.list(|_| true, 0, 10).total, 0, "whoever is apart is in no roster");
}

#[test]
fn errors_without_end_become_their_kinds() {
    let roster = Roster::new(1);
    let register = Register::new(roster.page(0));
    let place = register.enter(1, 0);
    for number in 0..5_000 {
        place.failed(register.error(&format!("no room for {number}"), "script"));
    }
    let told = || roster.list(|_| true, 0, 1).workers[0].last_error.clone().unwrap();
    assert_eq!(told(), "script");
    place.failed(register.error("no room for 5", "script"));
    assert_eq!(told(), "no room for 5", "those that are known stay known");
    let register = Register::new(Roster::new(1).page(0));
    assert_eq!(register.error(&"ä".repeat(300), "a"), register.error(&"ä".repeat(200), "a"), "long ones are cut");
}

/// Whoever reads while users come and go never sees one user's figures under another's id.
#[test]
fn a_reader_sees_whole_users() {
    /// Users that are to be seen, and looks for them: at least and at most.
    const USERS: usize = 1_000;
    const LOOKS: [usize; 2] = [500_000, 20_000_000];
    const KINDS: [&str; 2] = ["even", "odd"];
    let roster = Arc::new(Roster::new(1));
    let over = Arc::new(AtomicBool::new(false));
    let (page, told) = (roster.page(0), Arc::clone(&over));
    let writer = std::thread::spawn(move || {
        let register = Register::new(page);
        let kinds = KINDS.map(|kind| register.error(kind, kind));
        (0..).zip(KINDS).for_each(|(number, kind)| register.name(number, kind));
        for id in (2..).take_while(|_| !told.load(Ordering::Relaxed)) {
            let kind = id % 2;
            let place = register.enter(id, kind as usize);
            place.asks(kind as u32);
            place.failed(kinds[kind as usize]);
            // Most have gone before a look is over, some stay for several.
            (0..if id % 50 < 2 { 1_000 } else { id % 7 }).for_each(|_| place.begins(id));
            // Then the entry is nobody's, and its figures are those of the one who left.
        }
    });
    let (mut seen, mut last) = (0, 0);
    for look in 0..LOOKS[1] {
        for worker in roster.list(|_| true, 0, 10).workers {
            let kind = worker.id % 2;
            let is_own = |text: &Option<String>| text.as_ref().is_none_or(|text| text == KINDS[kind as usize]);
            let whole = worker.scenario as u64 == kind && (worker.begun == 0 || worker.begun == worker.id);
            assert!(whole && is_own(&worker.operation) && is_own(&worker.last_error), "{worker:?}");
            seen += usize::from(worker.id != last);
            last = worker.id;
        }
        if seen >= USERS && look >= LOOKS[0] {
            break;
        }
        if look % 1_000 == 0 {
            // The writer may have no core of its own.
            std::thread::yield_now();
        }
    }
    over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(seen >= USERS, "only {seen} different users were seen");
    assert_eq!(roster.list(|_| true, 0, 10).total, 0);
}

/// However users came and went, a part is that part of all of them, in the order of their ids.
#[test]
fn a_part_is_a_part_of_all() {
    let roster = Roster::new(3);
    let registers = [0, 1, 2].map(|shard| Register::new(roster.page(shard)));
    let mut places: Vec<Place> = (1..=90).rev().map(|id| registers[id as usize % 3].enter(id, 0)).collect();
    places.retain(|place| place.at % 4 != 1);
    places.extend((91..=110).map(|id| registers[id as usize % 2].enter(id, 0)));
    let all = ids(&roster.list(|_| true, 0, usize::MAX));
    assert!(all.len() == places.len() && all.is_sorted());
    for offset in 0..places.len() + 2 {
        for limit in [0, 1, 7, 1_000] {
            let part = roster.list(|_| true, offset, limit);
            let wanted: Vec<u64> = all.iter().copied().skip(offset).take(limit).collect();
            assert_eq!((ids(&part), part.matching), (wanted, all.len() as u64), "{offset} {limit}");
        }
    }
}
