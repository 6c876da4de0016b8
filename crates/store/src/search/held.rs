//! Which classes a caller holds, remembered between searches.
//!
//! Nobody is added to a class or taken from it: a class is a rule set, and another rule set is another class. Only when
//! classes are removed may a number come again with another meaning; then everything is forgotten.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::settled::Settled;
use crate::{Sql, StoreError, Value};

/// Answers that are kept, of all callers together. Own value: some 10 MB.
const ANSWERS: usize = 262_144;

/// What is known of the classes of one function.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldClasses {
    /// Counts the commits that remove classes.
    pub(crate) removals: Settled,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    settled: u64,
    answers: usize,
    /// By all that a caller holds.
    known: HashMap<String, HashMap<i64, bool>>,
}

/// What is known as seen by one snapshot.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct KnownClasses {
    classes: HeldClasses,
    settled: u64,
}

impl HeldClasses {
    /// To be asked for before the snapshot begins; `None` while classes are being removed.
    pub(crate) fn snapshot(&self) -> Option<KnownClasses> {
        Some(KnownClasses { settled: self.removals.number()?, classes: self.clone() })
    }
}

/// Those of the classes that somebody holds who has one of the matches.
///
/// # Errors
/// The engine failed.
pub(crate) async fn held_of(
    tx: &mut dyn Sql,
    held: &[String],
    classes: BTreeSet<i64>,
) -> Result<BTreeSet<i64>, StoreError> {
    let Some(known) = tx.known_classes() else { return ask(tx, held, &classes).await };
    let name = held.join("\n");
    let (mut found, mut missing) = (BTreeSet::new(), BTreeSet::new());
    {
        let state = known.state();
        let answers = state.known.get(&name).filter(|_| state.settled == known.settled);
        for class in classes {
            match answers.and_then(|answers| answers.get(&class)) {
                Some(true) => {
                    found.insert(class);
                }
                Some(false) => {}
                None => {
                    missing.insert(class);
                }
            }
        }
    }
    if !missing.is_empty() {
        let mut asked = ask(tx, held, &missing).await?;
        known.keep(name, missing.iter().map(|class| (*class, asked.contains(class))));
        found.append(&mut asked);
    }
    Ok(found)
}

impl KnownClasses {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.classes.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, name: String, answers: impl ExactSizeIterator<Item = (i64, bool)>) {
        let mut state = self.state();
        // What was removed since then may have come again.
        if state.settled > self.settled {
            return;
        }
        if state.settled < self.settled || state.answers + answers.len() > ANSWERS {
            *state = State { settled: self.settled, ..State::default() };
        }
        state.answers += answers.len();
        state.known.entry(name).or_default().extend(answers);
    }
}

async fn ask(
    tx: &mut dyn Sql,
    held: &[String],
    classes: &BTreeSet<i64>,
) -> Result<BTreeSet<i64>, StoreError> {
    let mut params = Vec::new();
    let listed = super::text::list(tx.dialect(), "m.class_id", classes, &mut params);
    let held = crate::sql::placeholders(&mut params, held.iter().map(Value::from));
    // By the class: by the matches it would be looked for once for each of them.
    let key = tx.dialect().pick("+m.match_key", "m.match_key");
    let sql = format!("select distinct m.class_id from class_match m where {listed} and {key} in ({held})");
    tx.query(&sql, &params).await?.iter().map(|row| row.get(0)).collect()
}
