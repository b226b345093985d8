//! The other runs of this process, as far as they concern one of them: names of threads, and whose cores these are.
//!
//! Told by the door that starts several at once; a run by itself has none. Runs share nothing else, and never meet.

/// A run's place among those that the process runs at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    /// Which of them it is, from 1 on.
    pub number: usize,
    /// Cores that all of them may use together; own CPU is measured for the process, and is a share of these.
    pub cores: usize,
}

impl Company {
    /// Among runs with so many shards in all, on a machine with so many cores.
    pub fn new(number: usize, shards_of_all: usize, cores: usize) -> Self {
        Company { number, cores: shards_of_all.min(cores).max(1) }
    }
}

/// The name of a thread: with several runs its number stands before it, `2:shard-0`. The system keeps 15 characters.
pub(super) fn thread_name(company: Option<Company>, name: &str) -> String {
    company.map_or_else(|| name.to_owned(), |company| format!("{}:{name}", company.number))
}

/// The cores that own CPU is a share of; a run by itself has one for each shard.
pub(super) fn cores(company: Option<Company>, shards: usize) -> usize {
    // Who asks for more shards than there are cores is measured by what it asked for, alone or not.
    company.map_or(shards, |company| company.cores.max(shards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_threads_tell_runs_apart_within_what_the_system_keeps() {
        let name = |number, name| thread_name(Some(Company::new(number, 4, 2)), name);
        assert_eq!([name(2, "shard-0"), thread_name(None, "asking")], ["2:shard-0", "asking"]);
        assert!(name(99, "coordinator").len() <= 15 && name(9_999, "shard-255").len() <= 15);
    }

    #[test]
    fn the_cores_are_those_that_all_shards_together_can_use() {
        let of = |shards_of_all, machine, own| cores(Some(Company::new(1, shards_of_all, machine)), own);
        assert_eq!([of(2, 8, 1), of(16, 8, 8), of(2, 1, 1), of(4, 2, 3)], [2, 8, 1, 3]);
        assert_eq!(cores(None, 3), 3);
    }
}
