//! What may be published by whom. Pure, but for reading the domain.

use std::collections::BTreeSet;

use api_types::capif::provider::APIProviderEnrolmentDetails;
use api_types::capif::publish::{ServiceAPIDescription, VENDOR_EXT};
use api_types::capif::vendor::VendorSpecific;
use api_types::capif::{AefId, CapifRole};
use api_types::common_data::SupportedFeatures;
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{child, item};
use authorization::Reason;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::capif::{enrolments, providers};
use store::{Sql, StoreError};

use super::FEATURES;
use crate::ccf::allowed::allows;

/// The domain of a publisher, as far as it decides what may be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    /// Its API exposing functions.
    pub(super) aefs: BTreeSet<String>,
    /// Names of service APIs that it may publish; none: all. `None`: its enrolment is not on record, and allows nothing.
    pub(super) apis: Option<Vec<String>>,
    /// The provider's name, if it has registered one.
    pub(super) name: Option<String>,
}

impl Domain {
    /// The domain of a registration.
    ///
    /// # Errors
    /// It is gone; the store fails.
    pub(super) async fn of(tx: &mut dyn Sql, registration: &str) -> Result<Self, Refusal> {
        let row = providers::find(tx, registration).await?.ok_or(Refusal::hidden(Reason::NotFound))?;
        let details: APIProviderEnrolmentDetails =
            serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("provider"))?;
        let functions = providers::functions(tx, registration).await?;
        let aefs = functions.into_iter().filter(|function| function.role == CapifRole::Aef.as_str());
        let enrolment = enrolments::find(tx, &row.enrolment_id).await?;
        Ok(Self {
            aefs: aefs.map(|function| function.function_id).collect(),
            apis: enrolment.map(|row| row.apis),
            name: details.api_prov_name,
        })
    }

    /// Decides whether this domain may publish this.
    ///
    /// # Errors
    /// `NOT_ENTITLED` for the name of a service API; members that name what is not the domain's.
    pub(super) fn check(&self, ctx: &Ctx, api: &ServiceAPIDescription) -> Result<(), Refusal> {
        const EXPECTED: &str = "a name that the enrolment of the domain allows";
        if !self.may_publish(api.api_name.as_str()) {
            ctx.fail("apiName", EXPECTED, "another one");
            return Err(Refusal::open(Reason::NotEntitled));
        }
        ctx.pass("apiName", EXPECTED, "allowed");
        let faults = self.faults(api);
        if faults.is_empty() { Ok(()) } else { Err(Refusal::input(Cause::MandatoryIeIncorrect, faults)) }
    }

    fn may_publish(&self, name: &str) -> bool {
        self.apis.as_ref().is_some_and(|apis| allows(apis, name))
    }

    fn faults(&self, api: &ServiceAPIDescription) -> Vec<InvalidParam> {
        let mut faults = Vec::new();
        let exposes = |aef: &AefId| api.profile_of(aef).is_some();
        for (index, profile) in api.aef_profiles.iter().flatten().enumerate() {
            if !self.aefs.contains(profile.aef_id.as_str()) {
                let at = child(&item("/aefProfiles", index), "aefId");
                faults.push(InvalidParam::new(at, "is no API exposing function of this domain"));
            }
        }
        for (index, aef) in api.api_status.iter().flat_map(|status| &status.aef_ids).enumerate() {
            if !exposes(aef) {
                faults.push(InvalidParam::new(item("/apiStatus/aefIds", index), "has no profile here"));
            }
        }
        // By its name a provider is looked for: nobody takes that of another.
        if let (Some(own), Some(said)) = (&self.name, &api.api_prov_name)
            && own != said
        {
            faults.push(InvalidParam::new("/apiProvName", "is not the name that the domain has registered"));
        }
        faults
    }
}

/// What was sent, with the features of both sides. Members of vendors stay only where both have their feature (TS 29.222
/// 8.2.6). Who negotiates nothing keeps what was negotiated `before`.
pub(super) fn negotiated(
    mut api: ServiceAPIDescription,
    before: Option<&SupportedFeatures>,
) -> ServiceAPIDescription {
    let theirs = api.supported_features.take();
    let both = theirs.map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    api.supported_features = both.or_else(|| before.cloned());
    if !api.supported_features.as_ref().is_some_and(|features| features.has(VENDOR_EXT)) {
        api.vendor_specific = VendorSpecific::default();
        for profile in api.aef_profiles.iter_mut().flatten() {
            profile.vendor_specific = VendorSpecific::default();
        }
    }
    api
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn api(spoil: fn(&mut Value)) -> ServiceAPIDescription {
        let profile = |aef: &str| json!({ "aefId": aef, "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" });
        let mut api = json!({
            "apiName": "things", "apiStatus": { "aefIds": ["AEF1"] }, "apiProvName": "Example",
            "aefProfiles": [profile("AEF1"), profile("AEF2")],
        });
        spoil(&mut api);
        serde_json::from_value(api).unwrap()
    }

    fn domain() -> Domain {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Domain {
            aefs: texts(&["AEF1", "AEF2"]).into_iter().collect(),
            apis: Some(texts(&["things", "others"])),
            name: Some("Example".to_owned()),
        }
    }

    #[test]
    fn one_spoiled_member_is_at_fault() {
        assert_eq!(domain().faults(&api(|_| {})), []);
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(Spoil, &str); 4] = [
            (|a| a["aefProfiles"][1]["aefId"] = "AEF3".into(), "/aefProfiles/1/aefId"),
            (|a| a["apiStatus"]["aefIds"] = json!(["AEF1", "AEF3"]), "/apiStatus/aefIds/1"),
            (|a| { a.as_object_mut().unwrap().remove("aefProfiles"); }, "/apiStatus/aefIds/0"),
            (|a| a["apiProvName"] = "Other".into(), "/apiProvName"),
        ];
        for (spoil, at) in rows {
            let at_fault: Vec<_> =
                domain().faults(&api(spoil)).into_iter().map(|fault| fault.param).collect();
            assert_eq!(at_fault, [at]);
        }
        let unnamed = Domain { name: None, ..domain() };
        assert_eq!(unnamed.faults(&api(|a| a["apiProvName"] = "Other".into())), []);
    }

    #[test]
    fn an_enrolment_limits_names() {
        assert!(domain().may_publish("things") && !domain().may_publish("thing"));
        assert!(Domain { apis: Some(Vec::new()), ..domain() }.may_publish("anything"));
        assert!(!Domain { apis: None, ..domain() }.may_publish("things"), "an enrolment that is forgotten");
    }

    #[test]
    fn members_of_vendors_need_their_feature() {
        let sent = |features: Value| {
            let mut sent = api(|a| {
                a["vendorSpecific-x"] = 1.into();
                a["aefProfiles"][0]["vendorSpecific-y"] = 2.into();
            });
            sent.supported_features = serde_json::from_value(features).unwrap();
            sent
        };
        let before = SupportedFeatures::of(&[VENDOR_EXT]);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            (json!(null), None, None, false),
            (json!("ff"), None, Some("ff"), false),
            (json!("100"), None, Some("100"), true),
            (json!("fffffff"), None, Some("3ff"), true),
            (json!("0"), Some(&before), Some("0"), false),
            (json!(null), Some(&before), Some("100"), true),
        ];
        for (features, before, both, kept) in rows {
            let api = negotiated(sent(features.clone()), before);
            assert_eq!(api.supported_features.as_ref().map(SupportedFeatures::as_str), both, "{features}");
            assert_eq!(!api.vendor_specific.is_empty(), kept, "{features}");
            assert_eq!(
                !api.aef_profiles.unwrap()[0].vendor_specific.is_empty(),
                kept,
                "{features} of a profile"
            );
        }
    }
}
