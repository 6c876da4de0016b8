//! An API exposing function with a core function that stands in for one.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::logging::InvocationLog;
use api_types::capif::security::{RevocationCause, SecurityNotification, ServiceSecurity};
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use async_trait::async_trait;
use authorization::{AccessClaims, IssuerRow, Reason};
use capif_aef::{
    Aef, AefConfig, CoreFunction, HostsOfBoth, InvokerHosts, NotTaken, OverLimitUsage, ServiceApi,
    StoreRecords, Unavailable,
};
use http::{Method, Version};
use serde_json::{Value, json};
use service_http::ambient::{Ambient, TestClock};
use service_http::callback_hosts::{self, HostSource};
use service_http::exposure::{Exposure, Invocation};
use service_http::testkit::TestHosts;
use service_http::verifier::{Following, IssuerState};

const CCF: &str = "https://ccf.example";
const NOW: i64 = 1_800_000_000;

/// What a core function would say.
#[derive(Default)]
struct Stand {
    down: Mutex<bool>,
    policy: Mutex<Option<Value>>,
    context: Mutex<Option<Value>>,
    asked: Mutex<usize>,
    answers: Mutex<VecDeque<NotTaken>>,
    reported: Mutex<Vec<InvocationLog>>,
    withdrawn: Mutex<Vec<(String, String)>>,
}

impl Stand {
    fn up(&self) -> Result<(), Unavailable> {
        if *self.down.lock().unwrap() { Err(Unavailable) } else { Ok(()) }
    }

    fn limit(&self, policy: Value) {
        *self.policy.lock().unwrap() = Some(policy);
    }

    fn invocations(&self) -> usize {
        self.reported.lock().unwrap().iter().map(|log| log.logs.len()).sum()
    }
}

#[async_trait]
impl CoreFunction for Stand {
    async fn policy(
        &self,
        _: &AefId,
        _: &ServiceApiId,
        invoker: &ApiInvokerId,
    ) -> Result<Option<ApiInvokerPolicy>, Unavailable> {
        self.up()?;
        *self.asked.lock().unwrap() += 1;
        Ok(self.policy.lock().unwrap().clone().map(|mut policy| {
            policy["apiInvokerId"] = json!(invoker);
            serde_json::from_value(policy).unwrap()
        }))
    }

    async fn report(&self, log: &InvocationLog) -> Result<(), NotTaken> {
        self.up().map_err(|_| NotTaken::Now)?;
        if let Some(refused) = self.answers.lock().unwrap().pop_front() {
            return Err(refused);
        }
        self.reported.lock().unwrap().push(log.clone());
        Ok(())
    }

    async fn withdraw(
        &self,
        invoker: &ApiInvokerId,
        apis: &[ServiceApiId],
        cause: RevocationCause,
    ) -> Result<(), Unavailable> {
        let told = (format!("{invoker} {}", apis[0]), cause.as_str().to_owned());
        self.withdrawn.lock().unwrap().push(told);
        Ok(())
    }

    async fn context(&self, _: &ApiInvokerId) -> Result<Option<ServiceSecurity>, Unavailable> {
        self.up()?;
        let context = self.context.lock().unwrap().clone();
        Ok(context.map(|context| serde_json::from_value(context).unwrap()))
    }
}

struct World {
    core: Arc<Stand>,
    issuer: Arc<IssuerState>,
    ambient: Ambient,
    clock: Arc<TestClock>,
    dir: tempfile::TempDir,
}

impl World {
    fn new(following: Following) -> Self {
        let (ambient, clock) = Ambient::for_test(NOW, 5);
        let issuer = IssuerState::new(IssuerRow::ccf(CCF, format!("{CCF}/jwks"), "AEF1"), following, None);
        Self { core: Arc::default(), issuer, ambient, clock, dir: tempfile::tempdir().unwrap() }
    }

    async fn aef(&self) -> Aef {
        self.aef_with(OverLimitUsage::Refuse).await
    }

    async fn aef_with(&self, over_limit: OverLimitUsage) -> Aef {
        let api = |id: &str| ServiceApi { id: id.try_into().unwrap(), version: "v1".to_owned() };
        Aef::new(AefConfig {
            id: "AEF1".try_into().unwrap(),
            apis: [("things".to_owned(), api("API1")), ("others".to_owned(), api("API2"))].into(),
            core: self.core.clone(),
            core_name: Some("ccf".to_owned()),
            issuer: self.issuer.clone(),
            verifier: None,
            records: Arc::new(records(self.dir.path()).await),
            ambient: self.ambient.clone(),
            over_limit,
        })
        .await
        .unwrap()
    }
}

async fn records(dir: &Path) -> StoreRecords {
    StoreRecords::open(dir).await.unwrap()
}

fn claims(spoil: impl FnOnce(&mut Value)) -> AccessClaims {
    let mut claims = json!({
        "iss": CCF, "sub": "INV1", "client_id": "INV1", "aud": "AEF1", "iat": NOW, "exp": NOW + 300, "jti": "t1",
        "scope": "3gpp#AEF1:things", "sub_type": "client", "rev": 0,
    });
    spoil(&mut claims);
    serde_json::from_value(claims).unwrap()
}

async fn invoked(aef: &Aef, claims: &AccessClaims, api: &str) -> Result<(), Reason> {
    let decided = match aef.admit(claims, api) {
        Some(decided) => decided,
        None => aef.admit_asked(claims, api).await,
    };
    decided.map_err(|over| over.reason)
}

fn invocation(status: u16) -> Invocation {
    Invocation {
        issuer: CCF.to_owned(),
        invoker: "INV1".to_owned(),
        api: "things".to_owned(),
        resource: "/things/v1/all".to_owned(),
        uri: "/things/v1/all".to_owned(),
        method: Method::GET,
        version: Version::HTTP_11,
        status,
        at_ms: NOW * 1_000,
        took: Duration::ZERO,
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test]
async fn each_bound_is_refused_for_its_own_reason() {
    let good = claims(|_| {});
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no policy",          None,                                                                     Ok(())),
        ("within the total",   Some(json!({ "allowedTotalInvocations": 1 })),                            Ok(())),
        ("no total left",      Some(json!({ "allowedTotalInvocations": 0 })),                            Err(Reason::InvocationLimit)),
        ("no rate",            Some(json!({ "allowedInvocationsPerSecond": 0 })),                        Err(Reason::RateLimited)),
        ("another time",       Some(json!({ "allowedInvocationTimeRangeList": [{ "stopTime": "2020-01-01T00:00:00Z" }] })), Err(Reason::OutsideAllowedTime)),
    ];
    for (what, policy, expected) in rows {
        let world = World::new(Following::Local);
        *world.core.policy.lock().unwrap() = policy;
        assert_eq!(invoked(&world.aef().await, &good, "things").await, expected, "{what}");
    }
    let world = World::new(Following::Local);
    *world.core.down.lock().unwrap() = true;
    let aef = world.aef().await;
    assert_eq!(
        invoked(&aef, &good, "things").await,
        Err(Reason::DependencyDown),
        "no answer is no permission"
    );
    // What is none of its own has no policy here.
    assert_eq!(invoked(&aef, &good, "oscp-ssd").await, Ok(()));
    let foreign = claims(|claims| claims["iss"] = "https://ccf.other.example".into());
    assert_eq!(invoked(&aef, &foreign, "things").await, Ok(()));
}

#[tokio::test]
async fn a_total_is_never_exceeded_and_not_given_back() {
    let world = World::new(Following::Local);
    world.core.limit(json!({ "allowedTotalInvocations": 40 }));
    let good = claims(|_| {});
    let count = async |aef: &Aef, most: usize| {
        let all = (0..most).map(|_| invoked(aef, &good, "things"));
        let done = futures_all(all).await;
        done.iter().filter(|done| done.is_ok()).count()
    };
    let aef = world.aef().await;
    assert_eq!(count(&aef, 10).await, 10);
    assert_eq!(*world.core.asked.lock().unwrap(), 1, "memory decides");
    // A second process over the same records, and then the first one dies.
    let beside = world.aef().await;
    assert_eq!(count(&beside, 10).await, 10);
    drop(aef);
    let after = world.aef().await;
    let left = count(&after, 100).await + count(&beside, 100).await;
    assert!((18..=20).contains(&left), "{left} of 20: what was reserved may be lost, nothing is given twice");
    assert_eq!(invoked(&world.aef().await, &good, "things").await, Err(Reason::InvocationLimit));
    assert_eq!(invoked(&after, &claims(|claims| claims["sub"] = "INV2".into()), "things").await, Ok(()));
}

/// One after the other: what is tested is the count, not the speed.
async fn futures_all<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut done = Vec::new();
    for one in all {
        done.push(one.await);
    }
    done
}

#[tokio::test]
async fn a_clean_end_gives_back_and_unbounded_invocations_count_later() {
    let world = World::new(Following::Local);
    let good = claims(|_| {});
    let aef = world.aef().await;
    for _ in 0..3 {
        invoked(&aef, &good, "things").await.unwrap();
    }
    aef.flush().await;
    world.core.limit(json!({ "allowedTotalInvocations": 100 }));
    let aef = world.aef().await;
    invoked(&aef, &good, "things").await.unwrap();
    aef.flush().await;
    world.core.limit(json!({ "allowedTotalInvocations": 5 }));
    let aef = world.aef().await;
    assert_eq!(invoked(&aef, &good, "things").await, Ok(()), "the fifth");
    assert_eq!(invoked(&aef, &good, "things").await, Err(Reason::InvocationLimit));
}

#[tokio::test]
async fn a_policy_counts_when_the_feed_says_so_or_after_a_minute() {
    use authorization::revocation::{Entry, Kind};
    let world = World::new(Following::Local);
    let (aef, good) = (world.aef().await, claims(|_| {}));
    let none = json!({ "allowedTotalInvocations": 0 });
    assert_eq!(invoked(&aef, &good, "things").await, Ok(()));
    world.core.limit(none.clone());
    assert_eq!(invoked(&aef, &good, "things").await, Ok(()), "nobody said so yet");
    let entry = |value: &str, epoch| Entry {
        kind: Kind::Policy,
        value: value.to_owned(),
        epoch,
        issuer: CCF.to_owned(),
        expires_s: None,
    };
    world.issuer.apply(vec![entry("API2", 1)], 1);
    assert_eq!(invoked(&aef, &good, "things").await, Ok(()), "of another service API");
    world.issuer.apply(vec![entry("API1", 2)], 2);
    assert_eq!(invoked(&aef, &good, "things").await, Err(Reason::InvocationLimit));
    *world.core.policy.lock().unwrap() = None;
    assert_eq!(invoked(&aef, &good, "things").await, Err(Reason::InvocationLimit));
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(invoked(&aef, &good, "things").await, Ok(()));
}

#[tokio::test]
async fn what_was_used_up_is_withdrawn_once() {
    let world = World::new(Following::Local);
    world.core.limit(json!({ "allowedTotalInvocations": 1 }));
    let (aef, good) = (world.aef_with(OverLimitUsage::Withdraw).await, claims(|_| {}));
    for expected in [Ok(()), Err(Reason::InvocationLimit), Err(Reason::InvocationLimit)] {
        assert_eq!(invoked(&aef, &good, "things").await, expected);
    }
    until("the withdrawal", || !world.core.withdrawn.lock().unwrap().is_empty()).await;
    let told = world.core.withdrawn.lock().unwrap().clone();
    assert_eq!(told, [("INV1 API1".to_owned(), "OVERLIMIT_USAGE".to_owned())]);
}

#[tokio::test]
async fn a_withdrawal_without_a_feed_holds_against_older_tokens_and_over_a_restart() {
    let world = World::new(Following::ExpOnly);
    let aef = world.aef().await;
    let notice = |spoil: fn(&mut Value)| -> SecurityNotification {
        let mut notice =
            json!({ "apiInvokerId": "INV1", "apiIds": ["API1"], "cause": "OTHER_REASON", "aefId": "AEF1" });
        spoil(&mut notice);
        serde_json::from_value(notice).unwrap()
    };
    type Spoil = fn(&mut Value);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Spoil, Result<(), Reason>); 4] = [
        ("another core function", "ccf2", |_| {},                               Err(Reason::PeerRefused)),
        ("another function",      "ccf",  |n| n["aefId"] = "AEF2".into(),       Err(Reason::NotOwner)),
        ("another service API",   "ccf",  |n| n["apiIds"] = json!(["API9"]),    Err(Reason::NotFound)),
        ("its own",               "ccf",  |_| {},                               Ok(())),
    ];
    let old = claims(|_| {});
    for (what, by, spoil, expected) in rows {
        assert_eq!(invoked(&aef, &old, "things").await, Ok(()), "before: {what}");
        assert_eq!(aef.revoked(by, &notice(spoil)).await, expected, "{what}");
    }
    let young = claims(|claims| claims["iat"] = (NOW + 1).into());
    for aef in [aef, world.aef().await] {
        assert_eq!(invoked(&aef, &old, "things").await, Err(Reason::RevokedToken));
        assert_eq!(invoked(&aef, &old, "others").await, Ok(()), "another service API");
        assert_eq!(invoked(&aef, &young, "things").await, Ok(()), "authorized anew");
    }
}

#[tokio::test]
async fn who_announces_itself_needs_a_context() {
    let world = World::new(Following::Local);
    let aef = world.aef().await;
    let context = |selected: Option<&str>| {
        json!({
            "securityInfo": [{ "aefId": "AEF1", "prefSecurityMethods": ["OAUTH"], "selSecurityMethod": selected }],
            "notificationDestination": "https://invoker.example/n",
        })
    };
    let rows = [
        ("none", None, Err(Reason::NotFound)),
        ("nothing agreed on", Some(context(None)), Err(Reason::MethodNotNegotiated)),
        ("agreed on", Some(context(Some("OAUTH"))), Ok(())),
    ];
    for (what, context, expected) in rows {
        *world.core.context.lock().unwrap() = context;
        assert_eq!(aef.check_authentication("INV1").await, expected, "{what}");
    }
    *world.core.down.lock().unwrap() = true;
    assert_eq!(aef.check_authentication("INV1").await, Err(Reason::DependencyDown));
}

#[tokio::test]
async fn a_log_is_sent_until_it_is_taken_and_no_longer_than_it_may_be() {
    let world = World::new(Following::Local);
    *world.core.down.lock().unwrap() = true;
    let aef = world.aef().await;
    aef.ended(invocation(200));
    aef.ended(Invocation { issuer: "https://ccf.other.example".to_owned(), ..invocation(200) });
    aef.flush().await;
    drop(aef);
    // It waited over a restart.
    let aef = world.aef().await;
    *world.core.down.lock().unwrap() = false;
    world.clock.advance(Duration::from_secs(120));
    until("the log of before", || world.core.invocations() == 1).await;
    world.core.answers.lock().unwrap().extend([NotTaken::Now, NotTaken::Ever(400)]);
    aef.ended(invocation(404));
    aef.flush().await;
    world.clock.advance(Duration::from_secs(120));
    until("it to be refused", || world.core.answers.lock().unwrap().is_empty()).await;
    aef.ended(invocation(429));
    until("the next one", || world.core.invocations() == 2).await;
    let last = world.core.reported.lock().unwrap().last().unwrap().logs[0].result.clone();
    assert_eq!(last, "429", "what is refused for good is not sent again");
}

#[tokio::test]
async fn each_issuer_says_where_its_own_clients_are_called_back() {
    let world = World::new(Following::Local);
    let info = "eyJjYWxsYmFja0hvc3RzIjpbImludi5leGFtcGxlIl19"; // {"callbackHosts":["inv.example"]}
    *world.core.context.lock().unwrap() = Some(json!({
        "securityInfo": [{ "aefId": "AEF1", "prefSecurityMethods": ["OAUTH"], "authorizationInfo": info }],
        "notificationDestination": "https://other.example/n",
    }));
    let sim = TestHosts::default();
    sim.set("INV1", &["sim.example"]);
    let invokers: Arc<dyn HostSource> = Arc::new(InvokerHosts::new(world.aef().await));
    let hosts = HostsOfBoth::new(Arc::new(sim), vec![(CCF.to_owned(), invokers)]);
    let of = async |client: &str| hosts.of_client(client).await.unwrap();
    assert_eq!(of("INV1").await, Some(vec!["sim.example".to_owned()]), "a client of the SIM-S of that name");
    assert_eq!(of(&callback_hosts::of_invoker(CCF, "INV1")).await, Some(vec!["inv.example".to_owned()]));
    assert_eq!(of(&callback_hosts::of_invoker("https://ccf.other.example", "INV1")).await, None);
    *world.core.context.lock().unwrap() = None;
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(of(&callback_hosts::of_invoker(CCF, "INV1")).await, None, "it has left");
}
