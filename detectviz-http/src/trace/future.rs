//! The future of one call.
use super::{ResponseBody, recorder::Active, state::Ending};
use http::Response;
use http_body::Body;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Future of [`Trace`](super::Trace).
    ///
    /// # Cancel safety
    /// When it is dropped, what the inner service held is dropped within the slot, and the span ends as `cancelled`.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: Option<F>,
        active: Option<Active>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(mut active) = this.active.take() {
                active.enter(|| this.inner.set(None));
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, active: Active) -> Self {
        Self {
            inner: Some(inner),
            active: Some(active),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let active = this.active.as_mut().expect("not polled after its end");
        active.running = true;
        let inner = this.inner.as_mut().as_pin_mut();
        let inner = inner.expect("dropped only with what is active");
        let polled = active.enter(|| inner.poll(cx));
        active.running = false;
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        active.enter(|| this.inner.set(None));
        let mut active = this.active.take().expect("it was polled");
        Poll::Ready(match result {
            Ok(response) => {
                let status = response.status();
                active.status = Some(status.as_u16());
                Ok(response.map(|body| ResponseBody::new(body, active, status)))
            }
            Err(err) => {
                active.end(Ending::Failed);
                Err(err)
            }
        })
    }
}
