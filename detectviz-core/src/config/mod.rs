//! Configuration: two files, layers with origin, and every problem at once.
mod path;
mod place;
mod problem;
mod suggest;
mod redact;
mod node;
mod yaml;
mod merge;
mod overlay;
mod shape;
mod fault;
mod de;
mod section;
mod composition;
mod effective;
mod loaded;
mod source;
mod sources;
#[cfg(test)]
mod tests;
mod units;

pub use self::{
    composition::ComponentEntry,
    effective::{Changes, Effective, EffectiveValue, Reload, live_update},
    loaded::Loaded,
    place::{Origin, Place},
    problem::{Problem, Problems},
    section::{Checker, Section, check},
    source::environment,
    sources::{PROFILES, Sources, load},
    units::{ByteSize, DurationText, InvalidUnit, duration, parse_duration, show_duration},
};
