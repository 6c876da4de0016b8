//! P3: anchors and maps are managed with tokens of the CAPIF core function, at the three levels of access (TR 33.721
//! 6.2.2.1, steps 0 to 8; normative text 6.x.a).

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use api_types::capif::profile::SecurityMethod;
use api_types::ids::{SpatialAnchorId, SpatialMapId};
use api_types::oauth::TokenResponse;
use api_types::san::{SpatialAnchor, SpatialAnchorsList};
use authorization::AccessClaims;
use authorization::capif::scope::CapifScope;
use jose::{HeaderPolicy, Jwks, compact};
use sdk::{AnchorQuery, MapQuery, Request, SmClient};
use serde_json::{Value, json};
use service_http::tls::certificates_from_pem;

use super::Sample;
use super::attacks::raw;
use super::campus::{self, SERVICES};
use super::invoker::{ANCHOR, Invoker, MAP, aef, context, instance, scope, service, service_info};
use super::owner;
use super::play::{Found, Score, all};

/// The entry of service information that the second provider brings along.
const OFFERS: &str = "offers";
const ANCHOR_APIS: &str = "ssan-sanm,ssan-disc";
const MAP_APIS: &str = "ssm-smm,ssm-disc";

/// Plays it.
pub(super) async fn play(sample: &Sample, score: &mut Score<'_>) -> Result<()> {
    let one = Invoker::of(sample, 0, Some(&score.trace))?;
    let two = Invoker::of(sample, 1, Some(&score.trace))?;

    // step 0: the session with the core function, what is there, and how it is used.
    session(sample, score, "0", ("ccf", "CCF")).await?;
    let found = find(sample, &one).await?;
    score.client("0", ("API invoker", "CCF"), "discover the service APIs", found);
    let negotiated = negotiate(sample, &one).await?;
    score.client("0", ("API invoker", "CCF"), "negotiate the security method", negotiated);
    score.take_over().await?;

    anchors(sample, score, (&one, &two)).await.context("anchors")?;
    maps(sample, score, (&one, &two)).await.context("maps")?;
    for server in ["SAn-S", "SM-S"] {
        score.require(&[
            ("1", "API invoker", "CCF"),
            ("2", "CCF", "CCF"),
            ("3", "CCF", "API invoker"),
            ("4", "API invoker", server),
            ("5", "API invoker", server),
            ("6", server, server),
            ("7", server, server),
            ("8", server, "API invoker"),
        ]);
    }
    Ok(())
}

/// A session with a server; that the client is verified too is what every request of the procedure needs.
async fn session(
    sample: &Sample,
    score: &mut Score<'_>,
    step: &str,
    (listener, server): (&str, &str),
) -> Result<()> {
    const MESSAGE: &str = "secure session, certificate and name verified";
    let session = raw::channel(sample.url(listener)?, &sample.ca).await.map_err(|error| format!("{error:#}"));
    score.client(step, ("API invoker", server), MESSAGE, session);
    Ok(())
}

async fn find(sample: &Sample, invoker: &Invoker<'_>) -> Result<Found> {
    let mut checks = Vec::new();
    for known in &sample.aefs {
        let wanted: BTreeSet<String> = known.apis.iter().cloned().collect();
        let found = invoker.finds(&known.role).await.context("discovery")?;
        checks.push((format!("{} service APIs of the {}", wanted.len(), known.role), found == wanted));
    }
    let checks: Vec<_> = checks.iter().map(|(name, holds)| (name.as_str(), *holds)).collect();
    Ok(all(&checks))
}

async fn negotiate(sample: &Sample, invoker: &Invoker<'_>) -> Result<Found> {
    let wanted = context(sample, &["san", "sm"])?;
    let got = invoker.ccf.put_context(&invoker.id, &wanted).await.context("negotiation")?;
    let oauth = |role: &str| -> Result<bool> {
        let aef = aef(sample, role)?;
        let mut entries = got.security_info.iter();
        Ok(entries.any(|entry| {
            entry.aef_id.as_ref().is_some_and(|id| id.as_str() == aef)
                && entry.sel_security_method == Some(SecurityMethod::Oauth)
        }))
    };
    Ok(all(&[("OAUTH at the san", oauth("san")?), ("OAUTH at the sm", oauth("sm")?)]))
}

async fn anchors(
    sample: &Sample,
    score: &mut Score<'_>,
    (one, two): (&Invoker<'_>, &Invoker<'_>),
) -> Result<()> {
    // Level SERVICE.
    let actions = ["create", "read", "discover", "update", "delete"];
    let wanted = service(ANCHOR, &actions);
    let whole_token =
        one.token("san", ANCHOR_APIS, wanted.clone()).await.context("token of level SERVICE")?;
    score.take_over().await?;
    let token_is = verify(sample, one, &whole_token, ("san", ANCHOR_APIS, &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level SERVICE", token_is);
    session(sample, score, "4", ("san", "SAn-S")).await?;
    let whole = one.san(&whole_token)?;
    let made = whole.create_list(&three_anchors(two)?).await.context("create")?;
    let list = made.id;
    let number = |label: &str| -> Result<u32> {
        let anchor = made.value.anchors.get(label).and_then(|anchor| anchor.anchor_id);
        Ok(anchor.context("an anchor without a number")?.0)
    };
    let ids = ["gate", "hall", "roof"].map(number).into_iter().collect::<Result<Vec<_>>>()?;
    let discovered = whole.discover_all(&by_number(&ids)).await.context("discover")?;
    score.take_over().await?;
    let numbers = discovered.results.iter().filter_map(|found| found.anch_info.anchor_id);
    let numbers: BTreeSet<u32> = numbers.map(|id| id.0).collect();
    let found = all(&[("the three anchors", numbers == ids.iter().copied().collect())]);
    score.client("8", ("API invoker", "API invoker"), "SERVICE: create a list of three, discover it", found);

    // What the owner's policies are is known to the core function before anybody gets a token that names an anchor.
    let mine = Invoker::of(sample, 0, None)?;
    for id in &ids {
        owner::known(&mine, &format!("{list}/{id}")).await?;
    }

    // Level INSTANCE.
    let named = format!("{list}/{}", ids[1]);
    let wanted = instance(ANCHOR, &named, &["read", "update", "discover"]);
    let token = one.token("san", ANCHOR_APIS, wanted.clone()).await.context("token of level INSTANCE")?;
    score.take_over().await?;
    let token_is = verify(sample, one, &token, ("san", ANCHOR_APIS, &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level INSTANCE", token_is);
    let hall = one.san(&token)?;
    let seen = hall.list(&list, true).await.context("read of one")?.value;
    let discovered = hall.discover_all(&by_number(&ids)).await.context("discovery of one")?;
    let patch = json!({ "suppFeat": "1", "anchors": { "hall": { "name": "great hall" } } });
    hall.patch_list(&list, &patch, None).await.context("update of one")?;
    score.take_over().await?;
    let found = all(&[
        ("reads the one of three that it names", labels(&seen) == ["hall"]),
        ("discovers no other", discovered.results.len() == 1),
    ]);
    score.client("8", ("API invoker", "API invoker"), "INSTANCE: read, discover, update one", found);

    // Level SERVICE_INFO, by another provider.
    owner::allow(&mine, ("san", &format!("{list}/{}", ids[0])), two, &["update"], &[OFFERS]).await?;
    let wanted = service_info(ANCHOR, &format!("{list}/{}", ids[0]), OFFERS);
    let token = two.token("san", "ssan-sanm", wanted.clone()).await.context("token of level SERVICE_INFO")?;
    score.take_over().await?;
    let token_is = verify(sample, two, &token, ("san", "ssan-sanm", &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level SERVICE_INFO", token_is);
    let patch = json!({ "suppFeat": "1", "anchors": { "gate": { "servInfos": [{ "servInfoId": OFFERS, "info": "two for one" }] } } });
    two.san(&token)?.patch_list(&list, &patch, None).await.context("service information")?;
    let after = whole.list(&list, true).await.context("read of all")?.value;
    score.take_over().await?;
    let found = anchors_are(&after, &made.value, (one, two));
    score.client("8", ("API invoker", "API invoker"), "SERVICE_INFO: own entry beside another's", found);
    whole.delete_list(&list, None).await.context("delete")?;
    score.take_over().await?;
    // Beside the procedure: a refusal is none of its steps.
    let gone = Invoker::of(sample, 0, None)?.san(&whole_token)?.list(&list, true).await.is_err();
    score.client(
        "8",
        ("API invoker", "API invoker"),
        "SERVICE: delete the list",
        all(&[("it is gone", gone)]),
    );
    Ok(())
}

/// A gate with service information, which another provider may add to, a hall and a roof.
fn three_anchors(other: &Invoker<'_>) -> Result<SpatialAnchorsList> {
    let mut list = campus::lists(&SERVICES[0]).remove(0);
    let mut anchor = list["anchors"]["a000"].clone();
    anchor["visibility"] = json!("RESTRICTED");
    anchor["rules"] = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": other.id }] });
    let named = |name: &str| {
        let mut named = anchor.clone();
        named["name"] = json!(name);
        named
    };
    list["anchors"] = json!({ "gate": named("gate"), "hall": named("hall"), "roof": named("roof") });
    list["anchors"]["gate"]["servInfos"] = json!([{ "servInfoId": "hours", "info": "9 to 5" }]);
    Ok(serde_json::from_value(list)?)
}

fn by_number(ids: &[u32]) -> AnchorQuery {
    let anchor_ids = ids.iter().map(|id| SpatialAnchorId(*id)).collect();
    AnchorQuery { anchor_ids, own_members: true, ..AnchorQuery::default() }
}

fn labels(list: &SpatialAnchorsList) -> Vec<&str> {
    list.anchors.keys().map(String::as_str).collect()
}

/// What became of the three anchors: exactly what the three tokens granted.
fn anchors_are(
    after: &SpatialAnchorsList,
    before: &SpatialAnchorsList,
    (one, two): (&Invoker<'_>, &Invoker<'_>),
) -> Found {
    let name = |label: &str| after.anchors.get(label).and_then(|anchor| anchor.name.as_deref());
    let entries = |list: &SpatialAnchorsList| -> Vec<(String, Option<String>)> {
        let gate = list.anchors.get("gate").and_then(|anchor| anchor.serv_infos.as_ref());
        gate.into_iter().flatten().map(|e| (e.serv_info_id.clone(), e.provider_id.clone())).collect()
    };
    let roof = |list: &SpatialAnchorsList| {
        // The core function has come to know of it since.
        list.anchors.get("roof").map(|anchor| SpatialAnchor { sync_state: None, ..anchor.clone() })
    };
    let provided = |id: &str, by: &Invoker<'_>| (id.to_owned(), Some(by.id.as_str().to_owned()));
    all(&[
        ("the hall has its new name", name("hall") == Some("great hall")),
        (
            "both entries, each its provider's",
            entries(after) == [provided("hours", one), provided(OFFERS, two)],
        ),
        ("the roof as it was", roof(after) == roof(before)),
    ])
}

async fn maps(
    sample: &Sample,
    score: &mut Score<'_>,
    (one, two): (&Invoker<'_>, &Invoker<'_>),
) -> Result<()> {
    let wanted = service(MAP, &["create", "read", "discover", "update", "delete"]);
    let token = one.token("sm", MAP_APIS, wanted.clone()).await.context("token of level SERVICE")?;
    score.take_over().await?;
    let token_is = verify(sample, one, &token, ("sm", MAP_APIS, &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level SERVICE", token_is);
    session(sample, score, "4", ("sm", "SM-S")).await?;
    let whole = one.sm(&token)?;
    let (first, second) = (create_map(&whole, two).await?, create_map(&whole, two).await?);
    let both = found_maps(&whole, &[first, second]).await?;
    score.take_over().await?;
    let found = all(&[("both maps", both == wanted_ids(&[first, second]))]);
    score.client("8", ("API invoker", "API invoker"), "SERVICE: create two maps, discover them", found);

    let mine = Invoker::of(sample, 0, None)?;
    owner::known(&mine, &first.to_string()).await?;
    let wanted = instance(MAP, &first.to_string(), &["read", "update", "discover"]);
    let token = one.token("sm", MAP_APIS, wanted.clone()).await.context("token of level INSTANCE")?;
    score.take_over().await?;
    let token_is = verify(sample, one, &token, ("sm", MAP_APIS, &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level INSTANCE", token_is);
    let narrow = one.sm(&token)?;
    narrow.map(first, true).await.context("read of one")?;
    let patch = json!({ "suppFeat": "1", "smProf": { "name": "ground floor" } });
    narrow.patch_map(first, &patch, None).await.context("update of one")?;
    let seen = found_maps(&narrow, &[first, second]).await?;
    score.take_over().await?;
    let found = all(&[("discovers the one that it names", seen == wanted_ids(&[first]))]);
    score.client("8", ("API invoker", "API invoker"), "INSTANCE: read, discover, update one", found);

    owner::allow(&mine, ("sm", &first.to_string()), two, &["update"], &[OFFERS]).await?;
    let wanted = service_info(MAP, &first.to_string(), OFFERS);
    let token = two.token("sm", "ssm-smm", wanted.clone()).await.context("token of level SERVICE_INFO")?;
    score.take_over().await?;
    let token_is = verify(sample, two, &token, ("sm", "ssm-smm", &wanted)).await?;
    score.client("3", ("API invoker", "API invoker"), "check the token of level SERVICE_INFO", token_is);
    let patch = json!({ "suppFeat": "1", "smProf": { "servInfos": [{ "servInfoId": OFFERS, "info": "two for one" }] } });
    two.sm(&token)?.patch_map(first, &patch, None).await.context("service information")?;
    let after = whole.map(first, true).await.context("read of all")?.value.sm_prof;
    score.take_over().await?;
    let entries = after.serv_infos.unwrap_or_default();
    let of_two = |id: &Option<String>| id.as_deref() == Some(two.id.as_str());
    let found = all(&[
        ("its new name", after.name.as_deref() == Some("ground floor")),
        ("the provider's own entry", entries.len() == 1 && of_two(&entries[0].provider_id)),
    ]);
    score.client("8", ("API invoker", "API invoker"), "SERVICE_INFO: own entry", found);
    for map in [first, second] {
        whole.delete_map(map, None).await.context("delete")?;
    }
    score.take_over().await?;
    Ok(())
}

async fn create_map(sm: &SmClient, other: &Invoker<'_>) -> Result<SpatialMapId> {
    let mut map = campus::map(&SERVICES[0]);
    map["mapInf"]["allwEnt"] =
        json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": other.id }] });
    Ok(sm.create_map(&serde_json::from_value(map)?).await.context("create")?.id())
}

fn wanted_ids(maps: &[SpatialMapId]) -> BTreeSet<u32> {
    maps.iter().map(|map| map.0).collect()
}

/// Which of these maps are discovered.
async fn found_maps(sm: &SmClient, among: &[SpatialMapId]) -> Result<BTreeSet<u32>> {
    let found = sm.discover_all(&MapQuery::default()).await.context("discover")?.maps_disc;
    let found: BTreeSet<u32> = found.unwrap_or_default().iter().map(|map| map.map_id.0).collect();
    Ok(&found & &wanted_ids(among))
}

/// Verifies a token as a stranger would: by the published keys, claim by claim (CON-38).
async fn verify(
    sample: &Sample,
    invoker: &Invoker<'_>,
    answer: &TokenResponse,
    (role, apis, details): (&str, &str, &Value),
) -> Result<Found> {
    let ccf = sample.url("ccf")?;
    let url = format!("{ccf}/jwks").parse()?;
    let jwks =
        Jwks::from_value(&invoker.ccf.send(Request::get(url)).await?.expect(&[200])?.json::<Value>()?)?;
    let Ok(parsed) = compact::parse(answer.access_token.expose(), &HeaderPolicy::access_token()) else {
        return Ok(Err("no compact JWS of type at+jwt".into()));
    };
    let kid = parsed.header.kid.clone().unwrap_or_default();
    let Some(key) = jwks.key(&kid) else { return Ok(Err("kid is not published".into())) };
    let Ok(verified) = parsed.verify(key) else { return Ok(Err("signature does not verify".into())) };
    let Ok(claims) = verified.claims::<AccessClaims>() else { return Ok(Err("a claim is missing".into())) };
    let now_s = sample.ambient.now_s();
    let bound = claims.cnf.as_ref().and_then(|cnf| cnf.x5t_s256.clone());
    let granted = serde_json::to_value(&answer.authorization_details)?;
    let in_token = serde_json::to_value(&claims.authorization_details)?;
    let asked = scope(sample, role, apis)?;
    let certificates = certificates_from_pem(&invoker.identity.cert_pem)?;
    let shown = certificates.first().map(|certificate| jose::x5t_s256(certificate));
    Ok(all(&[
        ("signature by a published key", true),
        ("iss is the core function", claims.iss == ccf),
        ("sub is the API invoker", claims.sub == invoker.id.as_str()),
        ("client_id likewise", claims.client_id.as_str() == invoker.id.as_str()),
        ("one aud, the API exposing function", claims.aud.one() == Some(aef(sample, role)?)),
        ("scope of TS 29.222", claims.scope.to_string().parse::<CapifScope>().ok() == asked.parse().ok()),
        ("the level that was asked for, in the token", in_token == *details),
        ("and in the answer", granted == *details),
        ("exp", (now_s + 1..=now_s + 301).contains(&claims.exp.0)),
        ("jti", claims.jti.len() >= 16),
        ("bound to the certificate", bound.is_some() && bound == shown),
        ("token_type Bearer", answer.token_type == "Bearer"),
        ("expires_in", claims.exp.0 - claims.iat.0 == answer.expires_in),
    ]))
}
