//! What the layers of the stack share of one request: its head, and how it ended.
mod ending;
mod head;
mod outcome;
mod text;
mod texts;
mod wire;

pub(crate) use self::{
    ending::{Ending, Progress},
    head::Head,
    outcome::Outcome,
    text::{InlineText, digits},
    texts::{LONGEST_TEXT, cut},
    wire::{Wire, bodiless},
};
