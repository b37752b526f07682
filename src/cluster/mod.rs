//! A live cluster: connecting to it, and looking at it. Nothing here judges what it sees, and nothing writes; access
//! reviews, which the API server forgets at once, are the only requests that are not a GET.

pub mod access;
pub mod collect;
pub mod connect;
pub mod error;
pub mod flags;
mod kubeconfig;
mod list;
mod plugin;
mod proxy;
mod request;

pub use collect::{Collection, Retry, collect};
pub use connect::{Connection, connect, server_version};
pub use error::ConnectError;
pub use flags::ConnectionArgs;
