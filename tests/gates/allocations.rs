//! Allocations of our server over a real connection, beside those of hyper alone.
use crate::{
    client::{PLAIN, SAMPLED, ask},
    server,
};
use detectviz_benches::allocations;
use detectviz_core::{
    task::Tasks,
    telemetry::{
        logs::{Logs, LogsConfig, Output},
        span::{Sampler, Spans},
    },
};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;

/// Requests of one round, before anything counts and while it does; their spans fit into the queue.
const ROUND: u32 = 1000;

/// How often this thread, which is client and server, allocates for a round of warm requests.
async fn of_a_round(address: SocketAddr, request: &[u8], settle: impl Fn()) -> u64 {
    let mut stream = TcpStream::connect(address).await.expect("it connects");
    stream.set_nodelay(true).expect("a socket option");
    for _ in 0..3 {
        ask(&mut stream, request, ROUND).await;
        settle();
    }
    let before = allocations::so_far();
    ask(&mut stream, request, ROUND).await;
    allocations::so_far() - before
}

async fn of_hyper(request: &[u8]) -> u64 {
    let tasks = Tasks::new();
    let count = of_a_round(server::bare(&tasks).await, request, || {}).await;
    tasks.cancel();
    count
}

async fn of_ours(request: &[u8], logs: Logs) -> u64 {
    let tasks = Tasks::new();
    let spans = Spans::new(Sampler::ratio(0.5));
    let address = server::ours(&tasks, logs.clone(), spans.clone());
    let settle = || {
        while let Some(batch) = spans.take(Spans::BATCH) {
            batch.exported(0);
        }
        assert!(logs.flush(Duration::from_secs(10)), "the log is written");
    };
    let count = of_a_round(address, request, settle).await;
    tasks.cancel();
    count
}

#[test]
fn a_warm_request_over_a_connection_allocates_no_more_than_with_hyper_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let tasks = Tasks::new();
        for (name, request) in [("plain", PLAIN), ("sampled", SAMPLED)] {
            let bare = of_hyper(request).await;
            assert!(bare > 0, "hyper allocates, and that is counted");
            let output = Output::new(std::io::sink());
            let written = LogsConfig::default().build("shop", output, &tasks);
            let written = written.expect("the log starts");
            for (log, logs) in [("no log", Logs::disabled()), ("a log", written)] {
                let ours = of_ours(request, logs).await;
                println!("{name}, {log}: {ours} allocations in {ROUND} requests, bare {bare}");
                assert!(
                    ours <= bare + u64::from(ROUND) / 100,
                    "{name}, {log}: {ours} allocations in {ROUND} requests, of which hyper's are {bare}"
                );
            }
        }
        tasks.cancel();
    });
}
