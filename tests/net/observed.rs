//! Machines that a script observes: what their exporters say stands beside latency, and no exporter can harm a run.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::items;
use crate::builder::{Outcome, punk, target};
use serde_json::Value;

/// Says something like a `node_exporter` to each request, by its number; the address of its metrics.
fn exporter(answer: impl Fn(u32) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("it is bound"));
    let (answer, asked) = (Arc::new(answer), Arc::new(AtomicU32::new(0)));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
            thread::spawn(move || while serve(&stream, &*answer, &asked).is_some() {});
        }
    });
    url
}

/// Serves one request; `None` when the connection is over.
fn serve(mut stream: &TcpStream, answer: &dyn Fn(u32) -> String, asked: &AtomicU32) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    match answer(asked.fetch_add(1, Ordering::SeqCst)) {
        // Says nothing and waits until the other side goes.
        silence if silence.is_empty() => stream.read_exact(&mut byte).ok(),
        answer => stream.write_all(answer.as_bytes()).ok(),
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A machine of two cores, one of which is always busy and the other for nine tenths.
fn busy(number: u32) -> String {
    let passed = f64::from(number) * 10.0;
    ok(&format!(
        "# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 3.5\n\
         node_cpu_seconds_total{{cpu=\"0\",mode=\"user\"}} {}\n\
         node_cpu_seconds_total{{cpu=\"0\",mode=\"idle\"}} 50\n\
         node_cpu_seconds_total{{cpu=\"1\",mode=\"system\"}} {}\n\
         node_cpu_seconds_total{{cpu=\"1\",mode=\"idle\"}} {}\n\
         node_memory_MemTotal_bytes 8e+09\nnode_memory_MemAvailable_bytes 2e+09\n\
         node_network_receive_bytes_total{{device=\"eth0\"}} {}\n\
         node_network_transmit_bytes_total{{device=\"eth0\"}} 5\n",
        100.0 + passed,
        100.0 + passed * 0.9,
        100.0 + passed * 0.1,
        passed * 1e6,
    ))
}

/// 60 iterations of 40 ms beside what is observed.
fn observing(observe: &str, rules: &str) -> Outcome {
    let target = target();
    let script = format!(
        "options(#{{ base_url: \"TARGET\", observe: {observe}, allow_hosts: [\"127.0.0.1\"] }});\n\
         scenario(\"visit\", #{{ users: 1, iterations: 60, run: visit }});\n{rules}\n\
         fn visit() {{ http::get(\"/echo\"); sleep(40.ms); }}\n"
    );
    let outcome = punk().script(&script).target(&target).run();
    assert_eq!(target.stats().requests, 60, "the target counts");
    assert_eq!(outcome.summary()["requests"]["total"], 60, "an exporter is no part of the test");
    outcome
}

fn observed(outcome: &Outcome) -> Vec<Value> {
    items(&outcome.summary(), "observed").cloned().collect()
}

#[test]
fn what_an_exporter_says_can_be_read_by_rules() {
    let observe = format!("#{{ db: \"{}\" }}", exporter(busy));
    let rules = "threshold(\"observed_cpu{host:db}\", \"value > 90% and max <= 96%\");\n\
                 threshold(\"value of observed_memory_used{host:db} == 6GB\");\n\
                 threshold(\"observed_load1\", \"value == 3.5\");\n\
                 threshold(\"observed_network_received{host:db}\", \"value > 1MB\");\n\
                 alert(\"db is busy\", #{ when: \"value of observed_cpu{host:db} > 90%\", severity: \"critical\" });";
    let outcome = observing(&observe, rules);
    outcome.assert_passed();
    let summary = outcome.summary();
    assert_eq!(summary["alerts"][0]["fired"], 1, "{:#}", summary["alerts"]);
    let db = &observed(&outcome)[0];
    assert_eq!((&db["host"], &db["cores"]), (&Value::from("db"), &Value::from(2)), "{db:#}");
    assert_eq!((&db["memory_bytes"], &db["failures"]), (&Value::from(8_000_000_000u64), &Value::from(0)), "{db:#}");
    assert!((db["cpu_max"].as_f64().expect("a number") - 95.0).abs() < 0.001, "{db:#}");
    assert!(db.get("last_error").is_none() && db["scrapes"].as_u64() >= Some(2), "{db:#}");
    let text = outcome.stdout();
    assert!(text.contains("MACHINE") && text.contains("95%"), "{text}");
    let target = items(&summary, "components").find(|it| it["name"] == "target").expect("there is one").clone();
    assert_eq!((&target["state"], &target["why"]), (&"warning".into(), &"`db` uses 95% of its CPU".into()));
}

#[test]
fn a_broken_rule_about_an_observed_machine_fails_the_run() {
    let observe = format!("[\"{}\"]", exporter(busy));
    let outcome = observing(&observe, "threshold(\"observed_cpu{host:127.0.0.1}\", \"max < 90%\");");
    outcome.assert_code(99);
    assert_eq!(observed(&outcome)[0]["host"], "127.0.0.1");
}

#[test]
fn exporters_that_are_dead_slow_huge_or_none_change_nothing_of_a_run() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port").local_addr().expect("it is bound");
    let elsewhere = exporter(busy);
    let exporters = [
        ("dead", format!("http://me:hunter2@{dead}/metrics")),
        ("slow", exporter(|_| String::new())),
        ("huge", exporter(|_| ok(&"node_load1 1\n".repeat(400_000)))),
        ("garbage", exporter(|_| ok("<html>node_load1\u{0}</html>"))),
        ("broken", exporter(|_| "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nnode_load1 1\n".to_owned())),
        ("refusing", exporter(|_| "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n".to_owned())),
        (
            "moved",
            exporter(move |_| format!("HTTP/1.1 302 Found\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")),
        ),
        ("flaky", exporter(|number| if number == 0 { ok("up 1\n") } else { busy(number) })),
    ];
    let map: Vec<String> = exporters.iter().map(|(name, url)| format!("{name}: \"{url}\"")).collect();
    let outcome =
        observing(&format!("#{{ {} }}", map.join(", ")), "threshold(\"observed_load1{host:flaky}\", \"value > 1\");");
    outcome.assert_passed();
    let all = observed(&outcome);
    let of = |name: &str| all.iter().find(|one| one["host"] == name).unwrap_or_else(|| panic!("{name}")).clone();
    for (name, why) in [
        ("huge", "the answer is larger than 4 MiB"),
        ("garbage", "the answer has no metric of node_exporter"),
        ("refusing", "status 503"),
        ("moved", "status 302: redirects are not followed"),
        ("flaky", "the answer has no metric of node_exporter"),
    ] {
        assert_eq!(of(name)["last_error"], why, "{:#}", of(name));
    }
    assert!(of("dead")["last_error"].as_str().is_some_and(|why| why.contains("refused")), "{:#}", of("dead"));
    assert_eq!(of("slow")["scrapes"], 0);
    assert_eq!((&of("flaky")["failures"], of("flaky")["scrapes"].as_u64() >= Some(1)), (&1.into(), true));
    let told = outcome.stderr();
    assert_eq!(told.matches("`garbage` cannot be observed").count(), 1, "{told}");
    let target =
        items(&outcome.summary(), "components").find(|it| it["name"] == "target").expect("there is one").clone();
    assert_eq!(target["state"], "warning", "{target:#}");
    for text in [outcome.stdout(), told, outcome.summary().to_string()] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn addresses_that_are_none_are_told_before_the_run() {
    let told = |observe: &str| {
        let script = format!(
            "options(#{{ observe: {observe} }});\nscenario(\"a\", #{{ users: 1, iterations: 1, run: || () }});\n"
        );
        let outcome = punk().command("check").script(&script).run();
        outcome.assert_code(104);
        outcome.stderr()
    };
    for (observe, said) in [
        ("[\"db:9100\"]", "`observe` asks by HTTP, not by `db`"),
        ("[\"http://a/metrics\", \"file:///etc/passwd\"]", "`observe` asks by HTTP, not by `file`"),
        ("[\"http://\"]", "`observe` takes addresses such as `\"http://db:9100/metrics\"`"),
        ("[\"http://a/metrics\", \"http://a/other\", \"http://a/third\"]", "`a:80` is observed twice"),
        ("#{ db: 9100 }", "`db` in `observe` is an address, not an integer"),
        ("9100", "`observe` is a list of texts, not"),
    ] {
        let text = told(observe);
        assert!(text.contains(said), "{observe}: {text}");
        assert!(text.contains("test.rhai:1:"), "{text}");
    }
}

#[test]
fn check_names_what_is_observed_without_its_password() {
    let script = "options(#{ observe: #{ db: \"http://me:hunter2@127.0.0.1:9100/metrics\" } });\n\
                  scenario(\"a\", #{ users: 1, iterations: 1, run: || () });\n";
    let outcome = punk().command("check").script(script).run();
    outcome.assert_passed();
    assert!(outcome.stdout().contains("db: http://***@127.0.0.1:9100/metrics"), "{}", outcome.stdout());
    assert!(!outcome.stdout().contains("hunter2"));
}
