//! What a script can send: methods, bodies, forms, files, queries, headers, credentials, cookies, encodings.

use super::accounts::Account;
use super::{assert_checks, each, errors_of, items, once};
use crate::builder::{punk, target};

#[test]
fn methods() {
    let target = target();
    let body = r#"
        for answer in [http::get("/echo"), http::delete("/echo"), http::options("/echo"), http::post("/echo"), http::put("/echo"),
            http::patch("/echo"), http::request("PURGE", "/echo"), http::request("get", "/echo")] {
            check(`${answer.method}: ${answer.status}`, answer.status == 200 && answer.json("$.method") == answer.method);
        }
        let head = http::head("/echo");
        check("HEAD has a length and no body", head.status == 200 && head.header("content-length") != () && head.length == 0);
        check("the connection survives it", http::get("/echo").reused);
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 10);
    Account::of(&outcome, &target).assert_equal_by_status();
    assert!(
        items(&outcome.summary(), "operations").any(|row| row["name"] == "PURGE /echo" && row["method"] == "PURGE")
    );
}

#[test]
fn bodies() {
    let target = target();
    let body = r#"
        let kind = |r| r.json("$.headers['content-type']");
        let r = http::post("/echo", #{ a: 1, b: [true, (), "x"], c: 1.5, d: #{ e: "ü\"" } });
        check("a map is JSON", r.json("$.body") == `{"a":1,"b":[true,null,"x"],"c":1.5,"d":{"e":"ü\""}}` && kind.call(r) == "application/json");
        let r = http::post("/echo", "plain ü");
        check("text is text", r.json("$.body") == "plain ü" && r.json("$.body_size") == 8);
        let r = http::put("/echo", [1, 2]);
        check("a list is JSON", r.json("$.body") == "[1,2]");
        let r = http::post("/echo", "<a/>", #{ headers: #{ "content-type": "text/xml" } });
        check("a type of its own", kind.call(r) == "text/xml");
        let r = http::post("/echo", #{ a: 1 }, #{ headers: #{ "content-type": "application/vnd.x+json" } });
        check(`a JSON type of its own: ${kind.call(r)}`, kind.call(r) == "application/vnd.x+json");
        let r = http::request("POST", "/echo", "", #{ body: "late" });
        check("as an option", r.json("$.body") == "late");
        let r = http::post("/echo", (), #{ form: #{ name: "a b&c=ü", n: 5 } });
        check(`a form: ${r.json("$.body")}`, r.json("$.body") == "n=5&name=a+b%26c%3D%C3%BC" && kind.call(r) == "application/x-www-form-urlencoded");
        let r = http::post("/echo", http::get("/echo").json());
        check("an answer's JSON is sent on", r.json("$.body").starts_with("{") && r.json("$.body").contains("\"method\":\"GET\""));
        let bytes = blob(3, 7);
        check("bytes are bytes", http::post("/echo", bytes).json("$.body_size") == 3);
        check("nothing is nothing", http::post("/echo").json("$.headers['content-length']") == "0");
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 10);
}

#[test]
fn multipart_with_files() {
    let target = target();
    let body = r#"
        let r = http::post("/upload", (), #{ multipart: #{
            note: "hello",
            photo: #{ file: "cat.png", content: blob(1000, 65), type: "image/png" },
            text: #{ file: "a.txt", content: "line\r\n--boundary" },
        } });
        let parts = r.json("$.parts");
        check(`three parts: ${parts}`, r.status == 200 && parts.len() == 3);
        check("a field", parts[0].name == "note" && parts[0].value == "hello");
        check("a file", parts[1].name == "photo" && parts[1].filename == "cat.png" && parts[1].type == "image/png" && parts[1].size == 1000);
        check("text as a file", parts[2].filename == "a.txt" && parts[2].size == 16);
    "#;
    let body = body.replace(".type ==", "[\"type\"] ==");
    let outcome = once(&target, "", &body).run();
    assert_checks(&outcome, 4);
}

#[test]
fn queries_and_headers() {
    let target = target();
    let options = r#"headers: #{ "x-all": "every", "x-both": "run" }, user_agent: "tester/1""#;
    let body = r#"
        let r = http::get("/echo?a=1", #{ query: #{ q: "ü & =", n: 2 }, headers: #{ "x-one": "1", "x-both": "request" } });
        check("the query is joined", r.json("$.query.a") == "1" && r.json("$.query.q") == "ü & =" && r.json("$.query.n") == "2");
        check("headers of the run", r.json("$.headers['x-all']") == "every" && r.json("$.headers['user-agent']") == "tester/1");
        check("headers of the request", r.json("$.headers['x-one']") == "1" && r.json("$.headers['x-both']") == "request");
        check("a host", r.json("$.headers.host") == "HOST");
        check("headers come back", r.headers["content-type"] == "application/json" && r.header("Content-Type") == "application/json");
        check("a header that is not there", r.header("x-nothing") == ());
        check("the URL", r.url.starts_with("TARGET/echo?a=1&"));
    "#;
    let body = body.replace("HOST", &target.addr().to_string());
    let outcome = once(&target, options, &body).run();
    assert_checks(&outcome, 7);
}

#[test]
fn credentials() {
    let target = target();
    let body = r#"
        check("basic", http::get("/basic-auth/ann/s%3Acret", #{ auth: #{ user: "ann", password: "s%3Acret" } }).status == 200);
        check("basic, wrong", http::get("/basic-auth/ann/x", #{ auth: #{ user: "ann", password: "y" }, expect: 401 }).status == 401);
        let r = http::get("/bearer", #{ auth: #{ bearer: "token-1" } });
        check("bearer", r.status == 200 && r.json("$.token") == "token-1");
        check("none", http::get("/bearer", #{ expect: 401 }).header("www-authenticate") == "Bearer");
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 4);
    assert_eq!(outcome.metric("http_req_failed", "passes"), 0.0, "a status that is expected is no failure");
}

#[test]
fn cookies_belong_to_a_user() {
    let target = target();
    let body = r#"
        let mine = `u${vu::id()}`;
        if vu::iteration() == 0 { check("new", http::get("/cookies").json("$.cookies").len() == 0); }
        let r = http::get("/cookies/set?who=" + mine, #{ redirects: 0 });
        check("set by an answer", r.cookies.who == mine);
        check("kept", http::get("/cookies").json("$.cookies.who") == mine);
        check("one more for a request", http::get("/cookies", #{ cookies: #{ extra: "1" } }).json("$.cookies").len() == 2);
        check("which is not kept", http::get("/cookies").json("$.cookies").len() == 1);
        check("none for a request", http::get("/cookies", #{ jar: false }).json("$.cookies").len() == 0);
    "#;
    let outcome = each(&target, 3, 3, "", body).run();
    assert_checks(&outcome, 48);
    let outcome = once(
        &target,
        "cookies: false",
        r#"http::get("/cookies/set?a=1"); check("none kept", http::get("/cookies").json("$.cookies").len() == 0);"#,
    )
    .run();
    assert_checks(&outcome, 1);
}

#[test]
fn encodings() {
    let target = target();
    let body = r#"
        for encoding in ["gzip", "br", "zstd", "deflate"] {
            let r = http::get(if encoding == "br" { "/brotli" } else { "/" + encoding });
            check(`${encoding}: ${r.status}`, r.header("content-encoding") == encoding && r.json("$.encoding") == encoding && r.json("$.packed"));
            check(`${encoding}: the length is that of the wire`, r.length != r.bytes.len());
        }
        let asked = http::get("/echo").json("$.headers['accept-encoding']");
        check(`all are asked for: ${asked}`, asked.contains("gzip") && asked.contains("br") && asked.contains("zstd") && asked.contains("deflate"));
        check("or none", http::get("/echo", #{ compression: false }).json("$.headers['accept-encoding']") == ());
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 10);
    let outcome = once(
        &target,
        "compression: false",
        r#"check("none", http::get("/echo").json("$.headers['accept-encoding']") == ());"#,
    )
    .run();
    assert_checks(&outcome, 1);
}

#[test]
fn what_is_expected_and_how_it_is_named() {
    let target = target();
    let script = r#"
        options(#{ base_url: "TARGET", tags: #{ area: "" } });
        threshold("http_reqs{name:teapot}", "count == 6");
        threshold("http_reqs{area:shop}", "count == 3");
        threshold("http_reqs{status:404}", "count == 3");
        threshold("http_req_failed{expected_response:true}", "rate == 0");
        threshold("http_req_failed", "rate == 0.25");
        fn run() {
            http::get("/status/418?a=1", #{ name: "teapot", expect: 418 });
            http::get("/status/418", #{ name: "teapot", expect: ["4xx", 200] });
            http::get("/echo", #{ tags: #{ area: "shop" } });
            http::get("/status/404");
        }
    "#;
    let outcome = punk().script(script).target(&target).args("-i3").run();
    outcome.assert_passed();
    let summary = outcome.summary();
    let names: Vec<_> = items(&summary, "operations").map(|row| row["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["teapot", "GET /echo", "GET /status/{id}"]);
    assert_eq!(errors_of(&outcome, "http"), 3);
}

#[test]
fn urls_that_differ_by_ids_are_one_operation() {
    let target = target();
    let body = r#"for id in 1..=9 { http::get(`/api/products/${id}?x=${id}`); http::get(`/delay/0`); }"#;
    let outcome = once(&target, "", body).run();
    let summary = outcome.summary();
    let names: Vec<_> = items(&summary, "operations")
        .map(|row| (row["name"].as_str().expect("a name"), row["count"].as_u64()))
        .collect();
    assert_eq!(names, [("GET /api/products/{id}", Some(9)), ("GET /delay/{id}", Some(9))]);
}

#[test]
fn transport_errors_throw_where_the_script_says_so() {
    let target = target();
    let body = r#"
        let thrown = "";
        try { http::get("/echo?fault=close"); } catch (error) { thrown = error.to_string(); }
        check(`thrown: ${thrown}`, thrown.contains("closed the connection"));
        check("not here", http::get("/echo?fault=close", #{ throw_errors: false }).status == 0);
        http::get("/echo?fault=close");
        check("never here", false);
    "#;
    let outcome = once(&target, "throw_errors: true", body).run();
    let summary = outcome.summary();
    assert_eq!((errors_of(&outcome, "script"), errors_of(&outcome, "reset_before_headers")), (1, 3), "{summary:#}");
    assert_eq!(items(&summary, "checks").filter(|check| check["fails"] != 0).count(), 0, "{summary:#}");
    assert_eq!(outcome.metric("script_errors", "count"), 1.0);
}

#[test]
fn batches_take_every_form() {
    let target = target();
    let body = r#"
        let all = http::batch([
            "/echo",
            ["GET", "/status/201"],
            ["POST", "/echo", #{ a: 1 }],
            ["PUT", "/echo", "text", #{ headers: #{ "x-a": "1" } }],
            #{ url: "/html" },
            #{ method: "PATCH", url: "/echo", body: "b", query: #{ q: 1 }, name: "patched" },
            "/echo?fault=close",
        ]);
        check("in order", all.map(|r| r.status) == [200, 201, 200, 200, 200, 200, 0]);
        check("bodies", all[2].json("$.body") == "{\"a\":1}" && all[3].json("$.body") == "text" && all[5].json("$.body") == "b");
        check("options", all[3].json("$.headers['x-a']") == "1" && all[5].json("$.query.q") == "1");
        check("an error is an answer", all[6].error_kind == "reset_before_headers");
        check("nothing is nothing", http::batch([]) == []);
        let why = "";
        try { http::batch(["/echo", 5]); } catch (error) { why = error.to_string(); }
        check(`the wrong one is named: ${why}`, why.contains("request 2"));
    "#;
    let outcome = once(&target, "", body).run();
    assert_checks(&outcome, 6);
    let account = Account::of(&outcome, &target);
    assert_eq!(account.total, 7, "a batch with a mistake sends nothing");
    assert!(items(&outcome.summary(), "operations").any(|row| row["name"] == "patched"));
}
