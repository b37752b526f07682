//! The round trip: snapshot, restore and verify, in a real cluster.

pub mod cleanup;
pub mod driver;
pub mod ledger;
pub mod machine;
