//! Bytes that grow without leaving copies behind.
use zeroize::Zeroizing;

/// The smallest buffer that is made when one is needed.
const FIRST: usize = 4096;

/// Bytes that grow without leaving copies behind, as those of a `Vec` do that grows by itself.
#[derive(Default)]
pub(crate) struct Wiped(Zeroizing<Vec<u8>>);

impl Wiped {
    /// With room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Self::with_capacity(needed.next_power_of_two().max(FIRST));
            larger.0.extend_from_slice(&self.0);
            // What was is wiped as it goes.
            *self = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    /// The first `count` bytes, which are no longer in here.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn take(&mut self, count: usize) -> Zeroizing<Vec<u8>> {
        let taken = Zeroizing::new(self.0[..count].to_vec());
        let left = self.0.len() - count;
        self.0.copy_within(count.., 0);
        // What stands behind the end is wiped with the buffer.
        self.0.truncate(left);
        taken
    }

    #[cfg(any(test, feature = "kubernetes"))]
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_grows_keeps_what_it_holds() {
        let mut buffer = Wiped::default();
        for byte in 0..=255 {
            buffer.push(&[byte; 100]);
        }
        assert_eq!(buffer.len(), 25_600);
        let held = buffer.as_slice();
        assert_eq!((held[99], held[100], held[25_599]), (0, 1, 255));
        #[cfg(feature = "kubernetes")]
        {
            assert_eq!(buffer.take(100).as_slice(), [0; 100]);
            assert_eq!((buffer.len(), buffer.as_slice()[0]), (25_500, 1));
        }
        assert_eq!(buffer.into_inner().last(), Some(&255));
    }
}
