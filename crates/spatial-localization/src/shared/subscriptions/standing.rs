//! On whose authority somebody is told: what the subscriber's token said when it subscribed.
//!
//! A subscription outlives its token, and nothing that ends the rights of the token: when token, subject, client, key or
//! certificate is revoked, the subscription ends. The token itself is not kept.

use std::sync::Arc;

use api_types::ids::{ClientId, ValServiceId};
use authorization::{AccessClaims, Caller, CallerKind, Reason};
use serde::{Deserialize, Serialize};
use service_http::call::Call;
use service_http::callback_hosts::{self, HostSource};
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::StoreError;

/// What is kept of a token.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    claims: AccessClaims,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5t: Option<String>,
    /// The one VAL service whose objects are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<ValServiceId>,
    /// A function that spoke for itself.
    #[serde(default)]
    function: bool,
    /// The client as it is called here, where its issuer calls it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<ClientId>,
}

/// Who is told.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber {
    pub(crate) caller: Arc<Caller>,
    pub(crate) only: Option<ValServiceId>,
}

/// What has become of the rights of a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// As before.
    Stand,
    /// Ended for good.
    Ended,
    /// The issuer was not heard of in time.
    Unknown,
}

impl Standing {
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            claims: call.claims().clone(),
            kid: call.caller.kid.clone(),
            x5t: call.caller.x5t.clone(),
            only: call.only().cloned(),
            function: call.caller.kind == CallerKind::Function,
            client: Some(call.caller.client_id.clone()).filter(|name| *name != call.claims().client_id),
        }
    }

    pub(crate) fn from_text(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|_| StoreError::Damaged("the standing of a subscriber"))
    }

    pub(crate) fn to_text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|_| StoreError::Damaged("the standing of a subscriber"))
    }

    /// Who is told, as decisions see it.
    pub(crate) fn subscriber(&self) -> Subscriber {
        let mut caller = Caller::from_claims(&self.claims, &self.kid, self.x5t.as_deref());
        if self.function {
            caller.kind = CallerKind::Function;
        }
        if let Some(client) = &self.client {
            caller.client_id.clone_from(client);
        }
        if let Some(only) = &self.only {
            caller.val_services = vec![only.clone()];
        }
        Subscriber { caller: Arc::new(caller), only: self.only.clone() }
    }

    /// Decides again whether anything of the token was revoked.
    pub(crate) fn rights(&self, kit: &FunctionKit) -> Rights {
        let Some(verifier) = &kit.verifier else { return Rights::Ended };
        match verifier.check_standing(&self.claims, &self.kid, self.x5t.as_deref()) {
            Ok(()) => Rights::Stand,
            Err(Reason::LeaseExpired | Reason::IssuerUnreachable) => Rights::Unknown,
            Err(_) => Rights::Ended,
        }
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Standing")
    }
}

/// Whose callback hosts count: a VAL server's own, also where a function calls for it.
pub(crate) fn called_back(caller: &Caller) -> &str {
    match caller.kind {
        CallerKind::ValServer => caller.val_server(),
        CallerKind::ValClient | CallerKind::Function => caller.client_id.as_str(),
    }
}

/// By what name the callback hosts of a client are asked for: that of a core function's API invoker says whose it is.
pub(crate) fn hosts_of(kit: &FunctionKit, issuer: &str, client: &str) -> String {
    let known = kit.verifier.as_ref().and_then(|verifier| verifier.issuer(issuer).ok());
    match known.is_some_and(|issuer| issuer.row().capif) {
        true => callback_hosts::of_invoker(issuer, client),
        false => client.to_owned(),
    }
}

/// Decides whether the caller may be called back at an address that it names in `member`.
///
/// # Errors
/// As [`callback_hosts::check`].
pub(crate) async fn check_callback(
    hosts: &dyn HostSource,
    call: &Call,
    uri: &str,
    member: &str,
) -> Result<(), Refusal> {
    let client = hosts_of(call.ctx.kit(), &call.caller.issuer, called_back(&call.caller));
    callback_hosts::check(hosts, &call.ctx, &client, uri, member).await
}

impl Subscriber {
    /// Of a request.
    pub(crate) fn of(call: &Call) -> Self {
        Self { caller: Arc::clone(&call.caller), only: call.only().cloned() }
    }

    /// Of somebody who has sent nothing: for views of the operator.
    pub(crate) fn imagined(caller: &Caller) -> Self {
        Self { caller: Arc::new(caller.clone()), only: None }
    }

    /// Whether anything of this VAL service is open.
    pub(crate) fn opens_service(&self, val_service: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.as_str() == val_service)
    }
}
