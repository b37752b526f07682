//! A device that belongs to root alone, for a container that runs as somebody else. Its processes run as whoever runs
//! this program, so nobody keeps them from a file: the device is not there, and the tools say what they would in the
//! container.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::object::Object;

/// Takes the devices from a container that is not root: out of its volumes, and out of reach of the tools in its path.
pub(super) fn shut(
    pod: &Value,
    container: &Value,
    home: &Path,
    volumes: &mut BTreeMap<String, PathBuf>,
    path: &mut OsString,
) -> io::Result<()> {
    let user = identity(pod, container, "runAsUser");
    let devices = container.list("/volumeDevices");
    if devices.is_empty() || user == 0 {
        return Ok(());
    }
    for device in devices {
        volumes.insert(device.text("/name").to_owned(), home.join("nowhere/device"));
    }
    let group = identity(pod, container, "runAsGroup");
    let groups: Vec<String> = std::iter::once(&json!(group))
        .chain(pod.list("/spec/securityContext/supplementalGroups"))
        .map(ToString::to_string)
        .collect();
    let groups = groups.join(" ");
    let tools = home.join("tools");
    fs::create_dir_all(&tools)?;
    let open = "dd: failed to open '/dev/data': Permission denied";
    for (name, script) in [
        ("dd", format!("echo \"{open}\" >&2; exit 1")),
        ("stat", "echo '600 0:0'".to_owned()),
        ("id", format!("case $1 in -u) echo {user} ;; -g) echo {group} ;; *) echo '{groups}' ;; esac")),
    ] {
        let tool = tools.join(name);
        fs::write(&tool, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755))?;
    }
    let mut longer = tools.into_os_string();
    longer.push(":");
    longer.push(&path);
    *path = longer;
    Ok(())
}

/// The user or group that a container runs as. An image without one has root; a cluster that assigns them is not
/// simulated.
fn identity(pod: &Value, container: &Value, field: &str) -> u64 {
    let own = container.pointer(&format!("/securityContext/{field}"));
    own.or_else(|| pod.pointer(&format!("/spec/securityContext/{field}"))).and_then(Value::as_u64).unwrap_or(0)
}
