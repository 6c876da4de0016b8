//! `GET` and `POST /passkeys`: a user signs in, and adds and removes passkeys.
//!
//! A passkey must be worth more than the password. So the password opens the page of an account that has none yet, and
//! adds the first; from then on a passkey of the account is needed to add or remove one (decision 0060).
//!
//! Each page stands on the interaction within it, which is answered once: it says who has signed in, and is the challenge
//! of a passkey that is added.

use authorization::Reason;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jose::sha256;
use serde::{Deserialize, Serialize};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use store::passkeys::{self, PasskeyRow};
use store::{Sql, sessions, users};

use super::ceremony::{self, Created, Expected};
use super::page::{self, Notice};
use super::{challenge, read, relying_party};
use crate::sim_s::SimServer;
use crate::sim_s::authorize::{browser, login, page as pages};
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::form::Form;

/// Passkeys of one account. Own value.
const MOST: usize = 20;

/// Longest word for a passkey, in characters. Own value.
const MAX_LABEL: usize = 64;

/// Wrong answers that one form may get. Own value.
const MAX_ATTEMPTS: i64 = 20;

/// What an interaction of this page stands for; no authentication request has these members.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    /// Who has signed in.
    passkeys_of: Option<String>,
    /// What authenticators know the account by.
    handle: Vec<u8>,
    /// Whether that was by a passkey of the account.
    #[serde(default)]
    by_passkey: bool,
}

/// `GET /passkeys`.
pub(crate) async fn show(State(sim): State<SimServer>) -> Response {
    let handle = sim.kit().ambient.random_secret().into_bytes();
    match begin(&sim, &Visit { passkeys_of: None, handle, by_passkey: false }).await {
        Ok(id) => page::sign_in(&id, &host(&sim), None, &sim.kit().ambient),
        Err(error) => pages::error(&error, &sim.kit().ambient),
    }
}

/// `POST /passkeys`.
pub(crate) async fn answer(
    State(sim): State<SimServer>,
    ctx: Ctx,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answered = match Form::of_body(&headers, &body) {
        Ok(form) => answered(&sim, &ctx, &headers, &form).await,
        Err(error) => Err(error.into()),
    };
    answered.unwrap_or_else(|error| pages::error(&error, &sim.kit().ambient))
}

async fn answered(
    sim: &SimServer,
    ctx: &Ctx,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Response, OAuthError> {
    if !browser::is_same_origin(headers, &sim.config().issuer) {
        ctx.fail("origin of the form", "own page", "another site");
        return Err(OAuthError::new(ErrorCode::InvalidRequest, Reason::CrossSite));
    }
    let id = form.one("interaction").unwrap_or_default();
    let (id_hash, now_s) = (sha256(id.as_bytes()), sim.now_s());
    let found = sim
        .kit()
        .store
        .read(|tx| Box::pin(async move { sessions::find_interaction(tx, &id_hash, now_s).await }))
        .await?;
    let interaction = found.ok_or(void())?;
    if sim.is_over(interaction.expires_s, sim.config().interaction_s) {
        return Err(void());
    }
    let visit: Visit = serde_json::from_str(&interaction.request).map_err(|_| void())?;
    match visit.passkeys_of.clone() {
        None => sign_in(sim, ctx, form, id, visit).await,
        Some(user) => change(sim, ctx, form, id, Owner::of(user, visit)).await,
    }
}

async fn sign_in(
    sim: &SimServer,
    ctx: &Ctx,
    form: &Form,
    id: &str,
    visit: Visit,
) -> Result<Response, OAuthError> {
    let sent = form.one("passkey").filter(|sent| !sent.is_empty());
    let found = match sent {
        Some(sent) => super::login::authenticate(sim, ctx, login::source(ctx), id, sent).await?,
        None => {
            let name = form.one("username").unwrap_or_default();
            let password = form.one("password").unwrap_or_default();
            let found = login::authenticate(sim, ctx, name, password).await?;
            if found.is_none() {
                ctx.fail("credentials", "user name and password", "wrong");
            }
            found
        }
    };
    let by_passkey = sent.is_some();
    let id_hash = sha256(id.as_bytes()).to_vec();
    let Some(user) = found else {
        let count = sim.kit().store.write(move |tx| {
            Box::pin(async move {
                sessions::count_wrong(tx, &id_hash, MAX_ATTEMPTS).await.map_err(OAuthError::from)
            })
        });
        count.await?;
        return Ok(not_let_in(sim, id, if by_passkey { PASSKEY_UNKNOWN } else { PASSWORD_WRONG }));
    };
    let (user_id, now_s) = (user.user_id.as_str().to_owned(), sim.now_s());
    let name = user_id.clone();
    let rows: Option<Vec<PasskeyRow>> = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let rows = passkeys::of_user(tx, &name).await?;
                if !by_passkey && !rows.is_empty() {
                    return Ok(None);
                }
                if !sessions::consume_interaction(tx, &id_hash, now_s).await? {
                    return Err(void());
                }
                Ok(Some(rows))
            })
        })
        .await?;
    let Some(rows) = rows else {
        ctx.fail("credentials", "a passkey of the account", "a password");
        return Ok(not_let_in(sim, id, PASSKEY_WANTED));
    };
    let handle = rows.first().map_or(visit.handle, |row| row.user_handle.clone());
    listed(sim, Owner { user: user_id, handle, by_passkey }, &rows, None).await
}

/// Whose page it is, and how it was opened.
struct Owner {
    user: String,
    handle: Vec<u8>,
    by_passkey: bool,
}

impl Owner {
    fn of(user: String, visit: Visit) -> Self {
        Self { user, handle: visit.handle, by_passkey: visit.by_passkey }
    }
}

const PASSWORD_WRONG: &str = "User name or password is wrong.";
const PASSKEY_UNKNOWN: &str = "This passkey is not known here.";
const PASSKEY_WANTED: &str =
    "This account has a passkey. Sign in with it; an administrator can remove one that is lost.";

/// The form again, with the reason.
fn not_let_in(sim: &SimServer, id: &str, why: &'static str) -> Response {
    let mut response = page::sign_in(id, &host(sim), Some(why), &sim.kit().ambient);
    let error = OAuthError::new(ErrorCode::AccessDenied, Reason::CredentialsWrong);
    let record = error.record(response.status().as_u16());
    response.extensions_mut().insert(record);
    response
}

fn host(sim: &SimServer) -> String {
    relying_party(&sim.config().issuer).unwrap_or_default()
}

/// What a signed-in user asks for.
enum Change {
    Add(Created, String),
    Remove(Vec<u8>),
}

async fn change(
    sim: &SimServer,
    ctx: &Ctx,
    form: &Form,
    id: &str,
    mut owner: Owner,
) -> Result<Response, OAuthError> {
    let malformed = || OAuthError::malformed();
    let wanted = match (form.one("passkey"), form.one("remove")) {
        (Some(sent), None) => {
            let label = form.one("label").unwrap_or("passkey").to_owned();
            if label.chars().count() > MAX_LABEL || label.chars().any(char::is_control) {
                return Err(malformed());
            }
            Change::Add(read(sent).map_err(|_| malformed())?, label)
        }
        (None, Some(id)) => Change::Remove(URL_SAFE_NO_PAD.decode(id).map_err(|_| malformed())?),
        _ => return Err(malformed()),
    };
    let (server, ctx, id, name, known) =
        (sim.clone(), ctx.clone(), id.to_owned(), owner.user.clone(), owner.handle.clone());
    let by_passkey = owner.by_passkey;
    let (rows, notice): (Vec<PasskeyRow>, Notice) = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let now_s = server.now_s();
                if !sessions::consume_interaction(tx, &sha256(id.as_bytes()), now_s).await? {
                    return Err(void());
                }
                // The account may be gone since.
                if users::find(tx, &name).await?.is_none() {
                    return Err(void());
                }
                // Or have its first passkey since, which somebody else has who knows the password.
                if !by_passkey && !passkeys::of_user(tx, &name).await?.is_empty() {
                    ctx.fail("credentials", "a passkey of the account", "a password");
                    return Err(void());
                }
                let notice = match wanted {
                    Change::Add(created, label) => {
                        let row = PasskeyRow {
                            credential_id: Vec::new(),
                            user_id: name.clone(),
                            user_handle: known,
                            public_key: Vec::new(),
                            sign_count: 0,
                            label,
                            created_s: now_s,
                            used_s: None,
                        };
                        add(tx, &server, &ctx, &challenge(&id), &created, row).await?
                    }
                    Change::Remove(credential_id) => remove(tx, &ctx, &name, &credential_id).await?,
                };
                Ok((passkeys::of_user(tx, &name).await?, notice))
            })
        })
        .await?;
    // Who has just added the first one has a passkey of the account.
    owner.by_passkey |= !rows.is_empty();
    listed(sim, owner, &rows, notice).await
}

async fn add(
    tx: &mut dyn Sql,
    sim: &SimServer,
    ctx: &Ctx,
    challenge: &str,
    created: &Created,
    row: PasskeyRow,
) -> Result<Notice, OAuthError> {
    let origin = &sim.config().issuer;
    let host = host(sim);
    let expected = Expected { challenge, origin, relying_party: &host };
    let (key, sign_count) = match ceremony::registered(&expected, created) {
        Ok(made) => made,
        Err(error) => {
            ctx.fail("passkey", "a new ES256 key for this page", error.to_string());
            return Ok(Some(("This passkey cannot be used here.", true)));
        }
    };
    if passkeys::of_user(tx, &row.user_id).await?.len() >= MOST {
        return Ok(Some(("You have 20 passkeys. Remove one first.", true)));
    }
    let row = PasskeyRow { credential_id: key.id, public_key: key.public_key, sign_count, ..row };
    if !passkeys::insert(tx, &row).await? {
        return Ok(Some(("This passkey is here already.", true)));
    }
    record(tx, ctx, &row.user_id, "sim.passkey.add").await?;
    Ok(Some(("The passkey was added.", false)))
}

async fn remove(tx: &mut dyn Sql, ctx: &Ctx, user: &str, credential_id: &[u8]) -> Result<Notice, OAuthError> {
    if !passkeys::remove(tx, user, credential_id).await? {
        return Ok(Some(("There is no such passkey.", true)));
    }
    record(tx, ctx, user, "sim.passkey.remove").await?;
    Ok(Some(("The passkey was removed.", false)))
}

async fn record(tx: &mut dyn Sql, ctx: &Ctx, user: &str, action: &'static str) -> Result<(), OAuthError> {
    let actor = Actor::user(ctx.kit(), user, "passkeys");
    let permit = Permit::new(action).object("passkeys").units(0).status(200);
    ledger::record(tx, ctx, &actor, &permit).await?;
    Ok(())
}

/// The page of an account, on an interaction of its own.
async fn listed(
    sim: &SimServer,
    owner: Owner,
    rows: &[PasskeyRow],
    notice: Notice,
) -> Result<Response, OAuthError> {
    let Owner { user, handle, by_passkey } = owner;
    let id =
        begin(sim, &Visit { passkeys_of: Some(user.clone()), handle: handle.clone(), by_passkey }).await?;
    let mut response = page::list((&user, &handle), rows, &id, &host(sim), notice, &sim.kit().ambient);
    if notice.is_some_and(|(_, failed)| failed) {
        let error = OAuthError::new(ErrorCode::InvalidRequest, Reason::RequestMalformed);
        let record = error.record(response.status().as_u16());
        response.extensions_mut().insert(record);
    }
    Ok(response)
}

async fn begin(sim: &SimServer, visit: &Visit) -> Result<String, OAuthError> {
    let id = sim.kit().ambient.random_secret();
    let request = serde_json::to_string(visit)
        .map_err(|_| OAuthError::new(ErrorCode::ServerError, Reason::StoreFailed))?;
    let interaction = sessions::Interaction {
        id_hash: sha256(id.as_bytes()).to_vec(),
        request,
        browser: None,
        attempts: 0,
        expires_s: sim.now_s().saturating_add(sim.config().interaction_s),
    };
    let kept = sim.kit().store.write(move |tx| {
        Box::pin(async move { sessions::begin(tx, &interaction).await.map_err(OAuthError::from) })
    });
    kept.await?;
    Ok(id)
}

const fn void() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, Reason::GrantWrong)
}
