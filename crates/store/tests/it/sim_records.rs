//! Users, clients, grants, sessions and keys of the SIM-S, on both engines.

use api_types::function::Function;
use store::clients::{ClientRecord, Registration};
use store::grants::{self, codes, families, pushed, tokens};
use store::keys::KeyRow;
use store::principals::{self, Holder};
use store::sessions::{Interaction, Session};
use store::users::{Profile, UserRecord};
use store::{Migrations, Store, StoreError, clients, keys, sessions, users};

use crate::bench::Bench;

on_both!(
    accounts_and_clients_are_versioned,
    a_name_has_one_holder,
    a_code_is_used_by_one_of_many,
    a_family_is_revoked_whole,
    a_refresh_token_is_replaced_once,
    a_pushed_request_is_taken_out_once,
    forms_and_sessions_have_their_time,
    the_oldest_forms_give_way,
    identities_of_an_old_database_are_held,
    keys_keep_their_times_and_secrets_their_first_value,
);

const NOW: i64 = 1_800_000_000;

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Sim, Migrations::of(Function::Sim)).await.unwrap()
}

/// Runs statements in one job.
macro_rules! job {
    ($store:expr, |$tx:ident| $body:block) => {{
        let done: Result<_, StoreError> = $store
            .write(move |$tx| {
                Box::pin(async move {
                    let value = $body;
                    Ok(value)
                })
            })
            .await;
        done.unwrap()
    }};
}

fn user(name: &str, val_user: &str) -> UserRecord {
    UserRecord {
        user_id: name.try_into().unwrap(),
        profile: Profile {
            val_user_id: val_user.try_into().unwrap(),
            val_ue_ids: vec!["ue-1".try_into().unwrap()],
            gpsi: Some("msisdn-1".try_into().unwrap()),
            external_id: None,
            impu: None,
            supi: None,
            val_services: vec!["vs-a".try_into().unwrap()],
            roles: vec![],
        },
        password: None,
        version: 0,
    }
}

fn client(name: &str) -> ClientRecord {
    ClientRecord {
        client_id: name.try_into().unwrap(),
        registration: Registration {
            kind: "sim_c".into(),
            auth: "client_secret_basic".into(),
            redirect_uris: vec!["https://app.example/cb".into()],
            callback_hosts: vec![],
            scopes: vec!["3gpp:seal:san.read".into()],
            val_services: vec![],
            jwks: None,
            subject_type: "public".into(),
            bearer: false,
        },
        secret_sha256: Some(vec![1; 32]),
        version: 0,
    }
}

async fn accounts_and_clients_are_versioned(bench: Bench) {
    let store = open(&bench).await;
    let versions = job!(store, |tx| {
        let first = users::put(tx, &user("alice", "val-alice"), NOW).await?;
        let mut changed = user("alice", "val-alice-2");
        changed.password = Some("hash".into());
        let second = users::put(tx, &changed, NOW).await?;
        users::put(tx, &user("bob", "val-bob"), NOW).await?;
        (first, second)
    });
    assert_eq!(versions, (1, 2));
    let found = job!(store, |tx| { users::find(tx, "alice").await? }).unwrap();
    assert_eq!((found.version, found.password.as_deref()), (2, Some("hash")));
    assert_eq!(job!(store, |tx| { users::find_val_user(tx, "val-alice-2").await? }), Some(found));
    assert_eq!(job!(store, |tx| { users::find_val_user(tx, "val-alice").await? }), None);
    assert_eq!(job!(store, |tx| { users::page(tx, "alice", 10).await?.len() }), 1);
    assert!(job!(store, |tx| { users::delete(tx, "alice").await? }));
    assert!(!job!(store, |tx| { users::delete(tx, "alice").await? }));

    let mut kept = client("ue-1");
    let new = kept.clone();
    assert_eq!(job!(store, |tx| { clients::put(tx, &new, NOW).await? }), 1);
    kept.version = 1;
    assert_eq!(job!(store, |tx| { clients::find(tx, "ue-1").await? }), Some(kept));
    assert_eq!(job!(store, |tx| { clients::page(tx, "", 10).await?.len() }), 1);
    assert!(job!(store, |tx| { clients::delete(tx, "ue-1").await? }));
}

async fn a_name_has_one_holder(bench: Bench) {
    let store = open(&bench).await;
    let taken = job!(store, |tx| {
        [
            principals::take(tx, "alice", Holder::User, "alice").await?,
            principals::take(tx, "alice", Holder::User, "alice").await?,
            principals::take(tx, "alice", Holder::Client, "alice").await?,
            principals::take(tx, "alice", Holder::User, "bob").await?,
            principals::take(tx, "val-alice", Holder::User, "alice").await?,
        ]
    });
    assert_eq!(taken, [true, true, false, false, true]);
    let after = job!(store, |tx| {
        principals::release(tx, Holder::User, "alice", &["alice"]).await?;
        [
            principals::take(tx, "val-alice", Holder::Client, "val-alice").await?,
            principals::take(tx, "alice", Holder::Client, "alice").await?,
        ]
    });
    assert_eq!(after, [true, false]);
}

fn family(name: &str, client: &str, subject: &str) -> families::Family {
    families::Family {
        family: name.into(),
        client_id: client.into(),
        subject: subject.into(),
        permission: "{}".into(),
        ends_s: NOW + 100,
        idle_ends_s: NOW + 10,
        revoked_s: None,
    }
}

async fn a_code_is_used_by_one_of_many(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        families::insert(tx, &family("f", "ue-1", "alice")).await?;
        let code = codes::Code {
            code_hash: vec![7; 32],
            family: "f".into(),
            client_id: "ue-1".into(),
            binding: "{}".into(),
            expires_s: NOW + 60,
            used_s: None,
        };
        codes::insert(tx, &code).await?;
    });
    let tries = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { job!(store, |tx| { codes::consume(tx, &[7; 32], NOW).await? }) })
    });
    let mut won = 0;
    for one in tries.collect::<Vec<_>>() {
        won += usize::from(one.await.unwrap());
    }
    assert_eq!(won, 1);
    let used = job!(store, |tx| { codes::find(tx, &[7; 32]).await? }).unwrap();
    assert_eq!(used.used_s, Some(NOW));
    // A used code is remembered as long as its family: its second use must still be seen.
    let kept = job!(store, |tx| {
        grants::purge(tx, NOW + 60).await?;
        let kept = codes::find(tx, &[7; 32]).await?.is_some();
        grants::purge(tx, NOW + 100).await?;
        (kept, codes::find(tx, &[7; 32]).await?.is_some())
    });
    assert_eq!(kept, (true, false));
}

async fn a_family_is_revoked_whole(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        for (name, client, subject) in
            [("f1", "ue-1", "alice"), ("f2", "ue-2", "alice"), ("f3", "ue-1", "bob")]
        {
            families::insert(tx, &family(name, client, subject)).await?;
        }
        for (jti, name) in [("t1", Some("f1")), ("t2", Some("f1")), ("t3", None)] {
            let token = tokens::IssuedToken {
                jti: jti.into(),
                family: name.map(str::to_owned),
                client_id: "ue-1".into(),
                subject: "alice".into(),
                scope: "openid".into(),
                expires_s: NOW + 5,
            };
            tokens::insert(tx, &token).await?;
        }
        families::revoke(tx, "f1", NOW).await?;
    });
    let of_family = job!(store, |tx| { tokens::of_family(tx, "f1").await? });
    assert_eq!(of_family.len(), 2);
    assert_eq!(job!(store, |tx| { tokens::page(tx, "t1", NOW, 10).await?.len() }), 2);
    assert_eq!(job!(store, |tx| { tokens::page(tx, "", NOW + 5, 10).await?.len() }), 0);
    let live = |name: &'static str| {
        let store = store.clone();
        async move { job!(store, |tx| { families::find(tx, name).await? }).unwrap().is_live(NOW) }
    };
    assert_eq!((live("f1").await, live("f2").await, live("f3").await), (false, true, true));
    job!(store, |tx| { families::revoke_subject(tx, "alice", NOW).await? });
    assert_eq!((live("f2").await, live("f3").await), (false, true));
    job!(store, |tx| { families::revoke_client(tx, "ue-1", NOW).await? });
    assert!(!live("f3").await);
    let ends = family("f", "c", "s");
    assert!(ends.is_live(NOW + 9) && !ends.is_live(NOW + 10));
}

async fn a_refresh_token_is_replaced_once(bench: Bench) {
    let store = open(&bench).await;
    let (first, second, found) = job!(store, |tx| {
        families::insert(tx, &family("f", "ue-1", "alice")).await?;
        families::insert_refresh(tx, &[1; 32], "f").await?;
        families::touch(tx, "f", "{\"x\":1}", NOW + 20).await?;
        (
            families::rotate(tx, &[1; 32], b"salt", NOW).await?,
            families::rotate(tx, &[1; 32], b"other", NOW).await?,
            families::find_refresh(tx, &[1; 32]).await?,
        )
    });
    assert!(first && !second);
    let found = found.unwrap();
    assert_eq!((found.rotated_s, found.salt.as_deref()), (Some(NOW), Some(&b"salt"[..])));
    let touched = job!(store, |tx| { families::find(tx, "f").await? }).unwrap();
    assert_eq!((touched.permission.as_str(), touched.idle_ends_s), ("{\"x\":1}", NOW + 20));
}

async fn a_pushed_request_is_taken_out_once(bench: Bench) {
    let store = open(&bench).await;
    let taken = job!(store, |tx| {
        let new = pushed::PushedRequest {
            urn_hash: vec![3; 32],
            client_id: "ue-1".into(),
            request: "{}".into(),
            expires_s: NOW + 90,
        };
        pushed::insert(tx, &new).await?;
        [
            pushed::consume(tx, &[3; 32], "ue-2").await?,
            pushed::consume(tx, &[3; 32], "ue-1").await?,
            pushed::consume(tx, &[3; 32], "ue-1").await?,
        ]
    });
    assert_eq!(taken, [None, Some(("{}".to_owned(), NOW + 90)), None]);
}

async fn forms_and_sessions_have_their_time(bench: Bench) {
    let store = open(&bench).await;
    let form = Interaction {
        id_hash: vec![1; 32],
        request: "{}".into(),
        browser: Some(vec![2; 32]),
        attempts: 0,
        expires_s: NOW + 10,
    };
    let (shown, without) =
        (form.clone(), Interaction { id_hash: vec![4; 32], browser: None, ..form.clone() });
    job!(store, |tx| {
        sessions::begin(tx, &shown).await?;
        sessions::begin(tx, &without).await?;
    });
    assert_eq!(job!(store, |tx| { sessions::find_interaction(tx, &[1; 32], NOW).await? }), Some(form));
    assert_eq!(job!(store, |tx| { sessions::find_interaction(tx, &[1; 32], NOW + 10).await? }), None);
    assert!(job!(store, |tx| { sessions::knows_browser(tx, &[2; 32], NOW).await? }));
    job!(store, |tx| { sessions::move_browser(tx, &[2; 32], &[3; 32]).await? });
    assert!(!job!(store, |tx| { sessions::knows_browser(tx, &[2; 32], NOW).await? }));
    let wrong = job!(store, |tx| {
        sessions::count_wrong(tx, &[4; 32], 2).await?;
        let once = sessions::find_interaction(tx, &[4; 32], NOW).await?.is_some();
        sessions::count_wrong(tx, &[4; 32], 2).await?;
        (once, sessions::find_interaction(tx, &[4; 32], NOW).await?.is_some())
    });
    assert_eq!(wrong, (true, false));
    let ended = job!(store, |tx| {
        (
            sessions::consume_interaction(tx, &[1; 32], NOW).await?,
            sessions::consume_interaction(tx, &[1; 32], NOW).await?,
        )
    });
    assert_eq!(ended, (true, false));
    let session = |id: u8, user: &str| Session {
        id_hash: vec![id; 32],
        user_id: user.into(),
        detail: "{}".into(),
        expires_s: NOW + 10,
    };
    let all = [session(1, "alice"), session(2, "alice"), session(3, "bob")];
    let left = job!(store, |tx| {
        for one in &all {
            sessions::open(tx, one).await?;
        }
        sessions::close(tx, &[1; 32]).await?;
        let other = sessions::find(tx, &[2; 32], NOW).await?.is_some();
        sessions::close_all_of(tx, "alice").await?;
        let none = sessions::find(tx, &[2; 32], NOW).await?.is_some();
        let bob = sessions::find(tx, &[3; 32], NOW).await?.is_some();
        sessions::purge(tx, NOW + 10, 100).await?;
        (other, none, bob, sessions::find(tx, &[3; 32], NOW).await?.is_some())
    });
    assert_eq!(left, (true, false, true, false));
}

async fn the_oldest_forms_give_way(bench: Bench) {
    let store = open(&bench).await;
    let form = |id: u8| Interaction {
        id_hash: vec![id; 32],
        request: "{}".into(),
        browser: None,
        attempts: 0,
        expires_s: NOW + i64::from(id),
    };
    let left = job!(store, |tx| {
        for id in [5, 1, 4, 2, 3] {
            sessions::begin(tx, &form(id)).await?;
        }
        sessions::purge(tx, NOW, 5).await?;
        sessions::purge(tx, NOW, 2).await?;
        let mut left = Vec::new();
        for id in 1..=5_u8 {
            left.push(sessions::find_interaction(tx, &[id; 32], NOW).await?.is_some());
        }
        left
    });
    assert_eq!(left, [false, false, false, true, true]);
}

async fn identities_of_an_old_database_are_held(bench: Bench) {
    let migrations = Migrations::of(Function::Sim);
    let before = migrations.iter().position(|one| one.name == "sim/0002_identities").unwrap();
    let old = Store::open(&bench.cfg, Function::Sim, migrations.clone().first(before)).await.unwrap();
    job!(old, |tx| {
        // As the first version wrote it; two accounts share what later names one only.
        for name in ["alice", "bob"] {
            let profile = format!(
                "{{\"val_user_id\":\"val-{name}\",\"val_ue_ids\":[\"ue-1\",\"ue-{name}\"],\"gpsi\":\"msisdn-1\",\
                 \"external_id\":null,\"impu\":\"sip:{name}@op.example\",\"supi\":null,\"val_services\":[],\"roles\":[]}}"
            );
            let sql = "INSERT INTO users (user_id, val_user_id, profile, password, version, changed_s) \
                       VALUES ($1, $2, $3, NULL, 1, 1)";
            tx.execute(sql, &[name.into(), format!("val-{name}").into(), profile.into()]).await?;
        }
    });
    drop(old);
    let new = Store::open(&bench.cfg, Function::Sim, migrations).await.unwrap();
    let held = job!(new, |tx| {
        (
            principals::take(tx, "gpsi msisdn-1", Holder::User, "bob").await?,
            principals::take(tx, "gpsi msisdn-1", Holder::User, "alice").await?,
            principals::take(tx, "impu sip:bob@op.example", Holder::User, "alice").await?,
            principals::take(tx, "supi imsi-1", Holder::User, "bob").await?,
            users::is_ue_of_another(tx, "ue-bob", "alice").await?,
            users::is_ue_of_another(tx, "ue-bob", "bob").await?,
        )
    });
    assert_eq!(held, (false, true, false, true, true, false), "the first by name keeps what two had");
}

async fn keys_keep_their_times_and_secrets_their_first_value(bench: Bench) {
    let store = open(&bench).await;
    let key = KeyRow {
        kid: "k1".into(),
        alg: "ES256".into(),
        sealed: vec![1, 2, 3],
        created_s: NOW,
        active_from_s: NOW,
        retires_s: None,
        revoked_s: None,
    };
    let retired = KeyRow { retires_s: Some(NOW + 5), revoked_s: Some(NOW + 1), ..key.clone() };
    let rows = job!(store, |tx| {
        keys::put(tx, &key).await?;
        keys::put(tx, &retired).await?;
        keys::put(tx, &KeyRow { kid: "k0".into(), active_from_s: NOW - 1, ..key.clone() }).await?;
        keys::all(tx).await?
    });
    assert_eq!(rows.iter().map(|row| row.kid.as_str()).collect::<Vec<_>>(), ["k0", "k1"]);
    assert_eq!((rows[1].retires_s, rows[1].revoked_s), (Some(NOW + 5), Some(NOW + 1)));
    let left = job!(store, |tx| {
        keys::delete(tx, "k0").await?;
        keys::all(tx).await?.len()
    });
    assert_eq!(left, 1);
    let secrets = job!(store, |tx| {
        (keys::secret_or(tx, "s", b"first").await?, keys::secret_or(tx, "s", b"second").await?)
    });
    assert_eq!(secrets, (b"first".to_vec(), b"first".to_vec()));
}
