//! What the policies compute ahead, when endpoints change: positions in the table, without the endpoints themselves.
mod alias;
mod ring;
mod turns;

pub use self::ring::hash_of;
pub(super) use self::{
    alias::Alias,
    ring::{Ring, point_of},
    turns::Turns,
};

/// A number below `n` from 32 random bits, after Lemire, Fast random integer generation in an interval, 2019. Without his
/// rejection the bias is below n/2³².
#[inline]
pub(super) fn below(n: usize, bits: u64) -> usize {
    (((bits & 0xffff_ffff) * n as u64) >> 32) as usize
}
