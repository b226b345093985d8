//! Scripts, good and bad, from the outside: what `punk` says, how it exits, what the target saw.

mod counts;
mod diagnostics;
mod exit;
mod feeds;
mod files;
mod limits;
mod signals;
mod smoke;
mod store;
mod users;
mod written;
