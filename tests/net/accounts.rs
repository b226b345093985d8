//! Counts conserve: every request that punk reports, the target has counted, and the other way round; per status, too, but for the
//! requests that ended without an answer, which are listed apart and are exactly the difference.

use std::collections::BTreeMap;

use super::{assert_sane, errors_of, items, once, settled, tls_target};
use crate::builder::{Outcome, punk, target, target_with};
use punk::target::{Dials, Fault, RunningTarget, Stats, TlsMode, Versions};

/// The account of one run, from both sides.
#[derive(Debug)]
pub struct Account {
    /// Requests of scenarios, setup and teardown.
    pub total: u64,
    /// Those that no server can have seen.
    pub unsent: u64,
    /// Those that we cut short at the end of their user.
    pub interrupted: u64,
    /// Those that were sent, failed, and have no status.
    pub failed: u64,
    /// Whole answers, by status.
    pub status: BTreeMap<u16, u64>,
    /// The target's side.
    pub stats: Stats,
}

impl Account {
    /// The account, after checking the laws that always hold.
    #[track_caller]
    pub fn of(outcome: &Outcome, target: &RunningTarget) -> Self {
        let account = Self::read(outcome, target);
        assert_eq!(
            account.total - account.unsent,
            account.stats.requests,
            "requests reported as sent, and counted by the target: {account:#?}\n{}",
            outcome.told()
        );
        account
    }

    /// The account, after checking that each side agrees with itself.
    #[track_caller]
    fn read(outcome: &Outcome, target: &RunningTarget) -> Self {
        assert_sane(outcome);
        let stats = settled(target);
        assert!(stats.conserves(), "the target itself: {stats:?}");
        let summary = outcome.summary();
        let requests = &summary["requests"];
        let number =
            |field: &str| requests[field].as_u64().unwrap_or_else(|| panic!("`requests.{field}` in {requests:#}"));
        let apart = |field: &str| -> u64 {
            let rows = requests["apart"].as_object().into_iter().flatten();
            rows.map(|(_, row)| row[field].as_u64().expect("a count")).sum()
        };
        let mut status = BTreeMap::new();
        for row in items(&summary, "operations") {
            for (code, count) in row["status"].as_object().expect("a map") {
                *status.entry(code.parse::<u16>().expect("a status")).or_default() += count.as_u64().expect("a count");
            }
        }
        status.remove(&0);
        let account = Account {
            total: number("total") + apart("requests"),
            unsent: number("unsent") + apart("unsent"),
            interrupted: number("interrupted"),
            failed: number("failed_after_sending"),
            status,
            stats,
        };
        let parts = ["answered", "failed_after_sending", "interrupted", "unsent", "regrouped"].map(number);
        assert_eq!(number("total"), parts.iter().sum::<u64>(), "the parts make the whole: {requests:#}");
        assert_eq!(number("answered"), account.status.values().sum::<u64>(), "{requests:#}");
        assert_eq!(number("total"), outcome.metric("http_reqs", "count") as u64, "{requests:#}");
        account
    }

    /// Each whole answer is reported under its status, and what ended otherwise is what the target spoiled or was left with.
    #[track_caller]
    pub fn assert_equal_by_status(&self) -> &Self {
        assert_eq!(self.status, self.stats.responses, "{self:#?}");
        assert_eq!(self.failed + self.interrupted, self.stats.spoiled() + self.stats.given_up, "{self:#?}");
        self
    }

    /// The same where punk may leave while the answer is on its way: the target then counts an answer that nobody read.
    #[track_caller]
    pub fn assert_differs_by_what_was_given_up(&self) -> &Self {
        let mut unread = 0;
        for (status, count) in &self.status {
            let answered = self.stats.responses.get(status).copied().unwrap_or_default();
            assert!(answered >= *count, "{count} answers {status} reported, {answered} given: {self:#?}");
        }
        for (status, answered) in &self.stats.responses {
            unread += answered - self.status.get(status).copied().unwrap_or_default();
        }
        assert_eq!(self.failed + self.interrupted, self.stats.spoiled() + self.stats.given_up + unread, "{self:#?}");
        self
    }
}

/// Iterations of all that is ordinary: answers of several kinds, bodies both ways, a redirect.
pub const ORDINARY: &str = r#"
    http::get("/api/products");
    http::post("/api/login", #{ user: `u${vu::id()}` });
    http::get("/status/404");
    http::get("/redirect/1");
    http::get("/bytes/3000");
"#;

#[test]
fn ordinary_load() {
    let target = target();
    let outcome = once(&target, "", ORDINARY).args("-u4 -i80").run();
    let account = Account::of(outcome.assert_passed(), &target);
    account.assert_equal_by_status();
    assert_eq!((account.total, account.unsent, account.failed), (80 * 6, 0, 0));
    assert_eq!(account.status, BTreeMap::from([(200, 320), (302, 80), (404, 80)]), "a login is 200");
}

#[test]
fn setup_and_teardown_are_counted_apart_and_not_lost() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET" });
        scenario("a", #{ users: 2, iterations: 10, run: a });
        fn setup() { http::get("/api/products"); http::get("/status/500"); 1 }
        fn a(data) { http::get("/echo"); }
        fn teardown(data) { http::get("/html"); }
    "#;
    let outcome = punk().script(script).target(&target).run();
    let account = Account::of(&outcome, &target);
    assert_eq!(account.total, 13);
    let summary = outcome.summary();
    let apart = &summary["requests"]["apart"];
    assert_eq!((&apart["setup"]["requests"], &apart["teardown"]["requests"]), (&2.into(), &1.into()), "{apart:#}");
    assert_eq!(summary["requests"]["total"], 10, "none of them in the totals");
}

#[test]
fn resets_and_errors() {
    let dials =
        Dials { error: 0.02, faults: vec![(Fault::Reset, 0.05), (Fault::ResetInBody, 0.03)], ..Dials::default() };
    let target = target_with(dials);
    let outcome = once(&target, "", ORDINARY).args("-u4 -i150").run();
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert!(account.failed > 10 && account.status[&500] > 2, "the dials had an effect: {account:#?}");
    assert_eq!(errors_of(&outcome, "reset_before_headers"), account.stats.faults["reset"]);
    assert_eq!(errors_of(&outcome, "reset_in_body"), account.stats.faults["reset_in_body"]);
}

#[test]
fn timeouts() {
    let target = target_with(Dials { latency: "uniform(0ms, 160ms)".parse().expect("a latency"), ..Dials::default() });
    let outcome = once(&target, "timeout: 80.ms", r#"http::get("/api/products"); http::get("/bytes/50000");"#)
        .args("-u8 -d1s")
        .run();
    let account = Account::of(&outcome, &target);
    account.assert_differs_by_what_was_given_up();
    assert!(account.failed > 10, "{account:#?}");
    assert_eq!(account.failed, errors_of(&outcome, "timeout"));
}

#[test]
fn connections_that_the_target_ends() {
    let target = target_with(Dials { requests_per_connection: Some(3), ..Dials::default() });
    let outcome = once(&target, "", ORDINARY).args("-u4 -i60").run();
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert_eq!(
        (account.total, account.failed, account.unsent),
        (360, 0, 0),
        "none is lost to a connection that closes"
    );
}

#[test]
fn each_hop_of_a_redirect_is_a_request() {
    let target = target();
    let outcome = once(&target, "", r#"http::get("/redirect/3"); http::get("/redirect/2", #{ redirects: 0 });"#)
        .args("-i10")
        .run();
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert_eq!(account.status, BTreeMap::from([(200, 10), (302, 40)]));
}

#[test]
fn http2_by_prior_knowledge_and_by_alpn() {
    let plain = target();
    let outcome = once(&plain, r#"http: "2""#, ORDINARY).args("-u4 -i40").run();
    Account::of(&outcome, &plain).assert_equal_by_status();
    assert!(items(&outcome.summary(), "operations").all(|row| row["protocol"] == "HTTP/2.0"));
    let tls = tls_target(TlsMode::Valid, Versions::Both);
    let outcome = once(&tls, r#"tls: #{ ca: "ca.pem" }"#, ORDINARY).args("-u2 -i20").run();
    Account::of(&outcome, &tls).assert_equal_by_status();
    assert!(items(&outcome.summary(), "operations").all(|row| row["protocol"] == "HTTP/2.0"));
    let old = tls_target(TlsMode::Valid, Versions::Http1);
    let outcome = once(&old, r#"tls: #{ ca: "ca.pem" }"#, ORDINARY).args("-u2 -i20").run();
    Account::of(&outcome, &old).assert_equal_by_status();
    assert!(items(&outcome.summary(), "operations").all(|row| row["protocol"] == "HTTP/1.1"));
}

#[test]
fn http2_with_faults() {
    let dials =
        Dials { error: 0.05, faults: vec![(Fault::ResetStream, 0.1), (Fault::Reset, 0.02)], ..Dials::default() };
    let target = target_with(dials);
    let outcome = once(&target, r#"http: "2""#, ORDINARY).args("-u4 -i60").run();
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert!(account.failed > 10, "{account:#?}");
}

#[test]
fn batches() {
    for version in ["1.1", "2"] {
        let target = target_with(Dials { faults: vec![(Fault::ResetStream, 0.05)], ..Dials::default() });
        let body = r#"
            let all = http::batch(["/echo", "/status/404", ["POST", "/echo", "x"], #{ method: "PUT", url: "/echo", body: "y" },
                "/bytes/2000", "/html", "/delay/3", "/echo", "/echo", "/redirect/1"]);
            check("ten answers", all.len() == 10);
        "#;
        let outcome = once(&target, &format!(r#"http: "{version}""#), body).args("-u2 -i20").run();
        Account::of(&outcome, &target).assert_equal_by_status();
        super::assert_checks(&outcome, 20);
    }
}

#[test]
fn requests_that_find_nobody_are_unsent() {
    let target = target();
    // A port that was free a moment ago.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let body = format!(r#"http::get("/echo"); http::get("http://{dead}/"); http::get("http://{dead}/x");"#);
    let outcome = once(&target, "", &body).args("-u2 -i20").run();
    let account = Account::of(&outcome, &target);
    account.assert_equal_by_status();
    assert_eq!((account.total, account.unsent), (60, 40));
    assert_eq!(outcome.metric("http_reqs_unsent", "count"), 40.0);
    assert_eq!(outcome.metric("http_req_duration", "count"), 20.0, "what was not sent has no duration");
    assert_eq!(outcome.metric("http_req_total_duration", "count"), 60.0);
    assert_eq!(outcome.metric("http_req_failed", "passes"), 40.0);
    assert!(outcome.metric("http_req_total_duration", "min") > 0.0, "a failure takes time, too");
    assert_eq!(errors_of(&outcome, "refused"), 40);
}

#[test]
fn a_port_that_closes_and_opens_again() {
    let target = target();
    let mut running = once(&target, r#"headers: #{ connection: "close" }"#, r#"http::get("/echo"); sleep(2.ms);"#)
        .args("-u4 -d1500ms")
        .start();
    running.until("some requests", |_| target.stats().requests > 20);
    target.set_dials(Dials { refuse: true, ..Dials::default() }).expect("good dials");
    std::thread::sleep(std::time::Duration::from_millis(200));
    target.set_dials(Dials::default()).expect("good dials");
    let outcome = running.wait();
    // A connection that the system accepted and the target never saw is reset with what was written on it.
    let account = Account::read(&outcome, &target);
    assert_eq!(account.status, account.stats.responses);
    let unseen = account.total - account.unsent - account.stats.requests;
    assert!(unseen <= account.failed && account.failed <= 4, "one for each user at most: {account:#?}");
    assert!(account.unsent > 0, "{account:#?}");
}
