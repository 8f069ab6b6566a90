//! The body of a response, watched to its end.
use super::call::Active;
use crate::error::MaybeProblem;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// Response body of [`Stacked`](super::Stacked): polled with the slot in place; the request is recorded when it ends.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
        active: Active,
        // The inner body said so; it is gone then.
        ended: bool,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if !matches!(*this.kind, Kind::Ended) {
                let _entered = this.active.enter();
                this.kind.set(Kind::Ended);
            }
            if let Some(ending) = this.active.progress().dropped(*this.ended) {
                this.active.end(ending);
            }
        }
    }
}

pin_project_lite::pin_project! {
    #[project = KindProj]
    #[derive(Debug)]
    enum Kind<B> {
        Answer { #[pin] body: MaybeProblem<B> },
        Ended,
    }
}

// === impl ResponseBody ===

impl<B: Body<Data = Bytes>> ResponseBody<B> {
    /// What the handler answered.
    pub(super) fn new(body: B, mut active: Active) -> Self {
        let ended = body.is_end_stream();
        if ended && let Some(ending) = active.progress().dropped(true) {
            active.end(ending);
        }
        Self {
            kind: Kind::Answer {
                body: MaybeProblem::inner(body),
            },
            active,
            ended,
        }
    }
}

impl<B> ResponseBody<B> {
    /// What the stack answered itself.
    pub(super) fn problem(body: Full<Bytes>, active: Active) -> Self {
        Self {
            kind: Kind::Answer {
                body: MaybeProblem::problem(body),
            },
            active,
            ended: false,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        if matches!(*this.kind, Kind::Ended) {
            return Poll::Ready(None);
        }
        this.active.progress().start();
        let ended = &mut *this.ended;
        let entered = this.active.enter();
        let polled = this.kind.as_mut().poll_frame(cx);
        *ended = this.kind.is_end_stream();
        if *ended {
            this.kind.set(Kind::Ended);
        }
        drop(entered);
        if let Some(ending) = this.active.progress().polled(&polled, *this.ended) {
            this.active.end(ending);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.kind.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Answer { body } => body.size_hint(),
            Kind::Ended => SizeHint::with_exact(0),
        }
    }
}

// === impl Kind ===

impl<B: Body<Data = Bytes>> Kind<B> {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project() {
            KindProj::Answer { body } => body.poll_frame(cx),
            KindProj::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Answer { body } => body.is_end_stream(),
            Self::Ended => true,
        }
    }
}
