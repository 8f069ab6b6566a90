//! Small values without an allocation each.
use bytes::{Bytes, BytesMut};
use std::cell::RefCell;

/// How much a thread asks for at once. A piece that lives long keeps its whole chunk, so this is small.
const CHUNK: usize = 4096;
/// Longer values get an allocation of their own.
const MOST: usize = 512;

thread_local! {
    static POOL: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// A copy of `value`, cut from the thread's buffer when it is at most 512 bytes.
///
/// The buffer is used again as soon as no piece of it is held; only then does `reserve` not allocate.
pub(super) fn keep(value: &[u8]) -> Bytes {
    if value.is_empty() {
        return Bytes::new();
    }
    if value.len() > MOST {
        return Bytes::copy_from_slice(value);
    }
    POOL.with(|pool| match pool.try_borrow_mut() {
        Ok(mut pool) => {
            if pool.capacity() < value.len() {
                pool.reserve(CHUNK);
            }
            pool.extend_from_slice(value);
            pool.split().freeze()
        }
        Err(_) => Bytes::copy_from_slice(value),
    })
}
