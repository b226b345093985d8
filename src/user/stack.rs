//! What a stack pool is made to do and why it may refuse: plain data beside the `unsafe` of `fiber.rs`.
//!
//! Read by `engine/` (the preflight and `punk doctor` ask how many users fit) and by whoever shows a [`StackError`].
//! It maps no memory itself.

use std::io;

/// Guarded stacks that the `mprotect` fallback allows under the default `vm.max_map_count` of 65,530. Each one costs
/// two mappings; the rest is left to malloc, which fails, and hangs the process, when the mappings are used up.
pub const MPROTECT_STACKS: usize = 12_000;

const DEFAULT_MAX_MAP_COUNT: usize = 65_530;

/// Usable bytes of a stack unless asked otherwise: the worst script within the default limits needed 434 KiB in a
/// release build; debug frames are six times as large. Virtual: pages are committed as they are touched.
pub const STACK_BYTES: usize = if cfg!(debug_assertions) { 8 << 20 } else { 1 << 20 };

/// How the end of each stack is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// `madvise(MADV_GUARD_INSTALL)`, Linux 6.13 and later: costs no mapping, so the number of stacks is free.
    Region,
    /// `mprotect(PROT_NONE)`: two mappings a stack, at most [`stack_limit`] stacks in the process.
    Mprotect,
}

/// How a pool makes its stacks.
#[derive(Debug, Clone, Copy)]
pub struct StackOptions {
    /// Usable bytes per stack, rounded up to whole pages; at least 16 KiB.
    pub bytes: usize,
    /// `None`: the best that the kernel offers. Naming one is for tests and for the trial in `benches/`.
    pub guard: Option<Guard>,
}

impl Default for StackOptions {
    fn default() -> Self {
        Self { bytes: STACK_BYTES, guard: None }
    }
}

/// Why there is no stack for another user.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The kernel refused the address space.
    #[error(
        "cannot reserve {bytes} bytes of address space for user stacks ({source}): look at `ulimit -v` and at the sysctl `vm.overcommit_memory`, which must not be 2"
    )]
    Reserve {
        /// Bytes asked for, for one stack.
        bytes: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel would not protect the end of a stack.
    #[error("cannot protect the end of a user's stack: {source}")]
    Guard {
        /// What the kernel said.
        source: io::Error,
    },
    /// The `mprotect` fallback is at its limit.
    #[error(
        "no more than {limit} users fit: on this kernel each user's stack takes two memory mappings, and the sysctl `vm.max_map_count` is {max_map_count}; raise it (`sysctl -w vm.max_map_count={wanted}` doubles the users) or use Linux 6.13 or later, which has no such limit"
    )]
    TooManyMappings {
        /// Guarded stacks that may exist in the process.
        limit: usize,
        /// The sysctl's present value.
        max_map_count: usize,
        /// A value that would allow twice as many stacks.
        wanted: usize,
    },
}

impl StackError {
    pub(super) fn too_many_mappings() -> Self {
        let max_map_count = max_map_count();
        let limit = stacks_under(max_map_count);
        Self::TooManyMappings { limit, max_map_count, wanted: max_map_count + 2 * limit }
    }
}

/// How many stacks the process can have under this guard; `None` when only memory limits them.
#[must_use]
pub fn stack_limit(guard: Guard) -> Option<usize> {
    match guard {
        Guard::Region => None,
        Guard::Mprotect if cfg!(target_os = "linux") => Some(stacks_under(max_map_count())),
        Guard::Mprotect => None, // other systems do not count mappings
    }
}

/// The sysctl `vm.max_map_count`, or its usual default where it cannot be read.
fn max_map_count() -> usize {
    std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(DEFAULT_MAX_MAP_COUNT)
}

/// 12,000 at the default; two mappings per further stack above it, in proportion below it.
fn stacks_under(max_map_count: usize) -> usize {
    match max_map_count.checked_sub(DEFAULT_MAX_MAP_COUNT) {
        Some(more) => MPROTECT_STACKS.saturating_add(more / 2),
        None => max_map_count * MPROTECT_STACKS / DEFAULT_MAX_MAP_COUNT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_the_sysctl() {
        assert_eq!(stacks_under(65_530), 12_000);
        assert_eq!(stacks_under(65_530 + 24_000), 24_000);
        assert_eq!(stacks_under(32_765), 6_000);
        assert_eq!(stacks_under(0), 0);
    }

    #[test]
    fn the_refusal_names_the_sysctl_the_fix_and_the_kernel() {
        let error = StackError::TooManyMappings { limit: 12_000, max_map_count: 65_530, wanted: 89_530 };
        insta::assert_snapshot!(error, @"no more than 12000 users fit: on this kernel each user's stack takes two memory mappings, and the sysctl `vm.max_map_count` is 65530; raise it (`sysctl -w vm.max_map_count=89530` doubles the users) or use Linux 6.13 or later, which has no such limit");
    }
}
