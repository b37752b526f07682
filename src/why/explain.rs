//! What is wrong with an object, from what was seen: pure, like the rules that it asks.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::diagnosis::{self, Diagnosis};
use snapready_checks::model::chain::{BEING_CREATED, Chain};
use snapready_checks::model::facts::Facts;
use snapready_checks::model::kubernetes::{Pod, VolumeSnapshotContent};
use snapready_checks::model::object::Kind;
use snapready_checks::model::round_trip::{Origin, StepId, VolumeMode};
use snapready_checks::model::volumes::{PersistentVolumeClaim, VolumeSnapshot};
use snapready_checks::moment::{Moment, Subject, line};
use snapready_checks::roundtrip::everything_removed::{StuckObject, stuck};

use super::chain::{in_order, leads_to, source};
use super::document::{Certainty, Link, State, Stuck};
use super::known::Known;
use super::shown::STATE;
use crate::api::Place;
use crate::model::CheckResult;
use crate::roundtrip::observe::{annotation, is_deleting, text};

/// A wait as short as this is none: controllers take their time.
const PATIENCE: Duration = Duration::from_secs(15);
/// The node that the scheduler has chosen for the first pod of a claim; csi-provisioner waits for it.
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What is said of an object: where the chain is broken, and by what.
struct Told {
    state: State,
    focus: Place,
    note: Option<String>,
    found: Option<(Certainty, CheckResult)>,
}

impl Told {
    fn fine(focus: &Place, note: impl Into<String>) -> Self {
        Self { state: State::Fine, focus: focus.clone(), note: Some(note.into()), found: None }
    }

    fn waiting(focus: &Place, note: impl Into<String>) -> Self {
        Self { state: State::Waiting, ..Self::fine(focus, note) }
    }

    fn unknown(focus: &Place, note: impl Into<String>) -> Self {
        Self { state: State::Unknown, ..Self::fine(focus, note) }
    }

    fn stuck(focus: &Place, certainty: Certainty, result: CheckResult) -> Self {
        Self { state: State::Stuck, focus: focus.clone(), note: None, found: Some((certainty, result)) }
    }
}

impl Stuck {
    pub(super) fn of(start: &Place, known: &Known, facts: &Facts) -> Self {
        let view = View { known, facts };
        let Told { state, focus, note, found } = view.told(start);
        let links = in_order(start, known).into_iter().map(|place| Link {
            state: known.state(&place),
            broken: state != State::Fine && place == focus,
            object: place.object(),
        });
        let object = known.get(start);
        let since = ["/metadata/deletionTimestamp", "/metadata/creationTimestamp"];
        let since = object.and_then(|object| since.into_iter().find_map(|at| text(object, at)?.parse().ok()));
        let (certainty, result) = found.unzip();
        Self {
            object: start.object(),
            state,
            since: since.filter(|_| state != State::Fine),
            chain: links.collect(),
            note,
            certainty,
            result,
        }
    }
}

struct View<'a> {
    known: &'a Known,
    facts: &'a Facts,
}

impl View<'_> {
    fn told(&self, place: &Place) -> Told {
        match place.kind {
            Kind::VOLUME_SNAPSHOT => self.snapshot(place),
            Kind::VOLUME_SNAPSHOT_CONTENT => self.content(place),
            Kind::VOLUME_GROUP_SNAPSHOT => self.group(place),
            Kind::PERSISTENT_VOLUME_CLAIM => self.claim(place),
            _ => self.pod(place),
        }
    }

    /// An object that is not being deleted; else what is to be said of it.
    fn staying<T: DeserializeOwned>(&self, place: &Place) -> Result<(&Value, T), Box<Told>> {
        let Some(object) = self.known.get(place) else { return Err(Box::new(self.not_seen(place))) };
        if is_deleting(object) {
            return Err(Box::new(self.stays(place)));
        }
        match self.known.typed(place) {
            Some(typed) => Ok((object, typed)),
            None => Err(Box::new(Told::unknown(place, "it does not have the form of its kind"))),
        }
    }

    fn snapshot(&self, place: &Place) -> Told {
        // It goes when its content does.
        let goes = |object: &Place| self.known.get(object).is_some_and(is_deleting);
        let content = self.known.typed(place).as_ref().and_then(content_of);
        if let Some(content) = content.as_ref().filter(|content| goes(place) && goes(content)) {
            return self.stays(content);
        }
        let (_, snapshot): (_, VolumeSnapshot) = match self.staying(place) {
            Ok(seen) => seen,
            Err(told) => return *told,
        };
        if snapshot.status.ready_to_use == Some(true) {
            return Told::fine(place, "it is ready to use");
        }
        if let Some(gone) = content.as_ref().filter(|content| self.known.is_absent(content)) {
            let note = format!("{} that it names does not exist", gone.object());
            return Told { state: State::Stuck, focus: gone.clone(), note: Some(note), found: None };
        }
        let claim = snapshot.spec.source.persistent_volume_claim_name.as_deref().map(|name| Place {
            kind: Kind::PERSISTENT_VOLUME_CLAIM,
            namespace: place.namespace.clone(),
            name: name.to_owned(),
        });
        let claim_seen: Option<PersistentVolumeClaim> = claim.as_ref().and_then(|claim| self.known.typed(claim));
        let content_seen: Option<VolumeSnapshotContent> =
            content.as_ref().and_then(|content| self.known.typed(content));
        let class = snapshot.spec.volume_snapshot_class_name.clone();
        let class = class.or_else(|| content_seen.as_ref()?.spec.volume_snapshot_class_name.clone());
        let mut subject = self.subject(place, claim_seen.as_ref());
        subject.driver = content_seen.as_ref().map(|content| content.spec.driver.clone()).or(subject.driver);
        subject.driver = subject.driver.or_else(|| {
            let classes = self.facts.volume_snapshot_classes.seen()?;
            classes.iter().find(|one| Some(&one.metadata.name) == class.as_ref()).map(|one| one.driver.clone())
        });
        subject.snapshot_class = class;
        let created = snapshot.metadata.creation_timestamp;
        let focus = content.filter(|content| self.known.get(content).is_some()).unwrap_or_else(|| place.clone());
        let about: Vec<Place> = [Some(place.clone()), Some(focus.clone())].into_iter().flatten().collect();
        let chain = Chain {
            claim: claim_seen,
            volume_snapshot: Some(snapshot),
            volume_snapshot_content: content_seen,
            ..Chain::default()
        };
        self.waits(&focus, StepId::Snapshot, created, &subject, &chain, &about)
    }

    /// A group goes and comes as a snapshot does, as far as the two are alike. Its members are the controller's.
    fn group(&self, place: &Place) -> Told {
        let content = leads_to(place, self.known).into_iter().find(|content| self.known.get(content).is_some());
        let goes = |object: &Place| self.known.get(object).is_some_and(is_deleting);
        if let Some(content) = content.as_ref().filter(|content| goes(place) && goes(content)) {
            return self.stays(content);
        }
        let (_, group): (_, VolumeSnapshot) = match self.staying(place) {
            Ok(seen) => seen,
            Err(told) => return *told,
        };
        if group.status.ready_to_use == Some(true) {
            return Told::fine(place, "it is ready to use");
        }
        let driver = content.as_ref().and_then(|content| text(self.known.get(content)?, "/spec/driver"));
        let subject = Subject { driver: driver.map(str::to_owned), ..self.subject(place, None) };
        let created = group.metadata.creation_timestamp;
        let about: Vec<Place> = std::iter::once(place.clone()).chain(content.clone()).collect();
        let chain = Chain { volume_snapshot: Some(group), is_group: true, ..Chain::default() };
        self.waits(&content.unwrap_or_else(|| place.clone()), StepId::Snapshot, created, &subject, &chain, &about)
    }

    fn content(&self, place: &Place) -> Told {
        let (_, content): (_, VolumeSnapshotContent) = match self.staying(place) {
            Ok(seen) => seen,
            Err(told) => return *told,
        };
        let of = &content.spec.volume_snapshot_ref;
        let snapshot =
            Place { kind: Kind::VOLUME_SNAPSHOT, namespace: Some(of.namespace.clone()), name: of.name.clone() };
        let is_its = |object: &Value| of.uid.is_empty() || text(object, "/metadata/uid") == Some(&of.uid);
        match self.known.get(&snapshot) {
            Some(object) if is_its(object) => self.snapshot(&snapshot),
            None if !self.known.is_absent(&snapshot) => self.not_seen(&snapshot),
            Some(_) | None if content.status.ready_to_use == Some(true) => {
                let policy = &content.spec.deletion_policy;
                Told::fine(
                    place,
                    format!("it is ready; its VolumeSnapshot has gone, and its deletionPolicy is {}", line(policy, 20)),
                )
            }
            Some(_) | None => Told::unknown(place, "it is not ready, and its VolumeSnapshot has gone"),
        }
    }

    fn claim(&self, place: &Place) -> Told {
        let (object, claim): (_, PersistentVolumeClaim) = match self.staying(place) {
            Ok(seen) => seen,
            Err(told) => return *told,
        };
        if claim.status.phase == "Bound" {
            return Told::fine(place, "it is bound");
        }
        let snapshot = source(place, object);
        if let Some(snapshot) = &snapshot {
            match self.snapshot(snapshot) {
                Told { state: State::Fine, .. } => {}
                told if self.known.get(snapshot).is_some() => return told,
                _ if self.known.is_absent(snapshot) => {
                    let note = format!("{} does not exist, and this claim is to be made from it", snapshot.object());
                    return Told { state: State::Stuck, focus: snapshot.clone(), note: Some(note), found: None };
                }
                _ => {}
            }
        }
        if claim.spec.storage_class_name.as_deref().unwrap_or_default().is_empty() {
            let note = "it names no StorageClass, and waits for a PersistentVolume that fits and was made by hand";
            return Told::waiting(place, note);
        }
        if let Some(from) = populated_from(object) {
            let note = format!(
                "it is filled from {from} by a volume populator, which snapready does not know; its events and the populator's log tell more"
            );
            return Told::unknown(place, note);
        }
        let user = self.known.users(place).into_iter().next();
        let waits_for_pod = self.binds_late(&claim) && annotation(object, SELECTED_NODE).is_none();
        if waits_for_pod && user.is_none() {
            let note =
                "its StorageClass has volumeBindingMode WaitForFirstConsumer: it is provisioned when a pod uses it";
            return match self.known.unseen(&a_pod(place)) {
                Some(why) => Told::unknown(place, format!("{note}; pods could not be read: {why}")),
                None => Told::waiting(place, note),
            };
        }
        let step = if snapshot.is_some() { StepId::Restore } else { StepId::Provision };
        let pod: Option<Pod> = user.as_ref().and_then(|user| self.known.typed(user));
        let subject = self.subject(place, Some(&claim));
        let created = claim.metadata.creation_timestamp;
        let created = pod.as_ref().filter(|_| waits_for_pod).map_or(created, |pod| pod.metadata.creation_timestamp);
        let about: Vec<Place> = std::iter::once(place.clone()).chain(user).collect();
        let chain = Chain { claim: Some(claim), pod, ..Chain::default() };
        self.waits(place, step, created, &subject, &chain, &about)
    }

    fn pod(&self, place: &Place) -> Told {
        let (_, pod): (_, Pod) = match self.staying(place) {
            Ok(seen) => seen,
            Err(told) => return *told,
        };
        let claims: Vec<Place> = pod
            .claims()
            .map(|name| Place { kind: Kind::PERSISTENT_VOLUME_CLAIM, namespace: place.namespace.clone(), name })
            .collect();
        let is_unbound =
            |claim: &&Place| self.known.get(claim).is_some_and(|claim| text(claim, "/status/phase") != Some("Bound"));
        if let Some(claim) = claims.iter().find(is_unbound) {
            return self.claim(claim);
        }
        // A container runs only when all volumes of its pod are mounted.
        if pod.status.phase != "Pending" {
            let phase = line(&pod.status.phase, 20);
            return Told::fine(place, format!("it is {phase}, so its volumes were mounted: no volume keeps it"));
        }
        let claim = claims.first();
        let claim_seen: Option<PersistentVolumeClaim> = claim.and_then(|claim| self.known.typed(claim));
        let snapshot = claim.and_then(|claim| source(claim, self.known.get(claim)?));
        let step = if snapshot.is_some() { StepId::Restore } else { StepId::Provision };
        let subject = self.subject(place, claim_seen.as_ref());
        let created = pod.metadata.creation_timestamp;
        let about: Vec<Place> = std::iter::once(place.clone()).chain(claims.iter().cloned()).collect();
        let chain = Chain { claim: claim_seen, pod: Some(pod), ..Chain::default() };
        self.waits(place, step, created, &subject, &chain, &about)
    }

    /// What a wait is for, by the rules of a round trip's step.
    fn waits(
        &self,
        focus: &Place,
        step: StepId,
        created: Option<Timestamp>,
        subject: &Subject,
        chain: &Chain,
        about: &[Place],
    ) -> Told {
        let elapsed = created.map_or(Duration::MAX, |created| {
            let seconds = self.facts.collected_at.duration_since(created).as_secs();
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        });
        let events = self.known.events_about(about);
        let moment = Moment {
            step,
            elapsed,
            pod_elapsed: elapsed,
            facts: self.facts,
            earlier: None,
            subject,
            chain,
            events: &events,
        };
        match diagnosis::diagnose(&moment) {
            Diagnosis::Certain(explanation) => Told::stuck(focus, Certainty::Certain, explanation.result(|_| None)),
            Diagnosis::Waiting { waiting_for, .. } if elapsed < PATIENCE => {
                Told::waiting(focus, format!("waits for {waiting_for}, for no more than a few seconds yet"))
            }
            Diagnosis::Waiting { waiting_for, .. } => {
                let mut result = diagnosis::timed_out(&moment).result(|_| None);
                let seen = result.message.split_once("; last seen: ").map(|(_, seen)| seen.to_owned());
                result.message = match seen {
                    Some(seen) => format!("waits for {waiting_for}; last seen: {seen}"),
                    None => format!("waits for {waiting_for}; {}", result.message),
                };
                let likely = result.cause.as_deref().and_then(|cause| cause.strip_prefix("likely: "));
                let (certainty, cause) = match likely {
                    Some(likely) => (Certainty::Likely, Some(likely.to_owned())),
                    None => (Certainty::Unknown, result.cause.clone()),
                };
                result.cause = cause;
                Told::stuck(focus, certainty, result)
            }
        }
    }

    /// What is being deleted, and does not go.
    fn stays(&self, place: &Place) -> Told {
        let Some(object) = self.known.get(place) else { return self.not_seen(place) };
        let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
        let finalizers: Vec<String> =
            finalizers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let explanation = stuck(&StuckObject {
            object: place.object(),
            deletion_timestamp: text(object, "/metadata/deletionTimestamp").map(str::to_owned),
            being_created: annotation(object, BEING_CREATED).is_some(),
            error: text(object, "/status/error/message").map(str::to_owned),
            finalizers,
        });
        let certainty = if explanation.finding().evidence.len() > 1 { Certainty::Certain } else { Certainty::Unknown };
        Told::stuck(place, certainty, explanation.result(|_| None))
    }

    fn not_seen(&self, place: &Place) -> Told {
        match self.known.unseen(place) {
            Some(why) => Told::unknown(place, format!("{} could not be read: {}", place.object(), line(why, STATE))),
            None if self.known.is_absent(place) => Told::unknown(place, format!("{} does not exist", place.object())),
            None => Told::unknown(place, format!("{} was not looked at", place.object())),
        }
    }

    fn subject(&self, place: &Place, claim: Option<&PersistentVolumeClaim>) -> Subject {
        let storage_class = claim.and_then(|claim| claim.spec.storage_class_name.clone()).unwrap_or_default();
        let classes = self.facts.storage_classes.seen().map(Vec::as_slice).unwrap_or_default();
        let class = classes.iter().find(|class| class.metadata.name == storage_class);
        let is_block = claim.is_some_and(|claim| claim.spec.volume_mode.as_deref() == Some("Block"));
        Subject {
            label: place.object().to_string(),
            driver: class.map(|class| class.provisioner.clone()),
            storage_class,
            snapshot_class: None,
            volume_mode: if is_block { VolumeMode::Block } else { VolumeMode::Filesystem },
            origin: Origin::default(),
        }
    }

    fn binds_late(&self, claim: &PersistentVolumeClaim) -> bool {
        let classes = self.facts.storage_classes.seen().map(Vec::as_slice).unwrap_or_default();
        let class = classes.iter().find(|class| Some(&class.metadata.name) == claim.spec.storage_class_name.as_ref());
        class.is_some_and(|class| class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"))
    }
}

/// What a claim is filled from that no CSI driver knows: an object of a kind of its own, such as `VolSync`'s.
fn populated_from(claim: &Value) -> Option<String> {
    let from = claim.pointer("/spec/dataSourceRef")?;
    let kind = text(from, "/kind")?;
    let is_own = ![Kind::VOLUME_SNAPSHOT.name, Kind::PERSISTENT_VOLUME_CLAIM.name].contains(&kind);
    is_own.then(|| line(&format!("{kind} {}", text(from, "/name").unwrap_or_default()), STATE))
}

fn a_pod(claim: &Place) -> Place {
    Place { kind: Kind::POD, namespace: claim.namespace.clone(), name: String::new() }
}

fn content_of(snapshot: &VolumeSnapshot) -> Option<Place> {
    let bound = snapshot.status.bound_volume_snapshot_content_name.as_deref();
    let name = bound.or(snapshot.spec.source.volume_snapshot_content_name.as_deref())?;
    Some(Place { kind: Kind::VOLUME_SNAPSHOT_CONTENT, namespace: None, name: name.to_owned() })
}
