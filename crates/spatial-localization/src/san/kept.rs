//! Lists as they were read, for as long as nothing has changed since (`Store::settled`).
//!
//! A list is kept for callers who have reached it, each by all that its token says. For anybody else it is as if it were
//! not there, so that what is hidden takes as long as what is absent. What decides is asked again on every use: the rules
//! of the anchors, those of the operator, time periods, places. Only reading and parsing is saved.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authorization::Caller;

use super::stored::List;

/// Octets of the documents of all lists that are kept. Own value.
const OCTETS: usize = 16 * 1024 * 1024;

/// A longer list is not kept. Own value.
const LIST_OCTETS: usize = 256 * 1024;

/// Octets that are counted for a list and for an anchor beside their documents. Own value.
const OVERHEAD: usize = 1_024;

/// Callers of one list. Own value.
const CALLERS: usize = 16;

/// The lists of one state of the store.
#[derive(Default)]
pub(super) struct Kept(Mutex<State>);

#[derive(Default)]
struct State {
    settled: u64,
    octets: usize,
    lists: HashMap<String, Entry>,
}

struct Entry {
    list: Arc<List>,
    callers: Vec<Arc<Caller>>,
}

impl Kept {
    /// The list, if this caller has reached it in this state of the store.
    pub(super) fn find(&self, settled: u64, list_id: &str, caller: &Caller) -> Option<Arc<List>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = state.lists.get(list_id).filter(|_| state.settled == settled)?;
        entry.callers.iter().any(|known| **known == *caller).then(|| Arc::clone(&entry.list))
    }

    /// Keeps a list that was read for a caller, in a snapshot that began when the store was in this state.
    pub(super) fn keep(&self, settled: u64, list: &Arc<List>, caller: &Arc<Caller>) {
        let documents = list.anchors.values().map(|anchor| anchor.row.body.len() + OVERHEAD);
        let octets = documents.sum::<usize>() + list.row.serv_info.len() + OVERHEAD;
        if octets > LIST_OCTETS {
            return;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A state that has passed never comes again.
        if settled < state.settled {
            return;
        }
        if settled > state.settled || state.octets + octets > OCTETS {
            *state = State { settled, ..State::default() };
        }
        if let Some(entry) = state.lists.get_mut(&list.row.list_id) {
            if entry.callers.len() >= CALLERS {
                entry.callers.clear();
            }
            entry.callers.push(Arc::clone(caller));
            return;
        }
        state.octets += octets;
        let entry = Entry { list: Arc::clone(list), callers: vec![Arc::clone(caller)] };
        state.lists.insert(list.row.list_id.clone(), entry);
    }
}

#[cfg(test)]
impl Kept {
    /// How many callers have reached lists that are kept.
    pub(super) fn callers(&self) -> usize {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.lists.values().map(|entry| entry.callers.len()).sum()
    }
}
