//! A container: a local process with the container's command, whose volumes are directories and files of the storage.
//! There is no isolation; what a script needs of its paths it takes from its environment, whose paths are replaced.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tokio::process::{Child, Command};

use super::closed_device;
use crate::lock::lock;
use crate::object::Object;
use crate::world::World;

/// As much of a termination message as a kubelet reads.
const MESSAGE_LIMIT: usize = 4096;
/// As much of a log as a kubelet takes for a message.
const LOG_LIMIT: usize = 2048;

/// A process that runs, with everything that it started.
#[derive(Debug)]
pub(super) struct Process {
    world: Arc<World>,
    child: Child,
    pid: Pid,
}

/// The files of a container.
#[derive(Debug, Clone)]
pub(super) struct Files {
    home: PathBuf,
    message: PathBuf,
    log: PathBuf,
}

impl Process {
    /// Starts a container; `volumes` are the local paths of the pod's volumes by name.
    pub(super) fn start(
        world: &Arc<World>,
        pod: &Value,
        container: &Value,
        directory: &Path,
        volumes: &BTreeMap<String, PathBuf>,
    ) -> Result<(Self, Files), String> {
        let files = Files::of(container, directory);
        fs::create_dir_all(&files.home).map_err(|error| error.to_string())?;
        File::create(&files.message).map_err(|error| error.to_string())?;
        let log = File::create(&files.log).map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let words = container.list("/command").iter().chain(container.list("/args"));
        let mut command = command(world, pod, container, words, volumes, &files)?;
        command.stdout(log).stderr(errors);
        Ok((Self::spawn(world, command)?, files))
    }

    /// Starts a command in a container that runs, as for its hooks and probes.
    pub(super) fn exec(
        world: &Arc<World>,
        pod: &Value,
        container: &Value,
        words: &[Value],
        directory: &Path,
        volumes: &BTreeMap<String, PathBuf>,
    ) -> Result<Self, String> {
        let files = Files::of(container, directory);
        let mut command = command(world, pod, container, words, volumes, &files)?;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self::spawn(world, command)
    }

    fn spawn(world: &Arc<World>, mut command: Command) -> Result<Self, String> {
        let child = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().to_string_lossy();
            format!("failed to create containerd task: failed to create shim task: exec: \"{program}\": {error}")
        })?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.ok_or("the process ended before it began")?;
        lock(&world.processes).insert(pid.as_raw_nonzero().get());
        Ok(Self { world: Arc::clone(world), child, pid })
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Waits for its end and tells its exit code. What it started ends with it, as in a container.
    pub(super) async fn wait(mut self) -> i32 {
        let status = self.child.wait().await;
        status.map_or(255, |status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(127)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(self.pid);
        lock(&self.world.processes).remove(&self.pid.as_raw_nonzero().get());
    }
}

/// A command in a container, whose output is still to be directed.
fn command<'a>(
    world: &World,
    pod: &Value,
    container: &Value,
    words: impl IntoIterator<Item = &'a Value>,
    volumes: &BTreeMap<String, PathBuf>,
    files: &Files,
) -> Result<Command, String> {
    let machines = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin".into());
    let mut path = world.data.tools().map_err(|error| error.to_string())?.into_os_string();
    path.push(":");
    path.push(machines);
    let mut volumes = volumes.clone();
    if world.scenario.no_udev {
        closed_device::shut(pod, container, &files.home, &mut volumes, &mut path).map_err(|error| error.to_string())?;
    }
    let paths = local_paths(container, &volumes, &files.message);
    let environment = environment(pod, container, &paths);
    let mut words = words.into_iter().map(|word| expand(word.as_str().unwrap_or_default(), &environment));
    let program = words.next().ok_or("failed to create containerd task: no command specified")?;
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .env("PATH", path)
        .envs(&environment)
        .current_dir(&files.home)
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// Asks a container to end. The first process of a container gets only signals that it has a handler for.
pub(super) fn terminate(pid: Pid) {
    if has_handler(pid) {
        // It may have ended by itself.
        let _gone = kill_process(pid, Signal::TERM);
    }
}

/// Ends a container.
pub(super) fn kill(pid: Pid) {
    // It may have ended by itself.
    let _gone = kill_process_group(pid, Signal::KILL);
}

/// Whether a process handles TERM; where that cannot be seen, it is taken for granted.
fn has_handler(pid: Pid) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())) else { return true };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_none_or(|mask| mask & (1 << (Signal::TERM.as_raw() - 1)) != 0)
}

impl Files {
    fn of(container: &Value, directory: &Path) -> Self {
        let home = directory.join(container.text("/name"));
        Self { message: home.join("termination-log"), log: home.join("log"), home }
    }

    /// The termination message, as a kubelet reads it.
    pub(super) fn message(&self, container: &Value, exit_code: i32) -> String {
        let message = read_limited(&self.message, MESSAGE_LIMIT);
        if message.is_empty()
            && exit_code != 0
            && container.text("/terminationMessagePolicy") == "FallbackToLogsOnError"
        {
            let log = fs::read(&self.log).unwrap_or_default();
            let tail = log.get(log.len().saturating_sub(LOG_LIMIT)..).unwrap_or_default();
            return String::from_utf8_lossy(tail).into_owned();
        }
        message
    }
}

fn read_limited(path: &Path, limit: usize) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // What cannot be read is not in the message.
        let _partial = file.take(limit as u64).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Local paths by path in the container.
fn local_paths(container: &Value, volumes: &BTreeMap<String, PathBuf>, message: &Path) -> BTreeMap<String, PathBuf> {
    let mut paths = BTreeMap::new();
    for (list, field) in [("/volumeMounts", "/mountPath"), ("/volumeDevices", "/devicePath")] {
        for mount in container.list(list) {
            if let Some(local) = volumes.get(mount.text("/name")) {
                let local = match mount.text("/subPath") {
                    "" => local.clone(),
                    below => local.join(below),
                };
                paths.insert(mount.text(field).trim_end_matches('/').to_owned(), local);
            }
        }
    }
    let message_path = container.text("/terminationMessagePath");
    let message_path = if message_path.is_empty() { "/dev/termination-log" } else { message_path };
    paths.insert(message_path.to_owned(), message.to_owned());
    paths
}

fn environment(pod: &Value, container: &Value, paths: &BTreeMap<String, PathBuf>) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for variable in container.list("/env") {
        let field = variable.text("/valueFrom/fieldRef/fieldPath");
        let value = if field.is_empty() {
            expand(variable.text("/value"), &environment)
        } else {
            pod.text(&format!("/{}", field.replace('.', "/"))).to_owned()
        };
        environment.insert(variable.text("/name").to_owned(), localize(&value, paths));
    }
    environment
}

/// Replaces a path in the container by the local one.
fn localize(value: &str, paths: &BTreeMap<String, PathBuf>) -> String {
    for (path, local) in paths.iter().rev() {
        let local = local.to_string_lossy();
        if let Some(rest) = value.strip_prefix(path.as_str())
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return format!("{local}{rest}");
        }
    }
    value.to_owned()
}

/// Expands `$(NAME)` as Kubernetes does: `$$` is a dollar sign, and what is not known stays.
fn expand(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            match environment.get(name) {
                Some(value) => expanded.push_str(value),
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
            rest = after;
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_expanded_as_kubernetes_does() {
        let environment = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        assert_eq!(expand("x $(A) $(B) $$(A) $A $$ ${A} $(A", &environment), "x 1 $(B) $(A) $A $ ${A} $(A");
    }

    #[test]
    fn paths_become_local_ones() {
        let paths = BTreeMap::from([
            ("/data".to_owned(), PathBuf::from("/tmp/v")),
            ("/dev/termination-log".to_owned(), PathBuf::from("/tmp/m")),
        ]);
        assert_eq!(localize("/data", &paths), "/tmp/v");
        assert_eq!(localize("/data/x", &paths), "/tmp/v/x");
        assert_eq!(localize("/database", &paths), "/database");
        assert_eq!(localize("/dev/termination-log", &paths), "/tmp/m");
    }
}
