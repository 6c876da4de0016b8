//! An operator logs out: the session ends here, and the grant at the SIM-S (RFC 7009).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;

use super::Console;
use super::browser::{self, SESSION};
use super::sessions::Operator;

/// `POST /logout`
pub(super) async fn logout(State(console): State<Console>, operator: Operator) -> Response {
    end(&console, &operator).await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(browser::set_cookie(SESSION, "").map(|value| (SET_COOKIE, value)));
    response
}

/// Ends a session. That the SIM-S does not answer keeps nobody logged in.
pub(super) async fn end(console: &Console, operator: &Operator) {
    console.sessions().close(operator);
    let Some(refresh) = operator.tokens.lock().await.take_refresh() else { return };
    let revoked = match console.sim().await {
        Ok(sim) => sim.revoke(&refresh).await,
        Err(error) => Err(error),
    };
    if let Err(error) = revoked {
        tracing::warn!(%error, "a grant could not be revoked at the end of a session; it ends by its age");
    }
}
