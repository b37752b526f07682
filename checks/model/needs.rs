//! What can be looked for in a cluster: one table. A check names what it needs; collection, RBAC, documentation and the
//! meaning of absence follow from the row.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::facts::{AccessReview, AccountReview, DriverSwitch, MountedClaim, SecretExistence, SnapshotApis};
use crate::model::kubernetes::{
    CsiDriver, CsiNode, CustomResourceDefinition, Lease, Node, Pod, ServerVersion, StorageClass,
    VolumeGroupSnapshotClass, VolumeSnapshotClass, VolumeSnapshotContent, Workload,
};
use crate::model::listed::Visit;
use crate::model::need::{CRD_NAMES, Row, Rule};
use crate::model::object::Kind;
use crate::model::probe::{Missing, Probe};
use crate::model::products::ProductObjects;
use crate::model::rbac::{Role, RoleBinding};
use crate::model::volumes::{PersistentVolume, PersistentVolumeClaim, VolumeSnapshot};
use crate::model::webhooks::{ApiService, ServiceState, WebhookConfiguration};

macro_rules! needs {
    // The type of the field.
    (@type list $of:ty) => { Vec<$of> };
    (@type ask $of:ty) => { $of };
    // What is listed goes through the collector's one function for lists; everything else has a function of its own.
    (@visit list $of:ty, $visitor:ident, $field:ident) => {
        Some($visitor.listed::<$of>(|facts| &mut facts.$field))
    };
    (@visit ask $of:ty, $visitor:ident, $field:ident) => {{
        let _ = $visitor;
        None
    }};
    ($($(#[doc = $doc:literal])+ $need:ident, $field:ident: $how:ident $of:ty = $row:expr;)+) => {
        /// One kind of fact, as it is collected in one go.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Need {
            $($(#[doc = $doc])+ $need,)+
        }

        impl Need {
            /// All needs, in the order in which they are shown.
            pub const ALL: [Self; [$(stringify!($need)),+].len()] = [$(Self::$need),+];

            /// What is known of it.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$need => $row,)+
                }
            }

            /// Shows the visitor of which type the objects of a need are that is listed; `None` for all others.
            pub fn visit<V: Visit>(self, visitor: V) -> Option<V::Output> {
                match self {
                    $(Self::$need => needs!(@visit $how $of, visitor, $field),)+
                }
            }
        }

        /// What was seen of a cluster. A field that was not looked at is [`Probe::NotCollected`]. A clone shares what was
        /// seen.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct Facts {
            /// When collection began. Ages of leases and of objects are measured against it, never against a clock.
            pub collected_at: Timestamp,
            /// The backup products that were asked about, by their words; `auto` for those that are installed. Nothing that was
            /// seen.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub for_products: Vec<String>,
            $($(#[doc = $doc])+ pub $field: Probe<needs!(@type $how $of)>,)+
        }

        impl Facts {
            /// Why a need could not be met; `None` if it was.
            #[must_use]
            pub fn missing(&self, need: Need) -> Option<Missing> {
                match need {
                    $(Need::$need => self.$field.missing(),)+
                }
            }

            /// These needs alone; everything else is [`Probe::NotCollected`], whatever was seen of it.
            #[must_use]
            pub fn only(&self, needs: &BTreeSet<Need>) -> Self {
                Self {
                    collected_at: self.collected_at,
                    for_products: self.for_products.clone(),
                    $($field: if needs.contains(&Need::$need) { self.$field.clone() } else { Probe::NotCollected },)+
                }
            }
        }
    };
}

needs! {
    /// The API server's version.
    ServerVersion, server_version: ask ServerVersion = Row::open("the server's version details");
    /// The versions in which the two snapshot API groups are served.
    SnapshotApis, snapshot_apis: ask SnapshotApis = Row::open("the versions of the snapshot APIs");
    /// The six CRDs of the two snapshot API groups. One that does not exist is left out.
    CustomResourceDefinitions, custom_resource_definitions: ask Vec<CustomResourceDefinition> =
        Row::named("the snapshot CustomResourceDefinitions", Kind::CUSTOM_RESOURCE_DEFINITION, &CRD_NAMES);
    /// All `StorageClasses`.
    StorageClasses, storage_classes: list StorageClass = Row::listed("StorageClasses", &[Kind::STORAGE_CLASS]);
    /// All `VolumeSnapshotClasses`.
    VolumeSnapshotClasses, volume_snapshot_classes: list VolumeSnapshotClass =
        Row::listed("VolumeSnapshotClasses", &[Kind::VOLUME_SNAPSHOT_CLASS]).of_the_snapshot_api();
    /// All `VolumeGroupSnapshotClasses`.
    VolumeGroupSnapshotClasses, volume_group_snapshot_classes: list VolumeGroupSnapshotClass =
        Row::listed("VolumeGroupSnapshotClasses", &[Kind::VOLUME_GROUP_SNAPSHOT_CLASS]);
    /// All `VolumeSnapshotContents`.
    VolumeSnapshotContents, volume_snapshot_contents: list VolumeSnapshotContent =
        Row::listed("VolumeSnapshotContents", &[Kind::VOLUME_SNAPSHOT_CONTENT]).of_the_snapshot_api();
    /// All `VolumeSnapshots`.
    VolumeSnapshots, volume_snapshots: list VolumeSnapshot =
        Row::listed("VolumeSnapshots", &[Kind::VOLUME_SNAPSHOT]).of_the_snapshot_api();
    /// All `PersistentVolumes`.
    PersistentVolumes, persistent_volumes: list PersistentVolume =
        Row::listed("PersistentVolumes", &[Kind::PERSISTENT_VOLUME]);
    /// All `PersistentVolumeClaims`.
    PersistentVolumeClaims, persistent_volume_claims: list PersistentVolumeClaim =
        Row::listed("PersistentVolumeClaims", &[Kind::PERSISTENT_VOLUME_CLAIM]);
    /// All `CSIDrivers`.
    CsiDrivers, csi_drivers: list CsiDriver = Row::listed("CSIDrivers", &[Kind::CSI_DRIVER]);
    /// All `CSINodes`.
    CsiNodes, csi_nodes: list CsiNode = Row::listed("CSINodes", &[Kind::CSI_NODE]);
    /// All nodes.
    Nodes, nodes: list Node = Row::listed("nodes", &[Kind::NODE]);
    /// The pods of all namespaces that an interest picks out.
    Pods, pods: list Pod = Row::listed("pods", &[Kind::POD]);
    /// The claims that pods mount, each once, in order. They are read from the list of all pods, of which few are kept.
    MountedClaims, mounted_claims: ask Vec<MountedClaim> =
        Row::followed("the claims that pods mount", &[(Kind::POD, "list")]);
    /// The workloads (Deployments, `StatefulSets`, `DaemonSets`) that an interest picks out.
    Workloads, workloads: list Workload = Row::listed(
        "Deployments, StatefulSets and DaemonSets",
        &[Kind::DEPLOYMENT, Kind::STATEFUL_SET, Kind::DAEMON_SET],
    );
    /// All leases but the heartbeats of nodes.
    Leases, leases: list Lease = Row::listed("leases", &[Kind::LEASE]);
    /// The admission webhooks that are called for snapshot objects.
    WebhookConfigurations, webhook_configurations: list WebhookConfiguration = Row::listed(
        "admission webhooks",
        &[Kind::VALIDATING_WEBHOOK_CONFIGURATION, Kind::MUTATING_WEBHOOK_CONFIGURATION],
    );
    /// The services that these webhooks, and the conversion webhooks of the snapshot CRDs, call.
    WebhookServices, webhook_services: ask Vec<ServiceState> =
        Row::followed("the services of webhooks", &[(Kind::SERVICE, "get"), (Kind::ENDPOINT_SLICE, "list")]);
    /// The extensions of the API that services answer.
    ApiServices, api_services: list ApiService = Row::listed("APIServices", &[Kind::API_SERVICE]);
    /// The `ClusterRoles` and Roles that may concern the accounts of the snapshot-controller and of sidecars.
    Roles, roles: list Role = Row::listed("ClusterRoles and Roles", &[Kind::CLUSTER_ROLE, Kind::ROLE]);
    /// The `ClusterRoleBindings` and `RoleBindings` that may concern `ServiceAccounts`.
    RoleBindings, role_bindings: list RoleBinding =
        Row::listed("ClusterRoleBindings and RoleBindings", &[Kind::CLUSTER_ROLE_BINDING, Kind::ROLE_BINDING]);
    /// What all authorizers together say of rights that RBAC does not grant to the accounts of the snapshot-controller and of sidecars.
    /// Whoever may create `SubjectAccessReviews` could ask about anybody, so no rule for it is proposed: without it RBAC alone counts.
    AccountReviews, account_reviews: ask Vec<AccountReview> = Row::open("the access reviews of ServiceAccounts");
    /// The switches by which drivers that run here turn their snapshots off. Few clusters have one, so no rule for it is proposed:
    /// without the right the answer is unknown.
    DriverSwitches, driver_switches: ask Vec<DriverSwitch> = Row::open("the switches of drivers");
    /// Whether the secrets exist that `VolumeSnapshotClasses` name; their content is never read. Which secrets, only the classes
    /// tell, so no rule that allows it for all secrets is proposed: without the right the answer is unknown.
    ClassSecrets, class_secrets: ask Vec<SecretExistence> =
        Row::open("the secrets of VolumeSnapshotClasses").of_the_snapshot_api();
    /// Whether the caller may do what a round trip does.
    RoundTripAccess, round_trip_access: ask Vec<AccessReview> = Row::open("the caller's rights");
    /// The objects of backup products that are asked about.
    ProductObjects, product_objects: ask Vec<ProductObjects> = Row::of_products("the objects of backup products");
    /// Whether `OpenShift`'s `SecurityContextConstraints` are served, which assign the users of pods.
    SecurityContextConstraints, security_context_constraints: ask bool =
        Row::open("OpenShift's SecurityContextConstraints");
}

impl Need {
    /// The rights that looking takes.
    #[must_use]
    pub fn rules(self) -> Vec<Rule> {
        self.row().rules()
    }
}
