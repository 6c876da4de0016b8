//! The functions of a domain: which are new, which keep their certificate, which get another one, which are gone.

use std::collections::BTreeSet;

use api_types::capif::provider::APIProviderFunctionDetails;
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{child, item};
use authorization::Reason;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::certificates::CertificateRow;
use store::capif::providers::FunctionRow;

use crate::ccf::CcfServer;
use crate::ccf::certificates::{CertificateError, Named};

/// Functions with their certificates, and the records that belong to them.
pub(crate) struct Certified {
    /// As they are answered, in the order of the request.
    pub(crate) functions: Vec<APIProviderFunctionDetails>,
    /// Their records.
    pub(crate) rows: Vec<FunctionRow>,
    /// Certificates that were issued now.
    pub(crate) certificates: Vec<CertificateRow>,
    /// Functions whose former certificate is replaced.
    pub(crate) renewed: Vec<String>,
    /// Why functions were not registered.
    pub(crate) fail_reason: Option<String>,
}

/// Certifies `functions`; those of `present` that come with the same key keep their certificate.
///
/// # Errors
/// A signing request that is refused, a function that is not of this domain, one named twice.
pub(crate) fn certify(
    ccf: &CcfServer,
    registration: &str,
    functions: Vec<APIProviderFunctionDetails>,
    present: &[APIProviderFunctionDetails],
) -> Result<Certified, Refusal> {
    let mut done = Certified {
        functions: Vec::with_capacity(functions.len()),
        rows: Vec::new(),
        certificates: Vec::new(),
        renewed: Vec::new(),
        fail_reason: None,
    };
    let mut named = BTreeSet::new();
    for (index, mut function) in functions.into_iter().enumerate() {
        let here = item(&child("", "apiProvFuncs"), index);
        let Some(role) = function.api_prov_func_role.certificate_role() else {
            // A role of a later release: told, and the others are served (TS 29.222 8.9.4.2.4).
            done.fail_reason = Some("A function has a role that is not served.".to_owned());
            function.api_prov_func_id = None;
            function.reg_info.api_prov_cert = None;
            done.functions.push(function);
            continue;
        };
        let role: CertRole = role.as_str().parse().map_err(|_| Refusal::open(Reason::StoreFailed))?;
        let known =
            match &function.api_prov_func_id {
                None => None,
                Some(id) => {
                    let of_domain = |known: &&APIProviderFunctionDetails| {
                        known.api_prov_func_id.as_ref() == Some(id)
                            && known.api_prov_func_role == function.api_prov_func_role
                    };
                    let known = present.iter().find(of_domain);
                    Some(known.ok_or_else(|| {
                        wrong(&child(&here, "apiProvFuncId"), "is no function of this domain")
                    })?)
                }
            };
        let id = match known.and_then(|known| known.api_prov_func_id.clone()) {
            Some(id) => id,
            None => ccf.identifier(&role.as_str().to_ascii_uppercase()),
        };
        if !named.insert(id.clone()) {
            return Err(wrong(&child(&here, "apiProvFuncId"), "is named twice"));
        }
        let same_key =
            known.is_some_and(|known| known.reg_info.api_prov_pub_key == function.reg_info.api_prov_pub_key);
        if let (true, Some(known)) = (same_key, known) {
            function.reg_info.api_prov_cert.clone_from(&known.reg_info.api_prov_cert);
        } else {
            let key_at = child(&child(&here, "regInfo"), "apiProvPubKey");
            let named = Named { role, id: &id, until_s: None };
            let issued = ccf.certificates().issue(&function.reg_info.api_prov_pub_key, named);
            let issued = issued.map_err(|error| refused(error, &key_at))?;
            if known.is_some() {
                done.renewed.push(id.clone());
            }
            done.certificates.push(CertificateRow {
                x5t_s256: issued.x5t_s256,
                role: role.as_str().to_owned(),
                principal: id.clone(),
                registration: registration.to_owned(),
                not_after_s: issued.not_after_s,
                revoked_s: None,
            });
            function.reg_info.api_prov_cert = Some(issued.cert_pem);
        }
        done.rows.push(FunctionRow {
            function_id: id.clone(),
            registration_id: registration.to_owned(),
            role: role.as_str().to_owned(),
        });
        function.api_prov_func_id = Some(id);
        done.functions.push(function);
    }
    Ok(done)
}

/// What is told of a signing request that was not served.
pub(crate) fn refused(error: CertificateError, at: &str) -> Refusal {
    match error {
        CertificateError::RequestRefused => {
            wrong(at, "is no signing request (PKCS#10, PEM) signed by its own key")
        }
        CertificateError::Unavailable => Refusal::open(Reason::KeyUnavailable),
    }
}

pub(crate) fn wrong(at: &str, reason: &'static str) -> Refusal {
    Refusal::input(Cause::MandatoryIeIncorrect, vec![InvalidParam::new(at, reason)])
}
