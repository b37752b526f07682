//! snapready tells whether a Kubernetes cluster can take a CSI volume snapshot and give the data back, and proves it.
//!
//! What it knows lies in `snapready-checks`; this crate is what it does.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod coverage;
pub mod drivers;
pub mod evaluate;
pub mod facts;
pub mod model;
pub mod rbac;
mod relate;
pub mod report;
pub mod roundtrip;
mod run;
pub mod verdict;
pub mod why;
