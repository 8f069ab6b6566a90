//! A rate as people write it: `100/s`.
use crate::config::{parse_duration, show_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, error, fmt, str::FromStr, time::Duration};

/// So many units per time: `100/s`, `5000/h`, `10/250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    /// Units, such as requests.
    pub units: u32,
    /// The time in which they may come.
    pub period: Duration,
}

/// A text that is not a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidRate;

// === impl Rate ===

impl Rate {
    /// `units` in each `period`.
    #[must_use]
    pub fn new(units: u32, period: Duration) -> Self {
        Self { units, period }
    }

    /// `units` in each second.
    #[must_use]
    pub fn per_second(units: u32) -> Self {
        Self::new(units, Duration::from_secs(1))
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let (units, period) = text.trim().split_once('/').ok_or(InvalidRate)?;
        let one = period.starts_with(|c: char| c.is_ascii_alphabetic());
        let period = if one {
            parse_duration(&format!("1{period}"))
        } else {
            parse_duration(period)
        };
        Ok(Self {
            units: units.parse().map_err(|_| InvalidRate)?,
            period: period.map_err(|_| InvalidRate)?,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = show_duration(self.period);
        let unit = period.strip_prefix('1').unwrap_or(&period);
        let is_unit = unit.chars().all(|c| c.is_ascii_alphabetic());
        write!(f, "{}/{}", self.units, if is_unit { unit } else { &period })
    }
}

impl TryFrom<String> for Rate {
    type Error = InvalidRate;

    fn try_from(text: String) -> Result<Self, InvalidRate> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[0-9]+/(([0-9]+(\.[0-9]{1,9})?)?(d|h|m|s|ms|us|ns))+$",
        })
    }
}

// === impl InvalidRate ===

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a rate: write a number and a time, such as `100/s`, `5000/h` or `10/250ms`",
        )
    }
}

impl error::Error for InvalidRate {}
