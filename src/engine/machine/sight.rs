//! From two moments of a machine to shares and flows, and to the samples that rules read.
//!
//! Pure: time is an argument. A counter that went backwards (a disk was taken out, an interface made anew) says nothing this
//! time.

use super::proc::{Bytes, Ticks, is_inner};
use crate::snapshot::{Disk, Interface, Machine};
use std::time::Duration;

/// Counters of one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    pub(super) all: Option<Ticks>,
    pub(super) cores: Vec<Ticks>,
    pub(super) network: Vec<Bytes>,
    pub(super) disks: Vec<Bytes>,
    /// CPU time of this process.
    pub(super) own: Option<Duration>,
}

/// Bytes per second between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flow {
    pub(super) taken: f64,
    pub(super) given: f64,
}

/// The flows of all devices together; absent where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flows {
    pub(super) network: Option<Flow>,
    pub(super) loopback: Option<Flow>,
    pub(super) disks: Option<Flow>,
}

/// Fills in what two moments say together; `since` lies between them, `cores` are those that the shards may use.
pub(super) fn compare(
    machine: &mut Machine,
    before: &Counters,
    now: &Counters,
    since: Duration,
    cores: usize,
) -> Flows {
    let both = before.all.zip(now.all);
    machine.cpu = both.and_then(|(before, now)| share(before, now, |ticks| ticks.busy));
    machine.steal = both.and_then(|(before, now)| share(before, now, |ticks| ticks.stolen));
    // A core that was taken offline shifts the others: then nobody knows which is which.
    if before.cores.len() == now.cores.len() {
        let pairs = before.cores.iter().zip(&now.cores);
        machine.cores = pairs.map(|(before, now)| share(*before, *now, |ticks| ticks.busy).unwrap_or(0.0)).collect();
    }
    let seconds = since.as_secs_f64();
    machine.own.cpu = before.own.zip(now.own).filter(|_| seconds > 0.0).map(|(before, now)| {
        let used = now.saturating_sub(before).as_secs_f64();
        used / (seconds * cores.max(1) as f64)
    });
    let mut flows = Flows::default();
    for (name, flow) in differences(&before.network, &now.network, seconds) {
        let (loopback, inner) = (name == "lo", is_inner(name));
        let sum = if loopback { &mut flows.loopback } else { &mut flows.network };
        if !inner {
            add(sum, flow);
        }
        let name = name.to_owned();
        machine.network.push(Interface { name, loopback, inner, received: flow.taken, sent: flow.given });
    }
    for (name, flow) in differences(&before.disks, &now.disks, seconds) {
        add(&mut flows.disks, flow);
        machine.disks.push(Disk { name: name.to_owned(), read: flow.taken, written: flow.given });
    }
    flows
}

fn share(before: Ticks, now: Ticks, of: impl Fn(Ticks) -> u64) -> Option<f64> {
    let all = now.total.checked_sub(before.total).filter(|all| *all > 0)?;
    // Waiting for a disk may be counted backwards (proc_stat(5)): a share stays one.
    Some((of(now).saturating_sub(of(before)) as f64 / all as f64).min(1.0))
}

/// The flow of each device that was there both times.
fn differences<'a>(
    before: &'a [Bytes],
    now: &'a [Bytes],
    seconds: f64,
) -> impl Iterator<Item = (&'a str, Flow)> + use<'a> {
    now.iter().filter(move |_| seconds > 0.0).filter_map(move |now| {
        let before = before.iter().find(|before| before.name == now.name)?;
        let rate = |now: u64, before: u64| Some(now.checked_sub(before)? as f64 / seconds);
        Some((now.name.as_str(), Flow { taken: rate(now.taken, before.taken)?, given: rate(now.given, before.given)? }))
    })
}

fn add(sum: &mut Option<Flow>, flow: Flow) {
    let sum = sum.get_or_insert_default();
    *sum = Flow { taken: sum.taken + flow.taken, given: sum.given + flow.given };
}

/// The metrics of a look, by name: all gauges.
pub(super) fn samples(machine: &Machine, flows: &Flows) -> Vec<(&'static str, f64)> {
    let count = |count: Option<u64>| count.map(|count| count as f64);
    let bytes = count;
    let (memory, own) = (&machine.memory, &machine.own);
    let load = |at: usize| machine.load.map(|load| load[at]);
    let fullest = machine.spaces.iter().filter_map(|space| space.used()).reduce(f64::max);
    let metrics = [
        ("system_cpu", machine.cpu),
        ("system_cpu_steal", machine.steal),
        ("system_cpu_busiest", machine.cores.iter().copied().reduce(f64::max)),
        ("system_load1", load(0)),
        ("system_load5", load(1)),
        ("system_load15", load(2)),
        ("system_memory_used", bytes(memory.used())),
        ("system_memory_available", bytes(memory.available)),
        ("system_memory_buffers", bytes(memory.buffers)),
        ("system_memory_cached", bytes(memory.cached)),
        ("system_huge_pages_used", bytes(memory.huge_used())),
        ("system_huge_pages_free", bytes(memory.huge_free)),
        ("system_swap_used", bytes(memory.swap_used())),
        ("system_swap_free", bytes(memory.swap_free)),
        ("system_disk_full", fullest),
        ("system_disk_read", flows.disks.map(|flow| flow.taken)),
        ("system_disk_written", flows.disks.map(|flow| flow.given)),
        ("system_network_received", flows.network.map(|flow| flow.taken)),
        ("system_network_sent", flows.network.map(|flow| flow.given)),
        ("system_network_loopback", flows.loopback.map(|flow| flow.given)),
        ("system_ports_taken", count(machine.ports.taken)),
        ("punk_cpu", own.cpu),
        ("punk_memory", bytes(own.resident)),
        ("punk_fds", count(own.fds)),
        ("punk_threads", count(own.threads)),
    ];
    metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
