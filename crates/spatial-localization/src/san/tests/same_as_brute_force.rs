//! Discovery finds exactly what `may_discover` lets the caller have, for any rules and any caller.

use api_types::san::SpatialAnchor;
use authorization::access_rules::may_discover;
use authorization::{Caller, Item, Principal};
use proptest::prelude::*;

use super::*;

const SERVERS: [&str; 3] = ["vs-1", "vs-2", "shared"];
const USERS: [&str; 3] = ["alice", "bob", "shared"];
const SERVICES: [&str; 2] = ["guide", "game"];

fn who() -> impl Strategy<Value = Who<'static>> {
    let services =
        prop_oneof![Just(&SERVICES[..0]), Just(&SERVICES[..1]), Just(&SERVICES[1..]), Just(&SERVICES[..])];
    prop_oneof![
        (prop::sample::select(&SERVERS[..]), services.clone())
            .prop_map(|(id, services)| Who::Server(id, services)),
        (prop::sample::select(&USERS[..]), services).prop_map(|(id, services)| Who::User(id, services)),
    ]
}

fn entity() -> impl Strategy<Value = Value> {
    let id =
        prop::sample::select(&["vs-1", "vs-2", "shared", "alice", "bob", "alice-ue", "ue-1", "nobody"][..]);
    let kind = prop::sample::select(&["VAL_SERVER", "VAL_CLIENT", "LATER"][..]);
    prop_oneof![
        (kind.clone(), id.clone()).prop_map(|(kind, id)| json!({ "type": kind, "identifier": id })),
        kind.prop_map(|kind| json!({ "type": kind })),
        id.prop_map(|id| json!({ "identifier": id })),
    ]
}

fn anchor() -> impl Strategy<Value = Value> {
    let visibility = prop::option::of(prop::sample::select(&["UNIVERSAL", "RESTRICTED", "PRIVATE"][..]));
    let entities = prop::collection::vec(entity(), 0..3);
    let services = prop::collection::vec(prop::sample::select(&SERVICES[..]), 0..2);
    (visibility, entities, services, -3..3_i32, any::<bool>()).prop_map(
        |(visibility, entities, services, place, active)| {
            let mut anchor = at(2.0 + f64::from(place) * 0.01, 48.0, json!({}));
            if let Some(visibility) = visibility {
                anchor["visibility"] = json!(visibility);
            }
            if !entities.is_empty() {
                anchor["rules"]["allowedEntities"] = json!(entities);
            }
            if !services.is_empty() {
                anchor["rules"]["valServiceList"] = json!(services);
            }
            if !active {
                anchor["timePeriod"] =
                    json!({ "startTime": "2020-01-01T00:00:00Z", "stopTime": "2021-01-01T00:00:00Z" });
            }
            anchor
        },
    )
}

fn caller(world: &World, who: Who<'_>) -> Caller {
    let mut claims = match who {
        Who::Server(id, _) => world.sim.claims_of_server(SAN, id, "3gpp:seal:san"),
        Who::User(id, _) => world.sim.claims_of_user(SAN, id, "ue-1", "3gpp:seal:san"),
        Who::Invoker(id, ..) => world.ccf.claims_of_server(AEF, id, "3gpp#AEF1:ssan-disc"),
    };
    let services = match who {
        Who::Server(_, services) | Who::User(_, services) => services,
        Who::Invoker(..) => &[],
    };
    claims["val_service_id"] = json!(services);
    claims["cnf"] = json!({ "jkt": "k" });
    Caller::from_claims(&serde_json::from_value(claims).unwrap(), "kid", None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn discovery_is_may_discover(
        lists in prop::collection::vec((who(), prop::collection::vec(anchor(), 1..6)), 1..6),
        callers in prop::collection::vec(who(), 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let mut kept: Vec<(Principal, Value)> = Vec::new();
            for (owner, anchors) in &lists {
                let mut body = json!({});
                for (n, anchor) in anchors.iter().enumerate() {
                    body[format!("a{n}")] = anchor.clone();
                }
                let created = world.post(*owner, &list(body)).await;
                assert_eq!(created.status, 201, "{}", created.json());
                let principal = caller(&world, *owner).principal();
                let shown = created.json();
                kept.extend(shown["anchors"].as_object().unwrap().values().map(|a| (principal.clone(), a.clone())));
            }
            for who in callers {
                let caller = caller(&world, who);
                let expected = |inside: &dyn Fn(f64) -> bool| {
                    let mut ids: Vec<u64> = kept.iter().filter(|(owner, anchor)| {
                        let typed: SpatialAnchor = serde_json::from_value(anchor.clone()).unwrap();
                        let item = Item::new(owner.clone(), typed.visibility, typed.rules.as_ref());
                        let lon = anchor["posInfo"]["pos"]["localOrigin"]["point"]["lon"].as_f64().unwrap();
                        let grant = may_discover(&caller, &item);
                        inside(lon) && grant.is_ok_and(|grant| grant.owner || typed.time_period.is_none())
                    }).map(|(_, anchor)| anchor["anchorId"].as_u64().unwrap()).collect();
                    ids.sort_unstable();
                    ids
                };
                assert_eq!(world.get(who, DISC).await.found(), expected(&|_| true), "{who:?}");
                let near = world.get(who, &area(circle(2.0, 48.0, 1_000.0))).await;
                assert_eq!(near.found(), expected(&|lon| (lon - 2.0).abs() < 0.011), "{who:?} in the area");
                // Page by page it is the same.
                let (mut paged, mut path) = (Vec::new(), Some(format!("{DISC}?limit=2")));
                while let Some(next) = path {
                    let page = world.get(who, &next).await;
                    paged.extend(page.found());
                    path = page.next();
                }
                assert_eq!(paged, expected(&|_| true), "{who:?} page by page");
            }
        });
    }
}
