//! `/clients/{clientId}`.

use api_types::admin::{AuthMethod, Client, ClientCreated, ClientKind, Page, SubjectType};
use api_types::ids::ClientId;
use api_types::{Function, Secret};
use authorization::Reason;
use authorization::revocation::Kind;
use jose::{Jwks, sha256};
use service_http::callback_hosts;
use service_http::feed::NewEntry;
use service_http::refusal::Refusal;
use store::clients::{self, ClientRecord, Registration};
use store::grants::families;
use store::principals::{self, Holder};
use store::users;

use super::{MAX_PAGE, Versioned, Written, certificates, not_found, taken, valid, version, wrong};
use crate::sim_s::SimServer;
use crate::sim_s::config::CertificateError;
use crate::sim_s::directory::Directory;
use crate::sim_s::redirect;

/// Most callback hosts of one client. Own value.
const MAX_HOSTS: usize = 64;

impl SimServer {
    /// Registers or changes a client. A secret is drawn when the client has none and needs one; a certificate is issued
    /// for a CSR. What the client loses by the change, tokens of before lose at once.
    ///
    /// # Errors
    /// Members at fault; 409 `ID_TAKEN` when the name is a user's.
    pub async fn put_client(&self, id: &ClientId, body: Client) -> Result<Written<ClientCreated>, Refusal> {
        valid(&body)?;
        acceptable(&body)?;
        // Tokens that a function exchanged carry the name of the function.
        if id.as_str().parse::<Function>().is_ok() {
            return Err(taken());
        }
        if body.auth == AuthMethod::TlsClientAuth && !id.as_str().is_ascii() {
            return Err(wrong("/auth", "needs a clientId in ASCII, as it stands in a certificate"));
        }
        let certificate = match &body.csr {
            Some(csr) => Some(self.certificates().issue_client(csr, id).map_err(|error| match error {
                CertificateError::RequestRefused => wrong("/csr", "is not an acceptable signing request"),
                CertificateError::Unavailable => Refusal::open(Reason::KeyUnavailable),
            })?),
            None => None,
        };
        let issued = certificate.as_ref().map(|issued| issued.x5t_s256.clone());
        let registration = registration(&body)?;
        let secret = self.kit().ambient.random_secret();
        let (this, now_s, name, drawn) = (self.clone(), self.now_s(), id.clone(), sha256(secret.as_bytes()));
        let (number, fresh, epoch, moved) = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if users::find_val_user(tx, name.as_str()).await?.is_some()
                        || !principals::take(tx, name.as_str(), Holder::Client, name.as_str()).await?
                    {
                        return Err(taken());
                    }
                    let before = clients::find(tx, name.as_str()).await?;
                    let kept = before.as_ref().and_then(|client| client.secret_sha256.clone());
                    let needs = registration.auth.starts_with("client_secret_");
                    let fresh = needs && kept.is_none();
                    let secret_sha256 = match (needs, kept) {
                        (true, Some(kept)) => Some(kept),
                        (true, None) => Some(drawn.to_vec()),
                        (false, _) => None,
                    };
                    let record =
                        ClientRecord { client_id: name.clone(), registration, secret_sha256, version: 0 };
                    let number = clients::put(tx, &record, now_s).await?;
                    let mut lost = Vec::new();
                    let hosts = before.as_ref().map_or(&[][..], |before| &before.registration.callback_hosts);
                    let moved = hosts.iter().any(|host| !record.registration.callback_hosts.contains(host));
                    if before.is_some_and(|before| loses(&before.registration, &record.registration)) {
                        lost.push(NewEntry {
                            kind: Kind::Client,
                            value: name.as_str().to_owned(),
                            expires_s: None,
                        });
                    }
                    if record.registration.auth != AuthMethod::TlsClientAuth.as_str() {
                        lost.extend(certificates::end_all(tx, name.as_str()).await?);
                    }
                    if let Some(x5t_s256) = issued {
                        certificates::note(tx, name.as_str(), x5t_s256).await?;
                    }
                    let epoch = if lost.is_empty() { None } else { Some(this.note(tx, lost).await?) };
                    Ok::<_, Refusal>((number, fresh, epoch, moved))
                })
            })
            .await?;
        if let Some(epoch) = epoch {
            self.revocations().acknowledge(epoch).await?;
        }
        if moved {
            // A server that calls back may rely on its copy that long; afterwards the host is called no more.
            tokio::time::sleep(callback_hosts::COPY).await;
        }
        let (cert, chain) = certificate.map(|issued| (issued.cert_pem, issued.chain_pem)).unzip();
        let secret = fresh.then(|| Secret::new(secret));
        let body = ClientCreated { client_id: id.clone(), secret, cert, chain };
        Ok(Written { body, version: version(number), created: number == 1 })
    }

    /// A client, without its secret.
    ///
    /// # Errors
    /// 404.
    pub async fn client(&self, id: &ClientId) -> Result<Versioned<Client>, Refusal> {
        let name = id.as_str().to_owned();
        let found =
            self.kit().store.read(|tx| Box::pin(async move { clients::find(tx, &name).await })).await?;
        let record = found.ok_or_else(not_found)?;
        Ok(Versioned { body: shown(&record)?, version: version(record.version) })
    }

    /// Clients by name, after a name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn clients(&self, after: &str, limit: u32) -> Result<Page<Client>, Refusal> {
        let (after, limit) = (after.to_owned(), limit.clamp(1, MAX_PAGE));
        let mut found = self
            .kit()
            .store
            .read(|tx| Box::pin(async move { clients::page(tx, &after, i64::from(limit) + 1).await }))
            .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| last.client_id.as_str().to_owned());
        Ok(Page { items: found.iter().map(shown).collect::<Result<_, _>>()?, next })
    }

    /// Removes a client; grants, tokens and the certificates that were issued to it go with it.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_client(&self, id: &ClientId) -> Result<(), Refusal> {
        let (name, this, now_s) = (id.as_str().to_owned(), self.clone(), self.now_s());
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !clients::delete(tx, &name).await? {
                        return Err(not_found());
                    }
                    principals::release(tx, Holder::Client, &name, &[]).await?;
                    families::revoke_client(tx, &name, now_s).await?;
                    // Who is called so later is somebody else: no certificate of before speaks for him.
                    let mut lost = certificates::end_all(tx, &name).await?;
                    lost.push(NewEntry { kind: Kind::Client, value: name, expires_s: None });
                    Ok(this.note(tx, lost).await?)
                })
            })
            .await?;
        self.revocations().acknowledge(epoch).await?;
        Ok(())
    }
}

/// What the shape of the body does not say.
fn acceptable(body: &Client) -> Result<(), Refusal> {
    for (index, uri) in body.redirect_uris.iter().enumerate() {
        if !redirect::may_be_registered(uri) {
            return Err(wrong(
                &format!("/redirectUris/{index}"),
                "must be https, http on 127.0.0.1 or [::1], or a private-use scheme with a dot, without fragment",
            ));
        }
    }
    if body.callback_hosts.len() > MAX_HOSTS {
        return Err(wrong("/callbackHosts", "has too many elements"));
    }
    for (index, host) in body.callback_hosts.iter().enumerate() {
        if !callback_hosts::is_host(host) {
            return Err(wrong(&format!("/callbackHosts/{index}"), "is not a host, or a host and a port"));
        }
    }
    if body.auth == AuthMethod::SelfSignedTlsClientAuth {
        return Err(wrong("/auth", "is not supported: certificates are of our root"));
    }
    if let Some(jwks) = &body.jwks {
        Jwks::from_value(jwks).map_err(|_| wrong("/jwks", "must hold public keys of supported kinds"))?;
    }
    if body.csr.is_some() && body.auth != AuthMethod::TlsClientAuth {
        return Err(wrong("/csr", "only goes with tls_client_auth"));
    }
    if body.kind != ClientKind::SimC && !body.redirect_uris.is_empty() {
        return Err(wrong("/redirectUris", "must be empty for a client without users"));
    }
    Ok(())
}

fn registration(body: &Client) -> Result<Registration, Refusal> {
    Ok(Registration {
        kind: body.kind.as_str().to_owned(),
        auth: body.auth.as_str().to_owned(),
        redirect_uris: body.redirect_uris.clone(),
        callback_hosts: body.callback_hosts.clone(),
        scopes: body.scopes.clone(),
        val_services: body.val_services.clone(),
        jwks: body.jwks.as_ref().map(ToString::to_string),
        subject_type: body.subject_type.unwrap_or(SubjectType::Public).as_str().to_owned(),
        bearer: body.bearer,
    })
}

/// Whether tokens of before open more than the client may have now.
fn loses(before: &Registration, now: &Registration) -> bool {
    !Directory::registered(&before.scopes).is_subset(&Directory::registered(&now.scopes))
        || !before.val_services.iter().all(|service| now.val_services.contains(service))
        || before.auth != now.auth
        || before.jwks != now.jwks
        || (before.bearer && !now.bearer)
        || before.kind != now.kind
}

fn shown(record: &ClientRecord) -> Result<Client, Refusal> {
    let damaged = || Refusal::open(Reason::StoreFailed);
    let registration = record.registration.clone();
    let jwks = registration.jwks.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Client {
        client_id: Some(record.client_id.clone()),
        kind: registration.kind.parse().map_err(|_| damaged())?,
        auth: registration.auth.parse().map_err(|_| damaged())?,
        redirect_uris: registration.redirect_uris,
        callback_hosts: registration.callback_hosts,
        scopes: registration.scopes,
        val_services: registration.val_services,
        csr: None,
        jwks: jwks.map_err(|_| damaged())?,
        subject_type: Some(registration.subject_type.parse().map_err(|_| damaged())?),
        bearer: registration.bearer,
    })
}
