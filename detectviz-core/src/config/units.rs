//! Durations and sizes as people write them: a number and its unit.
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

/// The schema of a duration: for `#[schemars(with = "DurationText")]` beside `#[serde(with = "duration")]`.
#[derive(Debug)]
pub struct DurationText;

/// A size in bytes, written `64KiB`, `10MB` or `512B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(pub u64);

/// A text that is not a number with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidUnit(&'static str);

/// Reads and writes a [`Duration`] as text: `#[serde(with = "detectviz_core::config::duration")]`.
pub mod duration {
    use super::{
        Deserialize, Deserializer, Duration, Serializer, Text, de, parse_duration, show_duration,
    };

    /// Writes the shortest exact form.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show_duration(*value))
    }

    /// Reads one or more numbers with units, the largest first.
    ///
    /// # Errors
    /// For a number without a unit, an unknown unit or an overflow.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        parse_duration(&text).map_err(de::Error::custom)
    }
}

/// A scalar that is read as text, so that a bare number is met with a remedy rather than a type error.
struct Text(String);

const DURATIONS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

const NOT_A_DURATION: InvalidUnit =
    InvalidUnit("not a duration: write a number with its unit, such as `250ms`, `5s` or `1h30m`");
const NOT_A_SIZE: InvalidUnit =
    InvalidUnit("not a size: write a number with its unit, such as `512B`, `64KiB` or `10MB`");

/// Reads a duration such as `250ms`, `1.5s` or `1h30m`; units are d, h, m, s, ms, us and ns. `0` needs none.
///
/// # Errors
/// For a number without a unit, an unknown unit or an overflow.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidUnit> {
    let total = parse(text, &DURATIONS, NOT_A_DURATION)?;
    Ok(Duration::from_nanos(total))
}

/// Writes a duration in the shortest exact form that [`parse_duration`] reads.
#[must_use]
pub fn show_duration(value: Duration) -> String {
    let mut rest = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (unit, nanos) in DURATIONS {
        if rest >= nanos {
            out.push_str(&format!("{}{unit}", rest / nanos));
            rest %= nanos;
        }
    }
    out
}

fn parse(text: &str, units: &[(&str, u64)], invalid: InvalidUnit) -> Result<u64, InvalidUnit> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0_u64;
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(invalid)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let (_, scale) = units
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or(invalid)?;
        if *scale >= last {
            return Err(invalid);
        }
        total = total
            .checked_add(scaled(number, *scale).ok_or(invalid)?)
            .ok_or(invalid)?;
        (rest, last) = (tail, *scale);
    }
    if last == u64::MAX {
        Err(invalid)
    } else {
        Ok(total)
    }
}

/// `number`, with at most nine decimals, times `scale`.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 9 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u128 = decimals.parse().ok()?;
    let fraction = fraction * u128::from(scale) / 10_u128.pow(u32::try_from(decimals.len()).ok()?);
    whole
        .checked_mul(scale)?
        .checked_add(u64::try_from(fraction).ok()?)
}

// === impl DurationText ===

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0|([0-9]+(\.[0-9]{1,9})?(d|h|m|s|ms|us|ns))+)$",
        })
    }
}

// === impl ByteSize ===

impl ByteSize {
    /// The size as a `usize`, or its maximum where it does not fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidUnit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text, &SIZES, NOT_A_SIZE).map(Self)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SIZES
            .iter()
            .find(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        let (unit, bytes) = exact.unwrap_or(&("B", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^(0|([0-9]+(\.[0-9]{1,9})?(GiB|MiB|KiB|GB|MB|kB|B))+)$",
        })
    }
}

// === impl InvalidUnit ===

impl fmt::Display for InvalidUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidUnit {}

// === impl Text ===

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number with its unit")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back() {
        for (text, millis, shown) in [
            ("250ms", 250, "250ms"),
            ("1.5s", 1_500, "1s500ms"),
            ("1h30m", 5_400_000, "1h30m"),
            ("90s", 90_000, "1m30s"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
        ] {
            let read = parse_duration(text).unwrap();
            assert_eq!(read, Duration::from_millis(millis), "{text}");
            assert_eq!(show_duration(read), shown);
            assert_eq!(parse_duration(shown).unwrap(), read);
        }
        for text in [
            "5",
            "",
            "s",
            "5 s",
            "-5s",
            "1s1h",
            "5x",
            "1.s",
            ".5s",
            "99999999999d",
            "1..5s",
        ] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_and_written_back() {
        for (text, bytes, shown) in [
            ("64KiB", 65_536, "64KiB"),
            ("10MB", 10_000_000, "10MB"),
            ("1.5KiB", 1_536, "1536B"),
            ("0", 0, "0B"),
        ] {
            let read: ByteSize = text.parse().unwrap();
            assert_eq!(read, ByteSize(bytes), "{text}");
            assert_eq!(read.to_string(), shown);
        }
        for text in ["64", "64k", "B", "1e3B"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }
}
