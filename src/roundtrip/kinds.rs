//! The marks that the objects of a run carry: later processes find them, and their place in the run, by these.

/// Label with the run's id; `cleanup --run` selects by it.
pub const RUN_LABEL: &str = "snapready.dev/run";
/// Label with the mode of the round trip; 0.1.0 had one mode and no label.
pub const MODE_LABEL: &str = "snapready.dev/mode";
/// Label with the round trip's place in the run.
pub const TARGET_LABEL: &str = "snapready.dev/target";
/// Label of the claims of a group; its value tells which group.
pub const GROUP_LABEL: &str = "snapready.dev/group";
/// Label with the object's word in its program.
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";
/// Label that says who made an object, and its value.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "snapready");
/// Annotation with the time after which an object counts as left behind, in RFC 3339.
pub const EXPIRES_AT: &str = "snapready.dev/expires-at";
