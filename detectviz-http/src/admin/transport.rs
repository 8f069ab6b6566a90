//! Accepts connections on the admin port and serves HTTP/1 on them.
use super::service::AdminService;
use detectviz_core::task::Tasks;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::TcpListener, pin::pin, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Semaphore};

/// How many connections are open at most; more wait in the backlog.
const MAX_CONNECTIONS: usize = 256;
/// How long a request head may take, and a connection may be idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more sockets.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `tasks` are cancelled, and then lets answers end for `last_words`.
pub(super) async fn serve(
    listener: TcpListener,
    service: AdminService,
    tasks: Tasks,
    last_words: Duration,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let connections = Tasks::for_runtime(tasks.runtime());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accepting = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let connection = one(stream, service.clone(), connections.clone());
            connections.spawn("admin connection", async move {
                connection.await;
                drop(place);
            });
        }
    };
    tasks.token().run_until_cancelled(accepting).await;
    drop(listener);
    connections.cancel();
    // What does not end in time ends with the runtime that it runs on.
    let _ = connections.join(last_words).await;
}

async fn one(stream: TcpStream, service: AdminService, tasks: Tasks) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(100)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let token = tasks.token();
    // An error here is the client's: it is gone, or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
