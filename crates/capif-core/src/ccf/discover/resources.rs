//! Resources and operations that a version of a service API must have (TS 29.222 `ResOperInfo`).

use api_types::capif::discover::ResOperInfo;
use api_types::capif::profile::{CustomOperation, Resource, Version};

/// Whether a version offers what is asked for: at the resource that is named, else anywhere in it.
pub(crate) fn offers(version: &Version, asked: &ResOperInfo) -> bool {
    let resources = version.resources.as_deref().unwrap_or_default();
    match &asked.resource {
        Some(uri) => {
            resources.iter().any(|resource| same_uri(&resource.uri, uri) && at(&[resource], &[], asked))
        }
        None => {
            let all: Vec<_> = resources.iter().collect();
            at(&all, version.cust_operations.as_deref().unwrap_or_default(), asked)
        }
    }
}

/// Relative URIs are the same with and without a slash around them.
fn same_uri(published: &str, asked: &str) -> bool {
    published.trim_matches('/') == asked.trim_matches('/')
}

/// Whether every operation that is asked for is one of these resources' or of these custom operations.
fn at(resources: &[&Resource], custom: &[CustomOperation], asked: &ResOperInfo) -> bool {
    let methods = asked.operations.iter().flatten().all(|asked| {
        resources.iter().flat_map(|resource| resource.operations.iter().flatten()).any(|known| known == asked)
    });
    let named = asked.custom_serv_opers.iter().flatten().all(|asked| {
        let own = |resource: &&Resource| {
            resource.cust_op_name.as_ref() == Some(asked)
                || resource.cust_operations.iter().flatten().any(|custom| custom.cust_op_name == *asked)
        };
        resources.iter().any(own) || custom.iter().any(|custom| custom.cust_op_name == *asked)
    });
    methods && named
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn version() -> Version {
        serde_json::from_value(json!({
            "apiVersion": "v1",
            "resources": [
                { "resourceName": "lists", "commType": "REQUEST_RESPONSE", "uri": "/anchors-lists", "operations": ["GET", "POST"] },
                { "resourceName": "list", "commType": "REQUEST_RESPONSE", "uri": "/anchors-lists/{listId}",
                  "operations": ["GET", "DELETE"], "custOpName": "move",
                  "custOperations": [{ "commType": "REQUEST_RESPONSE", "custOpName": "copy", "operations": ["POST"] }] },
                { "resourceName": "plain", "commType": "REQUEST_RESPONSE", "uri": "/plain" },
            ],
            "custOperations": [{ "commType": "REQUEST_RESPONSE", "custOpName": "reset" }],
        }))
        .unwrap()
    }

    #[test]
    fn operations_belong_to_the_resource_that_is_named() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (json!({ "resource": "/anchors-lists" }), true),
            (json!({ "resource": "anchors-lists/" }), true),
            (json!({ "resource": "/anchors" }), false),
            (json!({ "resource": "/anchors-lists", "operations": ["GET", "POST"] }), true),
            (json!({ "resource": "/anchors-lists", "operations": ["GET", "DELETE"] }), false),
            (json!({ "resource": "/plain", "operations": ["GET"] }), false),
            (json!({ "resource": "/anchors-lists/{listId}", "customServOpers": ["copy", "move"] }), true),
            (json!({ "resource": "/anchors-lists", "customServOpers": ["copy"] }), false),
            (json!({ "resource": "/anchors-lists/{listId}", "customServOpers": ["reset"] }), false),
            (json!({ "operations": ["POST", "DELETE"] }), true),
            (json!({ "operations": ["POST", "PUT"] }), false),
            (json!({ "customServOpers": ["reset", "copy"] }), true),
            (json!({ "customServOpers": ["reset", "other"] }), false),
        ];
        for (asked, fits) in rows {
            let read: ResOperInfo = serde_json::from_value(asked.clone()).unwrap();
            assert_eq!(offers(&version(), &read), fits, "{asked}");
        }
        let bare = Version { resources: None, cust_operations: None, ..version() };
        let any = ResOperInfo { custom_serv_opers: Some(vec!["reset".into()]), ..ResOperInfo::default() };
        assert!(!offers(&bare, &any));
    }
}
