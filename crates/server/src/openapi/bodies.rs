//! Which types travel in the body of which operation.

use api_types::capif::aef_security;
use api_types::capif::{
    access_control, discover, events, invoker, logging, open_discover, provider, publish, resource_auth,
    routing, security,
};
use api_types::faces::arf005::WorldAnchor;
use api_types::faces::oscp::{OSCP_JSON, ServiceRecord};
use api_types::faces::trackable::Trackable;
use api_types::faces::world_link::WorldLink;
use api_types::{admin, bulk, callback, idm, nudm_sdm, oauth, san, sm};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Adds a type and what it refers to; returns the reference to it.
type Add = fn(&mut Map<String, Value>) -> Value;

/// Bodies of an operation: what is sent, what is answered.
pub(super) struct Bodies {
    pub(super) request: Option<(&'static str, Add)>,
    pub(super) answer: Option<(&'static str, Add)>,
}

fn add<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in found {
        schemas.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

fn page<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    let item = add::<T>(schemas);
    json!({
        "type": "object", "required": ["items"],
        "properties": { "items": { "type": "array", "items": item }, "next": { "type": ["string", "null"] } },
    })
}

fn array<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    json!({ "type": "array", "items": add::<T>(schemas) })
}

fn list<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    json!({ "type": "array", "items": add::<T>(schemas) })
}

fn viewed<T: ToSchema>(schemas: &mut Map<String, Value>) -> Value {
    let mut view = page::<T>(schemas);
    view["properties"]["denied"] = json!({ "type": ["string", "null"] });
    view
}

fn form(_: &mut Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": { "type": "string" } })
}

fn text(_: &mut Map<String, Value>) -> Value {
    json!({ "type": "string" })
}

fn object(_: &mut Map<String, Value>) -> Value {
    json!({ "type": "object" })
}

fn bytes(_: &mut Map<String, Value>) -> Value {
    json!({ "type": "string", "contentMediaType": "application/octet-stream" })
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MERGE_PATCH: &str = "application/merge-patch+json";
const PLAIN: &str = "text/plain";
const ANY: &str = "*/*";

/// The bodies of `operation` at `interface`.
pub(super) fn of(interface: &str, operation: &str) -> Bodies {
    let sends =
        |media, add: Add, answer: Add| Bodies { request: Some((media, add)), answer: Some((JSON, answer)) };
    let answers = |answer: Add| Bodies { request: None, answer: Some((JSON, answer)) };
    let gives = |media, answer: Add| Bodies { request: None, answer: Some((media, answer)) };
    let nothing = Bodies { request: None, answer: None };
    match (interface, operation) {
        (_, "PutUser") => sends(JSON, add::<admin::User>, add::<admin::User>),
        (_, "GetUser") => answers(add::<admin::User>),
        (_, "ListUsers") => answers(page::<admin::User>),
        (_, "PutClient") => sends(JSON, add::<admin::Client>, add::<admin::ClientCreated>),
        (_, "GetClient") => answers(add::<admin::Client>),
        (_, "ListClients") => answers(page::<admin::Client>),
        (_, "PutService") => sends(JSON, add::<admin::Service>, add::<admin::Service>),
        (_, "GetService") => answers(add::<admin::Service>),
        (_, "ListServices") => answers(page::<admin::Service>),
        (_, "PutPolicy") => sends(JSON, add::<admin::Policy>, add::<admin::Policy>),
        (_, "GetPolicy") => answers(add::<admin::Policy>),
        (_, "ListPolicies") => answers(page::<admin::Policy>),
        (_, "ExplainPolicies") => sends(JSON, add::<admin::PolicyExplain>, add::<admin::PolicyExplained>),
        ("admin", "CreateEnrolment") => sends(JSON, add::<admin::Enrolment>, add::<admin::EnrolmentCreated>),
        ("admin", "ListEnrolments") => answers(page::<admin::EnrolmentInfo>),
        ("admin", "ListCapifInvokers") => answers(page::<admin::CapifInvoker>),
        ("admin", "GetCapifInvoker") => answers(add::<admin::CapifInvoker>),
        ("admin", "ListCapifProviders") => answers(page::<admin::CapifProvider>),
        ("admin", "GetCapifProvider") => answers(add::<admin::CapifProvider>),
        ("admin", "ListCapifRefusals") => answers(page::<admin::CapifRefusal>),
        ("admin", "ListCapifApis") => answers(page::<admin::CapifApi>),
        ("admin", "GetCapifApi") => answers(add::<admin::CapifApi>),
        ("admin", "ListCapifApiUsers") => answers(page::<admin::CapifUser>),
        ("admin", "GetOpenApis") => answers(add::<admin::OpenApis>),
        ("admin", "PutOpenApis") => sends(JSON, add::<admin::OpenApis>, add::<admin::OpenApis>),
        ("admin", "ListCapifContexts") => answers(page::<admin::CapifContext>),
        ("admin", "GetCapifContext") => answers(add::<admin::CapifContext>),
        ("admin", "ListCapifResources") => answers(page::<admin::CapifResource>),
        ("admin", "ExplainCapifResource") => {
            sends(JSON, add::<admin::CapifExplain>, add::<admin::CapifExplained>)
        }
        ("admin", "ListCapifAsks") => answers(page::<admin::CapifAsk>),
        ("admin", "ListCapifAccessControl") => answers(page::<admin::CapifAccessControl>),
        ("admin", "GetCapifAccessControl") => answers(add::<admin::CapifAccessControl>),
        ("admin", "PutCapifAccessControl") => {
            sends(JSON, add::<admin::CapifAccessControl>, add::<admin::CapifAccessControl>)
        }
        ("admin", "GetCapifRouting") => answers(add::<routing::RoutingInfo>),
        ("admin", "PutCapifRouting") => sends(JSON, add::<routing::RoutingInfo>, add::<routing::RoutingInfo>),
        ("admin", "Revoke") => sends(JSON, add::<admin::RevocationRequest>, add::<admin::Revoked>),
        (_, "ListKeys") => answers(page::<admin::KeyInfo>),
        (_, "RotateKey") => sends(JSON, add::<admin::Rotate>, add::<admin::KeyRotated>),
        (_, "ListAudit") => answers(page::<admin::AuditItem>),
        (_, "VerifyAudit") => answers(add::<admin::AuditVerify>),
        (_, "ListCharging") => answers(page::<admin::ChargingItem>),
        (_, "ListTraces") => answers(page::<admin::TraceSummary>),
        (_, "GetTrace") => answers(page::<admin::TraceStep>),
        (_, "ExplainTrace") => answers(add::<admin::Why>),
        ("udm", "GetSupiOrGpsi") => answers(add::<nudm_sdm::IdTranslationResult>),
        ("udm", "GetUcData") => answers(add::<nudm_sdm::UcSubscriptionData>),
        ("udm", "Subscribe") => {
            sends(JSON, add::<nudm_sdm::SdmSubscription>, add::<nudm_sdm::SdmSubscription>)
        }
        ("udm", "Modify") => {
            sends(MERGE_PATCH, add::<nudm_sdm::SdmSubsModification>, add::<nudm_sdm::SdmSubscription>)
        }
        ("admin", "ListSubscribers") => answers(page::<admin::Subscriber>),
        ("admin", "GetSubscriber") => answers(add::<admin::Subscriber>),
        ("admin", "PutSubscriber") => sends(JSON, add::<admin::Subscriber>, add::<admin::Subscriber>),
        ("admin", "ListConsents") => answers(page::<admin::Consent>),
        ("admin", "GetConsent") => answers(add::<admin::Consent>),
        ("admin", "PutConsent") => sends(JSON, add::<admin::Consent>, add::<admin::Consent>),
        ("admin", "GetPrivacy") => answers(add::<admin::Privacy>),
        ("admin", "PutPrivacy") => sends(JSON, add::<admin::Privacy>, add::<admin::Privacy>),
        ("admin", "ListPurposes") => answers(page::<admin::Purpose>),
        ("admin", "GetPurpose") => answers(add::<admin::Purpose>),
        ("admin", "PutPurpose") => sends(JSON, add::<admin::Purpose>, add::<admin::Purpose>),
        (_, "PutPosition") => sends(JSON, add::<admin::Position>, add::<admin::Position>),
        ("admin", "ExportAnchors") => gives(bulk::NDJSON, add::<bulk::AnchorFeature>),
        ("admin", "PutAnchorImport") => sends(JSON, add::<bulk::ImportBegin>, add::<bulk::ImportRun>),
        ("admin", "GetAnchorImport") => answers(add::<bulk::ImportRun>),
        ("admin", "PostAnchorLines") => {
            sends(bulk::NDJSON, add::<bulk::AnchorFeature>, add::<bulk::ImportRun>)
        }
        (_, "ListVerifiers") => answers(page::<admin::VerifierInfo>),
        (_, "ViewAnchors") => answers(viewed::<admin::AnchorView>),
        (_, "ViewMaps") => answers(viewed::<admin::MapView>),
        (_, "ViewMapContent") => gives(ANY, bytes),
        ("console", "ConsolePage" | "ConsoleCallback") => gives("text/html", text),
        ("console", "ConsoleAsset") => gives(ANY, bytes),
        ("console", "GetConsoleSession" | "GetConsoleDocument") => answers(object),
        ("console", operation) if operation.ends_with("Get") => gives(ANY, bytes),
        ("console", operation) if ["Put", "Post", "Patch"].iter().any(|verb| operation.ends_with(verb)) => {
            Bodies { request: Some((ANY, bytes)), answer: Some((ANY, bytes)) }
        }
        (_, "GetHealth") => answers(add::<admin::Health>),
        (_, "PutTestClock") => sends(JSON, add::<admin::TestClock>, add::<admin::TestClock>),
        ("sim" | "sim_mtls", "Token") => sends(FORM, form, add::<oauth::TokenResponse>),
        ("sim" | "sim_mtls", "Introspect") => sends(FORM, form, add::<oauth::IntrospectionResponse>),
        ("sim" | "sim_mtls", "PushedAuthorizationRequest") => sends(FORM, form, add::<oauth::ParResponse>),
        ("sim", "Passkeys") => gives("text/html", text),
        ("sim", "PasskeysPost") => Bodies { request: Some((FORM, form)), answer: Some(("text/html", text)) },
        ("sim" | "sim_mtls", "RevokeToken" | "AuthorizePost") => {
            Bodies { request: Some((FORM, form)), answer: None }
        }
        ("sim_mtls", "CallbackHosts") => answers(add::<callback::CallbackHosts>),
        ("sim", "Authorize") => gives("text/html", text),
        ("sim" | "sim_mtls" | "ccf", "OpenIdConfiguration" | "AuthorizationServerMetadata") => {
            answers(add::<oauth::ServerMetadata>)
        }
        ("sim" | "sim_mtls" | "ccf", "JsonWebKeySet") => gives("application/jwk-set+json", object),
        ("sim" | "sim_mtls", "UserInfo" | "UserInfoPost")
        | ("sim_mtls" | "ccf", "Revocations")
        | (_, "GetConfig") => answers(object),
        ("sim_mtls", "CreateValServiceConf" | "UpdateIndValServicesConf") => {
            sends(JSON, add::<idm::ValServicesConfig>, add::<idm::ValServicesConfig>)
        }
        ("sim_mtls", "ModifyIndValServicesConf") => {
            sends(MERGE_PATCH, add::<idm::ValServicesConfigPatch>, add::<idm::ValServicesConfig>)
        }
        ("sim_mtls", "RetrieveIndValServicesConf") => answers(add::<idm::ValServicesConfig>),
        ("sim_mtls", "RetrieveValServiceConf") => answers(array::<idm::ValServicesConfig>),
        ("sim_mtls", "RetrieveValUserProfile") => answers(array::<idm::ProfileDoc>),
        (_, "ProtectedResourceMetadata") => answers(add::<oauth::ProtectedResourceMetadata>),
        (_, "GetMetrics") => gives("text/plain", text),
        ("san" | "sm", "CheckAuthentication") => sends(
            JSON,
            add::<aef_security::CheckAuthenticationReq>,
            add::<aef_security::CheckAuthenticationRsp>,
        ),
        ("san" | "sm", "RevokeAuthorization") => sends(
            JSON,
            add::<aef_security::RevokeAuthorizationReq>,
            add::<aef_security::RevokeAuthorizationRsp>,
        ),
        ("san" | "sm", "NotifyResourceAuth") => {
            Bodies { request: Some((JSON, add::<resource_auth::ResourceAuthNotification>)), answer: None }
        }
        ("san", "CreateSpatialAnchorsList" | "UpdateIndSpatialAnchorsList") => {
            sends(JSON, add::<san::SpatialAnchorsList>, add::<san::SpatialAnchorsList>)
        }
        ("san", "ModifyIndSpatialAnchorsList") => {
            sends(MERGE_PATCH, add::<san::SpatialAnchorsListPatch>, add::<san::SpatialAnchorsList>)
        }
        ("san", "GetIndSpatialAnchorsList") => answers(add::<san::SpatialAnchorsList>),
        ("san", "DiscSpatialAnchorsProfiles") => answers(add::<san::SpatialAnchorsDiscResp>),
        ("san", "CreateSpatialAnchorsSub" | "UpdateIndSpatialAnchorsSub") => {
            sends(JSON, add::<san::SpatialAnchorsSub>, add::<san::SpatialAnchorsSub>)
        }
        ("san", "ModifyIndSpatialAnchorsSub") => {
            sends(MERGE_PATCH, add::<san::SpatialAnchorsSubPatch>, add::<san::SpatialAnchorsSub>)
        }
        ("san", "GetIndSpatialAnchorsSub") => answers(add::<san::SpatialAnchorsSub>),
        ("san", "CreateSpatialAnchorsUsageSub") => {
            sends(JSON, add::<san::SpatialAnchorsUsageInfoSub>, add::<san::SpatialAnchorsUsageInfo>)
        }
        ("san", "UpdateIndSpatialAnchorsUsageSub") => {
            sends(JSON, add::<san::SpatialAnchorsUsageInfoSub>, add::<san::SpatialAnchorsUsageInfoSub>)
        }
        ("san", "ModifyIndSpatialAnchorsUsageSub") => sends(
            MERGE_PATCH,
            add::<san::SpatialAnchorsUsageInfoSubPatch>,
            add::<san::SpatialAnchorsUsageInfoSub>,
        ),
        ("san", "GetIndSpatialAnchorsUsageSub") => answers(add::<san::SpatialAnchorsUsageInfoSub>),
        ("san", "ReportSpatialAnchorsUsage") => {
            Bodies { request: Some((JSON, add::<san::SpatialAnchorUsageReportReq>)), answer: None }
        }
        ("san", "CreateSpatialAnchorGroup" | "UpdateIndSpatialAnchorGroup") => {
            sends(JSON, add::<san::SpatialAnchorGroup>, add::<san::SpatialAnchorGroup>)
        }
        ("san", "ModifyIndSpatialAnchorGroup") => sends(MERGE_PATCH, object, add::<san::SpatialAnchorGroup>),
        ("san", "GetIndSpatialAnchorGroup") => answers(add::<san::SpatialAnchorGroup>),
        ("san", "GetSpatialAnchorGroups") => answers(add::<san::SpatialAnchorGroups>),
        ("san", "GetSpatialAnchorsOfGroup") => answers(add::<san::SpatialAnchorsDiscResp>),
        ("sm", "CreateSpatialMapsSub" | "UpdateIndSpatialMapsSub") => {
            sends(JSON, add::<sm::SpatialMapsSub>, add::<sm::SpatialMapsSub>)
        }
        ("sm", "ModifyIndSpatialMapsSub") => {
            sends(MERGE_PATCH, add::<sm::SpatialMapsSubPatch>, add::<sm::SpatialMapsSub>)
        }
        ("sm", "GetIndSpatialMapsSub") => answers(add::<sm::SpatialMapsSub>),
        ("sm", "LocalizeInSpatialMap") => answers(add::<sm::SpatialMapLocalizeResp>),
        ("sm", "CreateDataSourceReg" | "UpdateIndDataSourceReg") => {
            sends(JSON, add::<sm::DataSourceRegReq>, add::<sm::DataSourceRegReq>)
        }
        ("sm", "ModifyIndDataSourceReg") => {
            sends(MERGE_PATCH, add::<sm::DataSourcePatchRegReq>, add::<sm::DataSourceRegReq>)
        }
        ("sm", "DiscDataSourceProfiles") => answers(add::<sm::SMDataSourceDiscResp>),
        ("sm", "CreateSmasReg" | "UpdateIndSmasReg") => sends(JSON, add::<sm::SMASReg>, add::<sm::SMASReg>),
        ("sm", "ModifyIndSmasReg") => sends(MERGE_PATCH, add::<sm::SMASRegPatch>, add::<sm::SMASReg>),
        ("sm", "GetIndSmasReg") => answers(add::<sm::SMASReg>),
        ("san", "PingWorldStorage") => gives(PLAIN, text),
        ("san", "ListWorldAnchors") => answers(list::<WorldAnchor>),
        ("san", "GetWorldAnchor") => answers(add::<WorldAnchor>),
        ("san", "CreateWorldAnchor" | "ReplaceWorldAnchor") => {
            Bodies { request: Some((JSON, add::<WorldAnchor>)), answer: Some((PLAIN, text)) }
        }
        ("sm", "ListTrackables") => answers(list::<Trackable>),
        ("sm", "GetTrackable") => answers(add::<Trackable>),
        ("sm", "CreateTrackable" | "ReplaceTrackable") => {
            Bodies { request: Some((JSON, add::<Trackable>)), answer: Some((PLAIN, text)) }
        }
        ("sm", "ListWorldLinks") => answers(list::<WorldLink>),
        ("sm", "GetWorldLink") => answers(add::<WorldLink>),
        ("sm", "CreateWorldLink" | "ReplaceWorldLink") => {
            Bodies { request: Some((JSON, add::<WorldLink>)), answer: Some((PLAIN, text)) }
        }
        ("sm", "ListServiceRecords" | "ListOwnServiceRecords") => gives(OSCP_JSON, list::<ServiceRecord>),
        ("sm", "GetServiceRecord") => gives(OSCP_JSON, add::<ServiceRecord>),
        ("sm", "CreateServiceRecord" | "ReplaceServiceRecord") => Bodies {
            request: Some((OSCP_JSON, add::<ServiceRecord>)),
            answer: Some((OSCP_JSON, add::<ServiceRecord>)),
        },
        ("sm", "CreateSpatialMap") => sends(JSON, add::<sm::SpatialMapCreateReq>, add::<sm::SpatialMap>),
        ("sm", "UpdateIndSpatialMap") => sends(JSON, add::<sm::SpatialMap>, add::<sm::SpatialMap>),
        ("sm", "ModifyIndSpatialMap") => {
            sends(MERGE_PATCH, add::<sm::SpatialMapPatch>, add::<sm::SpatialMap>)
        }
        ("sm", "GetIndSpatialMap") => answers(add::<sm::SpatialMap>),
        ("sm", "GetSpatialMap") => answers(add::<sm::SpatialMapRetResp>),
        ("sm", "DiscSpatialMapsSmas") => answers(add::<sm::SpatialMapsDiscResp>),
        ("sm", "PutSpatialMapContent") => Bodies { request: Some((ANY, bytes)), answer: None },
        ("sm", "GetSpatialMapContent") => gives(ANY, bytes),
        ("ccf", operation) => of_ccf(operation),
        ("ccf_compat", "OpenCapifCreateUser") => sends(JSON, object, object),
        ("ccf_compat", operation) if operation != "OpenCapifDeleteUser" => answers(object),
        _ => nothing,
    }
}

/// The bodies of an operation of the CAPIF core function (TS 29.222).
fn of_ccf(operation: &str) -> Bodies {
    type Provider = provider::APIProviderEnrolmentDetails;
    type Invoker = invoker::APIInvokerEnrolmentDetails;
    type Api = publish::ServiceAPIDescription;
    let both = |media, body: Add, answer: Add| (Some((media, body)), Some((JSON, answer)));
    let same = |body: Add| both(JSON, body, body);
    let answers = |answer: Add| (None, Some((JSON, answer)));
    let (request, answer) = match operation {
        "RegisterProvider" | "ReplaceProvider" => same(add::<Provider>),
        "ModifyProvider" => {
            both(MERGE_PATCH, add::<provider::APIProviderEnrolmentDetailsPatch>, add::<Provider>)
        }
        "OnboardInvoker" | "ReplaceInvoker" => same(add::<Invoker>),
        "ModifyInvoker" => both(MERGE_PATCH, add::<invoker::APIInvokerEnrolmentDetailsPatch>, add::<Invoker>),
        "PublishServiceApi" | "ReplaceServiceApi" => same(add::<Api>),
        "ModifyServiceApi" => both(MERGE_PATCH, add::<publish::ServiceAPIDescriptionPatch>, add::<Api>),
        "ListServiceApis" => answers(array::<Api>),
        "GetServiceApi" => answers(add::<Api>),
        "DiscoverServiceApis" | "DiscoverServiceApisByProse" => answers(add::<discover::DiscoveredAPIs>),
        "OpenDiscoverServiceApis" => answers(add::<open_discover::OpenDiscoveryResp>),
        "CreateSecurityContext" | "UpdateSecurityContext" => same(add::<security::ServiceSecurity>),
        "ObtainSecurityContext" => answers(add::<security::ServiceSecurity>),
        "RevokeAuthorization" => (Some((JSON, add::<security::SecurityNotification> as Add)), None),
        "ObtainAccessToken" => both(FORM, form, add::<oauth::TokenResponse>),
        "SubscribeToEvents" | "ReplaceEventSubscription" => same(add::<events::EventSubscription>),
        "ModifyEventSubscription" => {
            both(MERGE_PATCH, add::<events::EventSubscriptionPatch>, add::<events::EventSubscription>)
        }
        "ListAccessControlPolicies" => answers(add::<access_control::AccessControlPolicyList>),
        "AppendInvocationLog" => same(add::<logging::InvocationLog>),
        "AuditInvocationLogs" => answers(add::<logging::InvocationLogsRetrieveRes>),
        "ObtainRoutingInfo" => answers(add::<routing::RoutingInfo>),
        "PutResource" => same(add::<resource_auth::ResourceAuthInfo>),
        "GetResource" => answers(add::<resource_auth::ResourceAuthInfo>),
        "ModifyResource" => {
            both(MERGE_PATCH, add::<resource_auth::ResourceAuthPatch>, add::<resource_auth::ResourceAuthInfo>)
        }
        "ListResources" | "ListOwnedResources" => answers(add::<resource_auth::ResourceAuthPage>),
        "PutResources" => {
            both(JSON, add::<resource_auth::ResourceAuthBatch>, add::<resource_auth::ResourceAuthBatchResult>)
        }
        "GetOwnerPolicies" => answers(add::<resource_auth::OwnerPolicies>),
        "SetOwnerPolicies" => same(add::<resource_auth::OwnerPolicies>),
        "ListAsks" => answers(add::<resource_auth::AuthorizationAsks>),
        "DecideAsk" => (Some((JSON, add::<resource_auth::AskDecision> as Add)), None),
        "SubscribeToResources" => same(add::<resource_auth::ResourceAuthSubscription>),
        _ => (None, None),
    };
    Bodies { request, answer }
}
