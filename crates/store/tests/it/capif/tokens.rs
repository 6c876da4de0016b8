//! Which tokens are out, and the records that this function has like others.

use store::capif::resources;
use store::capif::tokens;
use store::capif::tokens::TokenRow;
use store::{happenings, keys, subscriptions};

use super::resources::{owner, resource};
use super::{NOW, open, strings};
use crate::bench::Bench;

on_both!(a_withdrawal_finds_its_tokens, the_records_of_every_issuer_are_there,);

fn token(jti: &str, invoker: &str, aef: &str, apis: &[&str], resources: &[&str]) -> TokenRow {
    TokenRow {
        jti: jti.into(),
        invoker_id: invoker.into(),
        aef_id: aef.into(),
        apis: strings(apis),
        resources: strings(resources),
        permission: None,
        expires_s: NOW + 300,
    }
}

async fn a_withdrawal_finds_its_tokens(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        tokens::insert(tx, &token("t1", "i1", "aef1", &["san", "disc"], &["l/1", "l/2"])).await?;
        tokens::insert(tx, &token("t2", "i1", "aef2", &["san"], &["l/1"])).await?;
        let old = TokenRow { expires_s: NOW, ..token("t3", "i1", "aef1", &["san"], &["l/1"]) };
        tokens::insert(tx, &old).await?;
        let bound =
            TokenRow { permission: Some("p1".into()), ..token("t4", "i2", "aef1", &["san"], &["l/2"]) };
        tokens::insert(tx, &bound).await?;
        tokens::add_apis(tx, "t4", "aef3", &strings(&["sm"])).await?;

        assert_eq!(tokens::of_invoker(tx, "i1", NOW).await?, ["t1", "t2"]);
        assert_eq!(tokens::of_invoker(tx, "i1", NOW - 1).await?, ["t1", "t2", "t3"]);
        assert_eq!(tokens::of_invoker_at(tx, "i1", "aef1", NOW).await?, ["t1"]);
        assert_eq!(tokens::of_api(tx, "i1", "aef1", "disc", NOW).await?, ["t1"]);
        assert!(tokens::of_api(tx, "i1", "aef2", "disc", NOW).await?.is_empty());
        assert!(tokens::of_api(tx, "i2", "aef1", "disc", NOW).await?.is_empty());
        assert_eq!(tokens::of_any(tx, "aef1", "san", NOW).await?, ["t1", "t4"]);
        assert_eq!(tokens::of_any(tx, "aef3", "sm", NOW).await?, ["t4"]);
        assert_eq!(tokens::of_aef(tx, "aef1", NOW).await?, ["t1", "t4"]);
        assert_eq!(tokens::of_resource(tx, "aef1", "l/1", NOW).await?, ["t1"]);
        assert_eq!(tokens::of_resource(tx, "aef1", "l/2", NOW).await?, ["t1", "t4"]);
        assert!(tokens::of_resource(tx, "aef1", "l", NOW).await?.is_empty());
        assert_eq!(tokens::of_resource_but(tx, ("aef1", "l/2"), "i2", NOW).await?, ["t1"]);
        assert_eq!(tokens::of_resource_but(tx, ("aef1", "l/2"), "", NOW).await?, ["t1", "t4"]);
        for (aef, id, whose) in [("aef1", "l/2", "i1"), ("aef2", "l/1", "i1"), ("aef1", "l/1", "i2")] {
            resources::put(tx, &resource(aef, id, whose, 1)).await?;
        }
        assert_eq!(tokens::of_owner(tx, &owner("i1"), NOW).await?, ["t1", "t2", "t4"]);
        assert_eq!(tokens::of_owner(tx, &owner("i2"), NOW).await?, ["t1"]);
        assert!(tokens::of_owner(tx, &owner("i3"), NOW).await?.is_empty());
        assert_eq!(tokens::of_permission(tx, "p1", NOW).await?, ["t4"]);

        assert!(tokens::delete(tx, "t1").await?);
        assert!(!tokens::delete(tx, "t1").await?);
        assert!(tokens::of_resource(tx, "aef1", "l/1", NOW).await?.is_empty());
        assert_eq!(tokens::purge(tx, NOW, 10).await?, 0);
        assert_eq!(tokens::purge(tx, NOW + 301, 1).await?, 1);
        assert_eq!(tokens::purge(tx, NOW + 301, 10).await?, 2);
    });
}

/// Keys, subscriptions and what happened are kept by the functions of every other schema.
async fn the_records_of_every_issuer_are_there(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        assert!(keys::all(tx).await?.is_empty());
        assert_eq!(keys::secret_or(tx, "pairwise", &[1]).await?, [1]);
        assert!(!subscriptions::any(tx, "capif-events").await?);
        let note = happenings::Happening {
            kind: "SERVICE_API_AVAILABLE".into(),
            body: "{}".into(),
            at_ms: NOW * 1000,
            trace: None,
        };
        happenings::note(tx, &note).await?;
        assert_eq!(happenings::take(tx, 10).await?, [note]);
    });
}
