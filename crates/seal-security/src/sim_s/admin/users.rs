//! `/users/{userId}`.

use api_types::Function;
use api_types::admin::{Page, User};
use api_types::ids::UserId;
use authorization::Reason;
use authorization::revocation::Kind;
use service_http::feed::NewEntry;
use service_http::refusal::Refusal;
use store::grants::families;
use store::principals::{self, Holder};
use store::users::{self, Profile, UserRecord};
use store::{Sql, passkeys, sessions};

use super::{MAX_PAGE, Versioned, Written, not_found, taken, valid, version, wrong};
use crate::sim_s::SimServer;
use crate::sim_s::password::{MAX_PASSWORD, MIN_PASSWORD, PasswordError};

impl SimServer {
    /// Makes or changes an account. A password that is absent stays as it is. What the account loses by the change
    /// (a password, a UE, a VAL service, an identity), tokens of before lose at once.
    ///
    /// # Errors
    /// Members at fault; 409 `ID_TAKEN` when a name is in use for something else.
    pub async fn put_user(&self, id: &UserId, body: User) -> Result<Written<User>, Refusal> {
        valid(&body)?;
        if let Some(password) = &body.password {
            let (chars, bytes) = (password.expose().chars().count(), password.expose().len());
            if chars < MIN_PASSWORD || bytes > MAX_PASSWORD {
                return Err(wrong("/password", "must have 8 characters to 256 bytes"));
            }
        }
        if id.as_str().parse::<Function>().is_ok() {
            return Err(taken());
        }
        // Two at once follow each other here; another node is told by the version.
        let turn = self.accounts().lock().await;
        let name = id.as_str().to_owned();
        let before =
            self.kit().store.read(|tx| Box::pin(async move { users::find(tx, &name).await })).await?;
        // Hashed before the transaction: the one writer does not wait for Argon2.
        let old = before.as_ref().and_then(|user| user.password.clone());
        let password = match &body.password {
            None => old.clone(),
            Some(password) => {
                let same = old.is_some()
                    && self.passwords().verify(password, old.as_deref()).await.map_err(overloaded)?;
                if same {
                    old.clone()
                } else {
                    Some(self.passwords().hash(password, &self.kit().ambient).await.map_err(overloaded)?)
                }
            }
        };
        let record = UserRecord { user_id: id.clone(), profile: profile(&body), password, version: 0 };
        let (this, now_s, had) = (self.clone(), self.now_s(), before);
        let new = record.clone();
        let (number, epoch) = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let before = users::find(tx, new.user_id.as_str()).await?;
                    if before != had {
                        return Err(Refusal::open(Reason::StaleVersion));
                    }
                    take_names(tx, &new).await?;
                    let number = users::put(tx, &new, now_s).await?;
                    let mut epoch = None;
                    if let Some(before) = before {
                        let password_changed = before.password.is_some() && before.password != new.password;
                        if password_changed {
                            sessions::close_all_of(tx, new.user_id.as_str()).await?;
                            families::revoke_subject(tx, new.user_id.as_str(), now_s).await?;
                        }
                        if password_changed || loses(&before.profile, &new.profile) {
                            let value = new.user_id.as_str().to_owned();
                            let entry = NewEntry { kind: Kind::Subject, value, expires_s: None };
                            epoch = Some(this.note(tx, vec![entry]).await?);
                        }
                    }
                    Ok::<_, Refusal>((number, epoch))
                })
            })
            .await?;
        drop(turn);
        if let Some(epoch) = epoch {
            self.revocations().acknowledge(epoch).await?;
        }
        Ok(Written { body: shown(&record), version: version(number), created: number == 1 })
    }

    /// An account.
    ///
    /// # Errors
    /// 404.
    pub async fn user(&self, id: &UserId) -> Result<Versioned<User>, Refusal> {
        let name = id.as_str().to_owned();
        let found = self.kit().store.read(|tx| Box::pin(async move { users::find(tx, &name).await })).await?;
        let record = found.ok_or_else(not_found)?;
        Ok(Versioned { body: shown(&record), version: version(record.version) })
    }

    /// Accounts by name, after a name.
    ///
    /// # Errors
    /// The store fails.
    pub async fn users(&self, after: &str, limit: u32) -> Result<Page<User>, Refusal> {
        let (after, limit) = (after.to_owned(), limit.clamp(1, MAX_PAGE));
        let mut found = self
            .kit()
            .store
            .read(|tx| Box::pin(async move { users::page(tx, &after, i64::from(limit) + 1).await }))
            .await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|last| last.user_id.as_str().to_owned());
        Ok(Page { items: found.iter().map(shown).collect(), next })
    }

    /// Removes an account; sessions, grants and tokens go with it.
    ///
    /// # Errors
    /// 404.
    pub async fn delete_user(&self, id: &UserId) -> Result<(), Refusal> {
        let (name, this, now_s) = (id.as_str().to_owned(), self.clone(), self.now_s());
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if !users::delete(tx, &name).await? {
                        return Err(not_found());
                    }
                    principals::release(tx, Holder::User, &name, &[]).await?;
                    sessions::close_all_of(tx, &name).await?;
                    passkeys::remove_all(tx, &name).await?;
                    families::revoke_subject(tx, &name, now_s).await?;
                    let entry = NewEntry { kind: Kind::Subject, value: name, expires_s: None };
                    Ok(this.note(tx, vec![entry]).await?)
                })
            })
            .await?;
        self.revocations().acknowledge(epoch).await?;
        Ok(())
    }
}

impl SimServer {
    /// Takes all passkeys from an account, with the sessions and tokens that may stand on one of them.
    ///
    /// # Errors
    /// 404.
    pub async fn remove_passkeys(&self, id: &UserId) -> Result<(), Refusal> {
        let (name, this, now_s) = (id.as_str().to_owned(), self.clone(), self.now_s());
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if users::find(tx, &name).await?.is_none() {
                        return Err(not_found());
                    }
                    passkeys::remove_all(tx, &name).await?;
                    sessions::close_all_of(tx, &name).await?;
                    families::revoke_subject(tx, &name, now_s).await?;
                    let entry = NewEntry { kind: Kind::Subject, value: name, expires_s: None };
                    Ok(this.note(tx, vec![entry]).await?)
                })
            })
            .await?;
        self.revocations().acknowledge(epoch).await?;
        Ok(())
    }
}

/// User and VAL user names are nobody else's, and no client's (B20). So are the identities of a subscriber. A VAL UE may
/// be shared, and is called like nobody else: an entry for a VAL client names either.
async fn take_names(tx: &mut dyn Sql, user: &UserRecord) -> Result<(), Refusal> {
    let (id, val_user) = (user.user_id.as_str(), user.profile.val_user_id.as_str());
    let other = users::find_val_user(tx, val_user).await?;
    if other.is_some_and(|other| other.user_id != user.user_id) {
        return Err(taken());
    }
    for name in [id, val_user] {
        if users::is_ue_of_another(tx, name, id).await? {
            return Err(taken());
        }
    }
    for ue in &user.profile.val_ue_ids {
        if principals::is_of_another(tx, ue.as_str(), id).await? {
            return Err(taken());
        }
    }
    let identities = identities(&user.profile);
    let names: Vec<&str> = [id, val_user].into_iter().chain(identities.iter().map(String::as_str)).collect();
    for name in &names {
        if !principals::take(tx, name, Holder::User, id).await? {
            return Err(taken());
        }
    }
    principals::release(tx, Holder::User, id, &names).await?;
    Ok(())
}

/// What names one person only, each with its kind; the space keeps them apart from names.
fn identities(profile: &Profile) -> Vec<String> {
    let rows = [
        ("gpsi", profile.gpsi.as_ref().map(|gpsi| gpsi.as_str())),
        ("external_id", profile.external_id.as_ref().map(|external_id| external_id.as_str())),
        ("impu", profile.impu.as_ref().map(|impu| impu.as_str())),
        ("supi", profile.supi.as_ref().map(|supi| supi.as_str())),
    ];
    rows.into_iter().filter_map(|(kind, value)| Some(format!("{kind} {}", value?))).collect()
}

/// Whether tokens of before say something that is no longer so.
fn loses(before: &Profile, now: &Profile) -> bool {
    before.val_user_id != now.val_user_id
        || before.gpsi != now.gpsi
        || before.external_id != now.external_id
        || !before.val_ue_ids.iter().all(|ue| now.val_ue_ids.contains(ue))
        || !before.val_services.iter().all(|service| now.val_services.contains(service))
        || !before.roles.iter().all(|role| now.roles.contains(role))
}

fn profile(body: &User) -> Profile {
    Profile {
        val_user_id: body.val_user_id.clone(),
        val_ue_ids: body.val_ue_ids.clone(),
        gpsi: body.gpsi.clone(),
        external_id: body.external_id.clone(),
        impu: body.impu.clone(),
        supi: body.supi.clone(),
        val_services: body.val_services.clone(),
        roles: body.roles.clone(),
    }
}

fn shown(record: &UserRecord) -> User {
    let profile = record.profile.clone();
    User {
        user_id: Some(record.user_id.clone()),
        password: None,
        val_user_id: profile.val_user_id,
        val_ue_ids: profile.val_ue_ids,
        gpsi: profile.gpsi,
        external_id: profile.external_id,
        impu: profile.impu,
        supi: profile.supi,
        val_services: profile.val_services,
        roles: profile.roles,
    }
}

fn overloaded(error: PasswordError) -> Refusal {
    match error {
        PasswordError::Overloaded => Refusal::open(Reason::Overloaded).retry_after(1),
        PasswordError::Failed => Refusal::open(Reason::StoreFailed),
    }
}
