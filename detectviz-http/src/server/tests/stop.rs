//! What a stop cuts, and the server as a component.
use super::*;
use detectviz_core::{
    error::{Error, ErrorKind, cause_ref},
    task::Component,
};
use std::task::{Context, Poll};

#[tokio::test]
async fn a_stop_cuts_what_the_drain_left_and_names_it() {
    let server = fixture(config());
    let mut stuck = server.connect().await;
    stuck.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.busy(1).await;
    let mut upgraded = server.connect().await;
    upgraded
        .send("GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    upgraded.until(b"\r\n\r\n").await.unwrap();
    let mut half = server.connect().await;
    half.send("GET / HT").await;
    let mut idle = server.connect().await;
    idle.get("/").await.unwrap();
    assert!(
        timeout(Duration::from_millis(50), server.serving.drain())
            .await
            .is_err()
    );
    let err = within(server.serving.stop()).await.unwrap_err();
    let err = cause_ref::<Error>(&*err).unwrap();
    assert_eq!(err.kind(), ErrorKind::DrainDeadline);
    assert!(
        err.to_string().contains("cut 1 requests and 1 upgraded"),
        "{err}"
    );
    for mut raw in [stuck, upgraded, half, idle] {
        assert_eq!(raw.rest().await, "");
    }
    assert_eq!(server.serving.connections(), 0);
    within(server.tasks.join(BOUND)).await.unwrap();
}

#[tokio::test]
async fn idle_connections_are_no_loss() {
    let server = fixture(config());
    let mut idle = server.connect().await;
    idle.get("/").await.unwrap();
    within(server.serving.stop()).await.unwrap();
    assert_eq!(idle.rest().await, "");
}

#[tokio::test]
async fn cancelled_tasks_stop_the_server() {
    let server = fixture(config());
    let mut stuck = server.connect().await;
    stuck.send("GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n").await;
    server.busy(1).await;
    server.tasks.cancel();
    within(server.tasks.join(BOUND)).await.unwrap();
    assert_eq!(stuck.rest().await, "");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_key_and_the_remedy() {
    let server = fixture(config());
    let taken = ServerConfig {
        port: server.addr.port(),
        ..config()
    };
    let deps = ServerDeps::new(server.tasks.clone(), server.phase.watch(), Registry::new());
    let service = tower::service_fn(|_| async { Ok::<_, BoxError>(text(StatusCode::OK, "")) });
    let second = Server::new(taken, "admin", deps, service);
    let err = second.start().await.unwrap_err();
    let err = cause_ref::<Error>(&*err).unwrap();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    let message = err.to_string();
    for part in [
        &server.addr.port().to_string(),
        "admin.port",
        "--set admin.port=",
    ] {
        assert!(message.contains(part), "{message}");
    }
    second.drain().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn an_axum_router_fits_and_the_component_lives() {
    let router = axum::Router::new().route(
        "/greet",
        axum::routing::post(|body: String| async move { format!("hello {body}") }),
    );
    let tasks = Tasks::new();
    let deps = ServerDeps::new(tasks.clone(), PhaseControl::new().watch(), Registry::new());
    let server = Server::new(config(), "http", deps, router);
    assert_eq!(server.local_addr(), None);
    server.start().await.unwrap();
    let addr = server.local_addr().unwrap();
    let mut raw = Raw(TcpStream::connect(addr).await.unwrap());
    raw.send("POST /greet HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nworld")
        .await;
    assert_eq!(raw.reply().await.unwrap().body, "hello world");
    let ((), drained) = tokio::join!(async { drop(raw) }, Component::drain(&server));
    drained.unwrap();
    Component::stop(&server).await.unwrap();
    within(tasks.join(BOUND)).await.unwrap();
}

/// Ready for one call at a time, as a concurrency limit is.
#[derive(Clone)]
struct OneAtATime {
    places: tokio_util::sync::PollSemaphore,
    place: Option<Arc<tokio::sync::OwnedSemaphorePermit>>,
}

impl tower_service::Service<Request<RequestBody>> for OneAtATime {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.place.is_none() {
            self.place = std::task::ready!(self.places.poll_acquire(cx)).map(Arc::new);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestBody>) -> Answer {
        let place = self
            .place
            .take()
            .expect("the instance that was readied is called");
        Box::pin(async move {
            sleep(Duration::from_millis(2)).await;
            drop(place);
            Ok(text(StatusCode::OK, "mine"))
        })
    }
}

#[tokio::test]
async fn a_service_that_is_not_ready_is_waited_for() {
    let places = Arc::new(tokio::sync::Semaphore::new(1));
    let service = OneAtATime {
        places: tokio_util::sync::PollSemaphore::new(places),
        place: None,
    };
    let tasks = Tasks::new();
    let deps = ServerDeps::new(tasks.clone(), PhaseControl::new().watch(), Registry::new());
    let serving = Server::new(config(), "http", deps, service)
        .bind()
        .unwrap()
        .serve()
        .unwrap();
    let clients = (0..8).map(|_| async {
        let mut raw = Raw(TcpStream::connect(serving.local_addr()).await.unwrap());
        for _ in 0..5 {
            assert_eq!(raw.get("/").await.unwrap().body, "mine");
        }
    });
    within(futures_util::future::join_all(clients)).await;
}
