//! What the `ServiceAccounts` of the snapshot-controller and of sidecars may do: how RBAC decides (`rbac`), what each release needs
//! (`needed`), what follows where it is not granted (`judge`), and what mends it (`fix`, `manifest`), and what
//! else may grant it (`questions`).

mod fix;
pub(crate) mod judge;
mod manifest;
mod needed;
pub mod questions;
pub mod rbac;
