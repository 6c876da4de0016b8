//! The secret behind cursors: drawn once per function and shared by its nodes through the store.

use service_http::kit::FunctionKit;
use store::StoreError;
use tokio::sync::OnceCell;

use super::cursor::CursorKey;

/// Its name in the store.
const NAME: &str = "cursor_key";

/// The key, once it was asked for.
#[derive(Debug, Default)]
pub struct CursorSecret(OnceCell<CursorKey>);

impl CursorSecret {
    /// The key of this function.
    ///
    /// # Errors
    /// The store failed.
    pub async fn key(&self, kit: &FunctionKit) -> Result<&CursorKey, StoreError> {
        self.0.get_or_try_init(|| load(kit)).await
    }
}

async fn load(kit: &FunctionKit) -> Result<CursorKey, StoreError> {
    let mut drawn = [0_u8; 32];
    kit.ambient.entropy.fill(&mut drawn);
    // The node that is first keeps its draw; the others read it.
    let kept = kit.store.write(move |tx| {
        Box::pin(async move {
            let drawn: String = drawn.iter().map(|byte| format!("{byte:02x}")).collect();
            store::meta::put_first(tx, NAME, &drawn).await
        })
    });
    let kept: String = kept.await?;
    let secret = unhex(&kept).ok_or(StoreError::Damaged("the key of cursors cannot be read"))?;
    CursorKey::new(&secret).map_err(|_| StoreError::Damaged("the key of cursors cannot be used"))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
