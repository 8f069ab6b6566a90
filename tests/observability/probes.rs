//! P1: a dead dependency costs readiness and never liveness, and no probe waits for a check.
use detectviz_core::{
    error::BoxError,
    health::{Check, CheckConfig},
    lifecycle::Signals,
    runtime::{Builder, Kind, Options, Passive, Started},
};
use detectviz_http::kinds::{self, App, BoundAddr};
use detectviz_tests::{eventually, http1::Connection};
use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::block_in_place;

const INTERVAL: Duration = Duration::from_millis(400);

/// A dependency that does as told.
#[derive(Clone, Default)]
struct Dependency(Arc<AtomicU8>);

const DEAD: u8 = 1;
const HANGS: u8 = 2;
const BLOCKS: u8 = 3;

#[async_trait::async_trait]
impl Check for Dependency {
    async fn check(&self) -> Result<(), BoxError> {
        match self.0.load(Ordering::Relaxed) {
            DEAD => Err("connection refused".into()),
            HANGS => pending().await,
            BLOCKS => {
                // What a check must not do, for as long as the test lasts.
                std::thread::park_timeout(Duration::from_secs(5));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

struct Service {
    _started: Started,
    http: SocketAddr,
    admin: SocketAddr,
    dependency: Dependency,
}

async fn start() -> Service {
    let dependency = Dependency::default();
    let checked = dependency.clone();
    let builder = Builder::new("probed", "0.0.0")
        .composition(
            "components: [{name: admin, kind: admin}, {name: db, kind: db}, {name: http, kind: http-server}]",
        )
        .app_config("http: {address: 127.0.0.1, port: 0}\nadmin: {address: 127.0.0.1, port: 0}\n")
        .kind(kinds::admin())
        .kind(kinds::server(|_| Ok(App::new(axum::Router::new()))))
        .kind(Kind::new("db", "A dependency.", move |_: CheckConfig, cx| {
            let mut config = CheckConfig::default();
            config.interval = INTERVAL;
            config.timeout = Duration::from_millis(100);
            cx.register_check(config, Arc::new(checked.clone()));
            Ok(Passive)
        }));
    let plan = builder
        .plan(&builder.sources())
        .expect("the configuration is good");
    let runtime = plan
        .build(Options::embedded(io::sink()))
        .expect("it can be built");
    let (_, mut signals) = Signals::manual();
    let started = runtime.start(&mut signals).await.expect("it starts");
    let bound = |name: &str| {
        let bound = started.provided::<BoundAddr>(name).expect("it is provided");
        bound.local_addr().expect("it is bound")
    };
    let (http, admin) = (bound("http"), bound("admin"));
    let service = Service {
        http,
        admin,
        _started: started,
        dependency,
    };
    eventually("it is ready", || {
        (service.probe(http, "/readyz") == 200).then_some(())
    });
    service
}

impl Service {
    fn probe(&self, addr: SocketAddr, path: &str) -> u16 {
        let reply = Connection::open(addr).and_then(|mut connection| connection.get(path));
        reply.expect("a probe is answered").status
    }

    fn becomes(&self, state: u8) -> Instant {
        self.dependency.0.store(state, Ordering::Relaxed);
        Instant::now()
    }
}

async fn p1(state: u8) {
    let service = start().await;
    block_in_place(|| {
        let died = service.becomes(state);
        let seen = eventually("readiness fails", || {
            let asked = Instant::now();
            (service.probe(service.http, "/readyz") == 503).then_some(asked)
        });
        let took = seen - died;
        assert!(took <= INTERVAL + Duration::from_millis(100), "{took:?}");
        assert_eq!(service.probe(service.admin, "/readyz"), 503);
        // As long as a few intervals, liveness stays.
        while died.elapsed() < 4 * INTERVAL {
            assert_eq!(service.probe(service.http, "/livez"), 200);
            assert_eq!(service.probe(service.admin, "/livez"), 200);
        }
        service.becomes(0);
        eventually("readiness is back", || {
            (service.probe(service.http, "/readyz") == 200).then_some(())
        });
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_dead_dependency_fails_readiness_within_an_interval_and_never_liveness() {
    p1(DEAD).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_a_dependency_that_hangs_does_too() {
    p1(HANGS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_check_that_blocks_its_thread_delays_no_probe() {
    let service = start().await;
    block_in_place(|| {
        let blocked = service.becomes(BLOCKS);
        let mut slowest = Duration::ZERO;
        let mut last = 0;
        while blocked.elapsed() < 3 * INTERVAL {
            for addr in [service.http, service.admin] {
                for path in ["/livez", "/readyz", "/startupz"] {
                    let asked = Instant::now();
                    last = service.probe(addr, path);
                    slowest = slowest.max(asked.elapsed());
                    assert!(path != "/livez" || last == 200);
                }
            }
        }
        assert!(slowest < Duration::from_millis(100), "{slowest:?}");
        let ready = service.probe(service.http, "/readyz");
        assert_eq!(ready, 503, "a stale result is a failure: {last}");
    });
}
