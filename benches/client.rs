//! What a keep-alive `GET` costs without any script: CPU per request, or resident memory per idle user.
//!
//! ```text
//! URL=http://127.0.0.1:8090/ cargo bench --bench client                 # CPU per request
//! URL=http://127.0.0.1:8090/ IDLE=10000 cargo bench --bench client      # memory per idle user
//! ```
//! Further variables: `USERS` (64), `SECONDS` (4). Pin it and the server to different cores; `wrk -t1 -c64` beside it is the yardstick.

use std::cell::Cell;
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use punk::protocol::http::{Client, HttpOptions, Request, Shared};
use punk::protocol::net;
use tokio::runtime::LocalOptions;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// User and system time of this process in microseconds, and its resident memory in KiB.
fn usage() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(") ").next().expect("a name in brackets");
    let fields: Vec<u64> = after_name.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    let (ticks, pages) = (fields[11] + fields[12], fields[21]);
    (ticks * 10_000, pages * 4)
}

fn main() {
    let Ok(url) = std::env::var("URL") else {
        let _ = writeln!(std::io::stderr(), "set URL to a server's address");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .expect("a runtime");
    let net = net::Shared::new(net::DnsOptions::default(), Vec::new(), Default::default());
    let shared = Shared::new(net, HttpOptions::default());
    let idle = number("IDLE", 0);
    runtime.block_on(async {
        if idle > 0 {
            hold(shared, &url, idle).await;
        } else {
            drive(shared, &url).await;
        }
    });
}

async fn drive(shared: Rc<Shared>, url: &str) {
    let users = number("USERS", 64);
    let (count, failed, stop) = (Rc::new(Cell::new(0u64)), Rc::new(Cell::new(0u64)), Rc::new(Cell::new(false)));
    for _ in 0..users {
        let client = Client::new(shared.clone());
        let target = shared.target(url).expect("a URL");
        let (count, failed, stop) = (count.clone(), failed.clone(), stop.clone());
        tokio::task::spawn_local(async move {
            while !stop.get() {
                let exchange = client.fetch(Request::get(target.clone()), &mut |_| ()).await;
                count.set(count.get() + 1);
                if exchange.status != 200 {
                    failed.set(failed.get() + 1);
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, from, start) = (usage().0, count.get(), Instant::now());
    tokio::time::sleep(Duration::from_secs(number("SECONDS", 4))).await;
    let (cpu, requests, wall) = (usage().0 - before, count.get() - from, start.elapsed());
    stop.set(true);
    let _ = writeln!(
        std::io::stdout(),
        "{:.2} us CPU per request, {:.0} requests/s, {} failed",
        cpu as f64 / requests as f64,
        requests as f64 / wall.as_secs_f64(),
        failed.get()
    );
}

async fn hold(shared: Rc<Shared>, url: &str, users: u64) {
    let target = shared.target(url).expect("a URL");
    let base = usage().1;
    let mut held = Vec::new();
    let mut failed = 0;
    for _ in 0..users {
        let client = Client::new(shared.clone());
        let exchange = client.fetch(Request::get(target.clone()), &mut |_| ()).await;
        failed += u64::from(exchange.status != 200);
        held.push(client);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let grown = usage().1 - base;
    let _ = writeln!(
        std::io::stdout(),
        "{:.1} KiB resident per idle user ({users} users, {failed} failed)",
        grown as f64 / users as f64
    );
}
