//! `StorageClasses` and `VolumeSnapshotClasses`.

pub mod choose;
pub mod groups;
pub mod marks;
pub mod secrets;
