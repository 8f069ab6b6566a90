//! Writes log lines that go nowhere, for callgrind and perf: `drive-log LINES template|event|user`.
//!
//! What belongs to a line runs within `one_line`, so that `--toggle-collect=*one_line*` counts that and no more.
use detectviz_benches::{
    allocations,
    lines::{Kind, Lines},
    rounds,
};
use detectviz_core::{task::Tasks, telemetry::span::Spans};
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

/// Lines before the first one that counts, and between two pauses.
const ROUND: u32 = 256;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let lines = arguments.next().and_then(|n| n.parse().ok());
    let name = arguments.next().unwrap_or_default();
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let (Some(count), Some(kind)) = (lines, kind) else {
        let _ = writeln!(io::stderr(), "usage: drive-log LINES template|event|user");
        return ExitCode::from(64);
    };
    let tasks = Tasks::new();
    match Lines::new(&tasks) {
        Ok(lines) => lines.in_request(|| drive(&lines, kind, count)),
        Err(err) => {
            let _ = writeln!(io::stderr(), "drive-log: {err}");
            return ExitCode::from(70);
        }
    }
    tasks.cancel();
    ExitCode::SUCCESS
}

fn drive(lines: &Lines, kind: Kind, count: u32) {
    // Several rounds, so that each of the buffers that are swapped has grown.
    for number in 0..8 * ROUND {
        if number % ROUND == 0 {
            rounds::settle(lines.logs(), &Spans::disabled());
        }
        lines.write(kind, Instant::now());
    }
    let mut allocated = 0;
    for number in 0..count {
        if number % ROUND == 0 {
            rounds::settle(lines.logs(), &Spans::disabled());
        }
        let now = Instant::now();
        let before = allocations::so_far();
        one_line(lines, kind, now);
        allocated += allocations::so_far() - before;
    }
    let _ = writeln!(io::stdout(), "{allocated} allocations");
}

#[inline(never)]
fn one_line(lines: &Lines, kind: Kind, at: Instant) {
    lines.write(kind, at);
}
