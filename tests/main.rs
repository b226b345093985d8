//! The one integration binary: every black-box test is a module of it, so that the crate is linked once.

mod book;
mod builder;
mod house;
mod needs;
mod net;
mod reference;
mod script;
