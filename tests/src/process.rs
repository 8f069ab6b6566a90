//! The examples as processes of their own.
use crate::{
    http1::{Connection, Reply},
    wait::{BOUND, eventually, within},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, io,
    io::Read,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// A process to start.
#[derive(Debug)]
pub struct Launch {
    command: Command,
    http: SocketAddr,
    admin: SocketAddr,
}

/// A process that serves. It is killed when dropped.
#[derive(Debug)]
pub struct Service {
    child: Child,
    http: SocketAddr,
    admin: SocketAddr,
    stdout: Captured,
    stderr: Captured,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// When that was seen.
    pub at: Instant,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// What a process writes, as far as it has.
#[derive(Debug)]
struct Captured {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// The binary of the example `name`, built once in each run of the tests.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn bin(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build).join(name)
}

/// The program `name` as it runs in production, for what is measured: `conformance`, or one of the benches' own. The first
/// call builds all of them.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn optimised(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        let built = cargo()
            .args(["build", "--quiet", "--release", "--bins"])
            .args(["-p", "conformance", "-p", "detectviz-benches"])
            .status();
        let built = built.expect("cargo runs").success();
        assert!(built, "the programs are built");
        let tests = std::env::current_exe().expect("this program is a file");
        let target = tests.ancestors().nth(3).expect("<target>/<profile>/deps");
        target.join("release")
    };
    BUILT.get_or_init(build).join(name)
}

/// Builds the examples and says where they are: beside the folder of the program that runs.
fn build() -> PathBuf {
    let tests = std::env::current_exe().expect("this program is a file");
    let folder = tests
        .parent()
        .and_then(Path::parent)
        .expect("<profile>/deps");
    // cargo-nextest starts a process for each test: one of them is enough.
    #[expect(
        clippy::disallowed_methods,
        reason = "who runs the tests says so there"
    )]
    let run = std::env::var("NEXTEST_RUN_ID").ok();
    let mark = run.map(|run| folder.join(format!("examples-of-{run}")));
    if mark.as_ref().is_some_and(|mark| mark.exists()) {
        return folder.to_owned();
    }
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some(name) if name != "debug" => name,
        _ => "dev",
    };
    let out = cargo()
        .args(["build", "--quiet", "--profile", profile])
        .args(["-p", "conformance", "-p", "orders", "-p", "quickstart"])
        .output();
    let out = out.expect("cargo runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "the examples do not build: {said}");
    for old in fs::read_dir(folder).expect("a folder").flatten() {
        if old
            .file_name()
            .to_string_lossy()
            .starts_with("examples-of-")
        {
            let _gone = fs::remove_file(old.path());
        }
    }
    if let Some(mark) = mark {
        fs::write(mark, "").expect("the folder of programs is ours");
    }
    folder.to_owned()
}

/// Cargo, as if it was started by hand. What cargo tells a test about its package would go on to the scripts that build
/// dependencies, and ring's is run again when that differs from the last time: each run would build half of everything twice.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    #[expect(clippy::disallowed_methods, reason = "what is to be left out")]
    let all = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_NAME"];
    for name in all.filter(|name| of_package.iter().any(|start| name.starts_with(start))) {
        cargo.env_remove(name);
    }
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// An address of this machine that nobody else uses, so that ports on it are free.
#[must_use]
pub fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high, low, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A port that is free on `address`.
///
/// # Panics
/// When the system has none.
#[must_use]
pub fn free_port(address: Ipv4Addr) -> SocketAddr {
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    listener.local_addr().expect("a bound address")
}

// === impl Launch ===

impl Launch {
    /// `examples/conformance`, on ports of its own.
    #[must_use]
    pub fn conformance() -> Self {
        Self::new(&bin("conformance"))
    }

    /// A program that has the components `http` and `admin`, on ports of its own.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        let address = own_address();
        let (http, admin) = (free_port(address), free_port(address));
        let mut command = Command::new(program);
        command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            http,
            admin,
        }
        .set("http.address", address)
        .set("admin.address", address)
        .set("http.port", http.port())
        .set("admin.port", admin.port())
    }

    /// Sets one key.
    #[must_use]
    pub fn set(self, path: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        self.args(["--set", &format!("{path}={value}")])
    }

    /// Sets some keys, as `path=value`.
    #[must_use]
    pub fn sets(self, sets: &[&str]) -> Self {
        sets.iter()
            .fold(self, |this, set| this.args(["--set", set]))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable; there is none otherwise.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where the service will listen.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// When it ends instead, or is not ready within [`BOUND`].
    #[must_use]
    pub fn start(self) -> Service {
        let mut service = self.spawn();
        eventually("the service is ready", || {
            if let Some(status) = service.child.try_wait().expect("the child is ours") {
                panic!("it ended with {status}: {}", service.stderr());
            }
            service.admin_get("/readyz").filter(|r| r.status == 200)
        });
        service
    }

    /// Starts it.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn spawn(mut self) -> Service {
        let mut child = self.command.spawn().expect("the program starts");
        Service {
            stdout: Captured::new(child.stdout.take()),
            stderr: Captured::new(child.stderr.take()),
            child,
            http: self.http,
            admin: self.admin,
        }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not end within [`BOUND`].
    #[must_use]
    pub fn run(self) -> Ended {
        self.spawn().wait(BOUND)
    }
}

// === impl Service ===

impl Service {
    /// Where it serves.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Its admin port.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// A connection to it.
    ///
    /// # Panics
    /// When it takes none.
    #[must_use]
    pub fn connect(&self) -> Connection {
        Connection::open(self.http).expect("the service takes connections")
    }

    /// Asks on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Reply {
        let reply = self.connect().get(path);
        reply.unwrap_or_else(|err| panic!("GET {path}: {err}"))
    }

    /// Asks the admin port; `None` when it does not answer.
    #[must_use]
    pub fn admin_get(&self, path: &str) -> Option<Reply> {
        Connection::open(self.admin).ok()?.get(path).ok()
    }

    /// The sum of the series of a metric whose labels hold `labels`.
    ///
    /// # Panics
    /// When the admin port does not answer.
    #[must_use]
    pub fn metric(&self, name: &str, labels: &str) -> f64 {
        let page = self.admin_get("/metrics").expect("the admin port answers");
        let page = page.text();
        let series = page.lines().filter(|line| {
            line.starts_with(name)
                && line[name.len()..].starts_with(['{', ' '])
                && line.contains(labels)
        });
        let value = |line: &str| line.split(' ').nth(1)?.parse::<f64>().ok();
        series.filter_map(value).sum()
    }

    /// The first line on stdout, now or soon, that is JSON and that `wanted` accepts.
    ///
    /// # Panics
    /// When none comes within [`BOUND`].
    pub fn wait_for_log(&self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        eventually("the line is logged", || {
            let text = self.stdout();
            let mut lines = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok());
            lines.find(|line| wanted(line))
        })
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process is gone already.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process lives");
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// Never, as long as nobody else waits for our child.
    pub fn is_running(&mut self) -> bool {
        let ended: io::Result<Option<ExitStatus>> = self.child.try_wait();
        ended.expect("the child is ours").is_none()
    }

    /// Its resident memory in bytes.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn resident(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "what the kernel says of a child")]
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("VmRSS") * 1024
    }

    /// What it wrote to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.so_far()
    }

    /// What it wrote to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.so_far()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within `bound`.
    #[must_use]
    pub fn wait(mut self, bound: Duration) -> Ended {
        let status = within(bound, || self.child.try_wait().expect("the child is ours"));
        let at = Instant::now();
        let status: ExitStatus = status.unwrap_or_else(|| {
            panic!("still running after {bound:?}: {}", self.stdout());
        });
        Ended {
            code: status.code(),
            at,
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

// === impl Captured ===

impl Captured {
    fn new(pipe: Option<impl Read + Send + 'static>) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&text);
        let reader = pipe.and_then(|mut pipe| {
            let read = move || {
                let mut part = [0; 16 * 1024];
                while let Ok(count @ 1..) = pipe.read(&mut part) {
                    let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                    into.extend_from_slice(&part[..count]);
                }
            };
            std::thread::Builder::new().spawn(read).ok()
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _panicked = reader.join();
        }
        self.so_far()
    }
}

/// The output of a program that ends by itself.
///
/// # Panics
/// When there is no such program.
#[must_use]
pub fn output(program: &Path, args: &[&str]) -> Output {
    let out = Command::new(program).args(args).env_clear().output();
    out.expect("the program starts")
}
