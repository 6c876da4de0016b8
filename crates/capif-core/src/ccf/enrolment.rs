//! What lets somebody onboard or register, once: made by an operator over `admin`, shown as a bearer credential or as
//! `regSec` (TS 33.122 6.1; sheet 1, "Who authenticates how"). There is no password that works at the first start.

use api_types::DateTime;
use api_types::admin::{Enrolment, EnrolmentCreated, EnrolmentKind};
use api_types::capif::EnrolmentId;
use api_types::secret::Secret;
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jose::sha256;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::enrolments::{self, EnrolmentRow};

use super::CcfServer;
use super::identifier::{Realm, fresh};

impl CcfServer {
    /// POST `/enrolments`. The secret is kept as its SHA-256 and told this once.
    ///
    /// # Errors
    /// Members at fault; the store fails.
    pub async fn enrol(&self, body: &Enrolment) -> Result<EnrolmentCreated, Refusal> {
        body.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let ambient = &self.kit().ambient;
        let (id, secret) = (fresh("ENR", ambient), ambient.random_secret());
        let id: EnrolmentId = id.try_into().map_err(|_| Refusal::open(Reason::StoreFailed))?;
        let expires_s = self.now_s().saturating_add(i64::from(body.expires_in_s));
        let row = EnrolmentRow {
            enrolment_id: id.as_str().to_owned(),
            kind: body.kind.as_str().to_owned(),
            name: body.name.clone(),
            apis: body.apis.iter().map(|api| api.as_str().to_owned()).collect(),
            secret_sha256: sha256(secret.as_bytes()).to_vec(),
            expires_s,
            used_s: None,
        };
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move { enrolments::insert(tx, &row).await.map_err(Refusal::from) })
            })
            .await?;
        Ok(EnrolmentCreated {
            enrolment_id: id,
            secret: Secret::new(secret),
            expires_at: DateTime::from_unix(expires_s),
        })
    }
}

/// The one bearer credential of a request.
///
/// # Errors
/// `TOKEN_MISSING` for none, two, or one of another scheme.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Secret, Refusal> {
    let missing = || Refusal::open(Reason::TokenMissing);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(missing()) };
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, credential) = text.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") || credential.is_empty() {
        return Err(missing());
    }
    Ok(Secret::new(credential))
}

/// The enrolment that a secret is of, if it can still be used.
///
/// # Errors
/// `CREDENTIALS_WRONG` for an unknown, used or expired one, and for one of the other kind: nobody learns which.
pub(crate) async fn of_secret(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    secret: &Secret,
    kind: EnrolmentKind,
    now_s: i64,
) -> Result<EnrolmentRow, Refusal> {
    const EXPECTED: &str = "the secret of an enrolment of this kind, unused and in force";
    // At the listener for OpenCAPIF clients one kind opens both, and no other opens anything.
    let wanted = match Realm::of_listener(ctx) {
        Realm::Native => kind,
        Realm::OpenCapif => EnrolmentKind::OpenCapif,
    };
    let found = enrolments::by_secret(tx, &sha256(secret.expose().as_bytes())).await?;
    let seen = match &found {
        None => "one that is not on record",
        Some(row) if row.kind != wanted.as_str() => "one of another kind",
        Some(row) if row.used_s.is_some() => "one that was used",
        Some(row) if row.expires_s <= now_s => "one that has expired",
        Some(_) => "held",
    };
    match found {
        Some(row) if seen == "held" => {
            ctx.pass("enrolment", EXPECTED, seen);
            Ok(row)
        }
        _ => {
            ctx.fail("enrolment", EXPECTED, seen);
            Err(Refusal::open(Reason::CredentialsWrong))
        }
    }
}

/// Uses an enrolment up, in the transaction that grants.
///
/// # Errors
/// `CREDENTIALS_WRONG` when somebody else was faster.
pub(crate) async fn use_up(tx: &mut dyn Sql, enrolment: &str, now_s: i64) -> Result<(), Refusal> {
    if enrolments::consume(tx, enrolment, now_s).await? {
        Ok(())
    } else {
        Err(Refusal::open(Reason::CredentialsWrong))
    }
}
