//! What a caller sees when the other side is slow, gone or wrong.
use super::{
    support::{Upstream, get},
    *,
};
use detectviz_core::{
    error::cause_ref,
    resilience::{retry::RetryConfig, timeout::Elapsed},
    telemetry::context,
};
use std::{
    convert::Infallible,
    future::pending,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Instant,
};

const SOON: Duration = Duration::from_millis(400);

fn hasty() -> Client {
    // One attempt, which has all the time that there is.
    let policy = PolicyConfig::default()
        .attempt_timeout(SOON - Duration::from_millis(1))
        .retry(RetryConfig::default().attempts(1));
    let config = ClientConfig::default()
        .total_timeout(SOON)
        .policy(policy)
        .connect_timeout(SOON / 2);
    ClientBuilder::new(config).build(&Tasks::new()).unwrap()
}

/// Gives one byte and then nothing.
struct Stuck(Option<Bytes>);

impl http_body::Body for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(http_body::Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

#[tokio::test]
async fn slow_headers_fail_with_elapsed() {
    let upstream = Upstream::serve(|_| pending::<http::Response<Full<Bytes>>>()).await;
    let client = hasty();
    let begun = Instant::now();
    let err = client.get(upstream.uri("/")).await.unwrap_err();
    let elapsed = cause_ref::<Elapsed>(&*err).unwrap();
    assert_eq!(elapsed.limit(), SOON);
    assert!(begun.elapsed() >= SOON);
    assert_eq!(client.in_flight(), 0);
    assert_eq!(crate::error::status_of(&*err), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_slow_body_fails_with_elapsed_after_what_has_come() {
    let upstream =
        Upstream::serve(|_| async { http::Response::new(Stuck(Some(Bytes::from_static(b"x")))) })
            .await;
    let client = hasty();
    let mut body = pin!(client.get(upstream.uri("/")).await.unwrap().into_body());
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "x");
    let err = body.frame().await.unwrap().unwrap_err();
    assert_eq!(cause_ref::<Elapsed>(&*err).unwrap().limit(), SOON);
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn the_deadline_of_the_request_that_is_served_counts_when_it_is_nearer() {
    let upstream = Upstream::serve(|_| pending::<http::Response<Full<Bytes>>>()).await;
    let mut slot = context::Slot::new(context::TraceContext::root(false));
    slot.deadline = Some(slot.started + SOON);
    let client = client();
    let err = slot
        .scope(async { client.get(upstream.uri("/")).await.unwrap_err() })
        .await;
    assert!(cause_ref::<Elapsed>(&*err).unwrap().limit() <= SOON);
}

#[tokio::test]
async fn a_refused_connection_names_who_was_called() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = client();
    let err = client.request(get(&addr, "/")).await.unwrap_err();
    assert_eq!(cause_ref::<ConnectFailed>(&*err).unwrap().authority, addr);
    assert!(cause_ref::<SendFailed>(&*err).is_some());
    assert!(err.to_string().contains(&addr), "{err}");
    assert_eq!(crate::error::status_of(&*err), StatusCode::BAD_GATEWAY);
}

/// A listener whose backlog is full: Linux lets further connections wait.
fn full() -> (socket2::Socket, Vec<socket2::Socket>, String) {
    use socket2::{Domain, Socket, Type};
    let tcp = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let listener = tcp();
    let any = "127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap();
    let waiting = (0..4).map(|_| {
        let socket = tcp();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&addr);
        socket
    });
    let waiting = waiting.collect();
    let shown = addr.as_socket().unwrap().to_string();
    (listener, waiting, shown)
}

#[tokio::test]
async fn a_connection_that_nobody_takes_fails_within_its_own_limit() {
    let (_listener, _waiting, addr) = full();
    let err = hasty().request(get(&addr, "/")).await.unwrap_err();
    let timeout = cause_ref::<ConnectTimeout>(&*err).unwrap();
    assert_eq!(
        (timeout.authority.as_str(), timeout.limit),
        (addr.as_str(), SOON / 2)
    );
    assert_eq!(crate::error::status_of(&*err), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_of_the_body() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf";
        stream.write_all(half).await.unwrap();
    };
    let client = client();
    let (answer, ()) = tokio::join!(client.request(get(&addr, "/")), server);
    let err = answer.unwrap().into_body().collect().await.unwrap_err();
    assert!(cause_ref::<SendFailed>(&*err).is_some(), "{err:?}");
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn a_target_that_cannot_be_called_says_what_to_write() {
    let client = client();
    for (uri, expected) in [
        ("/v1/items", "http://orders/path"),
        ("ftp://orders/", "neither http nor https"),
        ("https://orders/", "client.tls.ca_file"),
    ] {
        let err = client.get(uri.parse().unwrap()).await.unwrap_err();
        assert!(err.to_string().contains(expected), "{err}");
    }
}
