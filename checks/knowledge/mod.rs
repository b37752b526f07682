//! What several checks know: how the control plane is found and judged, CRDs, drivers, classes and versions. A check's
//! own knowledge lies with the check.

pub mod certificates;
pub mod classes;
pub mod control_plane;
pub mod crds;
pub mod drivers;
pub mod finalizers;
pub mod growth;
pub mod nodes;
pub mod refusals;
pub mod rights;
pub mod snapshots;
pub mod tables;
pub mod upstream;
pub mod version;
pub mod volumes;
