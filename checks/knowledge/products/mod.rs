//! Backup products: by which rule each chooses a `VolumeSnapshotClass`, and how it is found.

pub mod simulate;
pub mod table;
pub mod velero;
