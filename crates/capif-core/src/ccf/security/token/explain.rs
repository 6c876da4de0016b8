//! What would be granted of details, told side by side to an operator. It is decided by what decides about tokens; none is
//! issued and nobody is asked.

use authorization::capif::details::{Details, Element};
use authorization::capif::grant::{Granted, Question, Side, Verdict};
use store::{Sql, StoreError};

use super::judged;
use super::owner::Owners;
use crate::ccf::CcfServer;

/// What each side says to an element's first action, and what becomes of the whole.
pub(in crate::ccf) struct Said {
    /// The sides that have a say.
    pub(in crate::ccf) sides: Vec<(Side, Verdict)>,
    /// What would be granted.
    pub(in crate::ccf) granted: Granted,
}

/// Asks as the token endpoint would for `invoker`, with a scope of `apis` at `aef`.
///
/// # Errors
/// The store fails.
pub(in crate::ccf) async fn explain(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    (invoker, aef): (&str, &str),
    apis: &[String],
    details: &Details,
) -> Result<Said, StoreError> {
    let now_s = ccf.now_s();
    let rules = ccf.rules().of(tx).await?;
    let owners = Owners::read(tx, ccf, details, (aef, invoker)).await?;
    let mut sides = Vec::new();
    if let Some(element) = details.elements().iter().find_map(Element::spatial)
        && let Some(&action) = element.actions.first()
    {
        let question = Question::Spatial { element, action };
        sides.push((Side::Local, rules.judge(&question, (invoker, apis), now_s)));
        sides.push((Side::Owner, owners.judge(&question)));
    }
    Ok(Said { sides, granted: judged(details, &rules, &owners, (invoker, apis), now_s) })
}
