//! The rights that requests take.

use snapready_checks::model::need::Rule;
use snapready_sim::Request;

/// A verb and a resource, and whether it lies in the namespace of the round trip.
pub(crate) type Right = (String, String, bool);

/// The rights that rules grant.
pub(crate) fn rights(rules: Vec<Rule>, within: bool) -> impl Iterator<Item = Right> {
    rules.into_iter().flat_map(move |rule| {
        let resource = format!("{}.{}", rule.resource, rule.group);
        rule.verbs.into_iter().map(move |verb| (verb, resource.clone(), within))
    })
}

/// The right that a request takes; `None` for discovery, and for reviews, which everybody may ask for.
pub(crate) fn right(request: &Request) -> Option<Right> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, rest) = match segments.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return None,
    };
    let (within, resource, name) = match rest {
        ["namespaces", _, resource, name @ ..] => (true, *resource, name.first()),
        [resource, name @ ..] => (false, *resource, name.first()),
        [] => return None,
    };
    let verb = match request.method.as_str() {
        "POST" => "create",
        "DELETE" => "delete",
        "GET" if query.contains("watch=") => "watch",
        "GET" if name.is_some() => "get",
        "GET" => "list",
        "PATCH" => "patch",
        other => other,
    };
    (group != "authorization.k8s.io").then(|| (verb.to_owned(), format!("{resource}.{group}"), within))
}
