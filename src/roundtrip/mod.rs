//! The round trip: snapshot, restore and verify, in a real cluster.

pub mod cleanup;
pub mod driver;
pub mod ledger;
pub mod machine;
//! The round trip: snapshot, restore, verify. What is decided here is decided from plain data; only the driver acts.

mod knowledge;
pub mod objects;
pub mod payload;
pub mod plan;
pub mod quantity;
