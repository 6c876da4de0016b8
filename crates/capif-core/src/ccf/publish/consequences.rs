//! What a change of a service API ends, and what is told of it (TS 29.222 8.2.2.3.3; sheet 1.3, "Side effects"). Whatever a
//! security context or access token names and is no longer there, ends with the change.

use std::collections::BTreeSet;

use api_types::capif::AefId;
use api_types::capif::profile::{AefProfile, SecurityMethod};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::security::RevocationCause;
use service_http::feed::NewEntry;
use store::capif::{contexts, tokens};
use store::{Sql, StoreError};

use crate::ccf::events::{Happening, note};
use crate::ccf::security::notice::{self, By};
use crate::ccf::{CcfServer, ended};

/// Whether a service API is active anywhere.
pub(super) fn is_active(api: &ServiceAPIDescription) -> bool {
    api.aef_profiles.iter().flatten().any(|profile| api.is_active_at(&profile.aef_id))
}

/// The functions at which nobody may go on as before: the service API is not there or not active any more, has another
/// name, or no longer offers a security method that may have been negotiated.
fn withdrawn(before: &ServiceAPIDescription, after: &ServiceAPIDescription) -> Vec<AefId> {
    let goes_on = |was: &AefProfile| {
        after.api_name == before.api_name
            && after.is_active_at(&was.aef_id)
            && after.profile_of(&was.aef_id).is_some_and(|is| methods(was).is_subset(&methods(is)))
    };
    let active = before.aef_profiles.iter().flatten().filter(|profile| before.is_active_at(&profile.aef_id));
    active.filter(|profile| !goes_on(profile)).map(|profile| profile.aef_id.clone()).collect()
}

/// The functions that expose the service API no longer.
fn removed<'b>(before: &'b ServiceAPIDescription, after: &ServiceAPIDescription) -> Vec<&'b AefId> {
    let aefs = before.aef_profiles.iter().flatten().map(|profile| &profile.aef_id);
    aefs.filter(|aef| after.profile_of(aef).is_none()).collect()
}

/// The security methods of a profile at any of its interfaces. An interface that says something is not asked what its
/// profile says.
fn methods(profile: &AefProfile) -> BTreeSet<&str> {
    let own = profile.security_methods.as_deref().unwrap_or_default();
    let lists: Vec<&[SecurityMethod]> = match &profile.interface_descriptions {
        Some(list) => list.iter().map(|one| one.security_methods.as_deref().unwrap_or(own)).collect(),
        None => vec![own],
    };
    lists.into_iter().flatten().map(SecurityMethod::as_str).collect()
}

/// Ends what the change ends, and notes what happened; the revocations are for the caller to append.
///
/// # Errors
/// The store fails.
pub(crate) async fn draw(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    before: &ServiceAPIDescription,
    after: &ServiceAPIDescription,
) -> Result<Vec<NewEntry>, StoreError> {
    let Some(api) = &after.api_id else { return Err(StoreError::Damaged("service API")) };
    let mut entries = Vec::new();
    for aef in withdrawn(before, after) {
        let lost = contexts::remove_api_at(tx, aef.as_str(), api.as_str()).await?;
        notice::queue(tx, ccf, &lost, &RevocationCause::OtherReason, By::Core).await?;
        ended::authorizations(tx, ccf, &lost).await?;
        // Tokens name a service API by the name that it had.
        let name = before.api_name.as_str();
        entries.extend(ccf.end_tokens(tokens::of_any(tx, aef.as_str(), name, ccf.now_s()).await?));
    }
    let gone: Vec<AefId> = removed(before, after).into_iter().cloned().collect();
    ended::provisioned(tx, ccf, api, &gone).await?;
    note(tx, ccf, Happening::ServiceApiUpdated { api: Box::new(after.clone()) }).await?;
    match (is_active(before), is_active(after)) {
        (false, true) => {
            note(tx, ccf, Happening::ServiceApiAvailable { api: Box::new(after.clone()) }).await?
        }
        (true, false) => {
            note(tx, ccf, Happening::ServiceApiUnavailable { api: Box::new(before.clone()) }).await?;
        }
        (false, false) | (true, true) => {}
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn api(spoil: fn(&mut Value)) -> ServiceAPIDescription {
        let mut api = json!({
            "apiName": "things", "apiId": "API1", "apiStatus": { "aefIds": ["AEF1", "AEF2"] },
            "aefProfiles": [
                { "aefId": "AEF1", "versions": [{ "apiVersion": "v1" }], "domainName": "a.example", "securityMethods": ["OAUTH", "PKI"] },
                { "aefId": "AEF2", "versions": [{ "apiVersion": "v1" }], "securityMethods": ["PKI"],
                  "interfaceDescriptions": [{ "ipv4Addr": "192.0.2.1", "securityMethods": ["OAUTH"] }, { "ipv4Addr": "192.0.2.2" }] },
                { "aefId": "AEF3", "versions": [{ "apiVersion": "v1" }], "domainName": "c.example" },
            ],
        });
        spoil(&mut api);
        serde_json::from_value(api).unwrap()
    }

    fn drop_profile(api: &mut Value, index: usize) {
        api["aefProfiles"].as_array_mut().unwrap().remove(index);
    }

    #[test]
    fn whatever_is_named_and_gone_is_withdrawn() {
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str, &str); 13] = [
            ("nothing", |_| {}, "", ""),
            ("for people", |a| a["description"] = "more".into(), "", ""),
            ("a profile", |a| { drop_profile(a, 0); a["apiStatus"]["aefIds"] = json!(["AEF2"]); }, "AEF1", "AEF1"),
            ("a profile where it was not active", |a| drop_profile(a, 2), "", "AEF3"),
            ("all profiles", |a| { a.as_object_mut().unwrap().remove("aefProfiles"); }, "AEF1 AEF2", "AEF1 AEF2 AEF3"),
            ("the status at one", |a| a["apiStatus"]["aefIds"] = json!(["AEF1"]), "AEF2", ""),
            ("the status everywhere", |a| a["apiStatus"]["aefIds"] = json!([]), "AEF1 AEF2", ""),
            ("more of the status", |a| { a.as_object_mut().unwrap().remove("apiStatus"); }, "", ""),
            ("the name", |a| a["apiName"] = "others".into(), "AEF1 AEF2", ""),
            ("a method", |a| a["aefProfiles"][0]["securityMethods"] = json!(["OAUTH"]), "AEF1", ""),
            ("one more method", |a| a["aefProfiles"][0]["securityMethods"] = json!(["PSK", "PKI", "OAUTH"]), "", ""),
            ("a method of an interface", |a| { a["aefProfiles"][1]["interfaceDescriptions"].as_array_mut().unwrap().remove(0); }, "AEF2", ""),
            ("the address of an interface", |a| a["aefProfiles"][1]["interfaceDescriptions"][0]["port"] = 8443.into(), "", ""),
        ];
        let texts = |aefs: Vec<String>| aefs.join(" ");
        for (what, spoil, ends, exposes_no_more) in rows {
            let (before, after) = (api(|_| {}), api(spoil));
            let names = withdrawn(&before, &after).iter().map(|aef| aef.as_str().to_owned()).collect();
            assert_eq!(texts(names), ends, "{what}");
            let names = removed(&before, &after).iter().map(|aef| aef.as_str().to_owned()).collect();
            assert_eq!(texts(names), exposes_no_more, "{what}");
        }
    }

    #[test]
    fn active_is_active_anywhere() {
        assert!(is_active(&api(|_| {})));
        assert!(is_active(&api(|a| a["apiStatus"] = json!(null))));
        assert!(!is_active(&api(|a| a["apiStatus"]["aefIds"] = json!([]))));
        assert!(!is_active(&api(|a| {
            a.as_object_mut().unwrap().remove("aefProfiles");
        })));
    }
}
