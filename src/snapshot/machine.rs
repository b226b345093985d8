//! How busy machines are: the one that punk runs on, and those that a script observes.
//!
//! Made by the engine once a second, or once a scrape; read by whoever shows it. What was not measured is absent, never
//! zero. Shares are 0 to 1, sizes bytes, flows bytes per second over the last look.

use std::time::Duration;

/// The machine that punk runs on, and punk on it, over the last second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Machine {
    /// How busy all cores are, 0..=1, whoever uses them.
    pub cpu: Option<f64>,
    /// The share of their time that a hypervisor gave to others.
    pub steal: Option<f64>,
    /// How busy each core is; empty where the system does not say.
    pub cores: Vec<f64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Memory, swap and huge pages.
    pub memory: Memory,
    /// Disks that store something; partitions count with their disk.
    pub disks: Vec<Disk>,
    /// File systems on devices, and the root.
    pub spaces: Vec<Space>,
    /// Network interfaces, loopback too.
    pub network: Vec<Interface>,
    /// Local TCP ports.
    pub ports: Ports,
    /// Punk itself.
    pub own: Own,
    /// What this look took.
    pub took: Duration,
}

/// Memory of a machine, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total: Option<u64>,
    /// What programs can still get without swapping, caches that can be given up included.
    pub available: Option<u64>,
    /// Block buffers of the kernel.
    pub buffers: Option<u64>,
    /// The page cache, reclaimable slabs included.
    pub cached: Option<u64>,
    /// Swap space.
    pub swap_total: Option<u64>,
    /// Swap space that is free.
    pub swap_free: Option<u64>,
    /// What is set aside as huge pages.
    pub huge_total: Option<u64>,
    /// What of it nobody uses.
    pub huge_free: Option<u64>,
}

impl Memory {
    /// What is in use: all that is not available.
    pub fn used(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.available?))
    }

    /// Memory in huge pages that is in use.
    pub fn huge_used(&self) -> Option<u64> {
        Some(self.huge_total?.saturating_sub(self.huge_free?))
    }

    /// Swap space in use.
    pub fn swap_used(&self) -> Option<u64> {
        Some(self.swap_total?.saturating_sub(self.swap_free?))
    }
}

/// What a disk does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disk {
    /// Its name in the kernel: `nvme0n1`.
    pub name: String,
    /// Bytes per second read from it.
    pub read: f64,
    /// Bytes per second written to it.
    pub written: f64,
}

/// A file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Space {
    /// The device that it is on.
    pub device: String,
    /// Where it is mounted.
    pub mount: String,
    /// Its size.
    pub total: u64,
    /// What users without privileges may still write.
    pub available: u64,
}

impl Space {
    /// The share that is in use, 0..=1; `None` for one without size.
    pub fn used(&self) -> Option<f64> {
        (self.total > 0).then(|| 1.0 - self.available as f64 / self.total as f64)
    }
}

/// What a network interface does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interface {
    /// Its name: `eth0`.
    pub name: String,
    /// Whether it leads to this machine itself.
    pub loopback: bool,
    /// Whether its traffic also passes another interface of this machine: bridges, bonds, tunnels, containers' ends.
    pub inner: bool,
    /// Bytes per second received.
    pub received: f64,
    /// Bytes per second sent.
    pub sent: f64,
}

/// Local TCP ports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ports {
    /// TCP sockets that are bound or waiting for their end (`TIME_WAIT`): at most so many ports are taken. Ports may be shared
    /// by connections to different addresses.
    pub taken: Option<u64>,
    /// How many ports the system gives to outgoing connections towards one address.
    pub range: Option<u64>,
}

/// Punk's own use.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Own {
    /// CPU time as a share of the cores that the shards may use; above 1 where other threads are busy too.
    pub cpu: Option<f64>,
    /// Resident memory, bytes.
    pub resident: Option<u64>,
    /// Open file descriptors.
    pub fds: Option<u64>,
    /// How many of them may be open; `None` without limit.
    pub fds_limit: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}

/// A machine that the script observes through its Prometheus `node_exporter`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The name by which rules know it: the tag `host`.
    pub host: String,
    /// Run time of the last answer that could be read; `None` before the first.
    pub at: Option<Duration>,
    /// How busy its cores are; `None` before the second answer.
    pub cpu: Option<f64>,
    /// How many cores it has.
    pub cores: Option<u64>,
    /// Its load average over a minute.
    pub load1: Option<f64>,
    /// Its memory in all.
    pub memory_total: Option<u64>,
    /// What of it is in use.
    pub memory_used: Option<u64>,
    /// Bytes per second received, loopback and inner interfaces apart.
    pub received: Option<f64>,
    /// Bytes per second sent.
    pub sent: Option<f64>,
    /// Answers that could be read.
    pub scrapes: u64,
    /// Tries that came to nothing.
    pub failures: u64,
    /// Why the last of those came to nothing.
    pub last_error: Option<String>,
    /// Whether the last try came to nothing.
    pub failing: bool,
}
