//! From the threads that log to the output: a buffer for each thread, one thread that writes.
//!
//! A thread appends whole lines to a buffer of its own, whose lock it shares with the writer only, and the writer holds
//! it just long enough to swap the buffer for an empty one. While lines flow the writer looks every 50 ms and nobody wakes
//! it; a line that comes when it rests wakes it, and so do one of level WARN or ERROR, a half-full sink and a flush.
mod budget;
mod buffer;
mod counts;
mod flush;
mod handoff;
mod shard;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use self::{
    counts::Counts,
    handoff::Sink,
    writer::{Notice, Writer},
};
