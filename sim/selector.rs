//! Label and field selectors.

use serde_json::Value;

use super::object::Object;
use super::resources::{CRDS, EVENTS, NAMESPACES, PODS, Resource, SECRETS};
use super::status::ApiError;

/// Which objects of a kind are meant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Selector {
    labels: Vec<LabelRule>,
    fields: Vec<FieldRule>,
}

#[derive(Debug, Clone, PartialEq)]
struct FieldRule {
    pointer: String,
    value: String,
    equal: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum LabelRule {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Present(String),
    Absent(String),
}

impl Selector {
    pub(super) fn parse(resource: Resource, labels: &str, fields: &str) -> Result<Self, ApiError> {
        let labels = split(labels).into_iter().map(label_rule).collect::<Result<_, _>>()?;
        let fields = split(fields).into_iter().map(|rule| field_rule(resource, rule)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(super) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let label = |key: &str| object.map("/metadata/labels").and_then(|map| map.get(key)).and_then(Value::as_str);
        self.labels.iter().all(|rule| match rule {
            LabelRule::In(key, values) => label(key).is_some_and(|value| values.iter().any(|one| one == value)),
            LabelRule::NotIn(key, values) => label(key).is_none_or(|value| values.iter().all(|one| one != value)),
            LabelRule::Present(key) => label(key).is_some(),
            LabelRule::Absent(key) => label(key).is_none(),
        }) && self.fields.iter().all(|rule| (object.text(&rule.pointer) == rule.value) == rule.equal)
    }
}

/// Splits at commas that are not within parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|rule| !rule.is_empty())
    .collect()
}

fn label_rule(rule: &str) -> Result<LabelRule, ApiError> {
    let owned = |key: &str| key.trim().to_owned();
    if let Some((key, value)) = rule.split_once("!=") {
        return Ok(LabelRule::NotIn(owned(key), vec![owned(value)]));
    }
    if let Some((key, value)) = rule.split_once("==").or_else(|| rule.split_once('=')) {
        return Ok(LabelRule::In(owned(key), vec![owned(value)]));
    }
    if let Some((start, values)) = rule.split_once('(') {
        let values = values.trim_end_matches(')').split(',').map(owned).collect();
        let mut words = start.split_whitespace();
        return match (words.next(), words.next()) {
            (Some(key), Some("in")) => Ok(LabelRule::In(owned(key), values)),
            (Some(key), Some("notin")) => Ok(LabelRule::NotIn(owned(key), values)),
            _ => Err(ApiError::bad_request(format!("unable to parse requirement: {rule}"))),
        };
    }
    if rule.contains(char::is_whitespace) {
        return Err(ApiError::bad_request(format!("unable to parse requirement: {rule}")));
    }
    Ok(match rule.strip_prefix('!') {
        Some(key) => LabelRule::Absent(owned(key)),
        None => LabelRule::Present(owned(rule)),
    })
}

fn field_rule(resource: Resource, rule: &str) -> Result<FieldRule, ApiError> {
    let unequal = rule.split_once("!=").map(|(field, value)| (field, value, false));
    let equal = || rule.split_once("==").or_else(|| rule.split_once('=')).map(|(field, value)| (field, value, true));
    let Some((field, value, equal)) = unequal.or_else(equal) else {
        let message = format!("invalid field selector: '{rule}'; can't understand '{rule}'");
        return Err(ApiError::bad_request(message));
    };
    let known = match field {
        "metadata.name" => true,
        "metadata.namespace" => resource.namespaced,
        "spec.nodeName"
        | "spec.restartPolicy"
        | "spec.schedulerName"
        | "spec.serviceAccountName"
        | "status.nominatedNodeName"
        | "status.podIP" => resource == &PODS,
        "status.phase" => resource == &PODS || resource == &NAMESPACES,
        "type" => resource == &EVENTS || resource == &SECRETS,
        "reason" | "source" | "reportingComponent" => resource == &EVENTS,
        _ => resource == &EVENTS && field.starts_with("involvedObject."),
    };
    if !known || resource == &CRDS && field != "metadata.name" {
        return Err(ApiError::bad_request(format!("field label not supported: {field}")));
    }
    let pointer = match field {
        "source" => "/source/component".to_owned(),
        _ => format!("/{}", field.replace('.', "/")),
    };
    Ok(FieldRule { pointer, value: value.to_owned(), equal })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(labels: &str, fields: &str) -> bool {
        let object = json!({
            "metadata": { "name": "e1", "namespace": "n", "labels": { "app": "demo", "tier": "back" } },
            "involvedObject": { "kind": "Pod", "name": "p", "uid": "u" }, "reason": "Failed",
        });
        Selector::parse(&EVENTS, labels, fields).unwrap().matches(&object)
    }

    #[test]
    fn labels_are_selected() {
        assert!(matches("app=demo,tier in (front, back),!gone", ""));
        assert!(matches("app==demo,tier notin (front),other!=x,app", ""));
        assert!(!matches("app=demo,tier in (front)", ""));
        assert!(!matches("gone", ""));
        assert!(!matches("!app", ""));
        assert!(Selector::parse(&PODS, "a b", "").is_err());
    }

    #[test]
    fn fields_are_selected_and_unknown_ones_refused() {
        assert!(matches("", "involvedObject.uid=u,involvedObject.kind==Pod,reason!=Other"));
        assert!(!matches("", "metadata.name=e2"));
        let error = Selector::parse(&PODS, "", "spec.color=red").unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (400, "field label not supported: spec.color"));
        assert!(Selector::parse(&CRDS, "", "metadata.namespace=x").is_err());
    }
}
