//! Texts of `/proc` from real machines, two moments of an invented one, and this one.

use super::proc::{self, Bytes, Ticks};
use super::sight::{Counters, Flow, compare, samples};
use super::*;
use crate::metrics::{BUILT_IN, MetricKind, built_in};
use crate::snapshot::Memory;
use proptest::prelude::*;

const STAT: &str = "\
cpu  2255 34 2290 22625563 6290 127 456 80 11 22
cpu0 1132 34 1441 11311718 3675 127 438 50 11 0
cpu1 1123 0 849 11313845 2614 0 18 30 0 22
cpu2 broken
intr 114930548 113199788 3 0 5 263 0 4
ctxt 1990473
";

const MEMINFO: &str = "\
MemTotal:       24684084 kB
MemFree:         5689320 kB
MemAvailable:   23642796 kB
Buffers:          115696 kB
Cached:         17667352 kB
SwapCached:            0 kB
SwapTotal:       2097148 kB
SwapFree:        2097000 kB
SReclaimable:     621604 kB
HugePages_Total:       8
HugePages_Free:        3
Hugepagesize:       2048 kB
";

const NET: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 429150308045 594254891    0 11455    0     0          0         0 429150308045 594254891    0    0    0     0       0          0
  eth0: 972099390   50902    0    0    0     0          0         0  3731582   31023    0    0    0     0       0          0
docker0:77 1 0 0 0 0 0 0 88 1 0 0 0 0 0 0
";

const DISKS: &str = "\
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 4078393 106356 192372402 4373933 425650 963699 620628720 3148205 0 454528 7693592 701799 58 559528360 166493 26569 4960
 254       1 vda1 1 1 1 1 1 1 1 1 0 1 1
 259       0 nvme0n1 100 0 2000 5 50 0 1000 3 0 7 8
 259       1 nvme0n1p1 90 0 1900 5 50 0 1000 3 0 7 8
 253       0 dm-0 90 0 1900 5 50 0 1000 3 0 7 8
";

const MOUNTS: &str = "\
proc /proc proc rw,relatime 0 0
overlay / overlay rw 0 0
/dev/vda /etc/hosts ext4 rw 0 0
/dev/vda /data ext4 rw 0 0
/dev/sdb1 /mnt/two\\040words ext4 rw 0 0
/dev/loop3 /snap squashfs ro 0 0
tmpfs /dev/shm tmpfs rw 0 0
";

fn bytes(name: &str, taken: u64, given: u64) -> Bytes {
    Bytes { name: name.to_owned(), taken, given }
}

#[test]
fn texts_of_proc_are_read() {
    let (all, cores) = proc::cpu(STAT);
    assert_eq!(all, Some(Ticks { busy: 5_242, stolen: 80, total: 22_637_095 }));
    assert_eq!(cores.len(), 2, "{cores:?}");
    assert_eq!(proc::load("0.20 0.18 0.12 1/80 11206\n"), Some([0.20, 0.18, 0.12]));
    let kib = |kib: u64| Some(kib << 10);
    let memory = proc::memory(MEMINFO);
    assert_eq!(
        memory,
        Memory {
            total: kib(24_684_084),
            available: kib(23_642_796),
            buffers: kib(115_696),
            cached: kib(17_667_352 + 621_604),
            swap_total: kib(2_097_148),
            swap_free: kib(2_097_000),
            huge_total: kib(8 * 2_048),
            huge_free: kib(3 * 2_048),
        }
    );
    assert_eq!((memory.used(), memory.swap_used()), (kib(1_041_288), kib(148)));
    let network = [
        bytes("lo", 429_150_308_045, 429_150_308_045),
        bytes("eth0", 972_099_390, 3_731_582),
        bytes("docker0", 77, 88),
    ];
    assert_eq!(proc::interfaces(NET), network);
    let disks = [bytes("vda", 192_372_402 * 512, 620_628_720 * 512), bytes("nvme0n1", 2_000 * 512, 1_000 * 512)];
    assert_eq!(proc::disks(DISKS), disks, "whole disks only");
    let mounts = [("overlay", "/"), ("/dev/vda", "/etc/hosts"), ("/dev/sdb1", "/mnt/two words")];
    assert_eq!(proc::mounts(MOUNTS), mounts.map(|(device, mount)| (device.to_owned(), mount.to_owned())));
    let sockets = "sockets: used 18\nTCP: inuse 5 orphan 0 tw 37 alloc 6 mem 356\nUDP: inuse 9 mem 0\n";
    assert_eq!(proc::tcp_sockets(sockets), Some(42));
    assert_eq!(proc::tcp_sockets("TCP6: inuse 3\nUDP6: inuse 1\n"), Some(3));
    assert_eq!(proc::port_range("32768\t60999\n"), Some((32_768, 60_999)));
    let own = "4711 (a b) c) S 1 2 3 4 5 6 7 8 9 10 120 30 0 0 20 0 9 0 12345 6 7";
    assert_eq!(proc::own(own), Some((Duration::from_millis(1_500), 9)));
}

#[test]
fn texts_that_are_none_say_nothing() {
    for text in ["", "\n", "cpu", "cpu x y z", "TCP:", "a:", "MemTotal", "1 2", ")", "\\"] {
        assert_eq!(proc::cpu(text), (None, Vec::new()));
        assert_eq!((proc::load(text), proc::memory(text)), (None, Memory::default()), "{text:?}");
        assert!(proc::interfaces(text).is_empty() && proc::disks(text).is_empty() && proc::mounts(text).is_empty());
        assert_eq!((proc::tcp_sockets(text), proc::own(text)), (None, None), "{text:?}");
    }
    assert_eq!(proc::port_range("9 3"), None);
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "(cpu|TCP:|eth0:|MemTotal:|/dev/a /|1 0 sda)[ 0-9a-zé\\\\:/\n()-]{0,120}") {
        let (_, cores) = proc::cpu(&text);
        prop_assert!(cores.iter().all(|core| core.busy <= core.total));
        let _ = (proc::load(&text), proc::memory(&text), proc::interfaces(&text), proc::disks(&text));
        let _ = (proc::mounts(&text), proc::tcp_sockets(&text), proc::port_range(&text), proc::own(&text));
    }
}

#[test]
fn two_moments_become_shares_and_flows() {
    let ticks = |busy, stolen, total| Ticks { busy, stolen, total };
    let before = Counters {
        all: Some(ticks(100, 10, 1_000)),
        cores: vec![ticks(50, 0, 500), ticks(50, 0, 500)],
        network: vec![bytes("lo", 5, 5), bytes("eth0", 100, 100), bytes("docker0", 0, 0), bytes("eth1", 9, 9)],
        disks: vec![bytes("sda", 1_000, 1_000)],
        own: Some(Duration::from_secs(1)),
    };
    let now = Counters {
        all: Some(ticks(250, 30, 1_200)),
        cores: vec![ticks(150, 0, 600), ticks(100, 0, 600)],
        network: vec![bytes("lo", 405, 405), bytes("eth0", 300, 1_100), bytes("docker0", 9, 9), bytes("eth1", 1, 1)],
        disks: vec![bytes("sda", 3_000, 1_000), bytes("sdb", 7, 7)],
        own: Some(Duration::from_secs(2)),
    };
    let mut machine = Machine::default();
    let flows = compare(&mut machine, &before, &now, Duration::from_secs(2), 2);
    assert_eq!((machine.cpu, machine.steal), (Some(0.75), Some(0.1)));
    assert_eq!(machine.cores, [1.0, 0.5]);
    assert_eq!(machine.own.cpu, Some(0.25), "half a second each second, of two cores");
    assert_eq!(flows.network, Some(Flow { taken: 100.0, given: 500.0 }), "what leads out, and did not begin anew");
    assert_eq!(flows.loopback, Some(Flow { taken: 200.0, given: 200.0 }));
    assert_eq!(flows.disks, Some(Flow { taken: 1_000.0, given: 0.0 }));
    let names: Vec<_> = machine.network.iter().map(|it| (it.name.as_str(), it.loopback, it.inner)).collect();
    assert_eq!(names, [("lo", true, false), ("eth0", false, false), ("docker0", false, true)]);
    let sampled = samples(&machine, &flows);
    let of = |name| sampled.iter().find(|(metric, _)| *metric == name).map(|(_, value)| *value);
    assert_eq!((of("system_cpu"), of("system_cpu_busiest")), (Some(0.75), Some(1.0)));
    assert_eq!((of("system_network_sent"), of("system_disk_read")), (Some(500.0), Some(1_000.0)));
    assert_eq!(of("system_load1"), None, "what was not measured is no sample");
}

#[test]
fn counters_that_stand_or_go_backwards_say_nothing() {
    let all = |total| Counters { all: Some(Ticks { busy: total, stolen: 0, total }), ..Counters::default() };
    for (before, now, seconds) in [(5, 5, 1), (9, 5, 1), (5, 5, 0)] {
        let mut machine = Machine::default();
        let flows = compare(&mut machine, &all(before), &all(now), Duration::from_secs(seconds), 0);
        assert_eq!((machine.cpu, flows.network), (None, None), "{before} {now}");
    }
}

#[test]
fn this_machine_is_looked_at() {
    let mut eye = Eye::new(2);
    assert!(eye.look(Instant::now()).is_none(), "nothing to compare with");
    thread::sleep(Duration::from_millis(60));
    let look = eye.look(Instant::now()).expect("the second look compares");
    for (name, value) in &look.samples {
        assert_eq!(built_in(name).map(|def| def.kind), Some(MetricKind::Gauge), "{name}");
        assert!(value.is_finite() && *value >= 0.0, "{name}: {value}");
    }
    let machine = &look.machine;
    if cfg!(target_os = "linux") {
        assert!(machine.memory.used().is_some() && machine.load.is_some(), "{machine:?}");
        assert!(machine.own.fds.is_some_and(|files| files >= 3), "{machine:?}");
        assert!(machine.own.threads.is_some_and(|threads| threads >= 2), "{machine:?}");
        assert!(machine.own.resident.is_some_and(|bytes| bytes > 100_000), "{machine:?}");
        assert!(!machine.spaces.is_empty(), "{machine:?}");
        assert!(machine.spaces.iter().filter_map(Space::used).all(|used| (0.0..=1.0).contains(&used)), "{machine:?}");
    }
}

#[test]
fn every_metric_of_the_machine_is_sampled_somewhere() {
    let whole = Machine {
        cpu: Some(0.0),
        steal: Some(0.0),
        cores: vec![0.0],
        load: Some([0.0; 3]),
        memory: proc::memory(MEMINFO),
        spaces: vec![Space { device: "a".to_owned(), mount: "/".to_owned(), total: 4, available: 1 }],
        ports: Ports { taken: Some(1), range: None },
        own: Own { cpu: Some(0.0), resident: Some(1), fds: Some(1), fds_limit: None, threads: Some(1) },
        ..Machine::default()
    };
    let flow = Some(Flow::default());
    let sampled = samples(&whole, &sight::Flows { network: flow, loopback: flow, disks: flow });
    let names =
        sampled.iter().map(|(name, _)| *name).chain(["punk_loop_lag_p99", "punk_lateness_p99", "system_cpu_core"]);
    let mut names: Vec<&str> = names.collect();
    let declared = BUILT_IN.iter().map(|def| &*def.name);
    let mut declared: Vec<&str> =
        declared.filter(|name| name.starts_with("system_") || name.starts_with("punk_")).collect();
    names.sort_unstable();
    declared.sort_unstable();
    assert_eq!(names, declared);
}

#[test]
fn a_system_without_proc_is_asked_otherwise() {
    let mut portable = Portable::new().expect("this system says something");
    let mut machine = Machine::default();
    portable.look(&mut machine);
    assert!(machine.cpu.is_none(), "nothing to compare with");
    thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
    portable.look(&mut machine);
    assert!(machine.cpu.is_some_and(|share| (0.0..=1.0).contains(&share)), "{machine:?}");
    assert!(machine.memory.total.is_some_and(|bytes| bytes > 0) && !machine.cores.is_empty(), "{machine:?}");
}

#[test]
fn what_stops_the_thread_ends_it() {
    let (to_collector, collector) = channel();
    let watch = MachineWatch::start("machine".to_owned(), 1, to_collector).expect("a thread");
    assert_eq!(watch.end(), None);
    drop(collector);
}
