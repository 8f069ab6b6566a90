//! A program that is home to several services.
use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::{RawQuery, State},
    routing::get,
};
use detectviz_core::{
    config::Sources,
    error::BoxError,
    health::{Check, CheckConfig},
    lifecycle::{Outcome, Signals},
    runtime::{Builder, Kind, Options, Passive, Started},
    task::Tasks,
};
use detectviz_http::{
    client::Client,
    kinds::{self, App, BoundAddr},
};
use detectviz_tests::{
    eventually,
    foreign::TempDir,
    http1::{Connection, Reply},
    lines,
};
use serde_json::Value;
use std::{
    io::{self, Write},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::{Instrument, Span};

/// One tokio runtime, on which all services of a test run.
pub(crate) struct Host(tokio::runtime::Runtime);

/// A service among others.
pub(crate) struct Tenant {
    started: Started,
    pub(crate) sink: Sink,
    pub(crate) healthy: Arc<AtomicBool>,
    pub(crate) http: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// Where the lines of one service go.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    text: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
}

struct Dependency(Arc<AtomicBool>);

#[derive(Clone)]
struct Shop {
    client: Client,
    tasks: Tasks,
}

const COMPOSITION: &str = "components:
  - {name: admin, kind: admin}
  - {name: client, kind: http-client}
  - {name: dependency, kind: dependency}
  - {name: http, kind: http-server, after: [client]}
";

const CONFIG: &str = "http: {address: 127.0.0.1, port: 0}
admin: {address: 127.0.0.1, port: 0}
dependency: {timeout: 50ms, interval: 100ms}
telemetry: {otlp: {enabled: false}}
";

/// A service of that name, with all that it needs to be started.
pub(crate) fn builder(name: &str, healthy: Arc<AtomicBool>) -> Builder {
    let dependency =
        move |config: CheckConfig, cx: &mut detectviz_core::runtime::BuildContext<'_>| {
            cx.register_check(config, Arc::new(Dependency(Arc::clone(&healthy))));
            Ok(Passive)
        };
    Builder::new(name, "1.0.0")
        .composition(COMPOSITION)
        .app_config(CONFIG)
        .kind(kinds::admin())
        .kind(kinds::client())
        .kind(Kind::new(
            "dependency",
            "What the service needs.",
            dependency,
        ))
        .kind(kinds::server(|cx| {
            let shop = Shop {
                client: cx.provided("client")?,
                tasks: cx.tasks().clone(),
            };
            let router = Router::new()
                .route("/", get(hello))
                .route("/later", get(later))
                .route("/call", get(call))
                .route("/panic", get(panic))
                .with_state(shop);
            Ok(App::new(router).routes(["/", "/later", "/call", "/panic"])?)
        }))
}

async fn hello() -> &'static str {
    tracing::info!(order = 7, "greeted");
    tracing::debug!("in detail");
    "hello"
}

/// Logs in a task of its own and on a thread of tokio's pool, both in the span of the request, then answers.
async fn later(State(shop): State<Shop>) -> &'static str {
    let work = async {
        tokio::task::yield_now().await;
        tracing::info!("from a task");
    };
    let task = shop.tasks.spawn("later", work.in_current_span());
    let span = Span::current();
    let work = move || span.in_scope(|| tracing::info!("from a thread"));
    let thread = shop.tasks.spawn_blocking("later", work);
    // Both end, and neither panics.
    let _ended = (task.await, thread.await);
    "later"
}

/// Calls another service by its address, in the same trace.
async fn call(State(shop): State<Shop>, RawQuery(query): RawQuery) -> Result<String, String> {
    let query = query.unwrap_or_default();
    let to = query.strip_prefix("to=").unwrap_or_default();
    let request = http::Request::get(format!("http://{to}/")).body(Body::empty());
    let request = request.map_err(|err| err.to_string())?;
    let response = shop.client.request(request).await;
    let response = response.map_err(|err| err.to_string())?;
    tracing::info!("called");
    Ok(response.status().to_string())
}

async fn panic() -> &'static str {
    panic!("on purpose")
}

// === impl Host ===

impl Host {
    pub(crate) fn new() -> Self {
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Self(tokio.unwrap())
    }

    /// Starts a service with these settings, as `path=value`.
    pub(crate) fn start(&self, name: &str, sets: &[&str]) -> Tenant {
        self.start_with(name, |sources| {
            sets.iter().fold(sources, |all, set| all.set(set))
        })
    }

    /// Starts a service that follows the files in `dir`.
    pub(crate) fn start_from(&self, name: &str, dir: &TempDir) -> Tenant {
        self.start_with(name, |sources| sources.dir(dir.path()))
    }

    fn start_with(&self, name: &str, over: impl FnOnce(Sources) -> Sources) -> Tenant {
        let healthy = Arc::new(AtomicBool::new(true));
        let builder = builder(name, Arc::clone(&healthy));
        let sources = over(builder.sources());
        let plan = builder.plan(&sources).unwrap_or_else(|err| panic!("{err}"));
        let sink = Sink::default();
        let options = Options::embedded(sink.clone()).reloading(builder, sources);
        let started = self.0.block_on(async {
            let (_, mut signals) = Signals::manual();
            plan.build(options)
                .unwrap()
                .start(&mut signals)
                .await
                .unwrap()
        });
        let bound = |name| {
            started
                .provided::<BoundAddr>(name)
                .unwrap()
                .local_addr()
                .unwrap()
        };
        let (http, admin) = (bound("http"), bound("admin"));
        let tenant = Tenant {
            started,
            sink,
            healthy,
            http,
            admin,
        };
        eventually("the service is ready", || {
            (tenant.admin("/readyz").status == 200).then_some(())
        });
        tenant
    }

    /// Ends one service in order.
    pub(crate) fn end(&self, tenant: Tenant) -> Outcome {
        let (_, mut signals) = Signals::manual();
        self.0.block_on(tenant.started.shutdown(&mut signals))
    }

    /// Runs `future` here.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

// === impl Tenant ===

impl Tenant {
    pub(crate) fn started(&self) -> &Started {
        &self.started
    }

    pub(crate) fn into_started(self) -> Started {
        self.started
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        ask(self.http, path)
    }

    pub(crate) fn admin(&self, path: &str) -> Reply {
        ask(self.admin, path)
    }

    /// Changes the log levels for a while.
    pub(crate) fn log_at(&self, level: &str) {
        let mut connection = Connection::open(self.admin).unwrap();
        let put = format!(
            "PUT /loglevel?level={level} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"
        );
        connection.send(put).unwrap();
        assert_eq!(connection.reply().unwrap().status, 200);
    }

    /// The sum of the series of a metric whose labels hold `labels`.
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let page = self.admin("/metrics").text();
        let series = page
            .lines()
            .filter(|line| line.starts_with(name) && line.contains(labels));
        series
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

pub(crate) fn ask(addr: SocketAddr, path: &str) -> Reply {
    let reply = Connection::open(addr).and_then(|mut connection| connection.get(path));
    reply.unwrap_or_else(|err| panic!("GET {path} of {addr}: {err}"))
}

// === impl Sink ===

impl Sink {
    /// Takes nothing any more: writes fail for as long as `full`.
    pub(crate) fn full(&self, full: bool) {
        self.full.store(full, Ordering::Release);
    }

    /// Every whole line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&text).into_owned();
        lines::parse(&text[..text.rfind('\n').map_or(0, |at| at + 1)])
    }

    /// That many lines with this message, once they are there.
    pub(crate) fn wait_for(&self, count: usize, message: &str) -> Vec<Value> {
        eventually(message, || {
            let lines = self.saying(message);
            (lines.len() >= count).then_some(lines)
        })
    }

    /// The lines with this message.
    pub(crate) fn saying(&self, message: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["message"] == message);
        lines
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.full.load(Ordering::Acquire) {
            return Err(io::Error::other("the disk is full"));
        }
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Check for Dependency {
    async fn check(&self) -> Result<(), BoxError> {
        if self.0.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err("it is down".into())
        }
    }
}
