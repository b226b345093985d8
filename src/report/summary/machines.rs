//! The machine that punk ran on, those that it observed, and how the parts of the run did, for programs.

use super::{number, percent};
use crate::snapshot::{Component, Machine, Observed, Snapshot};
use serde::Serialize;
use serde_json::Number;

/// The machine that punk ran on, at the last look; what its gauges saw over the run stands in `metrics`.
#[derive(Debug, Serialize)]
pub(super) struct MachineWire {
    cores: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fds_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_ports: Option<u64>,
}

impl MachineWire {
    pub(super) fn new(machine: &Machine) -> Self {
        MachineWire {
            cores: machine.cores.len(),
            memory_bytes: machine.memory.total,
            swap_bytes: machine.memory.swap_total,
            fds_limit: machine.own.fds_limit,
            local_ports: machine.ports.range,
        }
    }
}

/// A machine that the script observed, at its last answer.
#[derive(Debug, Serialize)]
pub(super) struct ObservedWire {
    host: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cores: Option<u64>,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load1_max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_used_max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_max: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_max: Option<Number>,
    scrapes: u64,
    failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl ObservedWire {
    pub(super) fn new(one: &Observed, snapshot: &Snapshot) -> Self {
        let most = |metric| crate::report::figures::most(snapshot, metric, |tags| tags.get("host") == Some(&one.host));
        ObservedWire {
            host: one.host.clone(),
            cores: one.cores,
            cpu_max: percent(most("observed_cpu")),
            load1_max: most("observed_load1").and_then(number),
            memory_bytes: one.memory_total,
            memory_used_max: most("observed_memory_used").and_then(number),
            received_max: most("observed_network_received").and_then(number),
            sent_max: most("observed_network_sent").and_then(number),
            scrapes: one.scrapes,
            failures: one.failures,
            last_error: one.last_error.clone(),
        }
    }
}

/// How a part of the run did in the end.
#[derive(Debug, Serialize)]
pub(super) struct ComponentWire {
    name: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

impl ComponentWire {
    pub(super) fn new(component: &Component) -> Self {
        ComponentWire { name: component.name.word(), state: component.state.word(), why: component.why() }
    }
}
