//! What is registered with the map server: data sources (TS 24.550 `sm_smds`) and servers of maps (TS 29.437
//! `ssm-smasr`).

use api_types::DateTime;
use authorization::{CallerKind, Reason};
use service_http::call::Call;
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;

use super::access::{SCOPE_READ, SCOPE_WRITE};
use super::{SmServer, steps};
use crate::shared::operator_rules::{Action, RulesCache};
use crate::shared::registrations::{Names, Registry};

const REGISTER: Action = Action { verb: "register", scope: SCOPE_WRITE };
const READ: Action = Action { verb: "read", scope: SCOPE_READ };

/// Data sources.
pub(super) struct Sources;

/// Servers of maps.
pub(super) struct Servers;

impl Registry for Sources {
    type Server = SmServer;
    type Body = api_types::sm::DataSourceRegReq;
    const FAMILY: &'static str = "data_source";
    const PATH: &'static str = super::SOURCES;
    const NAMES: Names = Names {
        create: "sm.data_source.register",
        read: "sm.registration.read",
        update: "sm.data_source.update",
        delete: "sm.data_source.deregister",
        object: "registrations",
    };
    const WRITE: Action = REGISTER;
    const READ: Action = READ;

    fn kit(server: &SmServer) -> &FunctionKit {
        server.kit()
    }

    fn rules(server: &SmServer) -> &RulesCache {
        server.rules()
    }

    fn exp_time(body: &Self::Body) -> Option<DateTime> {
        body.exp_time
    }

    fn callback<'b>(
        server: &'b SmServer,
        body: &'b Self::Body,
    ) -> Option<(&'b dyn HostSource, &'b str, &'static str)> {
        Some((server.hosts(), &body.notification_destination, "/notificationDestination"))
    }

    /// The requestor is the user or UE of the token, or the VAL server itself.
    fn check(call: &Call, body: &Self::Body) -> Result<(), Refusal> {
        let caller = &call.caller;
        let own = match caller.kind {
            CallerKind::ValServer => caller.val_server() == body.requestor_id,
            CallerKind::ValClient => {
                let user = caller.user.as_ref().map(|user| user.as_str());
                let ue = caller.ue.as_ref().map(|ue| ue.as_str());
                [user, ue].contains(&Some(body.requestor_id.as_str()))
            }
            CallerKind::Function => false,
        };
        let subscriber = body.ue_id.is_none() || body.ue_id == caller.gpsi;
        if own && subscriber {
            return Ok(());
        }
        call.ctx.fail("subject", "requestorId and ueId name the caller", "somebody else");
        Err(Refusal::open(Reason::SubjectWrong))
    }

    fn granted(call: &Call) {
        steps::granted(call, "Registration response");
    }
}

impl Registry for Servers {
    type Server = SmServer;
    type Body = api_types::sm::SMASReg;
    const FAMILY: &'static str = "smas";
    const PATH: &'static str = super::SERVERS;
    const NAMES: Names = Names {
        create: "sm.smas.register",
        read: "sm.registration.read",
        update: "sm.smas.update",
        delete: "sm.smas.deregister",
        object: "registrations",
    };
    const WRITE: Action = REGISTER;
    const READ: Action = READ;

    fn kit(server: &SmServer) -> &FunctionKit {
        server.kit()
    }

    fn rules(server: &SmServer) -> &RulesCache {
        server.rules()
    }

    fn exp_time(body: &Self::Body) -> Option<DateTime> {
        body.exp_time
    }

    /// VAL servers only (TS 23.437 table 9.7.1-1).
    fn check(call: &Call, _: &Self::Body) -> Result<(), Refusal> {
        if call.caller.kind == CallerKind::ValServer {
            return Ok(());
        }
        call.ctx.fail("resource", "a VAL server", "another caller");
        Err(Refusal::open(Reason::NotEntitled))
    }

    fn granted(call: &Call) {
        steps::granted(call, "Registration response");
    }
}
