//! Starting and ending the program.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::TestTime;

/// Longest wait for the ready file or the end of the program, on a slow machine.
const START: Duration = Duration::from_secs(60);
/// Time between two looks.
const POLL: Duration = Duration::from_millis(10);
/// Ports of tests lie below those that the system hands out by itself.
const PORTS: std::ops::Range<u16> = 12_000..30_000;
/// Ports of one program, from its first.
const SPAN: u16 = 26;

/// How a program is to be started.
#[derive(Clone)]
pub(crate) struct Launch {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    dir: PathBuf,
    ready: PathBuf,
    log: PathBuf,
}

impl Launch {
    /// `metaseal ARGUMENTS` with its ready file and log below `dir`.
    pub(crate) fn new(dir: &Path, name: &str, arguments: &[&str]) -> Self {
        Self {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            environment: Vec::new(),
            dir: dir.to_owned(),
            ready: dir.join(format!("{name}.ready.json")),
            log: dir.join(format!("{name}.log")),
        }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.arguments.push(word.as_ref().to_string_lossy().into_owned());
        self
    }

    /// Starts it and waits until it accepts.
    pub(crate) fn start(&self) -> Program {
        self.try_start().unwrap_or_else(|log| panic!("metaseal {:?} did not start:\n{log}", self.arguments))
    }

    /// Likewise; the log, when it ends before it accepts.
    pub(crate) fn try_start(&self) -> Result<Program, String> {
        let _ = fs::remove_file(&self.ready);
        let log = File::options().create(true).append(true).open(&self.log).expect("a log file");
        let out = File::create(self.log.with_extension("out")).expect("a file for the output");
        let mut command = binary();
        command.args(&self.arguments).arg("--ready").arg(&self.ready).current_dir(&self.dir);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let child = command.stdin(Stdio::null()).stdout(out).stderr(log).spawn().expect("the program");
        let mut program = Program { child, ready: Value::Null, launch: self.clone(), keep: None };
        for _ in 0..START.as_millis() / POLL.as_millis() {
            // Written by a rename: what can be read is whole.
            if let Ok(text) = fs::read_to_string(&self.ready) {
                program.ready = serde_json::from_str(&text).expect("a ready file");
                return Ok(program);
            }
            if program.child.try_wait().expect("the state of the program").is_some() {
                return Err(program.log());
            }
            std::thread::sleep(POLL);
        }
        Err(format!("not ready in time\n{}", program.log()))
    }
}

impl Launch {
    /// Starts it and ends it by `kill -9` as soon as `there` holds.
    pub(crate) fn kill_when(&self, there: impl Fn() -> bool) {
        let log = File::options().create(true).append(true).open(&self.log).expect("a log file");
        let mut command = binary();
        command.args(&self.arguments).current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.stderr(log).spawn().expect("the program");
        for _ in 0..START.as_millis() {
            if there() || child.try_wait().expect("the state of the program").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A running program.
pub(crate) struct Program {
    child: Child,
    /// Its ready file.
    pub(crate) ready: Value,
    launch: Launch,
    keep: Option<TempDir>,
}

impl Program {
    /// A demo that plays nothing, in a directory of its own.
    pub(crate) fn demo() -> Self {
        Self::demo_with(&[])
    }

    /// A demo with the facade beside the others.
    pub(crate) fn demo_with_facade() -> Self {
        Self::demo_with(&[(
            "METASEAL_SERVER_ROLES",
            "[\"sim\", \"ccf\", \"san\", \"sm\", \"lm\", \"udm\", \"console\"]",
        )])
    }

    /// Likewise, with variables of the environment.
    pub(crate) fn demo_with(environment: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let mut launch = Launch::new(
            dir.path(),
            "demo",
            &["demo", "--only", "none", "--port-base", "0", "--data", "data"],
        );
        for (name, value) in environment {
            launch = launch.env(name, value);
        }
        let mut program = launch.start();
        program.keep = Some(dir);
        program
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        PathBuf::from(self.ready["data"].as_str().expect("a data directory"))
    }

    pub(crate) fn ready_file(&self) -> &Path {
        &self.launch.ready
    }

    /// What it wrote to its log so far, of all its runs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.launch.log).unwrap_or_default()
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, as a service manager would.
    pub(crate) fn ask_to_end(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let (signal, pid) = (format!("-{name}"), self.child.id().to_string());
        assert!(Command::new("kill").args([&signal, &pid]).status().expect("kill").success());
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        for _ in 0..START.as_millis() / POLL.as_millis() {
            if let Some(status) = self.child.try_wait().expect("the state of the program") {
                return status;
            }
            std::thread::sleep(POLL);
        }
        panic!("the program does not end:\n{}", self.log());
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the state of the process");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        let kib: u64 =
            line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
        kib * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of the program:\n{}", self.log());
        }
    }
}

/// The binary, without settings of whoever runs the tests.
fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metaseal"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("METASEAL_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Output {
    run_with(dir, arguments, &[])
}

/// Likewise, with variables of the environment.
pub(crate) fn run_with(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = binary();
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    command.envs(environment.iter().copied());
    command.output().expect("the program")
}

/// A first port with which a program can be started again and again.
pub(crate) fn port_base(time: &TestTime) -> u16 {
    let places = u64::from((PORTS.end - PORTS.start) / SPAN);
    for _ in 0..100 {
        let place = u16::try_from(time.draw(places)).expect("small");
        let base = PORTS.start + place * SPAN;
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (base..base + SPAN).all(free) {
            return base;
        }
    }
    panic!("no free ports");
}
