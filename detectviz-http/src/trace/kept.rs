//! Texts that a request keeps of its head until it ends.
use std::cell::RefCell;

/// How many buffers a thread keeps for later; more requests in flight than that allocate.
const SPARE: usize = 1024;
/// What is kept of one text, in bytes.
const LONGEST: usize = 256;

thread_local! {
    static BUFFERS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Copies of `N` texts, each of at most 256 bytes, in a buffer that the thread uses again.
///
/// Sharing them costs less at first, but a server that reads on while a request is answered then finds its read buffer in
/// use and allocates another: two allocations and 8 KiB for each request.
#[derive(Debug)]
pub(crate) struct Kept<const N: usize> {
    text: String,
    ends: [u16; N],
}

impl<const N: usize> Kept<N> {
    pub(crate) fn new(texts: [&str; N]) -> Self {
        let mut text = BUFFERS
            .try_with(|buffers| buffers.try_borrow_mut().ok()?.pop())
            .ok()
            .flatten()
            .unwrap_or_else(|| String::with_capacity(N * LONGEST));
        let ends = texts.map(|kept| {
            text.push_str(&kept[..kept.floor_char_boundary(LONGEST)]);
            u16::try_from(text.len()).unwrap_or(u16::MAX)
        });
        Self { text, ends }
    }

    /// The texts, in their order.
    pub(crate) fn texts(&self) -> [&str; N] {
        let mut start = 0;
        self.ends.map(|end| {
            let end = usize::from(end);
            let text = self.text.get(start..end).unwrap_or_default();
            start = end;
            text
        })
    }
}

impl<const N: usize> Drop for Kept<N> {
    fn drop(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let _ = BUFFERS.try_with(|buffers| {
            if let Ok(mut buffers) = buffers.try_borrow_mut()
                && buffers.len() < SPARE
            {
                buffers.push(text);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_their_order_and_cut() {
        let long = "é".repeat(LONGEST);
        let kept = Kept::new(["/orders/7", "", &long]);
        assert_eq!(
            kept.texts(),
            ["/orders/7", "", &long[..LONGEST]],
            "cut between characters"
        );
    }

    #[test]
    fn a_buffer_is_used_again() {
        let kept = Kept::new(["a"]);
        let first = kept.text.as_ptr();
        drop(kept);
        let kept = Kept::new(["b"]);
        assert_eq!(kept.text.as_ptr(), first);
        assert_eq!(kept.texts(), ["b"]);
    }
}
