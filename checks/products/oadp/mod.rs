//! OADP, Red Hat's operator that brings Velero along.

use crate::model::products::ProductKind;
use crate::products::product::{Classes, Product, Remedy};
use crate::products::rehearsal;
use crate::products::velero;

/// OADP.
pub const PRODUCT: Product = Product {
    word: "oadp",
    name: "OADP",
    source: "vmware-tanzu/velero pkg/util/csi/volume_snapshot.go; OADP documentation",
    images: &["oadp-velero"],
    classes: Classes::Chosen { by: velero::choose, remedy: Remedy::Mark(velero::KEY) },
    expires: false,
    patience: Some(velero::server::patience),
    restore_patience: Some(velero::server::restore_patience),
    rehearsals: rehearsal::ANYWHERE,
    kinds: &[&velero::BACKUP_STORAGE_LOCATION, &velero::SCHEDULE, &DATA_PROTECTION_APPLICATION, &DATA_PROTECTION_TEST],
};

/// What the operator is to set up.
pub const DATA_PROTECTION_APPLICATION: ProductKind = ProductKind::new(
    "oadp.openshift.io",
    &["v1alpha1"],
    "DataProtectionApplication",
    "dataprotectionapplications",
    &[
        "spec.configuration.velero.defaultPlugins.*",
        "status.conditions.[type=Reconciled].status",
        "status.conditions.[type=Reconciled].message",
    ],
);

/// OADP's own test of a location and of snapshots (`api/v1alpha1/dataprotectiontest_types.go`).
pub const DATA_PROTECTION_TEST: ProductKind = ProductKind::new(
    "oadp.openshift.io",
    &["v1alpha1"],
    "DataProtectionTest",
    "dataprotectiontests",
    &[
        "status.phase",
        "status.errorMessage",
        "status.lastTested",
        "status.uploadTest.success",
        "status.uploadTest.errorMessage",
        "status.snapshotSummary",
        "status.snapshotTests.[status=Failed].persistentVolumeClaimName",
        "status.snapshotTests.[status=Failed].errorMessage",
        "status.snapshotTests.[status=Ready].readyDuration",
    ],
);
