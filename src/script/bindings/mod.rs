//! The names that scripts see inside a user, one file per module of the language.
//!
//! Native functions find the user that runs through its fiber ([`super::user::current`]); what they wait for is polled
//! on the thread's own stack. None of them holds a borrow of the host across a wait.

mod bulk;
pub(in crate::script) mod feed;
mod flow;
mod html;
mod http;
mod json_path;
pub mod log;
pub mod metric;
mod rand;
mod request;
mod response;
mod skim;
mod store;
mod vu;

pub(crate) use rand::restart_top_level;
#[cfg(test)]
pub(crate) use request::options as request_options;
use rhai::Engine;

/// Adds everything.
pub fn register(engine: &mut Engine) {
    bulk::register(engine);
    feed::register(engine);
    flow::register(engine);
    http::register(engine);
    response::register(engine);
    html::register(engine);
    rand::register(engine);
    store::register(engine);
    vu::register(engine);
    log::register(engine);
    metric::register(engine);
}
