//! What Linux tells in `/proc`, read from its texts (proc(5)): counters and levels of one moment.
//!
//! Pure: texts in, numbers out. A line that is not as expected is passed over, and what is then unknown is absent; nothing
//! here can fail. Two moments become shares and flows in `sight`.

use crate::snapshot::Memory;
use std::time::Duration;

/// Time of a core, or of all, in ticks since the machine started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    /// Neither idle nor waiting for a disk.
    pub(super) busy: u64,
    /// Of these: given to other machines by a hypervisor.
    pub(super) stolen: u64,
    /// All.
    pub(super) total: u64,
}

/// Two counters of bytes under a name: in and out of an interface, read from and written to a disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) name: String,
    pub(super) taken: u64,
    pub(super) given: u64,
}

/// `/proc/stat`: all cores together, and each.
pub(super) fn cpu(text: &str) -> (Option<Ticks>, Vec<Ticks>) {
    let mut all = None;
    let mut cores = Vec::new();
    // They stand first, before lines that may be very long.
    for line in text.lines().take_while(|line| line.starts_with("cpu")) {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        // user nice system idle iowait irq softirq steal; guests are within user and nice.
        let mut fields = [0u64; 8];
        let mut seen = 0;
        for (field, word) in fields.iter_mut().zip(words) {
            let Ok(number) = word.parse() else { break };
            *field = number;
            seen += 1;
        }
        if seen < 4 {
            continue;
        }
        let total = fields.iter().fold(0u64, |sum, field| sum.saturating_add(*field));
        let idle = fields[3].saturating_add(fields[4]);
        let ticks = Ticks { busy: total.saturating_sub(idle), stolen: fields[7], total };
        if name == "cpu" {
            all = Some(ticks);
        } else {
            cores.push(ticks);
        }
    }
    (all, cores)
}

/// `/proc/loadavg`.
pub(super) fn load(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_ascii_whitespace().map(|word| word.parse::<f64>().ok().filter(|load| load.is_finite()));
    Some([words.next()??, words.next()??, words.next()??])
}

/// `/proc/meminfo`.
pub(super) fn memory(text: &str) -> Memory {
    let mut memory = Memory::default();
    let (mut cached, mut reclaimable, mut pages, mut free, mut size) = (None, None, None, None, None);
    for line in text.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let number = rest.split_ascii_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        let bytes = number.map(|kib| kib.saturating_mul(1024));
        match name {
            "MemTotal" => memory.total = bytes,
            "MemAvailable" => memory.available = bytes,
            "Buffers" => memory.buffers = bytes,
            "Cached" => cached = bytes,
            "SReclaimable" => reclaimable = bytes,
            "SwapTotal" => memory.swap_total = bytes,
            "SwapFree" => memory.swap_free = bytes,
            "HugePages_Total" => pages = number,
            "HugePages_Free" => free = number,
            "Hugepagesize" => size = bytes,
            _ => {}
        }
    }
    memory.cached = cached.map(|cached| cached.saturating_add(reclaimable.unwrap_or(0)));
    let huge = |count: Option<u64>| Some(count?.saturating_mul(size?));
    (memory.huge_total, memory.huge_free) = (huge(pages), huge(free));
    memory
}

/// `/proc/net/dev`: bytes received and sent by interface.
pub(super) fn interfaces(text: &str) -> Vec<Bytes> {
    let read = |line: &str| {
        let (name, rest) = line.rsplit_once(':')?;
        let mut words = rest.split_ascii_whitespace();
        let taken = words.next()?.parse().ok()?;
        let given = words.nth(7)?.parse().ok()?;
        Some(Bytes { name: name.trim().to_owned(), taken, given })
    };
    text.lines().filter_map(read).collect()
}

/// Whether the traffic of an interface also passes another one of the same machine, by the names that are usual: it would count
/// twice.
pub(in crate::engine) fn is_inner(name: &str) -> bool {
    const INNER: [&str; 18] = [
        "veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "ifb", "bond", "team", "dummy", "tun", "tap", "wg",
        "lxc", "vnet", "podman", "cilium",
    ];
    INNER.iter().any(|start| name.starts_with(start)) || name.contains('.')
}

/// `/proc/diskstats`: bytes read from and written to whole disks that store something.
pub(super) fn disks(text: &str) -> Vec<Bytes> {
    /// The unit of this file, whatever the disk's own (Documentation/admin-guide/iostats.rst of Linux).
    const SECTOR: u64 = 512;
    const NONE: [&str; 7] = ["loop", "ram", "zram", "dm-", "md", "sr", "fd"];
    let read = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let name = words.next()?;
        let taken: u64 = words.nth(2)?.parse().ok()?;
        let given: u64 = words.nth(3)?.parse().ok()?;
        let bytes = |sectors: u64| sectors.saturating_mul(SECTOR);
        Some(Bytes { name: name.to_owned(), taken: bytes(taken), given: bytes(given) })
    };
    let all: Vec<Bytes> = text.lines().filter_map(read).collect();
    let stores = |disk: &&Bytes| !NONE.iter().any(|start| disk.name.starts_with(start));
    let part = |name: &str| all.iter().any(|disk| is_part(name, &disk.name));
    all.iter().filter(stores).filter(|disk| !part(&disk.name)).cloned().collect()
}

/// Whether `sda1` is a partition of `sda`, `nvme0n1p2` one of `nvme0n1`.
fn is_part(name: &str, disk: &str) -> bool {
    let Some(rest) = name.strip_prefix(disk) else { return false };
    let after_digit = disk.ends_with(|letter: char| letter.is_ascii_digit());
    let number = if after_digit { rest.strip_prefix('p') } else { Some(rest) };
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// `/proc/self/mounts`: devices and where they are mounted, each device once; the root in any case.
pub(super) fn mounts(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let (Some(device), Some(mount)) = (words.next(), words.next()) else { continue };
        let stores = device.starts_with("/dev/") && !device.starts_with("/dev/loop");
        let (device, mount) = (unescaped(device), unescaped(mount));
        if (stores || mount == "/") && !found.iter().any(|(known, _)| *known == device) {
            // What is mounted later hides what was there.
            found.retain(|(_, at)| *at != mount);
            found.push((device, mount));
        }
    }
    found
}

/// Spaces and the like are written `\040`.
fn unescaped(word: &str) -> String {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'\\').then(|| after.get(..3)).flatten();
        let code = code.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `/proc/net/sockstat` or `sockstat6`: TCP sockets in use, and those that wait for their end.
pub(super) fn tcp_sockets(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP:").or_else(|| line.strip_prefix("TCP6:")))?;
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let of = |name: &str| words.chunks(2).find(|pair| pair[0] == name)?.get(1)?.parse::<u64>().ok();
    Some(of("inuse")?.saturating_add(of("tw").unwrap_or(0)))
}

/// `/proc/sys/net/ipv4/ip_local_port_range`: the first and the last port.
pub(super) fn port_range(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace().map(|word| word.parse().ok());
    let (low, high) = (words.next()??, words.next()??);
    (low <= high).then_some((low, high))
}

/// `/proc/self/stat`: CPU time of all threads, in steps of 10 ms, and how many threads there are.
pub(in crate::engine) fn own(text: &str) -> Option<(Duration, u64)> {
    // The name stands in parentheses and may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()?.saturating_add(fields.next()?.parse().ok()?);
    let threads = fields.nth(4)?.parse().ok()?;
    Some((Duration::from_millis(ticks.saturating_mul(10)), threads))
}
