//! `StorageClasses` and `VolumeSnapshotClasses`.

pub mod choose;
pub mod marks;
pub mod secrets;
