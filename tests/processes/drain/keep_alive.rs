//! Clients that never stop asking while the process is told to end.
use super::ending_within;
use detectviz_tests::{BOUND, eventually, full, http1::Connection};
use rustix::process::Signal;
use std::{
    io,
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const CLIENTS: usize = 32;
/// How many requests are answered before the signal.
const WARM: usize = 1_000;
/// A connection that takes longer has met a closed door.
const CONNECT: Duration = Duration::from_millis(250);

/// What the clients of one round know of each other.
struct Round {
    addr: SocketAddr,
    served: AtomicUsize,
    /// When readiness was seen to fail: what is sent later must be answered with `Connection: close`.
    unready: OnceLock<Instant>,
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    /// Requests that were written and not answered whole.
    lost: Vec<(Instant, io::Error)>,
    /// Responses to requests after the signal that keep the connection.
    kept: usize,
    told: usize,
    /// When a connection was refused, and it gave up.
    refused: Option<Instant>,
}

#[test]
fn no_request_of_32_clients_is_lost_and_none_is_refused_in_the_pre_stop_time() {
    rounds("300ms", Duration::from_millis(300));
}

#[test]
fn no_request_of_32_clients_is_lost_without_a_pre_stop_time() {
    rounds("0s", Duration::ZERO);
}

fn rounds(pre_stop: &str, least: Duration) {
    for number in 0..if full() { 100 } else { 10 } {
        round(number, pre_stop, least);
    }
}

fn round(number: usize, pre_stop: &str, least: Duration) {
    let service = ending_within("10s", pre_stop, "5s").start();
    let round = Round {
        addr: service.http(),
        served: AtomicUsize::new(0),
        unready: OnceLock::new(),
    };
    let (signalled, seen, ended) = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| round.client()))
            .collect();
        eventually("the clients are at work", || {
            (round.served.load(Ordering::Relaxed) >= WARM).then_some(())
        });
        service.signal(Signal::TERM);
        let signalled = Instant::now();
        if !least.is_zero() {
            eventually("readiness fails", || {
                let reply = service.admin_get("/readyz")?;
                (reply.status == 503).then_some(())
            });
        }
        let _once = round.unready.set(Instant::now());
        let seen: Vec<_> = clients.into_iter().map(|c| c.join().unwrap()).collect();
        (signalled, seen, service.wait(BOUND))
    });
    let lost: Vec<_> = seen.iter().flat_map(|seen| &seen.lost).collect();
    let after = |at: &Instant| at.saturating_duration_since(signalled);
    let lost: Vec<_> = lost.iter().map(|(at, err)| (after(at), err)).collect();
    assert!(lost.is_empty(), "round {number}: lost {lost:?}");
    let refused = seen.iter().filter_map(|seen| seen.refused.as_ref());
    let first = refused
        .map(after)
        .min()
        .expect("clients end when they are refused");
    assert!(first >= least, "round {number}: refused after {first:?}");
    if !least.is_zero() {
        let kept: usize = seen.iter().map(|seen| seen.kept).sum();
        let told: usize = seen.iter().map(|seen| seen.told).sum();
        assert_eq!(
            kept, 0,
            "round {number}: of {told} responses after the signal"
        );
        assert!(
            told >= CLIENTS,
            "round {number}: only {told} requests after the signal"
        );
    }
    assert_eq!(ended.code, Some(0), "round {number}: {}", ended.stderr);
}

// === impl Round ===

impl Round {
    /// Asks until a new connection is refused.
    fn client(&self) -> Seen {
        let mut seen = Seen::default();
        loop {
            let begun = Instant::now();
            let Ok(mut connection) = Connection::open_within(self.addr, CONNECT) else {
                seen.refused = Some(begun);
                return seen;
            };
            loop {
                let late = self.unready.get().is_some();
                let sent = Instant::now();
                match connection.get("/") {
                    Ok(reply) if reply.status == 200 && reply.text() == "hello" => {
                        self.served.fetch_add(1, Ordering::Relaxed);
                        seen.told += usize::from(late && reply.closes());
                        seen.kept += usize::from(late && !reply.closes());
                        if reply.closes() {
                            break;
                        }
                    }
                    Ok(reply) => {
                        let err = io::Error::other(format!("status {}", reply.status));
                        seen.lost.push((sent, err));
                        break;
                    }
                    Err(err) => {
                        seen.lost.push((sent, err));
                        break;
                    }
                }
            }
        }
    }
}
