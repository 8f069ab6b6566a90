//! RFC 3339 timestamps in UTC with microseconds, from the monotonic clock.
//!
//! A caller that has read the clock passes on what it read. What a thread keeps is the moment when the current second of the
//! system's clock began, and that second as text: a timestamp is then a subtraction and six digits. Both clocks are read
//! anew when the second is over, so that a system clock that is set is followed within a second; until then the
//! timestamps of a thread go on evenly.
use super::number::pair;
use crate::origin::Origin;
use std::{
    cell::Cell,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// `YYYY-MM-DDThh:mm:ss.uuuuuuZ`
pub(super) const LEN: usize = 27;

/// As much as is copied.
pub(super) type Text = [u8; 32];

/// The second that a thread rendered last.
#[derive(Clone, Copy)]
struct Second {
    began: Origin,
    text: Text,
}

thread_local! {
    static SECOND: Cell<Option<Second>> = const { Cell::new(None) };
}

const SECOND_NANOS: u64 = 1_000_000_000;

/// The last second of the year 9999, the end of RFC 3339.
const LAST: u64 = 253_402_300_799;

/// Writes `at` over `out`, of which the first [`LEN`] bytes count. Times before 1970 become its first moment, times after
/// 9999 its last second.
#[inline]
pub(super) fn render(at: Instant, out: &mut Text) {
    let known = SECOND.try_with(Cell::get).ok().flatten();
    if let Some(second) = known
        && at >= second.began.at()
        && let since = second.began.nanos(at)
        && since < SECOND_NANOS
    {
        *out = second.text;
        put_micros(out, since / 1000);
        return;
    }
    render_anew(at, known, out);
}

/// Reads both clocks for it. A moment before the second that is known is rendered and not kept: lines of work that began
/// earlier come between those of now.
#[cold]
fn render_anew(at: Instant, known: Option<Second>, out: &mut Text) {
    let wall = wall_of(at, Instant::now(), SystemTime::now());
    let text = whole(wall.as_secs());
    let fraction = Duration::from_nanos(wall.subsec_nanos().into());
    if known.is_none_or(|known| known.began.at() <= at)
        && let Some(began) = at.checked_sub(fraction).map(Origin::new)
    {
        let _ = SECOND.try_with(|cell| cell.set(Some(Second { began, text })));
    }
    *out = text;
    put_micros(out, wall.subsec_micros().into());
}

/// What the system's clock shows at `at`, since 1970, when it shows `wall` at `now`.
fn wall_of(at: Instant, now: Instant, wall: SystemTime) -> Duration {
    let wall = wall.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let shown = match at.checked_duration_since(now) {
        Some(ahead) => wall.saturating_add(ahead),
        None => wall.saturating_sub(now.saturating_duration_since(at)),
    };
    if shown.as_secs() > LAST {
        Duration::from_secs(LAST)
    } else {
        shown
    }
}

#[inline]
fn put_micros(text: &mut Text, micros: u64) {
    text[20..22].copy_from_slice(&pair(micros / 10_000));
    text[22..24].copy_from_slice(&pair(micros / 100 % 100));
    text[24..26].copy_from_slice(&pair(micros % 100));
}

/// The date and time of a second since 1970, with no fraction.
fn whole(second: u64) -> Text {
    let (days, time) = (second / 86_400, second % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000000Z     ";
    for (at, value) in [
        (0, year / 100),
        (2, year % 100),
        (5, month),
        (8, day),
        (11, time / 3600),
        (14, time / 60 % 60),
        (17, time % 60),
    ] {
        text[at..at + 2].copy_from_slice(&pair(value));
    }
    text
}

/// Year, month and day of a day since 1970, after Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(wall: Duration) -> String {
        let mut text = whole(wall.as_secs());
        put_micros(&mut text, wall.subsec_micros().into());
        String::from_utf8(text[..LEN].to_vec()).unwrap()
    }

    fn rendered(at: Instant) -> String {
        let mut text = Text::default();
        render(at, &mut text);
        String::from_utf8(text[..LEN].to_vec()).unwrap()
    }

    #[test]
    fn moments_are_rendered_in_utc_with_microseconds() {
        let now = Instant::now();
        for (secs, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, 1_000, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_199, 999_999_999, "2024-02-29T23:59:59.999999Z"),
            (1_709_251_200, 0, "2024-03-01T00:00:00.000000Z"),
            (1_709_251_200, 500_000_000, "2024-03-01T00:00:00.500000Z"),
            (4_102_444_799, 0, "2099-12-31T23:59:59.000000Z"),
            (LAST, 0, "9999-12-31T23:59:59.000000Z"),
            (LAST + 86_400, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let wall = UNIX_EPOCH + Duration::new(secs, nanos);
            assert_eq!(shown(wall_of(now, now, wall)), expected);
        }
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(5)).unwrap();
        assert_eq!(
            &shown(wall_of(now, now, before))[..19],
            "1970-01-01T00:00:00"
        );
    }

    #[test]
    fn the_wall_clock_is_moved_by_as_much_as_the_moment_is_off() {
        let now = Instant::now() + Duration::from_secs(100);
        let wall = UNIX_EPOCH + Duration::from_millis(50_500);
        for (ahead, behind, expected) in [
            (0, 0, 50_500),
            (700, 0, 51_200),
            (0, 700, 49_800),
            (0, 60_000, 0),
        ] {
            let at = now + Duration::from_millis(ahead) - Duration::from_millis(behind);
            assert_eq!(wall_of(at, now, wall), Duration::from_millis(expected));
        }
    }

    #[test]
    fn moments_of_a_thread_are_in_order_whichever_way_they_are_rendered() {
        let start = Instant::now();
        let moments = [0, 1, 999, 400, 1000, 1001, 990, 2500, 2499, 10_000, 9_999];
        let mut texts = moments.map(|millis| {
            (
                millis,
                rendered(start + Duration::from_millis(millis) + Duration::from_micros(millis)),
            )
        });
        texts.sort();
        assert!(
            texts.is_sorted_by_key(|(_, text)| text.clone()),
            "{texts:?}"
        );
        let known = SECOND.get().unwrap();
        assert_eq!(&rendered(known.began.at())[20..], "000000Z");
        let last = known.began.at() + Duration::from_nanos(999_999_999);
        assert_eq!(&rendered(last)[20..], "999999Z");
    }

    #[test]
    fn a_second_that_is_over_is_read_from_the_clock_again() {
        let now = Instant::now();
        rendered(now);
        // As if the clock had been set since.
        let mut second = SECOND.get().unwrap();
        second.text = whole(0);
        SECOND.set(Some(second));
        assert_eq!(&rendered(now)[..4], "1970");
        let later = second.began.at() + Duration::from_secs(1);
        assert_ne!(&rendered(later)[..4], "1970");
        assert!(SECOND.get().unwrap().began.at() > second.began.at());
    }
}
