//! What a script reads of an answer: JSON, HTML, regular expressions, forms, cookies, headers, times.

use super::{assert_checks, once};
use crate::builder::target;

#[test]
fn json() {
    let target = target();
    let body = r#"
        let r = http::get("/api/products");
        check("a list", r.json().len() > 0 && r.json("$[0].id") == r.json()[0].id);
        check("numbers", r.json("$[0].price") > 0);
        check("every one", r.json("$[*].id").len() == r.json().len());
        check("a filter", r.json("$[?@.id == 1].id")[0] == 1);
        check("nothing there", r.json("$[0].nothing.at.all") == ());
        let fresh = http::get("/api/products");
        for round in 0..3 {
            for i in 0..12 { check("read from the text or the tree alike", fresh.json(`$[${i}].id`) == r.json()[i].id); }
            check("parts too", fresh.json("$[2]") == r.json()[2] && fresh.json("$") == r.json());
            check("the last", fresh.json("$[-1]['id']") == r.json()[-1].id);
        }
        let body = "";
        try { http::get("/html").json("$.a"); } catch (error) { body = error.to_string(); }
        check(`no JSON by path: ${body}`, body.contains("not JSON") && body.contains("<!doctype"));
        let why = "";
        try { http::get("/html").json(); } catch (error) { why = error.to_string(); }
        check(`no JSON: ${why}`, why.contains("not JSON") && why.contains("<!doctype"));
        try { why = ""; r.json("$[["); } catch (error) { why = error.to_string(); }
        check(`no path: ${why}`, why.contains("JSONPath"));
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 7);
}

#[test]
fn text_and_html() {
    let target = target();
    let body = r#"
        let r = http::get("/html");
        check("a selector", r.html("h1").text() == "Herman" && r.html("p.first").text() == "Call me.");
        check("an attribute", r.html("a").attr("href") == "/echo?from=html");
        check("nothing found", r.html("h7").text() == "");
        check("a group", r.regex("<h1>(.*?)</h1>") == "Herman");
        check("the whole", r.regex("Call m.") == "Call me");
        check("none", r.regex("nothing") == ());
        check("all", r.regex_all("<(h1|p)").len() == 2);
        check("the body", r.body.contains("<title>A page</title>") && r.bytes.len() == r.length && !r.truncated);
        check("an empty one", http::get("/no-content").body == "");
        check("chunks", http::get("/chunked").body == "first\nsecond\nthird\n");
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 10);
}

#[test]
fn types_of_times_and_numbers() {
    let target = target();
    let body = r#"
        let r = http::get("/delay/30");
        check("waiting", r.timings.wait >= 30.ms && r.timings.wait < 5.s);
        check("in all", r.timings.total >= r.timings.duration && r.timings.duration >= r.timings.wait);
        check("no TLS", r.timings.tls == 0.ms && r.tls_version == "");
        check("a protocol", r.proto == "HTTP/1.1" && r.error == () && r.error_code == 0 && r.error_kind == ());
        let why = "";
        try { let x = r.timings.wait < 300; } catch (error) { why = error.to_string(); }
        check(`a bare number: ${why}`, why.contains("300.ms"));
        check("a status has a code", http::get("/status/503").error_code == 1503);
        check("and no error", http::get("/status/503").error == ());
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 7);
}
