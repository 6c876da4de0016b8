//! P2: maps and anchors are read and discovered with the tokens of P1, without CAPIF (TR 33.721 figure 6.1.2-2, steps 0
//! to 3; normative text 6.x.b).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use api_types::geo::ServiceArea;
use api_types::ids::{AnchorsListId, SpatialMapId};
use sdk::{AnchorQuery, MapQuery, SanClient, SmClient};

use super::attacks::raw;
use super::campus::{self, SERVICES, ValService};
use super::play::{Found, Score, all};
use super::{Sample, glb};

const USER: &str = "alice";
const CLIENT: &str = "ue-1";
/// Items of a page; fewer than there are.
const PAGE: u32 = 100;
/// Largest payload that the SM-C reads.
const MAX_PAYLOAD: usize = 64 << 20;

/// Plays it.
pub(super) async fn play(sample: &Sample, score: &mut Score<'_>) -> Result<()> {
    let (san_url, sm_url) = (sample.url("san")?, sample.url("sm")?);
    let session = sample.session(USER, CLIENT).await.context("login")?;
    let anchors = session.credential(san_url, "3gpp:seal:san.read 3gpp:seal:san.discover").await?;
    let maps = session.credential(sm_url, "3gpp:seal:sm.read").await?;

    // step 0: the secure channels.
    for (client, server, url) in [("SM-C", "SM-S", sm_url), ("SAn-C", "SAn-S", san_url)] {
        let channel = raw::channel(url, &sample.ca).await.map_err(|error| format!("{error:#}"));
        score.client("0", (client, server), "secure channel, certificate and name verified", channel);
    }

    // steps 1 to 3, for each of the services.
    let https = sample.https(CLIENT, Some(&score.trace))?;
    let service = SERVICES[0];
    let sm = SmClient::new(https.clone(), sm_url, maps)?;
    let of_maps = read_maps(sample, &sm, &service).await?;
    let mut traces = score.take_over().await?;
    score.client("3", ("SM-C", "SM-C"), "compare map and payload with the original", of_maps);

    let san = SanClient::new(https, san_url, anchors)?;
    let (of_list, of_area) = read_anchors(sample, &san, &service).await?;
    let of_san = score.take_over().await?;
    score.client("3", ("SAn-C", "SAn-C"), "compare the list: exactly what alice may see", of_list);
    score.client("3", ("SAn-C", "SAn-C"), "compare the area, page by page: likewise", of_area);
    traces.extend(of_san);
    let user = sample.users.get(USER).and_then(|user| user["valUserId"].as_str()).context("no such user")?;
    let recorded = recorded(score, user, &traces, 6).await?;
    score.client("3", ("admin", "admin"), "count what was recorded of alice", recorded);

    // The VAL server finds its own private anchors too.
    let https = sample.https(service.client, Some(&score.trace))?;
    let credential = sample.val_server(service.client, "san", "3gpp:seal:san.discover").await?;
    let own = discover(&SanClient::new(https, san_url, credential)?, &service).await?;
    let traces = score.take_over().await?;
    let everything = names(&service, |_| true);
    let found =
        all(&[("all 200 of its own anchors", own.names == everything), ("no other page", own.pages == 2)]);
    score.client(
        "3",
        ("VAL server", "VAL server"),
        "compare the area: private anchors of its own too",
        found,
    );
    let recorded = self::recorded(score, service.client, &traces, 2).await?;
    score.client("3", ("admin", "admin"), "count what was recorded of the VAL server", recorded);

    for (client, server) in [("SM-C", "SM-S"), ("SAn-C", "SAn-S")] {
        score.require(&[
            ("0", client, server),
            ("1", client, server),
            ("2", server, server),
            ("3", server, client),
        ]);
    }
    Ok(())
}

async fn read_maps(sample: &Sample, sm: &SmClient, service: &ValService) -> Result<Found> {
    let id = SpatialMapId(*sample.maps.get(service.client).context("no map")?);
    let map = sm.map(id, true).await.context("map")?.value;
    let (head, payload) = sm.get_content(id, MAX_PAYLOAD).await.context("payload")?;
    let original = glb::floor_plan(service.map, super::seed::FLOOR_M);
    let found = sm.discover_all(&MapQuery::default()).await.context("map discovery")?;
    let found: BTreeSet<u32> = found.maps_disc.unwrap_or_default().iter().map(|map| map.map_id.0).collect();
    let all_maps: BTreeSet<u32> = sample.maps.values().copied().collect();
    Ok(all(&[
        ("map", map.sm_prof.map_id == id && map.svc_id.as_ref().is_some_and(|id| id.as_str() == service.id)),
        ("media type", head.media_type.as_deref() == Some("model/gltf-binary")),
        ("Repr-Digest fits the payload", head.fits(&payload) == Some(true)),
        ("payload as it was stored", payload == original),
        ("exactly the three maps", found == all_maps),
    ]))
}

async fn read_anchors(sample: &Sample, san: &SanClient, service: &ValService) -> Result<(Found, Found)> {
    let id = sample.lists.get(service.client).and_then(|lists| lists.first()).context("no list")?;
    let id: AnchorsListId = id.clone().try_into()?;
    let list = san.list(&id, true).await.context("anchors-list")?.value;
    let labels: BTreeSet<String> = list.anchors.keys().cloned().collect();
    let permitted = (0..campus::LIST).filter(|number| is_open(*number)).map(|number| format!("a{number:03}"));
    let bare = |anchor: &api_types::san::SpatialAnchor| anchor.premises.is_none() && anchor.rules.is_none();
    let of_list = all(&[
        ("45 of 50 anchors", labels == permitted.collect()),
        ("premises and rules are the creator's", list.anchors.values().all(bare)),
    ]);
    let found = discover(san, service).await?;
    let of_area = all(&[
        ("180 of 200 anchors", found.names == names(service, is_open)),
        ("two pages", found.pages == 2),
        ("each once", found.times.values().all(|times| *times == 1)),
    ]);
    Ok((of_list, of_area))
}

struct Area {
    names: BTreeSet<String>,
    times: BTreeMap<String, usize>,
    pages: usize,
}

async fn discover(san: &SanClient, service: &ValService) -> Result<Area> {
    let area: ServiceArea = serde_json::from_value(campus::area(service))?;
    let query =
        AnchorQuery { area_int: Some(area), own_members: true, limit: Some(PAGE), ..AnchorQuery::default() };
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let mut pages = 0;
    let mut page = san.discover(&query).await.context("anchor discovery")?;
    loop {
        pages += 1;
        for profile in page.found.results {
            *times.entry(profile.anch_info.name.unwrap_or_default()).or_default() += 1;
        }
        match page.next {
            Some(next) if pages < 10 => page = san.page(next, None).await.context("next page")?,
            _ => return Ok(Area { names: times.keys().cloned().collect(), times, pages }),
        }
    }
}

/// Whether alice may see an anchor of the campus: she has all three VAL services, and owns none.
fn is_open(number: usize) -> bool {
    number % 10 != 9
}

fn names(service: &ValService, open: impl Fn(usize) -> bool) -> BTreeSet<String> {
    (0..service.anchors)
        .filter(|number| open(*number))
        .map(|number| format!("{} {number}", service.map))
        .collect()
}

/// Each served request has one charging record and one permit in the audit.
async fn recorded(score: &Score<'_>, consumer: &str, traces: &[String], requests: usize) -> Result<Found> {
    let charged = score.observer.charged(consumer).await?;
    let mut once = true;
    let mut permits = true;
    for trace in traces {
        once &= charged.iter().filter(|item| item.trace.as_str() == trace).count() == 1;
        let audit = score.observer.audit(trace).await?;
        permits &= audit.iter().filter(|item| item.verdict == "permit").count() == 1 && audit.len() == 1;
    }
    let count = format!("{requests} served requests");
    Ok(all(&[
        (&count, traces.len() == requests),
        ("one charging record each", once),
        ("one permit in the audit each", permits),
    ]))
}
