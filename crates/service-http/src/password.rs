//! Passwords: Argon2id (RFC 9106) in a bounded pool, so that a flood of logins starves nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api_types::Secret;
use argon2::{Algorithm, Argon2, Params, Version};
use authorization::Reason;
use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::Semaphore;

use crate::ambient::Ambient;
use crate::oauth::error::{ErrorCode, OAuthError};

/// Memory of one hash, in KiB (identity sheet 1.11).
const MEMORY_KIB: u32 = 19 * 1024;

/// Passes over the memory.
const PASSES: u32 = 2;

/// Lanes.
const LANES: u32 = 1;

/// Bytes of salt.
const SALT_LEN: usize = 16;

/// Bytes of hash.
const HASH_LEN: usize = 32;

/// Shortest password, in characters (NIST SP 800-63B 5.1.1.2).
pub const MIN_PASSWORD: usize = 8;

/// Longest password, in bytes. Own value.
pub const MAX_PASSWORD: usize = 256;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many logins wait.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// The hash could not be computed.
    #[error("password hashing failed")]
    Failed,
}

impl From<PasswordError> for OAuthError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => {
                Self::new(ErrorCode::TemporarilyUnavailable, Reason::Overloaded).retry_after(1)
            }
            PasswordError::Failed => Self::new(ErrorCode::ServerError, Reason::DependencyDown),
        }
    }
}

/// Checks passwords, a few at a time.
#[derive(Clone)]
pub struct PasswordPool {
    workers: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
    dummy: Arc<str>,
}

impl PasswordPool {
    /// A pool of `workers` threads for which at most `queue` requests wait.
    #[must_use]
    pub fn new(workers: usize, queue: usize, ambient: &Ambient) -> Self {
        let salt = ambient.random_bytes::<SALT_LEN>();
        let unknowable = ambient.random_bytes::<HASH_LEN>();
        Self {
            workers: Arc::new(Semaphore::new(workers.max(1))),
            waiting: Arc::new(AtomicUsize::new(0)),
            queue,
            dummy: phc(&salt, &unknowable).into(),
        }
    }

    /// Hashes a new password into PHC form.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub async fn hash(&self, password: &Secret, ambient: &Ambient) -> Result<String, PasswordError> {
        let salt = ambient.random_bytes::<SALT_LEN>();
        let password = password.clone();
        self.work(move || digest(password.expose(), &salt).map(|hash| phc(&salt, &hash))).await
    }

    /// Whether the password belongs to the hash. Without a hash the work is the same and the answer is no, so that
    /// time does not tell whether an account exists.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool, PasswordError> {
        let check = self.check(password, hash);
        self.work(check).await
    }

    /// As [`PasswordPool::verify`], between two looks at a brake: `begin` is asked when the turn of this password has
    /// come, and `forgive` told when it was right or could not be checked. Both happen where the work is done, so that
    /// a caller that goes away changes nothing about them.
    ///
    /// # Errors
    /// See [`PasswordError`]; the inner error is that of `begin`.
    pub async fn verify_braked<E: Send + 'static>(
        &self,
        password: &Secret,
        hash: Option<&str>,
        begin: impl FnOnce() -> Result<(), E> + Send + 'static,
        forgive: impl FnOnce() + Send + 'static,
    ) -> Result<Result<bool, E>, PasswordError> {
        let check = self.check(password, hash);
        self.work(move || {
            if let Err(braked) = begin() {
                return Ok(Err(braked));
            }
            let decided = check();
            if !matches!(decided, Ok(false)) {
                forgive();
            }
            decided.map(Ok)
        })
        .await
    }

    fn check(
        &self,
        password: &Secret,
        hash: Option<&str>,
    ) -> impl FnOnce() -> Result<bool, PasswordError> + Send + use<> {
        let known = hash.is_some();
        let phc = hash.unwrap_or(&self.dummy).to_owned();
        let password = password.clone();
        move || {
            let (salt, want) = read_phc(&phc).ok_or(PasswordError::Failed)?;
            let hash = digest(password.expose(), &salt)?;
            Ok(constant_time::verify_slices_are_equal(&hash, &want).is_ok() && known)
        }
    }

    async fn work<T, F>(&self, job: F) -> Result<T, PasswordError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, PasswordError> + Send + 'static,
    {
        let _place = Place::take(&self.waiting, self.queue)?;
        let permit = self.workers.clone().acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        let job = move || {
            // The permit goes with the job: a caller that gives up does not make room for a second one.
            let _permit = permit;
            job()
        };
        tokio::task::spawn_blocking(job).await.map_err(|_| PasswordError::Failed)?
    }
}

impl std::fmt::Debug for PasswordPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordPool").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// A place in the queue, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>, most: usize) -> Result<Self, PasswordError> {
        let place = Self(waiting.clone());
        if waiting.fetch_add(1, Ordering::AcqRel) >= most {
            Err(PasswordError::Overloaded)
        } else {
            Ok(place)
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn digest(password: &str, salt: &[u8]) -> Result<[u8; HASH_LEN], PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_LEN)).map_err(|_| PasswordError::Failed)?;
    let mut hash = [0; HASH_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .map_err(|_| PasswordError::Failed)?;
    Ok(hash)
}

fn phc(salt: &[u8], hash: &[u8]) -> String {
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}")
}

fn read_phc(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let head = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$");
    let (salt, hash) = text.strip_prefix(&head)?.split_once('$')?;
    Some((STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_opens() {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let pool = PasswordPool::new(1, 8, &ambient);
        let password = Secret::new("correct horse battery");
        let hash = pool.hash(&password, &ambient).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(pool.verify(&password, Some(&hash)).await, Ok(true));
        assert_eq!(pool.verify(&Secret::new("correct horse batterz"), Some(&hash)).await, Ok(false));
        assert_eq!(pool.verify(&password, None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_full_queue_is_said_so() {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let pool = PasswordPool::new(1, 0, &ambient);
        assert_eq!(pool.verify(&Secret::new("x"), None).await, Err(PasswordError::Overloaded));
    }
}
