//! The page of the contract: whole, alone, and with examples that a shell can execute.

use std::process::Command;

use super::{get, shop, until};
use crate::builder::target;
use crate::needs;

/// The texts of all examples, as a reader copies them.
fn examples(page: &str) -> Vec<String> {
    let after = page.split("<pre class=\"curl\" tabindex=\"0\"><code>").skip(1);
    let html = after.map(|rest| rest.split("</code>").next().unwrap());
    let plain = |html: &str| {
        html.replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    html.map(plain).collect()
}

#[test]
fn every_example_of_the_page_does_what_it_says() {
    let Some(_) = needs::tool("curl") else { return };
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/alerts", |alerts| alerts["alerts"][0]["state"] == "firing");
    let address = running.monitor();
    let page = get(&address, "/docs");
    assert_eq!(page.status, 200, "{}", page.head);
    let mut examples = examples(&page.body);
    assert!(examples.len() > 15, "{examples:#?}");
    // Whatever ends the run is the last of them.
    examples.sort_by_key(|example| example.contains("/control/stop"));
    for example in examples {
        let here = example.replace("127.0.0.1:9090", &address);
        let silent = here.replacen("curl", "curl -sS -m 20 -o /dev/null -w '%{http_code}'", 1);
        let done = Command::new("sh").args(["-c", &silent]).output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout);
        // Scripts are taken only where somebody has allowed it.
        let right = if here.contains("-X POST") && here.contains("/api/sessions'") { "403" } else { "200" };
        assert_eq!(told, right, "{here}\n{}", String::from_utf8_lossy(&done.stderr));
    }
    running.wait().assert_code(103);
}

#[test]
fn the_page_is_alone_and_says_everything() {
    let target = target();
    let mut running = shop(&target).start();
    until(&mut running, "/api/status", |status| status["status"] == "running");
    let address = running.monitor();
    let page = get(&address, "/docs");
    assert!(page.head.contains("content-type: text/html; charset=utf-8"), "{}", page.head);
    assert!(page.head.contains("default-src 'none'; style-src 'sha256-"), "{}", page.head);
    assert!(!page.head.contains("unsafe"), "{}", page.head);
    for outside in ["<script", "src=", "<link", "<img", "@import", "url(", "style=", "onclick", "<iframe"] {
        assert!(!page.body.contains(outside), "{outside}");
    }
    assert_eq!(get(&address, "/api/docs").body, page.body);
    // Every link within it leads somewhere, and nothing is there twice.
    let ids: Vec<&str> = page.body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len());
    for link in page.body.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(once.binary_search(&link).is_ok(), "#{link}");
    }
    let document = get(&address, "/api/openapi.json").ok();
    for path in document["paths"].as_object().unwrap().keys().filter(|path| !path.starts_with("/sessions/{")) {
        assert!(page.body.contains(&format!("{}</code>", path.replace('/', "<wbr>/"))), "{path}");
    }
    super::stop(&address);
    running.wait();
}
