//! The pool of stacks: slabs of address space cut into guarded stacks, used again and trimmed.
//!
//! `engine/` owns one pool per shard; `fiber.rs` takes stacks from it. It knows nothing of coroutines but what a stack
//! must be for them. Its `unsafe` is memory mapping; [`super`] allows it.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::net;
use crate::user::stack::{Guard, StackError, StackOptions, stack_limit};

/// Stacks that keep their pages when they come back, for the next user; deeper in the pool they are trimmed.
pub(super) const WARM: usize = 64;

/// Stacks mapped at a time; halved as long as the kernel refuses.
const SLAB: usize = 256;

/// Bytes at the end of each stack that fault: one page would do for Rust's probed frames, the rest is for foreign
/// code that does not probe. An odd number of pages, so that the tops of the stacks do not fall into one TLB set.
pub(super) fn guard_bytes() -> usize {
    5 * page_size()
}

/// `MADV_GUARD_INSTALL`, which the libc crate does not name.
#[cfg(target_os = "linux")]
const MADV_GUARD_INSTALL: libc::c_int = 102;

/// Stacks in the process that are guarded by `mprotect`.
pub(super) static MPROTECTED: AtomicUsize = AtomicUsize::new(0);

/// The stacks of one shard. Cloning shares it; it cannot leave its thread.
#[derive(Clone)]
pub struct StackPool(Rc<Arena>);

struct Arena {
    /// Usable bytes of a stack.
    bytes: usize,
    guard: Guard,
    room: RefCell<Room>,
}

#[derive(Default)]
struct Room {
    slabs: Vec<Slab>,
    /// Tops of stacks that came back, the warmest last.
    free: Vec<usize>,
    live: usize,
    quarantined: usize,
}

/// One mapping, cut into stacks from its low end.
struct Slab {
    start: usize,
    bytes: usize,
    /// Bytes cut off so far.
    cut: usize,
    /// Stacks in it guarded by `mprotect`.
    mprotected: usize,
}

/// A stack on loan from its pool.
pub(super) struct Stack {
    pub(super) top: usize,
    arena: Rc<Arena>,
    /// It overflowed: its pages go back to the kernel, but nobody gets it again, because destructors did not run and
    /// someone may still point into it.
    spoiled: bool,
}

impl StackPool {
    /// A pool with stacks of the default size and the best guard that the kernel has.
    ///
    /// # Errors
    /// The first slab of address space cannot be had or guarded.
    pub fn new() -> Result<Self, StackError> {
        Self::with_options(StackOptions::default())
    }

    /// A pool as asked for. It also installs the process's SIGSEGV net, and an alternate signal stack for this
    /// thread where it has none.
    ///
    /// # Errors
    /// The first slab of address space cannot be had or guarded.
    pub fn with_options(options: StackOptions) -> Result<Self, StackError> {
        net::install();
        let bytes = options.bytes.max(16 << 10).next_multiple_of(page_size());
        let mut slab = Slab::map(bytes + guard_bytes(), 1)?;
        let guard = match options.guard {
            Some(guard) => guard,
            None if slab.try_guard(Guard::Region) => Guard::Region,
            None => Guard::Mprotect,
        };
        drop(slab);
        let pool = Self(Rc::new(Arena { bytes, guard, room: RefCell::default() }));
        drop(pool.take()?); // the first stack shows whether the guard works
        Ok(pool)
    }

    /// Which guard protects these stacks.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.0.guard
    }

    /// Usable bytes of each stack.
    #[must_use]
    pub fn stack_bytes(&self) -> usize {
        self.0.bytes
    }

    /// Stacks on loan now.
    #[must_use]
    pub fn live(&self) -> usize {
        self.0.room.borrow().live
    }

    /// Stacks that overflowed and are out of use.
    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.0.room.borrow().quarantined
    }

    pub(super) fn take(&self) -> Result<Stack, StackError> {
        let arena = &self.0;
        let mut room = arena.room.borrow_mut();
        let top = match room.free.pop() {
            Some(top) => top,
            None => room.cut(arena.bytes, arena.guard)?,
        };
        room.live += 1;
        Ok(Stack { top, arena: Rc::clone(arena), spoiled: false })
    }
}

impl fmt::Debug for StackPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackPool").field("guard", &self.guard()).field("live", &self.live()).finish_non_exhaustive()
    }
}

impl Room {
    /// The top of a stack that was never used.
    fn cut(&mut self, bytes: usize, guard: Guard) -> Result<usize, StackError> {
        let stride = bytes + guard_bytes();
        if guard == Guard::Mprotect
            && stack_limit(guard).is_some_and(|limit| MPROTECTED.load(Ordering::Relaxed) >= limit)
        {
            return Err(StackError::too_many_mappings());
        }
        if self.slabs.last().is_none_or(|slab| slab.cut + stride > slab.bytes) {
            let slab = Slab::map(stride, SLAB)?;
            self.slabs.push(slab);
        }
        let slab = self.slabs.last_mut().expect("one was pushed just now");
        if !slab.try_guard(guard) {
            return Err(StackError::Guard { source: io::Error::last_os_error() });
        }
        slab.cut += stride;
        Ok(slab.start + slab.cut)
    }
}

impl Slab {
    /// Reserves room for `count` stacks, or for as many as the kernel allows.
    fn map(stride: usize, count: usize) -> Result<Self, StackError> {
        #[cfg(target_os = "linux")]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        #[cfg(not(target_os = "linux"))]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let bytes = stride * count;
        // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            let source = io::Error::last_os_error();
            return if count > 1 { Self::map(stride, count / 2) } else { Err(StackError::Reserve { bytes, source }) };
        }
        // A huge page would make the first frame of a user cost 2 MiB. Where the kernel has none it refuses: fine.
        #[cfg(target_os = "linux")]
        // SAFETY: advice about the mapping made above; it changes no content.
        let _ = unsafe { libc::madvise(start, bytes, libc::MADV_NOHUGEPAGE) };
        Ok(Self { start: start.addr(), bytes, cut: 0, mprotected: 0 })
    }

    /// Protects the low end of the next stack. On failure errno says why.
    fn try_guard(&mut self, guard: Guard) -> bool {
        let low = ptr::with_exposed_provenance_mut::<libc::c_void>(self.start + self.cut);
        match guard {
            #[cfg(target_os = "linux")]
            // SAFETY: the range lies in this slab, above the last stack cut from it: nobody uses it yet.
            Guard::Region => unsafe { libc::madvise(low, guard_bytes(), MADV_GUARD_INSTALL) == 0 },
            #[cfg(not(target_os = "linux"))]
            Guard::Region => false,
            Guard::Mprotect => {
                // SAFETY: as above.
                let done = unsafe { libc::mprotect(low, guard_bytes(), libc::PROT_NONE) == 0 };
                if done {
                    self.mprotected += 1;
                    MPROTECTED.fetch_add(1, Ordering::Relaxed);
                }
                done
            }
        }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and its stacks are gone: each holds an `Rc` of the arena that owns this slab.
        unsafe { libc::munmap(ptr::with_exposed_provenance_mut(self.start), self.bytes) };
        MPROTECTED.fetch_sub(self.mprotected, Ordering::Relaxed);
    }
}

impl Stack {
    pub(super) fn bytes(&self) -> usize {
        self.arena.bytes
    }

    /// It overflowed.
    pub(super) fn spoil(&mut self) {
        self.spoiled = true;
    }

    /// Lowest usable address.
    pub(super) fn limit_of_use(&self) -> usize {
        self.top - self.arena.bytes
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let mut room = self.arena.room.borrow_mut();
        if self.spoiled || room.free.len() >= WARM {
            // SAFETY: the coroutine that used it has ended. Nothing on it is alive; after an overflow what was alive
            // is lost, as `FiberError::Overflow` says.
            unsafe { discard(self.limit_of_use(), self.arena.bytes) };
        }
        room.live -= 1;
        if self.spoiled {
            room.quarantined += 1;
        } else {
            room.free.push(self.top);
        }
    }
}

// SAFETY: the range is mapped, writable above its guard, and its low end faults; it belongs to this value alone
// until it is dropped, which corosensei does after the coroutine has ended.
unsafe impl corosensei::stack::Stack for Stack {
    fn base(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.top).expect("a mapping does not end at 0")
    }

    fn limit(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.limit_of_use() - guard_bytes()).expect("a mapping does not start at 0")
    }
}

pub(super) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    match PAGE.load(Ordering::Relaxed) {
        0 => {
            // SAFETY: asks the C library for a number.
            let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            let bytes = usize::try_from(bytes).expect("the page size is positive");
            PAGE.store(bytes, Ordering::Relaxed);
            bytes
        }
        bytes => bytes,
    }
}

/// Gives pages back to the kernel; they read as zero afterwards. Guards stay.
///
/// # Safety
/// Nothing in the range is read again before it is written, and it lies in one slab.
pub(super) unsafe fn discard(start: usize, bytes: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::madvise(ptr::with_exposed_provenance_mut(start), bytes, libc::MADV_DONTNEED) };
}
