//! Entry points for fuzzing: what this crate reads from outside. None may panic.

use rcgen::CertificateSigningRequestParams;

use crate::config::Config;

pub use crate::admin::fuzz_filters;
pub use crate::backup::fuzz_backup;

/// A configuration file.
pub fn fuzz_config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(config) = toml::from_str::<Config>(text) {
        let _ = config.validate();
    }
}

/// A signing request of a client.
pub fn fuzz_csr(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = CertificateSigningRequestParams::from_pem(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            super::fuzz_config(&bytes);
            super::fuzz_csr(&bytes);
            super::fuzz_filters(&bytes);
            super::fuzz_backup(&bytes);
        }

        #[test]
        fn no_text_near_a_configuration_makes_it_panic(text in "(\\[(server|sim|log)\\]\n([a-z_]{1,12} = [0-9\"a-z\\[\\]]{0,8}\n){0,3}){0,3}") {
            super::fuzz_config(text.as_bytes());
        }
    }
}
