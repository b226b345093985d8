//! `punk target`: the built-in service in the foreground.

use super::args::TargetArgs;
use super::exit::Exit;
use super::{err, out};
use crate::target::dials::parse_faults;
use crate::target::{Dials, Target, TargetOptions};

/// Serves until a signal or the given time; prints what it served.
pub fn serve(args: TargetArgs) -> Exit {
    let faults = match parse_faults(&args.faults) {
        Ok(faults) => faults,
        Err(error) => {
            err(&format!("error: {error}\n"));
            return Exit::Usage;
        }
    };
    let dials = Dials {
        latency: args.latency.unwrap_or_default(),
        error: args.errors.unwrap_or_default(),
        faults,
        stall: args.stall,
        body_rate: args.body_rate,
        ..Dials::default()
    };
    let options = TargetOptions {
        address: args.addr,
        threads: args.threads.max(1),
        tls: args.tls,
        seed: args.seed,
        log_capacity: args.log,
        dials,
        ..TargetOptions::default()
    };
    // A client with as many users as this machine allows must not find a target that allows fewer.
    super::doctor::raise_files();
    let running = match Target::start(options) {
        Ok(running) => running,
        Err(error) => {
            err(&format!("error: {error}\n"));
            return Exit::Internal;
        }
    };
    out(&format!("serving {}\n", running.url()));
    if !args.addr.ip().is_loopback() {
        err("warning: this address can be reached from other machines; the target has no access control\n");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err(&format!("error: {error}\n"));
            return Exit::Internal;
        }
    };
    runtime.block_on(async {
        let far = std::time::Duration::from_secs(86_400 * 365);
        let mut signals = match super::run::Signals::new() {
            Ok(signals) => signals,
            Err(error) => return err(&format!("error: no signals: {error}\n")),
        };
        tokio::select! {
            () = signals.stop() => {}
            () = tokio::time::sleep(args.duration.unwrap_or(far)) => {}
        }
    });
    let stats = running.stop();
    out(&format!("{}\n", serde_json::to_string(&stats).unwrap_or_default()));
    Exit::Passed
}
