//! How busy this machine is, and punk on it: the metrics `system_…` and `punk_…` that rules can read.
//!
//! Sampled by the collector, once a second whatever its tick. What `health` knows already is taken from there.

use super::health::cpu_time;
use crate::snapshot::Generator;
use std::time::{Duration, Instant};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

/// How often; a tick that is so much early counts.
const EVERY: Duration = Duration::from_millis(950);

/// Watches the machine from second to second.
pub(super) struct MachineLoad {
    shards: usize,
    /// `None` where the system says nothing of itself.
    system: Option<System>,
    last: Option<(Instant, Option<Duration>)>,
}

impl MachineLoad {
    pub(super) fn new(shards: usize) -> Self {
        MachineLoad { shards, system: System::new().ok(), last: None }
    }

    /// The metrics of this second, by name; nothing before it is over, and nothing of what the system does not say.
    pub(super) fn sample(&mut self, now: Instant, generator: &Generator) -> Vec<(&'static str, f64)> {
        let since = self.last.map(|(then, _)| now.duration_since(then));
        if since.is_some_and(|since| since < EVERY) {
            return Vec::new();
        }
        if let Some(system) = &mut self.system {
            system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        }
        let used = cpu_time();
        let before = self.last.replace((now, used)).and_then(|(_, before)| before);
        // What is counted between two looks says nothing at the first.
        let Some(since) = since else { return Vec::new() };
        let own = used.zip(before).map(|(used, before)| used.saturating_sub(before).as_secs_f64());
        let cores = self.shards.max(1) as f64;
        let system = self.system.as_ref();
        let memory = system.filter(|system| system.total_memory() > 0);
        let metrics = [
            ("system_cpu", system.map(|system| f64::from(system.global_cpu_usage()) / 100.0)),
            ("system_memory_used", memory.map(|system| system.used_memory() as f64)),
            ("system_memory_available", memory.map(|system| system.available_memory() as f64)),
            ("system_load1", System::load_average().ok().map(|load| load.one)),
            ("punk_cpu", own.map(|own| own / (since.as_secs_f64() * cores))),
            ("punk_memory", generator.resident.map(|bytes| bytes as f64)),
            ("punk_fds", open_files().map(|files| files as f64)),
            ("punk_loop_lag_p99", generator.recent_lag_p99),
            ("punk_lateness_p99", generator.recent_lateness_p99),
        ];
        metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Open file descriptors of this process. Since Linux 6.2 the folder's size is their number (proc_pid_fd(5)); before, and with
/// many connections that takes a while, they are counted.
fn open_files() -> Option<u64> {
    let size = std::fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir("/proc/self/fd").ok()?.count() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{MetricKind, built_in};

    #[test]
    fn samples_once_a_second_and_only_what_is_declared() {
        let mut load = MachineLoad::new(2);
        let generator = Generator {
            resident: Some(5 << 20),
            recent_lag_p99: Some(0.5),
            recent_lateness_p99: Some(0.25),
            ..Generator::default()
        };
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert!(load.sample(at(0), &generator).is_empty(), "nothing to compare with");
        assert!(load.sample(at(500), &generator).is_empty());
        let sampled = load.sample(at(1_000), &generator);
        assert!(load.sample(at(1_500), &generator).is_empty());
        for (name, value) in &sampled {
            assert_eq!(built_in(name).map(|def| def.kind), Some(MetricKind::Gauge), "{name}");
            assert!(value.is_finite() && *value >= 0.0, "{name}: {value}");
        }
        let of = |name| sampled.iter().find(|(metric, _)| *metric == name).map(|(_, value)| *value);
        assert_eq!(of("punk_memory"), Some(f64::from(5 << 20)));
        assert_eq!(of("punk_loop_lag_p99"), Some(0.5));
        assert!(of("system_cpu").is_some_and(|share| (0.0..=1.0).contains(&share)), "{sampled:?}");
        if cfg!(target_os = "linux") {
            assert_eq!(sampled.len(), 9, "{sampled:?}");
            assert!(of("punk_fds").is_some_and(|files| files >= 3.0));
        }
    }

    #[test]
    fn every_metric_of_the_machine_is_sampled() {
        let declared = crate::metrics::BUILT_IN.iter().map(|def| &*def.name);
        let declared = declared.filter(|name| name.starts_with("system_") || name.starts_with("punk_"));
        assert_eq!(declared.count(), 9);
    }
}
