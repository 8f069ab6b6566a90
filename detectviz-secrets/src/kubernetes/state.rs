//! How one object is followed: what to ask next, and whether what was heard is a change.
//!
//! The pattern is that of client-go's reflector: list, watch from the version of the list, on from the last version that was
//! heard when the watch ends, and a list again when the server has forgotten that version. The pauses are its own too
//! (`client-go/tools/cache/reflector.go`): 800 ms, doubled up to 30 s, each prolonged by a random part of up to its own
//! length, and back to the first after 2 min without a failure.
use super::object::{Listed, Seen};
use std::time::Duration;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(800);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const CALM: Duration = Duration::from_secs(120);

/// A watch that ends sooner, without an event, has failed: client-go calls it a very short watch.
const SHORT: Duration = Duration::from_secs(1);

/// For how long a change may go without a fetch before nobody is thought to use the secret.
const UNUSED: Duration = Duration::from_secs(300);

/// What is known of one object.
#[derive(Debug)]
pub(super) struct Following {
    /// The version that was told last; `None` while the object is not there.
    told: Option<String>,
    /// From where to watch; `None` where one has to list.
    from: Option<String>,
    pause: Pause,
    /// When the last change was told, and how many fetches there had been.
    last_told: Option<(Instant, u64)>,
    unused: bool,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    List,
    Watch(String),
    Wait(Duration),
    /// Nobody uses the secret.
    End,
}

/// How long to wait after failures.
#[derive(Debug)]
struct Pause {
    next: Duration,
    last_failure: Option<Instant>,
    until: Option<Instant>,
}

// === impl Following ===

impl Following {
    /// Follows an object that was fetched with this version.
    pub(super) fn new(fetched: Option<String>) -> Self {
        Self {
            told: fetched,
            from: None,
            pause: Pause {
                next: FIRST_PAUSE,
                last_failure: None,
                until: None,
            },
            last_told: None,
            unused: false,
        }
    }

    /// What to do at `now`.
    pub(super) fn step(&self, now: Instant) -> Step {
        if self.unused {
            return Step::End;
        }
        match (self.pause.until, &self.from) {
            (Some(until), _) if until > now => Step::Wait(until - now),
            (_, None) => Step::List,
            (_, Some(from)) => Step::Watch(from.clone()),
        }
    }

    /// Takes a list; says whether the object has changed.
    pub(super) fn listed(&mut self, listed: Listed) -> bool {
        self.from = Some(listed.version);
        let changed = listed.object != self.told;
        self.told = listed.object;
        changed
    }

    /// Takes an event of a watch; says whether the object has changed.
    pub(super) fn saw(&mut self, seen: Seen) -> bool {
        let (version, object) = match seen {
            Seen::Bookmark(version) => {
                self.from = Some(version);
                return false;
            }
            Seen::There(version) => (version.clone(), Some(version)),
            Seen::Deleted(version) => (version, None),
        };
        self.from = Some(version);
        let changed = object != self.told;
        self.told = object;
        changed
    }

    /// A change was told at `now`, when there had been as many as `fetches`. A change that nobody fetched, and later another
    /// one: nobody uses the secret.
    pub(super) fn told(&mut self, now: Instant, fetches: u64) {
        if let Some((at, before)) = self.last_told
            && before == fetches
        {
            self.unused = now.saturating_duration_since(at) >= UNUSED;
        } else {
            self.last_told = Some((now, fetches));
        }
    }

    /// The watch that ran for `lasted` has ended by itself, as it does every few minutes.
    pub(super) fn ended(&mut self, now: Instant, lasted: Duration, heard: bool, random: f64) {
        if lasted < SHORT && !heard {
            self.pause.fail(now, Duration::ZERO, random);
        }
    }

    /// Asking failed. `expired` says that one has to list; `at_least` is how long the server wants to be left alone. `random`
    /// is at least 0 and below 1.
    pub(super) fn failed(&mut self, now: Instant, expired: bool, at_least: Duration, random: f64) {
        if expired {
            self.from = None;
        }
        self.pause.fail(now, at_least, random);
    }
}

// === impl Pause ===

impl Pause {
    fn fail(&mut self, now: Instant, at_least: Duration, random: f64) {
        let calm = |last| now.saturating_duration_since(last) > CALM;
        if self.last_failure.is_some_and(calm) {
            self.next = FIRST_PAUSE;
        }
        let pause = self.next.mul_f64(1.0 + random).max(at_least);
        self.until = Some(now + pause);
        self.last_failure = Some(now);
        self.next = (self.next * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(version: &str, object: Option<&str>) -> Listed {
        Listed {
            version: version.to_owned(),
            object: object.map(str::to_owned),
        }
    }

    #[test]
    fn what_was_not_told_before_is_a_change() {
        let there = |version: &str| Seen::There(version.to_owned());
        let deleted = |version: &str| Seen::Deleted(version.to_owned());
        let mark = |version: &str| Seen::Bookmark(version.to_owned());
        let now = Instant::now();
        let mut following = Following::new(Some("3".to_owned()));
        assert_eq!(following.step(now), Step::List);
        assert!(
            !following.listed(listed("9", Some("3"))),
            "it was fetched with it"
        );
        assert_eq!(following.step(now), Step::Watch("9".to_owned()));
        for (seen, changed, from) in [
            (mark("10"), false, "10"),
            (there("11"), true, "11"),
            (there("11"), false, "11"),
            (mark("20"), false, "20"),
            (deleted("21"), true, "21"),
            (there("22"), true, "22"),
        ] {
            let shown = format!("{seen:?}");
            assert_eq!(following.saw(seen), changed, "{shown}");
            assert_eq!(following.step(now), Step::Watch(from.to_owned()), "{shown}");
        }
        following.failed(now, true, Duration::ZERO, 0.0);
        let later = now + FIRST_PAUSE;
        assert_eq!(
            following.step(later),
            Step::List,
            "the version is forgotten"
        );
        assert!(
            !following.listed(listed("30", Some("22"))),
            "nothing was missed"
        );
        following.failed(later, true, Duration::ZERO, 0.0);
        assert!(
            following.listed(listed("40", Some("33"))),
            "recreated meanwhile"
        );
        following.failed(later, true, Duration::ZERO, 0.0);
        assert!(following.listed(listed("50", None)), "deleted meanwhile");
    }

    #[test]
    fn pauses_double_up_to_30_s_with_jitter_and_start_again_after_two_calm_minutes() {
        let mut now = Instant::now();
        let mut following = Following::new(None);
        let pauses = [800, 1600, 3200, 6400, 12800, 25600, 30000, 30000];
        for (at, expected) in pauses.into_iter().enumerate() {
            let random = if at % 2 == 0 { 0.0 } else { 0.5 };
            following.failed(now, false, Duration::ZERO, random);
            let expected = Duration::from_millis(expected).mul_f64(1.0 + random);
            assert_eq!(following.step(now), Step::Wait(expected));
            now += expected;
            assert_eq!(following.step(now), Step::List);
        }
        now += CALM + Duration::from_millis(1);
        following.failed(now, false, Duration::ZERO, 0.0);
        assert_eq!(following.step(now), Step::Wait(FIRST_PAUSE));
        following.failed(now, false, Duration::from_secs(60), 0.0);
        assert_eq!(
            following.step(now),
            Step::Wait(Duration::from_secs(60)),
            "Retry-After"
        );
    }

    #[test]
    fn a_watch_that_ends_is_resumed_at_once_but_for_one_that_says_nothing_and_ends_at_once() {
        let now = Instant::now();
        let resumed = Step::Watch("9".to_owned());
        for (lasted, heard, expected) in [
            (Duration::from_secs(300), false, &resumed),
            (Duration::from_secs(1), false, &resumed),
            (Duration::from_millis(1), true, &resumed),
            (Duration::from_millis(1), false, &Step::Wait(FIRST_PAUSE)),
        ] {
            let mut following = Following::new(None);
            let _ = following.listed(listed("9", None));
            following.ended(now, lasted, heard, 0.0);
            assert_eq!(&following.step(now), expected, "{lasted:?} {heard}");
        }
    }

    #[test]
    fn changes_that_nobody_fetches_end_it() {
        let start = Instant::now();
        for (after, fetches, expected) in [
            (UNUSED, 1, Step::End),
            (UNUSED, 2, Step::List),
            (UNUSED - Duration::from_secs(1), 1, Step::List),
        ] {
            let mut following = Following::new(None);
            following.told(start, 1);
            following.told(start + after, fetches);
            assert_eq!(
                following.step(start + after),
                expected,
                "{after:?} {fetches}"
            );
        }
    }
}
