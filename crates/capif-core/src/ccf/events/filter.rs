//! Filters of events (TS 29.222 8.3.4.2.5 `CAPIFEventFilter`): the first for the first event, and so on. Pure.
//!
//! A filter narrows: of a list with elements that it does not name, the others are left.

use api_types::capif::events::{CAPIFEvent, CAPIFEventFilter};
use api_types::problem::InvalidParam;
use api_types::validate::{child, item};

use super::note::{ApiAt, Happening, aefs_of};

/// What an event can be filtered by: service APIs, API invokers, API exposing functions.
///
/// `None` for an event of a later release: what it is about is not known.
fn filterable(event: &CAPIFEvent) -> Option<[bool; 3]> {
    use CAPIFEvent as E;
    match event {
        E::ServiceApiAvailable | E::ServiceApiUnavailable | E::ServiceApiUpdate => Some([true, false, true]),
        E::ApiInvokerOnboarded | E::ApiInvokerOffboarded | E::ApiInvokerUpdated => Some([false, true, false]),
        E::ServiceApiInvocationSuccess | E::ServiceApiInvocationFailure => Some([true; 3]),
        E::AccessControlPolicyUpdate | E::ApiInvokerAuthorizationRevoked => Some([true; 3]),
        E::AccessControlPolicyUnavailable => Some([true, false, true]),
        E::ApiTopologyHidingCreated | E::ApiTopologyHidingRevoked => Some([true, false, true]),
        E::ApiInvokerOnboardingCriteriaFailed => Some([false, true, false]),
        E::ServiceApiOnboardedByApiInvokersCount | E::ServiceApiDiscoveryByApiInvokersCount => {
            Some([true, false, true])
        }
        _ => None,
    }
}

/// The members of filters by which their events cannot be filtered: whoever sends one waits for what never comes.
///
/// # Errors
/// Each of them.
pub(crate) fn check<'s>(
    filtered: impl Iterator<Item = (&'s CAPIFEvent, Option<&'s CAPIFEventFilter>)>,
) -> Result<(), Vec<InvalidParam>> {
    let mut faults = Vec::new();
    for (index, (event, filter)) in filtered.enumerate() {
        let (Some(filter), Some(by)) = (filter, filterable(event)) else { continue };
        let present = [
            ("apiIds", filter.api_ids.is_some()),
            ("apiInvokerIds", filter.api_invoker_ids.is_some()),
            ("aefIds", filter.aef_ids.is_some()),
        ];
        for ((member, present), possible) in present.into_iter().zip(by) {
            if present && !possible {
                let at = child(&item("/eventFilters", index), member);
                faults.push(InvalidParam::new(at, "is not what this event can be filtered by"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

impl Happening {
    /// What a filter leaves of it; `None`: nothing.
    pub(crate) fn narrowed(self, filter: Option<&CAPIFEventFilter>) -> Option<Self> {
        let Some(filter) = filter else { return Some(self) };
        let by = By(filter);
        match self {
            Self::ServiceApiAvailable { .. }
            | Self::ServiceApiUnavailable { .. }
            | Self::ServiceApiUpdated { .. } => {
                let api = self.service_api()?;
                let named = api.api_id.as_ref().is_some_and(|id| by.api(id.as_str()));
                (named && by.any_aef(&aefs_of(api))).then_some(self)
            }
            Self::InvokerOnboarded { ref invoker }
            | Self::InvokerOffboarded { ref invoker }
            | Self::InvokerUpdated { ref invoker } => by.invoker(invoker.as_str()).then_some(self),
            Self::Invoked { mut log } => {
                log.logs.retain(|entry| by.api(entry.api_id.as_str()));
                let kept = by.invoker(log.api_invoker_id.as_str()) && by.aef(log.aef_id.as_str());
                (kept && !log.logs.is_empty()).then_some(Self::Invoked { log })
            }
            Self::AccessControlUpdated { api, mut policies } => {
                policies.retain(|policy| by.invoker(policy.api_invoker_id.as_str()));
                let kept = by.at(&api) && (filter.api_invoker_ids.is_none() || !policies.is_empty());
                kept.then_some(Self::AccessControlUpdated { api, policies })
            }
            Self::AccessControlGone { ref api }
            | Self::TopologyHidden { ref api, .. }
            | Self::TopologyShown { ref api, .. } => by.at(api).then_some(self),
            Self::AuthorizationRevoked { invoker, aef, mut apis } => {
                apis.retain(|api| by.api(api.as_str()));
                // Without a function it ended at all of them, and without service APIs for all of them.
                let at = aef.as_ref().is_none_or(|aef| by.aef(aef.as_str()));
                let kept = by.invoker(invoker.as_str()) && at && !apis.is_empty();
                kept.then_some(Self::AuthorizationRevoked { invoker, aef, apis })
            }
            Self::CriteriaFailed { ref invoker, .. } => {
                let named = invoker.as_ref().is_some_and(|invoker| by.invoker(invoker.as_str()));
                (named || filter.api_invoker_ids.is_none()).then_some(self)
            }
            Self::AskedAtOnboarding { mut apis } => {
                apis.retain(|api| by.at(api));
                (!apis.is_empty()).then_some(Self::AskedAtOnboarding { apis })
            }
            Self::Discovered { mut asked, mut told } => {
                asked.retain(|api| by.at(api));
                told.retain(|api| by.at(api));
                (!asked.is_empty() || !told.is_empty()).then_some(Self::Discovered { asked, told })
            }
        }
    }
}

/// A filter; an absent member names everything.
struct By<'f>(&'f CAPIFEventFilter);

impl By<'_> {
    fn api(&self, id: &str) -> bool {
        self.0.api_ids.as_ref().is_none_or(|ids| ids.iter().any(|named| named.as_str() == id))
    }

    fn invoker(&self, id: &str) -> bool {
        self.0.api_invoker_ids.as_ref().is_none_or(|ids| ids.iter().any(|named| named.as_str() == id))
    }

    fn aef(&self, id: &str) -> bool {
        self.0.aef_ids.as_ref().is_none_or(|ids| ids.iter().any(|named| named.as_str() == id))
    }

    fn any_aef(&self, aefs: &[api_types::capif::AefId]) -> bool {
        self.0.aef_ids.is_none() || aefs.iter().any(|aef| self.aef(aef.as_str()))
    }

    fn at(&self, api: &ApiAt) -> bool {
        self.api(api.api.as_str()) && self.any_aef(&api.aefs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, happenings, log, policy};
    use super::*;
    use serde_json::{Value, json};

    fn filter(value: Value) -> CAPIFEventFilter {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn each_event_is_filtered_by_what_it_is_about() {
        // Of the samples every one is about API1, INV1 and AEF1, as far as it is about such things.
        for (what, happening) in happenings() {
            for event in happening.events() {
                let by = filterable(event).unwrap();
                for ((member, own, other), possible) in [
                    ("apiIds", "API1", "API2"),
                    ("apiInvokerIds", "INV1", "INV2"),
                    ("aefIds", "AEF1", "AEF2"),
                ]
                .into_iter()
                .zip(by)
                {
                    let with = |id: &str| filter(json!({ member: [id] }));
                    let pairs = [(event, Some(&with(own)))];
                    let checked = check(pairs.into_iter());
                    assert_eq!(checked.is_ok(), possible, "{what} by {member}");
                    if possible {
                        assert!(
                            happening.clone().narrowed(Some(&with(own))).is_some(),
                            "{what} by its own {member}"
                        );
                        assert_eq!(
                            happening.clone().narrowed(Some(&with(other))),
                            None,
                            "{what} by another {member}"
                        );
                    }
                }
            }
            assert_eq!(happening.clone().narrowed(None), Some(happening.clone()), "{what} without a filter");
            let empty = happening.clone().narrowed(Some(&CAPIFEventFilter::default()));
            assert_eq!(empty, Some(happening), "{what} with an empty filter");
        }
    }

    #[test]
    fn filters_are_those_of_the_event_of_the_same_place() {
        let events = [CAPIFEvent::ApiInvokerOnboarded, CAPIFEvent::ServiceApiUpdate];
        let [invokers, apis] =
            [filter(json!({ "apiInvokerIds": ["INV1"] })), filter(json!({ "apiIds": ["API1"] }))];
        let pairs = |filters: [&'static str; 2]| {
            let of = |name| if name == "invokers" { &invokers } else { &apis };
            let checked = check(events.iter().zip(filters.map(|name| Some(of(name)))));
            checked.map_err(|faults| faults.into_iter().map(|fault| fault.param).collect::<Vec<_>>())
        };
        assert_eq!(pairs(["invokers", "apis"]), Ok(()));
        let swapped = ["/eventFilters/0/apiIds", "/eventFilters/1/apiInvokerIds"].map(str::to_owned).to_vec();
        assert_eq!(pairs(["apis", "invokers"]), Err(swapped));
        let unknown = CAPIFEvent::from("SOMETHING_OF_REL_21");
        assert_eq!(check([(&unknown, Some(&invokers))].into_iter()), Ok(()), "an event that is not known");
        assert_eq!(check([(&events[1], None)].into_iter()), Ok(()), "fewer filters than events");
    }

    #[test]
    fn of_a_list_only_what_is_named_is_left() {
        let one = filter(json!({ "apiIds": ["API1"], "apiInvokerIds": ["INV1"] }));
        let invoked = Happening::Invoked { log: Box::new(log(&[("API1", "200"), ("API2", "200")])) };
        let Some(Happening::Invoked { log: left }) = invoked.narrowed(Some(&one)) else { panic!("left") };
        assert_eq!(left.logs.len(), 1);
        let policies = vec![policy("INV1"), policy("INV2")];
        let updated = Happening::AccessControlUpdated { api: at("API1"), policies };
        let left = Happening::AccessControlUpdated { api: at("API1"), policies: vec![policy("INV1")] };
        assert_eq!(updated.narrowed(Some(&one)), Some(left));
        // A list of policies that became empty is news to whoever does not ask for an API invoker.
        let emptied = Happening::AccessControlUpdated { api: at("API1"), policies: Vec::new() };
        assert_eq!(emptied.clone().narrowed(Some(&one)), None);
        assert!(emptied.narrowed(Some(&filter(json!({ "apiIds": ["API1"] })))).is_some());
        let discovered =
            Happening::Discovered { asked: vec![at("API1"), at("API2")], told: vec![at("API2")] };
        let only = filter(json!({ "apiIds": ["API1"] }));
        let left = Happening::Discovered { asked: vec![at("API1")], told: Vec::new() };
        assert_eq!(discovered.narrowed(Some(&only)), Some(left));
    }
}
