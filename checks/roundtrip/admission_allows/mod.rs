//! The cluster admits the objects of the round trip.

use crate::model::check::Check;
use crate::roundtrip::check;

/// See `doc.md`.
pub const CHECK: Check =
    check("SR311", "admission-allows", "The cluster admits the objects of the round trip", include_str!("doc.md"));

mod namespace;
mod no_room;
mod policy;
mod server;

pub use self::no_room::{NoRoom, no_room};
use crate::knowledge::refusals::may_pass;
use crate::model::command::Argument;
use crate::model::finding::{Evidence, Fix};
use crate::model::object::ObjectName;
use crate::model::round_trip::PodUser;
use crate::moment::grpc::Code;
use crate::moment::{Advice, Explanation, Moment};
use crate::roundtrip::snapshot_succeeds::{LAG, answers, shown_by};
use crate::text::names::safe;

/// What the API server answered to a create, or to its dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// HTTP status.
    pub status: u16,
    /// Reason in one word.
    pub reason: &'a str,
    /// Text.
    pub message: &'a str,
    /// The object that was to be created.
    pub object: &'a ObjectName,
    /// Whether the run has created the namespace: then it is gone when the fix is read, and no command names it.
    pub own_namespace: bool,
    /// What the pods of the round trip run as.
    pub user: PodUser,
}

impl<'a> Refusal<'a> {
    /// The namespace, if it is still there when the fix is read.
    fn lasting_namespace(&self) -> Option<&'a str> {
        self.object.namespace.as_deref().filter(|_| !self.own_namespace)
    }

    /// `-n NAMESPACE` for a namespace that stays, all namespaces otherwise.
    fn scope(&self) -> Vec<Argument> {
        let word = |word: &str| Argument::Word(word.to_owned());
        let scope = |namespace| vec![word("-n"), word(safe(namespace, "NAMESPACE"))];
        self.lasting_namespace().map_or_else(|| vec![word("-A")], scope)
    }

    fn says(&self, part: &str) -> bool {
        self.message.contains(part)
    }
}

/// Why, and what to do.
struct Why {
    cause: String,
    fix: Fix,
    advice: Vec<Advice>,
    /// The static checks that may tell it first.
    told_by: &'static [&'static str],
}

impl Why {
    fn new(cause: impl Into<String>, fix: Fix) -> Self {
        Self { cause: cause.into(), fix, advice: Vec::new(), told_by: &[] }
    }

    fn advise(mut self, advice: Advice) -> Self {
        self.advice.push(advice);
        self
    }

    fn told_by(self, checks: &'static [&'static str]) -> Self {
        Self { told_by: checks, ..self }
    }
}

/// Why the API server does not take an object: who refused, and what they want. The rules of the namespace are asked
/// before policies, and those before the API server's own status: each names its text more exactly than the next.
#[must_use]
pub fn refused(refusal: &Refusal<'_>) -> Explanation {
    let why =
        namespace::explain(refusal).or_else(|| policy::explain(refusal)).unwrap_or_else(|| server::explain(refusal));
    // A server that does not know a kind answers with plain text, and the client then complains of that.
    let plain = refusal.status == 404 && refusal.says("404 page not found");
    let (reason, text) = if plain { ("NotFound", "404 page not found") } else { (refusal.reason, refusal.message) };
    let object = refusal.object;
    let evidence = Evidence {
        kind: object.kind.clone(),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        path: format!("HTTP {} {reason}", refusal.status),
        value: text.to_owned(),
    };
    let said = if plain { "the API server does not know this kind" } else { text };
    let explanation = Explanation::fail(&CHECK, &format!("{object} is refused: {said}"))
        .evidence([evidence])
        .cause(why.cause)
        .fix(why.fix);
    // It was there when the round trip began: somebody has deleted it since.
    let is_deleted = refusal.own_namespace && refusal.says(namespace::TERMINATING);
    let explanation = if is_deleted { explanation.unknown() } else { explanation };
    let explanation = why.told_by.iter().fold(explanation, |explanation, check| explanation.follows_from(check, None));
    why.advice.into_iter().fold(explanation, Explanation::advise)
}

/// A webhook that keeps the snapshot-controller or the csi-snapshotter from writing the snapshot's content.
pub(crate) fn webhook_refuses(moment: &Moment<'_>) -> Option<Explanation> {
    let says = |text: &str| {
        let text = text.replace("\\\"", "\"");
        let denied = text.contains("admission webhook \"") && text.contains("denied the request");
        (denied || text.contains("failed calling webhook \"") && !may_pass(&text)).then_some((denied, text))
    };
    if moment.elapsed < LAG * 2 {
        return None;
    }
    let (answer, (denied, text)) = answers(moment)
        .filter(|answer| Code::find(&answer.text).is_none())
        .find_map(|answer| says(&answer.text).map(|said| (answer, said)))?;
    let why = if denied { policy::webhook_denied(&text, false) } else { policy::webhook_down(&text) };
    let message = format!("its content is refused: {text}");
    let explanation = shown_by(&answer, &CHECK, moment, &message).cause(why.cause).fix(why.fix);
    Some(why.told_by.iter().fold(explanation, |explanation, check| explanation.follows_from(check, None)))
}
