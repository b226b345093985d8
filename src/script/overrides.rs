//! What the command line says against the script, as plain data.

use std::collections::BTreeMap;
use std::time::Duration;

/// What the command line sets beside or against the script.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `-e NAME=VALUE`.
    pub env: BTreeMap<String, String>,
    /// `-u`: constant users; with `-r` the most users at once.
    pub users: Option<u32>,
    /// `-r`: iterations started per second.
    pub rate: Option<f64>,
    /// `-d`.
    pub duration: Option<Duration>,
    /// `-i`: iterations in all.
    pub iterations: Option<u64>,
    /// `-s`: only these scenarios.
    pub only: Vec<String>,
    /// `--tag`.
    pub tags: BTreeMap<String, String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--graceful-stop`.
    pub graceful_stop: Option<Duration>,
}
