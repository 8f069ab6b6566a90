//! Sends requests through the stack of a server without a network, for callgrind and perf:
//! `drive-stack REQUESTS bare|quiet|logged|sampled`.
//!
//! What belongs to a request runs within `one_request`, so that `--toggle-collect=*one_request*` counts that and no more; the
//! warm-up and the making of requests stand outside.
use bytes::Bytes;
use detectviz_benches::{
    allocations, rounds,
    subject::{Subject, Variant},
};
use detectviz_core::task::Tasks;
use http::Request;
use http_body_util::Empty;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Requests before the first one that counts, and between two pauses.
const ROUND: u32 = 256;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let requests = arguments.next().and_then(|n| n.parse().ok());
    let name = arguments.next().unwrap_or_default();
    let variant = Variant::ALL.into_iter().find(|v| v.name() == name);
    let (Some(requests), Some(variant)) = (requests, variant) else {
        let _ = writeln!(
            io::stderr(),
            "usage: drive-stack REQUESTS bare|quiet|logged|sampled"
        );
        return ExitCode::from(64);
    };
    let tasks = Tasks::new();
    match Subject::new(variant, &tasks) {
        Ok(subject) => drive(subject, requests),
        Err(err) => {
            let _ = writeln!(io::stderr(), "drive-stack: {err}");
            return ExitCode::from(70);
        }
    }
    tasks.cancel();
    ExitCode::SUCCESS
}

fn drive(mut subject: Subject, requests: u32) {
    for round in 0..4 * ROUND {
        // What is taken at once is as much as in what counts, so that buffers have their size.
        if round % ROUND == 0 {
            rounds::settle(subject.logs(), subject.spans());
        }
        let request = subject.request();
        subject.answer(request);
    }
    let mut allocated = 0;
    for round in 0..requests {
        if round % ROUND == 0 {
            rounds::settle(subject.logs(), subject.spans());
        }
        let request = subject.request();
        let before = allocations::so_far();
        one_request(&mut subject, request);
        allocated += allocations::so_far() - before;
    }
    let _ = writeln!(io::stdout(), "{allocated} allocations");
}

#[inline(never)]
fn one_request(subject: &mut Subject, request: Request<Empty<Bytes>>) -> u16 {
    subject.answer(request)
}
