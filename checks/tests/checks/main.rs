//! The catalogue's invariants, the CRD procedure against upstream's CRDs, and the checks against a real cluster's facts. The
//! cases are a target of their own, as each is a test.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it is wrong")]
#![expect(clippy::disallowed_methods, reason = "cases are files")]

mod catalogue;
mod crds;
mod data;
mod definitions;
mod deployments;
mod failures;
mod floors;
mod nulls;
mod readme;
mod real_cluster;
mod versions;
