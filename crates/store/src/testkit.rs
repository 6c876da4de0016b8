//! A PostgreSQL of a test's own: Debian's binaries, a directory of its own, a free port of loopback, gone with its owner.
//!
//! For tests only; it panics where a server would answer with an error.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const INSTALL: &str = "PostgreSQL is not installed: apt-get install -y --no-install-recommends postgresql-15";
const USER: &str = "metaseal";
/// Attempts to find a port that nobody takes in between.
const STARTS: u32 = 5;
/// Polls of 50 ms until the server accepts.
const POLLS: u32 = 600;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A running server. It is stopped and its directory removed on drop, also while a test panics, and it dies with the
/// thread that started it: start it on the thread of the test.
pub struct Postgres {
    binaries: PathBuf,
    dir: PathBuf,
    port: u16,
    server: Option<Child>,
    databases: AtomicU32,
}

impl Postgres {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// PostgreSQL is not installed, or does not start.
    pub fn start() -> Self {
        let binaries = binaries().unwrap_or_else(|| panic!("{INSTALL}"));
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("metaseal-postgres-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).expect("directory of the cluster");
        if let Some((uid, gid)) = service_user() {
            chown(&dir, Some(uid), Some(gid)).expect("owner of the cluster");
        }
        let mut postgres = Self { binaries, dir, port: 0, server: None, databases: AtomicU32::new(0) };
        let words = postgres.dir.join("password");
        fs::write(&words, postgres.password()).expect("password file");
        if let Some((uid, gid)) = service_user() {
            chown(&words, Some(uid), Some(gid)).expect("owner of the password file");
        }
        postgres.run("initdb", |initdb| {
            initdb
                .args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8"])
                .args(["--locale", "C", "--no-sync", "--pwfile"])
                .arg(&words)
                .arg("-D")
                .arg(postgres.data())
        });
        postgres.restart();
        postgres
    }

    /// The url of a new and empty database.
    ///
    /// # Panics
    /// The database cannot be made.
    pub fn database(&self) -> String {
        let name = format!("case_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("createdb", |createdb| {
            createdb.args(["-h", "127.0.0.1", "-U", USER, "-p"]).arg(self.port.to_string()).arg(&name)
        });
        format!("postgres://{USER}:{}@127.0.0.1:{}/{name}", self.password(), self.port)
    }

    /// Stops the server as a power failure would: no checkpoint, connections cut.
    ///
    /// # Panics
    /// It does not stop.
    pub fn crash(&mut self) {
        self.run("pg_ctl", |ctl| ctl.args(["stop", "-m", "immediate", "-D"]).arg(self.data()));
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }

    /// Starts the server again, on the port that it had.
    ///
    /// # Panics
    /// It does not start.
    pub fn restart(&mut self) {
        for _ in 0..STARTS {
            let port = if self.port == 0 { free_port() } else { self.port };
            if self.starts_on(port) {
                self.port = port;
                return;
            }
        }
        let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start:\n{log}");
    }

    fn starts_on(&mut self, port: u16) -> bool {
        let log = fs::File::create(self.dir.join("log")).expect("log of the server");
        let mut command = self.command("postgres", true);
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(&self.dir)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"])
            .args(["-c", "max_connections=100", "-c", "shared_buffers=32MB"])
            .stdout(Stdio::null())
            .stderr(log);
        let mut server = command.spawn().expect("postgres");
        for _ in 0..POLLS {
            if server.try_wait().expect("state of the server").is_some() {
                return false;
            }
            let mut ready = self.command("pg_isready", false);
            ready.args(["-q", "-h", "127.0.0.1", "-U", USER, "-p", &port.to_string()]);
            if ready.status().is_ok_and(|status| status.success()) {
                self.server = Some(server);
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = server.kill();
        let _ = server.wait();
        false
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Drawn from the directory: it guards a loopback port for the seconds of a test.
    fn password(&self) -> String {
        let name = self.dir.to_string_lossy();
        crate::migrations::hex(
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes()).as_ref(),
        )
    }

    fn run(&self, program: &str, args: impl FnOnce(&mut Command) -> &mut Command) {
        let mut command = self.command(program, false);
        args(&mut command);
        let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The server refuses to run as root; then everything runs as its own user.
    fn command(&self, program: &str, dies_with_us: bool) -> Command {
        let program = self.binaries.join(program);
        let user = service_user();
        let mut command = if user.is_none() && !dies_with_us {
            Command::new(program)
        } else {
            let mut command = Command::new("setpriv");
            if let Some((uid, gid)) = user {
                command.args([
                    format!("--reuid={uid}"),
                    format!("--regid={gid}"),
                    "--clear-groups".to_owned(),
                ]);
            }
            if dies_with_us {
                command.arg("--pdeathsig=QUIT");
            }
            command.arg("--").arg(program);
            command
        };
        command.current_dir(&self.dir).env("LC_ALL", "C").env("PGPASSWORD", self.password());
        command.stdin(Stdio::null());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let mut stop = self.command("pg_ctl", false);
            stop.args(["stop", "-m", "immediate", "-D"]).arg(self.data());
            let stopped = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
            if !stopped.is_ok_and(|status| status.success()) {
                let _ = server.kill();
            }
            let _ = server.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn binaries() -> Option<PathBuf> {
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).max()
    };
    let fifteen = PathBuf::from("/usr/lib/postgresql/15/bin");
    let has_server = |dir: &PathBuf| dir.join("postgres").is_file();
    Some(fifteen).filter(has_server).or_else(|| newest().filter(has_server))
}

/// The user `postgres`, when this process is root.
fn service_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let line = fs::read_to_string(Path::new("/etc/passwd")).ok()?;
    let line = line.lines().find(|line| line.starts_with("postgres:"))?.to_owned();
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port of loopback");
    listener.local_addr().expect("its number").port()
}
