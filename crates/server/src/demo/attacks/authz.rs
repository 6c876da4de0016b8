//! N-AUTHZ: one's own good token, for something else.

use anyhow::{Context, Result};
use api_types::ids::AnchorsListId;
use authorization::Reason;
use reqwest::Method;
use sdk::{Request, SanClient};
use serde_json::{Value, json};

use super::fixture::{self, Hidden};
use super::forge::Forge;
use super::holder::{Ue, at};
use super::{Arena, Case};

const BUNDLE: &str = "N-AUTHZ";
const SCOPE_ROWS: &[&str] = &["NB-2", "S1-G1", "E2E-03"];
const HIDDEN_ROWS: &[&str] = &["T1", "T2", "KI1-R1", "NB-3"];
const OWNER_ROWS: &[&str] = &["T2", "NB-3", "KI1-3"];
const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const MAPS: &str = "/ssm-smm/v1/spatial-maps";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let ue = Ue::login(arena.sample, "alice").await?;
    crossed(arena, &ue).await?;
    scopes(arena, &ue).await?;
    let hidden = Hidden::make(arena.sample).await?;
    let played = self::hidden(arena, &ue, &hidden).await;
    hidden.remove().await?;
    played?;
    anchors_of_others(arena).await?;
    services_of_others(arena).await?;
    maps_of_others(arena).await?;
    operator(arena).await
}

/// Tokens at the wrong server.
async fn crossed(arena: &mut Arena<'_>, ue: &Ue) -> Result<()> {
    let map = arena.sample.maps.get("vs-1").context("no map")?;
    let anchors = at(arena.sample, "san", "/ssan-disc/v1/spatial-anchors?limit=1")?;
    let maps = at(arena.sample, "sm", &format!("{MAPS}/{map}"))?;
    let elsewhere = at(arena.sample, "sm", LISTS)?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("map-token", "ssan-disc", &anchors, &ue.sm, Reason::AudienceWrong),
        ("anchor-token", "ssm-smm", &maps, &ue.san, Reason::AudienceWrong),
        ("anchor-path-at-map-server", "sm", &elsewhere, &ue.sm, Reason::RouteUnknown),
    ];
    for (member, place, url, token, reason) in rows {
        let outcome = ue.get(url, token.access_token.expose()).await?;
        arena.judge(Case::new(BUNDLE, member, place, SCOPE_ROWS, reason), outcome).await?;
    }
    Ok(())
}

/// Scopes that are too narrow, on every method.
async fn scopes(arena: &mut Arena<'_>, ue: &Ue) -> Result<()> {
    let sample = arena.sample;
    let list = sample.lists.get("vs-1").and_then(|lists| lists.first()).context("no list")?;
    let map = sample.maps.get("vs-1").context("no map")?;
    let only = |forge: &Forge, scope: &str| {
        let scope = scope.to_owned();
        forge.claims(|claims| drop(claims.insert("scope".into(), scope.into())))
    };
    let san = Forge::new(sample, ue.san.access_token.expose())?;
    let sm = Forge::new(sample, ue.sm.access_token.expose())?;
    let (read, discover) = (only(&san, "3gpp:seal:san.read")?, only(&san, "3gpp:seal:san.discover")?);
    let (read_maps, localize) = (only(&sm, "3gpp:seal:sm.read")?, only(&sm, "3gpp:seal:sm.localize")?);
    let (list, map) = (format!("{LISTS}/{list}"), format!("{MAPS}/{map}"));
    let content = format!("{map}/content");
    let disc = "/ssan-disc/v1/spatial-anchors";
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("read-scope-on-discover", "ssan-disc", "san", Method::GET, disc, &read),
        ("discover-scope-on-get", "ssan-sanm", "san", Method::GET, &list, &discover),
        ("read-scope-on-create", "ssan-sanm", "san", Method::POST, LISTS, &read),
        ("read-scope-on-replace", "ssan-sanm", "san", Method::PUT, &list, &read),
        ("read-scope-on-modify", "ssan-sanm", "san", Method::PATCH, &list, &read),
        ("read-scope-on-delete", "ssan-sanm", "san", Method::DELETE, &list, &read),
        ("localize-scope-on-get", "ssm-smm", "sm", Method::GET, &map, &localize),
        ("localize-scope-on-discover", "ssm-disc", "sm", Method::GET, "/ssm-disc/v1/spatial-maps", &localize),
        ("localize-scope-on-payload", "ssm-smm", "sm", Method::GET, &content, &localize),
        ("read-scope-on-create", "ssm-smm", "sm", Method::POST, MAPS, &read_maps),
        ("read-scope-on-replace", "ssm-smm", "sm", Method::PUT, &map, &read_maps),
        ("read-scope-on-modify", "ssm-smm", "sm", Method::PATCH, &map, &read_maps),
        ("read-scope-on-delete", "ssm-smm", "sm", Method::DELETE, &map, &read_maps),
        ("read-scope-on-upload", "ssm-smm-content", "sm", Method::PUT, &content, &read_maps),
    ];
    for (member, place, listener, method, path, token) in rows {
        let url = at(sample, listener, path)?;
        let mut request = Request::new(method.clone(), url.clone());
        if method != Method::GET && method != Method::DELETE {
            request = request.json(&json!({}));
        }
        let outcome = ue.send(request, method.as_str(), &url, token).await?;
        arena.judge(Case::new(BUNDLE, member, place, SCOPE_ROWS, Reason::ScopeNarrow), outcome).await?;
    }
    Ok(())
}

/// Things that are there and hidden, on every road to them (T1, T2).
async fn hidden(arena: &mut Arena<'_>, ue: &Ue, hidden: &Hidden) -> Result<()> {
    let (private, map) = (format!("{LISTS}/{}", hidden.private), format!("{MAPS}/{}", hidden.map.0));
    let (restricted, over) = (format!("{LISTS}/{}", hidden.restricted), format!("{LISTS}/{}", hidden.over));
    let (content, absent) = (format!("{map}/content"), format!("{LISTS}/no-such-list"));
    let by_query = format!("{MAPS}?svc-id=museum-guide&map-id={}", hidden.map.0);
    let absent_map = format!("{MAPS}/2147483647");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("private-list", "ssan-sanm", "san", Method::GET, &private, None, Reason::NotVisible),
        ("restricted-list", "ssan-sanm", "san", Method::GET, &restricted, None, Reason::NotAllowedEntity),
        ("list-out-of-period", "ssan-sanm", "san", Method::GET, &over, None, Reason::OutsidePeriod),
        ("absent-list", "ssan-sanm", "san", Method::GET, &absent, None, Reason::NotFound),
        ("private-map", "ssm-smm", "sm", Method::GET, &map, None, Reason::NotVisible),
        ("private-map-conditional", "ssm-smm", "sm", Method::GET, &map, Some(("if-none-match", "*")), Reason::NotVisible),
        ("private-map-by-query", "ssm-smm", "sm", Method::GET, &by_query, None, Reason::NotVisible),
        ("private-payload", "ssm-smm-content", "sm", Method::GET, &content, None, Reason::NotVisible),
        ("private-payload-range", "ssm-smm-content", "sm", Method::GET, &content, Some(("range", "bytes=0-3")), Reason::NotVisible),
        ("private-payload-head", "ssm-smm-content", "sm", Method::HEAD, &content, None, Reason::NotVisible),
        ("absent-map", "ssm-smm", "sm", Method::GET, &absent_map, None, Reason::NotFound),
    ];
    for (member, place, listener, method, path, header, reason) in rows {
        let url = at(arena.sample, listener, path)?;
        let mut request = Request::new(method.clone(), url.clone());
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let token = if listener == "san" { &ue.san } else { &ue.sm };
        let outcome = ue.send(request, method.as_str(), &url, token.access_token.expose()).await?;
        arena.judge(Case::new(BUNDLE, member, place, HIDDEN_ROWS, reason), outcome).await?;
    }
    // Another VAL server that may write finds nothing to write to.
    let (vs_2, sm_2) = fixture::owner(arena.sample, "vs-2").await?;
    let url = at(arena.sample, "san", &private)?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("private-list-replace", Request::put(url.clone()).json(&fixture::one_anchor())),
        ("private-list-modify", Request::patch(url.clone()).json(&json!({ "anchors": { "a000": { "name": "x" } }, "suppFeat": "1" }))),
        ("private-list-delete", Request::delete(url)),
    ];
    for (member, request) in rows {
        let outcome = vs_2.send(request).await;
        arena.judge(Case::new(BUNDLE, member, "ssan-sanm", HIDDEN_ROWS, Reason::NotVisible), outcome).await?;
    }
    let outcome = sm_2.send(Request::delete(at(arena.sample, "sm", &map)?)).await;
    arena
        .judge(Case::new(BUNDLE, "private-map-delete", "ssm-smm", HIDDEN_ROWS, Reason::NotVisible), outcome)
        .await
}

/// The entity tag that an owner sees: another one means that something changed.
async fn tag(san: &SanClient, id: &AnchorsListId) -> Result<Option<String>> {
    Ok(san.list(id, true).await?.etag)
}

/// A listed peer sees the owner's anchors and may not touch them.
async fn anchors_of_others(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let id = sample.lists.get("vs-2").and_then(|lists| lists.first()).context("no list of vs-2")?;
    let url = at(sample, "san", &format!("{LISTS}/{id}"))?;
    let id: AnchorsListId = id.clone().try_into()?;
    let (owner, _) = fixture::owner(sample, "vs-2").await?;
    let (listed, _) = fixture::owner(sample, "vs-1").await?;
    let (stranger, _) = fixture::owner(sample, "vs-3").await?;
    let patch =
        |anchors: Value| Request::patch(url.clone()).json(&json!({ "anchors": anchors, "suppFeat": "1" }));
    let before = tag(&owner, &id).await?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("listed-peer-modifies-anchor", &listed, patch(json!({ "a006": { "name": "mine" } })), Reason::NotOwner),
        ("listed-peer-opens-anchor", &listed, patch(json!({ "a006": { "visibility": "UNIVERSAL" } })), Reason::NotOwner),
        ("listed-peer-removes-anchor", &listed, patch(json!({ "a006": null })), Reason::NotOwner),
        ("listed-peer-adds-anchor", &listed, patch(json!({ "b000": fixture::one_anchor()["anchors"]["a000"] })), Reason::NotOwner),
        ("listed-peer-replaces-list", &listed, Request::put(url.clone()).json(&fixture::one_anchor()), Reason::NotOwner),
        ("listed-peer-deletes-list", &listed, Request::delete(url.clone()), Reason::NotOwner),
        ("stranger-provides-service", &stranger, patch(json!({ "a000": { "servInfos": [{ "servInfoId": "s", "info": "x" }] } })), Reason::NotOwner),
    ];
    for (member, client, request, reason) in rows {
        let outcome = client.send(request).await;
        let changed = (tag(&owner, &id).await? != before).then_some("STATE_CHANGED");
        arena
            .judge_with(Case::new(BUNDLE, member, "ssan-sanm", OWNER_ROWS, reason), outcome, changed)
            .await?;
    }
    Ok(())
}

/// Service information belongs to who provided it, even towards the owner of the anchor.
async fn services_of_others(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let id = sample.lists.get("vs-2").and_then(|lists| lists.first()).context("no list of vs-2")?;
    let url = at(sample, "san", &format!("{LISTS}/{id}"))?;
    let id: AnchorsListId = id.clone().try_into()?;
    let (owner, _) = fixture::owner(sample, "vs-2").await?;
    let (listed, _) = fixture::owner(sample, "vs-1").await?;
    let entry = |id: &str, info: &str, provider: Option<&str>| {
        let mut entry = json!({ "servInfoId": id, "info": info });
        if let Some(provider) = provider {
            entry["providerId"] = json!(provider);
        }
        json!({ "anchors": { "a006": { "servInfos": [entry] } }, "suppFeat": "1" })
    };
    owner
        .patch_list(&id, &entry("house", "of the owner", None), None)
        .await
        .context("service of the owner")?;
    listed
        .patch_list(&id, &entry("guide", "of the peer", None), None)
        .await
        .context("service of the peer")?;
    let before = tag(&owner, &id).await?;
    let patch = |body: Value| Request::patch(url.clone()).json(&body);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("peer-changes-service-of-owner", &listed, patch(entry("house", "taken over", Some("vs-2")))),
        ("peer-provides-in-another-name", &listed, patch(entry("other", "x", Some("vs-3")))),
        ("owner-changes-service-of-peer", &owner, patch(entry("guide", "taken over", Some("vs-1")))),
    ];
    for (member, client, request) in rows {
        let outcome = client.send(request).await;
        let changed = (tag(&owner, &id).await? != before).then_some("STATE_CHANGED");
        let case = Case::new(BUNDLE, member, "ssan-sanm", OWNER_ROWS, Reason::PartOfOtherProvider);
        arena.judge_with(case, outcome, changed).await?;
    }
    let nothing = json!({ "anchors": { "a006": { "servInfos": [] } }, "suppFeat": "1" });
    listed.patch_list(&id, &nothing, None).await?;
    owner.patch_list(&id, &nothing, None).await?;
    Ok(())
}

/// Maps that everybody may read and only one may change.
async fn maps_of_others(arena: &mut Arena<'_>) -> Result<()> {
    let map = *arena.sample.maps.get("vs-1").context("no map")?;
    let url = at(arena.sample, "sm", &format!("{MAPS}/{map}"))?;
    let content = at(arena.sample, "sm", &format!("{MAPS}/{map}/content"))?;
    let (_, owner) = fixture::owner(arena.sample, "vs-1").await?;
    let (_, other) = fixture::owner(arena.sample, "vs-2").await?;
    let id = api_types::ids::SpatialMapId(map);
    let seen = owner.map(id, true).await?;
    let before = (seen.etag.clone(), owner.head_content(id).await?);
    let body = serde_json::to_value(&seen.value)?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("other-replaces-map", Request::put(url.clone()).json(&body)),
        ("other-modifies-map", Request::patch(url.clone()).json_as("application/merge-patch+json", &json!({ "smProf": { "visibility": "UNIVERSAL" }, "suppFeat": "1" }))),
        ("other-deletes-map", Request::delete(url)),
        ("other-uploads-payload", Request::put(content).bytes("model/gltf-binary", bytes::Bytes::from_static(b"glTF"))),
    ];
    for (member, request) in rows {
        let outcome = other.send(request).await;
        let after = (owner.map(id, true).await?.etag, owner.head_content(id).await?);
        let changed = (after != before).then_some("STATE_CHANGED");
        let case = Case::new(BUNDLE, member, "ssm-smm", &["T1", "KI1-2", "NB-3"], Reason::NotOwner);
        arena.judge_with(case, outcome, changed).await?;
    }
    Ok(())
}

/// A rule of the operator outweighs a good token.
async fn operator(arena: &mut Arena<'_>) -> Result<()> {
    let ue = Ue::login(arena.sample, "dan").await?;
    let dan = arena.sample.users.get("dan").map(|dan| dan["valUserId"].clone()).unwrap_or_default();
    let rule = json!({ "class": "operator", "effect": "DENY", "subjects": [dan] });
    let admin = arena.observer.admin();
    admin.put_policy("demo-not-dan", &serde_json::from_value(rule)?).await?;
    let map = arena.sample.maps.get("vs-1").context("no map")?;
    for (place, listener, path, token) in [
        ("ssan-disc", "san", "/ssan-disc/v1/spatial-anchors?limit=1".to_owned(), &ue.san),
        ("ssm-smm", "sm", format!("{MAPS}/{map}"), &ue.sm),
    ] {
        let url = at(arena.sample, listener, &path)?;
        let outcome = ue.get(&url, token.access_token.expose()).await?;
        let case = Case::new(BUNDLE, "operator-rule", place, &["NB-3", "IMP-10"], Reason::OperatorRule);
        arena.judge(case, outcome).await?;
    }
    Ok(admin.delete_policy("demo-not-dan").await?)
}
