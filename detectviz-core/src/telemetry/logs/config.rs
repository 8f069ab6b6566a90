//! What a user may set.
use super::levels::Directives;
use crate::config::{ByteSize, Checker, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the [logs](super) of one runtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LogsConfig {
    /// What is logged: a level for everything, and others for targets that begin with a name, such as
    /// `info,sqlx=warn,my_crate::db=debug`. The longest name that fits decides. Levels are off, error, warn, info, debug
    /// and trace.
    #[schemars(extend("x-reload" = "live"))]
    pub level: String,
    /// How a line is written: `json`, `text`, or `auto`, which is text on a terminal and JSON elsewhere.
    pub format: LogFormat,
    /// How many bytes of lines may wait to be written, from 128KiB to 1GiB. What comes when that is full is dropped and
    /// counted.
    pub buffer: ByteSize,
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// Text when the output is a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people: time, level, target, place, message, fields.
    Text,
}

const BUFFER: std::ops::RangeInclusive<u64> = 128 << 10..=1 << 30;

// === impl LogsConfig ===

impl Section for LogsConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if let Err(err) = self.level.parse::<Directives>() {
            check.problem("level", err.to_string(), "`info,sqlx=warn`");
        }
        if !BUFFER.contains(&self.buffer.0) {
            let wrong = format!("{} is outside of what a buffer can be", self.buffer);
            check.problem(
                "buffer",
                wrong,
                "a size from 128KiB to 1GiB, such as `8MiB`",
            );
        }
    }
}

impl Default for LogsConfig {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Auto,
            buffer: ByteSize(8 << 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check;

    #[test]
    fn wrong_settings_are_all_named() {
        assert!(check(&LogsConfig::default()).is_ok());
        let wrong = LogsConfig {
            level: "loud".to_owned(),
            buffer: ByteSize(1),
            ..LogsConfig::default()
        };
        let problems = check(&wrong).unwrap_err().to_string();
        assert!(problems.contains("`loud` is not a level"), "{problems}");
        assert!(problems.contains("outside of what a buffer"), "{problems}");
    }
}
