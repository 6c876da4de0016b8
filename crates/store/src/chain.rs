//! Walking a chain of sealed records: audit and invocations are verified alike.

use crate::audit::{GENESIS, Head, Verification};
use crate::{Row, Sql, StoreError, params};

/// Records that are held in memory at once. Own value.
const PAGE: i64 = 1000;

/// Finds the first place that was edited, removed, inserted or reordered, and a cut tail.
///
/// `sql` reads the records after `$1`, at most `$2`, by place, which is their first column. `seal_of` gives the seal of a
/// record that stands at its place, over the seal before, and is sealed as it says.
///
/// # Errors
/// The engine's. A record that cannot be read is a break, not an error.
pub(crate) async fn verify(
    tx: &mut dyn Sql,
    sql: &str,
    head: Head,
    seal_of: fn(&Row, u64, &str) -> Option<String>,
) -> Result<Verification, StoreError> {
    let mut checked = 0;
    let mut last = GENESIS.to_owned();
    // A place below 1 is never given, so such a row was inserted.
    let mut after = i64::MIN;
    loop {
        let rows = tx.query(sql, &params![after, PAGE]).await?;
        let full = rows.len() as i64 == PAGE;
        for row in &rows {
            let seq = checked + 1;
            after = row.get(0)?;
            match seal_of(row, seq, &last).filter(|_| seq <= head.seq) {
                Some(seal) => last = seal,
                None => return Ok(Verification { checked, head, broken: Some(seq) }),
            }
            checked = seq;
        }
        if !full {
            let broken = (checked != head.seq || last != head.hash).then_some(checked + 1);
            return Ok(Verification { checked, head, broken });
        }
    }
}
