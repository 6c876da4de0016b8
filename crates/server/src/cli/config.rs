//! `metaseal config check | schema`

use std::process::ExitCode;

use anyhow::Result;

use super::arguments::{Common, ConfigAction, ConfigCommand};
use crate::config::{self, Config};

pub(super) fn run(common: &Common, command: &ConfigCommand) -> Result<ExitCode> {
    match command.action {
        ConfigAction::Schema => crate::out!("{}", serde_json::to_string_pretty(&config::schema())?),
        ConfigAction::Check => {
            let config = load(common)?;
            if common.json {
                crate::out!("{}", serde_json::to_string_pretty(&redacted(&config))?);
            } else {
                crate::out!("{}", toml::to_string_pretty(&redacted(&config))?.trim_end());
                eprintln!("The configuration is good.");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Loads file and environment, then applies the flags of the command line.
pub(super) fn load(common: &Common) -> Result<Config> {
    let mut config = config::load(common.config.as_deref(), std::env::vars())?;
    if let Some(port_base) = common.port_base {
        config.server.port_base = port_base;
    }
    config.validate()?;
    Ok(config)
}

/// The configuration without what must not be shown: a connection string may hold a password, an enrolment is one.
#[must_use]
pub fn redacted(config: &Config) -> Config {
    let mut shown = config.clone();
    if !shown.storage.url.is_empty() {
        shown.storage.url = "(set)".into();
    }
    shown.capif.redact();
    shown.compat.redact();
    shown
}
