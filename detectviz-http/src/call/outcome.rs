//! What came of a request: one of five, and never two.
use super::Ending;

/// What came of a request, for whoever adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The response was sent whole, with a status below 500.
    Ok,
    /// The handler answered with 500 or more, or panicked, or its body failed.
    Failed,
    /// Refused by a limit of this server.
    Shed,
    /// Given up because its deadline had passed.
    TimedOut,
    /// The client went away before the end of the response.
    Cancelled,
}

// === impl Outcome ===

impl Outcome {
    pub(crate) const ALL: [Self; 5] = [
        Self::Ok,
        Self::Failed,
        Self::Shed,
        Self::TimedOut,
        Self::Cancelled,
    ];

    /// The one place where that is decided.
    pub(crate) fn of(ending: Ending, status: u16) -> Self {
        match ending {
            Ending::Complete if status < 500 => Self::Ok,
            Ending::Complete | Ending::Panicked | Ending::BodyFailed => Self::Failed,
            Ending::RateLimited | Ending::Overloaded | Ending::Shed => Self::Shed,
            Ending::TimedOut => Self::TimedOut,
            Ending::Cancelled => Self::Cancelled,
        }
    }

    /// The same, from what `http.server.request.duration` says of it.
    pub(crate) fn of_labels(status: &str, error_type: &str) -> Self {
        let ending = Ending::of_error_type(error_type);
        Self::of(ending, status.parse().unwrap_or(0))
    }

    /// As metrics have it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Shed => "shed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }

    /// As the access log has it.
    pub(crate) fn logged(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "error",
            Self::Shed => "refused",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "client_gone",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_say_the_same_of_an_outcome_as_the_ending_does() {
        use Outcome::{Cancelled, Failed, Ok, Shed, TimedOut};
        for (ending, below_500, from_500) in [
            (Ending::Complete, Ok, Failed),
            (Ending::Cancelled, Cancelled, Cancelled),
            (Ending::Panicked, Failed, Failed),
            (Ending::BodyFailed, Failed, Failed),
            (Ending::RateLimited, Shed, Shed),
            (Ending::Overloaded, Shed, Shed),
            (Ending::Shed, Shed, Shed),
            (Ending::TimedOut, TimedOut, TimedOut),
        ] {
            for status in [0, 100, 200, 429, 499, 500, 503, 504, 599, 999] {
                let outcome = Outcome::of(ending, status);
                let expected = if status < 500 { below_500 } else { from_500 };
                assert_eq!(outcome, expected, "{ending:?} {status}");
                let shown = if status == 0 {
                    String::new()
                } else {
                    status.to_string()
                };
                // What a series is labelled with: the kind of error, else a status that is one.
                let error_type = match ending.error_type() {
                    "" if status >= 500 => &*shown,
                    kind => kind,
                };
                assert_eq!(Outcome::of_labels(&shown, error_type), outcome);
            }
        }
    }
}
