//! `StorageClasses` and `VolumeSnapshotClasses`.

pub mod choose;
pub mod secrets;
