//! The VAL services of a user: those of the account, and those that VAL servers have listed the user or the UE for.

use api_types::ids::{ValServiceId, ValUeId};
use store::users::{self, Profile, UserRecord};
use store::val_services::{self, MemberKind};
use store::{Sql, StoreError};

/// An account with every VAL service that the user takes part in, at this UE.
pub(crate) async fn find_user(
    tx: &mut dyn Sql,
    user_id: &str,
    ue: Option<&ValUeId>,
) -> Result<Option<UserRecord>, StoreError> {
    let Some(mut user) = users::find(tx, user_id).await? else { return Ok(None) };
    user.profile.val_services = of(tx, &user.profile, ue).await?;
    Ok(Some(user))
}

/// An account with every VAL service that the user takes part in at any UE that is bound to it.
pub(crate) async fn find_user_anywhere(
    tx: &mut dyn Sql,
    user_id: &str,
) -> Result<Option<UserRecord>, StoreError> {
    let Some(mut user) = users::find(tx, user_id).await? else { return Ok(None) };
    let mut all = of(tx, &user.profile, None).await?;
    for ue in &user.profile.val_ue_ids {
        all.extend(of(tx, &user.profile, Some(ue)).await?);
    }
    all.sort();
    all.dedup();
    user.profile.val_services = all;
    Ok(Some(user))
}

/// Every VAL service of a user at a UE.
pub(crate) async fn of(
    tx: &mut dyn Sql,
    profile: &Profile,
    ue: Option<&ValUeId>,
) -> Result<Vec<ValServiceId>, StoreError> {
    let mut listed = val_services::of_member(tx, MemberKind::User, profile.val_user_id.as_str()).await?;
    if let Some(ue) = ue {
        listed.extend(val_services::of_member(tx, MemberKind::Ue, ue.as_str()).await?);
    }
    let mut all = profile.val_services.clone();
    for service in listed {
        let service = ValServiceId::try_from(service).map_err(|_| StoreError::Damaged("VAL service"))?;
        if !all.contains(&service) {
            all.push(service);
        }
    }
    Ok(all)
}
