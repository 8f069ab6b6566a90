//! Requests in the server's stack.
use super::{MOST, cancelled_after, sum};
use bytes::Bytes;
use detectviz_core::{
    error::BoxError,
    resilience::{bulkhead::BulkheadConfig, timer::Timer},
    telemetry::metrics::Registry,
};
use detectviz_http::{
    admission::{AdmissionConfig, RouteAdmissionConfig},
    route::RouteTable,
    stack::{Stack, StackConfig, StackDeps},
};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody, combinators::UnsyncBoxBody};
use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{task::yield_now, time::sleep};
use tower::{Service, ServiceExt, service_fn};

type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Handlers that run now.
#[derive(Clone, Default)]
struct Running(Rc<Cell<u32>>);

struct Run(Running);

// === impl Run ===

impl Run {
    fn new(running: &Running) -> Self {
        running.0.set(running.0.get() + 1);
        Self(running.clone())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() - 1);
    }
}

async fn handle(request: Request<Empty<Bytes>>, run: Run) -> Result<Response<Body>, BoxError> {
    for _ in 0..3 {
        yield_now().await;
    }
    let path = request.uri().path();
    match path {
        "/panic" => panic!("on purpose"),
        "/fail" => return Err("on purpose".into()),
        "/slow" => sleep(Duration::from_millis(5)).await,
        "/late" => sleep(Duration::from_secs(3600)).await,
        _ => {}
    }
    drop(run);
    let breaks = path == "/breaks";
    let parts = futures_util::stream::unfold((0, breaks), async |(n, breaks)| {
        yield_now().await;
        let frame = match breaks && n == 2 {
            true => Err(BoxError::from("on purpose")),
            false => Ok(Frame::data(Bytes::from_static(b"part"))),
        };
        (n < 3).then_some((frame, (n + 1, breaks)))
    });
    let body = StreamBody::new(Box::pin(parts) as futures_util::stream::BoxStream<'static, _>);
    Ok(Response::new(BodyExt::boxed_unsync(body)))
}

/// Limits of one, of the server or of the route, with places to wait.
fn admission(of_route: bool, max_queue: u32) -> AdmissionConfig {
    let one = BulkheadConfig::default()
        .max_concurrent(1)
        .max_queue(max_queue);
    if !of_route {
        return AdmissionConfig::default().concurrency(one);
    }
    let mut config = AdmissionConfig::default();
    for route in ["/", "/slow"] {
        let limited = RouteAdmissionConfig::default().concurrency(one.clone());
        config.routes.insert(route.to_owned(), limited);
    }
    config
}

/// Asks, and reads the answer: its status, or 0 when its body broke.
async fn ask<S, B>(service: S, path: &str) -> u16
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
{
    let mut request = Request::get(path).body(Empty::new()).unwrap();
    if path == "/late" {
        let timeout = http::HeaderValue::from_static("20");
        request
            .headers_mut()
            .insert("x-request-timeout-ms", timeout);
    }
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let read = response.into_body().collect().await;
    read.map_or(0, |_| status.as_u16())
}

/// Drops a request for `path` after every number of polls. While it runs, `busy` is asked for as well.
async fn cut_everywhere(admission: &AdmissionConfig, path: &str, busy: Option<&str>) -> u16 {
    let (metrics, running) = (Registry::new(), Running::default());
    let routes = RouteTable::builder().route("/").route("/slow").build();
    let config = StackConfig::default().admission(admission.clone());
    let timer = Timer::new();
    let deps = StackDeps::default()
        .with_timer(timer.clone())
        .with_metrics(metrics.clone())
        .with_routes(routes.unwrap());
    let stack = Stack::new(&config, deps).unwrap();
    let handler = running.clone();
    let service = stack.service(service_fn(move |request| {
        let run = Run::new(&handler);
        handle(request, run)
    }));
    let start = Instant::now();
    let mut asked = 0.0;
    for polls in 0..MOST {
        let other = async {
            match busy {
                Some(path) => ask(service.clone(), path).await,
                None => 200,
            }
        };
        let one = cancelled_after(polls, ask(service.clone(), path));
        let (other, ended) = tokio::join!(other, one);
        assert_eq!(other, 200);
        asked += f64::from(u8::from(polls > 0) + u8::from(busy.is_some()));
        let cut = format!("{path} after {polls} polls");
        for gauge in [
            "detectviz_bulkhead_in_flight",
            "detectviz_bulkhead_queued",
            "http.server.active_requests",
        ] {
            assert_eq!(sum(&metrics, gauge), 0.0, "{cut}: {gauge}");
        }
        assert!(timer.is_empty(), "{cut}: a deadline is left");
        assert_eq!(running.0.get(), 0, "{cut}: a handler is left");
        let counted = sum(&metrics, "http.server.request.duration");
        assert_eq!(counted, asked, "{cut}: each request is counted once");
        if let Some(status) = ended {
            println!("{path}: {polls} await points, {:?}", start.elapsed());
            assert!(polls >= 1, "{path}");
            return status;
        }
    }
    panic!("{path} does not end");
}

#[tokio::test]
async fn a_request_that_is_dropped_at_any_await_point_leaves_nothing() {
    for (path, expected) in [
        ("/", 200),
        ("/slow", 200),
        ("/breaks", 0),
        ("/fail", 500),
        ("/panic", 500),
        ("/late", 504),
    ] {
        for of_route in [false, true] {
            let status = cut_everywhere(&admission(of_route, 1), path, None).await;
            assert_eq!(status, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_while_it_waits_for_its_turn_leaves_nothing() {
    for of_route in [false, true] {
        let waits = admission(of_route, 1);
        assert_eq!(cut_everywhere(&waits, "/slow", Some("/slow")).await, 200);
        let refused = admission(of_route, 0);
        assert_eq!(cut_everywhere(&refused, "/slow", Some("/slow")).await, 503);
    }
}
