//! The engine: threads that turn a Plan into load and samples into Snapshots. Nothing else of the crate spawns threads.
//!
//! ```text
//! coordinator ──orders──> shard 0..n-1 ──Delta each tick──> collector ──watch──> Arc<Snapshot>
//!      ^                     │  events                          │ judge
//!      └─────Command─────────┴──────────────────────────────────┘
//! ```
//! Nobody above may reach a shard: windows read Snapshots and send Commands.

mod answers;
mod arrivals;
mod asking;
mod beside;
mod by_code;
mod changes;
mod chronicle;
mod code;
mod collecting;
mod collector;
mod company;
mod connections;
mod coordinator;
mod drive;
mod gate;
mod graph;
mod health;
mod interlude;
mod judge;
mod lead;
mod ledger;
mod life;
mod load_of_thread;
mod lookouts;
mod machine;
mod observer;
mod order;
mod prints;
mod reactions;
mod recent;
mod reload;
mod resident;
mod revisions;
mod rollback;
mod run;
mod shard;
mod sightings;
mod stack;
mod standing;
mod steering;
#[cfg(test)]
mod tests;
mod wake;
mod window;

pub use beside::{Beside, beside};
pub use company::Company;
pub use machine::{available_memory, local_ports};
pub use reload::Watch;
pub use run::{Run, Settings, StartError};
pub use stack::{give_way, on_large_stack};
