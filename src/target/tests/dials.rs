//! The dials over HTTP/1.1: latency, stalls, errors, slow bodies, every fault, and what connections can meet.

use super::*;

#[test]
fn latency_is_held_logged_and_can_be_asked_for() {
    let target = with_dials(Dials { latency: "uniform(5ms, 9ms)".parse().unwrap(), ..Dials::default() });
    let mut wire = Wire::open(&target);
    for _ in 0..20 {
        let start = Instant::now();
        wire.get("/api/products/1");
        let seen = start.elapsed().as_micros() as u64;
        let held = target.log().last().unwrap().held_us;
        assert!(held >= 5_000 && held <= seen, "held {held}, seen {seen}");
    }
    let start = Instant::now();
    wire.get("/api/products/1?latency=40ms");
    assert!(start.elapsed() >= Duration::from_millis(40));
    wire.send("GET", "/", &[("x-target-latency", "41ms")], b"");
    wire.read(false).unwrap();
    assert!(target.log().last().unwrap().held_us >= 41_000);
    assert_eq!(wire.get("/?latency=soon").status, 400);
}

#[test]
fn a_stall_freezes_all_answers_until_it_ends() {
    let target = with_dials(Dials::default());
    let stall = Stall { at: Duration::ZERO, length: Duration::from_millis(150), from: StallFrom::Dials };
    let set = Instant::now();
    target.set_dials(Dials { stall: Some(stall), ..Dials::default() }).unwrap();
    let mut wires: Vec<Wire> = (0..5).map(|_| Wire::open(&target)).collect();
    wires.iter_mut().for_each(|wire| wire.send("GET", "/", &[], b""));
    for wire in &mut wires {
        assert_eq!(wire.read(false).unwrap().status, 200);
        assert!(set.elapsed() >= Duration::from_millis(150));
    }
    wires[0].get("/html");
    assert!(target.log().last().unwrap().held_us < 100_000);
}

#[test]
fn a_stall_can_wait_for_the_first_request() {
    let stall = "first+0s+120ms".parse().unwrap();
    let options = TargetOptions { threads: 2, log_capacity: 100, ..TargetOptions::default() };
    let target = Target::start(options).unwrap();
    target.set_dials(Dials { stall: Some(stall), ..Dials::default() }).unwrap();
    for _ in 0..2 {
        assert_eq!(target.stats().stall_us, None, "nobody has asked for anything");
        // Two connections are two threads': both freeze by the one clock.
        let mut wires = [Wire::open(&target), Wire::open(&target)];
        for wire in &mut wires {
            wire.send("GET", "/", &[], b"");
        }
        wires.iter_mut().for_each(|wire| assert_eq!(wire.read(false).unwrap().status, 200));
        let log = target.log();
        let (from, to) = target.stats().stall_us.unwrap();
        assert_eq!(to - from, 120_000);
        assert!(log.iter().any(|entry| entry.at_us == from), "{from}: {log:?}");
        // Whoever came in the freeze left at its end, not before (two roundings give 1 µs); who came later was not held.
        assert!(log.iter().all(|entry| entry.at_us >= to || entry.at_us + entry.held_us + 1 >= to), "{to}: {log:?}");
        target.reset();
    }
}

#[test]
fn errors_and_slow_bodies_by_the_dials() {
    let target = with_dials(Dials { error: 1.0, ..Dials::default() });
    let mut wire = Wire::open(&target);
    assert_eq!(wire.get("/").status, 500);
    assert_eq!(wire.get("/?fault=none").status, 200);
    target.set_dials(Dials { body_rate: Some(1_000_000), ..Dials::default() }).unwrap();
    let start = Instant::now();
    assert_eq!(wire.get("/bytes/50000").body.len(), 50_000);
    // Five pieces of 10 ms, the first at once.
    assert!(start.elapsed() >= Duration::from_millis(40));
    assert_eq!(wire.get("/?fault=error").status, 500);
}

#[test]
fn every_fault_looks_as_it_should_and_is_counted() {
    let target = with_dials(Dials::default());
    let spoiled = |fault: Fault| {
        let mut wire = Wire::open(&target);
        wire.send("GET", &format!("/?fault={fault}"), &[], b"");
        let end = wire.rest();
        assert_eq!(target.stats().faults.get(fault.name()), Some(&1), "{fault}");
        (String::from_utf8(end.0).unwrap(), end.1.map_err(|error| error.kind()))
    };
    let reset = Err(std::io::ErrorKind::ConnectionReset);
    assert_eq!(spoiled(Fault::Reset), (String::new(), reset));
    assert_eq!(spoiled(Fault::ResetStream), (String::new(), reset));
    let (text, end) = spoiled(Fault::ResetInBody);
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("\"rest\": \"") && end == reset, "{text} {end:?}");
    assert_eq!(spoiled(Fault::Close), (String::new(), Ok(())));
    let (text, end) = spoiled(Fault::CloseInBody);
    assert!(text.ends_with("\"rest\": \"") && end.is_ok());
    assert!(!spoiled(Fault::Garbage).0.contains("HTTP/"));
    let (text, _) = spoiled(Fault::LongContentLength);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.ends_with(&format!("{}", body.len() + 1000)));
    assert!(spoiled(Fault::BadChunk).0.contains("zz!"));
    assert!(spoiled(Fault::CutChunked).0.ends_with("5\r\nhello\r\n"));
    assert!(spoiled(Fault::LengthAndChunked).0.contains("content-length: 3\r\ntransfer-encoding: chunked"));
    assert!(spoiled(Fault::NulHeader).0.contains("a\0b"));
    let slow = Instant::now();
    assert!(spoiled(Fault::SlowHead).0.ends_with("\r\n\r\nok"));
    assert!(slow.elapsed() >= Duration::from_millis(1000));
    assert!(!spoiled(Fault::LfOnly).0.contains('\r'));
    assert_eq!(spoiled(Fault::InterimFlood).0.matches("100 Continue").count(), 2000);
    assert!(spoiled(Fault::HugeHeaders).0.len() > 1 << 20);
    assert_eq!(spoiled(Fault::Http09).0, "<html>an answer of 1991</html>\n");
    let mut wire = Wire::open(&target);
    wire.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    wire.send("GET", "/?fault=black_hole", &[], b"");
    assert!(wire.byte().is_err());
    let stats = target.stats();
    assert!(stats.conserves() && stats.in_flight == 0, "{stats:?}");
    assert_eq!((stats.requests, stats.resets, stats.spoiled()), (17, 3, 17));
    assert!(target.log().iter().any(|entry| entry.outcome == "lf_only" && entry.status == 0));
}

#[test]
fn connections_can_meet_silence_resets_closes_garbage_and_a_closed_port() {
    let target = with_dials(Dials { connect: OnConnect::Reset, ..Dials::default() });
    let dial = |connect| target.set_dials(Dials { connect, ..Dials::default() }).unwrap();
    assert!(Wire::open(&target).rest().1.is_err());
    dial(OnConnect::Close);
    assert!(soon(|| Wire::open(&target).rest().1.is_ok()));
    dial(OnConnect::Garbage);
    assert!(soon(|| {
        let mut wire = Wire::open(&target);
        let _ = wire.stream.write_all(b"?");
        wire.rest().0.ends_with(b"\r\n\r\n")
    }));
    dial(OnConnect::Silent);
    assert!(soon(|| {
        let mut wire = Wire::open(&target);
        wire.stream.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        wire.rest().1.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }));
    assert_eq!(target.stats().requests, 0);
    target.set_dials(Dials { refuse: true, ..Dials::default() }).unwrap();
    let refused =
        || TcpStream::connect(target.addr()).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
    assert!(soon(refused));
    target.set_dials(Dials::default()).unwrap();
    assert!(soon(|| TcpStream::connect(target.addr()).is_ok()));
    assert!(soon(|| target.stats().connections_open == 0));
    assert_eq!(get(&target, "/no-content").status, 204);
}

#[test]
fn a_connection_ends_after_its_requests() {
    let target = with_dials(Dials { requests_per_connection: Some(3), ..Dials::default() });
    let mut wire = Wire::open(&target);
    let closes: Vec<bool> = (0..3).map(|_| wire.get("/html").header("connection").is_some()).collect();
    assert_eq!(closes, [false, false, true]);
    assert_eq!(wire.rest().0, b"");
}
