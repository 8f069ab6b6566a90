//! How a response ended, told from what its body did.
use http_body::{Body, Frame};
use std::task::Poll;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The response was sent whole.
    Complete,
    /// The client went away, or whoever waited for the response did.
    Cancelled,
    /// The inner service panicked.
    Panicked,
    /// The head was sent and the body failed.
    BodyFailed,
    /// Refused by a rate limit.
    RateLimited,
    /// Refused by a limit on concurrency.
    Overloaded,
    /// Refused because the machine has too much to do.
    Shed,
    /// Given up when its deadline had passed.
    TimedOut,
}

/// Watches a body.
///
/// A server need not poll a body to its end: one whose length is known is dropped after its last byte, and one that
/// follows HEAD or a status without content is not polled at all.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The length that was announced.
    expected: Option<u64>,
    seen: u64,
    /// No content follows the head, whatever the body holds.
    bodiless: bool,
    /// While the body is polled: one that is dropped in that state panicked.
    polling: bool,
    ended: bool,
}

// === impl Ending ===

impl Ending {
    /// All that have an `error_type` of their own.
    const ERRORS: [Self; 7] = [
        Self::Cancelled,
        Self::Panicked,
        Self::BodyFailed,
        Self::RateLimited,
        Self::Overloaded,
        Self::Shed,
        Self::TimedOut,
    ];

    /// What OpenTelemetry calls `error.type`, unless it is a status; empty for what went well.
    pub(crate) fn error_type(self) -> &'static str {
        match self {
            Self::Complete => "",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panic",
            Self::BodyFailed => "body",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Shed => "shed",
            Self::TimedOut => "timeout",
        }
    }

    /// The ending that has this [`error_type`](Self::error_type); a status is that of a response that was sent whole.
    pub(super) fn of_error_type(text: &str) -> Self {
        let mut kinds = Self::ERRORS.into_iter();
        let known = kinds.find(|ending| ending.error_type() == text);
        known.unwrap_or(Self::Complete)
    }

    /// The status that the client was sent, if a head was sent at all.
    pub(crate) fn status(self, head: Option<u16>) -> Option<u16> {
        match self {
            Self::Panicked => head.or(Some(500)),
            _ => head,
        }
    }
}

// === impl Progress ===

impl Progress {
    pub(crate) fn new(body: &impl Body, bodiless: bool) -> Self {
        Self {
            expected: body.size_hint().exact(),
            seen: 0,
            bodiless,
            polling: false,
            ended: false,
        }
    }

    /// How many bytes the body gave.
    pub(crate) fn bytes(&self) -> u64 {
        self.seen
    }

    /// Before the body is polled.
    pub(crate) fn start(&mut self) {
        self.polling = true;
    }

    /// After the body was polled: how it ended, told once.
    pub(crate) fn polled<D: bytes::Buf, E>(
        &mut self,
        polled: &Poll<Option<Result<Frame<D>, E>>>,
        is_end_stream: bool,
    ) -> Option<Ending> {
        self.polling = false;
        let ending = match polled {
            Poll::Pending => return None,
            Poll::Ready(None) => Ending::Complete,
            Poll::Ready(Some(Err(_))) => Ending::BodyFailed,
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, bytes::Buf::remaining);
                self.seen += u64::try_from(length).unwrap_or(u64::MAX);
                if !is_end_stream {
                    return None;
                }
                Ending::Complete
            }
        };
        self.end(ending)
    }

    /// When the body is dropped, or before its first poll: how it ended, unless that was told.
    pub(crate) fn dropped(&mut self, is_end_stream: bool) -> Option<Ending> {
        let whole = is_end_stream || self.bodiless || self.expected == Some(self.seen);
        let ending = match (self.polling, whole) {
            (true, _) => Ending::Panicked,
            (false, true) => Ending::Complete,
            (false, false) => Ending::Cancelled,
        };
        self.end(ending)
    }

    fn end(&mut self, ending: Ending) -> Option<Ending> {
        let first = !self.ended;
        self.ended = true;
        first.then_some(ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body_util::Full;
    use std::io;

    #[test]
    fn how_a_body_ended_is_told_once() {
        let poll = |text: Option<&'static str>| {
            let frame = text.map(|text| Ok::<_, io::Error>(Frame::data(Bytes::from(text))));
            Poll::Ready(frame)
        };
        let body = Full::new(Bytes::from_static(b"12345"));
        // What is polled, whether nothing may follow the head, and what a drop tells after that.
        for (polls, none_may_follow, dropped) in [
            (&[][..], false, Some(Ending::Cancelled)),
            (&[], true, Some(Ending::Complete)),
            (&[Some("123")], false, Some(Ending::Cancelled)),
            (&[Some("123"), Some("45")], false, Some(Ending::Complete)),
            (&[Some("12345"), None], false, None),
        ] {
            let mut progress = Progress::new(&body, none_may_follow);
            let told: Vec<_> = polls
                .iter()
                .filter_map(|text| {
                    progress.start();
                    progress.polled(&poll(*text), false)
                })
                .collect();
            let at_end = usize::from(polls.last() == Some(&None));
            assert_eq!(told, vec![Ending::Complete; at_end]);
            assert_eq!(progress.dropped(false), dropped, "{polls:?}");
            assert_eq!(progress.dropped(true), None, "told twice");
        }
        let mut progress = Progress::new(&body, false);
        progress.start();
        assert_eq!(progress.dropped(false), Some(Ending::Panicked));
        let mut progress = Progress::new(&body, false);
        let failed = Poll::Ready(Some(Err::<Frame<Bytes>, _>(io::Error::other("x"))));
        assert_eq!(progress.polled(&failed, false), Some(Ending::BodyFailed));
    }
}
