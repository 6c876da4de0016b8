//! Names of one person: filters of the admin API take any of them.

use service_http::refusal::Refusal;
use store::users;

use crate::sim_s::SimServer;

impl SimServer {
    /// Every name under which records may know a person: the name given, the account and the VAL user id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn names_of(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let wanted = name.to_owned();
        let found = self
            .kit()
            .store
            .read(move |tx| {
                Box::pin(async move {
                    match users::find(tx, &wanted).await? {
                        Some(user) => Ok(Some(user)),
                        None => users::find_val_user(tx, &wanted).await,
                    }
                })
            })
            .await?;
        let mut names = vec![name.to_owned()];
        if let Some(user) = found {
            names.push(user.user_id.as_str().to_owned());
            names.push(user.profile.val_user_id.as_str().to_owned());
        }
        names.dedup();
        Ok(names)
    }
}
