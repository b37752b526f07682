//! Which release of velero-plugin-for-csi belongs to which of Velero.

use super::About;
use crate::knowledge::version::Version;
use crate::model::finding::{Finding, Fix, Status};

/// The first release with CSI support built in.
const BUILT_IN: Version = Version::new(1, 14, 0);
/// The first release that the plugin can be added to.
const FIRST: Version = Version::new(1, 4, 0);

/// The minor version of the plugin (0.x) by Velero's (velero-plugin-for-csi README, "Compatibility"). It names none for 1.6.
const PAIRS: [((u32, u32), u32); 9] = [
    ((1, 4), 1),
    ((1, 5), 1),
    ((1, 7), 2),
    ((1, 8), 2),
    ((1, 9), 3),
    ((1, 10), 4),
    ((1, 11), 5),
    ((1, 12), 6),
    ((1, 13), 7),
];

/// Whether a server that takes CSI snapshots has the plugin that its release wants.
pub(super) fn judge(about: &About<'_>, version: Version) -> Finding {
    let place = about.server.place();
    let plugin = about.server.csi_plugin();
    let copied = |image: &str| about.seen("spec.template.spec.initContainers[].image", image);
    if version >= BUILT_IN {
        return match plugin {
            Some(plugin) => Finding::new(
                Status::Fail,
                format!("Velero {version} of {place} has velero-plugin-for-csi, which is built in since 1.14"),
            )
            .evidence(copied(&plugin.image))
            .cause("The server does not start with both, or takes the old plugin's actions beside its own.")
            .fix(Fix::text("Remove the init container velero-plugin-for-csi.").commands(about.edit())),
            None => pass(about, version),
        };
    }
    if version < FIRST {
        return Finding::new(Status::Fail, format!("Velero {version} of {place} cannot take CSI snapshots"))
            .evidence(about.image())
            .cause("Its plugin for them came with 1.4.")
            .fix(Fix::text("Upgrade Velero to 1.14 or later.").commands(about.edit()));
    }
    let wanted = PAIRS
        .iter()
        .find(|((major, minor), _)| (version.major, version.minor) == (*major, *minor))
        .map(|(_, plugin)| *plugin);
    let Some(plugin) = plugin else {
        let add = match wanted {
            Some(minor) => format!("Add the plugin of release 0.{minor}: velero/velero-plugin-for-csi:v0.{minor}.0."),
            None => "Upgrade Velero to 1.14 or later, which has it built in.".to_owned(),
        };
        return Finding::new(Status::Fail, format!("Velero {version} of {place} lacks velero-plugin-for-csi"))
            .evidence(about.image())
            .cause("Until 1.13 the CSI support is a plugin that an init container copies.")
            .fix(Fix::text(add).commands(about.edit()));
    };
    let found = plugin.image.rsplit_once(':').and_then(|(_, tag)| Version::parse(tag));
    match (wanted, found) {
        (Some(minor), Some(found)) if (found.major, found.minor) != (0, minor) => Finding::new(
            Status::Warn,
            format!("Velero {version} of {place} has velero-plugin-for-csi {found}; 0.{minor} belongs to it"),
        )
        .evidence(copied(&plugin.image))
        .cause("Other pairs are not tested together.")
        .fix(Fix::text(format!("Use velero/velero-plugin-for-csi:v0.{minor}.0.")).commands(about.edit())),
        (Some(_), Some(_)) => pass(about, version).evidence(copied(&plugin.image)),
        _ => Finding::new(
            Status::Unknown,
            format!(
                "whether velero-plugin-for-csi of {place} belongs to Velero {version} cannot be told: {}",
                plugin.image
            ),
        )
        .evidence(copied(&plugin.image)),
    }
}

fn pass(about: &About<'_>, version: Version) -> Finding {
    Finding::new(Status::Pass, format!("{} {version}, EnableCSI", about.server.place())).evidence(about.args())
}
