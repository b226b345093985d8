//! The goose peer: one GET per iteration and nothing else; `ROW` chooses what the comparison's row adds to it.
//!
//! Host, users and running time come by goose's own flags (`--host`, `--users`, `--increase-rate`, `--run-time`).

use goose::prelude::*;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

static ROW: LazyLock<String> = LazyLock::new(|| std::env::var("ROW").unwrap_or_default());
static PATH: LazyLock<String> =
    LazyLock::new(|| std::env::var("URL_PATH").unwrap_or_else(|_| "/".into()));
static OPERATION: AtomicUsize = AtomicUsize::new(0);

async fn get(user: &mut GooseUser) -> TransactionResult {
    let answer = if *ROW == "operations" {
        let n = OPERATION.fetch_add(1, Ordering::Relaxed) % 500;
        user.get_named(&format!("/op/{n}"), &format!("op-{n}")).await?
    } else {
        user.get(&PATH).await?
    };
    // The other tools read the body, goose only when it is asked to.
    if let Ok(response) = answer.response {
        assert_eq!(response.status().as_u16(), 200);
        if *ROW == "json" {
            let body: serde_json::Value = response.json().await.expect("the body is JSON");
            assert!(body["items"][0]["price"].as_i64() > Some(0));
        } else {
            let _ = response.bytes().await;
        }
    }
    if *ROW == "memory" {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), GooseError> {
    let scenario = scenario!("get").register_transaction(transaction!(get));
    GooseAttack::initialize()?
        .register_scenario(scenario)
        .execute()
        .await?;
    Ok(())
}
