//! The page on which users keep their passkeys.

use askama::Template;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use service_http::ambient::Ambient;
use store::passkeys::PasskeyRow;

use super::challenge;
use crate::sim_s::authorize::page::{SCRIPT, STYLE, html};

#[derive(Template)]
#[template(path = "passkeys.html")]
struct PasskeysTemplate<'a> {
    nonce: &'a str,
    style: &'static str,
    script: &'static str,
    interaction: &'a str,
    notice: Option<&'static str>,
    failed: bool,
    /// Challenge and relying party of the form by which somebody signs in.
    challenge: String,
    relying_party: &'a str,
    account: Option<Account<'a>>,
}

/// Whose passkeys.
struct Account<'a> {
    user: &'a str,
    handle: String,
    passkeys: Vec<Shown>,
    exclude: String,
}

/// A passkey as it is listed.
struct Shown {
    id: String,
    label: String,
    created: String,
    used: String,
}

/// The form by which the user signs in, and why the last try failed.
pub(super) fn sign_in(
    interaction: &str,
    relying_party: &str,
    failed: Option<&'static str>,
    ambient: &Ambient,
) -> Response {
    let status = if failed.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    render((interaction, relying_party), (failed, failed.is_some()), None, status, ambient)
}

/// What the page says of the last thing that was done, and whether it failed.
pub(super) type Notice = Option<(&'static str, bool)>;

/// The passkeys of an account.
pub(super) fn list(
    (user, handle): (&str, &[u8]),
    rows: &[PasskeyRow],
    interaction: &str,
    relying_party: &str,
    notice: Notice,
    ambient: &Ambient,
) -> Response {
    let passkeys: Vec<Shown> = rows.iter().map(shown).collect();
    let exclude = passkeys.iter().map(|one| one.id.as_str()).collect::<Vec<_>>().join(" ");
    let account = Account { user, handle: URL_SAFE_NO_PAD.encode(handle), passkeys, exclude };
    let failed = notice.is_some_and(|(_, failed)| failed);
    let status = if failed { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let notice = (notice.map(|(text, _)| text), failed);
    render((interaction, relying_party), notice, Some(account), status, ambient)
}

fn render(
    (interaction, relying_party): (&str, &str),
    (notice, failed): (Option<&'static str>, bool),
    account: Option<Account<'_>>,
    status: StatusCode,
    ambient: &Ambient,
) -> Response {
    let nonce = ambient.random_id();
    let template = PasskeysTemplate {
        nonce: &nonce,
        style: STYLE,
        script: SCRIPT,
        interaction,
        notice,
        failed,
        challenge: challenge(interaction),
        relying_party,
        account,
    };
    html(status, template.render().ok(), &nonce, Some("'self'"))
}

fn shown(row: &PasskeyRow) -> Shown {
    Shown {
        id: URL_SAFE_NO_PAD.encode(&row.credential_id),
        label: row.label.clone(),
        created: day(row.created_s),
        used: row.used_s.map_or_else(|| "never".to_owned(), day),
    }
}

fn day(at_s: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(at_s).map_or_else(|_| String::new(), |at| at.date().to_string())
}
