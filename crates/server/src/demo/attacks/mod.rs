//! The attacks on the procedures: each member of each bundle once, over real sockets, judged by the audit of the run.
//!
//! What is expected is the reason that belongs to the attack, not what the functions happen to answer.

mod area;
mod authz;
mod bind;
mod capif;
mod fixture;
mod forge;
mod grants;
mod holder;
mod inp;
mod login;
mod owner;
mod privacy;
pub(super) mod raw;
mod replay;
mod sim_c;
mod tls;
mod tok;

use std::path::Path;

use anyhow::{Context as _, Result};
use authorization::Reason;
use sdk::{Answer, SdkError, TransportKind};
use serde_json::Value;
use service_http::ambient::Ambient;

use super::observe::Observer;
use super::report::{Attack, Verdict};
use super::{Sample, Table};
use crate::pki::Pki;
use crate::wiring::Running;

/// What stands for a reason where no function saw a request.
pub(super) const CONNECTION_REFUSED: &str = "CONNECTION_REFUSED";

/// What a refusal never has: members of anchors and maps, tokens, payload, what is inside.
#[rustfmt::skip] // a table stays a table
const LEAKS: [&str; 11] = [
    "\"posInfo\":", "\"anchorId\":", "\"smProf\":", "\"results\":", "\"access_token\":", "\"request_uri\":", "glTF", "SELECT ",
    "panicked", ".rs:", "campus.example",
];

/// Where the attacks of one procedure are played.
pub(super) struct Arena<'a> {
    pub(super) sample: &'a Sample,
    pub(super) pki: &'a Pki,
    pub(super) ambient: &'a Ambient,
    pub(super) observer: &'a Observer,
    /// The data directory.
    pub(super) data: &'a Path,
    pub(super) played: Vec<Attack>,
    table: Table,
    procedure: &'static str,
}

/// One attack: which, what it tests, and the reason that belongs to it.
#[derive(Clone, Copy)]
pub(super) struct Case<'m> {
    pub(super) bundle: &'static str,
    pub(super) member: &'m str,
    pub(super) at: &'m str,
    pub(super) rows: &'static [&'static str],
    pub(super) expected: &'static str,
}

impl<'m> Case<'m> {
    /// Refused for `reason`.
    pub(super) fn new(
        bundle: &'static str,
        member: &'m str,
        at: &'m str,
        rows: &'static [&'static str],
        reason: Reason,
    ) -> Self {
        Self { bundle, member, at, rows, expected: reason.as_str() }
    }

    /// Refused before any request can be sent.
    pub(super) fn unconnected(
        bundle: &'static str,
        member: &'m str,
        at: &'m str,
        rows: &'static [&'static str],
    ) -> Self {
        Self { bundle, member, at, rows, expected: CONNECTION_REFUSED }
    }
}

/// Plays the attacks on the procedure of the arena.
///
/// # Errors
/// The preparation of an attack failed.
pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    if arena.procedure == "P1" {
        tls::on_sim(arena).await.context("N-TLS")?;
        login::play(arena).await.context("login")?;
        grants::play(arena).await.context("grants")?;
        return replay::play(arena).await.context("N-REPLAY");
    }
    if arena.procedure == "P3" {
        return capif::play(arena).await.context("N-CAPIF");
    }
    if arena.procedure == "P4" {
        return owner::play(arena).await.context("N-OWNER");
    }
    tls::on_servers(arena).await.context("N-TLS")?;
    tok::play(arena).await.context("N-TOK")?;
    bind::play(arena).await.context("N-BIND")?;
    authz::play(arena).await.context("N-AUTHZ")?;
    inp::play(arena).await.context("N-INP")?;
    area::play(arena).await.context("N-INP of queries")?;
    privacy::play(arena).await.context("N-PRIV")
}

impl<'a> Arena<'a> {
    pub(super) fn new(
        running: &'a Running,
        sample: &'a Sample,
        observer: &'a Observer,
        table: Table,
        procedure: &'static str,
    ) -> Self {
        let (pki, ambient) = (&*running.pki, &running.admin.kit.ambient);
        Self { sample, pki, ambient, observer, data: &running.data, played: Vec::new(), table, procedure }
    }

    /// Judges what came of an attack.
    pub(super) async fn judge(&mut self, case: Case<'_>, outcome: Result<Answer, SdkError>) -> Result<()> {
        self.judge_with(case, outcome, None).await
    }

    /// Likewise; `fault` names what else went wrong: something changed, or answers differ that must not.
    pub(super) async fn judge_with(
        &mut self,
        case: Case<'_>,
        outcome: Result<Answer, SdkError>,
        fault: Option<&str>,
    ) -> Result<()> {
        let (mut got, mut cause, mut status, mut trace) = (String::new(), None, None, None);
        match outcome {
            Ok(answer) => {
                (cause, status, trace) = (cause_of(&answer), Some(answer.status), answer.trace());
                got = self.recorded(&answer).await?;
            }
            Err(error) if is_refused_connection(&error) => CONNECTION_REFUSED.clone_into(&mut got),
            Err(error) => got.push_str(&error.to_string()),
        }
        if let Some(fault) = fault {
            fault.clone_into(&mut got);
        }
        let verdict = if got == case.expected { Verdict::Pass } else { Verdict::Fail };
        let attack = Attack {
            id: format!("{}/{}@{}", case.bundle, case.member, case.at),
            procedure: self.procedure,
            rows: case.rows.to_vec(),
            expected: case.expected.to_owned(),
            got,
            cause,
            status,
            verdict,
            trace,
        };
        self.table.attack(&attack);
        self.played.push(attack);
        Ok(())
    }

    /// The reason that was recorded, or what is wrong with the refusal.
    async fn recorded(&self, answer: &Answer) -> Result<String> {
        let Some(trace) = answer.trace() else { return Ok("NO_TRACE".into()) };
        let audit = self.observer.audit(&trace).await?;
        // That somebody else was told of a refusal is no permit.
        let granted = |item: &api_types::admin::AuditItem| {
            item.verdict == "permit" && !item.action.ends_with(".notify")
        };
        if audit.iter().any(granted) {
            return Ok("GRANTED".into());
        }
        if let Some(leak) = leak(answer) {
            return Ok(format!("LEAKED {leak}"));
        }
        let reason = self.observer.reason(&trace, &audit).await?;
        Ok(reason.unwrap_or_else(|| "NOT_RECORDED".into()))
    }
}

fn is_refused_connection(error: &SdkError) -> bool {
    matches!(error, SdkError::Transport { kind: TransportKind::Connect | TransportKind::Broken, .. })
}

/// The cause on the wire: of problem details, else the error code of OAuth in the body or in the redirect.
fn cause_of(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let told = body["cause"].as_str().or(body["error"].as_str()).map(str::to_owned);
    told.or_else(|| redirected(answer, "error"))
}

/// A parameter of the address to which the answer sends the user agent.
fn redirected(answer: &Answer, name: &str) -> Option<String> {
    let location = url::Url::parse(answer.header("location")?).ok()?;
    location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// What a refusal shows that it must not.
fn leak(answer: &Answer) -> Option<&'static str> {
    if redirected(answer, "code").is_some() {
        return Some("a code");
    }
    let text = String::from_utf8_lossy(&answer.body);
    // A login form says with which client and address the user is dealing.
    let page = answer.header("content-type").is_some_and(|media| media.starts_with("text/html"));
    LEAKS.into_iter().filter(|_| !page).find(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn answer(status: u16, header: Option<(&'static str, &'static str)>, body: &'static str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Answer { status, headers, body: bytes::Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn what_a_refusal_must_not_show_is_seen() {
        let redirect = |to| answer(302, Some(("location", to)), "");
        assert_eq!(leak(&redirect("http://127.0.0.1/cb?code=abc&state=s")), Some("a code"));
        assert_eq!(leak(&redirect("http://127.0.0.1/cb?error=access_denied")), None);
        assert_eq!(leak(&answer(404, None, r#"{"cause":"X","smProf":{"mapId":1}}"#)), Some("\"smProf\":"));
        // Naming the caller's own member is no leak.
        assert_eq!(leak(&answer(400, None, r#"{"invalidParams":[{"param":"/anchors/a/posInfo"}]}"#)), None);
        assert_eq!(leak(&answer(200, Some(("content-type", "text/html")), "client of campus.example")), None);
    }

    #[test]
    fn the_cause_is_found_wherever_it_stands() {
        assert_eq!(
            cause_of(&answer(401, None, r#"{"cause":"INVALID_TOKEN"}"#)).as_deref(),
            Some("INVALID_TOKEN")
        );
        assert_eq!(
            cause_of(&answer(400, None, r#"{"error":"invalid_grant"}"#)).as_deref(),
            Some("invalid_grant")
        );
        let redirect = answer(302, Some(("location", "http://127.0.0.1/cb?error=invalid_scope")), "");
        assert_eq!(cause_of(&redirect).as_deref(), Some("invalid_scope"));
        assert_eq!(cause_of(&answer(500, None, "<html>")), None);
    }
}
