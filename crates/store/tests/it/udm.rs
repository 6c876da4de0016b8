//! What the UDM keeps, on both engines.

use api_types::admin::Privacy;
use api_types::function::Function;
use api_types::ids::{ExternalId, Gpsi, Supi};
use api_types::nudm_sdm::{UcPurpose, UserConsent};
use api_types::san::PersonalDataCategory;
use store::udm::sdm_subscriptions::{self, SdmSubscriptionRow};
use store::udm::subscribers::{self, Put};
use store::udm::{consents, purposes};
use store::{Migrations, Store};

use crate::bench::{Bench, write};

on_both!(
    a_subscriber_is_found_by_each_identifier_and_keeps_them,
    each_change_of_consent_has_a_version_of_its_own,
    what_was_kept_is_there_after_opening_again,
    a_subscription_is_over_when_it_has_run_out,
    purposes_are_replaced_and_forgotten
);

async fn opened(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Udm, Migrations::of(Function::Udm)).await.unwrap()
}

fn supi(number: u32) -> Supi {
    Supi::try_from(format!("imsi-00101{number:010}")).unwrap()
}

fn gpsi(number: u32) -> Gpsi {
    Gpsi::try_from(format!("msisdn-49170{number:07}")).unwrap()
}

async fn with_alice(bench: &Bench) -> Store {
    let store = opened(bench).await;
    let put = write(&store, |tx| {
        Box::pin(async move { subscribers::put(tx, (&gpsi(1), &supi(1)), None, 10).await })
    });
    assert_eq!(put.await.unwrap(), Put::Created);
    store
}

async fn a_subscriber_is_found_by_each_identifier_and_keeps_them(bench: Bench) {
    let store = with_alice(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            let external = |text: &str| ExternalId::try_from(text).unwrap();
            let (alice, bob) = (external("alice@op-a.example"), external("extid-bob@op-a.example"));
            #[rustfmt::skip] // a table stays a table
            let rows = [
                ("the same",               gpsi(1), supi(1), Some(&alice), Put::Kept),
                ("another SUPI",           gpsi(1), supi(2), None,         Put::Taken),
                ("another GPSI",           gpsi(2), supi(1), None,         Put::Taken),
                ("somebody's external id", gpsi(2), supi(2), Some(&alice), Put::Taken),
                ("another subscriber",     gpsi(2), supi(2), Some(&bob),   Put::Created),
            ];
            for (what, gpsi, supi, external, expected) in rows {
                assert_eq!(subscribers::put(tx, (&gpsi, &supi), external, 11).await?, expected, "{what}");
            }
            for asked in [gpsi(1).as_str(), "extid-alice@op-a.example"] {
                assert_eq!(subscribers::by_gpsi(tx, asked).await?.unwrap().supi, supi(1));
            }
            assert_eq!(subscribers::by_gpsi(tx, "extid-bob@op-a.example").await?.unwrap().supi, supi(2));
            for asked in ["extid-", "alice@op-a.example", "extid-eve@op-a.example", ""] {
                assert_eq!(subscribers::by_gpsi(tx, asked).await?, None, "{asked}");
            }
            let page = subscribers::page(tx, gpsi(1).as_str(), 10).await?;
            assert_eq!(page.iter().map(|row| row.gpsi.clone()).collect::<Vec<_>>(), [gpsi(2)]);
            let privacy = Privacy { hide: vec![PersonalDataCategory::Identity], coarsen: Vec::new() };
            assert_eq!(subscribers::set_privacy(tx, &supi(1), &privacy).await?, 1);
            assert_eq!(subscribers::by_supi(tx, supi(1).as_str()).await?.unwrap().privacy, privacy);
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn each_change_of_consent_has_a_version_of_its_own(bench: Bench) {
    let store = with_alice(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            let (yes, no) = (UserConsent::Given, UserConsent::NotGiven);
            let (location, identity) =
                (UcPurpose::from("METAVERSE_LOCATION"), UcPurpose::from("METAVERSE_IDENTITY"));
            #[rustfmt::skip] // a table stays a table
            let rows = [
                ("given",            &location, Some(&yes), None,       1),
                ("given again",      &location, Some(&yes), Some(&yes), 1),
                ("another purpose",  &identity, Some(&no),  None,       2),
                ("refused",          &location, Some(&no),  Some(&yes), 3),
                ("nothing said",     &location, None,       Some(&no),  4),
                ("nothing again",    &location, None,       None,       4),
            ];
            for (what, purpose, consent, before, version) in rows {
                let changed = consents::set(tx, &supi(1), purpose, consent, 20).await?.unwrap();
                assert_eq!((changed.before.as_ref(), changed.version), (before, version), "{what}");
                let kept = consents::find(tx, &supi(1), purpose).await?.map(|row| row.consent);
                assert_eq!(kept.as_ref(), consent, "{what}");
            }
            assert_eq!(consents::of(tx, &supi(1)).await?.len(), 1);
            assert_eq!(consents::set(tx, &supi(9), &location, Some(&yes), 20).await?, None, "nobody");
            Ok(())
        })
    })
    .await
    .unwrap();
    // Many at once: no version is given twice.
    let toggles = (0..20).map(|turn: u32| {
        let store = store.clone();
        async move {
            let purpose = UcPurpose::from(format!("P{turn}").as_str());
            let said = write(&store, move |tx| {
                Box::pin(
                    async move { consents::set(tx, &supi(1), &purpose, Some(&UserConsent::Given), 21).await },
                )
            });
            said.await.unwrap().unwrap().version
        }
    });
    let mut versions = futures::future::join_all(toggles).await;
    versions.sort_unstable();
    assert_eq!(versions, (5..25).collect::<Vec<_>>());
}

async fn what_was_kept_is_there_after_opening_again(bench: Bench) {
    let store = with_alice(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            consents::set(tx, &supi(1), &UcPurpose::SpatialDiscovery, Some(&UserConsent::Given), 20).await
        })
    })
    .await
    .unwrap();
    drop(store);
    let store = opened(&bench).await;
    let row = store
        .read(|tx| Box::pin(async move { consents::find(tx, &supi(1), &UcPurpose::SpatialDiscovery).await }));
    assert_eq!(row.await.unwrap().unwrap().consent, UserConsent::Given);
}

async fn a_subscription_is_over_when_it_has_run_out(bench: Bench) {
    let store = with_alice(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            let row = |sub_id: &str, expires_s| SdmSubscriptionRow {
                sub_id: sub_id.to_owned(),
                supi: supi(1),
                peer: "function:san".to_owned(),
                body: "{}".to_owned(),
                expires_s,
                created_s: 10,
            };
            for sub in [row("a", 20), row("b", 30), row("c", 40)] {
                sdm_subscriptions::insert(tx, &sub).await?;
            }
            assert_eq!(sdm_subscriptions::live(tx, "a", 19).await?, Some(row("a", 20)));
            assert_eq!(sdm_subscriptions::live(tx, "a", 20).await?, None, "it ends at that second");
            let ids =
                |rows: Vec<SdmSubscriptionRow>| rows.into_iter().map(|row| row.sub_id).collect::<Vec<_>>();
            assert_eq!(ids(sdm_subscriptions::of(tx, &supi(1), 20).await?), ["b", "c"]);
            assert_eq!(sdm_subscriptions::sweep(tx, 20).await?, 1);
            sdm_subscriptions::update(tx, "b", "{\"x\":1}", 35).await?;
            assert_eq!(ids(sdm_subscriptions::of(tx, &supi(1), 34).await?), ["b", "c"]);
            assert_eq!(sdm_subscriptions::count(tx, "function:san").await?, 2);
            assert!(sdm_subscriptions::remove(tx, "c").await?);
            assert!(!sdm_subscriptions::remove(tx, "c").await?);
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn purposes_are_replaced_and_forgotten(bench: Bench) {
    let store = opened(&bench).await;
    write(&store, |tx| {
        Box::pin(async move {
            let purpose = UcPurpose::SpatialDiscovery;
            assert_eq!(purposes::put(tx, &purpose, &[PersonalDataCategory::Location]).await?, 1);
            assert_eq!(purposes::put(tx, &purpose, &[]).await?, 2);
            assert_eq!(purposes::find(tx, &purpose).await?.unwrap().categories, []);
            assert_eq!(purposes::page(tx, "", 10).await?.len(), 1);
            assert!(purposes::remove(tx, &purpose).await?);
            assert!(!purposes::remove(tx, &purpose).await?);
            Ok(())
        })
    })
    .await
    .unwrap();
}
