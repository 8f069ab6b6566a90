//! Reads and writes a duration that may be absent: `#[serde(with = "detectviz_core::config::optional_duration")]`.
use super::duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Text(#[serde(with = "duration")] Duration);

/// Writes the shortest exact form, or null.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(
    value: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.map(Text).serialize(serializer)
}

/// Reads one or more numbers with units, the largest first, or null.
///
/// # Errors
/// For a number without a unit, an unknown unit or an overflow.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = Option::<Text>::deserialize(deserializer)?;
    Ok(text.map(|Text(value)| value))
}
