//! Nobody reads stdout: requests go on, memory stays where it is, and every line is written or counted.
use detectviz_tests::{
    BOUND, bin, eventually, full,
    http1::Connection,
    lines,
    process::{free_port, own_address},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::Read,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const CLIENTS: usize = 4;

/// A service whose stdout is a pipe that nobody reads yet.
struct Unread {
    child: Child,
    http: SocketAddr,
    admin: SocketAddr,
}

impl Unread {
    fn start() -> Self {
        let address = own_address();
        let (http, admin) = (free_port(address), free_port(address));
        let child = Command::new(bin("conformance"))
            .env_clear()
            .args(["--port", &http.port().to_string()])
            .args(["--admin-port", &admin.port().to_string()])
            .args(["--set", &format!("http.address={address}")])
            .args(["--set", &format!("admin.address={address}")])
            .args(["--set", "telemetry.logs.buffer=256KiB"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let this = Self { child, http, admin };
        eventually("the service is ready", || {
            let reply = Connection::open(admin).ok()?.get("/readyz").ok()?;
            (reply.status == 200).then_some(())
        });
        this
    }

    /// The sum over all levels.
    fn counter(&self, name: &str) -> usize {
        let page = Connection::open(self.admin)
            .expect("a connection")
            .get("/metrics");
        let page = page.expect("an answer").text();
        let series = page
            .lines()
            .filter(|line| line.starts_with(&format!("{name}{{")));
        series
            .filter_map(|line| line.split(' ').nth(1)?.parse::<usize>().ok())
            .sum()
    }

    #[expect(clippy::disallowed_methods, reason = "what the kernel says of a child")]
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("VmRSS") << 10
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Sends requests for a while: how many there were, and how long the slowest took.
fn load(addr: SocketAddr, time: Duration) -> (usize, Duration) {
    let until = Instant::now() + time;
    let client = move || {
        let mut connection = Connection::open(addr).expect("a connection");
        let (mut count, mut slowest) = (0, Duration::ZERO);
        while Instant::now() < until {
            let start = Instant::now();
            assert_eq!(connection.get("/").expect("an answer").status, 200);
            slowest = slowest.max(start.elapsed());
            count += 1;
        }
        (count, slowest)
    };
    let clients = [(); CLIENTS].map(|()| std::thread::Builder::new().spawn(client));
    clients
        .into_iter()
        .fold((0, Duration::ZERO), |(sum, worst), client| {
            let (count, slowest) = client.expect("a thread").join().expect("no client failed");
            (sum + count, worst.max(slowest))
        })
}

#[test]
fn requests_go_on_while_nobody_reads_stdout() {
    let mut service = Unread::start();
    let (first, _) = load(service.http, Duration::from_secs(1));
    eventually("the pipe and the buffer are full", || {
        (service.counter("detectviz_log_dropped_total") > 0).then_some(())
    });
    let before = service.resident();
    let time = Duration::from_secs(if full() { 60 } else { 3 });
    let (second, slowest) = load(service.http, time);
    let grown = service.resident().saturating_sub(before);
    assert!(
        second > first / 2,
        "{first} in a second, then {second} in {time:?}"
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(grown < 8 << 20, "{grown} bytes more");

    // Now somebody reads.
    let mut stdout = service.child.stdout.take().expect("a pipe");
    let read = std::thread::Builder::new().spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).expect("UTF-8");
        text
    });
    let mut last = 0;
    let stop = Instant::now() + BOUND;
    // What is written counts once it is; nothing more comes when two looks agree.
    loop {
        let written = service.counter("detectviz_log_written_total");
        let all = written + service.counter("detectviz_log_dropped_total");
        if all >= first + second && written == last {
            break;
        }
        assert!(Instant::now() < stop, "{all} of {}", first + second);
        last = written;
    }
    let dropped = service.counter("detectviz_log_dropped_total");
    let pid = Pid::from_child(&service.child);
    kill_process(pid, Signal::TERM).expect("the process lives");
    let status = service.child.wait().expect("the child is ours");
    assert_eq!(status.code(), Some(0));
    let text = read.expect("a thread").join().expect("it read");
    let lines = lines::parse(&text);
    assert_eq!(text.lines().count(), lines.len(), "nothing but whole lines");
    let access = lines
        .iter()
        .filter(|line| line["target"] == "http.access")
        .count();
    assert_eq!(
        access + dropped,
        first + second,
        "produced = written + dropped"
    );
    assert!(access > 100 && dropped > 100, "{access} {dropped}");
}
