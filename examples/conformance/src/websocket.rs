//! `GET /ws`: echoes WebSocket messages until the service drains.
use crate::answer::{self, Body};
use detectviz_core::{
    lifecycle::{Phase, PhaseWatch},
    task::Tasks,
};
use detectviz_http::body::RequestBody;
use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, frame::coding::CloseCode},
    },
};

/// Accepts the upgrade and echoes on a task of its own.
pub(crate) fn answer(
    request: &mut Request<RequestBody>,
    phase: PhaseWatch,
    tasks: &Tasks,
) -> Response<Body> {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return answer::text(StatusCode::BAD_REQUEST, "this is a WebSocket: upgrade\n");
    };
    let Ok(accept) = header::HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return answer::text(StatusCode::BAD_REQUEST, "the key is malformed\n");
    };
    let upgrade = hyper::upgrade::on(request);
    tasks.spawn("websocket", async move {
        if let Ok(upgraded) = upgrade.await {
            echo(upgraded, phase).await;
        }
    });
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(
        header::CONNECTION,
        header::HeaderValue::from_static("upgrade"),
    );
    headers.insert(
        header::UPGRADE,
        header::HeaderValue::from_static("websocket"),
    );
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

async fn echo(upgraded: Upgraded, phase: PhaseWatch) {
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            () = phase.reached(Phase::Draining) => {
                let away = CloseFrame {
                    code: CloseCode::Away,
                    reason: "draining".into(),
                };
                // A peer that is gone needs no farewell.
                let _ = socket.close(Some(away)).await;
                return;
            }
        };
        match message {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if socket.send(message).await.is_err() {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}
