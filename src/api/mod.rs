//! The way to the API server: one client, one kind of failure, one loop that sends a request again, and the two watches.
//! Every request of snapready leaves here; what it is for is decided elsewhere.

mod client;
mod failure;
mod limit;
mod log;
mod no_answer;
mod objects;
mod retry;
mod watch_namespace;
mod watch_object;

pub use client::Client;
pub(crate) use client::{JSON, escape};
pub use failure::Failure;
pub(crate) use failure::shorten;
pub(crate) use no_answer::{NoAnswer, NotRenewed};
pub(crate) use objects::{Deleted, Objects, Place};
pub use retry::Retry;
pub(crate) use retry::{Pause, Policy};
pub(crate) use watch_namespace::{Watched, watch_namespace};
pub(crate) use watch_object::ObjectWatch;
