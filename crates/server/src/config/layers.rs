//! The layers of the configuration and the errors of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Config;

/// What every variable of this program begins with.
const PREFIX: &str = "METASEAL_";
/// Variables with the prefix that are not configuration keys: they steer the scripts and tests.
const NOT_KEYS: [&str; 6] = [
    "METASEAL_PROFILE",
    "METASEAL_OPENAPI",
    "METASEAL_READY",
    "METASEAL_SHOTS",
    "METASEAL_KILLS",
    "METASEAL_CONSOLE",
];

/// What is wrong with the configuration, where, and what to do.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: {cause}; name another file with --config or leave it out to use the defaults")]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file is not what it should be.
    #[error("{file}:{line}: {what}; `metaseal config schema` lists every key")]
    InFile {
        /// The file.
        file: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// A variable of the environment is not a key or has the wrong kind of value.
    #[error(
        "environment variable {name}: {what}; unset it or correct it, `metaseal config schema` lists every key"
    )]
    InEnvironment {
        /// The variable.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// A value is not possible.
    #[error("{key} must be {expected}")]
    Value {
        /// `section.key`
        key: String,
        /// What would be accepted.
        expected: String,
    },
}

impl ConfigError {
    pub(super) fn value(key: &str, expected: &str) -> Self {
        Self::Value { key: key.into(), expected: expected.into() }
    }
}

/// Loads the configuration: defaults, then `file`, then `environment`.
///
/// # Errors
/// The first fault, see [`ConfigError`].
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let mut table = match file {
        Some(path) => read(path)?,
        None => Table::new(),
    };
    let variables: BTreeMap<String, String> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_KEYS.contains(&name.as_str()))
        .collect();
    for (name, text) in variables {
        overlay(&mut table, &name, &text)?;
    }
    let config: Config = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| ConfigError::value("the configuration", error.message()))?;
    config.validate()?;
    Ok(config)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { file: path.into(), cause: error.to_string() })?;
    let in_file = |error: &toml::de::Error| {
        let before = error.span().map_or(0, |span| span.start.min(text.len()));
        ConfigError::InFile {
            file: path.into(),
            line: text.as_bytes()[..before].iter().filter(|byte| **byte == b'\n').count() + 1,
            what: error.message().replace('\n', " "),
        }
    };
    // Into the typed form first: only that parse knows which line an unknown key stands on.
    toml::from_str::<Config>(&text).map_err(|error| in_file(&error))?;
    toml::from_str::<Table>(&text).map_err(|error| in_file(&error))
}

/// Puts one variable into the table and proves that the result is still a configuration.
fn overlay(table: &mut Table, name: &str, text: &str) -> Result<(), ConfigError> {
    let refuse = |what: &str| ConfigError::InEnvironment { name: name.into(), what: what.into() };
    let lower = name[PREFIX.len()..].to_ascii_lowercase();
    let (section, key) =
        lower.split_once('_').ok_or_else(|| refuse("the name has no METASEAL_<SECTION>_<KEY> form"))?;
    let as_text = Value::String(text.to_owned());
    let literal = toml::from_str::<Table>(&format!("v = {text}")).ok().and_then(|mut t| t.remove("v"));
    // A value is read as TOML when that fits its key (numbers, lists), else as plain text.
    let mut last = String::new();
    for candidate in literal.into_iter().chain([as_text]) {
        let mut trial = table.clone();
        let entry = trial.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(entry) = entry else { return Err(refuse("the section is not a table")) };
        entry.insert(key.to_owned(), candidate);
        match Value::Table(trial.clone()).try_into::<Config>() {
            Ok(_) => {
                *table = trial;
                return Ok(());
            }
            Err(error) => last = error.message().replace('\n', " "),
        }
    }
    Err(refuse(&last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("writable");
        file
    }

    #[test]
    fn later_layers_win() {
        assert_eq!(load(None, env(&[])), Ok(Config::default()));
        let text = file("[server]\nport_base = 9000\nhost = \"a.example\"\n");
        let config = load(Some(text.path()), env(&[("METASEAL_SERVER_PORT_BASE", "9100"), ("HOME", "x")]));
        let config = config.expect("a good configuration");
        assert_eq!((config.server.port_base, config.server.host.as_str()), (9100, "a.example"));
    }

    #[test]
    fn each_fault_says_where_it_stands() {
        let rows: [(&str, &str, &str); 6] = [
            ("unknown key", "[server]\nhost = \"a\"\nprot_base = 1\n", ":3: unknown field `prot_base`"),
            ("unknown section", "\n[sever]\n", ":2: unknown field `sever`"),
            ("wrong kind", "[server]\nport_base = \"x\"\n", ":2: invalid type"),
            ("not TOML", "[server\n", ":1: "),
            (
                "impossible value",
                "[sim]\naccess_token_s = 601\n",
                "sim.access_token_s must be between 1 and 600",
            ),
            ("contradiction", "[storage]\nbackend = \"postgres\"\n", "storage.url must be a PostgreSQL"),
        ];
        for (what, text, expected) in rows {
            let file = file(text);
            let error = load(Some(file.path()), env(&[])).expect_err(what).to_string();
            assert!(error.contains(expected), "{what}: {error}");
        }
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value) in
            [("METASEAL_SERVER_NOPE", "1"), ("METASEAL_NOPE", "1"), ("METASEAL_SIM_CODE_S", "soon")]
        {
            let error = load(None, env(&[(name, value)])).expect_err(name).to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
