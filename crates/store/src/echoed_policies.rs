//! Policies that owners of objects keep at the CAPIF core function, as it has told them (TR 33.721 6.3): versioned, so that
//! what is kept of them in memory knows that it is behind. The identifier is that of the resource at the core function.

crate::documents::of_kind!("echoed-policy");
