//! Anchors and maps in the eyes of somebody else, for the operator (decision 0011).
//!
//! What is left out of a view is left out by the decision that would leave it out of a discovery: both call the same
//! functions, and the view differs only in that nobody has sent a token.

use authorization::access_rules::{Match, by_which, class_matches};
use authorization::{Caller, Item, Principal, Reason};

/// Whose view it is.
#[derive(Debug, Clone)]
pub enum Viewer<'a> {
    /// The operator sees everything; what is the operator's own is marked.
    Operator(Option<Principal>),
    /// Somebody sees what a discovery would show.
    Somebody(&'a Caller),
}

/// A page of a view.
#[derive(Debug, Clone)]
pub struct View<T> {
    /// What is seen.
    pub items: Vec<T>,
    /// Where the next page begins.
    pub next: Option<u32>,
    /// A rule that forbids the viewer to look at all.
    pub denied: Option<Reason>,
}

impl<T> View<T> {
    pub(crate) fn denied(reason: Reason) -> Self {
        Self { items: Vec::new(), next: None, denied: Some(reason) }
    }
}

/// What lets the viewer see an item, in words.
pub(crate) fn rules(viewer: &Viewer<'_>, item: &Item) -> Vec<String> {
    match viewer {
        Viewer::Operator(_) => class_matches(item).iter().map(in_words).collect(),
        Viewer::Somebody(caller) => by_which(caller, item).iter().map(in_words).collect(),
    }
}

/// Whether an item is the viewer's own.
pub(crate) fn own(viewer: &Viewer<'_>, item: &Item) -> bool {
    match viewer {
        Viewer::Operator(operator) => operator.as_ref() == Some(&item.owner),
        Viewer::Somebody(caller) => caller.is(&item.owner),
    }
}

fn in_words(rule: &Match) -> String {
    match rule {
        Match::Anyone => "everybody".to_owned(),
        Match::Owner(_) => "the owner".to_owned(),
        Match::AnyServer => "any VAL server".to_owned(),
        Match::AnyClient => "any VAL client".to_owned(),
        Match::Server(id) => format!("VAL server {id}"),
        Match::Client(id) => format!("VAL client {id}"),
        Match::ValService(id) => format!("VAL service {id}"),
    }
}
