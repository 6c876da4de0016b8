//! Anchors by the million, written the way that the server writes them, without the way over its interface.

use api_types::san::SpatialAnchor;
use authorization::access_rules::{class_key, class_matches};
use authorization::{Item, Match, Principal};
use serde_json::{Value, json};
use store::anchors::{AnchorRow, ClassDef, ListRow, classes, ids, lists, records};
use store::publications::Sync;
use store::{Store, StoreError};

use super::progress::Progress;

/// South-western corner and sides of the region that the anchors fill evenly, in degrees.
pub(super) const REGION: (f64, f64, f64) = (10.0, 50.0, 1.0);

/// Anchors of a list. Own value.
const LIST: u32 = 500;

/// Of so many anchors …
const MIX: u32 = 10;
/// … so many are for everybody, …
const UNIVERSAL: u32 = 2;
/// … and so many for the client that asks; the others are hidden from it.
const LISTED: u32 = 1;

/// The share of the anchors that the client may discover.
pub(super) const VISIBLE: f64 = (UNIVERSAL + LISTED) as f64 / MIX as f64;

/// Distinct rule sets that list the client, and owners whose anchors are their own.
const RULE_SETS: u32 = 20;
const OWNERS: u32 = 1_000;

/// The identifier of anchor `n`: random to the eye, each once.
fn anchor_id(n: u32) -> u32 {
    n.wrapping_mul(2_654_435_769) & 0x7FFF_FFFF
}

/// A share of the region's side, spread evenly.
fn spread(n: u32, seed: u64) -> f64 {
    let mixed = (u64::from(n) + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Anchor `n` as a peer would write it.
pub(super) fn document(n: u32, client: &str) -> Value {
    let (west, south, side) = REGION;
    let mut anchor = json!({
        "anchorId": anchor_id(n),
        "posInfo": { "pos": {
            "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
            "localOrigin": {
                "coordinateId": "hall-1", "horizAxesOrientation": 0,
                "point": { "lon": west + side * spread(n, 1), "lat": south + side * spread(n, 2) },
            },
            "point": { "x": 0.0, "y": 0.0, "z": 1.5 },
            "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
            "confidence": 90,
        } },
        "name": format!("anchor {n}"),
    });
    let server = |id: String| json!({ "type": "VAL_SERVER", "identifier": id });
    match n % MIX {
        0..UNIVERSAL => anchor["visibility"] = json!("UNIVERSAL"),
        UNIVERSAL => {
            let peer = server(format!("peer-{}", n / MIX % RULE_SETS));
            anchor["rules"] = json!({ "allowedEntities": [server(client.to_owned()), peer] });
        }
        _ => anchor["visibility"] = json!("PRIVATE"),
    }
    anchor
}

/// The owner of anchor `n`, which is that of its list.
fn owner(n: u32) -> Principal {
    Principal::new("https://sim.example".to_owned(), format!("owner-{}", n / LIST % OWNERS))
}

/// Writes anchors `0..count`.
///
/// # Errors
/// The engine failed.
pub(super) async fn anchors(
    store: &Store,
    count: u32,
    client: &str,
    progress: &Progress,
) -> anyhow::Result<()> {
    for from in (0..count).step_by(LIST as usize) {
        let upto = (from + LIST).min(count);
        let owner = owner(from);
        let mut rows = Vec::with_capacity(LIST as usize);
        for n in from..upto {
            let body = document(n, client);
            let at = &body["posInfo"]["pos"]["localOrigin"]["point"];
            let at = at["lon"].as_f64().zip(at["lat"].as_f64());
            let typed: SpatialAnchor = serde_json::from_value(body.clone())?;
            let item = Item::new(owner.clone(), typed.visibility, typed.rules.as_ref());
            let matches = class_matches(&item).iter().map(Match::to_string).collect();
            rows.push((ClassDef { key: class_key(&item), matches }, row(n, from, &owner, at, &body)));
        }
        let list = list(from, owner);
        let write: Result<(), StoreError> = store
            .write(move |tx| {
                Box::pin(async move {
                    lists::insert(tx, &list).await?;
                    let mut kept: Vec<AnchorRow> = Vec::with_capacity(rows.len());
                    let mut known: std::collections::BTreeMap<String, i64> =
                        std::collections::BTreeMap::new();
                    for (class, mut anchor) in rows {
                        ids::reserve(tx, anchor.anchor_id).await?;
                        let class_id = match known.get(&class.key) {
                            Some(class_id) => *class_id,
                            None => {
                                let draws: Vec<u32> =
                                    (1..9).map(|draw| anchor.anchor_id.wrapping_mul(draw)).collect();
                                let class_id = classes::class_of(tx, &class, &draws).await?;
                                known.insert(class.key, class_id);
                                class_id
                            }
                        };
                        anchor.class_id = class_id;
                        kept.push(anchor);
                    }
                    records::insert(tx, &kept).await
                })
            })
            .await;
        write?;
        progress.within(&format!("writing {count} anchors"), f64::from(upto) / f64::from(count));
    }
    Ok(())
}

fn list(from: u32, owner: Principal) -> ListRow {
    ListRow {
        list_id: format!("l-{from}"),
        owner_issuer: owner.issuer,
        owner_name: owner.subject.clone(),
        owner_subject: owner.subject,
        service_id: "guide".to_owned(),
        serv_info: json!({ "serviceId": "guide", "endPt": { "uri": "https://val.example/guide" } })
            .to_string(),
        incarnation: i64::from(from),
        version: 1,
        created_s: 1_800_000_000,
    }
}

fn row(n: u32, from: u32, owner: &Principal, at: Option<(f64, f64)>, body: &Value) -> AnchorRow {
    AnchorRow {
        anchor_id: anchor_id(n),
        list_id: format!("l-{from}"),
        label: n.to_string(),
        owner_key: Match::Owner(owner.clone()).to_string(),
        class_id: 0,
        service_id: "guide".to_owned(),
        incarnation: i64::from(n),
        body: body.to_string(),
        spec_hash: None,
        at,
        start_s: None,
        stop_s: None,
        sync: Sync::Free,
    }
}
