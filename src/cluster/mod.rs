//! The connection to a cluster: from flags, kubeconfig, credential plugins and proxies to a client.

pub mod connect;
pub mod error;
pub mod flags;
mod kubeconfig;
mod plugin;
mod proxy;

pub use connect::{Connection, connect, server_version};
pub use error::ConnectError;
pub use flags::ConnectionArgs;
