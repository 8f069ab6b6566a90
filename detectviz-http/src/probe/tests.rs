//! Behaviour of the probes.
use super::*;
use crate::conn::ConnInfo;
use async_trait::async_trait;
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    health::{Check, CheckConfig, Health, HealthConfig},
    resilience::contract,
    task::Tasks,
    telemetry::metrics::Registry,
};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tower::{Layer, Service, ServiceExt, service_fn};

struct Dead;

#[async_trait]
impl Check for Dead {
    async fn check(&self) -> Result<(), BoxError> {
        Err("orders-db refused the connection".into())
    }
}

fn health() -> Health {
    Health::new(&HealthConfig::default(), &Tasks::new(), &Registry::new())
}

fn app(
    health: Health,
) -> impl Service<
    Request<()>,
    Response = Response<crate::error::MaybeProblem<Full<Bytes>>>,
    Error = Infallible,
    Future: Send,
> + Clone {
    let app = service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::from("app")))
    });
    ProbeLayer::new(&ProbeConfig::default(), health).layer(app)
}

async fn ask(health: &Health, method: Method, uri: &str) -> (StatusCode, String, String) {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    let response = app(health.clone()).oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let cache = head.headers.get(header::CACHE_CONTROL);
    let cache = cache.map_or(String::new(), |v| v.to_str().unwrap().to_owned());
    (
        head.status,
        cache,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn probes_follow_the_life_of_the_process() {
    let health = health();
    let status = async |uri| ask(&health, Method::GET, uri).await.0.as_u16();
    for (step, expected) in [
        ("starting", [200, 503, 503]),
        ("started", [200, 200, 200]),
        ("ending", [200, 503, 200]),
    ] {
        match step {
            "started" => health.started(),
            "ending" => health.shutting_down(),
            _ => {}
        }
        let seen = [
            status("/livez").await,
            status("/readyz").await,
            status("/startupz").await,
        ];
        assert_eq!(seen, expected, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn p1_a_dead_dependency_fails_readiness_with_its_cause_and_never_liveness() {
    let tasks = Tasks::new();
    let health = Health::new(&HealthConfig::default(), &tasks, &Registry::new());
    let _registered = health.register("orders-db", CheckConfig::default(), Arc::new(Dead));
    health.started();
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let (live, ..) = ask(&health, Method::GET, "/livez").await;
        assert_eq!(live, StatusCode::OK);
        let (ready, cache, body) = ask(&health, Method::GET, "/readyz").await;
        assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(cache, "no-store");
        assert!(body.contains("orders-db"), "{body}");
    }
    let (status, _, body) = ask(&health, Method::GET, "/health/ready?verbose").await;
    let report: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(report["checks"][0]["name"], "orders-db");
    tasks.cancel();
}

#[tokio::test]
async fn only_get_and_head_of_a_probe_are_answered() {
    let health = health();
    for (method, uri, expected) in [
        (Method::GET, "/livez", "ok\n"),
        (Method::GET, "/livez?x=1", "ok\n"),
        (Method::GET, "/livez?verbose=false", "ok\n"),
        (Method::GET, "/livez?verbose", r#"{"status":"pass"}"#),
        (Method::HEAD, "/livez", ""),
        (Method::POST, "/livez", "app"),
        (Method::GET, "/orders", "app"),
        (Method::GET, "/livezz", "app"),
    ] {
        let (status, _, body) = ask(&health, method, uri).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, expected), "{uri}");
    }
}

#[tokio::test]
async fn a_reserved_connection_serves_probes_and_nothing_else() {
    let health = health();
    let mut app = app(health);
    let mut conn = ConnInfo::new(http::Version::HTTP_11);
    conn.reserved = true;
    for (path, status, close) in [("/livez", 200, false), ("/orders", 503, true)] {
        let request = Request::get(path).body(()).unwrap();
        let answer = {
            let _entered = conn.enter();
            app.call(request)
        };
        let answer = answer.await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let closes = answer
            .headers()
            .get(header::CONNECTION)
            .is_some_and(|v| v == "close");
        assert_eq!(closes, close);
    }
}

#[tokio::test]
async fn the_service_contract_holds() {
    let layer = ProbeLayer::new(&ProbeConfig::default(), health());
    contract::check_with::<_, Request<()>, Response<Full<Bytes>>>(&layer, || Request::new(()))
        .await;
}
