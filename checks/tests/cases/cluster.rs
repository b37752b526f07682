//! Facts from what a case says about the cluster.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use snapready_checks::model::kubernetes::Pod;
use snapready_checks::model::need::{Access, Need, Rule};
use snapready_checks::model::object::Kind;
use snapready_checks::products;

use super::definitions::definition;

/// What a case says about the cluster.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cluster {
    /// The time of collection; [`NOW`] if not given.
    pub(crate) now: Option<String>,
    /// Kubernetes version; `v1.33.1` if not given.
    pub(crate) kubernetes: Option<String>,
    /// The tag of external-snapshotter whose three CRDs are installed, or one tag for each; none if not given.
    #[serde(default)]
    pub(crate) crds: Crds,
    /// The same for the CRDs of group snapshots.
    #[serde(default)]
    pub(crate) group_crds: Crds,
    /// Whether an API server below 1.25 has dropped the validation rules.
    #[serde(default)]
    pub(crate) rules_dropped: bool,
    /// Changes to the CRDs after that: JSON pointer to value.
    #[serde(default)]
    pub(crate) crd_changes: Map<String, Value>,
    /// The objects, with their kinds. Where none of them is of RBAC, every `ServiceAccount` may do everything.
    #[serde(default)]
    pub(crate) objects: Vec<Value>,
    /// An object that is there many times, with a number behind its name.
    pub(crate) repeated: Option<Repeated>,
    /// The backup products that are asked about.
    #[serde(default)]
    pub(crate) products: Vec<String>,
    /// The services of webhooks that were asked for.
    #[serde(default)]
    pub(crate) webhook_services: Vec<Value>,
    /// The secrets that were asked for.
    #[serde(default)]
    pub(crate) secrets: Vec<Value>,
    /// The switches of drivers that were looked at.
    #[serde(default)]
    pub(crate) driver_switches: Vec<Value>,
    /// What was answered about the rights of `ServiceAccounts`.
    #[serde(default)]
    pub(crate) account_reviews: Vec<Value>,
    /// The answers to "may I?".
    #[serde(default)]
    pub(crate) access: Vec<Value>,
    /// What could not be seen: field of `Facts` to state of the probe.
    #[serde(default)]
    pub(crate) missing: Map<String, Value>,
}

/// An object that is there many times.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeated {
    pub(crate) times: usize,
    pub(crate) object: Value,
}

impl Repeated {
    fn objects(&self) -> impl Iterator<Item = Value> {
        (1..=self.times).map(|number| {
            let mut object = self.object.clone();
            let name = format!("{}-{number}", object["metadata"]["name"].as_str().unwrap());
            object["metadata"]["name"] = json!(name);
            object
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Crds {
    #[default]
    None,
    All(String),
    Each(Map<String, Value>),
}

/// The field of `Facts` that holds what a need asks for, as it is written: the need's own word in camelCase.
fn field(need: Need) -> String {
    let word = serde_json::to_value(need).unwrap();
    let mut parts = word.as_str().unwrap().split('-');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |field, part| field + &part[..1].to_ascii_uppercase() + &part[1..])
}

/// The first right that filling a field takes; where anybody may ask, the one that whoever asks needs.
fn rule(name: &str) -> Rule {
    let need = Need::ALL.into_iter().find(|need| field(*need) == name).unwrap();
    let open = Rule::new("authorization.k8s.io", "selfsubjectaccessreviews", &["create"]);
    need.rules().into_iter().next().unwrap_or(open)
}

/// The fields of `Facts` that hold lists, and the kinds in them, as the table of needs says.
pub(crate) fn listed() -> Vec<(String, &'static [Kind])> {
    let listed = Need::ALL.iter().filter_map(|need| match need.row().access {
        Access::Listed(kinds) => Some((field(*need), kinds)),
        Access::Named(..) | Access::Followed(_) | Access::OfProducts | Access::Open => None,
    });
    listed.collect()
}

/// Role and binding of a cluster whose case does not tell what `ServiceAccounts` may do.
fn everything_for_every_account() -> (Value, Value) {
    let all = json!(["*"]);
    let role = json!({ "kind": "ClusterRole", "metadata": { "name": "cluster-admin" },
        "rules": [{ "apiGroups": all, "resources": all, "verbs": all }] });
    let binding = json!({ "kind": "ClusterRoleBinding", "metadata": { "name": "every-account" },
        "roleRef": { "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "Group", "name": "system:serviceaccounts" }] });
    (role, binding)
}

/// The API group of an object that says it.
fn group(object: &Value) -> &str {
    object["apiVersion"].as_str().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
}

/// Whether an object is of a kind that a backup product brings along, or reads.
fn is_of_a_product(object: &Value) -> bool {
    let kinds = products::kinds(&[products::AUTO.to_owned()]);
    kinds.iter().any(|kind| kind.group == group(object) && object["kind"] == kind.name)
}

/// The time of collection.
pub(crate) const NOW: &str = "2026-01-01T00:10:00Z";

impl Cluster {
    pub(crate) fn facts(&self) -> Value {
        let mut fields = Map::new();
        let listed = listed();
        for (field, _) in &listed {
            fields.insert(field.clone(), json!([]));
        }
        let mut crds = self.definitions();
        crds.extend(self.objects.iter().filter(|object| object["kind"] == "CustomResourceDefinition").cloned());
        let mut apis: Map<String, Value> = Map::new();
        for crd in &crds {
            let group = crd["spec"]["group"].as_str().unwrap();
            let served = apis.entry(group).or_insert(json!([])).as_array_mut().unwrap();
            for version in crd["spec"]["versions"].as_array().unwrap() {
                if version["served"] == true && !served.contains(&version["name"]) {
                    served.push(version["name"].clone());
                }
            }
        }
        fields.insert("customResourceDefinitions".to_owned(), json!(crds));
        let repeated: Vec<Value> = self.repeated.iter().flat_map(Repeated::objects).collect();
        for object in self.objects.iter().chain(&repeated) {
            let kind = object["kind"].as_str().unwrap();
            if kind == Kind::CUSTOM_RESOURCE_DEFINITION.name || is_of_a_product(object) {
                continue;
            }
            let holds = |(_, kinds): &&(String, &[Kind])| kinds.iter().any(|known| known.name == kind);
            let (field, _) = listed.iter().find(holds).unwrap_or_else(|| panic!("no fact holds a {kind}"));
            fields[field].as_array_mut().unwrap().push(object.clone());
        }
        let tells_of_roles = |field: &str| fields[field].as_array().is_some_and(|objects| !objects.is_empty());
        if !tells_of_roles("roles") && !tells_of_roles("roleBindings") {
            let (role, binding) = everything_for_every_account();
            fields["roles"] = json!([role]);
            fields["roleBindings"] = json!([binding]);
        }
        let version = self.kubernetes.as_deref().unwrap_or("v1.33.1");
        fields.insert("serverVersion".to_owned(), json!({ "gitVersion": version }));
        fields.insert("snapshotApis".to_owned(), Value::Object(apis));
        fields.insert("classSecrets".to_owned(), json!(self.secrets));
        fields.insert("webhookServices".to_owned(), json!(self.webhook_services));
        fields.insert("mountedClaims".to_owned(), self.mounted_claims());
        fields.insert("driverSwitches".to_owned(), json!(self.driver_switches));
        fields.insert("accountReviews".to_owned(), json!(self.account_reviews));
        fields.insert("roundTripAccess".to_owned(), json!(self.access));
        fields.insert("productObjects".to_owned(), self.product_objects());
        let mut facts = Map::new();
        for (field, value) in fields {
            facts.insert(field, json!({ "state": "seen", "value": value }));
        }
        for (name, state) in self.missing.iter().filter(|(name, _)| !name.contains('.')) {
            assert!(facts.contains_key(name), "no field of Facts is called {name}");
            facts[name] = match state.as_str().unwrap() {
                "forbidden" => json!({ "state": "forbidden", "rule": rule(name) }),
                "failed" => json!({ "state": "failed", "reason": "connection refused" }),
                other => json!({ "state": other }),
            };
        }
        facts.insert("forProducts".to_owned(), json!(self.products));
        facts.insert("collectedAt".to_owned(), json!(self.now.as_deref().unwrap_or(NOW)));
        Value::Object(facts)
    }

    /// The objects of the products that are asked about. The kinds of a group of which the case has no object are not served;
    /// `missing` may name a kind as kubectl does.
    fn product_objects(&self) -> Value {
        let lists = products::kinds(&self.products).into_iter().map(|kind| {
            let is_of =
                |object: &&Value, name: bool| group(object) == kind.group && (!name || object["kind"] == kind.name);
            let served = self.objects.iter().any(|object| is_of(&object, false));
            let kept: Vec<_> = self
                .objects
                .iter()
                .filter(|object| is_of(object, true))
                .filter_map(|object| kind.keep(object))
                .collect();
            let objects = match self.missing.get(&format!("{}.{}", kind.plural, kind.group)) {
                Some(_) => json!({ "state": "forbidden", "rule": kind.rule() }),
                None if served => json!({ "state": "seen", "value": kept }),
                None => json!({ "state": "not-served" }),
            };
            json!({ "group": kind.group, "plural": kind.plural, "objects": objects })
        });
        lists.collect()
    }

    fn mounted_claims(&self) -> Value {
        let pods = self.objects.iter().filter(|object| object["kind"] == "Pod");
        let claims = pods.flat_map(|object| {
            let pod: Pod = serde_json::from_value(object.clone()).unwrap();
            let namespace = pod.metadata.namespace.clone().unwrap_or_default();
            let claims: Vec<Value> = pod.claims().map(|name| json!({ "namespace": namespace, "name": name })).collect();
            claims
        });
        claims.collect()
    }

    fn definitions(&self) -> Vec<Value> {
        let mut crds = Vec::new();
        for (wanted, group, names) in [
            (
                &self.crds,
                "snapshot.storage.k8s.io",
                ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"],
            ),
            (
                &self.group_crds,
                "groupsnapshot.storage.k8s.io",
                ["volumegroupsnapshots", "volumegroupsnapshotcontents", "volumegroupsnapshotclasses"],
            ),
        ] {
            for name in names {
                let tag = match wanted {
                    Crds::None => None,
                    Crds::All(tag) => Some(tag.as_str()),
                    Crds::Each(tags) => tags.get(name).and_then(Value::as_str),
                };
                if let Some(tag) = tag {
                    crds.push(definition(&format!("{name}.{group}"), tag, self.rules_dropped));
                }
            }
        }
        for (pointer, value) in &self.crd_changes {
            let (crd, path) = pointer.split_once('/').unwrap();
            let crd =
                crds.iter_mut().find(|known| known["metadata"]["name"].as_str().unwrap().starts_with(crd)).unwrap();
            let (parent, field) = path.rsplit_once('/').unwrap();
            crd.pointer_mut(&format!("/{parent}")).unwrap()[field] = value.clone();
        }
        crds
    }
}
