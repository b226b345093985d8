//! Scripts, good and bad, from the outside: what `punk` says, how it exits, what the target saw.

mod arrivals;
mod backoff;
mod control;
mod counts;
mod diagnostics;
mod exit;
mod feeds;
mod files;
mod graph;
mod kept;
mod limits;
mod pacing;
mod quick;
mod rules_closures;
mod seeds;
mod shapes;
mod signals;
mod smoke;
mod steering;
mod store;
mod think;
mod users;
mod weights;
mod windows;
mod written;
