//! Claims and volumes: what each is of, whether it can be snapshotted, and how it can be backed up otherwise.

pub mod coverage;
pub mod many;
pub mod volume;
