//! Configuration: two files, layers with origin, and every problem at once.
mod path;
mod place;
mod problem;
mod suggest;
mod redact;
mod node;
mod yaml;
mod merge;
mod shape;
mod fault;
mod de;
mod section;
mod units;

pub use self::{
    place::{Origin, Place},
    problem::{Problem, Problems},
    section::{Checker, Section, check},
    units::{ByteSize, DurationText, InvalidUnit, duration, parse_duration, show_duration},
};
