//! A request that succeeds allocates nothing in the layers of the stack.
use bytes::Bytes;
use detectviz_benches::allocations::so_far;
use detectviz_core::{
    task::Tasks,
    telemetry::{
        logs::{Logs, LogsConfig, Output},
        metrics::Registry,
        span::{Sampler, Spans},
    },
};
use detectviz_http::{
    admission::{AdmissionConfig, RateLimitHeaders},
    route::RouteTable,
    stack::{Stack, StackConfig, StackDeps},
};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Empty, Full};
use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tower::{Service, service_fn};

/// Requests that warm up the thread and the series, and as many that are counted.
const ROUNDS: usize = 1000;

/// Calls the service and reads the body to its end; both are ready at once.
fn answer<S, B>(svc: &mut S, req: Request<Empty<Bytes>>) -> u16
where
    S: Service<Request<Empty<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(svc.poll_ready(&mut cx).is_ready());
    let mut call = pin!(svc.call(req));
    let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut cx) else {
        panic!("it is ready at once");
    };
    let status = response.status().as_u16();
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut cx) {}
    status
}

/// Where the trace of a request begins, and whether it is sampled.
#[derive(Clone, Copy, Debug)]
enum Trace {
    Here,
    Unsampled,
    Sampled,
}

fn request(trace: Trace) -> Request<Empty<Bytes>> {
    let head = Request::get("/orders/7?expand=lines")
        .header("host", "shop.example:8080")
        .header("user-agent", "curl/8.5.0");
    let parent = |flags| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
    let head = match trace {
        Trace::Here => head,
        Trace::Unsampled => head.header("traceparent", parent("00")),
        Trace::Sampled => head.header("traceparent", parent("01")),
    };
    let mut req = head
        .header("tracestate", "vendor=00f067aa0ba902b7,other=1")
        .header("baggage", "user=7,tier=gold")
        .body(Empty::new())
        .expect("a request");
    // A header that came over the wire is a piece of a shared buffer already; a copied one becomes so when first cloned.
    for value in req.headers_mut().values_mut() {
        drop(value.clone());
    }
    drop(req.uri().clone());
    req
}

/// The most that one of the warm requests allocated.
fn most<B>(logs: &Logs, trace: Trace, body: fn() -> B) -> u64
where
    B: Body<Data = Bytes, Error = Infallible>,
{
    let spans = Spans::new(Sampler::always_on());
    let routes = RouteTable::builder()
        .route("/orders/{id}")
        .build()
        .expect("routes");
    let deps = StackDeps::default()
        .with_metrics(Registry::new())
        .with_spans(spans.clone())
        .with_logs(logs.clone())
        .with_routes(routes);
    let handler = service_fn(
        move |_: Request<Empty<Bytes>>| -> Ready<Result<_, Infallible>> {
            ready(Ok(Response::new(body())))
        },
    );
    let mut svc = Stack::new(&StackConfig::default(), deps)
        .expect("a stack")
        .service(handler);
    let mut most = 0;
    for round in 0..2 * ROUNDS {
        let req = request(trace);
        let before = so_far();
        assert_eq!(answer(&mut svc, req), 200);
        let after = so_far();
        if round >= ROUNDS {
            most = most.max(after - before);
        }
        // The buffers of the log grow to what waits in them; the writer is kept from falling behind.
        if round % 50 == 0 {
            assert!(logs.flush(Duration::from_secs(10)));
        }
        spans
            .take(100)
            .into_iter()
            .for_each(|batch| batch.exported(0));
    }
    most
}

#[test]
fn a_warm_request_allocates_nothing() {
    assert!(most_of_a_vector() > 0, "the counter counts");
    let tasks = Tasks::new();
    let output = Output::new(std::io::sink());
    let written = LogsConfig::default()
        .build("shop", output, &tasks)
        .expect("logs");
    for logs in [Logs::disabled(), written] {
        for trace in [Trace::Here, Trace::Unsampled, Trace::Sampled] {
            assert_eq!(
                most(&logs, trace, Empty::new),
                0,
                "empty body, trace: {trace:?}"
            );
            let body = || Full::new(Bytes::from_static(b"hello"));
            assert_eq!(most(&logs, trace, body), 0, "shared body, trace: {trace:?}");
        }
    }
    tasks.cancel();
}

/// What warm requests allocate in all whose callers have a rate limit.
fn of_rate_limited(headers: RateLimitHeaders) -> u64 {
    let mut admission = AdmissionConfig::default().rate_limit_headers(headers);
    let limit = admission.rate_limits.entry("api".to_owned()).or_default();
    limit.rate = "1000000/s".parse().expect("a rate");
    let config = StackConfig::default().admission(admission);
    let handler = service_fn(|_: Request<Empty<Bytes>>| -> Ready<Result<_, Infallible>> {
        let mut response = Response::new(Empty::<Bytes>::new());
        // What the map of headers takes is not ours.
        response.headers_mut().reserve(4);
        ready(Ok(response))
    });
    let stack = Stack::new(&config, StackDeps::default()).expect("a stack");
    let mut svc = stack.service(handler);
    let mut before = 0;
    for round in 0..2 * ROUNDS {
        if round == ROUNDS {
            before = so_far();
        }
        assert_eq!(answer(&mut svc, request(Trace::Here)), 200);
    }
    so_far() - before
}

#[test]
fn what_a_caller_reads_of_its_rate_limit_is_cut_from_a_buffer_that_is_used_again() {
    let added =
        of_rate_limited(RateLimitHeaders::Always) - of_rate_limited(RateLimitHeaders::Never);
    assert!(added <= ROUNDS as u64 / 100, "{added} in {ROUNDS} requests");
}

fn most_of_a_vector() -> u64 {
    let before = so_far();
    drop(std::hint::black_box(vec![0_u8; 100]));
    so_far() - before
}
