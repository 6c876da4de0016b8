//! The lists that an operator reads, page by page, and the document that he writes.

use api_types::function::Function;
use store::audit::{self, AuditRow};
use store::capif::access_control::{self, AccessControlFilter};
use store::capif::asks::{self, AskRow, AskState};
use store::capif::contexts::{self, ContextRow};
use store::capif::resources::{self, Owner, OwnerKind, ResourceRow};
use store::capif::tokens::{self, TokenRow};
use store::capif::{open_apis, service_apis};

use super::{NOW, open, strings};
use crate::bench::Bench;

on_both!(
    each_list_goes_on_where_it_ended,
    a_token_is_described,
    what_is_open_is_one_document,
    the_newest_refusals_come_first,
);

async fn each_list_goes_on_where_it_ended(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        for invoker in ["i1", "i2", "i3"] {
            let row = ContextRow { invoker_id: invoker.into(), body: "{}".into(), version: 0 };
            contexts::put(tx, &row, &[], NOW).await?;
        }
        let names = |rows: Vec<ContextRow>| rows.into_iter().map(|row| row.invoker_id).collect::<Vec<_>>();
        assert_eq!(names(contexts::page(tx, "", 2).await?), ["i1", "i2"]);
        assert_eq!(names(contexts::page(tx, "i2", 2).await?), ["i3"]);

        for (at, invoker) in [(("a1", "f1"), None), (("a1", "f1"), Some("i1")), (("a1", "f2"), Some("i1"))] {
            access_control::put(tx, at, invoker, "{}").await?;
        }
        let all = AccessControlFilter::default();
        let first = access_control::page(tx, &all, ("", "", ""), 2).await?;
        assert_eq!(first.iter().map(|row| row.invoker_id.as_deref()).collect::<Vec<_>>(), [None, Some("i1")]);
        assert_eq!(access_control::page(tx, &all, ("a1", "f1", "i1"), 2).await?[0].aef_id, "f2");
        let of = AccessControlFilter { api_id: Some("a1".into()), invoker_id: Some("i1".into()) };
        assert_eq!(access_control::page(tx, &of, ("", "", ""), 9).await?.len(), 2);
        let none = AccessControlFilter { api_id: Some("a2".into()), ..of };
        assert!(access_control::page(tx, &none, ("", "", ""), 9).await?.is_empty());

        for (aef, id, whose) in [("f1", "l/1", "i1"), ("f1", "l/2", "i2"), ("f2", "l/1", "i1")] {
            let owner = Owner { kind: OwnerKind::ApiInvoker, name: whose.into() };
            let row = ResourceRow {
                aef_id: aef.into(),
                resource_id: id.into(),
                resource_type: "3gpp_spatial_anchor".into(),
                api_id: "a1".into(),
                owner,
                policy_version: 1,
                body: "{}".into(),
                expires_s: None,
                changed_ms: NOW * 1000,
            };
            resources::put(tx, &row).await?;
        }
        let names = |rows: Vec<ResourceRow>| {
            rows.into_iter().map(|row| format!("{} {}", row.aef_id, row.resource_id)).collect::<Vec<_>>()
        };
        type Row<'r> = ((Option<&'r str>, Option<&'r str>), (&'r str, &'r str), &'r [&'r str]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 6] = [
            ((None, None), ("", ""), &["f1 l/1", "f1 l/2"]),
            ((None, None), ("f1", "l/2"), &["f2 l/1"]),
            ((Some("f1"), None), ("f1", "l/1"), &["f1 l/2"]),
            ((None, Some("i1")), ("", ""), &["f1 l/1", "f2 l/1"]),
            ((Some("f2"), Some("i1")), ("", ""), &["f2 l/1"]),
            ((Some("f2"), Some("i2")), ("", ""), &[]),
        ];
        for (of, after, expected) in rows {
            assert_eq!(names(resources::every(tx, of, after, 2).await?), expected, "{of:?} {after:?}");
        }

        for (ask, invoker, expires_s) in [("q1", "i2", NOW + 9), ("q2", "i3", NOW + 9), ("q3", "i4", NOW)] {
            let row = AskRow {
                ask_id: ask.into(),
                aef_id: "f1".into(),
                resource_id: "l/1".into(),
                invoker_id: invoker.into(),
                actions: "[]".into(),
                nonce_sha256: [7; 32],
                state: AskState::Open,
                expires_s,
                until_s: None,
                decided_s: None,
                created_s: NOW - 1,
            };
            assert!(asks::open(tx, &row).await?);
        }
        assert!(asks::decide(tx, "q1", &[7; 32], (true, None), NOW).await?);
        let names = |rows: Vec<AskRow>| rows.into_iter().map(|row| row.ask_id).collect::<Vec<_>>();
        assert_eq!(names(asks::page(tx, "", None, 2).await?), ["q1", "q2"]);
        assert_eq!(names(asks::page(tx, "q2", None, 2).await?), ["q3"]);
        assert_eq!(names(asks::page(tx, "", Some(NOW), 9).await?), ["q2"], "answered, open, over");
    });
}

async fn a_token_is_described(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        let token = |jti: &str, expires_s| TokenRow {
            jti: jti.into(),
            invoker_id: "i1".into(),
            aef_id: "f1".into(),
            apis: strings(&["disc", "san"]),
            resources: strings(&["l/1"]),
            permission: None,
            expires_s,
        };
        for token in [token("t1", NOW + 10), token("t2", NOW + 20), token("t3", NOW)] {
            tokens::insert(tx, &token).await?;
        }
        let other = TokenRow { invoker_id: "i2".into(), ..token("t4", NOW + 30) };
        tokens::insert(tx, &other).await?;
        let told = tokens::described(tx, "i1", NOW, 9).await?;
        assert_eq!(told, [token("t2", NOW + 20), token("t1", NOW + 10)]);
        assert_eq!(tokens::described(tx, "i1", NOW, 1).await?.len(), 1);
    });
}

async fn what_is_open_is_one_document(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        assert_eq!(open_apis::find(tx).await?, None);
        let made = open_apis::put(tx, "[1]", NOW * 1000).await?;
        assert!(made.created);
        let changed = open_apis::put(tx, "[2]", NOW * 1000).await?;
        assert!(!changed.created && changed.version > made.version);
        assert_eq!(open_apis::find(tx).await?.map(|document| document.body), Some("[2]".to_owned()));
        assert!(open_apis::delete(tx).await? && !open_apis::delete(tx).await?);
        assert_eq!(open_apis::find(tx).await?, None);
        assert_eq!(service_apis::version(tx).await?, 0, "of no other kind");
    });
}

async fn the_newest_refusals_come_first(bench: Bench) {
    let store = open(&bench).await;
    job!(store, |tx| {
        for (at_ms, actor, verdict) in
            [(1, "i1", "deny"), (2, "i1", "permit"), (3, "i2", "deny"), (4, "i1", "deny"), (5, "i1", "deny")]
        {
            let row = AuditRow {
                at_ms,
                function: Function::Ccf,
                actor: actor.into(),
                owner: None,
                action: "ObtainAccessToken".into(),
                object: None,
                verdict: verdict.into(),
                reason: None,
                cause: None,
                status: Some(400),
                policy_version: None,
                consent_version: None,
                trace: None,
            };
            audit::append(tx, &row).await?;
        }
        let at =
            |rows: Vec<audit::AuditRecord>| rows.into_iter().map(|row| row.row.at_ms).collect::<Vec<_>>();
        assert_eq!(at(audit::refusals(tx, "i1", 2).await?), [5, 4]);
        assert_eq!(at(audit::refusals(tx, "i1", 9).await?), [5, 4, 1]);
        assert!(audit::refusals(tx, "i3", 9).await?.is_empty());

        for (trace, action, verdict) in
            [("a", "list.create", "permit"), ("b", "list.replace", "deny"), ("c", "list.read", "permit")]
        {
            let row = AuditRow {
                at_ms: 9,
                function: Function::San,
                actor: "i1".into(),
                owner: None,
                action: action.into(),
                object: Some("lists/l".into()),
                verdict: verdict.into(),
                reason: None,
                cause: None,
                status: None,
                policy_version: None,
                consent_version: None,
                trace: Some(trace.into()),
            };
            audit::append(tx, &row).await?;
        }
        assert_eq!(
            audit::last_change(tx, "lists/l").await?.as_deref(),
            Some("a"),
            "neither refused nor read"
        );
        assert_eq!(audit::last_change(tx, "lists/m").await?, None);
    });
}
