//! What the access log says.
use super::super::ObserveConfig;
use crate::{
    captured::Captured,
    conn::ConnInfo,
    route::RouteTable,
    stack::{Stack, StackConfig, StackDeps},
};
use bytes::Bytes;
use detectviz_core::telemetry::{context::TraceContext, logs::LogsConfig};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use std::{convert::Infallible, future::pending};
use tower::{Layer, Service, ServiceExt, service_fn};

fn captured() -> Captured {
    Captured::new(&LogsConfig::default())
}

impl Captured {
    fn layer(&self, config: &ObserveConfig) -> Stack {
        let table = RouteTable::builder().route("/orders/{id}").probe("/livez");
        let deps = StackDeps::default()
            .with_logs(self.logs.clone())
            .with_routes(table.build().unwrap());
        let stack = StackConfig::default().observe(config.clone());
        Stack::new(&stack, deps).unwrap()
    }
}

fn request(method: &str, path: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(b"in"));
    let req = Request::builder().method(method).uri(path);
    req.header("user-agent", "curl/8.5.0").body(body).unwrap()
}

async fn hello(req: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
    if req.uri().path().ends_with("503") {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

#[tokio::test]
async fn a_request_is_one_line_with_its_trace() {
    let log = captured();
    let mut svc = log
        .layer(&ObserveConfig::default())
        .layer(service_fn(hello));
    let context = TraceContext::root(false);
    let mut conn = ConnInfo::new(Version::HTTP_11);
    conn.peer = Some("10.1.2.3:4567".parse().unwrap());
    let call = async {
        let call = {
            let _entered = conn.enter();
            let mut req = request("GET", "/orders/7?token=hunter2");
            let header = context.to_header();
            let header = http::HeaderValue::from_bytes(&header).unwrap();
            req.headers_mut().insert("traceparent", header);
            svc.call(req)
        };
        call.await.unwrap().into_body().collect().await.unwrap();
    };
    call.await;
    let lines = log.lines();
    let [line] = &lines[..] else {
        panic!("{lines:?}")
    };
    let trace_id = context.trace_id().to_string();
    for (key, value) in [
        ("level", "INFO"),
        ("target", "http.access"),
        ("message", "GET /orders/{id} 200"),
        ("service", "shop"),
        ("trace_id", &*trace_id),
        ("method", "GET"),
        ("route", "/orders/{id}"),
        ("path", "/orders/7"),
        ("outcome", "ok"),
        ("peer", "10.1.2.3:4567"),
        ("protocol", "1.1"),
        ("user_agent", "curl/8.5.0"),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    for (key, value) in [("status", 200), ("bytes_in", 2), ("bytes_out", 5)] {
        assert_eq!(line[key], value, "{key}");
    }
    let took = line["duration_ms"].as_f64().unwrap();
    assert!((0.0..10_000.0).contains(&took), "{took}");
    assert!(!line.to_string().contains("hunter2"));
}

#[tokio::test]
async fn how_a_request_ended_is_in_its_line() {
    let log = captured();
    let mut svc = log
        .layer(&ObserveConfig::default())
        .layer(service_fn(hello));
    svc.call(request("PUT", "/orders/503"))
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    drop(svc.call(request("GET", "/unknown")).await.unwrap());
    let mut stuck =
        log.layer(&ObserveConfig::default())
            .layer(service_fn(|_: Request<Full<Bytes>>| {
                pending::<Result<Response<Full<Bytes>>, Infallible>>()
            }));
    drop(stuck.call(request("BREW", "/orders/1")));
    let lines = log.lines();
    for (line, (message, status, outcome)) in lines.iter().zip([
        ("PUT /orders/{id} 503", 503, "error"),
        ("GET 200", 200, "client_gone"),
        ("HTTP /orders/{id} 499", 499, "client_gone"),
    ]) {
        assert_eq!(line["message"], message);
        assert_eq!(
            (&line["status"], &line["outcome"]),
            (&status.into(), &outcome.into())
        );
    }
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1].get("route"), None);
    assert_eq!(
        (&lines[0]["bytes_out"], &lines[1]["bytes_out"]),
        (&5.into(), &0.into())
    );
}

#[tokio::test]
async fn probes_are_logged_only_when_asked_for_and_nothing_when_it_is_off() {
    let log = captured();
    for (access_log, log_probes, expected) in [(true, false, 1), (true, true, 2), (false, true, 0)]
    {
        let config = ObserveConfig {
            access_log,
            log_probes,
        };
        let svc = log.layer(&config).layer(service_fn(hello));
        for path in ["/livez", "/orders/7"] {
            let response = svc.clone().oneshot(request("GET", path)).await.unwrap();
            response.into_body().collect().await.unwrap();
        }
        assert_eq!(log.lines().len(), expected, "{config:?}");
    }
}

#[tokio::test]
async fn a_hostile_path_and_agent_stay_within_their_line() {
    let log = captured();
    let svc = log
        .layer(&ObserveConfig::default())
        .layer(service_fn(hello));
    let path = format!("/{}", "%0a\"x".replace('"', "%22").repeat(500));
    let mut req = request("GET", &path);
    let agent = format!("a\"\\\t{}", "b".repeat(5000));
    req.headers_mut()
        .insert("user-agent", agent.parse().unwrap());
    svc.oneshot(req)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    let lines = log.lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["path"].as_str().unwrap(), &path[..256]);
    assert!(lines[0].to_string().len() < 2000);
}
