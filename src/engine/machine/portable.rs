//! What a system without `/proc` tells: CPU, memory, swap and load, by sysinfo.
//!
//! Asked by `machine` where there is no `/proc/stat`; disks and network are then not measured.

use crate::snapshot::{Machine, Memory};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, System};

/// Watches from look to look.
pub(super) struct Portable {
    system: System,
    looked: bool,
}

impl Portable {
    /// `None` where the system says nothing of itself.
    pub(super) fn new() -> Option<Self> {
        Some(Portable { system: System::new().ok()?, looked: false })
    }

    /// Fills in what is known; CPU from the second look on.
    pub(super) fn look(&mut self, machine: &mut Machine) {
        self.system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
        self.system.refresh_memory_specifics(MemoryRefreshKind::everything());
        if self.looked {
            let share = |percent: f32| (f64::from(percent) / 100.0).clamp(0.0, 1.0);
            machine.cpu = Some(share(self.system.global_cpu_usage()));
            machine.cores = self.system.cpus().iter().map(|core| share(core.usage())).collect();
        }
        self.looked = true;
        let load = System::load_average().ok();
        machine.load = load.map(|load| [load.one, load.five, load.fifteen]);
        if self.system.total_memory() > 0 {
            machine.memory = Memory {
                total: Some(self.system.total_memory()),
                available: Some(self.system.available_memory()),
                swap_total: Some(self.system.total_swap()),
                swap_free: Some(self.system.free_swap()),
                ..Memory::default()
            };
        }
    }
}
