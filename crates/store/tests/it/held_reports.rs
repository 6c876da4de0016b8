//! Reports that are held back, on both engines.

use api_types::function::Function;
use store::subscriptions::{self, SubscriptionRow};
use store::{Migrations, Store, held_reports};

use crate::bench::{Bench, write};

on_both!(reports_are_held_up_to_a_number_and_go_with_their_subscription);

fn subscription(sub_id: &str) -> SubscriptionRow {
    SubscriptionRow {
        sub_id: sub_id.to_owned(),
        family: "anchors".to_owned(),
        owner_issuer: "https://sim.example".to_owned(),
        owner_subject: "vs-1".to_owned(),
        owner_name: "vs-1".to_owned(),
        client: "vs-1".to_owned(),
        standing: "{}".to_owned(),
        body: "{}".to_owned(),
        version: 1,
        state: "{}".to_owned(),
        reports: 0,
        reports_max: None,
        ends_s: None,
        next_s: None,
        ended_s: None,
        trace: None,
        created_s: 1,
    }
}

async fn reports_are_held_up_to_a_number_and_go_with_their_subscription(bench: Bench) {
    for function in [Function::San, Function::Sm] {
        let store = Store::open(&bench.cfg, function, Migrations::of(function)).await.unwrap();
        write(&store, |tx| {
            Box::pin(async move {
                for sub_id in ["a", "b"] {
                    subscriptions::insert(tx, &subscription(sub_id)).await?;
                }
                held_reports::add(tx, "b", "other", 1, 3).await?;
                for body in ["1", "2", "3", "4", "5"] {
                    held_reports::add(tx, "a", body, 1, 3).await?;
                }
                assert_eq!(held_reports::take(tx, "a").await?, ["3", "4", "5"], "the oldest give way");
                assert!(held_reports::take(tx, "a").await?.is_empty(), "once");
                held_reports::add(tx, "a", "6", 1, 3).await?;
                assert!(subscriptions::remove(tx, "a").await?);
                assert!(held_reports::take(tx, "a").await?.is_empty());
                assert_eq!(held_reports::take(tx, "b").await?, ["other"]);
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}
