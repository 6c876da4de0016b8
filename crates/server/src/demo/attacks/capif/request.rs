//! Token requests that the core function refuses (TR 33.721 6.2.2.1, steps 0 to 2).

use anyhow::Result;
use api_types::admin::Policy;
use authorization::Reason;
use authorization::claims::MAX_DETAILS;
use jose::{HeaderPolicy, compact};
use sdk::{Answer, HttpsClient, Request, SdkError};
use serde_json::{Value, json};

use super::super::Arena;
use super::super::holder::at;
use super::super::sim_c::{Pairs, pairs, set, without};
use super::case;
use crate::demo::Sample;
use crate::demo::invoker::{ANCHOR, Invoker, MAP, aef, instance, scope, service};

const AT: &str = "securities-token";
const WHO: &[&str] = &["S2-0", "S2-1", "IMP-09"];
const WHAT: &[&str] = &["S2-1", "S2-2a", "S2-2b", "NA-5"];
const DETAILS: &[&str] = &["S2-1", "S2-2c", "S2-L1", "S2-L2", "FFS-02"];

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let one = Invoker::of(arena.sample, 0, None)?;
    let good = form(arena.sample, &one)?;
    let served = post(arena.sample, &one.https, one.id.as_str(), &good).await??;
    anyhow::ensure!(served.status == 200, "a good request is refused");
    callers(arena, &one, &good).await?;
    scopes(arena, &one, &good).await?;
    details(arena, &one, &good).await?;
    rules(arena, &one, &good).await?;
    let served = post(arena.sample, &one.https, one.id.as_str(), &good).await??;
    anyhow::ensure!(served.status == 200, "refused requests have shut out the API invoker");
    Ok(())
}

pub(in crate::demo::attacks) fn form(sample: &Sample, invoker: &Invoker<'_>) -> Result<Pairs> {
    let scope = scope(sample, "san", "ssan-sanm")?;
    Ok(pairs(&[
        ("grant_type", "client_credentials"),
        ("client_id", invoker.id.as_str()),
        ("client_secret", &invoker.secret),
        ("scope", &scope),
    ]))
}

pub(in crate::demo::attacks) async fn post(
    sample: &Sample,
    https: &HttpsClient,
    security: &str,
    form: &Pairs,
) -> Result<Result<Answer, SdkError>> {
    let url = at(sample, "ccf", &format!("/capif-security/v1/securities/{security}/token"))?;
    let form = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(https.send(Request::post(url).form(form)).await)
}

/// Certificate, path, body and secret of different ones.
async fn callers(arena: &mut Arena<'_>, one: &Invoker<'_>, good: &Pairs) -> Result<()> {
    use Reason::{ClientAuthWrong, PeerRefused};
    let sample = arena.sample;
    let two = Invoker::of(sample, 1, None)?;
    let with = |name: &'static str, value: &str| {
        let mut form = good.clone();
        set(&mut form, name, value);
        form
    };
    let nobody = HttpsClient::new(&sample.ca, None)?;
    let val_server = sample.https("vs-1", None)?;
    let (own, others) = (one.id.as_str(), two.id.as_str());
    let of_two = form(sample, &two)?;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("client_id-of-another", &one.https, own, with("client_id", others), ClientAuthWrong),
        ("securityId-of-another", &one.https, others, good.clone(), ClientAuthWrong),
        ("certificate-of-another", &two.https, own, good.clone(), ClientAuthWrong),
        ("everything-but-the-certificate-of-another", &one.https, others, of_two, ClientAuthWrong),
        ("client_id-unknown", &one.https, own, with("client_id", "INVnobody"), ClientAuthWrong),
        ("secret-wrong", &one.https, own, with("client_secret", "wrong"), ClientAuthWrong),
        ("secret-of-another", &one.https, own, with("client_secret", &two.secret), ClientAuthWrong),
        ("no-certificate", &nobody, own, good.clone(), PeerRefused),
        ("certificate-of-a-val-server", &val_server, own, good.clone(), PeerRefused),
    ];
    for (member, https, security, form, reason) in rows {
        let outcome = post(sample, https, security, &form).await?;
        arena.judge(case(member, AT, WHO, reason), outcome).await?;
    }
    Ok(())
}

async fn scopes(arena: &mut Arena<'_>, one: &Invoker<'_>, good: &Pairs) -> Result<()> {
    use Reason::{
        GrantWrong, MethodNotNegotiated, OwnerRequired, RequestMalformed, ScopeUnknown, TargetWrong,
    };
    let sample = arena.sample;
    let (san, sm) = (aef(sample, "san")?, aef(sample, "sm")?);
    let scoped = |scope: String| {
        let mut form = good.clone();
        set(&mut form, "scope", &scope);
        form
    };
    let with = |name: &'static str, value: &str| {
        let mut form = good.clone();
        set(&mut form, name, value);
        form
    };
    let mut unscoped = good.clone();
    without(&mut unscoped, "scope");
    let mut twice = good.clone();
    twice.push(("scope".into(), format!("3gpp#{san}:ssan-disc")));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("aef-unknown", scoped("3gpp#AEFnobody:ssan-sanm".into()), MethodNotNegotiated),
        ("api-unknown", scoped(format!("3gpp#{san}:ssan-all")), MethodNotNegotiated),
        ("api-of-another-aef", scoped(format!("3gpp#{san}:ssm-smm")), MethodNotNegotiated),
        ("one-api-that-is-and-one-that-is-not", scoped(format!("3gpp#{san}:ssan-sanm,ssm-smm")), MethodNotNegotiated),
        ("two-aefs", scoped(format!("3gpp#{san}:ssan-sanm;{sm}:ssm-smm")), TargetWrong),
        ("scope-absent", unscoped, ScopeUnknown),
        ("scope-without-api", scoped(format!("3gpp#{san}")), ScopeUnknown),
        ("scope-with-empty-api", scoped(format!("3gpp#{san}:ssan-sanm,,ssan-disc")), ScopeUnknown),
        ("scope-wildcard", scoped(format!("3gpp#{san}:*")), ScopeUnknown),
        ("scope-of-the-sim-s", scoped("3gpp:seal:san.read".into()), ScopeUnknown),
        ("scope-prefix-twice", scoped(format!("3gpp#{san}:ssan-sanm 3gpp#{san}:ssan-disc")), ScopeUnknown),
        ("parameter-twice", twice, RequestMalformed),
        ("grant-password", with("grant_type", "password"), GrantWrong),
        ("owner-named", with("resOwnerId", "msisdn-88200000001"), OwnerRequired),
    ];
    for (member, form, reason) in rows {
        let outcome = post(sample, &one.https, one.id.as_str(), &form).await?;
        arena.judge(case(member, AT, WHAT, reason), outcome).await?;
    }
    // Published and allowed, and not negotiated.
    let fresh = Invoker::onboard(sample, arena.observer.admin(), &["sm"]).await?;
    let outcome = post(sample, &fresh.https, fresh.id.as_str(), &self::form(sample, &fresh)?).await?;
    arena.judge(case("api-not-negotiated", AT, WHAT, MethodNotNegotiated), outcome).await?;
    Ok(fresh.ccf.offboard(&fresh.id).await?)
}

async fn details(arena: &mut Arena<'_>, one: &Invoker<'_>, good: &Pairs) -> Result<()> {
    use Reason::{DetailsUnknown, NotEntitled};
    let sample = arena.sample;
    let (sm, list) = (aef(sample, "sm")?, "list/1");
    let spoiled = |name: &str, value: Value| {
        let mut details = instance(ANCHOR, list, &["read"]);
        details[0][name] = value;
        details
    };
    let element = instance(ANCHOR, list, &["read"])[0].clone();
    let many = Value::Array(vec![element; MAX_DETAILS + 1]);
    let mut unnamed = service(ANCHOR, &["read"]);
    unnamed[0]["level"] = json!("INSTANCE");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("details-type-unknown", spoiled("type", json!("3gpp_weather")), DetailsUnknown),
        ("details-action-unknown", spoiled("actions", json!(["own"])), DetailsUnknown),
        ("details-action-any", spoiled("actions", json!(["*"])), DetailsUnknown),
        ("details-no-action", spoiled("actions", json!([])), DetailsUnknown),
        ("details-level-unknown", spoiled("level", json!("LIST")), DetailsUnknown),
        ("details-member-unknown", spoiled("privileges", json!(["admin"])), DetailsUnknown),
        ("identifier-wildcard", spoiled("identifier", json!("list/*")), DetailsUnknown),
        ("identifier-prefix", spoiled("identifier", json!("list/")), DetailsUnknown),
        ("identifier-encoded", spoiled("identifier", json!("list%2F1")), DetailsUnknown),
        ("identifier-leading-zero", spoiled("identifier", json!("list/01")), DetailsUnknown),
        ("identifier-absent", unnamed, DetailsUnknown),
        ("too-many-elements", many, DetailsUnknown),
        ("no-element", json!([]), DetailsUnknown),
        ("details-located-elsewhere", spoiled("locations", json!([sm])), DetailsUnknown),
        ("details-of-another-api", service(MAP, &["read"]), NotEntitled),
    ];
    for (member, details, reason) in rows {
        let mut form = good.clone();
        form.push(("authorization_details".into(), details.to_string()));
        let outcome = post(sample, &one.https, one.id.as_str(), &form).await?;
        arena.judge(case(member, AT, DETAILS, reason), outcome).await?;
    }
    Ok(())
}

/// What a rule of the operator denies is in no token: who asks for more gets the rest, and is told so.
async fn rules(arena: &mut Arena<'_>, one: &Invoker<'_>, good: &Pairs) -> Result<()> {
    const RULE: &str = "capif-attacked";
    let admin = arena.observer.admin();
    let deny = |actions: &[&str]| {
        let rule = json!({
            "class": "local", "effect": "DENY", "subjects": [one.id], "services": ["spatial-anchor-mgmt"],
            "actions": actions,
        });
        serde_json::from_value::<Policy>(rule)
    };
    admin.put_policy(RULE, &deny(&["delete"])?).await?;
    let asked = service(ANCHOR, &["read", "delete"]);
    let part = one.token("san", "ssan-sanm", asked).await;
    let mut form = good.clone();
    form.push(("authorization_details".into(), service(ANCHOR, &["delete"]).to_string()));
    let narrow = post(arena.sample, &one.https, one.id.as_str(), &form).await;
    admin.put_policy(RULE, &deny(&[])?).await?;
    let whole = post(arena.sample, &one.https, one.id.as_str(), good).await;
    admin.delete_policy(RULE).await?;

    let part = part?;
    let parsed = compact::parse(part.access_token.expose(), &HeaderPolicy::access_token())?;
    let (rest, told) = (service(ANCHOR, &["read"]), serde_json::to_value(&part.authorization_details)?);
    anyhow::ensure!(told == rest, "the answer does not say what is granted: {told}");
    let granted = parsed.unverified_claims().get("authorization_details");
    anyhow::ensure!(granted == Some(&rest), "the token grants what a rule denies");
    let denied = case("action-that-a-rule-denies", AT, WHAT, Reason::NotEntitled);
    arena.judge(denied, narrow?).await?;
    arena.judge(case("service-that-a-rule-denies", AT, WHAT, Reason::NotEntitled), whole?).await
}
