//! Users of the listener for plain OpenCAPIF clients, by name. The body is JSON of the core function; a password stands there
//! as its hash.

crate::documents::of_kind!("capif-compat-user");
