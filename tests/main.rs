//! The one integration binary: every black-box test is a module of it, so that the crate is linked once.
#![expect(clippy::unwrap_used, reason = "a test that finds nothing where something must be has failed")]

mod api;
mod book;
mod builder;
mod expressions;
mod house;
mod needs;
mod net;
mod prometheus;
mod reference;
mod schema;
mod script;
