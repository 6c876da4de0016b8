//! What is to be done so that what is there becomes what is to be there. Pure.

use std::collections::BTreeMap;

use api_types::capif::ServiceApiId;
use api_types::capif::publish::ServiceAPIDescription;

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// It is there and is not to be.
    Withdraw(ServiceApiId),
    /// It is there as another one.
    Replace(ServiceApiId, Box<ServiceAPIDescription>),
    /// It is not there.
    Publish(Box<ServiceAPIDescription>),
}

/// The name of a service API with the functions that expose it: no other one has both.
type Key = (String, Vec<String>);

fn key(api: &ServiceAPIDescription) -> Key {
    let mut aefs: Vec<String> =
        api.aef_profiles.iter().flatten().map(|profile| profile.aef_id.as_str().to_owned()).collect();
    aefs.sort_unstable();
    (api.api_name.as_str().to_owned(), aefs)
}

/// The steps from what is `present`, by the identifiers that it has there, to what is `wanted`: withdrawals first, because
/// one name at one function is given once.
pub(super) fn plan(present: Vec<ServiceAPIDescription>, wanted: Vec<ServiceAPIDescription>) -> Vec<Step> {
    let mut wanted: BTreeMap<Key, ServiceAPIDescription> =
        wanted.into_iter().map(|api| (key(&api), api)).collect();
    let (mut steps, mut later) = (Vec::new(), Vec::new());
    for there in present {
        let Some(id) = there.api_id.clone() else { continue };
        match wanted.remove(&key(&there)) {
            None => steps.push(Step::Withdraw(id)),
            Some(api)
                if api == (ServiceAPIDescription { api_id: None, supported_features: None, ..there }) => {}
            Some(api) => later.push(Step::Replace(id, Box::new(api))),
        }
    }
    steps.append(&mut later);
    steps.extend(wanted.into_values().map(|api| Step::Publish(Box::new(api))));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn api(name: &str, aefs: &[&str], id: Option<&str>, text: &str) -> ServiceAPIDescription {
        let profile =
            |aef| json!({ "aefId": aef, "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" });
        let profiles: Vec<_> = aefs.iter().map(profile).collect();
        serde_json::from_value(
            json!({ "apiName": name, "apiId": id, "aefProfiles": profiles, "description": text }),
        )
        .unwrap()
    }

    #[test]
    fn what_is_there_becomes_what_is_wanted() {
        let present = vec![
            api("same", &["A"], Some("1"), "x"),
            api("other-text", &["A"], Some("2"), "x"),
            api("gone", &["A"], Some("3"), "x"),
            api("other-functions", &["A"], Some("4"), "x"),
        ];
        let wanted = vec![
            api("same", &["A"], None, "x"),
            api("other-text", &["A"], None, "y"),
            api("other-functions", &["B", "A"], None, "x"),
            api("new", &["A"], None, "x"),
        ];
        let id = |text: &str| ServiceApiId::try_from(text).unwrap();
        assert_eq!(
            plan(present, wanted.clone()),
            [
                Step::Withdraw(id("3")),
                Step::Withdraw(id("4")),
                Step::Replace(id("2"), Box::new(wanted[1].clone())),
                Step::Publish(Box::new(wanted[3].clone())),
                Step::Publish(Box::new(wanted[2].clone())),
            ]
        );
    }

    #[test]
    fn nothing_is_done_twice() {
        let wanted = vec![api("a", &["A", "B"], None, "x"), api("b", &["A"], None, "x")];
        let present = vec![api("b", &["A"], Some("1"), "x"), api("a", &["A", "B"], Some("2"), "x")];
        assert_eq!(plan(present, wanted), []);
        assert_eq!(plan(Vec::new(), Vec::new()), []);
    }
}
