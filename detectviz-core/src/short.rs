//! Copies of a few bytes, such as the name of a header.
//!
//! A copy of a length that is not known ahead is a call of `memcpy`, which costs more than the few bytes do. Here it is two
//! copies of one size, which overlap: the compiler knows that size, and makes a move of each (as `memcpy` itself does, once it
//! is called).

/// Copies `from` to the start of `to`, as far as there is room.
#[inline]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    let length = from.len().min(to.len());
    let (to, from) = (&mut to[..length], &from[..length]);
    match length {
        0 => {}
        1..4 => {
            let middle = length / 2;
            let (first, between, last) = (from[0], from[middle], from[length - 1]);
            to[0] = first;
            to[middle] = between;
            to[length - 1] = last;
        }
        4..8 => both_ends::<4>(to, from),
        8..16 => both_ends::<8>(to, from),
        16..=32 => both_ends::<16>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Both are of one length, of `N` to 2 × `N` bytes.
#[inline]
fn both_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        let (first, last) = (*first, *last);
        if let Some(to) = to.first_chunk_mut() {
            *to = first;
        }
        if let Some(to) = to.last_chunk_mut() {
            *to = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::copy;

    #[test]
    fn a_copy_of_any_length_is_whole_and_goes_no_further() {
        let from: Vec<u8> = (1..=100).collect();
        for length in 0..=from.len() {
            for room in 0..=from.len() {
                let mut to = vec![0; room + 1];
                copy(&mut to[..room], &from[..length]);
                let copied = length.min(room);
                assert_eq!(to[..copied], from[..copied], "{length} to {room}");
                assert!(
                    to[copied..].iter().all(|byte| *byte == 0),
                    "{length} to {room}"
                );
            }
        }
    }
}
