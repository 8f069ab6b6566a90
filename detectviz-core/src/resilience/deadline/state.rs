//! What a deadline is, from what was asked for: pure.
use super::{DeadlineConfig, MalformedTimeout};
use std::time::{Duration, Instant};

/// What the caller of a request said about how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// So long, from the arrival of the request on.
    Within(Duration),
    /// Something that is no timeout. It is counted, and otherwise the same as nothing.
    Malformed,
}

/// The nearer of two deadlines; a nested deadline only ever shortens.
#[must_use]
pub fn nearest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What is left of `deadline` at `now`: what an outgoing call passes on. `None` when nothing is: then the call is not made.
#[must_use]
pub fn remaining(deadline: Instant, now: Instant) -> Option<Duration> {
    let left = deadline.checked_duration_since(now)?;
    (!left.is_zero()).then_some(left)
}

// === impl Asked ===

impl Asked {
    /// What a header says that is there.
    #[must_use]
    pub fn read(header: Result<Duration, MalformedTimeout>) -> Self {
        header.map_or(Self::Malformed, Self::Within)
    }

    /// How long the request may take, from its arrival on; `None` for as long as it likes.
    #[must_use]
    pub fn limit(self, config: &DeadlineConfig) -> Option<Duration> {
        match self {
            Self::Within(asked) if config.trust_remote => Some(asked.min(config.max)),
            _ => config.default.map(|default| default.min(config.max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_capped_and_strangers_are_not_heard() {
        let ms = Duration::from_millis;
        let config = DeadlineConfig::default().max(ms(500));
        let with_default = config.clone().default_limit(Some(ms(200)));
        let strangers = with_default.clone().trust_remote(false);
        for (asked, plain, default, strange) in [
            (Asked::Nothing, None, Some(200), Some(200)),
            (Asked::Malformed, None, Some(200), Some(200)),
            (Asked::Within(ms(0)), Some(0), Some(0), Some(200)),
            (Asked::Within(ms(300)), Some(300), Some(300), Some(200)),
            (Asked::Within(ms(900)), Some(500), Some(500), Some(200)),
        ] {
            assert_eq!(asked.limit(&config), plain.map(ms), "{asked:?}");
            assert_eq!(asked.limit(&with_default), default.map(ms), "{asked:?}");
            assert_eq!(asked.limit(&strangers), strange.map(ms), "{asked:?}");
        }
    }

    #[test]
    fn nothing_is_left_at_the_deadline_or_after() {
        let now = Instant::now();
        let ms = Duration::from_millis;
        assert_eq!(remaining(now + ms(5), now), Some(ms(5)));
        assert_eq!(remaining(now, now), None);
        assert_eq!(remaining(now, now + ms(1)), None);
    }

    #[test]
    fn the_nearer_deadline_counts() {
        let one = Instant::now();
        let other = one + Duration::from_secs(1);
        for (a, b, expected) in [
            (None, None, None),
            (Some(one), None, Some(one)),
            (None, Some(one), Some(one)),
            (Some(one), Some(other), Some(one)),
            (Some(other), Some(one), Some(one)),
        ] {
            assert_eq!(nearest(a, b), expected);
        }
    }
}
