//! Requests per second and CPU per request over loopback, of bare hyper, ours and the usual axum: `load [ROUNDS [SECONDS]]`.
//!
//! Rounds are interleaved; each server has processor 0 to itself, and `wrk` has processor 1. See `benches/README.md`.
use std::{
    fs,
    io::{self, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

/// A server of its own process, stopped when this is dropped.
struct Server {
    name: &'static str,
    process: Child,
    port: u16,
    rounds: Vec<Round>,
}

#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    /// CPU time per request, in microseconds.
    micros: f64,
}

/// Name, program and arguments; the first is what the others are measured against.
const SERVERS: [(&str, &str, &[&str]); 4] = [
    ("bare hyper", "bare-hyper", &[]),
    (
        "detectviz, JSON access log",
        "conformance",
        &["--admin-port", "0"],
    ),
    ("usual axum, JSON log", "usual-axum", &[]),
    (
        "usual axum, JSON log, OpenTelemetry",
        "usual-axum",
        &["--otel"],
    ),
];
const CONNECTIONS: u32 = 32;
/// The unit of `utime` and `stime`: Linux shows them in hundredths, whatever the kernel counts in.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse());
    let (rounds, seconds) = (arguments.next(), arguments.next());
    let (Ok(rounds), Ok(seconds)) = (rounds.unwrap_or(Ok(9)), seconds.unwrap_or(Ok(2))) else {
        let _ = writeln!(io::stderr(), "usage: load [ROUNDS [SECONDS]]");
        return ExitCode::from(64);
    };
    if let Err(err) = run(rounds, seconds) {
        let _ = writeln!(io::stderr(), "load: {err}");
        return ExitCode::from(69);
    }
    ExitCode::SUCCESS
}

fn run(rounds: u32, seconds: u32) -> io::Result<()> {
    let mut servers = Vec::new();
    for (name, program, arguments) in SERVERS {
        servers.push(Server::start(name, program, arguments)?);
    }
    for round in 0..=rounds {
        for server in &mut servers {
            let measured = server.load(seconds)?;
            // The first warms up.
            server.rounds.extend((round > 0).then_some(measured));
        }
    }
    let bare = servers[0].median();
    let mut out = io::stdout();
    writeln!(
        out,
        "medians of {rounds} rounds of {seconds} s, {CONNECTIONS} connections"
    )?;
    for server in &servers {
        let Round { per_second, micros } = server.median();
        let (part, times) = (100.0 * per_second / bare.per_second, micros / bare.micros);
        let name = server.name;
        writeln!(
            out,
            "{name:<36} {per_second:>8.0} requests/s {part:>6.1} % {micros:>8.2} us CPU/request {times:>6.2} x"
        )?;
    }
    Ok(())
}

// === impl Server ===

impl Server {
    fn start(name: &'static str, program: &str, arguments: &[&str]) -> io::Result<Self> {
        let program = std::env::current_exe()?.with_file_name(program);
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(&program).args(arguments);
        command.args(["--port", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let server = Self {
            name,
            process: command.spawn()?,
            port,
            rounds: Vec::new(),
        };
        for _ in 0..100 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        let problem = format!("{} does not listen; is it built?", program.display());
        Err(io::Error::other(problem))
    }

    /// Lets wrk call it for so many seconds.
    fn load(&self, seconds: u32) -> io::Result<Round> {
        let before = self.cpu()?;
        let wrk = Command::new("taskset")
            .args(["-c", "1", "wrk", "-t1"])
            .args([format!("-c{CONNECTIONS}"), format!("-d{seconds}s")])
            .arg(format!("http://127.0.0.1:{}/", self.port))
            .output()?;
        let cpu = self.cpu()? - before;
        let said = String::from_utf8_lossy(&wrk.stdout);
        let words: Vec<_> = said.split_whitespace().collect();
        let number = |at: Option<usize>| words.get(at?)?.parse::<f64>().ok();
        let place = |word| words.iter().position(|known| *known == word);
        let per_second = number(place("Requests/sec:").map(|at| at + 1));
        let requests = number(place("requests").map(|at| at - 1));
        let Some((per_second, requests)) = per_second.zip(requests) else {
            let said = String::from_utf8_lossy(&wrk.stderr);
            let problem = format!("wrk does not run (apt-get install wrk): {said}");
            return Err(io::Error::other(problem));
        };
        if said.contains("Non-2xx") {
            return Err(io::Error::other(format!("{} refuses requests", self.name)));
        }
        Ok(Round {
            per_second,
            micros: cpu * 1e6 / requests,
        })
    }

    /// CPU time that it has used, in seconds.
    #[expect(clippy::disallowed_methods, reason = "it is no configuration")]
    fn cpu(&self) -> io::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name of the program, in brackets, may contain anything; `utime` and `stime` are fields 14 and 15.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2);
        Ok(ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND)
    }

    fn median(&self) -> Round {
        let middle = |of: fn(&Round) -> f64| {
            let mut all: Vec<_> = self.rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Round {
            per_second: middle(|round| round.per_second),
            micros: middle(|round| round.micros),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
