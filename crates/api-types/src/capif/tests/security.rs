use serde_json::json;

use super::*;
use crate::capif::aef_security::{
    CheckAuthenticationReq, CheckAuthenticationRsp, RevokeAuthorizationReq, RevokeAuthorizationRsp,
};
use crate::capif::profile::MAX_METHODS;
use crate::capif::security::{
    MAX_SECURITY_INFO, SecurityInformation, SecurityNotification, SecurityTarget, ServiceSecurity,
};
use crate::capif::token::{
    AccessTokenErr, AccessTokenReq, AccessTokenRsp, GrantType, MAX_DETAILS, MAX_SCOPE, ResOwnerId,
};
use crate::capif::{MAX_LIST, MAX_PEM, MAX_SECRET, MAX_TOKEN};
use crate::query::Query;

#[test]
fn samples_go_through_unchanged() {
    unchanged::<ServiceSecurity>(&sample!("capif_body/ServiceSecurity.json"));
    unchanged::<SecurityNotification>(&sample!("capif_body/SecurityNotification.json"));
    unchanged::<AccessTokenRsp>(&sample!("capif_body/AccessTokenRsp.json"));
    unchanged::<AccessTokenErr>(&sample!("capif_body/AccessTokenErr.json"));
    unchanged::<CheckAuthenticationReq>(&sample!("capif_body/CheckAuthenticationReq.json"));
    unchanged::<CheckAuthenticationRsp>(&sample!("capif_body/CheckAuthenticationRsp.json"));
    unchanged::<RevokeAuthorizationReq>(&sample!("capif_body/RevokeAuthorizationReq.json"));
    unchanged::<RevokeAuthorizationRsp>(&sample!("capif_body/RevokeAuthorizationRsp.json"));
}

#[test]
fn a_spoilt_context_is_refused() {
    let context = sample!("capif_body/ServiceSecurity.json");
    let entry = context["securityInfo"][1].clone();
    #[rustfmt::skip] // a table stays a table
    refused::<ServiceSecurity>(&context, vec![
        ("no entries", "/securityInfo", Gone, "/securityInfo"), ("empty entries", "/securityInfo", many(0, 0), "/securityInfo"),
        ("too many entries", "/securityInfo", many(entry, MAX_SECURITY_INFO + 1), "/securityInfo"),
        ("neither interface nor function", "/securityInfo/0/aefId", Gone, "/securityInfo/0"),
        ("interface and function", "/securityInfo/1/aefId", set("AEF1"), "/securityInfo/1"),
        ("interface", "/securityInfo/1/interfaceDetails/port", set(-1), "/securityInfo/1/interfaceDetails/port"),
        ("interface with two addresses", "/securityInfo/1/interfaceDetails/ipv6Addr", set("::1"), "/securityInfo/1/interfaceDetails"),
        ("function", "/securityInfo/0/aefId", set("AEF:1"), "/securityInfo/0/aefId"),
        ("API", "/securityInfo/0/apiId", set("a;b"), "/securityInfo/0/apiId"),
        ("no preference", "/securityInfo/0/prefSecurityMethods", Gone, "/securityInfo/0/prefSecurityMethods"),
        ("empty preference", "/securityInfo/0/prefSecurityMethods", many("", 0), "/securityInfo/0/prefSecurityMethods"),
        ("too many preferences", "/securityInfo/0/prefSecurityMethods", many("PKI", MAX_METHODS + 1), "/securityInfo/0/prefSecurityMethods"),
        ("empty choice", "/securityInfo/0/selSecurityMethod", set(""), "/securityInfo/0/selSecurityMethod"),
        ("long authentication", "/securityInfo/0/authenticationInfo", long(MAX_PEM + 1), "/securityInfo/0/authenticationInfo"),
        ("long authorization", "/securityInfo/0/authorizationInfo", long(MAX_PEM + 1), "/securityInfo/0/authorizationInfo"),
        ("no grant type", "/securityInfo/0/grantType", many("", 0), "/securityInfo/0/grantType"),
        ("no destination", "/notificationDestination", Gone, "/notificationDestination"),
        ("no URI", "/notificationDestination", set("x y:z"), "/notificationDestination"),
        ("address", "/websockNotifConfig/websocketUri", set(""), "/websockNotifConfig/websocketUri"),
        ("features", "/supportedFeatures", set("zz"), "/supportedFeatures"),
    ]);
    let context: ServiceSecurity = read(context).unwrap();
    assert!(
        matches!(context.security_info[0].target(), Some(SecurityTarget::Aef(aef)) if aef.as_str() == "AEF1")
    );
    assert!(matches!(context.security_info[1].target(), Some(SecurityTarget::Interface(_))));
    let both =
        SecurityInformation { aef_id: Some("AEF1".parse().unwrap()), ..context.security_info[1].clone() };
    assert_eq!(both.target(), None);
}

#[test]
fn a_spoilt_revocation_is_refused() {
    let notice = sample!("capif_body/SecurityNotification.json");
    #[rustfmt::skip] // a table stays a table
    refused::<SecurityNotification>(&notice, vec![
        ("no invoker", "/apiInvokerId", Gone, "/apiInvokerId"), ("invoker", "/apiInvokerId", set(""), "/apiInvokerId"),
        ("function", "/aefId", set("x y"), "/aefId"),
        ("no API", "/apiIds", Gone, "/apiIds"), ("empty APIs", "/apiIds", many("", 0), "/apiIds"),
        ("too many APIs", "/apiIds", many("A", MAX_LIST + 1), "/apiIds"), ("API", "/apiIds/1", set("*"), "/apiIds/1"),
        ("empty token", "/accessToken", set(""), "/accessToken"), ("long token", "/accessToken", long(MAX_TOKEN + 1), "/accessToken"),
        ("no cause", "/cause", Gone, "/cause"), ("empty cause", "/cause", set(""), "/cause"),
    ]);
    let told: SecurityNotification = read(notice).unwrap();
    assert!(!format!("{told:?}").contains("eyJ"));
    let request = sample!("capif_body/RevokeAuthorizationReq.json");
    #[rustfmt::skip] // a table stays a table
    refused::<RevokeAuthorizationReq>(&request, vec![
        ("nothing", "/revokeInfo", Gone, "/revokeInfo"), ("inside", "/revokeInfo/apiIds", many("", 0), "/revokeInfo/apiIds"),
        ("no features", "/supportedFeatures", Gone, "/supportedFeatures"),
    ]);
    let request = sample!("capif_body/CheckAuthenticationReq.json");
    #[rustfmt::skip] // a table stays a table
    refused::<CheckAuthenticationReq>(&request, vec![
        ("no invoker", "/apiInvokerId", Gone, "/apiInvokerId"), ("no features", "/supportedFeatures", Gone, "/supportedFeatures"),
    ]);
}

#[test]
fn a_spoilt_answer_is_refused() {
    let answer = sample!("capif_body/AccessTokenRsp.json");
    #[rustfmt::skip] // a table stays a table
    refused::<AccessTokenRsp>(&answer, vec![
        ("no token", "/access_token", Gone, "/access_token"), ("empty token", "/access_token", set(""), "/access_token"),
        ("no type", "/token_type", Gone, "/token_type"), ("another type", "/token_type", set("DPoP"), "/token_type"),
        ("no life", "/expires_in", Gone, "/expires_in"), ("negative life", "/expires_in", set(-1), "/expires_in"),
        ("long scope", "/scope", long(MAX_SCOPE + 1), "/scope"),
    ]);
    let refusal = sample!("capif_body/AccessTokenErr.json");
    #[rustfmt::skip] // a table stays a table
    refused::<AccessTokenErr>(&refusal, vec![
        ("no error", "/error", Gone, "/error"), ("empty error", "/error", set(""), "/error"), ("empty text", "/error_description", set(""), "/error_description"),
    ]);
}

fn form(text: &str) -> Result<AccessTokenReq, Vec<String>> {
    let form = Query::parse(text).unwrap();
    AccessTokenReq::from_form(|name| form.raw(name))
        .map_err(|faults| faults.into_iter().map(|fault| fault.param).collect())
}

#[test]
fn forms_are_read() {
    let request = form(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/capif_token_form/credentials.txt"
    )))
    .unwrap();
    assert_eq!(
        (request.grant_type.clone(), request.client_id.as_str()),
        (GrantType::ClientCredentials, "INV1")
    );
    assert_eq!(request.scope.as_deref(), Some("3gpp#AEF1:ssan-sanm,ssan-disc"));
    assert_eq!(request.authorization_details, Some(vec![json!({"type": "3gpp_spatial_anchor"})]));
    assert_eq!((request.ask_mode.as_deref(), request.scope_mode.as_deref()), (Some("poll"), Some("flat")));
    assert!(!format!("{request:?}").contains("s3cret"));
    let request = form(include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/capif_token_form/code.txt"
    )))
    .unwrap();
    assert_eq!(request.grant_type, GrantType::AuthorizationCode);
    assert_eq!(request.auth_code.unwrap().expose(), "c0de");
    assert_eq!(request.res_owner_id.unwrap().gpsi.as_str(), "msisdn-491700000000");
    assert_eq!(request.redirect_uri.as_deref(), Some("https://vs-1.example/cb"));
    // An empty member is an absent one.
    let request = form("grant_type=client_credentials&client_id=INV1&scope=&client_secret=").unwrap();
    assert_eq!((request.scope, request.client_secret), (None, None));
    assert!(!form("grant_type=password&client_id=INV1").unwrap().grant_type.is_known());
}

#[test]
fn a_spoilt_form_is_refused() {
    const GOOD: &str = "grant_type=client_credentials&client_id=INV1";
    let more = |text: &str| format!("{GOOD}&{text}");
    assert!(form(GOOD).is_ok());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no grant", "client_id=INV1".to_owned(), "grant_type"), ("no client", "grant_type=client_credentials".into(), "client_id"),
        ("empty client", "grant_type=client_credentials&client_id=".into(), "client_id"),
        ("client", "grant_type=client_credentials&client_id=a:b".into(), "client_id"),
        ("long secret", more(&format!("client_secret={}", "x".repeat(MAX_SECRET + 1))), "client_secret"),
        ("long scope", more(&format!("scope={}", "x".repeat(MAX_SCOPE + 1))), "scope"),
        ("long verifier", more(&format!("code_verifier={}", "x".repeat(129))), "code_verifier"),
        ("two codes", more("authCode=a&code=b"), "authCode"),
        ("two owners", more("resOwnerId=msisdn-1&gpsi=msisdn-2"), "resOwnerId"),
        ("owner without GPSI", more("resOwnerId=%7B%7D"), "resOwnerId"),
        ("GPSI twice", more("resOwnerId=%7B%22gpsi%22:%22a%22,%22gpsi%22:%22b%22%7D"), "resOwnerId"),
        ("owner with a blank", more("resOwnerId=a+b"), "resOwnerId"),
        ("details that are no list", more("authorization_details=%7B%7D"), "authorization_details"),
        ("details that are no JSON", more("authorization_details=%5B"), "authorization_details"),
        ("details with a member twice", more("authorization_details=%5B%7B%22a%22:1,%22a%22:2%7D%5D"), "authorization_details"),
        ("long details", more(&format!("authorization_details=%5B{}1%5D", "1,".repeat(MAX_DETAILS / 2))), "authorization_details"),
    ];
    for (what, text, param) in rows {
        // The form is longer than a query may be in two rows.
        let pairs: Vec<_> = text.split('&').collect();
        let decoded: Vec<_> = pairs
            .iter()
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap();
                let value =
                    value.replace("%7B", "{").replace("%7D", "}").replace("%5B", "[").replace("%5D", "]");
                (name.to_owned(), value.replace("%22", "\"").replace('+', " "))
            })
            .collect();
        let found = AccessTokenReq::from_form(|name| {
            decoded.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        });
        assert_eq!(found.unwrap_err()[0].param, param, "{what}");
    }
    for (text, good) in [
        ("msisdn-1", true),
        ("{\"gpsi\":\"msisdn-1\"}", true),
        (" {\"gpsi\":\"msisdn-1\"}", true),
        ("[\"a\"]", false),
        ("\"a\"", false),
        ("", false),
    ] {
        assert_eq!(ResOwnerId::from_form(text).is_ok(), good, "{text}");
    }
}
