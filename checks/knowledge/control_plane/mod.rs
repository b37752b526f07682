//! The snapshot-controller and the drivers' sidecars. What they look like (`containers`, `leases`), which workload runs them
//! (`running`), whose they are (`sidecars`), whether they are there at all (`presence`), and whether they work (`readiness`,
//! `out_of_service`, `skew`).

pub(crate) mod arguments;
pub(crate) mod beside;
pub(crate) mod bundled;
pub mod commands;
pub mod containers;
pub mod distribution;
pub mod each_sidecar;
pub(crate) mod flags;
pub mod install;
pub(crate) mod leading;
pub mod leases;
mod node_plugins;
pub mod out_of_service;
pub mod presence;
pub mod readiness;
pub mod running;
pub mod sidecars;
mod signs;
pub mod skew;
pub mod sockets;
pub(crate) mod trouble;
