//! Texts that a request keeps of its head until it ends.

/// What is kept of one text, in bytes.
pub(crate) const LONGEST_TEXT: usize = 256;

/// Copies of up to `N` texts, each of at most 256 bytes, one after the other.
///
/// Sharing them costs less at first, but a server that reads on while a request is answered then finds its read buffer in
/// use and allocates another: two allocations and 8 KiB for each request.
#[derive(Debug)]
pub(super) struct Texts<const N: usize> {
    text: String,
    ends: [u16; N],
    len: usize,
}

/// As much of a text as is kept.
#[inline]
pub(crate) fn cut(text: &str) -> &str {
    if text.len() <= LONGEST_TEXT {
        text
    } else {
        &text[..text.floor_char_boundary(LONGEST_TEXT)]
    }
}

// === impl Texts ===

impl<const N: usize> Texts<N> {
    pub(super) fn new() -> Self {
        Self {
            text: String::with_capacity(N * LONGEST_TEXT),
            ends: [0; N],
            len: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.len = 0;
    }

    /// Adds a text; what is beyond the `N`th is left out.
    pub(super) fn push(&mut self, text: &str) {
        let Some(end) = self.ends.get_mut(self.len) else {
            return;
        };
        self.text.push_str(cut(text));
        *end = u16::try_from(self.text.len()).unwrap_or(u16::MAX);
        self.len += 1;
    }

    /// The text with that number; empty where it was not pushed.
    pub(super) fn text(&self, at: usize) -> &str {
        if at >= self.len {
            return "";
        }
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let range = usize::from(start)..usize::from(self.ends[at]);
        self.text.get(range).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_their_order_and_cut() {
        let long = "é".repeat(LONGEST_TEXT);
        let mut texts = Texts::<3>::new();
        for _ in 0..2 {
            texts.clear();
            assert_eq!(texts.text(0), "");
            for text in ["/orders/7", "", &long, "too many"] {
                texts.push(text);
            }
            assert_eq!(
                (0..4).map(|at| texts.text(at)).collect::<Vec<_>>(),
                ["/orders/7", "", &long[..LONGEST_TEXT], ""],
                "cut between characters"
            );
        }
    }
}
