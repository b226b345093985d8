//! Scripts, good and bad, from the outside: what `punk` says, how it exits, what the target saw.

mod counts;
mod diagnostics;
mod exit;
mod files;
mod limits;
mod quick;
mod signals;
mod smoke;
mod users;
mod written;
