//! Which service APIs somebody may know of (TS 23.222 Annex E leaves it to the core function): those that the enrolment
//! allows, and of another domain's only what is shared with it.

use api_types::admin::EnrolmentKind;
use api_types::capif::publish::ServiceAPIDescription;
use store::capif::enrolments;
use store::{Sql, StoreError};

use super::Entry;
use crate::ccf::allowed::allows;
use crate::ccf::identifier::Realm;

/// Who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// Names of service APIs; none: all.
    pub(crate) apis: Vec<String>,
    /// Another CAPIF provider domain than that of this core function.
    pub(crate) domain: Option<String>,
    /// At which listener it looks; what came in at the other one is of no use to it.
    pub(crate) realm: Realm,
}

impl Viewer {
    /// Whoever came in by an enrolment. One that is not on record allows nothing.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn enrolled(tx: &mut dyn Sql, enrolment: &str) -> Result<Option<Self>, StoreError> {
        let row = enrolments::find(tx, enrolment).await?;
        Ok(row.map(|row| {
            let compat = row.kind == EnrolmentKind::OpenCapif.as_str();
            let realm = if compat { Realm::OpenCapif } else { Realm::Native };
            Self { apis: row.apis, domain: None, realm }
        }))
    }

    /// Whether it may know of an entry. Another domain sees our own alone: what a partner shares with us is not ours to
    /// share.
    pub(crate) fn sees_entry(&self, entry: &Entry) -> bool {
        (self.domain.is_none() || entry.is_own()) && self.sees(&entry.description)
    }

    /// Whether it may know of a service API.
    pub(crate) fn sees(&self, api: &ServiceAPIDescription) -> bool {
        Realm::of_api(api) == self.realm
            && allows(&self.apis, api.api_name.as_str())
            && self.domain.as_ref().is_none_or(|domain| is_shared(api, domain))
    }
}

/// Whether a service API is shared with a domain. Who says nothing shares nothing (TS 23.222 table 8.25.2.1-1 NOTE).
pub(crate) fn is_shared(api: &ServiceAPIDescription, domain: &str) -> bool {
    // What clients of OpenCAPIF publish is for them alone.
    let native = Realm::of_api(api) == Realm::Native;
    native
        && api.shareable_info.as_ref().is_some_and(|info| {
            info.is_shareable
                && info.capif_prov_doms.as_ref().is_none_or(|list| list.iter().any(|known| known == domain))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_sharing_decide() {
        let viewer = |apis: &[&str], domain: Option<&str>| Viewer {
            apis: apis.iter().map(|api| (*api).to_owned()).collect(),
            domain: domain.map(str::to_owned),
            realm: Realm::Native,
        };
        let api = |info| -> ServiceAPIDescription {
            serde_json::from_value(json!({ "apiName": "ssan-sanm", "shareableInfo": info })).unwrap()
        };
        let with = |doms: &[&str]| json!({ "isShareable": true, "capifProvDoms": doms });
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (viewer(&[], None), json!(null), true),
            (viewer(&["ssan-sanm"], None), json!(null), true),
            (viewer(&["ssan-disc"], None), json!(null), false),
            (viewer(&[], None), json!({ "isShareable": false }), true),
            (viewer(&[], Some("op-b")), json!(null), false),
            (viewer(&[], Some("op-b")), json!({ "isShareable": false, "capifProvDoms": ["op-b"] }), false),
            (viewer(&[], Some("op-b")), json!({ "isShareable": true }), true),
            (viewer(&[], Some("op-b")), with(&["op-a", "op-b"]), true),
            (viewer(&[], Some("op-b")), with(&["op-a"]), false),
            (viewer(&["ssan-disc"], Some("op-b")), with(&["op-b"]), false),
        ];
        let mut of_compat = api(with(&["op-b"]));
        assert!(is_shared(&of_compat, "op-b"));
        of_compat.api_id = "OCAPI1".try_into().ok();
        assert!(!is_shared(&of_compat, "op-b") && !viewer(&[], None).sees(&of_compat));
        for (viewer, info, sees) in rows {
            assert_eq!(viewer.sees(&api(info.clone())), sees, "{viewer:?} {info}");
        }
    }
}
