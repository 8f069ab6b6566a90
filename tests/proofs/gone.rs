//! Clients that go away, and what they leave behind: nothing.
use detectviz_tests::{
    Launch, Service,
    h2::{Frames, kind},
    http1::Connection,
    scrape::Scrape,
};
use rustix::net::sockopt::set_socket_linger;
use std::time::{Duration, Instant};

const ACTIVE: &str = "http_server_active_requests";
const RUNNING: &str = "detectviz_bulkhead_in_flight";
const QUEUED: &str = "detectviz_bulkhead_queued";
const SERVER: &[&str] = &["bulkhead=\"server\""];

/// How soon after its client a handler is gone.
const SOON: Duration = Duration::from_millis(50);

/// Requests that take a minute, and how their client goes away.
enum Client {
    /// Closes a connection.
    Closes(#[expect(dead_code, reason = "it is closed when dropped")] Connection),
    /// Resets it.
    Resets(Connection),
    /// Cancels the stream and keeps the connection.
    Cancels(Frames),
    /// Closes a connection that has three streams.
    Drops(#[expect(dead_code, reason = "it is closed when dropped")] Frames),
}

// === impl Client ===

impl Client {
    /// The kinds of clients there are.
    const KINDS: [fn(&Service) -> Self; 4] = [
        |service| Self::Closes(http1(service)),
        |service| Self::Resets(http1(service)),
        |service| Self::Cancels(http2(service, 1)),
        |service| Self::Drops(http2(service, 3)),
    ];

    /// How many requests it has under way.
    fn requests(&self) -> f64 {
        match self {
            Self::Drops(_) => 3.0,
            _ => 1.0,
        }
    }

    /// Goes away; what it returns stays open.
    fn goes(self) -> Option<Frames> {
        match self {
            Self::Closes(_) | Self::Drops(_) => None,
            Self::Resets(connection) => {
                let now = Some(Duration::ZERO);
                set_socket_linger(connection.stream(), now).unwrap();
                None
            }
            Self::Cancels(mut frames) => {
                frames.send(kind::RST_STREAM, 0, 1, &[0, 0, 0, 8]).unwrap();
                Some(frames)
            }
        }
    }
}

fn http1(service: &Service) -> Connection {
    let mut connection = service.connect();
    let head = "GET /slow?ms=60000 HTTP/1.1\r\nHost: test\r\n\r\n";
    connection.send(head).unwrap();
    connection
}

fn http2(service: &Service, streams: u32) -> Frames {
    let mut frames = Frames::open(service.http()).unwrap();
    for stream in 0..streams {
        frames.get(2 * stream + 1, "/slow?ms=60000").unwrap();
    }
    frames
}

/// Of five clients of each kind: how long it took until `gauge` was what it had been.
fn times(service: &Service, gauge: &str) -> [[Duration; 5]; 4] {
    let before = Scrape::of(service).sum(gauge, SERVER);
    Client::KINDS.map(|client| {
        let mut times = [(); 5].map(|()| {
            let client = client(service);
            service.settles(gauge, SERVER, before + client.requests());
            let start = Instant::now();
            let kept = client.goes();
            service.settles(gauge, SERVER, before);
            let took = start.elapsed();
            drop(kept);
            took
        });
        times.sort();
        times
    })
}

/// A permit comes back when the handler's future has been dropped, so that the gauge of permits says when that was. What
/// the machine does meanwhile is in the time as well: the fastest three of five clients count.
#[test]
fn a_client_that_goes_away_stops_its_handler_within_50_ms() {
    let service = Launch::conformance().start();
    let times = times(&service, RUNNING);
    assert!(times.iter().all(|times| times[2] <= SOON), "{times:?}");
    let page = service.settles(ACTIVE, &[], 0.0);
    assert_eq!(page.sum(RUNNING, &[]) + page.sum(QUEUED, &[]), 0.0);
}

#[test]
fn a_client_that_goes_away_while_it_waits_leaves_its_place_within_50_ms() {
    let limit = "http.layers.admission.concurrency";
    let service = Launch::conformance()
        .set(&format!("{limit}.max_concurrent"), 1)
        .set(&format!("{limit}.queue.max_wait"), "1h")
        .start();
    let running = http1(&service);
    service.settles(RUNNING, SERVER, 1.0);
    let times = times(&service, QUEUED);
    assert!(times.iter().all(|times| times[2] <= SOON), "{times:?}");
    assert_eq!(Scrape::of(&service).sum(RUNNING, SERVER), 1.0);
    drop(running);
    let page = service.settles(ACTIVE, &[], 0.0);
    assert_eq!(page.sum(RUNNING, &[]) + page.sum(QUEUED, &[]), 0.0);
    assert_eq!(service.get("/").status, 200, "there is room again");
}
