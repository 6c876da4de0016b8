//! What the core function is told of anchors, and that they are their owner's alone until it has acknowledged them
//! (TR 33.721 6.3.2.1 steps 4 and 5; S3-3, S3-4b, IMP-15).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{
    AuthPolicy, ResourceAuthBatchItem, ResourceAuthInfo, ResourceAuthPage,
};
use async_trait::async_trait;
use http::Method;

use super::*;
use crate::shared::publication::{
    CoreFunction, Done, Publishing, Repaired, ResourceAuthorizationSink, SinkError, resync, round,
};

const APIS: &str = "ssan-sanm,ssan-disc";
const OWNER: Who<'static> = Who::Invoker("INV1", APIS, "");
const OTHER: Who<'static> = Who::Invoker("INV2", APIS, "");
const HIDDEN: (u16, &str) = (404, "RESOURCE_NOT_FOUND");

/// A core function that keeps what it is told, and can be away.
#[derive(Default)]
struct Core {
    known: Mutex<BTreeMap<ResourceId, ResourceAuthInfo>>,
    by_owners: Mutex<Vec<AuthPolicy>>,
    is_away: AtomicBool,
    /// Calls until it goes away in the middle.
    dies_after: AtomicUsize,
}

impl Core {
    fn check(&self) -> Result<(), SinkError> {
        if self.dies_after.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.is_away.store(true, Ordering::SeqCst);
        }
        if self.is_away.load(Ordering::SeqCst) { Err(SinkError::Unreachable) } else { Ok(()) }
    }

    fn names(&self) -> Vec<String> {
        self.known.lock().unwrap().keys().map(|id| id.as_str().to_owned()).collect()
    }

    fn version_of(&self, id: &str) -> u64 {
        self.known.lock().unwrap()[&ResourceId::try_from(id).unwrap()].policy_version
    }
}

#[async_trait]
impl ResourceAuthorizationSink for Core {
    async fn put(
        &self,
        resources: Vec<ResourceAuthInfo>,
        _: Option<&str>,
    ) -> Result<Vec<ResourceAuthBatchItem>, SinkError> {
        self.check()?;
        let mut known = self.known.lock().unwrap();
        let one = |info: ResourceAuthInfo| {
            let resource_id = info.resource_id.clone();
            let before = known.get(&resource_id);
            let stale = before.is_some_and(|before| {
                before.policy_version > info.policy_version
                    || before.policy_version == info.policy_version && *before != info
            });
            let status = if stale { 409 } else { 204 };
            if !stale {
                known.insert(resource_id.clone(), info);
            }
            ResourceAuthBatchItem { resource_id, status, cause: None }
        };
        Ok(resources.into_iter().map(one).collect())
    }

    async fn delete(&self, resource: &ResourceId) -> Result<(), SinkError> {
        self.check()?;
        self.known.lock().unwrap().remove(resource);
        Ok(())
    }

    async fn page(&self, _: Option<String>) -> Result<ResourceAuthPage, SinkError> {
        self.check()?;
        Ok(ResourceAuthPage { items: self.known.lock().unwrap().values().cloned().collect(), next: None })
    }

    async fn kept_by_owner(&self, _: &ResourceAuthInfo) -> Result<(u64, Vec<AuthPolicy>), SinkError> {
        self.check()?;
        let policies = self.by_owners.lock().unwrap().clone();
        Ok((policies.len() as u64, policies))
    }

    async fn version(&self, resource: &ResourceId) -> Result<Option<u64>, SinkError> {
        self.check()?;
        Ok(self.known.lock().unwrap().get(resource).map(|info| info.policy_version))
    }
}

async fn world() -> World {
    let core = CoreFunction {
        issuer: CCF.to_owned(),
        name: "ccf".to_owned(),
        aef_id: AEF.try_into().unwrap(),
        api_id: "API1".try_into().unwrap(),
    };
    World::with(SanConfig { core: Some(core), ..SanConfig::default() }).await
}

fn server(world: &World) -> Arc<dyn Publishing> {
    Arc::new(world.san.clone())
}

async fn tell(world: &World, core: &Core) -> Done {
    round(&server(world), core).await.unwrap()
}

fn open_to(reader: &str) -> Value {
    let entity = json!({ "type": "VAL_SERVER", "identifier": reader });
    at(2.0, 48.0, json!({ "rules": { "allowedEntities": [entity] }, "name": "gate" }))
}

/// A list of one anchor: its path, and the anchor as the core function names it.
async fn made(world: &World, who: Who<'_>, anchor: Value) -> (String, String) {
    let answer = world.post(who, &list(json!({ "a": anchor }))).await;
    let id = answer.json()["anchors"]["a"]["anchorId"].as_u64().unwrap();
    let path = answer.location();
    let resource = format!("{}/{id}", path.rsplit('/').next().unwrap());
    (path, resource)
}

/// Everybody else: what they see of a list and around it.
async fn is_hidden(world: &World, path: &str) -> bool {
    let found = world.get(OTHER, &area(circle(2.0, 48.0, 100.0))).await.found();
    let by_server = world.get(VS2, path).await.status;
    let read = world.get(OTHER, path).await;
    let same = read.bytes == world.get(OTHER, &format!("{LISTS}/nothing")).await.bytes;
    let (status, cause, _) = read.refusal();
    let shut = (status, cause.as_str()) == HIDDEN && same && by_server == 404 && found.is_empty();
    assert!(shut || (read.status == 200 && found.len() == 1), "half open: {status} {found:?}");
    shut
}

async fn sync_state(world: &World, who: Who<'_>, path: &str) -> Value {
    world.get(who, &format!("{path}?supp-feats=1")).await.json()["anchors"]["a"]["syncState"].clone()
}

#[tokio::test]
async fn an_anchor_is_its_owners_alone_until_it_is_acknowledged() {
    let (world, core) = (world().await, Core::default());
    let (path, resource) = made(&world, OWNER, open_to("INV2")).await;
    assert!(is_hidden(&world, &path).await);
    assert_eq!(sync_state(&world, OWNER, &path).await, "PENDING");
    assert_eq!(
        world.get(OWNER, &area(circle(2.0, 48.0, 100.0))).await.found().len(),
        1,
        "the owner finds it"
    );

    // The core function does not answer: nothing opens, however often it is tried.
    core.is_away.store(true, Ordering::SeqCst);
    assert!(round(&server(&world), &core).await.is_err() && round(&server(&world), &core).await.is_err());
    assert!(is_hidden(&world, &path).await);

    core.is_away.store(false, Ordering::SeqCst);
    let done = tell(&world, &core).await;
    assert_eq!((done.told, done.refused, core.names()), (1, 0, vec![resource]));
    assert!(!is_hidden(&world, &path).await);
    assert_eq!(sync_state(&world, OWNER, &path).await, "SYNCED");
    assert_eq!(sync_state(&world, OTHER, &path).await, Value::Null, "only the owner is told");
    assert_eq!(tell(&world, &core).await, Done::default(), "nothing is told twice");
}

#[tokio::test]
async fn the_state_is_no_part_of_the_anchor() {
    let (world, core) = (world().await, Core::default());
    let (path, _) = made(&world, OWNER, open_to("INV2")).await;
    let pending = world.get(OWNER, &format!("{path}?supp-feats=1")).await;
    tell(&world, &core).await;
    let synced = world.get(OWNER, &format!("{path}?supp-feats=1")).await;
    assert_eq!(pending.tag(), synced.tag(), "what the core function knows is no change of the list");
    assert_eq!(
        world.get(OWNER, &path).await.json()["anchors"]["a"].get("syncState"),
        None,
        "a peer of Rel-19"
    );
    // Sent back as it was read, it changes nothing and claims nothing.
    let mut body = pending.json();
    body["anchors"]["a"]["syncState"] = json!("PENDING");
    let condition = [(http::header::IF_MATCH, pending.tag())];
    let condition = [(condition[0].0.clone(), condition[0].1.as_str())];
    let put = world.send_if(OWNER, Method::PUT, &path, Some(&body), &condition).await;
    assert_eq!((put.status, &put.json()["anchors"]["a"]["syncState"]), (200, &json!("SYNCED")));
    assert_eq!(tell(&world, &core).await.told, 0, "nothing has changed");
}

#[tokio::test]
async fn what_the_sim_s_vouches_for_is_open_at_once_and_told_all_the_same() {
    let (world, core) = (world().await, Core::default());
    let (path, resource) = made(&world, VS1, open_to("vs-2")).await;
    assert_eq!(world.get(VS2, &path).await.status, 200);
    assert_eq!(sync_state(&world, VS1, &path).await, Value::Null);
    tell(&world, &core).await;
    let known = core.known.lock().unwrap()[&ResourceId::try_from(resource).unwrap()].clone();
    assert_eq!(serde_json::to_value(known.owner).unwrap()["principal"]["sub"], "vs-1");
}

#[tokio::test]
async fn a_new_anchor_of_a_list_waits_by_itself() {
    let (world, core) = (world().await, Core::default());
    let (path, _) = made(&world, OWNER, open_to("INV2")).await;
    tell(&world, &core).await;
    let more = json!({ "suppFeat": "1", "anchors": { "b": open_to("INV2") } });
    assert_eq!(world.patch(OWNER, &path, &more).await.labels(), ["a", "b"]);
    assert_eq!(world.get(OTHER, &path).await.labels(), ["a"]);
    tell(&world, &core).await;
    assert_eq!(world.get(OTHER, &path).await.labels(), ["a", "b"]);
}

#[tokio::test]
async fn versions_grow_and_an_older_one_never_wins() {
    let (world, core) = (world().await, Core::default());
    let (path, resource) = made(&world, OWNER, open_to("INV2")).await;
    tell(&world, &core).await;
    let first = core.version_of(&resource);
    let rules = json!({ "suppFeat": "1", "anchors": { "a": { "visibility": "PRIVATE" } } });
    assert_eq!(world.patch(OWNER, &path, &rules).await.status, 200);
    assert!(is_hidden(&world, &path).await, "narrower rules count at once");
    tell(&world, &core).await;
    assert!(core.version_of(&resource) > first);
    // A core function that has met a later version, as after a restore of this server.
    let mut met = core.known.lock().unwrap().values().next().unwrap().clone();
    (met.policy_version, met.visibility) = (40, None);
    core.known.lock().unwrap().insert(met.resource_id.clone(), met);
    let wider = json!({ "suppFeat": "1", "anchors": { "a": { "visibility": "UNIVERSAL" } } });
    assert_eq!(world.patch(OWNER, &path, &wider).await.status, 200);
    assert_eq!(tell(&world, &core).await.refused, 1);
    assert_eq!((tell(&world, &core).await.told, core.version_of(&resource)), (1, 41));
}

#[tokio::test]
async fn both_sides_are_repaired_after_an_outage() {
    let (world, core) = (world().await, Core::default());
    let (kept, _) = made(&world, OWNER, open_to("INV2")).await;
    let (gone, deleted) = made(&world, OWNER, open_to("INV2")).await;
    tell(&world, &core).await;
    // Deleted while the core function is away.
    core.is_away.store(true, Ordering::SeqCst);
    assert_eq!(world.send(OWNER, Method::DELETE, &gone, None).await.status, 204);
    assert!(round(&server(&world), &core).await.is_err());
    core.is_away.store(false, Ordering::SeqCst);
    assert_eq!(tell(&world, &core).await.gone, 1);
    assert!(!core.names().contains(&deleted));

    // It begins anew, with something that is not here.
    let mut stray = core.known.lock().unwrap().values().next().unwrap().clone();
    core.known.lock().unwrap().clear();
    stray.resource_id = "another/9".try_into().unwrap();
    core.known.lock().unwrap().insert(stray.resource_id.clone(), stray);
    let repaired = resync(&server(&world), &core).await.unwrap();
    assert_eq!(repaired, Repaired { told_again: 1, withdrawn: 1 });
    tell(&world, &core).await;
    assert_eq!(core.names().len(), 1);
    assert!(core.names()[0].starts_with(kept.rsplit('/').next().unwrap()));
    assert_eq!(
        resync(&server(&world), &core).await.unwrap(),
        Repaired::default(),
        "nothing is left to repair"
    );
}

#[tokio::test]
async fn a_fall_between_any_two_steps_is_completed() {
    for calls in 1..6 {
        let (world, core) = (world().await, Core::default());
        let (path, _) = made(&world, OWNER, open_to("INV2")).await;
        let (other, _) = made(&world, OWNER, open_to("INV2")).await;
        tell(&world, &core).await;
        assert_eq!(world.send(OWNER, Method::DELETE, &other, None).await.status, 204);
        let more = json!({ "suppFeat": "1", "anchors": { "b": open_to("INV2") } });
        assert_eq!(world.patch(OWNER, &path, &more).await.status, 200);
        core.dies_after.store(calls, Ordering::SeqCst);
        let first = async {
            resync(&server(&world), &core).await?;
            round(&server(&world), &core).await
        };
        let fell = first.await.is_err();
        assert_eq!(world.get(OTHER, &path).await.labels().len(), if fell { 1 } else { 2 }, "{calls}");
        core.dies_after.store(0, Ordering::SeqCst);
        core.is_away.store(false, Ordering::SeqCst);
        resync(&server(&world), &core).await.unwrap();
        tell(&world, &core).await;
        assert_eq!((core.names().len(), world.get(OTHER, &path).await.labels().len()), (2, 2), "{calls}");
    }
}

#[tokio::test]
async fn a_denial_that_an_owner_keeps_there_counts_here() {
    let (world, core) = (world().await, Core::default());
    let (path, _) = made(&world, OWNER, open_to("INV2")).await;
    tell(&world, &core).await;
    assert!(!is_hidden(&world, &path).await);
    let policy = |subject: Value, actions: &[&str], effect: &str| {
        let policy = json!({ "policyId": "p", "subjects": [subject], "actions": actions, "effect": effect });
        serde_json::from_value::<AuthPolicy>(policy).unwrap()
    };
    let two = json!({ "apiInvokerId": "INV2" });
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("discovery of this one", policy(two.clone(), &["discover"], "DENY"), (404, "OWNER_DENIED")),
        ("of everybody", policy(json!("ANY_ONBOARDED"), &["discover"], "DENY"), (404, "OWNER_DENIED")),
        ("reading of this one", policy(two.clone(), &["read"], "DENY"), (403, "OWNER_DENIED")),
        ("of another", policy(json!({ "apiInvokerId": "INV3" }), &["discover", "read"], "DENY"), (200, "none")),
        ("a permit", policy(two, &["discover", "read"], "PERMIT"), (200, "none")),
    ];
    for (what, policy, expected) in rows {
        *core.by_owners.lock().unwrap() = vec![policy.clone(); 1];
        // As it is asked for after an outage; the version is the same, what counts is what is there now.
        resync(&server(&world), &core).await.unwrap();
        let read = world.get(OTHER, &path).await;
        assert_eq!((read.status, read.reason.unwrap_or("none")), expected, "{what}");
        let found = world.get(OTHER, &area(circle(2.0, 48.0, 100.0))).await.found().len();
        assert_eq!(found, usize::from(expected.0 != 404), "{what}");
        assert_eq!(world.get(OWNER, &path).await.status, 200, "{what}: the owner");
    }
}

#[tokio::test]
async fn what_its_owner_has_permitted_at_the_core_function_is_open_to_a_token_that_names_it() {
    let (world, core) = (world().await, Core::default());
    let private = at(2.0, 48.0, json!({ "name": "gate", "premises": "cellar" }));
    let (path, resource) = made(&world, OWNER, private).await;
    let token = |identifier: &str, level: &str, actions: &[&str]| {
        json!([{ "type": "3gpp_spatial_anchor", "locations": [AEF], "level": level, "identifier": identifier,
            "actions": actions }])
        .to_string()
    };
    let read = token(&resource, "INSTANCE", &["read"]);
    let reader = Who::Invoker("INV2", APIS, &read);
    assert_eq!(world.get(reader, &path).await.status, 404, "the core function does not know of it yet");
    tell(&world, &core).await;
    let shown = world.get(reader, &format!("{path}?supp-feats=1")).await;
    assert_eq!((shown.status, shown.labels()), (200, vec!["a".to_owned()]));
    assert_eq!(shown.json()["anchors"]["a"].get("premises"), None, "what is the owner's stays the owner's");

    let list_id = path.rsplit('/').next().unwrap();
    let (other, update) = (
        token(&format!("{list_id}/4242"), "INSTANCE", &["read"]),
        token(&resource, "INSTANCE", &["read", "update"]),
    );
    let service =
        json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["read"] }]).to_string();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no details",        Who::Invoker("INV2", APIS, "")),
        ("the service",       Who::Invoker("INV2", APIS, &service)),
        ("another anchor",    Who::Invoker("INV2", APIS, &other)),
    ];
    for (what, who) in rows {
        let (status, cause, _) = world.get(who, &path).await.refusal();
        assert_eq!((status, cause.as_str()), HIDDEN, "{what}");
    }
    let changer = Who::Invoker("INV2", APIS, &update);
    let patch = json!({ "suppFeat": "1", "anchors": { "a": { "name": "mine" } } });
    assert_eq!(world.patch(changer, &path, &patch).await.status, 404, "to change it stays its owner's");

    // What the owner changes counts at once: until the core function has revoked what no longer agrees with it.
    let patch = json!({ "suppFeat": "1", "anchors": { "a": { "name": "door" } } });
    assert_eq!(world.patch(OWNER, &path, &patch).await.status, 200);
    assert_eq!(world.get(reader, &path).await.status, 404);
    tell(&world, &core).await;
    assert_eq!(world.get(reader, &path).await.status, 200);
}
