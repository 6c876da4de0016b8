//! What a subscriber is to be told: decided when something happens, queued with it, decided again when it leaves.

use api_types::capif::events::{CAPIFEvent, EventSubscription};
use serde::{Deserialize, Serialize};
use service_http::kit::FunctionKit;
use store::outbox::{self, Message};
use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError};

use super::detail::{Counts, is_counted};
use super::hearing::Hearer;
use super::note::{ApiAt, Happening};
use super::reporting::{Method, Reporting};
use super::state::{State, written};

/// `kind` of the messages in the outbox; their identifiers begin with it.
pub(crate) const KIND: &str = "CAPIF_EVENT";

/// A message as it is kept until it leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub(crate) enum Kept {
    /// Tries whether the way works (`requestTestNotification`).
    Test,
    /// Something happened.
    Event {
        /// The event.
        event: CAPIFEvent,
        /// What happened, as far as the subscriber asked for it.
        happening: Happening,
        /// How often, of events that tell so.
        #[serde(default)]
        counts: Counts,
    },
}

/// What a subscriber is told of something that happened, and what is remembered of it. Pure.
pub(crate) fn tellings(
    hearer: &Hearer,
    body: &EventSubscription,
    reporting: &Reporting,
    state: &mut State,
    happening: &Happening,
) -> Vec<Kept> {
    let mut told = Vec::new();
    for (place, (event, filter)) in (0_u32..).zip(body.filtered()) {
        for part in happening.as_event(event) {
            let Some(part) = hearer.hears(part).and_then(|part| part.narrowed(filter)) else { continue };
            let mut counts = Counts::default();
            if is_counted(event) {
                let all = state.counts.entry(place).or_default();
                all.add(&part);
                counts.clone_from(all);
                if matches!(reporting.method, Method::Every(_)) {
                    // The period tells how often, once.
                    let changed = state.changed.entry(place).or_default();
                    for api in counted(&part) {
                        if changed.len() < api_types::capif::MAX_LIST && !changed.contains(api) {
                            changed.push(api.clone());
                        }
                    }
                    continue;
                }
            }
            told.push(Kept::Event { event: event.clone(), happening: part, counts });
        }
    }
    told
}

fn counted(happening: &Happening) -> Vec<&ApiAt> {
    match happening {
        Happening::AskedAtOnboarding { apis } => apis.iter().collect(),
        Happening::Discovered { asked, told } => asked.iter().chain(told).collect(),
        _ => Vec::new(),
    }
}

/// How often what was counted since the last period happened. Pure.
pub(crate) fn at_end_of_period(body: &EventSubscription, state: &mut State) -> Vec<Kept> {
    let mut told = Vec::new();
    for (place, apis) in std::mem::take(&mut state.changed) {
        let event = usize::try_from(place).ok().and_then(|place| body.events.get(place));
        let (Some(event), Some(counts)) = (event, state.counts.get(&place)) else { continue };
        let happening = match event {
            CAPIFEvent::ServiceApiOnboardedByApiInvokersCount => Happening::AskedAtOnboarding { apis },
            CAPIFEvent::ServiceApiDiscoveryByApiInvokersCount => {
                Happening::Discovered { asked: apis, told: Vec::new() }
            }
            _ => continue,
        };
        told.push(Kept::Event { event: event.clone(), happening, counts: counts.clone() });
    }
    told
}

/// Queues what a subscriber is told, as much of it as it wants, for when it wants it; whether anything was queued.
/// `row.next_s` is to say when the next period ends.
pub(crate) async fn queue(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    row: &mut SubscriptionRow,
    body: &EventSubscription,
    reporting: &Reporting,
    state: &mut State,
    mut told: Vec<Kept>,
) -> Result<bool, StoreError> {
    let (now_s, now_ms) = (kit.ambient.now_s(), kit.ambient.now_ms());
    told.truncate(reporting.admits(row.reports, told.len()));
    let due_s = reporting.due_s(now_s, row.next_s, state.gathering_s);
    let any = !told.is_empty();
    for kept in told {
        let due_ms = if due_s > now_s { due_s.saturating_mul(1_000) } else { now_ms };
        queue_one(tx, kit, row, &body.notification_destination, &kept, due_ms).await?;
        row.reports += 1;
    }
    if any && matches!(reporting.method, Method::Gathered(_)) {
        state.gathering_s = Some(due_s);
    }
    if reporting.is_over(row.reports) {
        // What is queued still leaves.
        row.ended_s = Some(due_s);
        row.next_s = None;
    }
    row.state = written(state)?;
    subscriptions::reported(tx, row).await?;
    Ok(any)
}

/// Queues a message of a subscription.
pub(crate) async fn queue_one(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    row: &SubscriptionRow,
    target: &str,
    kept: &Kept,
    due_ms: i64,
) -> Result<(), StoreError> {
    let message = Message {
        // The outbox sends what is due at the same time in this order.
        id: format!("{KIND}:{}:{:010}:{}", row.sub_id, row.reports, kit.ambient.random_id()),
        kind: KIND.to_owned(),
        client: row.client.clone(),
        target: target.to_owned(),
        body: written(kept)?,
        trace: row.trace.clone(),
        queued_ms: kit.ambient.now_ms(),
        due_ms,
    };
    outbox::queue(tx, &message).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, happenings, log};
    use super::*;
    use serde_json::{Value, json};

    fn subscription(body: Value) -> EventSubscription {
        serde_json::from_value(body).unwrap()
    }

    fn aef() -> Hearer {
        let domain = ["AEF1".to_owned()].into();
        Hearer::Provider { role: service_http::peer::CertRole::Aef, id: "AEF1".to_owned(), domain }
    }

    const AT_ONCE: Reporting =
        Reporting { immediate: false, method: Method::OnEvent, max: None, ends_s: None };

    #[test]
    fn a_subscriber_is_told_of_the_events_that_it_asked_for() {
        let body = subscription(json!({
            "events": ["API_INVOKER_ONBOARDED", "SERVICE_API_INVOCATION_FAILURE", "SERVICE_API_INVOCATION_SUCCESS"],
            "eventFilters": [{}, { "apiIds": ["API2"] }],
            "notificationDestination": "https://aef.example/n",
        }));
        let told = |happening: &Happening| -> Vec<String> {
            let told = tellings(&aef(), &body, &AT_ONCE, &mut State::default(), happening);
            let event = |kept| match kept {
                Kept::Event { event, .. } => event.as_str().to_owned(),
                Kept::Test => panic!("a test"),
            };
            told.into_iter().map(event).collect()
        };
        for (what, happening) in happenings() {
            let expected: &[&str] = match what {
                "onboarded" => &["API_INVOKER_ONBOARDED"],
                "invoked" => &["SERVICE_API_INVOCATION_SUCCESS"],
                _ => &[],
            };
            assert_eq!(told(&happening), expected, "{what}");
        }
        let entries = [("API1", "404"), ("API2", "404"), ("API2", "500"), ("API1", "201")];
        let log = Happening::Invoked { log: Box::new(log(&entries)) };
        let expected = [
            "SERVICE_API_INVOCATION_FAILURE",
            "SERVICE_API_INVOCATION_FAILURE",
            "SERVICE_API_INVOCATION_SUCCESS",
        ];
        assert_eq!(told(&log), expected, "each invocation that passes the filter of its event");
    }

    #[test]
    fn a_period_tells_once_how_often() {
        let body = subscription(json!({
            "events": ["SERVICE_API_DISCOVERY_BY_API_INVOKERS_COUNT", "SERVICE_API_UPDATE"],
            "notificationDestination": "https://aef.example/n",
        }));
        let discovered = Happening::Discovered { asked: vec![at("API1")], told: vec![at("API1")] };
        let periodic = Reporting { method: Method::Every(60), ..AT_ONCE };
        let mut state = State::default();
        for _ in 0..3 {
            assert!(tellings(&aef(), &body, &periodic, &mut state, &discovered).is_empty());
        }
        let text = written(&state).unwrap();
        assert_eq!(super::super::state::parsed::<State>(&text).unwrap(), state, "it is kept");
        let told = at_end_of_period(&body, &mut state);
        let [Kept::Event { happening, counts, .. }] = &told[..] else { panic!("one notification") };
        let detail = happening.clone().detail(counts, false).unwrap();
        let count = &detail.discovery_count.unwrap()[0];
        assert_eq!((count.discovery_req_count, count.discovery_rsp_count), (Some(3), Some(3)));
        assert!(at_end_of_period(&body, &mut state).is_empty(), "nothing is new");
        // Without periods each is told, and the count goes on.
        let mut state = State::default();
        for round in 1..=2 {
            let told = tellings(&aef(), &body, &AT_ONCE, &mut state, &discovered);
            let [Kept::Event { counts, .. }] = &told[..] else { panic!("one notification") };
            assert_eq!(counts.discovered.values().next(), Some(&(round, round)));
        }
    }
}
