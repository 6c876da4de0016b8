//! What owners keep of policies at the core function, as it tells: their denials count here too, for every token and in every
//! discovery (decision 0076). A permit of theirs counts by the tokens that the core function gives by it.

use std::collections::BTreeMap;

use api_types::admin::PolicyEffect;
use api_types::capif::ResourceId;
use api_types::capif::resource_auth::{
    AuthPolicy, DefaultDecision, PolicySubject, ResourceAction, ResourceOwner, ResourceVisibility,
};
use authorization::area::Point;
use authorization::capif::grant::Verdict;
use authorization::capif::owner_policy::{Ask, Asker, OwnerPolicy, ResourceAuth, Target};
use authorization::policy::Position;
use authorization::{Caller, CallerKind, Reason};
use serde::{Deserialize, Serialize};
use store::{Sql, StoreError, echoed_policies};

use crate::shared::denial::Denial;

/// Rows of one read. Own value.
const PAGE: u32 = 500;

/// What is kept of a resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// Of the core function's.
    version: u64,
    policies: Vec<AuthPolicy>,
}

/// The denials in force, by resource.
#[derive(Debug, Default)]
pub(crate) struct EchoedPolicies {
    pub(crate) version: u64,
    denials: BTreeMap<String, Denials>,
}

/// The denials of one owner: API invokers are asked all of them, others those that can mean them.
#[derive(Debug)]
struct Denials {
    of_invokers: ResourceAuth,
    of_others: ResourceAuth,
}

/// Keeps what the core function has told of a resource, unless a later version is kept. `false`: there is one.
///
/// # Errors
/// The store failed.
pub(crate) async fn keep(
    tx: &mut dyn Sql,
    resource: &ResourceId,
    version: u64,
    policies: Vec<AuthPolicy>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let before = echoed_policies::find(tx, resource.as_str()).await?;
    if before.map(|document| read(&document.body)).transpose()?.is_some_and(|kept| kept.version >= version) {
        return Ok(false);
    }
    let body = serde_json::to_string(&Kept { version, policies })
        .map_err(|_| StoreError::Damaged("policies cannot be written"))?;
    echoed_policies::put(tx, resource.as_str(), &body, now_ms).await?;
    Ok(true)
}

/// Keeps what the core function has of a resource, whatever was kept before: it was asked.
///
/// # Errors
/// The store failed.
pub(crate) async fn replace(
    tx: &mut dyn Sql,
    resource: &ResourceId,
    version: u64,
    policies: Vec<AuthPolicy>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let before = echoed_policies::find(tx, resource.as_str()).await?;
    let before = before.map(|document| read(&document.body)).transpose()?;
    let same = match &before {
        None => policies.is_empty(),
        Some(kept) => kept.version == version && kept.policies == policies,
    };
    if same {
        return Ok(());
    }
    if before.is_some() {
        echoed_policies::delete(tx, resource.as_str()).await?;
    }
    keep(tx, resource, version, policies, now_ms).await.map(drop)
}

/// Drops what is kept of resources that are gone.
///
/// # Errors
/// The store failed.
pub(crate) async fn forget(tx: &mut dyn Sql, resources: &[String]) -> Result<(), StoreError> {
    if echoed_policies::count(tx).await? == 0 {
        return Ok(());
    }
    for resource in resources {
        // A version is counted up by each deletion: only where there is something.
        if echoed_policies::find(tx, resource).await?.is_some() {
            echoed_policies::delete(tx, resource).await?;
        }
    }
    Ok(())
}

fn read(body: &str) -> Result<Kept, StoreError> {
    serde_json::from_str(body).map_err(|_| StoreError::Damaged("policies of an owner cannot be read"))
}

impl EchoedPolicies {
    /// All of them.
    ///
    /// # Errors
    /// The store failed; a row is damaged.
    pub(crate) async fn all(tx: &mut dyn Sql) -> Result<Self, StoreError> {
        let version = echoed_policies::version(tx).await?;
        let mut denials = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = echoed_policies::page(tx, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(Self { version, denials }) };
            after.clone_from(&last.id);
            for row in page {
                let policies = read(&row.body)?.policies;
                if let Some(of_resource) = Denials::of(policies) {
                    denials.insert(row.id, of_resource);
                }
            }
        }
    }

    /// Whether nobody denies anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.denials.is_empty()
    }

    /// Decides whether the owner lets somebody else do something with a resource; who may not even discover it is told
    /// nothing of it.
    ///
    /// # Errors
    /// [`Reason::OwnerDenied`].
    pub(crate) fn check(
        &self,
        caller: &Caller,
        is_invoker: bool,
        resource: &str,
        action: ResourceAction,
        place: Option<(f64, f64)>,
        now_s: i64,
    ) -> Result<(), Denial> {
        let Some(denials) = self.denials.get(resource) else { return Ok(()) };
        let services: Vec<&str> = caller.val_services.iter().map(|service| service.as_str()).collect();
        let who = Asker {
            invoker: caller.client_id.as_str(),
            groups: &[],
            val_services: &services,
            gpsi: caller.gpsi.as_ref().map(|gpsi| gpsi.as_str()),
        };
        let position = match place {
            Some((lon, lat)) => Position::At(Point::new(lon, lat)),
            None if caller.kind == CallerKind::ValClient => Position::Unknown,
            None => Position::Later,
        };
        let auth = if is_invoker { &denials.of_invokers } else { &denials.of_others };
        let denied = |action| {
            let ask = Ask { who, action, target: Target::Whole, purpose: None, position, now_s };
            auth.decide(&ask).verdict == Verdict::Deny(Reason::OwnerDenied)
        };
        if denied(ResourceAction::Discover) {
            return Err(Denial::hidden(Reason::OwnerDenied));
        }
        if action != ResourceAction::Discover && denied(action) {
            return Err(Denial::open(Reason::OwnerDenied));
        }
        Ok(())
    }
}

impl Denials {
    fn of(policies: Vec<AuthPolicy>) -> Option<Self> {
        let denials = policies.into_iter().filter(|policy| policy.effect == PolicyEffect::Deny);
        // Who does not understand a denial denies.
        let understood = |mut policy: AuthPolicy| match OwnerPolicy::from_wire(&policy, "") {
            Ok(read) => (policy, Some(read)),
            Err(_) => {
                policy.subjects = vec![PolicySubject::AnyOnboarded];
                (policy.time_windows, policy.service_area, policy.purposes) = (None, None, None);
                let read = OwnerPolicy::from_wire(&policy, "").ok();
                (policy, read)
            }
        };
        let denials: Vec<(AuthPolicy, Option<OwnerPolicy>)> = denials.map(understood).collect();
        if denials.is_empty() {
            return None;
        }
        let others = denials.iter().filter_map(|(policy, _)| {
            let means = |subject: &&PolicySubject| {
                matches!(subject, PolicySubject::ValServiceId(_) | PolicySubject::Gpsi(_))
            };
            let subjects: Vec<PolicySubject> = policy.subjects.iter().filter(means).cloned().collect();
            OwnerPolicy::from_wire(&AuthPolicy { subjects, ..policy.clone() }, "").ok()
        });
        let of_others = auth(others.collect());
        let of_invokers = auth(denials.into_iter().filter_map(|(_, read)| read).collect());
        Some(Self { of_invokers, of_others })
    }
}

/// Denials alone: what they do not fit is decided elsewhere.
fn auth(policies: Vec<OwnerPolicy>) -> ResourceAuth {
    ResourceAuth {
        // Nobody: the owner is asked about nothing here.
        owner: ResourceOwner::Principal(api_types::capif::resource_auth::OwnerPrincipal {
            iss: String::new(),
            sub: String::new(),
        }),
        visibility: ResourceVisibility::Universal,
        policies,
        default_decision: DefaultDecision::AskOwner,
        owner_aware: false,
        exp_s: None,
        synchronised: true,
    }
}

/// The action of an operation, by the verb of the operator's rules.
pub(crate) fn action_of(verb: &str) -> ResourceAction {
    match verb {
        "create" => ResourceAction::Create,
        "read" | "report" => ResourceAction::Read,
        "update" => ResourceAction::Update,
        "delete" => ResourceAction::Delete,
        "localize" => ResourceAction::Localize,
        "subscribe" | "usage" | "observe" => ResourceAction::Subscribe,
        _ => ResourceAction::Discover,
    }
}
