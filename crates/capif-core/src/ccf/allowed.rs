//! The service APIs that an API invoker may use: what its enrolment names, of what is published. An enrolment that names
//! none allows all.

use api_types::capif::invoker::{APIList, EnrolFailCause, EnrolFailReason};

use super::identifier::Realm;
use super::published;
use service_http::refusal::Refusal;
use store::capif::enrolments;
use store::{Sql, StoreError};

/// Whether an enrolment allows an API.
pub(crate) fn allows(apis: &[String], name: &str) -> bool {
    apis.is_empty() || apis.iter().any(|api| api == name)
}

/// The APIs that an enrolment names. One that is not there allows nothing: its absence must not read as "all".
///
/// # Errors
/// The store fails; the enrolment is gone.
pub(crate) async fn apis_of(tx: &mut dyn Sql, enrolment: &str) -> Result<Vec<String>, StoreError> {
    let row = enrolments::find(tx, enrolment).await?;
    row.map(|row| row.apis).ok_or(StoreError::Damaged("the enrolment of a party is gone"))
}

/// Of the service APIs that an API invoker asks for, those that it gets, as they are published, and why not the others
/// (TS 29.222 8.4.4.2.2). Who asks for none is told of none: it discovers.
///
/// # Errors
/// The store fails.
pub(crate) async fn enrolled(
    tx: &mut dyn Sql,
    realm: Realm,
    apis: &[String],
    asked: Option<APIList>,
) -> Result<(Option<APIList>, Option<Vec<EnrolFailReason>>), Refusal> {
    let Some(asked) = asked.and_then(|list| list.service_api_descriptions) else { return Ok((None, None)) };
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for asked in asked {
        let name = asked.api_name;
        let mut published = match allows(apis, name.as_str()) {
            true => published::of_name(tx, name.as_str()).await?,
            false => Vec::new(),
        };
        published.retain(|api| Realm::of_api(api) == realm);
        if published.is_empty() {
            // Not there and not allowed are one answer.
            failures
                .push(EnrolFailReason { api_name: name, failure_code: EnrolFailCause::AuthorizationIssue });
        }
        found.extend(published);
    }
    let list = APIList { service_api_descriptions: (!found.is_empty()).then_some(found) };
    Ok((Some(list), (!failures.is_empty()).then_some(failures)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enrolment_without_names_allows_all() {
        let some = ["ssan-sanm".to_owned()];
        assert!(allows(&[], "ssan-sanm") && allows(&some, "ssan-sanm"));
        assert!(!allows(&some, "ssan-disc") && !allows(&some, "ssan-san") && !allows(&some, ""));
    }
}
