//! When what ends is renewed, and when what failed is tried again: of leases and of logins alike.
//!
//! The times are those of Vault's own clients. A renewal comes at two thirds of the time to live plus a third of a grace of
//! 10–20 % of it, which is the jitter (`api/lifetime_watcher.go`, so at 70.0–73.3 %); what cannot be renewed is replaced at
//! 85–95 % of its life (consul-template, `dependency/vault_common.go`). Unlike the reference watcher, which computes a
//! back-off and then does not wait for it, what failed is tried again after 1 s, and after twice as long each time.
//!
//! A jitter is a number from 0 up to 1.
use std::time::Duration;

/// The longest that anything is taken to live: what a store says beyond that would be past the end of the clock.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The first pause after a failure.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// When something that lives for `ttl` is renewed: 70.0–73.3 % of it.
pub(crate) fn renew_after(ttl: Duration, jitter: f64) -> Duration {
    let grace = ttl.mul_f64(0.1 + jitter / 10.0);
    ttl.mul_f64(2.0 / 3.0) + grace / 3
}

/// When something that lives for `ttl` and cannot be renewed is replaced: 85–95 % of it.
pub(crate) fn replace_after(ttl: Duration, jitter: f64) -> Duration {
    ttl.mul_f64(0.85 + jitter / 10.0)
}

/// The pause after one more failure, when there were `failures` in a row before it: 75–100 % of what it would be without
/// jitter, which is at most `longest`.
pub(crate) fn pause_after(failures: u32, longest: Duration, jitter: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(10));
    doubled.min(longest).mul_f64(0.75 + jitter / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    #[test]
    fn s1_what_lives_for_60_s_is_renewed_at_42_to_44_s() {
        let mut rng = Rng::with_seed(1);
        let minute = Duration::from_secs(60);
        let (mut least, mut most) = (minute, Duration::ZERO);
        for _ in 0..10_000 {
            let time = renew_after(minute, rng.f64());
            assert!((42.0..=44.0).contains(&time.as_secs_f64()), "{time:?}");
            (least, most) = (least.min(time), most.max(time));
        }
        assert!(most - least > Duration::from_millis(1500), "it is jittered");
    }

    #[test]
    fn s6_what_cannot_be_renewed_is_replaced_at_85_to_95_percent() {
        let mut rng = Rng::with_seed(2);
        for _ in 0..10_000 {
            let time = replace_after(Duration::from_secs(100), rng.f64()).as_secs_f64();
            assert!((85.0..=95.0).contains(&time), "{time}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        for (failures, whole) in [(0, 1.0), (1, 2.0), (4, 16.0), (5, 30.0), (u32::MAX, 30.0)] {
            let pause = |jitter| pause_after(failures, longest, jitter).as_secs_f64();
            assert_eq!((pause(0.0), pause(1.0)), (whole * 0.75, whole));
        }
    }
}
