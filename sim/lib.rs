//! The embedded cluster: a small Kubernetes API over HTTP on loopback, the controllers that matter, and a storage whose
//! volumes are real directories and files, so that a corrupted restore is really detected. It is for the demo and for
//! tests. Where it and a real cluster disagree, it is wrong. It knows nothing of the code that it tests.

mod access;
mod admission;
mod api;
mod clock;
mod cluster;
mod controllers;
mod cut;
mod damage;
mod data_plane;
mod discovery;
mod faults;
mod files;
#[cfg(feature = "hooks")]
mod hooks;
mod http;
mod lock;
mod object;
mod objects;
mod patch;
mod pod_security;
mod quantity;
mod quote;
mod rbac;
mod request;
mod requests;
mod resources;
pub mod scenario;
mod selector;
mod status;
mod store;
#[cfg(feature = "hooks")]
mod tamper;
mod view;
mod volume_mode;
mod watch;
mod world;

pub use cluster::{Cluster, ObjectRef, start};
pub use faults::{Effect, Fault};
pub use requests::Request;
