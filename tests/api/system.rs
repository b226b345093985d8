//! How busy machines are, as the monitor tells it: every name of the contract, in figures that can be true.

use super::{get, shop, stop, until};
use crate::builder::target;
use serde_json::Value;

#[track_caller]
fn percent(value: &Value) -> f64 {
    let value = value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    assert!((0.0..=100.0).contains(&value), "{value}");
    value
}

#[test]
fn this_machine_is_told_whole_and_by_part() {
    let target = target();
    let mut running = shop(&target).start();
    let system = until(&mut running, "/api/system", |system| system["cpu"]["utilization"].is_number());
    let address = running.monitor();
    assert!(system.get("reason").is_none() && system["observed"] == Value::Array(Vec::new()), "{system:#}");
    for part in ["cpu", "memory", "disk", "network"] {
        let alone = get(&address, &format!("/api/system/{part}")).ok();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut expected = names(&system[part]);
        expected.insert(0, "timestamp".to_owned());
        assert_eq!(names(&alone), expected, "{part}");
    }

    let cpu = &system["cpu"];
    percent(&cpu["utilization"]);
    let cores = cpu["cores"].as_array().unwrap();
    assert!(!cores.is_empty());
    for (at, core) in cores.iter().enumerate() {
        assert_eq!(core["core"], at);
        percent(&core["utilization"]);
    }
    for name in ["one_minute", "five_minutes", "fifteen_minutes"] {
        assert!(cpu["load_average"][name].as_f64() >= Some(0.0), "{cpu:#}");
    }

    let memory = &system["memory"];
    let bytes = |name: &str| memory[name].as_u64().unwrap_or_else(|| panic!("no {name}: {memory:#}"));
    assert_eq!(bytes("used") + bytes("available"), bytes("total"));
    assert_eq!(bytes("buffers") + bytes("cached"), bytes("buffer_cache"));
    assert!(bytes("own_rss") > 1_000_000 && bytes("own_rss") < bytes("total"), "{memory:#}");
    percent(&memory["used_percent"]);
    for (part, name) in
        [("swap", "total"), ("swap", "used"), ("swap", "free"), ("huge_pages", "total"), ("huge_pages", "free")]
    {
        assert!(memory[part][name].is_u64(), "{part} {name}: {memory:#}");
    }

    let network = &system["network"];
    let loopback = network["interfaces"].as_array().unwrap().iter().find(|one| one["loopback"] == true).unwrap();
    // The target is on this machine, so loopback carries what is sent and received alike.
    until(&mut running, "/api/system/network", |network| {
        let one = network["interfaces"].as_array().unwrap().iter().find(|one| one["name"] == loopback["name"]);
        one.is_some_and(|one| one["bytes_in_per_second"].as_f64() > Some(1_000.0))
    });
    assert!(system["disk"]["filesystems"].is_array() && system["disk"]["disks"].is_array(), "{system:#}");
    let own = &system["own"];
    assert!(
        own["rss"].as_u64() > Some(0) && own["fds"].as_u64() > Some(2) && own["threads"].as_u64() > Some(2),
        "{own:#}"
    );
    assert_eq!(get(&address, "/api/system?core=1").refused(400), "there is no parameter `core` here");
    get(&address, "/api/system/gpu").refused(404);
    stop(&address);
    running.wait();
}
