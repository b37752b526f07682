//! What is known about CSI drivers by their names (`data/drivers.tsv`). The table names the drivers that say of
//! themselves what they can; a driver or a cell that is not there is unknown, not "no".

use crate::knowledge::tables::rows;

/// What the table says about a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDriver {
    /// The product's name for people.
    pub product: &'static str,
    /// Whether it is a CSI driver; the table also has some provisioners that are none.
    pub is_csi: bool,
    /// Whether it makes snapshots; `None` if unknown.
    pub snapshots: Option<bool>,
    /// Whether it makes volumes from snapshots; `None` if unknown.
    pub restores: Option<bool>,
    /// Whether it clones volumes; `None` if unknown.
    pub clones: Option<bool>,
    /// Whether it has raw block volumes; `None` if unknown.
    pub raw_block: Option<bool>,
    /// Whether it expands volumes; `None` if unknown.
    pub expands: Option<bool>,
    /// Whether its volumes are bound to a part of the cluster; `None` if unknown.
    pub topology: Option<bool>,
    /// Where the row is from.
    pub source: &'static str,
    /// Peculiarities worth knowing; may be empty.
    pub notes: &'static str,
}

/// What is known about a driver. A name with its operator's namespace in front (`rook-ceph.rbd.csi.ceph.com`) is found
/// by its end.
#[must_use]
pub fn known_driver(driver: &str) -> Option<KnownDriver> {
    let find = |wanted: &str| rows(include_str!("../../data/drivers.tsv")).find(|row| row.first() == Some(&wanted));
    let row = find(driver).or_else(|| {
        let (_, rest) = driver.split_once('.')?;
        // Only Ceph's drivers are renamed by an operator; `x.ebs.csi.aws.com` would be somebody else's.
        rest.ends_with(".csi.ceph.com").then(|| find(rest)).flatten()
    })?;
    let cell = |column: usize| row.get(column).copied().unwrap_or_default();
    Some(KnownDriver {
        product: cell(1),
        is_csi: !cell(12).starts_with("not CSI") && !driver.starts_with("kubernetes.io/"),
        snapshots: answer(cell(6)),
        restores: answer(cell(7)),
        clones: answer(cell(8)),
        raw_block: answer(cell(9)),
        expands: answer(cell(10)),
        topology: answer(cell(11)),
        source: cell(13),
        notes: cell(12),
    })
}

/// "yes (4.3.0 and later)" is a yes.
fn answer(cell: &str) -> Option<bool> {
    match cell.split([' ', '(']).next() {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    }
}

/// A driver whose image has this name; only for guesses that something else confirms.
pub(crate) fn driver_of_image(image_name: &str) -> Option<&'static str> {
    rows(include_str!("../../data/driver-images.tsv"))
        .find(|row| row.first().is_some_and(|fragment| image_name.contains(fragment)))
        .and_then(|row| row.get(1).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_found_by_name_and_by_the_name_an_operator_gives() {
        assert_eq!(known_driver("ebs.csi.aws.com").unwrap().snapshots, Some(true));
        assert_eq!(known_driver("efs.csi.aws.com").unwrap().snapshots, Some(false));
        assert_eq!(known_driver("nfs.csi.k8s.io").unwrap().snapshots, Some(true));
        assert!(known_driver("efs.csi.aws.com").unwrap().is_csi);
        assert!(!known_driver("rancher.io/local-path").unwrap().is_csi);
        assert_eq!(known_driver(""), None);
        assert_eq!(known_driver("csi.alluxio.com").unwrap().snapshots, None);
        assert_eq!(known_driver("rook-ceph.rbd.csi.ceph.com").unwrap().product, "Ceph RBD");
        assert_eq!(known_driver("x.ebs.csi.aws.com"), None);
    }
}
