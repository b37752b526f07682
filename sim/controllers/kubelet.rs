//! The kubelets: pods run, end, and go. A container is not started again, whatever the pod's restart policy says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use rustix::process::Pid;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::process::{Files, Process, kill, terminate};
use crate::clock;
use crate::object::Object;
use crate::resources::{CLAIMS, PODS, VOLUMES};
use crate::scenario::{Component, Missing, Quirk};
use crate::store::{Key, Preconditions};
use crate::world::{Event, World};

pub(super) fn reconcile(world: &Arc<World>) {
    for pod in world.store.all(&PODS) {
        let mine = !pod.text("/spec/nodeName").is_empty();
        if mine && (pod.text("/status/phase") == "Pending" || pod.is_deleting()) {
            let shared = Arc::clone(world);
            world.once(format!("pod/{}", pod.uid()), async move {
                let key = Key::of(&PODS, &pod);
                // What was seen may be old by now.
                let Ok(current) = shared.store.get(&key) else { return };
                if current.uid() != pod.uid() {
                    return;
                }
                if current.text("/status/phase") == "Pending" {
                    let mut run = Run::new(&shared, &current);
                    run.run().await;
                } else if current.is_deleting() {
                    remove(&shared, &current);
                }
            });
        }
    }
}

/// The last word of a kubelet: the pod is gone.
fn remove(world: &World, pod: &Value) {
    let preconditions =
        Preconditions { uid: Some(pod.uid().to_owned()), grace_seconds: Some(0), ..Preconditions::default() };
    // Somebody else was faster.
    let _gone = world.store.delete(&Key::of(&PODS, pod), &preconditions, false);
}

/// A pod that runs.
struct Run {
    world: Arc<World>,
    key: Key,
    pod: Arc<Value>,
    component: String,
    started: String,
    deadline: Option<Instant>,
    init: Vec<Value>,
    main: Vec<Value>,
}

/// Why a container is not waited for any more.
enum Interruption {
    Deleted(u64),
    Deadline,
}

/// A container that runs.
struct Running {
    index: usize,
    pid: Pid,
    files: Files,
    started: String,
}

impl Running {
    fn id(&self) -> String {
        format!("containerd://simulated-{}", self.pid.as_raw_nonzero())
    }
}

type Exit = BoxFuture<'static, (usize, i32)>;

impl Run {
    fn new(world: &Arc<World>, pod: &Arc<Value>) -> Self {
        let waiting = |list: &str, reason: &str| {
            let containers = pod.list(list).iter();
            containers.map(|container| status(container, false, &json!({ "waiting": { "reason": reason } }))).collect()
        };
        let init: Vec<Value> = waiting("/spec/initContainers", "PodInitializing");
        let main = waiting("/spec/containers", if init.is_empty() { "ContainerCreating" } else { "PodInitializing" });
        let seconds = pod.pointer("/spec/activeDeadlineSeconds").and_then(Value::as_u64);
        Self {
            world: Arc::clone(world),
            key: Key::of(&PODS, pod),
            pod: Arc::clone(pod),
            component: "kubelet".to_owned(),
            started: clock::now(),
            deadline: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
            init,
            main,
        }
    }

    fn event(&self, kind: &str, reason: &str, message: &str) {
        self.world.event(&self.pod, &self.component, kind, reason, message);
    }

    fn event_of(&self, container: &Value, kind: &str, reason: &str, message: &str) {
        let of_init = self.init.iter().any(|one| one.text("/name") == container.text("/name"));
        let list = if of_init { "initContainers" } else { "containers" };
        let field = &format!("spec.{list}{{{}}}", container.text("/name"));
        self.world.record(&Event { about: &self.pod, field, component: &self.component, kind, reason, message }, true);
    }

    fn publish(&self, phase: &str, extra: &Value) {
        let ended = matches!(phase, "Succeeded" | "Failed");
        let initialized = self.init.iter().all(|one| one.text("/state/terminated/reason") == "Completed");
        let ready =
            !ended && !self.main.is_empty() && self.main.iter().all(|one| one.pointer("/state/running").is_some());
        let condition = |kind: &str, status: bool| {
            let mut condition = json!({
                "type": kind, "status": if status { "True" } else { "False" }, "lastTransitionTime": self.started,
            });
            if ended && !status {
                let reason = if phase == "Succeeded" { "PodCompleted" } else { "PodFailed" };
                condition.set(&["reason"], json!(reason));
            }
            condition
        };
        let conditions = json!([
            condition("Initialized", initialized),
            condition("Ready", ready),
            condition("ContainersReady", ready),
            condition("PodScheduled", true),
        ]);
        self.world.store.change(&self.key, |pod| {
            if pod.uid() != self.pod.uid() {
                return;
            }
            pod.set(&["status", "phase"], json!(phase));
            pod.set(&["status", "conditions"], conditions);
            pod.set(&["status", "startTime"], json!(self.started));
            pod.set(&["status", "hostIP"], json!("192.0.2.1"));
            if !self.init.is_empty() {
                pod.set(&["status", "initContainerStatuses"], json!(self.init));
            }
            pod.set(&["status", "containerStatuses"], json!(self.main));
            for (field, value) in extra.as_object().into_iter().flatten() {
                pod.set(&["status", field], value.clone());
            }
        });
    }

    async fn run(&mut self) {
        self.publish("Pending", &Value::Null);
        tokio::time::sleep(clock::CONTAINER_START).await;
        if self.world.scenario.missing == Some(Missing::CsiDriver) && self.has_claim() {
            let _over = self.interruption().await;
            return self.gone();
        }
        let Some(volumes) = self.mount().await else { return self.gone() };
        if self.world.scenario.image_missing {
            self.fail_to_pull().await;
            return self.gone();
        }
        for index in 0..self.init.len() {
            let exit_codes = self.run_together(true, &[index], &volumes).await;
            match exit_codes {
                Some(true) => {}
                Some(false) => return self.publish("Failed", &Value::Null),
                None => return,
            }
            tokio::time::sleep(clock::CONTAINER_START).await;
        }
        let all: Vec<usize> = (0..self.main.len()).collect();
        if let Some(good) = self.run_together(false, &all, &volumes).await {
            self.publish(if good { "Succeeded" } else { "Failed" }, &Value::Null);
        }
    }

    fn gone(&self) {
        remove(&self.world, &self.pod);
    }

    /// The grace period in seconds, once the pod is being deleted; nothing of it is left if the object is gone.
    async fn deletion(world: &World, key: &Key, uid: &str) -> u64 {
        let mut changed = world.store.subscribe();
        loop {
            changed.borrow_and_update();
            match world.store.get(key) {
                Ok(pod) if pod.uid() == uid && !pod.is_deleting() => {}
                Ok(pod) if pod.uid() == uid => {
                    return pod.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(0);
                }
                _ => return 0,
            }
            if changed.changed().await.is_err() {
                return 0;
            }
        }
    }

    async fn interruption(&self) -> Interruption {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            grace = Self::deletion(&self.world, &self.key, self.pod.uid()) => Interruption::Deleted(grace),
            () = deadline => Interruption::Deadline,
        }
    }

    /// The local paths of the pod's volumes; `None` if the pod went while they could not be had.
    async fn mount(&self) -> Option<BTreeMap<String, PathBuf>> {
        loop {
            match self.volumes() {
                Ok(volumes) => return Some(volumes),
                Err(message) => self.event("Warning", "FailedMount", &message),
            }
            tokio::select! {
                _ = self.interruption() => return None,
                () = tokio::time::sleep(clock::FIRST_BACKOFF) => {}
            }
        }
    }

    fn has_claim(&self) -> bool {
        self.pod.list("/spec/volumes").iter().any(|volume| !volume.text("/persistentVolumeClaim/claimName").is_empty())
    }

    fn volumes(&self) -> Result<BTreeMap<String, PathBuf>, String> {
        let mut paths = BTreeMap::new();
        for volume in self.pod.list("/spec/volumes") {
            let name = volume.text("/name");
            let claim = volume.text("/persistentVolumeClaim/claimName");
            let path = if claim.is_empty() {
                let directory = self.world.data.directory(&format!("pods/{}/volumes/{name}", self.pod.uid()));
                directory.map_err(|error| format!("MountVolume.SetUp failed for volume \"{name}\" : {error}"))?
            } else {
                let claim = self
                    .world
                    .store
                    .get(&Key::new(&CLAIMS, self.pod.namespace(), claim))
                    .map_err(|error| error.message)?;
                let restored = !claim.text("/spec/dataSource/kind").is_empty();
                if let Some(text) = self.world.refusal(Component::Kubelet).filter(|_| restored) {
                    return Err(text.to_owned());
                }
                let is_read_only = volume.pointer("/persistentVolumeClaim/readOnly") == Some(&json!(true));
                let is_file_system = claim.text("/spec/volumeMode") == "Filesystem";
                if restored && is_read_only && is_file_system && self.world.scenario.quirk == Some(Quirk::NeedsRecovery)
                {
                    let name = claim.text("/spec/volumeName");
                    return Err(format!(
                        "MountVolume.MountDevice failed for volume \"{name}\" : rpc error: code = Internal desc = mount failed: \
                         exit status 32 mount: cannot mount /dev/sdb read-only."
                    ));
                }
                let volume_name = claim.text("/spec/volumeName");
                let volume =
                    self.world.store.get(&Key::new(&VOLUMES, "", volume_name)).map_err(|error| error.message)?;
                let handle = volume.text("/spec/csi/volumeHandle");
                self.event(
                    "Normal",
                    "SuccessfulAttachVolume",
                    &format!("AttachVolume.Attach succeeded for volume \"{volume_name}\""),
                );
                self.world.data.path(handle).ok_or_else(|| {
                    format!("MountVolume.MountDevice failed for volume \"{volume_name}\" : rpc error: code = NotFound desc = volume {handle} does not exist")
                })?
            };
            paths.insert(name.to_owned(), path);
        }
        Ok(paths)
    }

    /// Ends when the pod goes.
    async fn fail_to_pull(&mut self) {
        let init = !self.init.is_empty();
        let list = if init { "/spec/initContainers" } else { "/spec/containers" };
        let image =
            self.pod.list(list).first().map(|container| container.text("/image").to_owned()).unwrap_or_default();
        let why = format!(
            "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": failed to do request: \
             Head \"https://registry.example.com/v2/\": dial tcp: lookup registry.example.com: no such host"
        );
        self.event("Normal", "Pulling", &format!("Pulling image \"{image}\""));
        tokio::time::sleep(clock::IMAGE_PULL).await;
        self.event("Warning", "Failed", &format!("Failed to pull image \"{image}\": {why}"));
        self.event("Warning", "Failed", "Error: ErrImagePull");
        self.wait_for_image(init, "ErrImagePull", &why);
        tokio::select! {
            _ = self.interruption() => return,
            () = tokio::time::sleep(clock::FIRST_BACKOFF) => {}
        }
        let back_off = format!("Back-off pulling image \"{image}\"");
        self.event("Normal", "BackOff", &back_off);
        self.event("Warning", "Failed", "Error: ImagePullBackOff");
        self.wait_for_image(init, "ImagePullBackOff", &format!("{back_off}: ErrImagePull: {why}"));
        let _over = self.interruption().await;
    }

    fn wait_for_image(&mut self, init: bool, reason: &str, message: &str) {
        let list = if init { &mut self.init } else { &mut self.main };
        if let Some(first) = list.first_mut() {
            first.set(&["state"], json!({ "waiting": { "reason": reason, "message": message } }));
        }
        self.publish("Pending", &Value::Null);
    }

    /// Runs containers until the last one ends, and tells whether all went well; `None` if the pod is gone or has failed
    /// for another reason, and everything has been said about it.
    async fn run_together(&mut self, init: bool, which: &[usize], volumes: &BTreeMap<String, PathBuf>) -> Option<bool> {
        let directory = self.world.data.directory(&format!("pods/{}", self.pod.uid()));
        let Ok(directory) = directory else { return Some(false) };
        let list = if init { "/spec/initContainers" } else { "/spec/containers" };
        let pod = Arc::clone(&self.pod);
        let containers = pod.list(list);
        let mut running: Vec<Running> = Vec::new();
        let mut exits: FuturesUnordered<Exit> = FuturesUnordered::new();
        let mut good = true;
        for index in which.iter().copied() {
            let Some(container) = containers.get(index) else { continue };
            let image = container.text("/image");
            self.event_of(
                container,
                "Normal",
                "Pulled",
                &format!("Container image \"{image}\" already present on machine and can be accessed by the pod"),
            );
            match Process::start(&self.world, &pod, container, &directory, volumes) {
                Ok((process, files)) => {
                    self.event_of(container, "Normal", "Created", "Container created");
                    self.event_of(container, "Normal", "Started", "Container started");
                    let pid = process.pid();
                    let one = Running { index, pid, files, started: clock::now() };
                    let exit = process.wait().boxed().shared();
                    let ended = exit.clone();
                    exits.push(Box::pin(async move { (index, exit.await) }));
                    let mut status = status(container, true, &json!({ "running": { "startedAt": one.started } }));
                    status.set(&["containerID"], json!(one.id()));
                    self.set(init, index, status);
                    running.push(one);
                    let hook = self.post_start(container, &directory, volumes);
                    // What runs in a container ends with it.
                    if !tokio::select! { biased; good = hook => good, _ = ended => false } {
                        self.event_of(container, "Warning", "FailedPostStartHook", "PostStartHook failed");
                        terminate(pid);
                    }
                }
                Err(message) => {
                    good = false;
                    self.event_of(container, "Warning", "Failed", &format!("Error: {message}"));
                    let state =
                        json!({ "terminated": { "exitCode": 128, "reason": "StartError", "message": message } });
                    self.set(init, index, status(container, false, &state));
                }
            }
        }
        // What has ended while a hook was waited for is never shown as running.
        while let Some(Some((index, code))) = exits.next().now_or_never() {
            good &= self.ended(init, &running, index, containers, code);
        }
        if !exits.is_empty() {
            self.publish(if init { "Pending" } else { "Running" }, &Value::Null);
        }

        let mut kill_at: Option<Instant> = None;
        let mut interruption: Option<Interruption> = None;
        while !exits.is_empty() {
            let kill_time = async {
                match kill_at {
                    Some(time) => tokio::time::sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some((index, code)) = exits.next() => {
                    good &= self.ended(init, &running, index, containers, code);
                    if !exits.is_empty() {
                        self.publish(if init { "Pending" } else { "Running" }, &Value::Null);
                    }
                }
                () = kill_time => {
                    for one in &running {
                        kill(one.pid);
                    }
                    kill_at = None;
                }
                reason = self.interruption(), if interruption.is_none() => {
                    let grace = match reason {
                        Interruption::Deleted(grace) => grace,
                        Interruption::Deadline => 30,
                    };
                    self.stop(&running, containers);
                    kill_at = Some(Instant::now() + Duration::from_secs(grace));
                    interruption = Some(reason);
                }
            }
        }
        match interruption {
            None => Some(good),
            Some(Interruption::Deleted(_)) => {
                // The watch shows the last status before the object goes.
                self.publish(if good && !init { "Succeeded" } else { "Failed" }, &Value::Null);
                self.gone();
                None
            }
            Some(Interruption::Deadline) => {
                let message = "Pod was active on the node longer than the specified deadline";
                self.event("Normal", "DeadlineExceeded", message);
                self.publish("Failed", &json!({ "reason": "DeadlineExceeded", "message": message }));
                None
            }
        }
    }

    fn stop(&self, running: &[Running], containers: &[Value]) {
        for one in running {
            let name = containers.get(one.index).map(|container| container.text("/name")).unwrap_or_default();
            self.event("Normal", "Killing", &format!("Stopping container {name}"));
            terminate(one.pid);
        }
    }

    /// A container has ended; whether with success.
    fn ended(&mut self, init: bool, running: &[Running], index: usize, containers: &[Value], code: i32) -> bool {
        let one = running.iter().find(|one| one.index == index);
        if let (Some(one), Some(container)) = (one, containers.get(index)) {
            let state = terminated(one, code, &one.files.message(container, code));
            let mut status = status(container, false, &state);
            status.set(&["containerID"], json!(one.id()));
            self.set(init, one.index, status);
        }
        code == 0
    }

    /// Whether a container's hook succeeds, if it has one.
    async fn post_start(&self, container: &Value, directory: &Path, volumes: &BTreeMap<String, PathBuf>) -> bool {
        let command = container.list("/lifecycle/postStart/exec/command");
        if command.is_empty() {
            return true;
        }
        match Process::exec(&self.world, &self.pod, container, command, directory, volumes) {
            Ok(process) => process.wait().await == 0,
            Err(_) => false,
        }
    }

    fn set(&mut self, init: bool, index: usize, mut status: Value) {
        if init && status.text("/state/terminated/reason") == "Completed" {
            status.set(&["ready"], json!(true));
        }
        let list = if init { &mut self.init } else { &mut self.main };
        if let Some(place) = list.get_mut(index) {
            *place = status;
        }
    }
}

fn status(container: &Value, running: bool, state: &Value) -> Value {
    let image = container.text("/image");
    json!({
        "name": container.text("/name"), "image": image, "imageID": "", "restartCount": 0, "ready": running,
        "started": running, "lastState": {}, "state": state,
    })
}

fn terminated(container: &Running, code: i32, message: &str) -> Value {
    let mut state = json!({
        "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
        "startedAt": container.started, "finishedAt": clock::now(),
        "containerID": container.id(),
    });
    if !message.is_empty() {
        state.set(&["message"], json!(message));
    }
    json!({ "terminated": state })
}
