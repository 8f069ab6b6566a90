//! Sends requests through what a client does to a call, without a network, for callgrind and perf:
//! `drive-client REQUESTS bare|whole`.
//!
//! What belongs to a call runs within `one_call`, so that `--toggle-collect=*one_call*` counts that and no more.
use bytes::Bytes;
use detectviz_benches::{
    allocations,
    client::Stack,
    request::{answer, request},
    rounds,
    subject::Handler,
};
use detectviz_core::{
    error::{Error, ErrorKind},
    task::Tasks,
    telemetry::{
        context::{Slot, TraceContext},
        span::Spans,
    },
};
use http::Request;
use http_body_util::Empty;
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};
use tokio::runtime::{Builder, Runtime};

/// Calls before the first one that counts, and between two pauses.
const ROUND: u32 = 256;

/// A service that is called.
enum Subject {
    Bare(Handler),
    Whole(Box<Stack<Handler>>),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let calls = arguments.next().and_then(|n| n.parse().ok());
    let name = arguments.next().unwrap_or_default();
    let (Some(calls), "bare" | "whole") = (calls, name.as_str()) else {
        let _ = writeln!(io::stderr(), "usage: drive-client REQUESTS bare|whole");
        return ExitCode::from(64);
    };
    let tasks = Tasks::new();
    let begun = Subject::new(&name, &tasks).and_then(|subject| Ok((subject, runtime()?)));
    match begun {
        Ok((subject, runtime)) => {
            let _entered = runtime.enter();
            let slot = Slot::started_at(TraceContext::root(false), Instant::now());
            slot.sync_scope(|| drive(subject, &runtime, calls));
        }
        Err(err) => {
            let _ = writeln!(io::stderr(), "drive-client: {err}");
            return ExitCode::from(70);
        }
    }
    tasks.cancel();
    ExitCode::SUCCESS
}

fn drive(mut subject: Subject, runtime: &Runtime, calls: u32) {
    let request = request(false);
    let mut allocated = 0;
    // Several rounds before, so that each of the buffers that are swapped has grown.
    for call in 0..8 * ROUND + calls {
        if call % ROUND == 0 {
            subject.settle();
            // What drives the timer goes on.
            runtime.block_on(tokio::task::yield_now());
        }
        let request = request.clone();
        if call < 8 * ROUND {
            subject.answer(request);
            continue;
        }
        let before = allocations::so_far();
        one_call(&mut subject, request);
        allocated += allocations::so_far() - before;
    }
    let _ = writeln!(io::stdout(), "{allocated} allocations");
}

#[inline(never)]
fn one_call(subject: &mut Subject, request: Request<Empty<Bytes>>) -> u16 {
    subject.answer(request)
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|err| {
        Error::new(ErrorKind::Internal, "the runtime was not started").with_source(err)
    })
}

// === impl Subject ===

impl Subject {
    fn new(name: &str, tasks: &Tasks) -> Result<Self, Error> {
        Ok(match name {
            "bare" => Self::Bare(Handler),
            _ => Self::Whole(Box::new(Stack::new(Handler, tasks)?)),
        })
    }

    fn answer(&mut self, request: Request<Empty<Bytes>>) -> u16 {
        match self {
            Self::Bare(service) => answer(service, request),
            Self::Whole(stack) => stack.answer(request),
        }
    }

    fn settle(&self) {
        if let Self::Whole(stack) = self {
            rounds::settle(stack.logs(), &Spans::disabled());
        }
    }
}
