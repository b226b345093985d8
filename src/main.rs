//! The `punk` command.

use std::process::ExitCode;

/// Faster than the system's under many small allocations, and it gives memory back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    punk::cli::main(std::env::args_os())
}
