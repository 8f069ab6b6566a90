//! Programs of others that the suites talk to: children of the test, found or named.
use crate::{repository, wait::eventually};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

/// A server of somebody else. It is killed when dropped.
#[derive(Debug)]
pub struct Foreign {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
}

/// A directory that goes away with the test.
#[derive(Debug)]
pub struct TempDir(PathBuf);

// === impl Foreign ===

impl Foreign {
    /// Starts `command`.
    ///
    /// # Panics
    /// When there is no such program: `package` says where it comes from.
    #[must_use]
    pub fn start(mut command: Command, package: &str) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn(&mut command, package);
        let said = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &said);
        collect(child.stderr.take(), &said);
        Self { child, said }
    }

    /// What it wrote so far.
    #[must_use]
    pub fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Waits until somebody listens at `addr`.
    ///
    /// # Panics
    /// When nobody does, or the program ends.
    pub fn listens(&mut self, addr: SocketAddr) {
        eventually("the server listens", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("it ended with {status}: {}", self.said());
            }
            TcpStream::connect(addr).ok()
        });
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

// === impl TempDir ===

impl TempDir {
    /// A fresh directory.
    ///
    /// # Panics
    /// When none can be made.
    #[must_use]
    pub fn new() -> Self {
        let dir = loop {
            let name = detectviz_core::telemetry::context::SpanId::random();
            let dir = std::env::temp_dir().join(format!("detectviz-tests-{name}"));
            match std::fs::create_dir(&dir) {
                Ok(()) => break dir,
                Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(err) => panic!("{}: {err}", dir.display()),
            }
        };
        Self(dir)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, in one step.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, name: &str, text: &str) {
        let next = self.0.join(format!("{name}.next"));
        let written = std::fs::write(&next, text);
        let written = written.and_then(|()| std::fs::rename(&next, self.0.join(name)));
        written.unwrap_or_else(|err| panic!("{name}: {err}"));
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `command` with `input`: whether it succeeded, and what it said.
///
/// # Panics
/// When there is no such program: `package` says where it comes from.
#[must_use]
pub fn filter(mut command: Command, package: &str, input: &[u8]) -> (bool, String) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(&mut command, package);
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let feed = std::thread::Builder::new().spawn(move || stdin.write_all(&input));
    let out = child.wait_with_output().expect("the child is ours");
    let _fed = feed.map(std::thread::JoinHandle::join);
    let mut said = String::from_utf8_lossy(&out.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&out.stderr));
    (out.status.success(), said)
}

/// A program of the virtual environment that `scripts/setup.sh` makes; `DETECTVIZ_VENV` names another.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn python() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "where the tests' wheels are")]
    let told = std::env::var_os("DETECTVIZ_VENV").map(PathBuf::from);
    let venv = told.unwrap_or_else(|| repository::root().join("target/venv"));
    let python = venv.join("bin/python");
    assert!(
        python.exists(),
        "no Python at {}: run scripts/setup.sh, or name a virtual environment in DETECTVIZ_VENV",
        python.display()
    );
    python
}

/// The program of the wheel `rotel`, an OTLP receiver.
///
/// # Panics
/// When the wheel is not installed.
#[must_use]
pub fn rotel() -> PathBuf {
    let mut command = Command::new(python());
    command.args([
        "-c",
        "import importlib.util, os; print(os.path.dirname(importlib.util.find_spec('rotel').origin), end='')",
    ]);
    let (found, said) = filter(command, "python3", b"");
    assert!(
        found,
        "the wheel `rotel` is missing: run scripts/setup.sh: {said}"
    );
    Path::new(&said).join("rotel-agent")
}

/// Some ports of 127.0.0.1 that nobody uses, all different.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_ports<const N: usize>() -> [SocketAddr; N] {
    let bound = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let bound = bound.map(|listener| listener.expect("a free port"));
    bound.map(|listener| listener.local_addr().expect("a bound address"))
}

fn spawn(command: &mut Command, package: &str) -> Child {
    let spawned = command.spawn();
    spawned.unwrap_or_else(|err| {
        let program = command.get_program().to_string_lossy().into_owned();
        panic!("{program} cannot be started ({err}): install the package `{package}`")
    })
}

fn collect(pipe: Option<impl Read + Send + 'static>, said: &Arc<Mutex<Vec<u8>>>) {
    let (Some(mut pipe), said) = (pipe, Arc::clone(said)) else {
        return;
    };
    let read = move || {
        let mut part = [0; 16 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut part) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(&part[..count]);
        }
    };
    let started = std::thread::Builder::new().spawn(read);
    drop(started.expect("a thread"));
}
