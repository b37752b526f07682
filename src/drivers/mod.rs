//! What each CSI driver can do: as a table, and as data.

mod document;
mod proven;
mod table;

pub use document::{Document, SCHEMA_VERSION};
pub use proven::NoProof;
pub use table::table;
