//! System calls of the conformance server per request, beside those of hyper alone.
use crate::{
    client::{PLAIN, ask},
    programs::program,
};
use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};
use tokio::{net::TcpStream, runtime::Runtime};

const REQUESTS: u32 = 4000;

/// What our server may add to a request. The log is written every 50 ms, whatever the number of requests, and strace makes
/// them slow: measured 0.02.
const BUDGET: f64 = 0.1;

const REMEDY: &str = "strace cannot attach: run as root; in a container, with the capability SYS_PTRACE; elsewhere, with \
    the sysctl kernel.yama.ptrace_scope at 0 or 1";

/// A server in a process of its own, which dies with this.
struct Server {
    process: Child,
    address: SocketAddr,
    drained: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the program; `address` finds in a line of its output where it listens.
    fn start(name: &str, arguments: &[&str], address: impl Fn(&str) -> Option<SocketAddr>) -> Self {
        let mut process = Command::new(program(name))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            let read = output.read_line(&mut line).expect("its output is text");
            assert!(read > 0, "{name} ended before it listened");
            if let Some(address) = address(&line) {
                break address;
            }
        };
        let drained = thread::Builder::new().spawn(move || {
            let _ = io::copy(&mut output, &mut io::sink());
        });
        Self {
            process,
            address,
            drained: Some(drained.expect("a thread starts")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(drained) = self.drained.take() {
            let _ = drained.join();
        }
    }
}

/// System calls per request of a warm keep-alive connection, and strace's table of them.
fn per_request(server: &Server) -> (f64, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let connect = async {
        let stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        io::Result::Ok(stream)
    };
    let mut stream = runtime.block_on(connect).expect("it connects");
    runtime.block_on(ask(&mut stream, PLAIN, REQUESTS));
    let table = counted(server.process.id(), &runtime, &mut stream);
    let total = table.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let calls = words.nth(3)?.parse::<u32>().ok()?;
        (words.next_back() == Some("total")).then_some(calls)
    });
    let total = total.unwrap_or_else(|| panic!("strace counted nothing: {table}"));
    (f64::from(total) / f64::from(REQUESTS), table)
}

/// Runs the requests under strace; returns its table.
fn counted(process: u32, runtime: &Runtime, stream: &mut TcpStream) -> String {
    let mut strace = Command::new("strace")
        .args(["-c", "-f", "-p", &process.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace runs: apt-get install strace");
    let mut said = BufReader::new(strace.stderr.take().expect("it is piped"));
    let mut first = String::new();
    said.read_line(&mut first).expect("strace prints text");
    assert!(first.contains("attached"), "{REMEDY}: {first}");
    runtime.block_on(ask(stream, PLAIN, REQUESTS));
    let told = Command::new("kill")
        .args(["-INT", &strace.id().to_string()])
        .status();
    assert!(told.expect("kill runs").success(), "strace is told to end");
    let mut table = String::new();
    said.read_to_string(&mut table).expect("strace prints text");
    strace.wait().expect("strace ends");
    table
}

#[test]
fn our_server_makes_no_more_system_calls_than_hyper_alone() {
    let bare = Server::start("bare-hyper", &["--port", "0", "--workers", "1"], |line| {
        line.strip_prefix("listening on ")?.trim().parse().ok()
    });
    let ours = Server::start(
        "conformance",
        &[
            "--port",
            "0",
            "--admin-port",
            "0",
            "--set",
            "runtime.workers=1",
        ],
        |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let ours = line["component"] == "http" && line["message"] == "listening";
            ours.then(|| line["address"].as_str()?.parse().ok())?
        },
    );
    let (bare, expected) = per_request(&bare);
    let (ours, counted) = per_request(&ours);
    println!("{ours:.3} system calls per request, hyper alone {bare:.3}");
    assert!(
        ours <= bare + BUDGET,
        "{ours:.3} system calls per request, hyper alone {bare:.3}:\n{counted}\n{expected}"
    );
}
