//! The body of a response, in its trace.
use super::{head::bodiless, recorder::Active, state::Progress};
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Response body of [`Trace`](super::Trace): polled with the slot in place; the span ends with it.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Option<B>,
        active: Active,
        progress: Progress,
        // Asked of the inner body before it is gone.
        ended: bool,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.active.enter(|| this.inner.set(None));
            if let Some(ending) = this.progress.dropped(*this.ended) {
                this.active.end(ending);
            }
        }
    }
}

impl<B: Body> ResponseBody<B> {
    pub(super) fn new(inner: B, mut active: Active, status: StatusCode) -> Self {
        let mut progress = Progress::new(&inner, bodiless(active.head, status));
        let ended = inner.is_end_stream();
        if ended && let Some(ending) = progress.dropped(true) {
            active.end(ending);
        }
        Self {
            inner: Some(inner),
            active,
            progress,
            ended,
        }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        this.progress.start();
        let polled = this.active.enter(|| inner.poll_frame(cx));
        *this.ended = this
            .inner
            .as_ref()
            .get_ref()
            .as_ref()
            .is_none_or(Body::is_end_stream);
        if let Some(ending) = this.progress.polled(&polled, *this.ended) {
            this.active.end(ending);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}
