//! The machine that punk runs on, and punk on it: looked at once a second, by a thread of its own.
//!
//! Of its own, because asking a file system how full it is may take as long as the file system likes, and the collector must
//! not wait for it. The collector is told by [`ToCollector::Looked`] and keeps what it was told under run time. The texts of
//! `/proc` are read in `proc`, compared in `sight`; a system without them is asked through `portable`.

mod portable;
pub(super) mod proc;
mod sight;
#[cfg(test)]
mod tests;

use super::collector::ToCollector;
use super::shard::panic_text;
use crate::snapshot::{Machine, Own, Ports, Space};
use portable::Portable;
use rustix::process::{Resource, getrlimit};
use sight::Counters;
use std::fs::read_to_string;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// After how many looks file systems are asked again: they fill slowly.
const SPACES: u32 = 10;
/// How long the end of a run waits for a look that has begun.
const LEAVE: Duration = Duration::from_millis(100);

/// What one look saw.
pub(super) struct Look {
    /// All of it.
    pub(super) machine: Machine,
    /// The metrics, by name; all of them are gauges.
    pub(super) samples: Vec<(&'static str, f64)>,
}

/// The thread that looks.
pub(super) struct MachineWatch {
    /// Ends it when it is dropped.
    over: Sender<()>,
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl MachineWatch {
    /// Starts it, by this name; `cores` are those that own CPU is a share of.
    pub(super) fn start(name: String, cores: usize, to_collector: Sender<ToCollector>) -> std::io::Result<Self> {
        let (over, told) = channel();
        let (ending, ended) = channel();
        let body = move || {
            watch(cores, &to_collector, &told);
            drop(ending);
        };
        let thread = thread::Builder::new().name(name).spawn(body)?;
        Ok(MachineWatch { over, ended, thread })
    }

    /// Ends it; why it panicked, if it did. One that waits for a file system is left behind: it holds nothing of the run.
    pub(super) fn end(self) -> Option<String> {
        drop(self.over);
        match self.ended.recv_timeout(LEAVE) {
            Err(RecvTimeoutError::Timeout) => None,
            _ => self.thread.join().err().map(|panic| panic_text(&*panic)),
        }
    }
}

fn watch(cores: usize, to_collector: &Sender<ToCollector>, over: &Receiver<()>) {
    let mut eye = Eye::new(cores);
    let mut due = Instant::now();
    loop {
        if let Some(look) = eye.look(Instant::now())
            && to_collector.send(ToCollector::Looked(Box::new(look))).is_err()
        {
            return;
        }
        // What was missed is not made up for.
        due = (due + EVERY).max(Instant::now());
        if over.recv_timeout(due.saturating_duration_since(Instant::now())) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// What looks, with what it saw last.
struct Eye {
    cores: usize,
    last: Option<(Instant, Counters)>,
    looks: u32,
    spaces: Vec<Space>,
    /// Where there is no `/proc`.
    portable: Option<Portable>,
}

impl Eye {
    fn new(cores: usize) -> Self {
        let portable = if read_to_string("/proc/stat").is_err() { Portable::new() } else { None };
        Eye { cores, last: None, looks: 0, spaces: Vec::new(), portable }
    }

    /// What there is to see now; nothing the first time, because shares and flows lie between two looks.
    fn look(&mut self, now: Instant) -> Option<Look> {
        let text = |path: &str| read_to_string(path).unwrap_or_default();
        let mut machine = Machine { own: own(), ports: ports(), ..Machine::default() };
        let (all, cores) = proc::cpu(&text("/proc/stat"));
        let counters = Counters {
            all,
            cores,
            network: proc::interfaces(&text("/proc/net/dev")),
            disks: proc::disks(&text("/proc/diskstats")),
            own: super::health::cpu_time(),
        };
        match &mut self.portable {
            Some(portable) => portable.look(&mut machine),
            None => {
                machine.memory = proc::memory(&text("/proc/meminfo"));
                machine.load = proc::load(&text("/proc/loadavg"));
            }
        }
        if self.looks.is_multiple_of(SPACES) {
            self.spaces = spaces(&text("/proc/self/mounts"));
        }
        self.looks = self.looks.wrapping_add(1);
        machine.spaces.clone_from(&self.spaces);
        let (then, before) = self.last.replace((now, counters))?;
        let (_, counters) = self.last.as_ref()?;
        let (cpu, cores) = (machine.cpu, std::mem::take(&mut machine.cores));
        let flows = sight::compare(&mut machine, &before, counters, now.duration_since(then), self.cores);
        if self.portable.is_some() {
            (machine.cpu, machine.cores) = (cpu, cores);
        }
        machine.took = now.elapsed();
        let samples = sight::samples(&machine, &flows);
        Some(Look { machine, samples })
    }
}

fn own() -> Own {
    let stat = read_to_string("/proc/self/stat").ok();
    Own {
        cpu: None,
        resident: super::health::resident(),
        fds: open_files(),
        fds_limit: getrlimit(Resource::Nofile).current,
        threads: stat.as_deref().and_then(proc::own).map(|(_, threads)| threads),
    }
}

/// Open file descriptors of this process. Since Linux 6.2 the folder's size is their number (proc_pid_fd(5)); before, and with
/// many connections that takes a while, they are counted.
fn open_files() -> Option<u64> {
    let size = std::fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64) }
}

fn ports() -> Ports {
    let sockets = |path: &str| read_to_string(path).ok().and_then(|text| proc::tcp_sockets(&text));
    // Those that wait for their end are counted once, with version 4.
    let (four, six) = (sockets("/proc/net/sockstat"), sockets("/proc/net/sockstat6"));
    let taken = four.map(|four| four.saturating_add(six.unwrap_or(0)));
    Ports { taken, range: local_ports().map(|(low, high)| high - low + 1) }
}

/// The ports that the system gives to outgoing connections, the first and the last; `None` where it does not say.
pub fn local_ports() -> Option<(u64, u64)> {
    proc::port_range(&read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?)
}

/// Memory that programs can still get without swapping, in bytes; `None` where the system does not say.
pub fn available_memory() -> Option<u64> {
    proc::memory(&read_to_string("/proc/meminfo").ok()?).available
}

#[cfg(target_os = "linux")]
fn spaces(mounts: &str) -> Vec<Space> {
    let of = |(device, mount): (String, String)| {
        let found = rustix::fs::statvfs(mount.as_str()).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        let (total, available) = (bytes(found.f_blocks), bytes(found.f_bavail));
        (total > 0).then_some(Space { device, mount, total, available })
    };
    proc::mounts(mounts).into_iter().filter_map(of).collect()
}

#[cfg(not(target_os = "linux"))]
fn spaces(_: &str) -> Vec<Space> {
    Vec::new()
}
