//! punk: a load-testing engine. (crate doc: written when the floors stand)

// -- 6 door
pub mod cli;
pub mod run;
// -- 5 windows
pub mod progress;
pub mod report;
// -- 4 engine
pub mod engine;
// -- 3 script
pub mod script;
// -- 2 protocol
pub mod protocol;
// -- 1 user
pub mod user;
// -- 0 ground
pub mod clock;
pub mod control;
pub mod diagnostic;
pub mod expr;
pub mod load;
pub mod metrics;
pub mod plan;
pub mod printable;
pub mod units;
// -- beside the house: the service that punk tests itself against
pub mod target;
