//! `GET /system` and its parts: how busy this machine is, punk on it, and the machines that the script observes.

use super::{number, percent, seconds, time};
use crate::api::Session;
use crate::snapshot::{Disk, Interface, Machine, Memory, Observed, Snapshot, Space};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

/// Why there are no figures yet.
const NOT_YET: &str = "the machine is looked at once a second, and flows lie between two looks: ask again in a moment";

/// How busy the machine is that punk runs on, over the last second, and those that the script observes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct SystemWire {
    /// When this was asked.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// Cores and load.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<CpuWire>,
    /// Memory, swap and huge pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<MemoryWire>,
    /// Disks and file systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<DiskWire>,
    /// Interfaces and ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<NetworkWire>,
    /// Punk's own use of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<OwnWire>,
    /// The machines that `options(#{ observe: […] })` names, in its order.
    observed: Vec<ObservedWire>,
    /// Why there are no figures of this machine, where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// One part of `GET /system`, by itself.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Now")]
pub(in crate::api) struct PartOfSystem<T> {
    /// When this was asked.
    #[schemars(extend("format" = "date-time"))]
    timestamp: String,
    /// The figures.
    #[serde(flatten)]
    figures: Option<T>,
    /// Why there are none, where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl<T> PartOfSystem<T> {
    pub(in crate::api) fn new(snapshot: &Snapshot, now: DateTime<Utc>, part: impl Fn(&Machine) -> T) -> Self {
        let figures = snapshot.machine.as_deref().map(part);
        let reason = figures.is_none().then_some(NOT_YET);
        PartOfSystem { timestamp: time(now), figures, reason }
    }
}

/// Cores and load.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct CpuWire {
    /// How busy all cores are, in percent, whoever uses them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    utilization: Option<Number>,
    /// What a hypervisor gave to others, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    steal: Option<Number>,
    /// How busy each core is, in percent; empty where the system does not say.
    cores: Vec<CoreWire>,
    /// How many wanted to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    load_average: Option<LoadWire>,
    /// Punk's own use, in percent of the cores that its shards may use; above 100 where its other threads are busy too.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_utilization: Option<Number>,
}

/// One core.
#[derive(Debug, Serialize, JsonSchema)]
struct CoreWire {
    /// Its number.
    core: usize,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    utilization: Option<Number>,
}

/// Load averages.
#[derive(Debug, Serialize, JsonSchema)]
struct LoadWire {
    /// Over one minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_minute: Option<Number>,
    /// Over five minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    five_minutes: Option<Number>,
    /// Over fifteen minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    fifteen_minutes: Option<Number>,
}

impl CpuWire {
    pub(in crate::api) fn new(machine: &Machine) -> Self {
        let share = |share: f64| number(share * 100.0);
        let core = |(core, busy): (usize, &f64)| CoreWire { core, utilization: share(*busy) };
        let load = |[one, five, fifteen]: [f64; 3]| LoadWire {
            one_minute: number(one),
            five_minutes: number(five),
            fifteen_minutes: number(fifteen),
        };
        CpuWire {
            utilization: machine.cpu.and_then(share),
            steal: machine.steal.and_then(share),
            cores: machine.cores.iter().enumerate().map(core).collect(),
            load_average: machine.load.map(load),
            own_utilization: machine.own.cpu.and_then(share),
        }
    }
}

/// Memory, in bytes.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct MemoryWire {
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// What is not available.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    /// The same in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    used_percent: Option<Number>,
    /// What programs can still get without swapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    /// `buffers` and `cached` together.
    #[serde(skip_serializing_if = "Option::is_none")]
    buffer_cache: Option<u64>,
    /// Block buffers of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    buffers: Option<u64>,
    /// The page cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<u64>,
    /// Swap space; all zero where there is none.
    swap: SwapWire,
    /// Memory that is set aside as huge pages.
    huge_pages: HugeWire,
    /// What punk itself holds in memory (RSS).
    #[serde(skip_serializing_if = "Option::is_none")]
    own_rss: Option<u64>,
}

/// Swap space, in bytes.
#[derive(Debug, Serialize, JsonSchema)]
struct SwapWire {
    /// All of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// In use.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    /// Free.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
}

/// Memory that is set aside as huge pages, in bytes.
#[derive(Debug, Serialize, JsonSchema)]
struct HugeWire {
    /// Set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Used by nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u64>,
}

impl MemoryWire {
    pub(in crate::api) fn new(machine: &Machine) -> Self {
        let memory: &Memory = &machine.memory;
        let part = |of: Option<u64>, whole: Option<u64>| percent(of? as f64, whole? as f64);
        let buffer_cache = match (memory.buffers, memory.cached) {
            (None, None) => None,
            (buffers, cached) => Some(buffers.unwrap_or(0) + cached.unwrap_or(0)),
        };
        MemoryWire {
            total: memory.total,
            used: memory.used(),
            used_percent: part(memory.used(), memory.total),
            available: memory.available,
            buffer_cache,
            buffers: memory.buffers,
            cached: memory.cached,
            swap: SwapWire { total: memory.swap_total, used: memory.swap_used(), free: memory.swap_free },
            huge_pages: HugeWire { total: memory.huge_total, free: memory.huge_free },
            own_rss: machine.own.resident,
        }
    }
}

/// Disks and file systems.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct DiskWire {
    /// Bytes per second that all disks read.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_per_second: Option<Number>,
    /// Bytes per second that all disks wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    written_per_second: Option<Number>,
    /// Disks that store something.
    disks: Vec<OneDiskWire>,
    /// File systems on devices, and the root.
    filesystems: Vec<SpaceWire>,
}

/// What one disk does.
#[derive(Debug, Serialize, JsonSchema)]
struct OneDiskWire {
    /// Its name in the kernel: `nvme0n1`.
    name: String,
    /// Bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_per_second: Option<Number>,
    /// Bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    written_per_second: Option<Number>,
}

/// One file system, in bytes.
#[derive(Debug, Serialize, JsonSchema)]
struct SpaceWire {
    /// The device that it is on.
    device: String,
    /// Where it is mounted.
    mount: String,
    /// Its size.
    total: u64,
    /// What users without privileges may still write.
    available: u64,
    /// Percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    used_percent: Option<Number>,
}

impl DiskWire {
    pub(in crate::api) fn new(machine: &Machine) -> Self {
        let all = |of: fn(&Disk) -> f64| {
            let sum: f64 = machine.disks.iter().map(of).sum();
            number(sum).filter(|_| !machine.disks.is_empty())
        };
        let disk = |disk: &Disk| OneDiskWire {
            name: disk.name.clone(),
            read_per_second: number(disk.read),
            written_per_second: number(disk.written),
        };
        let space = |space: &Space| SpaceWire {
            device: space.device.clone(),
            mount: space.mount.clone(),
            total: space.total,
            available: space.available,
            used_percent: space.used().and_then(|used| number(used * 100.0)),
        };
        DiskWire {
            read_per_second: all(|disk| disk.read),
            written_per_second: all(|disk| disk.written),
            disks: machine.disks.iter().map(disk).collect(),
            filesystems: machine.spaces.iter().map(space).collect(),
        }
    }
}

/// Interfaces and ports.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::api) struct NetworkWire {
    /// Bytes per second received, over all interfaces but loopback and those whose traffic passes another one too.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_in_per_second: Option<Number>,
    /// Bytes per second sent, over the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_out_per_second: Option<Number>,
    /// Each interface, loopback too.
    interfaces: Vec<InterfaceWire>,
    /// Local TCP ports.
    ports: PortsWire,
}

/// What one interface does.
#[derive(Debug, Serialize, JsonSchema)]
struct InterfaceWire {
    /// Its name: `eth0`.
    name: String,
    /// Whether it leads to this machine itself.
    loopback: bool,
    /// Whether its traffic also passes another interface: bridges, bonds, tunnels, ends of containers.
    inner: bool,
    /// Bytes per second received.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_in_per_second: Option<Number>,
    /// Bytes per second sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_out_per_second: Option<Number>,
}

/// Local TCP ports.
#[derive(Debug, Serialize, JsonSchema)]
struct PortsWire {
    /// At most so many are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken: Option<u64>,
    /// So many are there for connections to one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<u64>,
}

impl NetworkWire {
    pub(in crate::api) fn new(machine: &Machine) -> Self {
        let outer = || machine.network.iter().filter(|one| !one.loopback && !one.inner);
        let all = |of: fn(&Interface) -> f64| number(outer().map(of).sum()).filter(|_| outer().next().is_some());
        let interface = |one: &Interface| InterfaceWire {
            name: one.name.clone(),
            loopback: one.loopback,
            inner: one.inner,
            bytes_in_per_second: number(one.received),
            bytes_out_per_second: number(one.sent),
        };
        NetworkWire {
            bytes_in_per_second: all(|one| one.received),
            bytes_out_per_second: all(|one| one.sent),
            interfaces: machine.network.iter().map(interface).collect(),
            ports: PortsWire { taken: machine.ports.taken, range: machine.ports.range },
        }
    }
}

/// Punk itself.
#[derive(Debug, Serialize, JsonSchema)]
struct OwnWire {
    /// Percent of the cores that the shards may use; above 100 where other threads are busy too.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<Number>,
    /// Resident memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    rss: Option<u64>,
    /// Open file descriptors.
    #[serde(skip_serializing_if = "Option::is_none")]
    fds: Option<u64>,
    /// How many may be open; absent without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    fds_limit: Option<u64>,
    /// Threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    threads: Option<u64>,
    /// How late the shards' loops run, milliseconds: 99th percentile over the last five seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    loop_lag_p99: Option<Number>,
}

/// A machine that the script observes through its `node_exporter`, at its last answer.
#[derive(Debug, Serialize, JsonSchema)]
struct ObservedWire {
    /// The name by which rules know it: the tag `host`.
    host: String,
    /// When it answered last; absent before it ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    timestamp: Option<String>,
    /// The same as run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_seconds: Option<Number>,
    /// How busy its cores are, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu: Option<Number>,
    /// How many cores it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    cores: Option<u64>,
    /// Its load average over a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    load1: Option<Number>,
    /// Its memory, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_total: Option<u64>,
    /// What of it is in use, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_used: Option<u64>,
    /// Bytes per second received.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_in_per_second: Option<Number>,
    /// Bytes per second sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_out_per_second: Option<Number>,
    /// Answers that could be read.
    scrapes: u64,
    /// Tries that came to nothing.
    failures: u64,
    /// Whether the last try came to nothing.
    failing: bool,
    /// Why the last one that did came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl SystemWire {
    pub(in crate::api) fn new(session: &Session, snapshot: &Snapshot, now: DateTime<Utc>) -> Self {
        let machine = snapshot.machine.as_deref();
        let own = |machine: &Machine| OwnWire {
            cpu: machine.own.cpu.and_then(|share| number(share * 100.0)),
            rss: machine.own.resident,
            fds: machine.own.fds,
            fds_limit: machine.own.fds_limit,
            threads: machine.own.threads,
            loop_lag_p99: snapshot.generator.recent_lag_p99.and_then(number),
        };
        SystemWire {
            timestamp: time(now),
            cpu: machine.map(CpuWire::new),
            memory: machine.map(MemoryWire::new),
            disk: machine.map(DiskWire::new),
            network: machine.map(NetworkWire::new),
            own: machine.map(own),
            observed: snapshot.observed.iter().map(|one| ObservedWire::new(session, one)).collect(),
            reason: machine.is_none().then_some(NOT_YET),
        }
    }
}

impl ObservedWire {
    fn new(session: &Session, one: &Observed) -> Self {
        ObservedWire {
            host: one.host.clone(),
            timestamp: one.at.and_then(|at| session.diary().wall(at)).map(time),
            elapsed_seconds: one.at.map(seconds),
            cpu: one.cpu.and_then(|share| number(share * 100.0)),
            cores: one.cores,
            load1: one.load1.and_then(number),
            memory_total: one.memory_total,
            memory_used: one.memory_used,
            bytes_in_per_second: one.received.and_then(number),
            bytes_out_per_second: one.sent.and_then(number),
            scrapes: one.scrapes,
            failures: one.failures,
            failing: one.failing,
            last_error: one.last_error.clone(),
        }
    }
}
