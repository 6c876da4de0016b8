//! Good tokens for something that their level does not open (S2-L1 to S2-L3, S2-6c). Nothing of it may change.

use anyhow::{Context, Result};
use api_types::ids::{AnchorsListId, SpatialMapId};
use authorization::Reason;
use bytes::Bytes;
use reqwest::Method;
use sdk::{Request, SanClient, SmClient};
use serde_json::{Value, json};

use super::super::holder::at;
use super::super::{Arena, fixture};
use super::{bearing, case};
use crate::demo::campus::{self, SERVICES};
use crate::demo::invoker::{ANCHOR, Invoker, MAP, instance, service, service_info};
use crate::demo::owner;

const ROWS: &[&str] = &["S2-L1", "S2-L2", "S2-L3", "S2-6c", "S2-7", "FFS-02"];
const MAP_ROWS: &[&str] = &["S2-L1", "S2-L2", "S2-L3", "S2-6c", "S2-7", "S2-N2"];
const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const MAPS: &str = "/ssm-smm/v1/spatial-maps";
const ANCHORS: &str = "ssan-sanm";
const MAPPING: &str = "ssm-smm";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let (one, two) = (Invoker::of(arena.sample, 0, None)?, Invoker::of(arena.sample, 1, None)?);
    let san = one.san(&one.token("san", ANCHORS, Value::Null).await?)?;
    let (list, numbers) = two_anchors(&san, &two).await?;
    let (other, elsewhere) = two_anchors(&san, &two).await?;
    for (list, number) in [(&list, numbers[0]), (&list, numbers[1]), (&other, elsewhere[0])] {
        let resource = format!("{list}/{number}");
        owner::known(&one, &resource).await?;
        // What the core function leaves to another is still decided at the server.
        owner::allow(&one, ("san", &resource), &two, &["read", "update"], &[]).await?;
    }
    let there = format!("{other}/{}", elsewhere[0]);
    let played = anchors(arena, (&one, &two), &san, (&list, &numbers, &there)).await;
    san.delete_list(&list, None).await?;
    san.delete_list(&other, None).await?;
    played.context("anchors")?;

    let sm = one.sm(&one.token("sm", MAPPING, Value::Null).await?)?;
    let (first, second) = (a_map(&sm, &two).await?, a_map(&sm, &two).await?);
    for map in [first, second] {
        owner::known(&one, &map.to_string()).await?;
        owner::allow(&one, ("sm", &map.to_string()), &two, &["read", "update"], &[]).await?;
    }
    let played = maps(arena, (&one, &two), &sm, [first, second]).await;
    for map in [first, second] {
        sm.delete_map(map, None).await?;
    }
    played.context("maps")
}

/// A list of two anchors that another provider may add to; the first has service information.
async fn two_anchors(san: &SanClient, other: &Invoker<'_>) -> Result<(AnchorsListId, Vec<u32>)> {
    let mut list = fixture::one_anchor();
    let mut anchor = list["anchors"]["a000"].clone();
    anchor["visibility"] = json!("RESTRICTED");
    anchor["rules"] = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": other.id }] });
    list["anchors"] = json!({ "a": anchor, "b": anchor });
    list["anchors"]["a"]["servInfos"] = json!([{ "servInfoId": "hours", "info": "9 to 5" }]);
    let made = san.create_list(&serde_json::from_value(list)?).await.context("a list")?;
    let number =
        |label: &str| made.value.anchors.get(label).and_then(|anchor| anchor.anchor_id).map(|id| id.0);
    let numbers = ["a", "b"].iter().filter_map(|label| number(label)).collect();
    Ok((made.id, numbers))
}

async fn a_map(sm: &SmClient, other: &Invoker<'_>) -> Result<SpatialMapId> {
    let mut map = campus::map(&SERVICES[0]);
    map["mapInf"]["allwEnt"] =
        json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": other.id }] });
    Ok(sm.create_map(&serde_json::from_value(map)?).await.context("a map")?.id())
}

/// What is tried: name, API, method, path, body, `authorization_details`, reason.
type Row<'r> = (&'static str, &'static str, Method, &'r str, Value, &'r Value, Reason);

async fn anchors(
    arena: &mut Arena<'_>,
    (one, two): (&Invoker<'_>, &Invoker<'_>),
    owner: &SanClient,
    (list, numbers, there): (&AnchorsListId, &[u32], &str),
) -> Result<()> {
    use Reason::{DetailsNarrow, NotOwner, PartOfOtherProvider, ScopeNarrow};
    let [a, b] = numbers else { anyhow::bail!("two anchors are wanted") };
    let (first, path) = (format!("{list}/{a}"), format!("{LISTS}/{list}"));
    let update = instance(ANCHOR, &first, &["update"]);
    let read = instance(ANCHOR, &first, &["read"]);
    let removal = instance(ANCHOR, &format!("{list}/{b}"), &["delete"]);
    let elsewhere = instance(ANCHOR, there, &["read", "update"]);
    let reading = service(ANCHOR, &["read"]);
    let updating = service(ANCHOR, &["update"]);
    let hours = service_info(ANCHOR, &first, "hours");
    let name = |label: &str| json!({ "suppFeat": "1", "anchors": { label: { "name": "gate" } } });
    let entry = |id: &str| json!({ "suppFeat": "1", "anchors": { "a": { "servInfos": [{ "servInfoId": id, "info": "x" }] } } });
    let both = json!({ "suppFeat": "1", "anchors": { "a": { "name": "x" }, "b": { "name": "x" } } });
    let whole = fixture::one_anchor();
    let new = json!({ "suppFeat": "1", "anchors": { "c": whole["anchors"]["a000"] } });
    let gone = json!({ "anchors": { "b": null } });
    let (get, patch) = (Method::GET, Method::PATCH);
    let api = ANCHORS;
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("instance-token-on-another-instance", api, patch.clone(), &path, name("b"), &update, DetailsNarrow),
        ("instance-token-on-another-list", api, get.clone(), &path, Value::Null, &elsewhere, DetailsNarrow),
        ("instance-token-for-another-action", api, patch.clone(), &path, name("a"), &read, DetailsNarrow),
        ("instance-token-for-two-of-which-one", api, patch.clone(), &path, both, &update, DetailsNarrow),
        ("instance-token-for-a-new-anchor", api, patch.clone(), &path, new.clone(), &update, DetailsNarrow),
        ("instance-token-for-a-new-list", api, Method::POST, LISTS, whole, &update, DetailsNarrow),
        ("instance-token-for-a-removal", api, patch.clone(), &path, gone, &update, DetailsNarrow),
        ("instance-token-for-the-removal-of-all", api, Method::DELETE, &path, Value::Null, &removal, DetailsNarrow),
        ("service-token-for-another-action", api, patch.clone(), &path, name("a"), &reading, DetailsNarrow),
        ("service-token-of-update-for-a-new-anchor", api, patch.clone(), &path, new, &updating, DetailsNarrow),
        ("service-info-token-on-the-body", api, patch.clone(), &path, name("a"), &hours, DetailsNarrow),
        ("service-info-token-on-another-entry", api, patch.clone(), &path, entry("menu"), &hours, DetailsNarrow),
        ("token-for-another-api", "ssan-disc", get, &path, Value::Null, &Value::Null, ScopeNarrow),
    ];
    let before = owner.list(list, true).await?;
    for (member, apis, method, path, body, details, reason) in rows {
        let token = one.token("san", apis, details.clone()).await?;
        let request = asked(Request::new(method, at(arena.sample, "san", path)?), &body);
        let outcome = one.https.send(bearing(request, token.access_token.expose())).await;
        let fault = (owner.list(list, true).await?.etag != before.etag).then_some("CHANGED");
        arena.judge_with(case(member, ANCHORS, ROWS, reason), outcome, fault).await?;
    }
    // A token grants what its owner leaves: it makes nobody an owner or a provider of another's entries.
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("instance-token-of-no-owner", name("a"), &update, NotOwner),
        ("service-info-token-on-an-entry-of-another", entry("hours"), &hours, PartOfOtherProvider),
    ];
    for (member, body, details, reason) in rows {
        let token = two.token("san", ANCHORS, details.clone()).await?;
        let request = asked(Request::patch(at(arena.sample, "san", &path)?), &body);
        let outcome = two.https.send(bearing(request, token.access_token.expose())).await;
        let fault = (owner.list(list, true).await?.etag != before.etag).then_some("CHANGED");
        arena.judge_with(case(member, ANCHORS, ROWS, reason), outcome, fault).await?;
    }
    Ok(())
}

async fn maps(
    arena: &mut Arena<'_>,
    (one, two): (&Invoker<'_>, &Invoker<'_>),
    owner: &SmClient,
    [first, second]: [SpatialMapId; 2],
) -> Result<()> {
    use Reason::{DetailsNarrow, NotOwner};
    let (own, other) = (format!("{MAPS}/{first}"), format!("{MAPS}/{second}"));
    let content = format!("{own}/content");
    let update = instance(MAP, &first.to_string(), &["read", "update"]);
    let read = instance(MAP, &first.to_string(), &["read"]);
    let hours = service_info(MAP, &first.to_string(), "hours");
    let name = json!({ "suppFeat": "1", "smProf": { "name": "x" } });
    let entry =
        |id: &str| json!({ "suppFeat": "1", "smProf": { "servInfos": [{ "servInfoId": id, "info": "x" }] } });
    let (patch, api) = (Method::PATCH, MAPPING);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("instance-token-on-another-instance", api, Method::GET, &other, Value::Null, &update, DetailsNarrow),
        ("instance-token-changes-another-instance", api, patch.clone(), &other, name.clone(), &update, DetailsNarrow),
        ("instance-token-for-another-action", api, patch.clone(), &own, name.clone(), &read, DetailsNarrow),
        ("instance-token-for-removal", api, Method::DELETE, &own, Value::Null, &update, DetailsNarrow),
        ("instance-token-for-a-new-map", api, Method::POST, MAPS, campus::map(&SERVICES[0]), &update, DetailsNarrow),
        ("service-info-token-on-the-body", api, patch.clone(), &own, name.clone(), &hours, DetailsNarrow),
        ("service-info-token-on-another-entry", api, patch.clone(), &own, entry("menu"), &hours, DetailsNarrow),
    ];
    let (before, others) = (owner.map(first, true).await?, owner.map(second, true).await?);
    for (member, apis, method, path, body, details, reason) in rows {
        let token = one.token("sm", apis, details.clone()).await?;
        let request = asked(Request::new(method, at(arena.sample, "sm", path)?), &body);
        let outcome = one.https.send(bearing(request, token.access_token.expose())).await;
        let fault = changed(owner, [(first, &before.etag), (second, &others.etag)]).await?;
        arena.judge_with(case(member, MAPPING, MAP_ROWS, reason), outcome, fault).await?;
    }
    let token = one.token("sm", MAPPING, read).await?;
    let upload =
        Request::put(at(arena.sample, "sm", &content)?).bytes("model/gltf-binary", Bytes::from_static(b"x"));
    let outcome = one.https.send(bearing(upload, token.access_token.expose())).await;
    let fault = changed(owner, [(first, &before.etag), (second, &others.etag)]).await?;
    let payload = case("instance-token-of-read-for-a-payload", "ssm-smm-content", MAP_ROWS, DetailsNarrow);
    arena.judge_with(payload, outcome, fault).await?;
    let token = two.token("sm", MAPPING, update).await?;
    let request = asked(Request::patch(at(arena.sample, "sm", &own)?), &name);
    let outcome = two.https.send(bearing(request, token.access_token.expose())).await;
    let fault = changed(owner, [(first, &before.etag), (second, &others.etag)]).await?;
    arena.judge_with(case("instance-token-of-no-owner", MAPPING, MAP_ROWS, NotOwner), outcome, fault).await
}

async fn changed(
    owner: &SmClient,
    maps: [(SpatialMapId, &Option<String>); 2],
) -> Result<Option<&'static str>> {
    for (map, before) in maps {
        if owner.map(map, true).await?.etag != *before {
            return Ok(Some("CHANGED"));
        }
    }
    Ok(None)
}

fn asked(request: Request, body: &Value) -> Request {
    match body {
        Value::Null => request,
        body => {
            let post = format!("{request:?}").contains("method: POST");
            request.json_as(if post { "application/json" } else { "application/merge-patch+json" }, body)
        }
    }
}
