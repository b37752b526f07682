//! Objects of products, as checks look at them.

use crate::model::command::{Command, kubectl, snapready};
use crate::model::facts::Facts;
use crate::model::finding::{Evidence, Finding, Findings, Fix, Status};
use crate::model::probe::Probe;
use crate::model::products::{ProductKind, ProductObject};
use crate::products::asked_about;
use crate::products::product::Product;
use crate::text::names::is_object_name;

/// The objects of a kind.
///
/// # Errors
///
/// A finding that says why they were not seen: skip where the product's CRDs are not installed, else unknown.
pub(super) fn objects<'a>(
    facts: &'a Facts,
    product: &Product,
    kind: &ProductKind,
) -> Result<&'a [ProductObject], Box<Finding>> {
    let seen = facts.product_objects.seen_or().and_then(|all| {
        let of_kind = all.iter().find(|objects| objects.group == kind.group && objects.plural == kind.plural);
        of_kind.map_or(Err(Probe::NotCollected), |objects| objects.objects.seen_or::<()>())
    });
    let resource = format!("{}.{}", kind.plural, kind.group);
    seen.map(Vec::as_slice).map_err(|why| {
        let finding = match why {
            Probe::NotServed => {
                Finding::new(Status::Skip, format!("{} is not installed: {resource} are not served", product.name))
            }
            Probe::Forbidden { rule } => {
                Finding::new(Status::Unknown, format!("could not look: the API server refuses to {rule}")).fix(
                    Fix::text(format!("grant: {rule}")).command(
                        snapready("rbac --check-only --for")
                            .word(product.word)
                            .words("--service-account NAMESPACE/NAME")
                            .pipe(kubectl("apply -f -")),
                    ),
                )
            }
            Probe::Failed { reason } => {
                Finding::new(Status::Unknown, format!("{resource} could not be read: {reason}"))
            }
            Probe::NotCollected | Probe::Seen { .. } => {
                Finding::new(Status::Unknown, format!("{resource} were not read"))
            }
        };
        Box::new(finding.target(product.word))
    })
}

/// The same, of a product that was asked about; what says why there are none goes into the findings.
pub(super) fn of_asked<'a>(
    facts: &'a Facts,
    named: &Product,
    is_it: impl Fn(&Product) -> bool,
    kind: &ProductKind,
    findings: &mut Findings,
) -> Option<&'a [ProductObject]> {
    let product = asked_about(facts, named, is_it, findings)?;
    objects(facts, product, kind).map_err(|finding| findings.push(*finding)).ok()
}

/// Evidence from an object.
pub(super) fn evidence(kind: &ProductKind, object: &ProductObject, path: &str, value: impl Into<String>) -> Evidence {
    let (namespace, name) = (object.metadata.namespace.clone(), &object.metadata.name);
    Evidence { namespace, ..Evidence::cluster(kind.name, name, path, value) }
}

/// `namespace/name`, or the name of an object that lies in no namespace.
pub(super) fn place(object: &ProductObject) -> String {
    match &object.metadata.namespace {
        Some(namespace) => format!("{namespace}/{}", object.metadata.name),
        None => object.metadata.name.clone(),
    }
}

/// A `kubectl` line about an object; `None` if its name could not stand in one.
pub(super) fn about(kind: &ProductKind, object: &ProductObject, verb: &'static str) -> Option<Command> {
    let (namespace, name) = (object.metadata.namespace.as_deref().unwrap_or("default"), object.metadata.name.as_str());
    (is_object_name(namespace) && is_object_name(name))
        .then(|| kubectl("-n").word(namespace).words(verb).word(format!("{}.{}", kind.plural, kind.group)).word(name))
}
