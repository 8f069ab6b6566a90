//! Behaviour of the admin port, over real sockets.
use super::*;
use crate::probe::{ProbeConfig, Probes};
use detectviz_core::{
    error::{Error, ErrorKind, cause_ref},
    health::{Health, HealthConfig},
    runtime::Views,
    task::{Component, Tasks},
    telemetry::{
        logs::{Logs, LogsConfig, Output},
        metrics::Registry,
    },
};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body_util::BodyExt;
use std::{
    net::SocketAddr,
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

fn health(tasks: &Tasks) -> Health {
    Health::new(&HealthConfig::default(), tasks, &Registry::new())
}

fn logs(tasks: &Tasks) -> Logs {
    let output = Output::new(std::io::sink());
    LogsConfig::default()
        .build("orders", output, tasks)
        .unwrap()
}

fn builder(health: Health) -> AdminBuilder {
    let probes = Probes::new(&ProbeConfig::default(), health);
    AdminBuilder::new(AdminConfig::default().loopback().port(0), probes)
}

async fn started(builder: AdminBuilder, tasks: &Tasks) -> Admin {
    let admin = builder.build(tasks).unwrap();
    admin.start().await.unwrap();
    admin
}

fn full(tasks: &Tasks) -> AdminBuilder {
    builder(health(tasks))
        .with_metrics(&Registry::new())
        .with_config(|| serde_json::json!({ "http.port": 8080 }))
        .with_log_levels(logs(tasks).levels())
        .with_version(Version::new("orders", "1.2.3").git("abc"))
}

async fn ask(admin: &Admin, method: Method, path: &str, body: &str) -> Answer {
    exchange(admin.local_addr().unwrap(), method, path, body).await
}

/// One request on a connection of its own.
async fn exchange(addr: SocketAddr, method: Method, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (
            name.parse::<HeaderName>().unwrap(),
            value.parse::<HeaderValue>().unwrap(),
        )
    });
    Answer {
        status: status.parse().unwrap(),
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn every_page_that_was_given_is_there() {
    let tasks = Tasks::new();
    let admin = started(full(&tasks), &tasks).await;
    for (method, path, status, expected) in [
        (Method::GET, "/", 200, "/loglevel"),
        (Method::GET, "/livez", 200, "ok"),
        (Method::HEAD, "/livez", 200, ""),
        (Method::GET, "/readyz", 503, "failed"),
        (Method::GET, "/startupz?verbose", 503, "\"status\":\"fail\""),
        (Method::GET, "/version", 200, "\"git\": \"abc\""),
        (Method::GET, "/config", 200, "\"http.port\": 8080"),
        (Method::GET, "/loglevel", 200, "\"level\": \"info\""),
        (Method::GET, "/metrics", 200, ""),
        (Method::GET, "/nothing", 404, "`/` lists what there is"),
        (Method::POST, "/nothing", 404, ""),
        (Method::POST, "/livez", 405, "GET, HEAD"),
        (Method::DELETE, "/loglevel", 405, "GET, HEAD, PUT"),
        (Method::PUT, "/config", 405, "GET, HEAD"),
    ] {
        let answer = ask(&admin, method.clone(), path, "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(
            answer.body.contains(expected),
            "{method} {path}: {}",
            answer.body
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
        if status == 405 {
            assert_eq!(answer.headers[header::ALLOW], expected);
        }
        if status >= 404 && status != 503 {
            assert_eq!(
                answer.headers[header::CONTENT_TYPE],
                "application/problem+json"
            );
        }
    }
}

#[tokio::test]
async fn what_components_show_has_a_page_beside_those_of_the_port() {
    let tasks = Tasks::new();
    let views = Views::default();
    let admin = started(full(&tasks).with_views(&views), &tasks).await;
    assert_eq!(ask(&admin, Method::GET, "/clients", "").await.status, 404);
    // Components are built after the port.
    let clients = ("/clients", "hosts of clients");
    views.add(
        clients,
        "payments",
        || serde_json::json!({ "in_flight": 3 }),
    );
    let config = ("/config", "another");
    views.add(config, "payments", || serde_json::json!("not this"));
    let shown = ask(&admin, Method::GET, "/clients", "").await;
    let shown: serde_json::Value = serde_json::from_str(&shown.body).unwrap();
    assert_eq!(shown["payments"]["in_flight"], 3);
    let index = ask(&admin, Method::GET, "/", "").await;
    assert!(index.body.contains("hosts of clients"), "{}", index.body);
    let config = ask(&admin, Method::GET, "/config", "").await;
    assert!(
        config.body.contains("http.port"),
        "a page of the port goes first"
    );
    let refused = ask(&admin, Method::PUT, "/clients", "").await;
    assert_eq!(refused.status, 405);
    assert_eq!(refused.headers[header::ALLOW], "GET, HEAD");
}

#[test]
fn m1_metrics_come_in_the_format_that_is_asked_for() {
    let registry = Registry::new();
    for (accept, kind, ends) in [
        (None, "text/plain; version=0.0.4", ""),
        (Some("*/*"), "text/plain; version=0.0.4", ""),
        (
            Some("application/openmetrics-text; version=1.0.0"),
            "application/openmetrics-text",
            "# EOF\n",
        ),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        }
        let answer = metrics(&registry, &headers);
        let shown = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert!(shown.starts_with(kind), "{shown}");
        assert_eq!(answer.headers()[header::VARY], "accept");
        let page = answer
            .into_body()
            .collect()
            .now_or_never()
            .unwrap()
            .unwrap()
            .to_bytes();
        assert!(page.ends_with(ends.as_bytes()));
    }
}

#[tokio::test]
async fn a_page_that_was_not_given_is_not_there() {
    let tasks = Tasks::new();
    let admin = started(builder(health(&tasks)), &tasks).await;
    for path in ["/metrics", "/config", "/loglevel"] {
        assert_eq!(ask(&admin, Method::GET, path, "").await.status, 404);
        assert_eq!(ask(&admin, Method::PUT, path, "").await.status, 404);
    }
    assert!(
        !ask(&admin, Method::GET, "/", "")
            .await
            .body
            .contains("/config")
    );
}

#[tokio::test]
async fn log_levels_are_changed_for_a_while_and_come_back() {
    let tasks = Tasks::new();
    let admin = started(full(&tasks), &tasks).await;
    let level = async || {
        let shown = ask(&admin, Method::GET, "/loglevel", "").await.body;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        (
            shown["level"].to_string(),
            shown["override"]["level"].to_string(),
        )
    };
    assert_eq!(level().await, (r#""info""#.to_owned(), "null".to_owned()));
    let body = r#"{"level":"debug,sqlx=warn","ttl":"60s"}"#;
    assert_eq!(
        ask(&admin, Method::PUT, "/loglevel", body).await.status,
        200
    );
    let (now, over) = level().await;
    assert!(now.contains("debug") && now.contains("sqlx=warn"), "{now}");
    assert!(over.contains("debug"), "{over}");
    let begun = Instant::now();
    let put = ask(&admin, Method::PUT, "/loglevel?level=trace&ttl=1s", "").await;
    assert_eq!(put.status, 200);
    assert!(put.body.contains("trace"), "{}", put.body);
    while level().await.0 != r#""info""# {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "the old level never came back"
        );
    }
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_change_of_levels_that_cannot_be_had_says_what_to_send() {
    let tasks = Tasks::new();
    let admin = started(full(&tasks), &tasks).await;
    let long = "x".repeat(5000);
    for (path, body, status, expected) in [
        ("/loglevel", "", 400, "send JSON such as"),
        ("/loglevel", r#"{"level":"loud"}"#, 400, "loud"),
        (
            "/loglevel",
            r#"{"level":"debug","ttl":"2h"}"#,
            400,
            "from 1s to 1h",
        ),
        (
            "/loglevel",
            r#"{"level":"debug","ttl":"999ms"}"#,
            400,
            "from 1s to 1h",
        ),
        ("/loglevel?level=%zz", "", 400, "percent-encoded"),
        ("/loglevel", long.as_str(), 413, ""),
    ] {
        let answer = ask(&admin, Method::PUT, path, body).await;
        assert_eq!(answer.status, status, "{body}");
        assert!(answer.body.contains(expected), "{}", answer.body);
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
    let now = ask(&admin, Method::GET, "/loglevel", "").await;
    assert!(now.body.contains("\"level\": \"info\""), "{}", now.body);
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_another() {
    let tasks = Tasks::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let probes = Probes::new(&ProbeConfig::default(), health(&tasks));
    let config = AdminConfig::default().loopback().port(port);
    let admin = AdminBuilder::new(config, probes).build(&tasks).unwrap();
    let err = admin.start().await.unwrap_err();
    assert_eq!(
        cause_ref::<Error>(&*err).map(Error::kind),
        Some(ErrorKind::Unavailable)
    );
    let shown = err.to_string();
    assert!(
        shown.contains(&port.to_string()) && shown.contains("--set admin.port="),
        "{shown}"
    );
}

#[tokio::test]
async fn dr1_liveness_answers_while_the_service_ends_and_stop_frees_the_port() {
    let tasks = Tasks::new();
    let health = health(&tasks);
    let admin = started(builder(health.clone()), &tasks).await;
    health.started();
    health.shutting_down();
    admin.drain().await.unwrap();
    assert_eq!(ask(&admin, Method::GET, "/livez", "").await.status, 200);
    assert_eq!(ask(&admin, Method::GET, "/readyz", "").await.status, 503);
    let addr = admin.local_addr().unwrap();
    // An idle connection does not hold up the stop.
    let _idle = TcpStream::connect(addr).await.unwrap();
    admin.stop().await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
    assert!(std::net::TcpListener::bind(addr).is_ok());
}

/// A runtime on a thread of its own that can be stopped dead.
#[test]
fn a_stalled_runtime_fails_liveness_within_a_second_and_recovers() {
    const STALL_AFTER: Duration = Duration::from_secs(1);
    let gate = Arc::new((Barrier::new(2), Barrier::new(2)));
    let (tell, told) = std::sync::mpsc::channel();
    let stuck = Arc::clone(&gate);
    let app = std::thread::Builder::new().spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let tasks = Tasks::new();
            let mut config = HealthConfig::default();
            config.stall_after = STALL_AFTER;
            let admin = started(
                builder(Health::new(&config, &tasks, &Registry::new())),
                &tasks,
            )
            .await;
            tell.send(admin.local_addr().unwrap()).unwrap();
            tokio::task::yield_now().await;
            // The whole runtime waits here until the test has seen what it wanted.
            stuck.0.wait();
            stuck.1.wait();
            tokio::task::yield_now().await;
            // Liveness passes again only when this runtime runs its tasks.
            while admin_is_down(&admin).await {}
            admin.stop().await.unwrap();
        });
    });
    let addr = told.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let livez = async || exchange(addr, Method::GET, "/livez", "").await;
        assert_eq!(livez().await.status, 200);
        gate.0.wait();
        let stalled = Instant::now();
        let cause = loop {
            let answer = livez().await;
            if answer.status == 503 {
                break answer.body;
            }
            assert!(
                stalled.elapsed() < STALL_AFTER + Duration::from_secs(1),
                "not seen in time"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(cause.contains("progress"), "{cause}");
        gate.1.wait();
    });
    app.unwrap().join().unwrap();
}

async fn admin_is_down(admin: &Admin) -> bool {
    ask(admin, Method::GET, "/livez", "").await.status != 200
}
