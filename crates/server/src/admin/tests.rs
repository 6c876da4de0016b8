//! What the admin interface does when it is cut off, and when it is full.

use std::sync::Arc;
use std::time::Duration;

use api_types::function::Function;
use authorization::Reason;
use service_http::ambient::{Ambient, TestClock};
use service_http::testkit;
use store::acts::{self, Act};
use store::audit::{self, AuditFilter};
use store::{MOST_DOCUMENTS, Migrations, Store, StoreConfig, StoreError, policies};

use super::everywhere::{self, Kind};
use super::record::{UNKNOWN, find_cut_off};
use super::{Admin, AdminParts};

async fn admin(dir: &tempfile::TempDir) -> (Admin, Arc<TestClock>) {
    let (ambient, clock) = Ambient::for_test(1_800_000_000, 5);
    let config = StoreConfig::Sqlite { dir: dir.path().to_owned() };
    let store = Store::open(&config, Function::Admin, Migrations::of(Function::Admin)).await.unwrap();
    let kit = testkit::kit(Function::Admin, store, &ambient, "https://admin.example", &[]);
    let parts = AdminParts {
        functions: vec![kit.clone()],
        kit,
        sim: None,
        ccf: None,
        san: None,
        sm: None,
        udm: None,
        clock: None,
        config: serde_json::Value::Null,
    };
    (Admin::new(parts), clock)
}

#[tokio::test]
async fn an_act_that_was_cut_off_is_audited_once() {
    let dir = tempfile::tempdir().unwrap();
    let (admin, clock) = admin(&dir).await;
    let act = Act {
        id: "a".to_owned(),
        at_ms: admin.kit.ambient.now_ms(),
        actor: "admin:operator".to_owned(),
        action: "admin.user.put".to_owned(),
        object: "users/p".to_owned(),
        trace: "0af7651916cd43dd8448eb211c80319c".to_owned(),
    };
    let begun = act.clone();
    let begin = admin
        .kit
        .store
        .write::<_, StoreError, _>(move |tx| Box::pin(async move { acts::begin(tx, &begun).await }));
    begin.await.unwrap();
    assert_eq!(find_cut_off(&admin.kit).await, Ok(0), "it may be on its way");
    clock.advance(Duration::from_secs(61));
    assert_eq!(find_cut_off(&admin.kit).await, Ok(1));
    assert_eq!(find_cut_off(&admin.kit).await, Ok(0), "once");
    let rows = admin
        .kit
        .store
        .read(|sql| Box::pin(async move { audit::page(sql, &AuditFilter::default(), 10).await }));
    let rows = rows.await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0].row;
    assert_eq!((row.verdict.as_str(), row.status, row.at_ms), (UNKNOWN, None, act.at_ms));
    assert_eq!(
        (row.actor.clone(), row.action.clone(), row.trace.clone()),
        (act.actor, act.action, Some(act.trace))
    );
}

#[tokio::test]
async fn no_rule_is_kept_that_no_decision_looks_at() {
    let dir = tempfile::tempdir().unwrap();
    let (admin, _) = admin(&dir).await;
    let fill = admin.kit.store.write::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            for number in 1..MOST_DOCUMENTS {
                policies::put(tx, &format!("p{number}"), "{}", 1).await?;
            }
            Ok(())
        })
    });
    fill.await.unwrap();
    let put =
        async |id: &str| everywhere::put(&admin, Kind::Policy, id, "{}", None).await.map(|put| put.created);
    assert_eq!(put("last").await, Ok(true));
    assert_eq!(put("one more").await.map_err(|refusal| refusal.reason), Err(Reason::TooLarge));
    assert_eq!(put("last").await, Ok(false), "what is there may be changed");
    assert_eq!(put("one more").await.map_err(|refusal| refusal.on_the_wire().0), Err(413));
}

#[test]
fn keys_accounts_and_revocations_ask_an_operator_for_a_passkey() {
    use service_http::routes::StepUp;

    for route in super::ROUTES {
        let of_these = [
            "/v1/users",
            "/v1/clients",
            "/v1/keys",
            "/v1/revocations",
            "/v1/capif/invokers",
            "/v1/capif/providers",
        ];
        let strong =
            route.method != http::Method::GET && of_these.iter().any(|at| route.path.starts_with(at));
        let wanted = strong.then_some(StepUp { acr: "phr", max_age_s: 300 });
        assert_eq!(route.step_up, wanted, "{}", route.operation);
    }
}
