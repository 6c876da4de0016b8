//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The security system of the mobile metaverse: who may use a spatial anchor, a spatial map, an avatar.
#[derive(Debug, Parser)]
#[command(name = "metaseal", version, propagate_version = true)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Data directory [default: ./metaseal-data; a temporary one for `demo`]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration file (TOML)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// First port; 0 takes free ports [default: 8440]
    #[arg(long, global = true, value_name = "N")]
    pub port_base: Option<u16>,
    /// Write urls, certificates and more to this file when every listener accepts
    #[arg(long, global = true, value_name = "FILE")]
    pub ready: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything with sample data, play the procedures and their attacks, stay up
    Demo(Demo),
    /// Run the functions
    Serve(Serve),
    /// Explain the decision of a trace: each check, expected and seen, and what would make it pass
    Why(Why),
    /// Look for faults in a data directory and, when it runs, in the program
    Doctor,
    /// Rotate the signing key of a function
    Rotate(Rotate),
    /// Write an encrypted copy of a data directory, also while the program runs
    Backup(Backup),
    /// Restore a data directory from a backup
    Restore(Restore),
    /// Write every spatial anchor of a running program as a line of GeoJSON, with owner and rules
    Export(Export),
    /// Bring spatial anchors from lines of GeoJSON into a running program; goes on where it stopped
    Import(Import),
    /// Check or describe the configuration
    Config(ConfigCommand),
    /// Measure what things cost, each beside its floor in the same run
    Bench(Bench),
    /// The floor of a benchmark: the same edge and group commit, and nothing else
    #[command(hide = true)]
    BenchFloor(BenchFloor),
    /// Write the OpenAPI documents of the program's own interfaces
    #[command(hide = true)]
    Openapi(Openapi),
}

/// Options of `demo`.
#[derive(Debug, Clone, Default, Args)]
pub struct Demo {
    /// Play once and exit: 0 only when everything that is built is as expected
    #[arg(long)]
    pub once: bool,
    /// Play only these procedures
    #[arg(long, value_delimiter = ',', value_name = "P1,P2")]
    pub only: Vec<String>,
    /// Write each procedure as an SVG sequence diagram into this directory
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
    /// Write every exchange with the servers as a JSON line into this file, without headers
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// Functions to run [default: all that are built]
    #[arg(long, value_delimiter = ',', value_name = "sim,san,…")]
    pub roles: Vec<String>,
    /// Also listen for plain clients of OpenCAPIF, on a port of their own: passwords, RSA certificate, RS256 tokens
    #[arg(long, value_name = "CLIENTS", value_parser = ["opencapif"])]
    pub compat: Option<String>,
}

/// Options of `why`.
#[derive(Debug, Clone, Args)]
pub struct Why {
    /// Trace id, as the `traceparent` header of the answer has it
    pub trace: String,
}

/// Options of `rotate`.
#[derive(Debug, Clone, Args)]
pub struct Rotate {
    /// The function whose key is rotated
    pub role: String,
    /// The old key is compromised: it stops counting at once
    #[arg(long)]
    pub emergency: bool,
}

/// Options of `backup`.
#[derive(Debug, Clone, Args)]
pub struct Backup {
    /// File to write
    pub file: PathBuf,
    /// File with the passphrase's bytes, or with a random key; without it nobody can restore
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Clone, Args)]
pub struct Restore {
    /// File to read
    pub file: PathBuf,
    /// The key file that the backup was written with
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
}

/// Options of `export`.
#[derive(Debug, Clone, Args)]
pub struct Export {
    /// File to write, which must not exist; `-` is the standard output
    pub file: PathBuf,
}

/// Options of `import`.
#[derive(Debug, Clone, Args)]
pub struct Import {
    /// File to read: one GeoJSON feature on each line
    pub file: PathBuf,
    /// Leave out bad lines, and say which they were; else the first one stops the import
    #[arg(long)]
    pub skip_bad: bool,
    /// Name of the import [default: the digest of the file]; names one that stopped, to go on with a corrected file
    #[arg(long, value_name = "ID")]
    pub name: Option<String>,
    /// Client that owns features without an owner
    #[arg(long, value_name = "CLIENT", requires = "service", requires = "endpoint")]
    pub owner: Option<String>,
    /// VAL service of features without one
    #[arg(long, value_name = "ID", requires = "owner")]
    pub service: Option<String>,
    /// Where that service is reached
    #[arg(long, value_name = "URI", requires = "owner")]
    pub endpoint: Option<String>,
    /// What an issuer in the file is called here, when both name the same people; may stand several times
    #[arg(long, value_name = "OLD=NEW")]
    pub issuer: Vec<String>,
}

/// Options of `config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigCommand {
    /// What to do with the configuration.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigAction {
    /// Say whether the configuration is good, and what it amounts to
    Check,
    /// Print its JSON Schema
    Schema,
}

/// Options of `openapi`.
#[derive(Debug, Clone, Args)]
pub struct Openapi {
    /// Directory to write into
    #[arg(long)]
    pub dir: PathBuf,
}

/// Options of `bench`.
#[derive(Debug, Clone, Args)]
pub struct Bench {
    /// Short measurements of small sizes
    #[arg(long)]
    pub quick: bool,
    /// Measure only these: signature, check, discovery, token, get, write, capif, apis, revocation, events
    #[arg(long, value_delimiter = ',', value_name = "token,get,…")]
    pub only: Vec<String>,
    /// Seconds of each measurement [default: 5; 1 with --quick]
    #[arg(long, value_name = "N")]
    pub seconds: Option<f64>,
    /// Numbers of anchors [default: 10000,100000,1000000; fewer with --quick]
    #[arg(long, value_delimiter = ',', value_name = "N,…")]
    pub anchors: Vec<u32>,
    /// Connections of the load generator
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub connections: usize,
    /// Folder of the peer that tokens are measured against; without its packages it is left out
    #[arg(long, value_name = "DIR", default_value = "benches/oidc-provider")]
    pub peer: PathBuf,
    /// Measure on PostgreSQL as well, which is started for it
    #[arg(long)]
    pub postgres: bool,
    /// Draw the measurements into this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
}

/// Options of `bench-floor`.
#[derive(Debug, Clone, Args)]
pub struct BenchFloor {
    /// Directory to use
    pub dir: PathBuf,
    /// File to write port and certificates to
    #[arg(long, value_name = "FILE")]
    pub told: PathBuf,
    /// Database to commit to, instead of a file
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
}
