//! Many callers at the moment when a circuit lets probes through: the client, over sockets, on two threads.
use detectviz_core::{
    error::cause_ref,
    resilience::breaker::{BreakerConfig, Open, OpenConfig},
    task::Tasks,
};
use detectviz_http::client::{Client, ClientBuilder, ClientConfig, PolicyConfig};
use detectviz_tests::eventually;
use http::Uri;
use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
    task::{block_in_place, yield_now},
    time::sleep,
};

const CALLERS: u64 = 1_000;
const ROUNDS: u64 = 100;

/// How long the circuit stays open.
const OPEN: Duration = Duration::from_millis(5);

/// An upstream that holds requests back for as long as it is told.
struct Held {
    uri: Uri,
    came: Arc<AtomicU64>,
    /// The status to answer with; 0 while requests are held.
    answer: watch::Sender<u16>,
    tasks: Tasks,
}

// === impl Held ===

impl Held {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        let (came, tasks) = (Arc::new(AtomicU64::new(0)), Tasks::new());
        let (answer, answers) = watch::channel(500);
        let (count, all) = (Arc::clone(&came), tasks.clone());
        tasks.spawn("upstream", async move {
            let token = all.token();
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let (count, answers) = (Arc::clone(&count), answers.clone());
                    all.spawn("connection", async move {
                        // A probe that is cancelled closes its connection.
                        let _gone = serve(stream, &count, answers).await;
                    });
                }
            };
            token.run_until_cancelled(accept).await;
        });
        Self {
            uri: uri.parse().unwrap(),
            came,
            answer,
            tasks,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

async fn serve(
    mut stream: TcpStream,
    came: &AtomicU64,
    mut answers: watch::Receiver<u16>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        came.fetch_add(1, SeqCst);
        let answer = tokio::select! {
            answer = answers.wait_for(|status| *status > 0) => answer.map(|status| *status),
            _ = stream.read_u8() => return Ok(()),
        };
        let Ok(status) = answer else { return Ok(()) };
        let answer = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// A client whose circuit opens with the first failure.
fn client(probes: u32) -> Client {
    let breaker = BreakerConfig::default()
        .consecutive_failures(1)
        .half_open_calls(probes)
        .open(OpenConfig::constant(OPEN));
    let policy = PolicyConfig::default()
        .breaker(breaker)
        .attempt_timeout(Duration::from_secs(20));
    let config = ClientConfig::default()
        .total_timeout(Duration::from_secs(30))
        .policy(policy);
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

/// Whether a call got through the circuit.
async fn gets_through(client: &Client, uri: &Uri) -> bool {
    match client.get(uri.clone()).await {
        Ok(_) => true,
        Err(err) => {
            assert!(cause_ref::<Open>(&*err).is_some(), "{err}");
            false
        }
    }
}

#[test]
fn a_thousand_callers_at_the_half_open_edge_and_exactly_the_permitted_ones_get_through() {
    const PROBES: u32 = 10;
    runtime().block_on(async {
        let (upstream, client) = (Held::start().await, client(PROBES));
        assert!(gets_through(&client, &upstream.uri).await, "the first call");
        for round in 0..ROUNDS {
            upstream.answer.send_replace(0);
            upstream.came.store(0, SeqCst);
            sleep(OPEN).await;
            let (refused, through) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let callers = Tasks::new();
            for _ in 0..CALLERS {
                let (client, uri) = (client.clone(), upstream.uri.clone());
                let (refused, through) = (Arc::clone(&refused), Arc::clone(&through));
                callers.spawn("caller", async move {
                    let one = gets_through(&client, &uri).await;
                    let count = if one { through } else { refused };
                    count.fetch_add(1, SeqCst);
                });
            }
            // All are there before one is answered.
            let decided = || refused.load(SeqCst) + upstream.came.load(SeqCst) == CALLERS;
            while !decided() {
                sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(
                upstream.came.load(SeqCst),
                u64::from(PROBES),
                "round {round}"
            );
            upstream.answer.send_replace(500);
            callers.join(Duration::from_secs(20)).await.unwrap();
            assert_eq!(through.load(SeqCst), u64::from(PROBES), "round {round}");
            assert_eq!(
                upstream.came.load(SeqCst),
                u64::from(PROBES),
                "round {round}"
            );
        }
        assert_eq!(client.in_flight(), 0);
    });
}

/// Each is dropped after one to eight polls: while it connects, when it was sent, when it waits. Two at a time have all
/// permits there are, so that a single one that is stuck would have the next refused.
#[test]
fn of_10_000_probes_that_are_cancelled_none_is_stuck() {
    const PROBES: u32 = 2;
    runtime().block_on(async {
        let (upstream, client) = (Held::start().await, client(PROBES));
        assert!(gets_through(&client, &upstream.uri).await, "the first call");
        upstream.answer.send_replace(0);
        sleep(OPEN).await;
        let cancelling = Tasks::new();
        let cancelled = Arc::new(AtomicU32::new(0));
        for _ in 0..PROBES {
            let (client, uri) = (client.clone(), upstream.uri.clone());
            let cancelled = Arc::clone(&cancelled);
            cancelling.spawn("caller", async move {
                for n in 0..10_000 / PROBES {
                    let mut call = pin!(client.get(uri.clone()));
                    for _ in 0..=n % 8 {
                        let polled = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await;
                        assert!(polled.is_pending(), "probe {n}: {polled:?}");
                        yield_now().await;
                    }
                    cancelled.fetch_add(1, SeqCst);
                }
            });
        }
        cancelling.join(Duration::from_secs(60)).await.unwrap();
        assert_eq!(cancelled.load(SeqCst), 10_000);
        assert!(
            upstream.came.load(SeqCst) > 100,
            "some got as far as the upstream"
        );
        assert_eq!(client.in_flight(), 0);
        // Both permits are there; when their calls succeed, the circuit closes.
        upstream.answer.send_replace(200);
        for _ in 0..PROBES {
            assert!(gets_through(&client, &upstream.uri).await);
        }
        let many = Tasks::new();
        let through = Arc::new(AtomicU32::new(0));
        upstream.answer.send_replace(0);
        upstream.came.store(0, SeqCst);
        for _ in 0..10 {
            let (client, uri) = (client.clone(), upstream.uri.clone());
            let through = Arc::clone(&through);
            many.spawn("caller", async move {
                let one = gets_through(&client, &uri).await;
                through.fetch_add(u32::from(one), SeqCst);
            });
        }
        block_in_place(|| {
            eventually("more than the probes run", || {
                (upstream.came.load(SeqCst) == 10).then_some(())
            });
        });
        upstream.answer.send_replace(200);
        many.join(Duration::from_secs(20)).await.unwrap();
        assert_eq!(through.load(SeqCst), 10);
    });
}
