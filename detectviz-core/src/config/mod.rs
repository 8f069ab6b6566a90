//! Configuration: two files, layers with origin, and every problem at once.
mod units;

pub use self::units::{
    ByteSize, DurationText, InvalidUnit, duration, parse_duration, show_duration,
};
