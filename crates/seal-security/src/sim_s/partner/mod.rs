//! Partner identity management servers (TS 24.547 6.2.3, after TS 33.180 B.7 to B.9): a user of one operator gets tokens of
//! another one's SIM-S.
//!
//! The home SIM-S exchanges the user's access token for a security token (RFC 8693); the partner SIM-S takes that as an
//! authorization grant (RFC 7523) and issues an access token of its own, by its own rules. A security token is for one
//! client and one partner, bound to the client's key, good once and for a minute.

pub(crate) mod keys;
pub(crate) mod security_token;

use std::sync::Arc;

use api_types::ids::{ValServiceId, ValUserId};
use authorization::Reason;
use store::clients::ClientRecord;
use store::users::Profile;

use self::keys::PartnerKeys;
use super::entitlement::Party;
use super::error::{ErrorCode, OAuthError};

/// A SIM-S that is trusted to say who its users are. Nobody is, unless configured (IMP-40).
#[derive(Clone, Debug)]
pub struct Partner {
    /// What rules call its users together, and what stands behind the `@` of their names here.
    pub name: String,
    /// Its issuer.
    pub issuer: String,
    /// VAL services that its users may take part in.
    pub val_services: Vec<ValServiceId>,
    /// Its keys.
    pub keys: Arc<PartnerKeys>,
}

impl Partner {
    /// Whether `resource` or `audience` of an exchange names it: by its issuer or its token endpoint.
    pub(crate) fn is_named(&self, target: &str) -> bool {
        let bare = target.strip_suffix('/').unwrap_or(target);
        bare == self.issuer || bare.strip_suffix("/token") == Some(self.issuer.as_str())
    }

    /// A user of the partner, as an account of ours would be.
    ///
    /// # Errors
    /// The name cannot be one here.
    pub(crate) fn guest(&self, sub: &str) -> Result<Guest, OAuthError> {
        let name = format!("{sub}@{}", self.name);
        let val_user_id = ValUserId::try_from(name.as_str())
            .map_err(|_| OAuthError::new(ErrorCode::InvalidGrant, Reason::SubjectWrong))?;
        let profile = Profile {
            val_user_id,
            val_ue_ids: Vec::new(),
            gpsi: None,
            external_id: None,
            impu: None,
            supi: None,
            val_services: self.val_services.clone(),
            roles: Vec::new(),
        };
        Ok(Guest { name, profile, partner: self.name.clone() })
    }
}

/// A user of a partner.
#[derive(Clone)]
pub(crate) struct Guest {
    /// `sub` of tokens.
    pub(crate) name: String,
    /// As an account would say.
    pub(crate) profile: Profile,
    partner: String,
}

impl Guest {
    /// For whom rules decide: the client, the partner as a whole, the guest.
    pub(crate) fn party(&self, client: &ClientRecord) -> Party {
        let mut party = Party::user(&self.profile, client);
        party.names.push(self.partner.clone());
        party
    }
}

/// The guest that a `sub` of ours names.
pub(crate) fn guest_of(partners: &[Partner], subject: &str) -> Option<Guest> {
    let (sub, name) = subject.rsplit_once('@')?;
    partners.iter().find(|partner| partner.name == name)?.guest(sub).ok()
}
