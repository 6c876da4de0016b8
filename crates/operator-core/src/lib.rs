//! What an operator already has, as far as the procedures need it. Each function here can be replaced by the operator's own:
//! whoever consumes one does so over its published interface alone.

pub mod udm;
