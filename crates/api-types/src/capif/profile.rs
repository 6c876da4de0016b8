//! Who exposes a service API, and how (TS 29.222 `AefProfile`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checks::{is_fqdn, is_ipv4, is_ipv6};
use super::ids::AefId;
use super::network::IpAddrRange;
use super::{MAX_DESCRIPTION, MAX_NAME, VendorSpecific};
use crate::date_time::DateTime;
use crate::geo::GeographicArea;
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate, child};

/// Most versions of one profile. Own value.
pub const MAX_VERSIONS: usize = 32;

/// Most resources, or custom operations, of one version or resource. Own value.
pub const MAX_RESOURCES: usize = 256;

/// Most methods, security methods or grant types of one list. Own value.
pub const MAX_METHODS: usize = 16;

/// Most interfaces of one profile. Own value.
pub const MAX_INTERFACES: usize = 64;

/// Longest civic address, in bytes of JSON. Own value.
pub const MAX_CIVIC: usize = 16 * 1024;

open_enum! {
    /// Protocol of a service API (TS 29.222).
    Protocol {
        /// HTTP/1.1.
        Http11 = "HTTP_1_1",
        /// HTTP/2.
        Http2 = "HTTP_2",
        /// MQTT.
        Mqtt = "MQTT",
        /// WebSocket.
        Websocket = "WEBSOCKET",
    }
}

open_enum! {
    /// How a resource or operation is used (TS 29.222).
    CommunicationType {
        /// Request and response.
        RequestResponse = "REQUEST_RESPONSE",
        /// Subscription and notification.
        SubscribeNotify = "SUBSCRIBE_NOTIFY",
    }
}

open_enum! {
    /// Data format of a service API (TS 29.222).
    DataFormat {
        /// JSON.
        Json = "JSON",
        /// XML.
        Xml = "XML",
        /// Protocol buffers, version 3.
        Protobuf3 = "PROTOBUF3",
    }
}

open_enum! {
    /// How API invoker and API exposing function authenticate (TS 29.222, TS 33.122 6.5.2).
    SecurityMethod {
        /// TLS with a pre-shared key.
        Psk = "PSK",
        /// TLS with certificates on both sides.
        Pki = "PKI",
        /// TLS with an access token.
        Oauth = "OAUTH",
    }
}

open_enum! {
    /// Method of HTTP (TS 29.222).
    Operation {
        /// GET.
        Get = "GET",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// PATCH.
        Patch = "PATCH",
        /// DELETE.
        Delete = "DELETE",
    }
}

open_enum! {
    /// Flow by which a token is had (TS 29.222 `OAuthGrantType`).
    OAuthGrantType {
        /// Client credentials.
        ClientCredentials = "CLIENT_CREDENTIALS",
        /// Authorization code.
        AuthorizationCode = "AUTHORIZATION_CODE",
        /// Authorization code with PKCE.
        AuthorizationCodeWithPkce = "AUTHORIZATION_CODE_WITH_PKCE",
    }
}

/// An operation that is no method of HTTP (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomOperation {
    /// How it is used.
    pub comm_type: CommunicationType,
    /// Its name in the URI.
    pub cust_op_name: String,
    /// Methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A resource of a service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// Its name.
    pub resource_name: String,
    /// How it is used.
    pub comm_type: CommunicationType,
    /// Relative, the `apiSpecificSuffixes` of TS 29.122 5.2.4.
    pub uri: String,
    /// Name of its custom operation in the URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cust_op_name: Option<String>,
    /// Its custom operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cust_operations: Option<Vec<CustomOperation>>,
    /// Methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A version of a service API (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Major version in the URI, as `v1`.
    pub api_version: String,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<DateTime>,
    /// Its resources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<Resource>>,
    /// Custom operations without a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cust_operations: Option<Vec<CustomOperation>>,
}

/// An interface (TS 29.222): exactly one of the addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceDescription {
    /// IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_addr: Option<String>,
    /// IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addr: Option<String>,
    /// Domain name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Segments of the path before the API's name, from the slash on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prefix: Option<String>,
    /// Security methods; they come before those of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_methods: Option<Vec<SecurityMethod>>,
    /// Flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<OAuthGrantType>>,
}

/// Where an API exposing function is (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AefLocation {
    /// Civic address (TS 29.572), as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub civic_addr: Option<Value>,
    /// Area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_area: Option<GeographicArea>,
    /// Data centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dc_id: Option<String>,
}

/// What a service API is good for (TS 29.222).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceKpis {
    /// Requests per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_req_rate: Option<u64>,
    /// Longest time of an answer, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_restime: Option<u64>,
    /// Availability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<u64>,
    /// Compute, as `2 TFLOPS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aval_comp: Option<String>,
    /// Compute for graphics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aval_gra_comp: Option<String>,
    /// Memory, as `16 GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aval_mem: Option<String>,
    /// Storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aval_stor: Option<String>,
    /// Bandwidth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub con_band: Option<u64>,
}

/// Who exposes a service API, and how (TS 29.222): exactly one of `domainName` and `interfaceDescriptions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AefProfile {
    /// The API exposing function.
    pub aef_id: AefId,
    /// Versions.
    pub versions: Vec<Version>,
    /// Protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Data format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_format: Option<DataFormat>,
    /// Security methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_methods: Option<Vec<SecurityMethod>>,
    /// Flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<OAuthGrantType>>,
    /// Domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_name: Option<String>,
    /// Interfaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_descriptions: Option<Vec<InterfaceDescription>>,
    /// Where the function is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aef_location: Option<AefLocation>,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_kpis: Option<ServiceKpis>,
    /// UEs that it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_ip_range: Option<IpAddrRange>,
    /// Members of vendors.
    #[serde(flatten)]
    #[schema(ignore)]
    pub vendor_specific: VendorSpecific,
}

/// Whether a text is a number and one of `units` behind a blank (patterns of TS 29.222 `ServiceKpis`).
fn is_quantity(text: &str, units: &[&str]) -> bool {
    let Some((number, unit)) = text.split_once(' ') else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, rest) = number.split_once('.').map_or((number, None), |(whole, rest)| (whole, Some(rest)));
    text.len() <= 64 && digits(whole) && rest.is_none_or(digits) && units.contains(&unit)
}

const FLOPS: [&str; 7] = ["kFLOPS", "MFLOPS", "GFLOPS", "TFLOPS", "PFLOPS", "EFLOPS", "ZFLOPS"];
const BYTES: [&str; 8] = ["KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/// The faults of lists that interfaces and profiles share.
fn methods(
    faults: &mut Faults,
    security: Option<&Vec<SecurityMethod>>,
    grants: Option<&Vec<OAuthGrantType>>,
    at: &str,
) {
    if let Some(list) = security {
        faults.words(list.iter().map(SecurityMethod::as_str), MAX_METHODS, at, "securityMethods");
    }
    if let Some(list) = grants {
        faults.words(list.iter().map(OAuthGrantType::as_str), MAX_METHODS, at, "grantTypes");
    }
}

fn operations(faults: &mut Faults, list: Option<&Vec<Operation>>, at: &str) {
    if let Some(list) = list {
        faults.words(list.iter().map(Operation::as_str), MAX_METHODS, at, "operations");
    }
}

impl Validate for CustomOperation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.word(self.comm_type.as_str(), at, "commType");
        faults.text(&self.cust_op_name, MAX_NAME, at, "custOpName");
        operations(&mut faults, self.operations.as_ref(), at);
        faults.opt_prose(self.description.as_ref(), MAX_DESCRIPTION, at, "description");
        faults.done()
    }
}

impl Validate for Resource {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.resource_name, MAX_NAME, at, "resourceName");
        faults.word(self.comm_type.as_str(), at, "commType");
        faults.text(&self.uri, MAX_URI, at, "uri");
        faults.opt_text(self.cust_op_name.as_ref(), MAX_NAME, at, "custOpName");
        faults.opt_list(self.cust_operations.as_ref(), MAX_RESOURCES, at, "custOperations");
        operations(&mut faults, self.operations.as_ref(), at);
        faults.opt_prose(self.description.as_ref(), MAX_DESCRIPTION, at, "description");
        faults.done()
    }
}

impl Validate for Version {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.api_version, MAX_NAME, at, "apiVersion");
        faults.opt_list(self.resources.as_ref(), MAX_RESOURCES, at, "resources");
        faults.opt_list(self.cust_operations.as_ref(), MAX_RESOURCES, at, "custOperations");
        faults.done()
    }
}

impl Validate for InterfaceDescription {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.ipv4_addr.is_some(), self.ipv6_addr.is_some(), self.fqdn.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of ipv4Addr, ipv6Addr, fqdn");
        faults.address(self.ipv4_addr.as_ref(), is_ipv4, at, "ipv4Addr");
        faults.address(self.ipv6_addr.as_ref(), is_ipv6, at, "ipv6Addr");
        faults.address(self.fqdn.as_ref(), is_fqdn, at, "fqdn");
        if let Some(prefix) = &self.api_prefix {
            faults.text(prefix, MAX_URI, at, "apiPrefix");
            faults.require(prefix.starts_with('/'), at, "apiPrefix", "must start with a slash");
        }
        methods(&mut faults, self.security_methods.as_ref(), self.grant_types.as_ref(), at);
        faults.done()
    }
}

impl Validate for AefLocation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(address) = &self.civic_addr {
            let texts = address.as_object().is_some_and(|members| members.values().all(Value::is_string));
            faults.require(texts, at, "civicAddr", "is not an object of texts");
            faults.require(address.to_string().len() <= MAX_CIVIC, at, "civicAddr", "is too long");
        }
        faults.part(self.geo_area.as_ref(), at, "geoArea");
        faults.opt_text(self.dc_id.as_ref(), MAX_NAME, at, "dcId");
        faults.done()
    }
}

impl Validate for ServiceKpis {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        for (key, text, units) in [
            ("avalComp", &self.aval_comp, &FLOPS[..]),
            ("avalGraComp", &self.aval_gra_comp, &FLOPS[..]),
            ("avalMem", &self.aval_mem, &BYTES[..]),
            ("avalStor", &self.aval_stor, &BYTES[..]),
        ] {
            if let Some(text) = text {
                faults.require(is_quantity(text, units), at, key, "is not a number and a unit");
            }
        }
        faults.done()
    }
}

impl Validate for AefProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.versions, MAX_VERSIONS, at, "versions");
        let versions: Vec<_> = self.versions.iter().map(|version| &version.api_version).collect();
        faults.distinct(&versions, &child(at, "versions"));
        faults.opt_word(self.protocol.as_ref().map(Protocol::as_str), at, "protocol");
        faults.opt_word(self.data_format.as_ref().map(DataFormat::as_str), at, "dataFormat");
        methods(&mut faults, self.security_methods.as_ref(), self.grant_types.as_ref(), at);
        let present = [self.domain_name.is_some(), self.interface_descriptions.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of domainName, interfaceDescriptions");
        faults.opt_text(self.domain_name.as_ref(), MAX_NAME, at, "domainName");
        faults.opt_list(self.interface_descriptions.as_ref(), MAX_INTERFACES, at, "interfaceDescriptions");
        faults.part(self.aef_location.as_ref(), at, "aefLocation");
        faults.part(self.service_kpis.as_ref(), at, "serviceKpis");
        faults.part(self.ue_ip_range.as_ref(), at, "ueIpRange");
        faults.merge(self.vendor_specific.validate(at));
        faults.done()
    }
}
