//! The routes of this server.
use crate::{
    answer::{self, Body},
    events, harness, websocket,
};
use detectviz_core::{error::BoxError, lifecycle::PhaseWatch, task::Tasks};
use detectviz_http::{body::RequestBody, client::Client};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Either, Full};
use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// Answers every route.
#[derive(Clone)]
pub(crate) struct Conformance {
    client: Client,
    phase: PhaseWatch,
    tasks: Tasks,
}

/// The answer at once, or later.
pub(crate) enum Answer {
    Now(Ready<Result<Response<Body>, BoxError>>),
    Later(Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>),
}

impl Conformance {
    pub(crate) fn new(client: Client, phase: PhaseWatch, tasks: &Tasks) -> Self {
        Self {
            client,
            phase,
            tasks: tasks.clone(),
        }
    }
}

impl Service<Request<RequestBody>> for Conformance {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Answer {
        let get = request.method() == Method::GET || request.method() == Method::HEAD;
        let response = match (get, request.uri().path()) {
            (true, "/") => answer::text(StatusCode::OK, "hello"),
            (false, "/") => return echo(request.into_body()),
            (true, "/slow") => return slow(request.uri().query()),
            #[expect(clippy::panic, reason = "what this route is for")]
            (true, "/panic") => panic!("on purpose"),
            (false, "/test") => {
                let calls = harness::answer(self.client.clone(), request.into_body());
                return Answer::Later(Box::pin(calls));
            }
            (true, "/ws") => websocket::answer(&mut request, self.phase.clone(), &self.tasks),
            (true, "/sse") => events::answer(self.phase.clone()),
            _ => answer::text(StatusCode::NOT_FOUND, "no such route\n"),
        };
        Answer::Now(ready(Ok(response)))
    }
}

impl Future for Answer {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Now(answer) => Pin::new(answer).poll(cx),
            Self::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}

/// Sends the body back, always with its length: what came in chunks is collected first.
fn echo(body: RequestBody) -> Answer {
    if body.size_hint().exact().is_some() {
        return Answer::Now(ready(Ok(answer::stream(body))));
    }
    Answer::Later(Box::pin(async move {
        let whole = body.collect().await?.to_bytes();
        Ok(Response::new(Either::Left(Full::new(whole))))
    }))
}

/// Answers after as many milliseconds as `?ms=` says.
fn slow(query: Option<&str>) -> Answer {
    let ms = query.and_then(|query| query.strip_prefix("ms=")?.parse().ok());
    let Some(ms) = ms else {
        return Answer::Now(ready(Ok(answer::text(
            StatusCode::BAD_REQUEST,
            "say how long: ?ms=100\n",
        ))));
    };
    Answer::Later(Box::pin(async move {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(answer::text(StatusCode::OK, "slept\n"))
    }))
}
