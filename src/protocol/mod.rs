//! One file or folder = one protocol; `net` is the road under all of them.
pub mod http;
pub mod net;
