//! The objects that files hold, and the facts that follow from them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use snapready_checks::interests;
use snapready_checks::model::facts::{Facts, MountedClaim, SnapshotApis};
use snapready_checks::model::kubernetes::{CustomResourceDefinition, Pod, ServerVersion};
use snapready_checks::model::listed::{Listed, Visit};
use snapready_checks::model::need::{Access, CRD_NAMES, Need};
use snapready_checks::model::nulls;
use snapready_checks::model::object::{GROUP_SNAPSHOT_GROUP, Kind, SNAPSHOT_GROUP};
use snapready_checks::model::probe::Probe;
use snapready_checks::model::products::{ProductKind, ProductObjects};
use snapready_checks::products::{self, kinds};

use super::document::{Document, Packed, text};

/// A kind by its group and its name.
type KindKey = (String, String);
/// An object of its kind by namespace and name.
type Name = (String, String);

/// The objects that files hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Also kinds of which there is an empty list.
    kinds: BTreeMap<KindKey, BTreeMap<Name, Packed>>,
    version: Option<ServerVersion>,
    newest: Option<Timestamp>,
}

fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether any check reads objects of this kind.
fn is_read(group: &str, name: &str) -> bool {
    let mut of_products = products::ALL.iter().flat_map(|product| product.kinds);
    Kind::ALL.iter().any(|kind| kind.group == group && kind.name == name)
        || of_products.any(|kind| kind.group == group && kind.name == name)
}

impl Held {
    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.kinds.values().map(BTreeMap::len).sum()
    }

    /// Whether there is a list, be it empty.
    pub(super) fn has_lists(&self) -> bool {
        !self.kinds.is_empty()
    }

    /// The newest time that they tell of.
    pub(super) const fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Takes a document: an object, a list of objects, or what `kubectl version` prints.
    pub(super) fn take(&mut self, document: Document) {
        match document {
            Document::Nothing => {}
            Document::Many(documents) => documents.into_iter().for_each(|document| self.take(document)),
            Document::Version(version) => self.version = Some(*version),
            Document::List { api_version, kind, items } => self.take_list(&api_version, &kind, items),
            Document::Object(object) => self.take_object(object),
        }
    }

    fn take_list(&mut self, api_version: &str, kind: &str, items: Vec<Document>) {
        if !kind.is_empty() && is_read(group_of(api_version), kind) {
            // It may be empty.
            self.kinds.entry((group_of(api_version).to_owned(), kind.to_owned())).or_default();
        }
        for item in items {
            match item {
                // The items of a typed list do not say what they are.
                Document::Object(object) if !kind.is_empty() => self.take_object(object.of(api_version, kind)),
                item => self.take(item),
            }
        }
    }

    fn take_object(&mut self, object: Packed) {
        self.newest = self.newest.max(object.newest);
        let group = group_of(&object.api_version).to_owned();
        if object.name.is_empty() || !is_read(&group, &object.kind) {
            return;
        }
        let name = (object.namespace.clone(), object.name.clone());
        let objects = self.kinds.entry((group, object.kind.clone())).or_default();
        if objects.get(&name).is_none_or(|known| known.version <= object.version) {
            objects.insert(name, object);
        }
    }

    /// The objects of a kind; `None` if the files hold none, and no list either.
    pub(super) fn of(&self, group: &str, kind: &str) -> Option<impl Iterator<Item = Value>> {
        let packed = self.kinds.get(&(group.to_owned(), kind.to_owned()))?;
        Some(packed.values().map(Packed::unpacked))
    }

    /// Everything that can be told.
    pub(super) fn tell(&self, facts: &mut Facts) {
        facts.custom_resource_definitions = self.definitions();
        facts.snapshot_apis = apis(&facts.custom_resource_definitions);
        for need in Need::ALL {
            // The claims that pods mount are read with them.
            if need != Need::Pods
                && let Access::Listed(kinds) = need.row().access
                && let Some(answer) = need.visit(Typed { held: self, need, kinds, apis: &facts.snapshot_apis })
            {
                answer(facts);
            }
        }
        facts.server_version = self.version.clone().map_or(Probe::NotCollected, Probe::from);
        if !self.has_all_of_rbac() {
            (facts.roles, facts.role_bindings) = (Probe::NotCollected, Probe::NotCollected);
        }
        (facts.pods, facts.mounted_claims) = self.pods();
        facts.product_objects = self.product_objects(&facts.for_products);
    }

    /// Of the six that matter. Where the files hold any definition they hold all, as far as can be told.
    fn definitions(&self) -> Probe<Vec<CustomResourceDefinition>> {
        let Kind { group, name, .. } = Kind::CUSTOM_RESOURCE_DEFINITION;
        let Some(all) = self.of(group, name) else { return Probe::NotCollected };
        let wanted = all.filter(|object: &Value| CRD_NAMES.contains(&text(object, "/metadata/name")));
        typed(wanted, &Kind::CUSTOM_RESOURCE_DEFINITION, Need::CustomResourceDefinitions)
            .map_or_else(|reason| Probe::Failed { reason }, Probe::from)
    }

    /// Whether they hold the rights of everybody: rights that are missing say something only then. What Kubernetes itself puts into
    /// every cluster is a part of all (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy`).
    fn has_all_of_rbac(&self) -> bool {
        let reader = "extension-apiserver-authentication-reader";
        let bound = format!("system::{reader}");
        let always = [
            (Kind::CLUSTER_ROLE, "", "cluster-admin"),
            (Kind::CLUSTER_ROLE_BINDING, "", "cluster-admin"),
            (Kind::ROLE, "kube-system", reader),
            (Kind::ROLE_BINDING, "kube-system", &bound),
        ];
        always.iter().all(|(kind, namespace, name)| {
            let objects = self.kinds.get(&(kind.group.to_owned(), kind.name.to_owned()));
            objects.is_some_and(|objects| objects.contains_key(&((*namespace).to_owned(), (*name).to_owned())))
        })
    }

    /// The pods that an interest picks out, and the claims of all.
    fn pods(&self) -> (Probe<Vec<Pod>>, Probe<Vec<MountedClaim>>) {
        let Some(pods) = self.of(Kind::POD.group, Kind::POD.name) else {
            return (Probe::NotCollected, Probe::NotCollected);
        };
        let mut claims = BTreeSet::new();
        let keep = |mut pod: Pod| {
            claims.extend(pod.mounted_claims());
            pod.keep(interests(Need::Pods)).then_some(pod)
        };
        match typed_with(pods, &Kind::POD, keep) {
            Ok(pods) => (Probe::from(pods), Probe::from(claims.into_iter().collect::<Vec<_>>())),
            Err(reason) => (Probe::Failed { reason }, Probe::NotCollected),
        }
    }

    fn product_objects(&self, words: &[String]) -> Probe<Vec<ProductObjects>> {
        let list = |kind: &'static ProductKind| {
            let objects = match self.of(kind.group, kind.name) {
                Some(objects) => Probe::from(objects.filter_map(|object| kind.keep(&object)).collect::<Vec<_>>()),
                None => Probe::NotCollected,
            };
            ProductObjects { group: kind.group.to_owned(), plural: kind.plural.to_owned(), objects }
        };
        Probe::from(kinds(words).into_iter().map(list).collect::<Vec<_>>())
    }
}

/// What the definitions serve. The version of an object tells only in which it was asked for.
fn apis(definitions: &Probe<Vec<CustomResourceDefinition>>) -> Probe<SnapshotApis> {
    let definitions = match definitions.seen_or() {
        Ok(definitions) => definitions,
        Err(unseen) => return unseen,
    };
    let mut apis: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for definition in definitions {
        let versions = definition.spec.get("versions").and_then(Value::as_array).into_iter().flatten();
        for version in versions.filter(|version| version.get("served") == Some(&Value::Bool(true))) {
            let known = apis.entry(text(&definition.spec, "/group").to_owned()).or_default();
            let name = text(version, "/name");
            if !known.iter().any(|known| known == name) {
                known.push(name.to_owned());
            }
        }
    }
    Probe::from(SnapshotApis(apis))
}

/// Meets a need with the objects of its kinds. Files that hold one of them hold what there is of the others, too.
struct Typed<'a> {
    held: &'a Held,
    need: Need,
    kinds: &'static [Kind],
    apis: &'a Probe<SnapshotApis>,
}

impl Typed<'_> {
    /// What it means that the files hold none of the kinds: of snapshots there can be none where the definitions are there and do not
    /// serve them.
    fn without<T>(&self) -> Probe<T> {
        let of_snapshots = |kind: &Kind| [SNAPSHOT_GROUP, GROUP_SNAPSHOT_GROUP].contains(&kind.group);
        let serves = |kind: &Kind| self.apis.seen().is_none_or(|apis| apis.serves(kind.group, kind.version));
        let is_served = self.kinds.iter().any(|kind| !of_snapshots(kind) || serves(kind));
        if is_served { Probe::NotCollected } else { Probe::NotServed }
    }
}

type Answer = Box<dyn FnOnce(&mut Facts)>;

impl Visit for Typed<'_> {
    type Output = Answer;

    fn listed<T: Listed>(self, field: fn(&mut Facts) -> &mut Probe<Vec<T>>) -> Self::Output {
        let mut all: Probe<Vec<T>> = self.without();
        let Self { held, need, kinds, .. } = self;
        let mut seen = Vec::new();
        for kind in kinds {
            let Some(objects) = held.of(kind.group, kind.name) else { continue };
            match typed(objects, kind, need) {
                Ok(objects) => {
                    seen.extend(objects);
                    all = Probe::from(Vec::new());
                }
                Err(reason) => return Box::new(move |facts| *field(facts) = Probe::Failed { reason }),
            }
        }
        if all.seen().is_some() {
            all = Probe::from(seen);
        }
        Box::new(move |facts| *field(facts) = all)
    }
}

/// Objects as a check reads them, as far as something of them is kept.
fn typed<T: Listed>(objects: impl Iterator<Item = Value>, kind: &Kind, need: Need) -> Result<Vec<T>, String> {
    typed_with(objects, kind, |mut read: T| {
        read.set_kind(kind);
        read.keep(interests(need)).then_some(read)
    })
}

/// The same, with another way to keep them. One that is not of its kind's form hides what it is, so that nothing is known of the rest.
fn typed_with<T: DeserializeOwned>(
    objects: impl Iterator<Item = Value>,
    kind: &Kind,
    mut keep: impl FnMut(T) -> Option<T>,
) -> Result<Vec<T>, String> {
    let mut all = Vec::new();
    for object in objects {
        let read: T = nulls::from_ref(&object)
            .map_err(|error| format!("{} {}: {error}", kind.name, text(&object, "/metadata/name")))?;
        all.extend(keep(read));
    }
    Ok(all)
}
