//! The last net: a SIGSEGV in the guard of a fiber's stack ends that fiber instead of the process.
//!
//! Installed by the first [`StackPool`](super::StackPool) of each thread. Any other fault goes to the handler that was
//! there before. It knows nothing of scripts: who overflowed is said by [`FiberError`](super::FiberError).

use std::ptr;
use std::sync::{Once, OnceLock};

use corosensei::trap::CoroutineTrapHandler;

use super::pool::guard_bytes;
use super::{CURRENT, End};

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler once for the process, and an alternate stack for this thread where it has none: the handler
/// cannot run on the stack that has just overflowed.
pub(super) fn install() {
    PREVIOUS.get_or_init(|| {
        // SAFETY: a zeroed `sigaction` is a valid one, and the handler has the form that SA_SIGINFO asks for.
        unsafe {
            let mut previous: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGSEGV, ptr::null(), &raw mut previous);
            previous
        }
    });
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: as above; `PREVIOUS` is set before the handler can run.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigsegv as extern "C" fn(_, _, _) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut());
        }
    });
    const ALTERNATE: usize = 64 << 10;
    // SAFETY: queries, and then sets, this thread's alternate stack to a mapping that is never unmapped.
    unsafe {
        let mut stack: libc::stack_t = std::mem::zeroed();
        libc::sigaltstack(ptr::null(), &raw mut stack);
        if stack.ss_flags & libc::SS_DISABLE != 0 {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(ptr::null_mut(), ALTERNATE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            if start != libc::MAP_FAILED {
                let stack = libc::stack_t { ss_sp: start, ss_flags: 0, ss_size: ALTERNATE };
                libc::sigaltstack(&raw const stack, ptr::null_mut());
            }
        }
    }
}

/// Runs in signal context: reads a plain thread-local, writes registers, allocates nothing.
extern "C" fn on_sigsegv(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `siginfo_t` and `ucontext_t`. `CURRENT` points to the `Core` of the fiber that
    // this thread runs, if any; a fault address inside that fiber's guard can only be its overflow.
    unsafe {
        if let Some(core) = CURRENT.get().as_ref()
            && let Some(trap) = core.trap.get()
            && (core.limit - guard_bytes()..core.limit).contains(&(*info).si_addr().addr())
            && land(&trap, context)
        {
            return;
        }
        hand_on(signal, info, context);
    }
}

/// Makes the interrupted fiber return [`End::Overflow`] when the handler returns; false where it cannot.
///
/// # Safety
/// Only in a signal handler, with the context of a fault on the stack that `trap` belongs to.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn land(trap: &CoroutineTrapHandler<End>, context: *mut libc::c_void) -> bool {
    use corosensei::trap::TrapHandlerRegs;
    // SAFETY: the kernel's context of this signal.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    if !trap.stack_ptr_in_bounds(registers[libc::REG_RSP as usize] as usize) {
        return false;
    }
    // SAFETY: the stack pointer lies in the coroutine, and all five registers are handed to the interrupted context.
    let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi } = unsafe { trap.setup_trap_handler(|| End::Overflow) };
    registers[libc::REG_RIP as usize] = rip as i64;
    registers[libc::REG_RSP as usize] = rsp as i64;
    registers[libc::REG_RBP as usize] = rbp as i64;
    registers[libc::REG_RDI as usize] = rdi as i64;
    registers[libc::REG_RSI as usize] = rsi as i64;
    true
}

/// As above, for 64-bit ARM.
///
/// # Safety
/// As above.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
unsafe fn land(trap: &CoroutineTrapHandler<End>, context: *mut libc::c_void) -> bool {
    use corosensei::trap::TrapHandlerRegs;
    // SAFETY: the kernel's context of this signal.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    if !trap.stack_ptr_in_bounds(registers.sp as usize) {
        return false;
    }
    // SAFETY: the stack pointer lies in the coroutine, and all six registers are handed to the interrupted context.
    let TrapHandlerRegs { pc, sp, x0, x1, x29, lr } = unsafe { trap.setup_trap_handler(|| End::Overflow) };
    registers.pc = pc;
    registers.sp = sp;
    registers.regs[0] = x0;
    registers.regs[1] = x1;
    registers.regs[29] = x29;
    registers.regs[30] = lr;
    true
}

/// Elsewhere an overflow ends the process, as a plain thread's does.
///
/// # Safety
/// None: it does nothing.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
unsafe fn land(_: &CoroutineTrapHandler<End>, _: *mut libc::c_void) -> bool {
    false
}

/// Not ours: the handler that was there before decides, or the default, which ends the process.
///
/// # Safety
/// Only in a signal handler, with its arguments.
unsafe fn hand_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let previous = PREVIOUS.get();
    let handler = previous.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
    let with_info = previous.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0);
    // SAFETY: the address came from `sigaction`, and SA_SIGINFO tells its form. With the default restored, the
    // faulting instruction runs again and ends the process.
    unsafe {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        } else if with_info {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(handler);
            handler(signal);
        }
    }
}
