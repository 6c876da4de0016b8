//! What the core function is told of anchors survives `kill -9` of both: an anchor opens when it is known, and what is gone here
//! goes there (TR 33.721 6.3.2.1 steps 3 to 8; S3-3, S3-4b, IMP-15).

use std::time::Duration;

use api_types::ids::AnchorsListId;
use api_types::oauth::AuthorizationDetail;
use api_types::san::{SpatialAnchorsList, SyncState};
use sdk::SdkError;
use sdk::capif::TokenRequest;
use serde_json::json;
use tempfile::TempDir;

use super::{Invoker, launch, onboarded};
use crate::harness::{Site, parsed, val_server_list};

/// Looks before something is taken for lost.
const LOOKS: u32 = 400;
const BETWEEN: Duration = Duration::from_millis(25);

/// An anchor that one other may read.
fn for_reader(reader: &Invoker) -> SpatialAnchorsList {
    let mut list = val_server_list("museum-guide", "gate");
    let anchor = list["anchors"]["open"].clone();
    list["anchors"] = json!({ "gate": anchor });
    list["anchors"]["gate"]["visibility"] = json!("RESTRICTED");
    list["anchors"]["gate"]["rules"] =
        json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": reader.id }] });
    parsed(list)
}

/// A token that names the anchor, once the core function gives one, or once it gives none.
async fn asked(reader: &Invoker, resource: &str, given: bool) -> Result<(), SdkError> {
    let aef = reader.aef("ssan-sanm").await;
    let details = json!([{ "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": resource, "actions": ["read"] }]);
    let request = TokenRequest {
        scope: format!("3gpp#{aef}:ssan-sanm"),
        authorization_details: parsed::<Vec<AuthorizationDetail>>(details),
    };
    let mut last = Ok(());
    for _ in 0..LOOKS {
        last = reader.ccf.token(&reader.id, &request).await.map(drop);
        if last.is_ok() == given {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_core_function_is_told_survives_a_kill() {
    let dir = TempDir::new().expect("a directory");
    let started = launch(&dir, "sim,ccf,san");
    let mut program = started.start();
    let mut site = Site::of(&program);
    let (mut owner, mut reader) = (onboarded(&site).await, onboarded(&site).await);
    for invoker in [&owner, &reader] {
        invoker.negotiate(&[&invoker.aef("ssan-sanm").await]).await;
    }
    let made = owner.san(&site, "ssan-sanm").await.create_list(&for_reader(&reader)).await.expect("created");
    // Killed right after the answer: whether it was told by then or not, it will be.
    program.kill();
    let list: AnchorsListId = made.id;
    let id = made.value.anchors["gate"].anchor_id.expect("an identifier").0;
    let resource = format!("{list}/{id}");
    assert!(made.value.anchors["gate"].sync_state.is_some(), "the owner is told");

    let mut program = started.start();
    site.update(&program);
    owner.update(&site);
    reader.update(&site);
    asked(&reader, &resource, true).await.expect("a token, once the core function knows");
    let read = reader.san(&site, "ssan-sanm").await.list(&list, true).await.expect("open to the reader");
    assert!(read.value.anchors["gate"].sync_state.is_none(), "which is not the reader's to know");
    let san = owner.san(&site, "ssan-sanm").await;
    let read = san.list(&list, true).await.expect("read by its owner").value;
    assert_eq!(read.anchors["gate"].sync_state, Some(SyncState::Synced));

    san.delete_list(&list, None).await.expect("deleted");
    program.kill();
    let program = started.start();
    site.update(&program);
    owner.update(&site);
    reader.update(&site);
    assert!(asked(&reader, &resource, false).await.is_err(), "a token for what is gone");
    let profile = owner.ccf.owned_resources(&owner.id, None).await.expect("the owner's profile");
    assert!(
        profile.items.iter().all(|info| info.resource_id.as_str() != resource),
        "it stays in the profile"
    );
}
