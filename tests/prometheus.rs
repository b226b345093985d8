//! What Prometheus is given of a real run: its own tool accepts it, and it says what the target saw.

use crate::builder::target;
use crate::needs;
use punk::engine::{Run, Settings, on_large_stack};
use punk::prometheus::{Format, MOST_SERIES, render, render_sessions};
use punk::script::compile::compile_text;
use punk::script::overrides::Overrides;
use punk::snapshot::Snapshot;
use punk::target::RunningTarget;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

const SCRIPT: &str = r#"
    options(#{ base_url: "TARGET", tags: #{ "my-tag": "" } });
    metric::trend("cart_value", #{ unit: "data" });
    metric::counter("orders_total");
    metric::gauge("queue_count");
    metric::rate("bought");
    threshold("http_req_duration{name:product}", "p(95) < 10s");
    threshold("checks", "rate > 99%");
    alert("errors \"here\"", #{ when: "rate of http_req_failed > 90%", severity: "critical" });
    scenario("shop", #{ users: 3, iterations: 4, run: shop });
    scenario("open", #{ rate: 20, max_users: 5, duration: 500.ms, run: shop });
    fn shop() {
        let r = http::get("/api/products/42", #{ name: "product" });
        http::get("/status/500", #{ name: "breaks\\ \"a lot\"" });
        check(r, #{ "is \"there\"": |r| r.status == 200 });
        group("pay", || metric::add("cart_value", 12.5, #{ "my-tag": "ü\n" }));
        metric::add("orders_total", 1);
        metric::add("queue_count", 3);
        metric::add("bought", true);
    }
"#;

/// The last Snapshot of a run of [`SCRIPT`].
fn ran() -> (Arc<Snapshot>, RunningTarget) {
    let target = target();
    let script = SCRIPT.replace("TARGET", &target.url());
    let compiled = on_large_stack(|| compile_text("shop.rhai", script, &Overrides::default()));
    let plan = compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    let settings = Settings::new(2);
    let (snapshot, ending) = Run::start(Arc::new(plan), settings).unwrap().join();
    assert_eq!((&ending.bug, &ending.broken), (&None, &None));
    (snapshot, target)
}

fn text(snapshot: &Snapshot, format: Format) -> String {
    String::from_utf8(render(snapshot, format)).unwrap()
}

/// The sum of a metric over all its lines that have this in their labels.
fn sum(text: &str, metric: &str, having: &str) -> f64 {
    let lines = text.lines().filter(|line| line.starts_with(&format!("{metric}{{")) && line.contains(having));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

#[test]
fn promtool_accepts_the_classic_text_of_a_run() {
    let Some(promtool) = needs::tool("promtool") else { return };
    let check = |text: &str| {
        let mut tool = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let done = tool.wait_with_output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        (done.status.code(), said)
    };
    let (snapshot, _) = ran();
    let text = text(&snapshot, Format::Classic);
    assert_eq!(check(&text), (Some(0), String::new()));
    let two = render_sessions(&[(Some("a"), &snapshot), (Some("b"), &snapshot)], None, Format::Classic, MOST_SERIES);
    let two = String::from_utf8(two).unwrap();
    assert_eq!(check(&two), (Some(0), String::new()));
    assert_eq!(sum(&two, "punk_http_reqs_total", "session=\"b\""), sum(&text, "punk_http_reqs_total", ""));
    let (code, said) = check(&text.replacen("# HELP punk_vus Virtual users that are active now.\n", "", 1));
    assert!(code != Some(0) && said.contains("punk_vus"), "it refuses nothing: {code:?} {said}");
}

#[test]
fn every_format_counts_what_the_target_saw() {
    let (snapshot, target) = ran();
    let answered = target.log().len() as f64;
    assert!(answered >= 24.0, "{answered}");
    for format in [Format::Classic, Format::OpenMetrics] {
        let text = text(&snapshot, format);
        assert_eq!(sum(&text, "punk_http_reqs_total", ""), answered, "{format:?}");
        assert_eq!(sum(&text, "punk_http_req_duration_seconds_count", ""), answered);
        assert_eq!(sum(&text, "punk_http_req_failed_true_total", r#"name="breaks\\ \"a lot\"""#), answered / 2.0);
        // A tag is printable before anybody counts under it: its line break is a space.
        assert_eq!(sum(&text, "punk_cart_value_bytes_count", r#"my_tag="ü ""#), answered / 2.0);
        assert_eq!(sum(&text, "punk_threshold_passed", "selector=\"checks\""), 1.0);
        assert_eq!(sum(&text, "punk_alert_firing", r#"name="errors \"here\"""#), 0.0);
        assert_eq!(sum(&text, "punk_scenario_iterations_total", "scenario=\"shop\""), 4.0);
    }
    let protobuf = render(&snapshot, Format::Protobuf);
    let has = |needle: &[u8]| protobuf.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"punk_http_req_duration_seconds") && has("ü ".as_bytes()));
}
