//! A body that comes in pieces, and can be sent again as long as they are few.
use super::body::Body;
use bytes::Bytes;
use detectviz_core::error::BoxError;
use http::HeaderMap;
use http_body::{Body as _, Frame, SizeHint};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

/// What a body that comes in pieces has given so far, and the rest of it.
///
/// The pieces are shared with who sends them, not copied. Only the attempt that was begun last takes more: an older one,
/// whose connection may still write, gets an error. An attempt holds the lock while it takes a piece, and no other request
/// has a part in it.
pub(super) struct Replay(Arc<Mutex<State>>);

/// The body as one attempt sends it.
pub(super) struct Replayed {
    of: Arc<Mutex<State>>,
    /// Which attempt it is.
    attempt: u32,
    /// How many of the pieces it has sent, and how many bytes.
    at: usize,
    sent: u64,
    hint: SizeHint,
}

struct State {
    rest: Body,
    pieces: Vec<Piece>,
    /// How many bytes they have.
    length: usize,
    most: usize,
    /// Whether there were more than that.
    outgrown: bool,
    ended: bool,
    attempt: u32,
}

enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
}

// === impl Replay ===

impl Replay {
    /// Keeps up to `most` bytes of `body`, and gives it for the first attempt.
    pub(super) fn of(body: Body, most: usize) -> (Self, Replayed) {
        let replay = Self(Arc::new(Mutex::new(State {
            rest: body,
            pieces: Vec::new(),
            length: 0,
            most,
            outgrown: false,
            ended: false,
            attempt: 0,
        })));
        let first = replay.begin(&mut lock(&replay.0));
        (replay, first)
    }

    /// The body for another attempt; `None` when it has outgrown what is kept, or failed.
    pub(super) fn again(&self) -> Option<Replayed> {
        let mut state = lock(&self.0);
        (!state.outgrown).then(|| self.begin(&mut state))
    }

    /// Whether there would be [one](Self::again).
    pub(super) fn can_repeat(&self) -> bool {
        !lock(&self.0).outgrown
    }

    fn begin(&self, state: &mut State) -> Replayed {
        state.attempt += 1;
        let (rest, kept) = (state.rest.size_hint(), state.length as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(kept));
        }
        hint.set_lower(rest.lower().saturating_add(kept));
        Replayed {
            of: Arc::clone(&self.0),
            attempt: state.attempt,
            at: 0,
            sent: 0,
            hint,
        }
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Replay")
    }
}

// === impl Replayed ===

impl http_body::Body for Replayed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let mut state = lock(&this.of);
        if state.attempt != this.attempt {
            return Poll::Ready(Some(Err("the call goes on with another attempt".into())));
        }
        let frame = match state.pieces.get(this.at) {
            Some(piece) => {
                this.at += 1;
                piece.frame()
            }
            None if state.ended => return Poll::Ready(None),
            None => match ready!(state.poll_rest(cx)) {
                Some(Ok(frame)) => {
                    this.at = state.pieces.len();
                    frame
                }
                other => return Poll::Ready(other),
            },
        };
        this.sent += frame.data_ref().map_or(0, |data| data.len() as u64);
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.of);
        self.at == state.pieces.len() && (state.ended || state.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let mut left = SizeHint::new();
        if let Some(upper) = self.hint.upper() {
            left.set_upper(upper.saturating_sub(self.sent));
        }
        left.set_lower(self.hint.lower().saturating_sub(self.sent));
        left
    }
}

// === impl State ===

impl State {
    /// The next piece that no attempt has sent.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.rest).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) if !self.outgrown => self.keep(frame),
            Some(Ok(_)) => {}
            // What failed once would fail again.
            Some(Err(_)) => self.outgrow(),
            None => self.ended = true,
        }
        Poll::Ready(frame)
    }

    fn keep(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.length += data.len();
            if self.length > self.most {
                return self.outgrow();
            }
            self.pieces.push(Piece::Data(data.clone()));
        } else if let Some(trailers) = frame.trailers_ref() {
            self.pieces.push(Piece::Trailers(trailers.clone()));
        }
    }

    fn outgrow(&mut self) {
        self.outgrown = true;
        self.pieces = Vec::new();
    }
}

// === impl Piece ===

impl Piece {
    fn frame(&self) -> Frame<Bytes> {
        match self {
            Self::Data(data) => Frame::data(data.clone()),
            Self::Trailers(trailers) => Frame::trailers(trailers.clone()),
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream::iter;
    use http_body_util::{BodyExt, StreamBody};

    fn body(pieces: &'static [&'static str]) -> Body {
        let frames = pieces
            .iter()
            .map(|text| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(text.as_bytes()))));
        Body::new(StreamBody::new(iter(frames)))
    }

    async fn read(body: Replayed) -> Result<Bytes, BoxError> {
        body.collect().await.map(|whole| whole.to_bytes())
    }

    #[tokio::test]
    async fn r13_a_body_in_pieces_is_sent_again_up_to_the_limit() {
        for (most, again) in [(5, true), (4, false)] {
            let (replay, first) = Replay::of(body(&["he", "llo"]), most);
            assert_eq!(read(first).await.unwrap(), "hello", "{most}");
            assert_eq!(replay.again().is_some(), again, "{most}");
            if let Some(second) = replay.again() {
                assert_eq!(read(second).await.unwrap(), "hello");
            }
        }
    }

    #[tokio::test]
    async fn an_attempt_begins_with_what_was_sent_and_goes_on_with_the_rest() {
        let (replay, mut first) = Replay::of(body(&["a", "b", "c"]), 10);
        first.frame().await.unwrap().unwrap();
        let second = replay.again().unwrap();
        assert!(first.frame().await.unwrap().is_err(), "it is over");
        assert_eq!(read(second).await.unwrap(), "abc");
    }

    #[tokio::test]
    async fn pieces_are_shared_and_not_copied() {
        let piece = Bytes::from(vec![b'x'; 100]);
        let frames = iter([Ok::<_, std::io::Error>(Frame::data(piece.clone()))]);
        let (replay, first) = Replay::of(Body::new(StreamBody::new(frames)), 100);
        read(first).await.unwrap();
        let mut second = replay.again().unwrap();
        let frame = second.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap().as_ptr(), piece.as_ptr());
        assert!(second.is_end_stream() || second.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_that_failed_is_not_asked_again() {
        let frames = iter([Err::<Frame<Bytes>, _>(std::io::Error::other("gone"))]);
        let (replay, first) = Replay::of(Body::new(StreamBody::new(frames)), 100);
        assert!(read(first).await.is_err());
        assert!(replay.again().is_none());
    }
}
