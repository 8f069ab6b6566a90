//! Fields of a line that are known before it is.
use super::{buf::Buf, handle::Logs, values::Values};

/// Fields of one line, rendered ahead of it by [`Logs::render`]: what is borrowed from a request's head is looked at and
/// escaped once, and need not be kept as well. Its memory is used again.
#[derive(Debug, Default)]
pub struct EarlyFields {
    pub(super) text: Buf,
    pub(super) truncated: bool,
}

// === impl Logs ===

impl Logs {
    /// Renders fields for one line of these logs, in place of what `into` held; [`Values::early`] puts them into it. Nothing
    /// is allocated once `into` has held as much.
    #[inline]
    pub fn render(&self, into: &mut EarlyFields, values: impl FnOnce(&mut Values<'_>)) {
        into.text.clear();
        let mut fields = Values::new(&mut into.text, 0, self.format(), false);
        values(&mut fields);
        into.truncated = fields.is_truncated();
    }
}

// === impl EarlyFields ===

impl EarlyFields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            text: Buf::new(),
            truncated: false,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.len() == 0 && !self.truncated
    }

    /// Forgets them, and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.truncated = false;
    }
}
