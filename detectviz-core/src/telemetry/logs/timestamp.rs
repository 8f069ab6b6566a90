//! RFC 3339 timestamps in UTC with microseconds; the thread keeps the last second that it rendered.
use super::number::padded;
use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// `YYYY-MM-DDThh:mm:ss.uuuuuuZ`
pub(super) const LEN: usize = 27;

thread_local! {
    static SECOND: Cell<(u64, [u8; LEN])> = const { Cell::new((0, *b"1970-01-01T00:00:00.000000Z")) };
}

/// The last second of the year 9999, the end of RFC 3339.
const LAST: u64 = 253_402_300_799;

/// Renders `at`. Times before 1970 become its first moment, times after 9999 its last second.
pub(super) fn render(at: SystemTime) -> [u8; LEN] {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let second = since.as_secs().min(LAST);
    let (cached, mut text) = SECOND.try_with(Cell::get).unwrap_or((second + 1, [0; LEN]));
    if cached != second {
        text = whole(second);
        let _ = SECOND.try_with(|cell| cell.set((second, text)));
    }
    padded(&mut text[20..26], u64::from(since.subsec_micros()));
    text
}

/// The date and time of a second since 1970, with no fraction.
fn whole(second: u64) -> [u8; LEN] {
    let (days, time) = (second / 86_400, second % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    padded(&mut text[0..4], year);
    padded(&mut text[5..7], month);
    padded(&mut text[8..10], day);
    padded(&mut text[11..13], time / 3600);
    padded(&mut text[14..16], time / 60 % 60);
    padded(&mut text[17..19], time % 60);
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

    #[test]
    fn moments_are_rendered_in_utc_with_microseconds() {
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
            let text = render(UNIX_EPOCH + Duration::new(secs, nanos));
            assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
        }
        let before = UNIX_EPOCH.checked_sub(Duration::from_secs(5)).unwrap();
        assert_eq!(&render(before)[..19], b"1970-01-01T00:00:00");
    }
}
