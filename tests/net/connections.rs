//! Connections: kept between requests and iterations, one user's never another's, as many as the script allows.

use super::{assert_checks, each, once, settled};
use crate::builder::target;

#[test]
fn one_connection_serves_a_user_for_its_life() {
    let target = target();
    let outcome =
        each(&target, 5, 10, "", r#"http::get("/echo"); http::post("/echo", "x"); http::get("/status/404");"#).run();
    outcome.assert_passed();
    assert_eq!(settled(&target).connections, 5);
}

#[test]
fn a_batch_uses_as_many_as_it_may() {
    for (options, connections) in [("", 6), ("connections_per_user: 3", 3), (r#"http: "2""#, 1)] {
        let target = target();
        let twelve = format!("[{}]", r#""/delay/40","#.repeat(12));
        let outcome = once(
            &target,
            options,
            &format!(r#"check("all", http::batch({twelve}).filter(|r| r.status == 200).len() == 12);"#),
        )
        .args("-i3")
        .run();
        assert_checks(&outcome, 3);
        assert_eq!(settled(&target).connections, connections, "{options}");
    }
}

#[test]
fn what_the_script_sees_of_a_connection() {
    let target = target();
    let body = r#"
        let first = http::get("/echo");
        let second = http::get("/echo");
        check("the first opens it", !first.reused && first.timings.connect > 0.ms);
        check("the second finds it open", second.reused && second.timings.connect == 0.ms && second.timings.dns == 0.ms);
        check("an answer takes time", second.timings.wait > 0.ms && second.timings.duration <= second.timings.total);
        check("a server that closes is left", http::get("/close").status == 200 && !http::get("/echo").reused);
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 4);
    assert_eq!(settled(&target).connections, 2);
}

#[test]
fn a_client_of_its_own_has_its_own_connections_and_cookies() {
    let target = target();
    let body = r#"
        let other = http::client(#{ headers: #{ "x-who": "other" }, redirects: 0 });
        http::get("/cookies/set?mine=1");
        check("its own settings", other.get("/redirect/1").status == 302);
        check("its own headers", other.get("/echo").json("$.headers.x-who") == "other");
        check("its own cookies", other.get("/cookies").json("$.cookies.mine") == ());
        check("mine are mine", http::get("/cookies").json("$.cookies.mine") == "1");
        check("in batches, too", other.batch(["/echo", "/html"])[1].status == 200);
        check("with a body", other.post("/echo", #{ a: 1 }).json("$.body") == "{\"a\":1}");
        other.reset();
        check("a new visitor", !other.get("/echo").reused);
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 7);
}
