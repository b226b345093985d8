//! `punk doctor`: this machine's limits, what they allow, and the command that raises them. Also the check before a run.

use super::args::DoctorArgs;
use super::exit::Exit;
use super::out;
use crate::engine::{available_memory, local_ports};
use crate::user::{Guard, StackPool, stack_limit};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt::Write;

/// File descriptors that are ours: stdio, listeners, epoll, the monitor's reserve.
const OWN_FDS: u64 = 64;

/// One limit as found.
struct Finding {
    what: String,
    found: String,
    /// What is wrong for this many users, and the fix; `None` when it suffices.
    problem: Option<(String, String)>,
}

/// Raises the soft limit of file descriptors to the hard one; the limit now.
pub fn raise_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Refused in some sandboxes; then the soft limit holds.
    let now = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    now.unwrap_or(u64::MAX)
}

/// What stands in the way of `users` users, each with its problem and fix; empty when nothing does.
pub fn preflight(users: u64) -> Vec<(String, String)> {
    findings(users).into_iter().filter_map(|finding| finding.problem).collect()
}

/// Prints all findings.
pub fn doctor(args: &DoctorArgs) -> Exit {
    let users = u64::from(args.users);
    let mut text = format!("punk {} on this machine, for {users} users\n\n", env!("CARGO_PKG_VERSION"));
    let findings = findings(users);
    for finding in &findings {
        let mark = if finding.problem.is_none() { "ok " } else { "!! " };
        let _ = writeln!(text, "{mark} {:<18} {}", finding.what, finding.found);
        if let Some((problem, fix)) = &finding.problem {
            let _ = writeln!(text, "      {problem}\n      fix: {fix}");
        }
    }
    out(&text);
    if findings.iter().all(|finding| finding.problem.is_none()) { Exit::Passed } else { Exit::Internal }
}

fn findings(users: u64) -> Vec<Finding> {
    vec![files(users), stacks(users), ports(users), memory(users), processors()]
}

fn files(users: u64) -> Finding {
    let limit = raise_files();
    let needed = users + OWN_FDS;
    let problem = (limit < needed).then(|| {
        let text =
            format!("{users} users with one connection each need {needed} file descriptors, and {limit} may be opened");
        (text, format!("`ulimit -n {needed}`, or `nofile` in /etc/security/limits.conf"))
    });
    Finding { what: "file descriptors".to_owned(), found: limit.to_string(), problem }
}

fn stacks(users: u64) -> Finding {
    let guard = StackPool::new().map(|pool| pool.guard());
    let (found, limit) = match guard {
        Ok(Guard::Region) => ("guarded without mappings (MADV_GUARD_INSTALL)".to_owned(), None),
        Ok(guard) => {
            let limit = stack_limit(guard);
            let at_most = limit.map_or("any number".to_owned(), |limit| format!("at most {limit}"));
            (format!("guarded by mprotect, {at_most}"), limit)
        }
        Err(error) => {
            let text = error.to_string();
            let fix =
                "see the message; `ulimit -v unlimited` and `sysctl vm.overcommit_memory=0` are what usually helps";
            return Finding {
                what: "user stacks".to_owned(),
                found: "none".to_owned(),
                problem: Some((text, fix.to_owned())),
            };
        }
    };
    let problem = limit.filter(|limit| (*limit as u64) < users).map(|limit| {
        let text = format!("this kernel allows {limit} guarded stacks, and {users} users need one each");
        (text, "Linux 6.13 or later, or `sysctl -w vm.max_map_count=1048576`".to_owned())
    });
    Finding { what: "user stacks".to_owned(), found, problem }
}

fn ports(users: u64) -> Finding {
    let Some((low, high)) = local_ports() else {
        return Finding { what: "local ports".to_owned(), found: "unknown".to_owned(), problem: None };
    };
    let ports = high - low + 1;
    let problem = (ports < users).then(|| {
        let text = format!("{users} connections to one address need as many local ports, and there are {ports}");
        (text, "`sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"`, or several `source_ips`".to_owned())
    });
    Finding { what: "local ports".to_owned(), found: format!("{low}-{high}: {ports} to one address"), problem }
}

/// What a user with one open connection holds, about; measured in docs/performance.md.
const BYTES_PER_USER: u64 = 40 << 10;

fn memory(users: u64) -> Finding {
    let Some(available) = available_memory() else {
        return Finding { what: "memory".to_owned(), found: "unknown".to_owned(), problem: None };
    };
    let needed = users * BYTES_PER_USER;
    let problem = (needed > available).then(|| {
        let text = format!("{users} users hold about {} MiB, and {} MiB are available", needed >> 20, available >> 20);
        (text, "fewer users, or a larger machine".to_owned())
    });
    Finding { what: "memory".to_owned(), found: format!("{} MiB available", available >> 20), problem }
}

fn processors() -> Finding {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    Finding { what: "processors".to_owned(), found: format!("{count}, a shard on each"), problem: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_users_fit_everywhere_and_absurdly_many_nowhere() {
        assert_eq!(preflight(10), []);
        let problems = preflight(4_000_000_000);
        assert!(
            problems.iter().any(|(problem, fix)| problem.contains("file descriptors") && fix.contains("ulimit -n"))
        );
        assert!(problems.iter().any(|(problem, fix)| problem.contains("local ports") && fix.contains("sysctl")));
    }
}
